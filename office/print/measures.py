"""The numbers of GB/T 9704-2012, in millimetres from the top left corner of the page unless said otherwise.

**Rows.** The standard measures heights in lines: a line is a 3号 character and the space below it (section 3.3). 22 of them fill
the type area, so a line is 225/22 mm; the character box stands at the top of its row. "n lines below" something that is not on
the rows (mark, red rule, title) is n of these lines between the lower edge of that and the upper edge of the next character box.

**Columns.** 28 characters fill the 156 mm of a line; half-width characters take half a place.
"""

from __future__ import annotations

PT = 25.4 / 72
PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
TOP, LEFT, WIDTH, HEIGHT = 37.0, 28.0, 156.0, 225.0
"The type area (版心)."
RIGHT, BOTTOM = LEFT + WIDTH, TOP + HEIGHT
ROWS, COLUMNS = 22, 28
LINE, CELL = HEIGHT / ROWS, WIDTH / COLUMNS

BODY, TITLE, SMALL = 16.0, 22.0, 14.0
"Points of 3号, 2号 and 4号."
BODY_BOX, TITLE_BOX, SMALL_BOX = BODY * PT, TITLE * PT, SMALL * PT
"Height of a character of these sizes."
TITLE_LINE = 34 * PT
"From line to line of a title."
SPACE = BODY_BOX * 7 / 8
"The space of one 3号 line, which 信函格式 leaves below its rule (section 10.1)."

MARK_SIZE, MARK_LEAST = 46.0, 26.0
"Points of the red mark: as large as it goes, never larger than 22 mm by 15 mm a character of the State Council's."
MARK_NARROW = 0.6
"How far a long mark is narrowed before it is made smaller."
MARK_TOP = {"file": TOP + 35, "minutes": TOP + 35, "order": TOP + 20, "letter": 30.0}
"Upper edge of the mark, as its ink shows it: below the type area's edge, in 信函格式 below the page's."
ACROSS = 120.0
"Points of the pale words across a page, unless they are too many."
RULE_BELOW = 4.0
"From 发文字号 (in 信函格式: from the mark) to the red rule."
RED_RULE = 0.5
THICK, GAP, THIN = 0.5, 0.25, 0.2
"The double rules of 信函格式."
DOUBLE = THICK + GAP + THIN
LETTER_WIDTH = 170.0
LETTER_BOTTOM = PAGE_HEIGHT - 20
"The second double rule."
RECORD_THICK, RECORD_THIN = 0.35, 0.25
"Rules of 版记 (section 7.4.1)."
EDGE = 5.25
"One character from the side, at 4号: between the width of its own characters (4.94) and a place of the grid (5.57)."
FOLIO_BELOW = 7.0
"From the type area's lower edge to the dashes of a page number (section 7.5)."
ASCENT = 0.88
"Part of the character box above the baseline."
SEAL_SINK = 3.0
"How far issuer and date stand below the middle of their seal (section 7.3.5.1: 居印章中心偏下位置)."

"""The head of a first page (版头, section 7.2 and the special formats of section 10): from its top to where the title begins."""

from __future__ import annotations

from office.print.lines import Advance, Faces, single
from office.print.marks import Ink, Mark, Page, Rule, inks
from office.print.measures import (
    ASCENT,
    BODY_BOX,
    CELL,
    DOUBLE,
    GAP,
    LEFT,
    LETTER_BOTTOM,
    LETTER_WIDTH,
    LINE,
    MARK_LEAST,
    MARK_NARROW,
    MARK_SIZE,
    MARK_TOP,
    PAGE_WIDTH,
    PT,
    RED_RULE,
    RIGHT,
    RULE_BELOW,
    SPACE,
    THICK,
    THIN,
    TOP,
    WIDTH,
)
from office.print.sheet import Form, Sheet

CENTRE = LEFT + WIDTH / 2
_SUFFIX = {Form.FILE: "文件", Form.ORDER: "命令", Form.LETTER: "", Form.MINUTES: ""}


def head(sheet: Sheet, page: Page, faces: Faces, line: float = LINE) -> float:
    """Put the head on the page, with rows of this height between its parts; the upper edge of what comes next (title or text)."""
    if sheet.form == Form.LETTER:
        return _letter(sheet, page, faces)
    advance = faces.advance
    _corner(sheet, page, TOP, advance)
    low = mark(sheet, page, faces)
    if sheet.form == Form.ORDER:
        return low + 2 * LINE if not sheet.number else _centred(page, sheet.number, low + 2 * LINE, advance) + 2 * LINE
    if sheet.signers:
        low = _upward(sheet, page, low + 2 * line, advance)
    elif sheet.number:
        low = _centred(page, sheet.number, low + 2 * line, advance)
    page.add(Rule(x=LEFT, y=low + RULE_BELOW + RED_RULE / 4, width=WIDTH, thick=RED_RULE, red=True))
    return low + RULE_BELOW + RED_RULE / 2 + 2 * line


def mark(sheet: Sheet, page: Page, faces: Faces) -> float:
    """发文机关标志, in red; the lower edge of its ink."""
    names = [sheet.mark] if sheet.mark else list(sheet.organs[:1] if sheet.lead_only or sheet.form != Form.FILE else sheet.organs)
    suffix = _SUFFIX[sheet.form] if not (sheet.form == Form.ORDER and sheet.mark.endswith("令")) else ""
    if len(names) == 1:
        return _single(page, names[0] + suffix, MARK_TOP[sheet.form], faces)
    return _joint(page, names, suffix, MARK_TOP[sheet.form], faces)


def _single(page: Page, text: str, top: float, faces: Faces) -> float:
    """Large red characters around the middle: spread a little when few, narrowed and then made smaller when many."""
    natural = faces.advance(text, "mark") * PT
    size = max(MARK_LEAST, min(MARK_SIZE, WIDTH / (natural * MARK_NARROW)))
    wish = min(WIDTH, natural * size * (1.12 if len(text) < 9 else 1.0))
    y, low = _edges(text, top, size, faces)
    page.add(Ink(x=CENTRE - wish / 2, y=y, width=wish, text=text, face="mark", size=size, red=True, narrow=min(1.0, wish / (natural * size))))
    return low


def _edges(text: str, top: float, size: float, faces: Faces) -> tuple[float, float]:
    """(where the character box begins when the ink begins at ``top``, where the ink ends): the ink is less high than its box."""
    box = top - (ASCENT - faces.ink(text, "mark")[1]) * size * PT
    return box, _foot(text, box, size, faces)


def _foot(text: str, box: float, size: float, faces: Faces) -> float:
    """Where the ink of a box ends that begins at ``box``."""
    return box + (ASCENT - faces.ink(text, "mark")[0]) * size * PT


def _joint(page: Page, names: list[str], suffix: str, top: float, faces: Faces) -> float:
    """Organs below each other, the lead one first, all as wide as the longest; 文件 to their right at half height (section 7.2.4)."""
    size = max(18.0, min(36.0, 150.0 / len(names) / 1.3))
    longest = max(faces.advance(name, "mark") for name in names) * size * PT
    large = min(MARK_SIZE, size * 1.5)
    tail = faces.advance(suffix, "mark") * large * PT
    gap = 4.0
    width = min(longest, WIDTH - tail - gap)
    left = CENTRE - (width + gap + tail) / 2
    step = size * PT * 1.3
    first, _low = _edges(names[0], top, size, faces)
    for place, name in enumerate(names):
        narrow = min(1.0, width / (faces.advance(name, "mark") * size * PT))
        page.add(Ink(x=left, y=first + place * step, width=width, text=name, face="mark", size=size, red=True, narrow=narrow))
    low = _foot(names[-1], first + (len(names) - 1) * step, size, faces)
    page.add(Ink(x=left + width + gap, y=(top + low - large * PT) / 2, width=tail, text=suffix, face="mark", size=large, red=True))
    return low


def _corner(sheet: Sheet, page: Page, top: float, advance: Advance) -> int:
    """份号, 密级, 紧急程度 at the top left, one a line (section 7.2.1 to 7.2.3); how many there were."""
    found = [(sheet.copy, "body"), (sheet.secrecy, "black"), (sheet.urgency, "black")]
    shown = [(text, face) for text, face in found if text]
    for row, (text, face) in enumerate(shown):
        page.add(*inks(single(text, face, advance), x=LEFT, y=top + row * LINE))
    return len(shown)


def _centred(page: Page, text: str, y: float, advance: Advance) -> float:
    line = single(text, "body", advance)
    page.add(*inks(line, x=CENTRE - line.width * CELL / 2, y=y))
    return y + BODY_BOX


def _upward(sheet: Sheet, page: Page, y: float, advance: Advance) -> float:
    """签发人, two a line, names below names; 发文字号 to the left of the last of them (section 7.2.5, 7.2.6)."""
    pairs = [sheet.signers[at : at + 2] for at in range(0, len(sheet.signers), 2)]
    columns = [max(3.0, *(len(pair[at]) for pair in pairs if at < len(pair))) for at in range(2 if len(sheet.signers) > 1 else 1)]
    left = RIGHT - CELL - (sum(columns) + len(columns) - 1) * CELL
    label = single("签发人：", "body", advance)
    page.add(*inks(label, x=left - label.width * CELL, y=y))
    for row, pair in enumerate(pairs):
        x = left
        for name, wide in zip(pair, columns, strict=False):
            page.add(_name(name, x, y + row * LINE, wide, advance))
            x += (wide + 1) * CELL
    last = y + (len(pairs) - 1) * LINE
    if sheet.number:
        page.add(*inks(single(sheet.number, "body", advance), x=LEFT + CELL, y=last))
    return last + BODY_BOX


def _name(name: str, x: float, y: float, places: float, advance: Advance) -> Ink:
    """A name in 楷体; one of two characters is spread to three places, as names in lists are."""
    width = places * CELL
    if len(name) == 2:  # the second character stands in the last place
        name, width = f"{name[0]}\u3000{name[1]}", 3 * CELL
    elif len(name) != places:
        width = len(name) * CELL
    return Ink(x=x, y=y, width=width, text=name, face="kai")


def _letter(sheet: Sheet, page: Page, faces: Faces) -> float:
    """信函格式 (section 10.1): mark, double rule, number at the right and the corner at the left below it, a second rule at the foot."""
    page.plain = True
    advance = faces.advance
    low = mark(sheet, page, faces)
    foot = low + RULE_BELOW
    page.add(*_double(foot, thick_first=True), *_double(LETTER_BOTTOM - DOUBLE / 2, thick_first=False))
    page.low = 0.0  # the second rule is below the type area
    y = foot + DOUBLE + SPACE
    rows = _corner(sheet, page, y, advance)
    if sheet.number:
        line = single(sheet.number, "body", advance)
        page.add(*inks(line, x=RIGHT - line.width * CELL, y=y))
        rows = max(rows, 1)
    return y + (rows - 1) * LINE + BODY_BOX + 2 * LINE if rows else y + 2 * LINE


def _double(top: float, *, thick_first: bool) -> list[Mark]:
    first, second = (THICK, THIN) if thick_first else (THIN, THICK)
    x = (PAGE_WIDTH - LETTER_WIDTH) / 2
    upper = Rule(x=x, y=top + first / 2, width=LETTER_WIDTH, thick=first, red=True)
    return [upper, Rule(x=x, y=top + first + GAP + second / 2, width=LETTER_WIDTH, thick=second, red=True)]

"""A sheet put on pages: a pure function from what is printed to where every mark stands.

**Normal path.** The head takes the top of the first page; title, recipients, text and list of annexes follow line by line, 22 to a
page; the closing block stands on the page where the text ends. Annexes begin new pages. 版记 lies at the foot of the last page,
which is an even one. **Edges.** A closing block that finds no room takes the last two lines of the text along, so that no page has a
seal alone; where a text of a few lines would so leave the first page, rows are drawn closer (section 7.3.5.5), and of several organs the
mark may then show the lead alone (section 7.2.4). Recipients so many that the first page would show no text go to 版记 (section 7.3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from node.errors import TooLarge
from office.print.closings import Block, closing
from office.print.heads import CENTRE, head
from office.print.lines import Faces, Line, Span, single, split, wide
from office.print.marks import Ink, Page, Round, Rule, inks, lines_of, lower
from office.print.measures import (
    ACROSS,
    ASCENT,
    BODY_BOX,
    BOTTOM,
    CELL,
    COLUMNS,
    EDGE,
    FOLIO_BELOW,
    LEFT,
    LINE,
    PAGE_HEIGHT,
    PT,
    RECORD_THICK,
    RECORD_THIN,
    RIGHT,
    ROWS,
    SMALL,
    SMALL_BOX,
    TITLE,
    TITLE_BOX,
    TITLE_LINE,
    TOP,
    WIDTH,
)
from office.print.sheet import Annex, Form, Paragraph, Sheet
from office.print.titles import broken

MOST = 400
"Pages of one document."
SHORT, CLOSER = 250, (LINE, 9.0, 8.0, 7.1)
"Characters of a text that is to stand on one page with its seals, and heights of a row tried for it; 7.1 mm are 20 points."
_FACES = {0: "body", 1: "black", 2: "kai", 3: "body", 4: "body"}


@dataclass
class _Flow:
    """Rows on pages; a row is a line at a place, or None for an empty one."""

    pages: list[Page]
    top: float
    "Upper edge of the next row."
    line: float = LINE
    "Height of a row."
    rows: list[tuple[int, int, Line | None]] = field(default_factory=list)
    "(page, first mark on it, line) of every row so far."

    @property
    def page(self) -> Page:
        return self.pages[-1]

    def turn(self) -> None:
        if len(self.pages) >= MOST:
            raise TooLarge(f"more than {MOST} pages", code="too_long")
        self.pages.append(Page())
        self.top = TOP

    def left(self) -> int:
        """Rows that this page still takes."""
        return int((BOTTOM - self.top) / self.line + 1e-6)

    def row(self, line: Line | None) -> None:
        if self.left() < 1:
            self.turn()
        self.rows.append((len(self.pages) - 1, len(self.page.marks), line))
        if line is not None:
            self.page.add(*inks(line, x=LEFT, y=self.top))
        self.top += self.line

    def close(self, block: Block, keep: int) -> None:
        """Put the block after the last row; with the ``keep`` last rows on a new page when it finds no room here."""
        if block.low > BOTTOM - self.top + 1e-6:
            here = len(self.pages) - 1
            moved = [row for row in self.rows[-keep:] if row[0] == here]
            fits = 0 < len(moved) < sum(row[0] == here for row in self.rows) and len(moved) + block.rows <= int((BOTTOM - TOP) / self.line + 1e-6)
            if fits:
                del self.page.marks[moved[0][1] :]
                self.page.low = 0.0
            self.turn()
            for _page, _mark, line in moved if fits else ():
                self.row(line)
        self.page.add(*(lower(mark, self.top) for mark in block.marks))
        self.top += block.rows * self.line


def pages(sheet: Sheet, faces: Faces) -> list[Page]:
    """The pages of a sheet; recipients that would leave no room for text on the first go to 版记."""
    found, seen = _short(sheet, faces) or _pages(sheet, faces, record_to=False)
    if not seen and sheet.to and sheet.paragraphs and _rows(sheet, faces, to=sheet.to) < ROWS:
        found, _seen = _pages(sheet, faces, record_to=True)
    for number, page in enumerate(found, start=1):
        if not page.plain:
            _folio(page, number, faces)
        if sheet.across:
            _across(sheet.across, page)
    return found


def _short(sheet: Sheet, faces: Faces) -> tuple[list[Page], bool] | None:
    """The pages of a sealed sheet whose few lines fit one page when drawn closer; None where that is not needed, or does not help."""
    if not sheet.seals or sum(len(one.text) for one in sheet.paragraphs) > SHORT:
        return None
    tried = [(sheet, line) for line in CLOSER]
    if len(sheet.organs) > 1 and not sheet.lead_only:
        alone = msgspec.structs.replace(sheet, lead_only=True)
        tried += [(alone, line) for line in CLOSER]
    for place, (one, line) in enumerate(tried):
        found, seen = _pages(one, faces, record_to=False, line=line)
        if seen and any(isinstance(mark, Round) for mark in found[0].marks):
            return (found, seen) if place else None
    return None


def _across(text: str, page: Page) -> None:
    """Pale words in the middle of the page, below everything else."""
    size = min(ACROSS, WIDTH / len(text) / PT)
    width, height = len(text) * size * PT, size * PT
    page.marks.insert(0, Ink(x=CENTRE - width / 2, y=(PAGE_HEIGHT - height) / 2, width=width, text=text, face="black", size=size, pale=True))


def _pages(sheet: Sheet, faces: Faces, *, record_to: bool, line: float = LINE) -> tuple[list[Page], bool]:
    """The pages, and whether the first shows text."""
    first = Page()
    flow = _Flow([first], head(sheet, first, faces, line), line)
    if sheet.form != Form.ORDER:
        _title(sheet, flow)
    if sheet.to and not record_to:
        _recipients(sheet, flow, faces)
    start = len(flow.rows)
    _text(sheet.paragraphs, flow, faces)
    seen = any(page == 0 for page, _mark, _line in flow.rows[start:])
    keep = min(2, len(flow.rows) - start)
    keep += _annex_list(sheet.annexes, flow, faces)
    keep += _attendance(sheet, flow, faces)
    flow.close(closing(sheet, faces.advance, line), max(keep, 1))
    printed = [(place, annex) for place, annex in enumerate(sheet.annexes, start=1) if annex.paragraphs]
    for place, annex in printed:
        _annex(annex, place if len(sheet.annexes) > 1 else 0, flow, faces)
    _record(sheet, flow.pages, faces, to=sheet.to if record_to else "")
    return flow.pages, seen


def _titled(lines: Sequence[str], page: Page, top: float) -> float:
    """Title lines around the middle; their lower edge."""
    for row, text in enumerate(lines):
        width = sum(1.0 if wide(char) else 0.5 for char in text) * TITLE_BOX
        x, at = CENTRE - width / 2, 0
        while at < len(text):  # full and half-width characters are spread by themselves
            end = at + 1
            while end < len(text) and wide(text[end]) == wide(text[at]):
                end += 1
            part = (end - at) * TITLE_BOX * (1.0 if wide(text[at]) else 0.5)
            page.add(Ink(x=x, y=top + row * TITLE_LINE, width=part, text=text[at:end], face="title", size=TITLE))
            x, at = x + part, end
    return top + (len(lines) - 1) * TITLE_LINE + TITLE_BOX


def _title(sheet: Sheet, flow: _Flow) -> None:
    lines = broken(sheet.title, organs=sheet.organs, columns=int(WIDTH / TITLE_BOX))
    if lines:
        flow.top = _titled(lines, flow.page, flow.top) + flow.line


def _recipients(sheet: Sheet, flow: _Flow, faces: Faces) -> None:
    for line in split([Span(f"{sheet.to}：", "body")], columns=COLUMNS, advance=faces.advance):
        flow.row(line)


def _text(paragraphs: Sequence[Paragraph], flow: _Flow, faces: Faces) -> None:
    for paragraph in paragraphs:
        for line in split(_spans(paragraph), columns=COLUMNS, advance=faces.advance, first=2):
            flow.row(line)


def _spans(paragraph: Paragraph) -> list[Span]:
    """A paragraph by faces: a heading that runs into its text ends with its first sentence."""
    face = _FACES[paragraph.level]
    heading, stop, rest = paragraph.text.partition("。")
    if face == "body" or not rest:
        return [Span(paragraph.text, face)]
    return [Span(heading + stop, face), Span(rest, "body")]


def _annex_list(annexes: Sequence[Annex], flow: _Flow, faces: Faces) -> int:
    """附件说明 one line below the text, names below names (section 7.3.4); how many rows it took."""
    before = len(flow.rows)
    if annexes:
        flow.row(None)
    for place, annex in enumerate(annexes, start=1):
        number = f"{place}." if len(annexes) > 1 else ""
        lead = single(f"附件：{number}" if place == 1 else number, "body", faces.advance)
        at = 5 + single(number, "body", faces.advance).width
        start = 2 if place == 1 else 5
        lines = split([Span(annex.title, "body")], columns=COLUMNS, advance=faces.advance, first=at, rest=at)
        runs = tuple(type(run)(run.at + start, run.width, run.text, run.face) for run in lead.runs)
        for line in [Line(runs + lines[0].runs), *lines[1:]]:
            flow.row(line)
    return len(flow.rows) - before


def _attendance(sheet: Sheet, flow: _Flow, faces: Faces) -> int:
    """出席, 请假, 列席 one line below the text, labels in 黑体, names below names (section 10.3); how many rows they took."""
    before = len(flow.rows)
    if sheet.attendance:
        flow.row(None)
    for one in sheet.attendance:
        at = 2 + len(one.label) + 1
        lines = split([Span(one.names, "body")], columns=COLUMNS, advance=faces.advance, first=at, rest=at)
        label = single(f"{one.label}：", "black", faces.advance)
        runs = tuple(type(run)(run.at + 2, run.width, run.text, run.face) for run in label.runs)
        for line in [Line(runs + lines[0].runs), *lines[1:]]:
            flow.row(line)
    return len(flow.rows) - before


def _annex(annex: Annex, number: int, flow: _Flow, faces: Faces) -> None:
    """An annex from a new page on: 附件1 in line 1, its title from line 3 (section 7.3.7)."""
    flow.turn()
    flow.page.add(*inks(single(f"附件{number}" if number else "附件", "black", faces.advance), x=LEFT, y=TOP))
    lines = broken(annex.title, organs=(), columns=int(WIDTH / TITLE_BOX))
    low = _titled(lines, flow.page, TOP + 2 * LINE)
    flow.top = TOP + lines_of(low + LINE - BODY_BOX - TOP, LINE) * LINE
    _text(annex.paragraphs, flow, faces)


def _record(sheet: Sheet, found: list[Page], faces: Faces, *, to: str) -> None:
    """版记 at the foot of the last page (section 7.4): an even one, but in 信函格式, which has neither printer nor rules there."""
    letter = sheet.form == Form.LETTER
    lines = _copies(sheet, faces, to=to)
    printer = bool(sheet.printer or sheet.printed) and not letter
    rows = _rows(sheet, faces, to=to)
    if not rows:
        return
    if rows >= ROWS:
        raise TooLarge("the organs that get a copy fill more than a page", code="too_long")
    top = BOTTOM - rows * LINE
    if found[-1].low + LINE > top or (len(found) % 2 and not letter):
        found.append(Page(plain=True))
    if len(found) % 2 and not letter:
        found.append(Page(plain=True))
    page = found[-1]
    middle = (LINE - SMALL_BOX) / 2
    for row, line in enumerate(lines):
        page.add(*(_small(ink, top + row * LINE + middle) for ink in inks(line, x=0, y=0) if isinstance(ink, Ink)))
    if letter:
        return
    if printer:
        _printer(sheet, page, BOTTOM - LINE + middle, faces)
    between = [BOTTOM - LINE] if printer and lines else []
    page.add(*(Rule(x=LEFT, y=y, width=WIDTH, thick=RECORD_THICK) for y in (top, BOTTOM)))
    page.add(*(Rule(x=LEFT, y=y, width=WIDTH, thick=RECORD_THIN) for y in between))


def _copies(sheet: Sheet, faces: Faces, *, to: str) -> list[Line]:
    return [line for label, names in (("主送", to), ("抄送", sheet.cc)) if names for line in _copied(label, names, faces)]


def _rows(sheet: Sheet, faces: Faces, *, to: str) -> int:
    """Lines that 版记 takes."""
    printer = bool(sheet.printer or sheet.printed) and sheet.form != Form.LETTER
    return len(_copies(sheet, faces, to=to)) + printer


def _copied(label: str, names: str, faces: Faces) -> list[Line]:
    """主送 or 抄送 in 4号, names below names, with a full stop."""
    at = len(label) + 1
    columns = int((WIDTH - 2 * EDGE) / SMALL_BOX)
    lines = split([Span(f"{names.rstrip('。')}。", "body")], columns=columns, advance=faces.advance, first=at, rest=at)
    lead = single(f"{label}：", "body", faces.advance)
    return [Line(lead.runs + lines[0].runs), *lines[1:]]


def _small(ink: Ink, y: float) -> Ink:
    """A run of the grid at 4号, one character from the left."""
    scale = SMALL_BOX / CELL
    return Ink(x=LEFT + EDGE + ink.x * scale, y=y, width=ink.width * scale, text=ink.text, face=ink.face, size=SMALL)


def _printer(sheet: Sheet, page: Page, y: float, faces: Faces) -> None:
    left = single(sheet.printer, "body", faces.advance)
    page.add(*(_small(ink, y) for ink in inks(left, x=0, y=y) if isinstance(ink, Ink)))
    if sheet.printed:
        right = single(f"{sheet.printed}印发", "body", faces.advance)
        shift = WIDTH - 2 * EDGE - right.width * SMALL_BOX
        page.add(*(_small(ink, y) for ink in inks(right, x=shift / SMALL_BOX * CELL, y=y) if isinstance(ink, Ink)))


def _folio(page: Page, number: int, faces: Faces) -> None:
    """—1— below the type area, its dashes 7 mm from it; right on odd pages, left on even ones (section 7.5)."""
    text = f"—{number}—"
    width = (2 + len(str(number)) / 2) * SMALL_BOX
    base = BOTTOM + FOLIO_BELOW + sum(faces.ink("—", "folio")) / 2 * SMALL_BOX
    x = RIGHT - EDGE - width if number % 2 else LEFT + EDGE
    at = x
    for part, wide_ in ((text[0], 1.0), (text[1:-1], len(str(number)) / 2), (text[-1], 1.0)):
        page.marks.append(Ink(x=at, y=base - ASCENT * SMALL_BOX, width=wide_ * SMALL_BOX, text=part, face="folio", size=SMALL))
        at += wide_ * SMALL_BOX

"""What closes the text (section 7.3.5 to 7.3.6): issuers, date, seals, 附注, as one block that is never torn from the text."""

from __future__ import annotations

from dataclasses import dataclass

from office.print.lines import Advance, Line, single
from office.print.marks import Ink, Mark, Round, bottom, inks, lines_of
from office.print.measures import BODY_BOX, CELL, LEFT, LINE, RIGHT, SEAL_SINK, TITLE, TITLE_BOX
from office.print.sheet import Form, Sheet


@dataclass(frozen=True)
class Block:
    """Marks below the text; heights are counted from the row after it."""

    marks: tuple[Mark, ...]
    rows: int


def closing(sheet: Sheet, advance: Advance) -> Block:
    """The block of a sheet; empty for minutes without a note, which bear no issuer."""
    marks, after = _issued(sheet, advance)
    if sheet.note:
        text = single(f"（{sheet.note}）", "body", advance)
        marks += inks(text, x=LEFT + 2 * CELL, y=after * LINE)
    low = max((bottom(mark) for mark in marks), default=0.0)
    rows = max(lines_of(low, LINE), 0)
    return Block(tuple(marks), rows)


def _issued(sheet: Sheet, advance: Advance) -> tuple[list[Mark], int]:
    """Who issues it and when, and the row after that."""
    if sheet.form == Form.MINUTES:
        return [], 0
    if sheet.signature:
        return _signed(sheet, advance)
    return _sealed(sheet, advance) if sheet.seals else _unsealed(sheet, advance)


def _width(line: Line) -> float:
    return line.width * CELL


def _around(line: Line, centre: float, y: float) -> list[Mark]:
    return inks(line, x=centre - _width(line) / 2, y=y)


def _unsealed(sheet: Sheet, advance: Advance) -> tuple[list[Mark], int]:
    """One line below the text, issuer 2 places from the right; the date begins 2 places right of it (section 7.3.5.2)."""
    names = [single(name, "body", advance) for name in sheet.organs]
    date = single(sheet.date, "body", advance)
    left = RIGHT - 2 * CELL - max(_width(name) for name in names)
    date_x = left + 2 * CELL
    if date_x + _width(date) > RIGHT - 2 * CELL:
        date_x = RIGHT - 2 * CELL - _width(date)
        left = min(left, date_x - 2 * CELL)
    marks: list[Mark] = []
    for row, name in enumerate(names, start=1):
        marks += inks(name, x=left, y=row * LINE)
    marks += inks(date, x=date_x, y=(len(names) + 1) * LINE)
    return marks, len(names) + 2


def _sealed(sheet: Sheet, advance: Advance) -> tuple[list[Mark], int]:
    """Issuers over their seals, the last one and the date in the middle of the last seal, date 4 places from the right (section 7.3.5.1)."""
    names = [single(name, "body", advance) for name in sheet.organs]
    date = single(sheet.date, "body", advance)
    size = max(seal.diameter for seal in sheet.seals)
    blank = 2 if size >= 40 else 1
    half = max(_width(name) for name in names) / 2
    centre = min(RIGHT - 4 * CELL - _width(date) / 2, RIGHT - max(half, size / 2))
    step = max(size + 2.0, 2 * half + CELL)
    across = max(1, int((centre - LEFT - max(half, size / 2)) / step + 1e-6) + 1)
    down = lines_of(size + 1, LINE)
    middle = (blank + 0.5) * LINE + BODY_BOX / 2
    sink = max(middle - SEAL_SINK, size / 2 - 3.0)
    marks: list[Mark] = []
    rounds: list[Mark] = []
    rows = [names[at : at + across] for at in range(0, len(names), across)]
    for row, there in enumerate(rows):
        for place, name in enumerate(there):
            x = centre - (len(there) - 1 - place) * step
            seal = sheet.seals[row * across + place]
            marks += _around(name, x, (blank + row * down) * LINE)
            rounds.append(Round(x=x, y=sink + row * down * LINE, diameter=seal.diameter, name=seal.name, test=seal.test))
    last = blank + (len(rows) - 1) * down + 1
    marks += _around(date, centre, last * LINE)
    return marks + rounds, last + 1


def _signed(sheet: Sheet, advance: Advance) -> tuple[list[Mark], int]:
    """Two lines below the text the signature seal, 4 places from the right, the post 2 places left of it; then the date (section 7.3.5.3)."""
    width = max(advance(sheet.signature, "kai") * TITLE_BOX, 3 * TITLE_BOX)
    right = RIGHT - 4 * CELL
    top = 2 * LINE - (TITLE_BOX - BODY_BOX) / 2
    marks: list[Mark] = [Ink(x=right - width, y=top, width=width, text=sheet.signature, face="kai", size=TITLE, red=True)]
    post = single(sheet.post, "body", advance)
    marks += inks(post, x=right - width - 2 * CELL - _width(post), y=2 * LINE)
    date = single(sheet.date, "body", advance)
    marks += inks(date, x=right - _width(date), y=4 * LINE)
    return marks, 5

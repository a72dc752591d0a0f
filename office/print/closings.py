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
    low: float = 0.0
    "Lower edge of the lowest mark."


def closing(sheet: Sheet, advance: Advance, line: float = LINE) -> Block:
    """The block of a sheet with this height of a row; empty for minutes without a note, which bear no issuer."""
    marks, after = _issued(sheet, advance, line)
    if sheet.note:
        text = single(f"（{sheet.note}）", "body", advance)
        marks += inks(text, x=LEFT + 2 * CELL, y=after * line)
    low = max((bottom(mark) for mark in marks), default=0.0)
    rows = max(lines_of(low, line), 0)
    return Block(tuple(marks), rows, low)


def _issued(sheet: Sheet, advance: Advance, line: float) -> tuple[list[Mark], int]:
    """Who issues it and when, and the row after that."""
    if sheet.form == Form.MINUTES:
        return [], 0
    if sheet.signature:
        return _signed(sheet, advance, line)
    return _sealed(sheet, advance, line) if sheet.seals else _unsealed(sheet, advance, line)


def _width(line: Line) -> float:
    return line.width * CELL


def _around(line: Line, centre: float, y: float) -> list[Mark]:
    return inks(line, x=centre - _width(line) / 2, y=y)


def _unsealed(sheet: Sheet, advance: Advance, line: float) -> tuple[list[Mark], int]:
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
        marks += inks(name, x=left, y=row * line)
    marks += inks(date, x=date_x, y=(len(names) + 1) * line)
    return marks, len(names) + 2


def _sealed(sheet: Sheet, advance: Advance, line: float) -> tuple[list[Mark], int]:
    """Issuers over their seals, the last one and the date in the middle of the last seal, date 4 places from the right (section 7.3.5.1)."""
    names = [single(name, "body", advance) for name in sheet.organs]
    date = single(sheet.date, "body", advance)
    size = max(seal.diameter for seal in sheet.seals)
    blank = 2 if size >= 40 else 1
    half = max(_width(name) for name in names) / 2
    centre = min(RIGHT - 4 * CELL - _width(date) / 2, RIGHT - max(half, size / 2))
    close = line < LINE
    step = max(size + (1.0 if close else 2.0), 2 * half + (CELL / 2 if close else CELL))
    across = max(1, int((centre - LEFT - max(half, size / 2)) / step + 1e-6) + 1)
    down = (size + 1) / line if close else lines_of(size + 1, line)
    middle = (blank + 0.5) * line + BODY_BOX / 2
    sink = max(middle - SEAL_SINK, size / 2 - 3.0)
    marks: list[Mark] = []
    rounds: list[Mark] = []
    rows = [names[at : at + across] for at in range(0, len(names), across)]
    for row, there in enumerate(rows):
        for place, name in enumerate(there):
            x = centre - (len(there) - 1 - place) * step
            seal = sheet.seals[row * across + place]
            marks += _around(name, x, (blank + row * down) * line)
            rounds.append(Round(x=x, y=sink + row * down * line, diameter=seal.diameter, name=seal.name, test=seal.test))
    last = blank + (len(rows) - 1) * down + 1
    marks += _around(date, centre, last * line)
    return marks + rounds, lines_of((last + 1) * line, line)


def _signed(sheet: Sheet, advance: Advance, line: float) -> tuple[list[Mark], int]:
    """Two lines below the text the signature seal, 4 places from the right, the post 2 places left of it; then the date (section 7.3.5.3)."""
    width = max(advance(sheet.signature, "kai") * TITLE_BOX, 3 * TITLE_BOX)
    right = RIGHT - 4 * CELL
    top = 2 * line - (TITLE_BOX - BODY_BOX) / 2
    marks: list[Mark] = [Ink(x=right - width, y=top, width=width, text=sheet.signature, face="kai", size=TITLE, red=True)]
    post = single(sheet.post, "body", advance)
    marks += inks(post, x=right - width - 2 * CELL - _width(post), y=2 * line)
    date = single(sheet.date, "body", advance)
    marks += inks(date, x=right - _width(date), y=4 * line)
    return marks, 5

"""Lines on the grid: every full-width character in a place of its own, half-width ones in half a place each.

No line begins with a closing mark or ends with an opening one (GB/T 15834 section 5): such a line gives its last
characters to the next and stays short, so that all stand on the grid. Latin words and numbers are kept whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from office.print.measures import BODY_BOX, CELL

CLOSING = frozenset("，。、；：？！）》〉」』】〕’”…—％·℃,.;:?!)]}%")
OPENING = frozenset("（《〈「『【〔‘“([{")
Advance = Callable[[str, str], float]
"Natural width of a text in a face, in character heights."


class Faces(Protocol):
    """What the layout must know of fonts."""

    def advance(self, text: str, face: str) -> float:
        """Natural width of a text, in character heights."""

    def ink(self, text: str, face: str) -> tuple[float, float]:
        """Lower and upper edge of a text's ink above the baseline, in character heights."""


@dataclass(frozen=True)
class Span:
    """Characters of one face in a paragraph."""

    text: str
    face: str


@dataclass(frozen=True)
class Run:
    """Characters of one face and one width that stand together in a line."""

    at: float
    "Places from the line's left end."
    width: float
    "Places it takes."
    text: str
    face: str


@dataclass(frozen=True)
class Line:
    """One line: its runs from left to right."""

    runs: tuple[Run, ...]

    @property
    def width(self) -> float:
        """Places from the left end to the end of the last run."""
        return max((run.at + run.width for run in self.runs), default=0.0)


@dataclass(frozen=True)
class _Piece:
    """What is never broken: a full-width character, or a run of half-width ones."""

    text: str
    face: str
    width: float

    @property
    def full(self) -> bool:
        return len(self.text) == 1 and wide(self.text)


def wide(char: str) -> bool:
    """Whether a character takes a whole place; curly quotes and dashes do in Chinese text, whatever Unicode leaves open."""
    return unicodedata.east_asian_width(char) in "WFA"


def split(spans: Iterable[Span], *, columns: float, advance: Advance, first: float = 0, rest: float = 0) -> list[Line]:
    """The lines of a paragraph ``columns`` places wide whose first line is indented by ``first`` places, the others by ``rest``."""
    lines: list[Line] = []
    row: list[_Piece] = []
    used = start = first
    waiting = _pieces(spans, advance, columns - max(first, rest))[::-1]
    while waiting:
        piece = waiting.pop()
        if row and used + piece.width > columns + 1e-6:
            waiting.append(piece)
            _give_back(row, waiting)
            lines.append(_line(row, start))
            row, used, start = [], rest, rest
            continue
        if not (piece.text == " " and not row):
            row.append(piece)
            used += piece.width
    return [*lines, _line(row, start)] if row or not lines else lines


def single(text: str, face: str, advance: Advance) -> Line:
    """A text as one line, however long."""
    return _line(_pieces([Span(text, face)], advance, 1e9), 0)


def _give_back(row: list[_Piece], waiting: list[_Piece]) -> None:
    """Take from the end of a row what may not stand there, or what must not be parted from the mark that comes next."""
    for back in range(min(4, len(row) - 1) + 1):
        after = waiting[-1] if not back else row[-back]
        before = row[-1 - back]
        if after.text[0] not in CLOSING and before.text[-1] not in OPENING:
            for _ in range(back):
                waiting.append(row.pop())
            return


def _pieces(spans: Iterable[Span], advance: Advance, most: float) -> list[_Piece]:
    found: list[_Piece] = []
    for span in spans:
        half = ""
        for char in span.text:
            if wide(char) or char == " ":
                found += _half(half, span.face, advance, most)
                half = ""
                found.append(_Piece(char, span.face, 0.5 if char == " " else 1.0))
            else:
                half += char
        found += _half(half, span.face, advance, most)
    return found


def _half(text: str, face: str, advance: Advance, most: float) -> list[_Piece]:
    """A word or number in whole half places; one longer than a line is cut."""
    if not text:
        return []
    width = max(1, ceil(advance(text, face) * BODY_BOX / (CELL / 2) - 0.5)) / 2
    if width <= most:
        return [_Piece(text, face, width)]
    middle = len(text) // 2
    return _half(text[:middle], face, advance, most) + _half(text[middle:], face, advance, most)


def _line(row: list[_Piece], start: float) -> Line:
    runs: list[Run] = []
    at, joins = start, False
    for piece in row:
        last = runs[-1] if runs else None
        if last is not None and joins and piece.full and last.face == piece.face:
            runs[-1] = Run(last.at, last.width + piece.width, last.text + piece.text, last.face)
        elif piece.text != " ":
            runs.append(Run(at, piece.width, piece.text, piece.face))
        at, joins = at + piece.width, piece.full
    return Line(tuple(runs))

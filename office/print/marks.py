"""What stands on a page: placed characters, rules and seals, in millimetres. Nothing here knows fonts or PDF."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from office.print.lines import Line
from office.print.measures import BODY, CELL, PT


@dataclass(frozen=True, kw_only=True)
class Ink:
    """Characters in a line, spread or narrowed to a width."""

    x: float
    y: float
    "Upper edge of the character box."
    width: float
    "From the left edge of the first character's place to the right edge of the last one's."
    text: str
    face: str
    size: float = BODY
    "Points."
    red: bool = False
    pale: bool = False
    narrow: float = 1.0
    "Characters are drawn this much narrower than they are."


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A straight line across the page."""

    x: float
    y: float
    "Its middle."
    width: float
    thick: float
    red: bool = False


@dataclass(frozen=True, kw_only=True)
class Round:
    """A seal, by its middle."""

    x: float
    y: float
    diameter: float
    name: str
    test: bool


Mark = Ink | Rule | Round


@dataclass
class Page:
    """One side of the paper."""

    marks: list[Mark] = field(default_factory=list)
    low: float = 0.0
    "Lower edge of the lowest text or seal."
    plain: bool = False
    "Has no number: the first page of a letter, blank ones, those with 版记 alone."

    def add(self, *marks: Mark) -> None:
        """Put marks on the page."""
        self.marks += marks
        self.low = max([self.low, *(bottom(mark) for mark in marks)])


def bottom(mark: Mark) -> float:
    """The lower edge of a mark."""
    if isinstance(mark, Ink):
        return mark.y + mark.size * PT
    return mark.y + (mark.diameter if isinstance(mark, Round) else mark.thick) / 2


def inks(line: Line, *, x: float, y: float) -> list[Mark]:
    """A line of the grid, its left end at ``x``."""
    return [Ink(x=x + run.at * CELL, y=y, width=run.width * CELL, text=run.text, face=run.face) for run in line.runs]


def lower(mark: Mark, by: float) -> Mark:
    """The same mark further down."""
    values = {name: getattr(mark, name) for name in mark.__dataclass_fields__}
    return type(mark)(**values | {"y": mark.y + by})


def lines_of(height: float, line: float) -> int:
    """How many lines a height takes, a hair more not counted."""
    return ceil(height / line - 1e-6)

"""The number series (发文字号) of an organ: how far each has come, whose every number is, and what explains one that is in force no more."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from office.documents.model import Counter, Document, watched
from office.documents.workflow import Stage, number_text
from office.frame.desk import Desk


@dataclass(frozen=True, order=True)
class Series:
    """One series of a year."""

    year: int
    prefix: str
    organ: str
    last: int
    "The highest number given."


@dataclass(frozen=True)
class Line:
    """One number of a series."""

    number: int
    text: str
    row: Document | None
    "Whose number it is; nothing when no document here explains it."


def all_series(desk: Desk) -> list[Series]:
    """The series of the organs whose documents the person watches, the latest year first."""
    organs = [organ for id in watched(desk) if (organ := desk.directory.organ(id)) is not None]
    owners = {prefix: organ.id for organ in organs for prefix in organ.doc_prefixes}
    found = []
    for counter in desk.list(Counter, Counter.name.startswith("series:"), limit=None):
        prefix, _colon, year = counter.name.removeprefix("series:").rpartition(":")
        if prefix in owners and counter.last:
            found.append(Series(int(year), prefix, owners[prefix], counter.last))
    return sorted(found, key=lambda one: (-one.year, one.prefix))


def lines(desk: Desk, series: Series, *, offset: int = 0, limit: int | None = None) -> list[Line]:
    """The numbers of a series, the latest first; each that was ever given is there, whatever became of its document."""
    high = series.last - offset
    low = max(1, high - limit + 1) if limit else 1
    rows = {row.sequence: row for row in desk.list(Document, *_where(series), Document.sequence.between(low, high), limit=None)}
    return [Line(at, number_text(series.prefix, series.year, at), rows.get(at)) for at in range(high, low - 1, -1)]


def tally(desk: Desk, series: Series) -> dict[str, int]:
    """How many numbers are void, recalled, and explained by nothing, which is always 0 on a whole node."""
    rows = desk.tally(Document, Document.state, *_where(series))
    return {"void": rows.get(Stage.VOID, 0), "recalled": rows.get(Stage.RECALLED, 0), "unexplained": series.last - sum(rows.values())}


def _where(series: Series) -> tuple[ColumnElement[bool], ...]:
    return Document.organ == series.organ, Document.series == series.prefix, Document.year == series.year

"""The screen of number series: every number that was ever given, whose it is, and why it is in force no more."""

from __future__ import annotations

from typing import Any

from node import clock
from node.errors import Missing
from office.documents.labels import STAGE_WORDS, TONES
from office.documents.model import Act, Document
from office.documents.series import Line, Series, all_series, lines, tally
from office.documents.workflow import Stage
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import PER_PAGE, Request, Screen, page, whole


class NumberPages:
    """Numbers of the person's organs."""

    name = "documents.numbers"
    desk: Desk

    @page("GET", "/documents/numbers", keep=True)
    def numbers(self, request: Request) -> Screen:
        """The number register (编号登记簿): a series, its numbers from the last to the first, and what explains each."""
        desk = self.desk
        found = all_series(desk)
        year, prefix = whole(request.query("year"), digits=4), request.query("prefix")
        chosen = next((one for one in found if (one.prefix, one.year) == (prefix, year)), None)
        if chosen is None and (prefix or year):
            raise Missing()
        chosen = chosen or next(iter(found), None)
        tabs = [(f"/documents/numbers?prefix={one.prefix}&year={one.year}", f"{one.prefix}〔{one.year}〕", one.last, one == chosen) for one in found]
        rows = [_line(desk, one) for one in lines(desk, chosen, **request.window())] if chosen is not None else []
        values: dict[str, Any] = {"tabs": tabs, "rows": rows, "series": chosen, "sums": tally(desk, chosen) if chosen is not None else {}}
        return Screen("documents/numbers.html", json=_twin(chosen, rows[:PER_PAGE], values["sums"]), **values)


def _twin(series: Series | None, rows: list[dict[str, Any]], sums: dict[str, int]) -> dict[str, Any]:
    if series is None:
        return {"series": None, "rows": []}
    return {"series": {"prefix": series.prefix, "year": series.year, "organ": series.organ, "last": series.last}, "rows": rows, **sums}


def _line(desk: Desk, line: Line) -> dict[str, Any]:
    row = line.row
    if row is None:
        return {
            "number": line.text,
            "url": "",
            "title": "",
            "state": str(_("没有登记")),
            "tone": "bad",
            "on": "",
            "signer": "",
            "why": "",
            "at": None,
        }
    return {
        "number": line.text,
        "url": f"/documents/{row.id}",
        "title": row.title,
        "state": STAGE_WORDS[Stage(row.state)],
        "tone": TONES.get(Stage(row.state), ""),
        "on": row.signed_on,
        "signer": row.signer,
        "why": row.void or _recalled(desk, row),
        "at": clock.from_ms(row.changed_at),
    }


def _recalled(desk: Desk, row: Document) -> str:
    if not row.recall:
        return row.returned if row.state == Stage.RETURNED else ""
    acts = desk.list(Act, Act.doc == row.id, Act.kind == "documents.recalled", limit=1)
    return acts[0].text if acts else ""

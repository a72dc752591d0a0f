"""稿次 and 发文稿纸: every text a draft has had, two of them side by side, and the opinions of everybody who had it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from node import clock
from node.errors import Missing
from office.documents import passing, service, telling, views
from office.documents.labels import KIND_WORDS, STAGE_WORDS
from office.documents.model import Document, Version
from office.documents.sheets import sheet
from office.documents.workflow import Stage
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Request, Screen, page, whole

OPINIONS = ("drafted", "revised", "submitted", "reviewed", "returned", "signed", "numbered", "sealed", "dispatched")
"Acts that stand on the draft sheet."


class VersionPages:
    """The history of a draft."""

    name = "documents.versions"
    desk: Desk

    @page("GET", "/documents/<doc>/versions")
    def versions(self, request: Request, doc: str) -> Screen:
        """The draft sheet (发文稿纸), the versions, and two of them compared: the last two unless others are asked for."""
        desk = self.desk
        document = desk.get(Document, doc)
        rows = desk.list(Version, Version.doc == doc, order=Version.number)
        if not rows:
            raise Missing()
        right = _of(rows, whole(request.query("b")), rows[-1])
        left = _of(rows, whole(request.query("a")), rows[max(0, rows.index(right) - 1)])
        acts = [act for act in service.timeline(desk, doc) if act.kind.removeprefix("documents.") in OPINIONS]
        values: dict[str, Any] = {
            "document": document,
            "state": STAGE_WORDS[Stage(document.state)],
            "kind": KIND_WORDS.get(document.kind, document.kind),
            "facts": views.facts_of(desk, document, service.envelope(desk, document)) + passing.passed_by(desk, document),
            "acted": [telling.act_line(desk, act) for act in acts],
            "rows": [_line(desk, row) for row in rows],
            "left": left.number,
            "right": right.number,
            "pairs": compared(left, right),
        }
        twin = {"versions": values["rows"], "left": left.paper, "right": right.paper, "pairs": values["pairs"], "acts": values["acted"]}
        return Screen("documents/versions.html", json=twin, **values)

    @page("GET", "/documents/<doc>/versions/<int:number>")
    def version(self, request: Request, doc: str, number: int) -> Screen:
        """One version as it would have been printed."""
        desk = self.desk
        document = desk.get(Document, doc)
        row = next(iter(desk.list(Version, Version.doc == doc, Version.number == number)), None)
        if row is None:
            raise Missing()
        shown = sheet(desk, service.preview(desk, row.paper), doc)
        json = {"paper": row.paper, "said": row.said.hex()}
        return Screen("documents/version.html", document=document, line=_line(desk, row), sheet=shown, json=json)


def compared(left: Version, right: Version) -> list[dict[str, Any]]:
    """The lines of two versions beside each other; ``same`` where nothing changed."""
    a, b = _lines(left), _lines(right)
    pairs: list[dict[str, Any]] = []
    for what, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for place in range(max(j - i, m - k)):
            one, two = (a[i + place] if i + place < j else ""), (b[k + place] if k + place < m else "")
            pairs.append({"left": one, "right": two, "same": what == "equal"})
    return pairs


def _lines(row: Version) -> list[str]:
    paper = row.paper
    named = f"{KIND_WORDS.get(paper.kind, paper.kind)}：{paper.title}"
    files = [f"{_('附件')}：{annex.name}" for annex in paper.annexes]
    return [named, *paper.text.splitlines(), *files]


def _of(rows: Sequence[Version], number: int, otherwise: Version) -> Version:
    return next((row for row in rows if row.number == number), otherwise)


def _line(desk: Desk, row: Version) -> dict[str, Any]:
    person, post = desk.directory.person(row.person), desk.directory.post(row.post)
    return {
        "number": row.number,
        "at": clock.from_ms(row.at),
        "who": person.name if person is not None else row.person,
        "post": post.title if post is not None else "",
        "title": row.paper.title,
        "said": row.said.hex(),
    }

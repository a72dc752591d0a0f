"""The burden guard: how long a text is and how many documents the organ has issued, beside what the rules of 2024 wish. It warns, never blocks."""

from __future__ import annotations

from dataclasses import dataclass

from office.documents import rules, workflow
from office.documents.entries import Paper
from office.documents.model import Document
from office.frame.desk import Desk


@dataclass(frozen=True, kw_only=True)
class Burden:
    """Counters beside a draft."""

    characters: int
    wished: int
    "Most characters of a text, unless it deploys work as a whole."
    year: int
    issued: int
    "Documents the organ issued this year."
    before: int
    "Documents it issued last year up to the same day."
    last: int
    "Documents it issued in the whole of last year."


def shown(desk: Desk, paper: Paper) -> Burden:
    """The counters of a draft."""
    today = workflow.day(desk.now)
    last = f"{today.year - 1}-"
    until = f"{today.year - 1}-{today.month:02d}-{today.day:02d}"
    issued = (Document.organ == paper.organ, Document.issue > 0)
    return Burden(
        characters=rules.characters(paper.text),
        wished=rules.BURDEN,
        year=today.year,
        issued=desk.count(Document, *issued, Document.signed_on.startswith(f"{today.year}-")),
        before=desk.count(Document, *issued, Document.signed_on.startswith(last), Document.signed_on <= until),
        last=desk.count(Document, *issued, Document.signed_on.startswith(last)),
    )

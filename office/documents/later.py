"""What may still be done with a document that has left: which forms its page offers, and what they offer to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node import clock
from office.documents import service, workflow
from office.documents.entries import Change
from office.documents.labels import CHANGE_WORDS, CHANNEL_WORDS
from office.documents.model import Delivery, Document, Urge
from office.documents.telling import moment
from office.documents.views import groups_of
from office.frame.desk import Desk


def options(desk: Desk, document: Document, rows: Sequence[service.Row]) -> dict[str, Any]:
    """Choices of the forms that follow a document on its way."""
    moves = service.moves(desk, document)
    held = {row.organ for row in rows}
    groups = groups_of(desk, document.organ) if "resend" in moves else []
    deliveries = {one.organ: one for one in desk.list(Delivery, Delivery.doc == document.id, limit=None)}
    return {
        "moves": moves,
        "better": document.better,
        "missing": [(label, rest) for label, organs in groups if (rest := [one for one in organs if one[0] not in held])],
        "unanswered": [(row.organ, row.name) for row in rows if "R4" not in row.receipts and "R2x" not in row.receipts and "R5" not in row.receipts],
        "unsigned": sum(row.receipts.keys().isdisjoint(service.SEEN_TO) for row in rows),
        "channels": list(CHANNEL_WORDS.items()),
        "thrice": [(row.organ, row.name) for row in rows if _thrice(desk, deliveries[row.organ])] if "supervise" in moves else [],
        "changes": [(one, CHANGE_WORDS[one]) for one in (Change.REPEALED, Change.REVOKED, Change.EXPIRED)],
        "urges": [_urge(desk, one) for one in desk.list(Urge, Urge.doc == document.id, Urge.person == "", order=Urge.at)],
        "asked": [
            {"id": one.id.hex(), "organ": _organ(desk, one.organ), "name": one.name, "until": moment(one.until), "reason": one.reason}
            for one in service.open_extensions(desk, document)
        ],
    }


def _thrice(desk: Desk, delivery: Delivery) -> bool:
    if delivery.urged < workflow.STEPS or delivery.supervised_at:
        return False
    where = (Urge.doc == delivery.doc, Urge.organ == delivery.organ, Urge.person == "", Urge.answered_at == 0, Urge.step >= workflow.STEPS)
    return bool(desk.list(Urge, *where))


def _urge(desk: Desk, one: Urge) -> dict[str, Any]:
    return {
        "organ": _organ(desk, one.organ),
        "step": one.step,
        "channel": CHANNEL_WORDS.get(one.channel, one.channel),
        "at": clock.from_ms(one.at),
        "words": one.words,
        "answer": one.answer,
        "answered_by": one.answered_by,
        "answered_at": clock.from_ms(one.answered_at) if one.answered_at else None,
    }


def _organ(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return found.short_name if found is not None else organ

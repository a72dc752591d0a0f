"""Names of organs as the directory has them: those in an envelope are words of whoever wrote it, and a node signs whatever names it wrote."""

from __future__ import annotations

from office.documents.entries import Envelope
from office.documents.tables import Incoming
from office.frame.desk import Desk
from office.frame.words import _


def issuers_of(desk: Desk, envelope: Envelope) -> list[str]:
    """The names of all organs that issue a document, the one in the lead first."""
    named_so = [(envelope.paper.organ, envelope.issuer), *((one.organ, one.name) for one in envelope.issuers)]
    return [named(desk, organ, name) for organ, name in named_so]


def named(desk: Desk, organ: str, name: str) -> str:
    """The name of an organ in the directory, with what it calls itself where that is another: the names in an envelope are its author's words."""
    known = desk.directory.organ(organ)
    if known is None or name in (known.full_name, known.short_name):
        return name
    return _("{name}（自称“{said}”）").format(name=known.full_name, said=name)


def sender(desk: Desk, row: Incoming) -> str:
    """Whom a document came from; of one that a person brought, what stands on it."""
    return row.issuer_name if row.brought else named(desk, row.issuer, row.issuer_name)

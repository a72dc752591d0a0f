"""Files of a document that is passed on."""

from __future__ import annotations

from office.documents.entries import Annex
from office.documents.model import Letter
from office.frame.desk import Desk
from office.frame.files import attach as attach
from office.frame.files import blob_state as blob_state
from office.frame.files import open_annex as open_annex


def forwarded(desk: Desk, doc: str, without: set[str]) -> tuple[Annex, ...]:
    """The files of a document that is passed on, but those left out."""
    if not doc:
        return ()
    return tuple(annex for annex in desk.get(Letter, doc).envelope.paper.annexes if annex.sha.hex() not in without)

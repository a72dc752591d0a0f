"""Folds of documents: how each signed act changes the tables.

Each act of a document's own organ names the act before, so those come in order. An envelope, a recall and a receipt may
come in any order beside them; each sets columns of its own, and the state is worked out again from all of them.
"""

from __future__ import annotations

from office.documents import agreeing as agreeing
from office.documents import receiving as receiving
from office.documents import sending as sending
from office.documents.tables import (
    FLOWS,
    ROOM,
    Counter,
    Delivery,
    Document,
    Hand,
    Incoming,
    Letter,
    Party,
    Recall,
    register_name,
    series_name,
    watched,
)
from office.documents.traces import Act, Extension, Original, Urge, Validity, Version

__all__ = [
    "FLOWS",
    "ROOM",
    "Act",
    "Counter",
    "Delivery",
    "Document",
    "Extension",
    "Hand",
    "Incoming",
    "Letter",
    "Original",
    "Party",
    "Recall",
    "Urge",
    "Validity",
    "Version",
    "register_name",
    "series_name",
    "watched",
]

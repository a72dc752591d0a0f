"""Screens of documents, and their faces for programs."""

from __future__ import annotations

from office.documents.calls import DocumentsApi
from office.documents.drafting import OutgoingPages
from office.documents.handling import IncomingPages
from office.documents.prints import PrintPages
from office.documents.tracking import TrackPages

PAGES = (OutgoingPages, TrackPages, IncomingPages, PrintPages, DocumentsApi)

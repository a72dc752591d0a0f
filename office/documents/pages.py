"""Screens of documents, and their faces for programs."""

from __future__ import annotations

from office.documents.bringing import PackagePages
from office.documents.calls import DocumentsApi
from office.documents.cosigning import JointPages
from office.documents.drafting import OutgoingPages
from office.documents.handling import IncomingPages
from office.documents.numbers import NumberPages
from office.documents.passing import WayPages
from office.documents.preview import PreviewPages
from office.documents.prints import PrintPages
from office.documents.proving import ProofPages
from office.documents.tracking import TrackPages
from office.documents.versions import VersionPages

PAGES = (
    OutgoingPages,
    NumberPages,
    TrackPages,
    VersionPages,
    JointPages,
    PackagePages,
    IncomingPages,
    PreviewPages,
    PrintPages,
    ProofPages,
    WayPages,
    DocumentsApi,
)

"""What travels with a printed copy so that it can be checked, and what the check of one says; light values, for rooms too."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec

SEAL = "seal.json"
"Name of the file inside a copy that carries :class:`Sealed`."


class Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The organ's seal over the canonical text (not over the page: no copy changes what was sealed), as it lies in a copy."""

    doc: str
    seal: str
    fingerprint: str
    "Hexadecimal, of the seal's certificate."
    digest: str
    "Hexadecimal, of the canonical text."
    signature: str
    "Hexadecimal, by the seal's key."


class Finding(StrEnum):
    """What can be said of the signature in a copy; only ``GOOD`` is good."""

    GOOD = "good"
    UNSIGNED = "unsigned"
    CHANGED = "changed"
    STRANGE = "strange"
    EXPIRED = "expired"
    BROKEN = "broken"


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The signature in a copy, as far as the city's root can tell; whether somebody was revoked is for the directory to say."""

    finding: Finding
    kind: str = ""
    "What the signing certificate is about: the ``seal`` of the organ, on an original, or the node's ``print``, on any other copy."
    signer: str = ""
    "Id of the seal or node; empty unless the signature is good or has expired."
    name: str = ""
    at: dt.datetime | None = None
    "When it was signed, as the signer says."
    chain: tuple[str, ...] = ()
    "Names on the way to the city's root, the signer first."
    fingerprints: tuple[str, ...] = ()
    "Hexadecimal, of the certificates of ``chain``."
    sealed: Sealed | None = None

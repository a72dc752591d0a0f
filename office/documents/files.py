"""Attached files: stored once as ciphertext under a key of their own, which travels in the document."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from node.blobs import Blobs
from office.documents.entries import Annex
from office.documents.model import Letter
from office.frame.desk import Desk

NAME = 120
"Characters of a file's name."


def attach(desk: Desk, name: str, mime: str, stream: BinaryIO | Iterable[bytes], *, key: bytes = b"") -> Annex:
    """Store a file under a key of its own, or one that is given; it counts when a draft or answer names it."""
    clean = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip()[-NAME:] or "附件"
    seen, key = _Seen(stream), key or secrets.token_bytes(32)
    sha, stored = Blobs(desk.settings).put(iter(seen), key)
    kind = mime if mime and len(mime) <= 100 and mime.isascii() and mime.isprintable() else "application/octet-stream"
    return Annex(clean, seen.size, kind, sha, seen.sha.digest(), key, stored)


class _Seen:
    """A stream whose hash and length are known once it is read."""

    def __init__(self, stream: BinaryIO | Iterable[bytes]) -> None:
        self.stream, self.size, self.sha = stream, 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        read = getattr(self.stream, "read", None)
        for part in iter(lambda: read(256 * 1024), b"") if read else self.stream:
            self.size += len(part)
            self.sha.update(part)
            yield part


def open_annex(desk: Desk, annex: Annex) -> Iterator[bytes]:
    """The plain bytes of an attached file, part by part."""
    return Blobs(desk.settings).open(annex.sha, annex.key)


def blob_state(desk: Desk, annex: Annex) -> str:
    """Whether a file is ``whole`` here, ``partial``, or ``waiting`` to be carried."""
    held = Blobs(desk.settings).have(annex.sha, annex.stored)
    return "whole" if held >= annex.stored else "partial" if held else "waiting"


def forwarded(desk: Desk, doc: str, without: set[str]) -> tuple[Annex, ...]:
    """The files of a document that is passed on, but those left out."""
    if not doc:
        return ()
    return tuple(annex for annex in desk.get(Letter, doc).envelope.paper.annexes if annex.sha.hex() not in without)

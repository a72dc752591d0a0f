"""Attached files: stored once as ciphertext under a key of their own, which travels in what names them."""

from __future__ import annotations

import hashlib
import io
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from node.blobs import Blobs
from node.entry import Attachment
from office.frame import secrecy
from office.frame.annex import Annex
from office.frame.desk import Desk
from office.frame.reading import words

NAME = 120
"Characters of a file's name."


def attach(desk: Desk, name: str, mime: str, stream: BinaryIO | Iterable[bytes], *, key: bytes = b"") -> Annex:
    """Store a file under a key of its own, or one that is given; it counts when an entry names it. State secrets do not get in."""
    clean = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip()[-NAME:] or "附件"
    whole = cast(BinaryIO, stream) if isinstance(stream, io.IOBase) and stream.seekable() else _spooled(stream)
    desk.office.aside(lambda: _examine(clean, whole))
    seen, key = _Seen(whole), key or secrets.token_bytes(32)
    sha, stored = Blobs(desk.settings).put(iter(seen), key)
    kind = mime if mime and len(mime) <= 100 and mime.isascii() and mime.isprintable() else "application/octet-stream"
    return Annex(clean, seen.size, kind, sha, seen.sha.digest(), key, stored)


def _spooled(stream: BinaryIO | Iterable[bytes]) -> BinaryIO:
    """A stream kept beside, so that it can be read twice."""
    kept = tempfile.SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115 - closed when the request lets go of it
    for part in iter(lambda: stream.read(256 * 1024), b"") if hasattr(stream, "read") else stream:
        kept.write(part)
    kept.seek(0)
    return cast(BinaryIO, kept)


def _examine(name: str, file: BinaryIO) -> None:
    """Refuse a file whose name or words bear the mark of a state secret."""
    begin = file.tell()
    text = words(file)
    file.seek(begin)
    if secrecy.marked(name.rsplit(".", 1)[0]) or (text is not None and secrecy.marked(text)):
        raise secrecy.refusal(name)


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


def stored(annexes: Iterable[Annex]) -> tuple[Attachment, ...]:
    """The stored files that go with an entry."""
    return tuple({annex.sha: Attachment(annex.sha, annex.stored) for annex in annexes}.values())

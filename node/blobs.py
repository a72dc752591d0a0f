"""Attachments: files named by the SHA-256 of their stored bytes, whole or not there at all.

A blob under way lies in ``partial/`` and grows in order; only when its hash is right is it synced, renamed to its name and
its folder synced. For a sealed audience the stored bytes are ciphertext, and the key travels in the sealed body.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from node import keys, seal
from node.errors import Forged, Invalid, Missing, TooLarge
from node.settings import Settings

MOST = 4 * 2**30
"Bytes of one attachment."
BLOCK = 256 * 1024


class Blobs:
    """The attachments of one node."""

    def __init__(self, settings: Settings, folder: str = "blobs") -> None:
        self.root = settings.path(folder)
        self.waiting = self.root / "partial"
        self.waiting.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha: bytes) -> Path:
        """Where a whole blob lies."""
        name = sha.hex()
        return self.root / name[:2] / name

    def has(self, sha: bytes) -> bool:
        """Whether a blob is whole on this disk."""
        return self.path(sha).exists()

    def size(self, sha: bytes) -> int:
        """Stored bytes of a whole blob."""
        try:
            return self.path(sha).stat().st_size
        except OSError:
            raise Missing("this attachment has not arrived") from None

    def all(self) -> Iterator[bytes]:
        """Every whole blob on this disk, in an order that stays."""
        for file in sorted(self.root.glob("??/*")):
            yield bytes.fromhex(file.name)

    def aside(self, sha: bytes) -> None:
        """Take a blob that rotted out of use; its bytes are kept until another copy has come."""
        os.replace(self.path(sha), self.waiting / f"rotten-{sha.hex()}")
        keys.sync_folder(self.path(sha).parent)

    def healed(self, sha: bytes) -> None:
        """Another copy of a blob that rotted has come."""
        (self.waiting / f"rotten-{sha.hex()}").unlink(missing_ok=True)

    def put(self, stream: BinaryIO | Iterable[bytes], key: bytes | None = None) -> tuple[bytes, int]:
        """Store what a stream gives, encrypted when there is a key: (hash, size) of the stored bytes."""
        parts = _parts(stream, seal.PART)
        temporary = self.waiting / f"new-{secrets.token_hex(8)}"
        try:
            sha, size = _write(temporary, seal.close_blob(parts, key) if key else parts)
            self._settle(temporary, sha)
        finally:
            temporary.unlink(missing_ok=True)
        return sha, size

    def open(self, sha: bytes, key: bytes | None = None) -> Iterator[bytes]:
        """Plain bytes of a blob, part by part; :class:`Forged` at the end when the disk has changed them."""
        if not self.has(sha):
            raise Missing("this attachment has not arrived")
        stored = self._checked(sha, seal.PART + (16 if key else 0))
        return seal.open_blob(stored, key) if key else stored

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        """Stored bytes from an offset; empty when the blob is not whole here."""
        try:
            with self.path(sha).open("rb") as f:
                f.seek(offset)
                return f.read(length)
        except FileNotFoundError:
            return b""

    def have(self, sha: bytes, size: int) -> int:
        """Stored bytes that are here, whole or under way; one that was cut off when only its name was missing gets it now."""
        if self.has(sha):
            return size
        path = self._partial(sha)
        try:
            here = path.stat().st_size
        except FileNotFoundError:
            return 0
        if here < size:
            return here
        try:
            self._finish(path, sha)
        except Forged:
            return 0
        return size

    def write(self, sha: bytes, size: int, offset: int, data: bytes) -> bool:
        """Append the next bytes of a blob under way; True when it is whole and right, :class:`Forged` when whole and wrong."""
        if self.has(sha):
            return True
        if size > MOST or offset + len(data) > size:
            raise TooLarge("more bytes than the entry names")
        path = self._partial(sha)
        with path.open("ab") as f:
            if f.tell() != offset:
                raise Invalid(f"bytes from {offset}, but {f.tell()} are here", code="offset")
            f.write(data)
        if offset + len(data) < size:
            return False
        self._finish(path, sha)
        return True

    def _finish(self, path: Path, sha: bytes) -> None:
        if _hash(path) != sha:
            path.unlink()
            raise Forged("the attachment is not the one its entry names", code="bad_hash")
        self._settle(path, sha)

    def _partial(self, sha: bytes) -> Path:
        return self.waiting / sha.hex()

    def _settle(self, temporary: Path, sha: bytes) -> None:
        with temporary.open("rb") as f:
            os.fsync(f.fileno())
        final = self.path(sha)
        if not final.parent.exists():
            final.parent.mkdir(mode=0o700, exist_ok=True)
            keys.sync_folder(self.root)
        os.replace(temporary, final)
        keys.sync_folder(final.parent)

    def _checked(self, sha: bytes, part: int) -> Iterator[bytes]:
        h = hashlib.sha256()
        with self.path(sha).open("rb") as f:
            while data := f.read(part):
                h.update(data)
                yield data
        if h.digest() != sha:
            raise Forged("the attachment on this disk has changed", code="bad_hash", hint="yiwang selfcheck")


def _parts(stream: BinaryIO | Iterable[bytes], size: int) -> Iterator[bytes]:
    """The stream cut into parts of exactly ``size`` bytes but the last."""
    source = iter(lambda: stream.read(BLOCK), b"") if hasattr(stream, "read") else iter(stream)
    held = bytearray()
    for data in source:
        held += data
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def _write(path: Path, parts: Iterable[bytes]) -> tuple[bytes, int]:
    h, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as f:
        for part in parts:
            size += len(part)
            if size > MOST:
                raise TooLarge(f"an attachment may have {MOST // 2**30} GB")
            h.update(part)
            f.write(part)
    return h.digest(), size


def _hash(path: Path) -> bytes:
    h = hashlib.sha256()
    with path.open("rb") as f:
        while data := f.read(BLOCK):
            h.update(data)
    return h.digest()

"""The file on a stick: the frames of a line, sealed to the one node that is to read them (docs/format.md, part 12).

Whoever finds it reads who wrote to whom, when and how much, and nothing else. The cover is signed by the sender and holds, wrapped to the reader's
storage key, the key of all that follows: what opens under it was written by the sender. Frames follow as on a line, each after its
length; a length of zero ends them, so that a file that was cut off is known for one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from node import certs, clock, keys, seal
from node.codec import Natural, Value, pack, unpack
from node.directory.entries import Node
from node.errors import Conflict, Corrupt, Forged, Full, Missing, NodeError, Refused, TooLarge, Unreachable, Untrusted
from sync import frames
from sync.peer import Self

MAGIC = b"yiwang.stick.1\0"
MOST_COVER = 64 * 1024
LENGTH = 4
"Bytes of a length."


class Cover(Value, frozen=True):
    """What anybody may read."""

    city: str
    sender: str
    reader: str
    at: Natural
    "The sender's clock, milliseconds since 1970 UTC."
    certs: tuple[bytes, ...]
    "The sender's certificates (DER), leaf first, without the root."
    wrapped: bytes
    "The key of the parts, HPKE to the reader's storage key."


class Signed(Value, frozen=True):
    """The cover and the signature of the sender's identity key over it (purpose ``stick``)."""

    cover: bytes
    signature: bytes


def _info(city: str, sender: str, reader: str, at: int) -> bytes:
    return b"yiwang.stick-key.1\0" + pack((city, sender, reader, at))


def write(out: Path, me: Self, city: str, reader: Node, sign: Callable[[bytes], bytes], told: Iterable[bytes]) -> int:
    """Write frames to a new file for a node; its size. Nothing is left of a file that could not be finished."""
    if out.exists():
        raise Conflict(f"{out} exists already")
    part = out.with_name(out.name + ".part")
    key, at = secrets.token_bytes(32), clock.ms()
    cover = pack(Cover(city, me.node, reader.id, at, me.certs, seal.wrap(key, reader.storage_key, _info(city, me.node, reader.id, at))))
    signed = pack(Signed(cover, sign(cover)))
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(MAGIC + len(signed).to_bytes(LENGTH, "big") + signed)
            file.writelines(seal.close_blob(_parts(told), key))
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
        keys.sync_folder(out.absolute().parent)
    except OSError as e:
        raise (Full if e.errno == 28 else Unreachable)(f"{out} cannot be written: {e.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return out.stat().st_size


def _parts(told: Iterable[bytes]) -> Iterator[bytes]:
    """Frames, each after its length, and the end, cut into parts of one size but the last."""
    held = bytearray()
    for frame in chain(told, (b"",)):
        held += len(frame).to_bytes(LENGTH, "big") + frame
        while len(held) >= seal.PART:
            yield bytes(held[: seal.PART])
            del held[: seal.PART]
    if held:
        yield bytes(held)


@contextmanager
def opened(file: Path, me: Self, city: str, key: Callable[[], seal.StorageKey]) -> Iterator[tuple[Cover, Iterator[frames.Frame]]]:
    """A stick that came: its cover, checked, and its frames one after the other.

    :class:`Refused` when it is for somebody else, :class:`Untrusted` or :class:`Forged` when it is not its sender's, :class:`Corrupt` when it is
    damaged or cut off: what was read before that was whole, for each part is sealed on its own.
    """
    try:
        with file.open("rb") as source:
            cover = _cover(file, source, me, city)
            secret = key().unwrap(cover.wrapped, _info(cover.city, cover.sender, cover.reader, cover.at))
            yield cover, _frames(file, seal.open_blob(iter(lambda: source.read(seal.PART + 16), b""), secret))
    except FileNotFoundError:
        raise Missing(f"there is no {file}") from None
    except OSError as e:
        raise Unreachable(f"{file} cannot be read: {e.strerror}") from None


def _cover(file: Path, source: BinaryIO, me: Self, city: str) -> Cover:
    if source.read(len(MAGIC)) != MAGIC:
        raise Corrupt(f"{file} is no stick of this program")
    length = int.from_bytes(source.read(LENGTH), "big")
    if length > MOST_COVER:
        raise TooLarge(f"the cover of {file} is too long")
    try:
        signed = unpack(source.read(length), Signed)
        cover = unpack(signed.cover, Cover)
    except NodeError as e:
        raise Corrupt(f"the cover of {file} cannot be read: {e}") from None
    _check(cover, signed, me)
    if (cover.city, cover.reader) != (city, me.node):
        raise Refused(f"this stick is for node {cover.reader}", code="wrong_node")
    return cover


def _check(cover: Cover, signed: Signed, me: Self) -> None:
    own = [certs.load(der) for der in cover.certs]
    certs.check_chain(own, me.root, clock.now())
    about = certs.subject(own[0])
    if about.kind != "node" or about.id != cover.sender:
        raise Untrusted("the certificate on the cover is not the sender's", code="cert_scope")
    keys.verify(own[0].public_key(), signed.signature, b"yiwang.sign.stick.1\0" + signed.cover)  # type: ignore[arg-type]


def _frames(file: Path, parts: Iterator[bytes]) -> Iterator[frames.Frame]:
    """The frames inside; those of an unknown kind are passed over, as on a line."""
    held = bytearray()

    def next_(length: int) -> bytes:
        while len(held) < length:
            try:
                held.extend(next(parts))
            except StopIteration:
                raise Corrupt(f"{file} is cut off") from None
            except Forged:
                raise Corrupt(f"{file} is damaged") from None
        found = bytes(held[:length])
        del held[:length]
        return found

    while length := int.from_bytes(next_(LENGTH), "big"):
        if length > frames.MAX_FRAME:
            raise TooLarge(f"a frame of {length} bytes in {file}")
        if (frame := frames.read(next_(length))) is not None:
            yield frame

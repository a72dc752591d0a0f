"""One canonical form for everything signed, stored or sent: msgpack in its shortest form, arrays in field order.

``pack`` writes it, ``unpack`` refuses whatever would not be written the same way again, so that two different byte
strings never mean the same thing (the MessagePack specification allows several encodings of one value).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
import uuid
from typing import Any, TypeVar

import msgspec

from node.errors import Invalid

T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder()
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}

MAX_ENTRY = 256 * 1024
"Bytes of header and body together; larger matter goes into an attachment."


class Value(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=False):
    """Base of everything with a canonical form: a struct written as an array in field order."""


def pack(value: Any) -> bytes:
    """The canonical bytes of a value."""
    return _encoder.encode(value)


def unpack(data: bytes, shape: type[T]) -> T:
    """The value of canonical bytes; :class:`Invalid` when they are malformed, of another shape or not canonical."""
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.msgpack.Decoder(shape)
    try:
        value = decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError, OverflowError) as e:
        raise Invalid(f"not a valid {getattr(shape, '__name__', shape)}: {e}", code="malformed") from None
    if _encoder.encode(value) != data:
        raise Invalid(f"{getattr(shape, '__name__', shape)} is not in canonical form", code="noncanonical")
    return value  # type: ignore[no-any-return]


def digest(purpose: str, *parts: bytes) -> bytes:
    """SHA-256 of the parts under a purpose, so that bytes hashed for one use never serve another."""
    h = hashlib.sha256(b"yiwang." + purpose.encode() + b"\0")
    for part in parts:
        h.update(part)
    return h.digest()


def base32(raw: bytes) -> str:
    """26 characters naming a hash: its first 130 bits in lower-case base32."""
    return base64.b32encode(raw[:17]).decode().lower()[:26]


def uuid7(now: float | None = None) -> str:
    """A new record id (RFC 9562 version 7): sorts by time, reveals nothing else."""
    ms = int((time.time() if now is None else now) * 1000)
    bits = (ms << 80) | secrets.randbits(80)
    bits = (bits & ~(0xF << 76)) | (7 << 76)
    bits = (bits & ~(0x3 << 62)) | (2 << 62)
    return str(uuid.UUID(int=bits))

"""One canonical form for everything signed, stored or sent: msgpack in its shortest form, arrays in field order.

``pack`` writes it, ``unpack`` refuses whatever would not be written the same way again, so that two different byte
strings never mean the same thing (the MessagePack specification allows several encodings of one value).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import secrets
import time
import uuid
from typing import Annotated, Any, TypeVar

import msgspec

from node.errors import Invalid

T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_anything = msgspec.msgpack.Decoder()
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}

MAX_ENTRY = 256 * 1024
"Bytes of header and body together; larger matter goes into an attachment."
DEPTH = 32
"Arrays and maps inside each other, at most."

Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
"A SHA-256."
HashOrNone = Annotated[bytes, msgspec.Meta(max_length=32)]
"A SHA-256, or empty."
Sixteen = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
"A salt or nonce. The length is fixed: with a shorter salt the same digest would fit a longer content."
LATEST = 253_370_764_799_999
"The last moment that every node can show in its own time zone: the end of the year 9998, milliseconds since 1970 UTC."
Moment = Annotated[int, msgspec.Meta(ge=0, le=LATEST)]
"A claimed time or a deadline, milliseconds since 1970 UTC."
Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"A count, position, size or time in milliseconds; what every database can store."


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


def check(data: bytes) -> Any:
    """The plain value of canonical bytes of any shape: null, booleans, integers, text, bytes, arrays, maps in order of their text keys.

    :class:`Invalid` for fractions, extension types, other keys, more than :data:`DEPTH` levels, or another encoding of the same value.
    """
    try:
        value = _anything.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError, TypeError) as e:
        raise Invalid(f"not a canonical value: {e}", code="malformed") from None
    _plain(value, 0)
    if _encoder.encode(value) != data:
        raise Invalid("a value is not in canonical form", code="noncanonical")
    return value


def _plain(value: Any, depth: int) -> None:
    if depth > DEPTH:
        raise Invalid(f"a value is nested deeper than {DEPTH}", code="malformed")
    if isinstance(value, list):
        for item in value:
            _plain(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise Invalid("keys of a map are text", code="malformed")
            _plain(item, depth + 1)
    elif not isinstance(value, (str, bytes, int, type(None))):
        raise Invalid(f"a canonical value holds no {type(value).__name__}", code="malformed")


def digest(purpose: str, *parts: bytes) -> bytes:
    """SHA-256 of the parts under a purpose, so that bytes hashed for one use never serve another."""
    return hashlib.sha256(b"".join((_prefix(purpose), *parts))).digest()


@functools.cache
def _prefix(purpose: str) -> bytes:
    return b"yiwang." + purpose.encode() + b"\0"


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

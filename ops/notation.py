"""Signed shapes and frames as JSON that people can write, and back to the very bytes.

Every canonical value has one notation: null, booleans, whole numbers, text and lists as JSON has them; bytes as
``{"$hex": "…"}``, or as ``{"$pack": value}`` where they are themselves canonical bytes; a shape as an object whose ``$`` names it,
with its fields by name; a map as ``{"$map": [[key, value], …]}``. The way back keeps what it is given, right or wrong, except that
maps are sorted and the whole must be canonical; ``raw`` lifts both, and lets ``{"$raw": "…"}`` put any bytes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from node import codec, entry, requests, signals
from node.errors import Invalid, NodeError
from sync import frames


class Pair(codec.Value, frozen=True):
    """An entry as it travels: its header and its stored body."""

    header: bytes
    body: bytes


SHAPES: dict[str, type[msgspec.Struct]] = {
    "entry": Pair,
    "opened": entry.Opened,
    "opening": entry.Opening,
    "body": entry.Body,
    "statement": entry.Statement,
    "header": entry.Header,
    "hold": entry.Hold,
    "head": entry.Head,
    "batch": requests.Batch,
    "attachment": entry.Attachment,
    "audience": entry.Audience,
    "known": entry.Known,
    "position": frames.Position,
    "signal": signals.Signal,
    **{shape.__name__: shape for shape in frames.FRAMES.values()},
}
GUESSED = ("opening", "statement", "opened", "body", "hold", "head", "header", "batch", "entry")
"Shapes that bytes are tried as when nobody says what they are, those with most fields first."
_NAMES = {shape: name for name, shape in SHAPES.items()}
_INSIDE = {"header", "opening", "statement", "content", "body"}
"Fields whose bytes may be canonical values themselves."
_plain = msgspec.msgpack.Encoder(order=None)


def read(data: bytes, shape: str = "") -> tuple[str, Any]:
    """(name of the shape, notation) of bytes: of the shape that is named, else of the first that fits, else of any value.

    :class:`~node.errors.Invalid` when they are not canonical.
    """
    for name in (shape,) if shape else GUESSED:
        try:
            return name, _shown(codec.unpack(data, SHAPES[name]))
        except NodeError:
            if shape:
                raise
        except KeyError:
            raise Invalid(f"there is no shape {name!r}", hint=", ".join(SHAPES), code="usage") from None
    return "value", _shown(codec.check(data))


def frame(data: bytes) -> Any:
    """The notation of a frame; None when nobody here knows its number."""
    found = frames.read(data)
    return None if found is None else _shown(found)


def _shown(value: Any, field: str = "") -> Any:
    if isinstance(value, msgspec.Struct):
        fields = {name: _shown(getattr(value, name), name) for name in value.__struct_fields__}
        return {"$": _NAMES[type(value)], **fields}
    if isinstance(value, bytes):
        return _bytes(value, field)
    if isinstance(value, (list, tuple)):
        return [_pair(one) for one in value] if field == "entries" else [_shown(one) for one in value]
    if isinstance(value, dict):
        return {"$map": [[key, _shown(one)] for key, one in value.items()]}
    return str(value) if isinstance(value, str) else value


def _pair(pair: tuple[bytes, bytes]) -> list[Any]:
    return [_bytes(pair[0], "header"), _bytes(pair[1], "body")]


def _bytes(value: bytes, field: str) -> dict[str, Any]:
    """Bytes with what they hold, where their field says that they may hold something and they do."""
    tries = {"body": ("opened", "body"), "content": ()}.get(field, (field,)) if field in _INSIDE else None
    if tries is None:
        return {"$hex": value.hex()}
    for name in tries:
        try:
            return {"$pack": _shown(codec.unpack(value, SHAPES[name]))}
        except NodeError:
            continue
    try:
        return {"$pack": _shown(codec.check(value))} if field == "content" else {"$hex": value.hex()}
    except NodeError:
        return {"$hex": value.hex()}


def write(notation: Any, *, raw: bool = False) -> bytes:
    """The bytes of a notation; canonical unless ``raw``. :class:`~node.errors.Invalid` names what is no notation."""
    try:
        value = _meant(notation, raw)
        data = _plain.encode(value) if raw else codec.pack(value)
    except (ValueError, TypeError, OverflowError, RecursionError, AttributeError) as e:
        raise Invalid(f"this cannot be written: {e}", code="notation") from None
    if not raw:
        codec.check(data)
    return data


def bytes_of(notation: Any, *, raw: bool = False) -> bytes:
    """The bytes that a notation of bytes stands for."""
    found = _meant(notation, raw)
    if not isinstance(found, bytes):
        raise Invalid("bytes are written as {$hex} or {$pack}", code="notation")
    return found


def _meant(notation: Any, raw: bool) -> Any:
    if isinstance(notation, list):
        return [_meant(one, raw) for one in notation]
    if not isinstance(notation, Mapping):
        return notation
    if "$" in notation:
        return _row(notation, raw)
    if len(notation) != 1:
        raise Invalid("an object names its shape by $, or is one of $hex, $pack, $map", code="notation")
    ((word, inside),) = notation.items()
    if word == "$hex":
        return bytes.fromhex(inside)
    if word == "$pack":
        return write(inside, raw=raw)
    if word == "$map":
        return {key: _meant(one, raw) for key, one in inside}
    if word == "$raw" and raw:
        return msgspec.Raw(bytes.fromhex(inside))
    raise Invalid(f"{word!r} is no notation here", code="notation")


def _row(notation: Mapping[str, Any], raw: bool) -> list[Any]:
    """The fields of a shape in their order; none may be missing but those at the end that have a default."""
    shape = SHAPES.get(str(notation["$"]))
    if shape is None:
        raise Invalid(f"there is no shape {notation['$']!r}", code="notation")
    if strange := set(notation) - {"$", *shape.__struct_fields__}:
        raise Invalid(f"{notation['$']} has no {', '.join(sorted(strange))}", code="notation")
    defaults = dict(zip(reversed(shape.__struct_fields__), reversed(shape.__struct_defaults__), strict=False))
    row: list[Any] = [shape.__struct_config__.tag] if issubclass(shape, frames.Frame) else []
    for name in shape.__struct_fields__:
        if name not in notation and name not in defaults:
            raise Invalid(f"{notation['$']} wants {name}", code="notation")
        row.append(_meant(notation[name], raw) if name in notation else defaults[name])
    return row

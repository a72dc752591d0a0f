"""Kinds: the vocabulary of signed contents, registered by the modules that own them.

A kind is a class of fields in canonical form::

    @kind("leave.asked")
    class Asked(Content):
        \"\"\"Somebody asks to be away.\"\"\"
        person: str

Contents grow only at the end and only by fields with defaults, so that old entries still read. A node keeps and
forwards kinds it does not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import inspect

from node.codec import Value, check, pack, unpack
from node.entry import Statement
from node.errors import Invalid


class Content(Value, frozen=True):
    """Base of every kind."""

    inner: ClassVar[bool] = False
    "Said by a node to itself; from another it does not count."

    def speaks_for(self) -> tuple[str, ...]:
        """Ids of organs in whose name it is said; it counts only from the node where they are at home."""
        return ()


C = TypeVar("C", bound=Content)
KINDS: dict[str, type[Content]] = {}
_names: dict[type[Content], str] = {}
_decoders: dict[type[Content], msgspec.msgpack.Decoder[Any] | None] = {}
"Of kinds whose values are all plain; None for the others."


def kind(name: str) -> Callable[[type[C]], type[C]]:
    """Register a content class under its name ``room.past_participle``."""

    def register(cls: type[C]) -> type[C]:
        if KINDS.setdefault(name, cls) is not cls and KINDS[name].__qualname__ != cls.__qualname__:
            raise Invalid(f"kind {name} is defined twice")
        KINDS[name], _names[cls] = cls, name
        return cls

    return register


def name_of(content: Content | type[Content]) -> str:
    """The registered name of a content or its class."""
    return _names[content if isinstance(content, type) else type(content)]


def encode(content: Content) -> bytes:
    """Canonical bytes of a content; refuses values that its own class would not read back."""
    data = pack(content)
    _words(check(data))
    unpack(data, type(content))
    return data


def decode(name: str, data: bytes) -> Content | None:
    """The content of a kind this build knows, else None; written by an older or a newer build it may have fewer or more fields."""
    cls = KINDS.get(name)
    if cls is None:
        return None
    if (quick := _quickly(cls, data)) is not None:
        return quick
    plain = check(data)
    _words(plain)
    try:
        content = msgspec.msgpack.decode(data, type=cls)
    except (msgspec.DecodeError, msgspec.ValidationError) as e:
        raise Invalid(f"not a valid {name}: {e}", code="malformed") from None
    again = pack(content)
    if again != data and not _grown(plain, check(again)):
        raise Invalid(f"{name} is not in canonical form", code="noncanonical")
    return content


def _quickly(cls: type[Content], data: bytes) -> Content | None:
    """A content in the exact form of this build; None when it is not, or when that takes a closer look.

    Where the class admits plain values only, the same bytes again prove all that the closer look would, but for NUL
    characters. A NUL byte may also be part of a number: JSON tells, and it is written in a hundredth of the time that looking at
    each value takes.
    """
    if cls not in _decoders:
        _decoders[cls] = msgspec.msgpack.Decoder(cls) if _plain(inspect.type_info(cls)) else None
    decoder = _decoders[cls]
    if decoder is None:
        return None
    try:
        content = decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError, OverflowError):
        return None
    nul = b"\0" in data and b"\\u0000" in msgspec.json.encode(content)
    return None if nul or pack(content) != data else content


_PLAIN = (inspect.IntType, inspect.StrType, inspect.BytesType, inspect.BoolType, inspect.NoneType, inspect.DateType, inspect.EnumType)


def _plain(about: inspect.Type, inside: tuple[type, ...] = ()) -> bool:
    """Whether a type admits no fractions, no values of any type and no nesting without end."""
    match about:
        case inspect.StructType(cls=cls, fields=fields):
            return cls not in inside and all(_plain(each.type, (*inside, cls)) for each in fields)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            return all(_plain(each, inside) for each in types)
        case inspect.VarTupleType(item_type=item):
            return _plain(item, inside)
        case inspect.DictType(key_type=key, value_type=value):
            return isinstance(key, inspect.StrType) and _plain(value, inside)
    return isinstance(about, _PLAIN)


def _words(plain: Any) -> None:
    """:class:`Invalid` for text with a NUL, which not every database can hold: all nodes must fold the same."""
    if isinstance(plain, str):
        if "\0" in plain:
            raise Invalid("text has no NUL character", code="malformed")
    elif isinstance(plain, list):
        for item in plain:
            _words(item)
    elif isinstance(plain, dict):
        _words([*plain, *plain.values()])


def _grown(given: Any, again: Any) -> bool:
    """Whether two plain values differ by fields at the end of arrays only, as contents of two builds do."""
    if isinstance(given, list) and isinstance(again, list):
        return all(_grown(a, b) for a, b in zip(given, again, strict=False))
    return type(given) is type(again) and bool(given == again)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry(Generic[C]):
    """A folded entry as rooms see it."""

    number: int
    "Order in which this node took it; local, never shared."
    id: bytes
    "Statement id: what ``after`` and receipts name."
    kind: str
    record: str
    home: str
    "Node where the record was born."
    author: str
    "Node in whose log the entry stands."
    signer: bytes
    "Fingerprint of the signing certificate."
    person: str
    "Person who signed, or empty for seals and nodes."
    post: str
    at: int
    "Claimed time, milliseconds since 1970 UTC."
    chain: bytes
    seq: int
    hash: bytes
    recipients: tuple[str, ...]
    after: tuple[bytes, ...]
    body: C


def seen(said: Statement, id: bytes, content: Content, *, number: int, author: str, chain: bytes, seq: int, hash: bytes, person: str) -> Entry[Any]:
    """The entry that folds and reactions see: what was said, at the place where it stands."""
    return Entry(
        number=number,
        id=id,
        kind=said.kind,
        record=said.record,
        home=said.home,
        author=author,
        signer=said.signer,
        person=person,
        post=said.post,
        at=said.at,
        chain=chain,
        seq=seq,
        hash=hash,
        recipients=said.recipients,
        after=said.after,
        body=content,
    )

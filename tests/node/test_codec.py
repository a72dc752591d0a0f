"""Canonical bytes: one encoding of everything, ids, hashes, and contents that grow."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from node import codec, kinds
from node.entry import Body, Header, Statement, check_link, content_digest, head_signed, hold_signed, opening_signed, statement_signed
from node.errors import Invalid
from node.kinds import Content


class Inner(codec.Value, frozen=True):
    """A part of a content as an older build knew it."""

    a: int


class Old(Content, frozen=True):
    """A content as an older build knew it."""

    name: str
    parts: tuple[Inner, ...] = ()


class InnerNew(codec.Value, frozen=True):
    """The same part, grown."""

    a: int
    b: str = "b"


@kinds.kind("tests.grown")
class New(Content, frozen=True):
    """The same content, grown."""

    name: str
    parts: tuple[InnerNew, ...] = ()
    more: int = 7
    day: dt.date | None = None


@kinds.kind("tests.fraction")
class Fraction(Content, frozen=True):
    """A content that cannot be signed."""

    value: float


def test_older_contents_read_in_newer_builds_and_the_other_way() -> None:
    """Fields added at the end, also inside, have their defaults for old bytes; new bytes keep what an old build ignores."""
    old = codec.pack(Old("x", (Inner(1),)))
    assert kinds.decode("tests.grown", old) == New("x", (InnerNew(1),))
    new = kinds.encode(New("x", (InnerNew(1, "c"),), 9))
    kinds.kind("tests.old")(Old)
    assert kinds.decode("tests.old", new) == Old("x", (Inner(1),))
    assert kinds.decode("tests.unknown", new) is None


def test_contents_in_another_encoding_are_refused() -> None:
    """Growing excuses missing and further fields, not another encoding of one that is there."""
    data = kinds.encode(New("x", (), 5))
    assert data == b"\x94\xa1x\x90\x05\xc0"
    for other in (b"\x94\xa1x\x90\xcc\x05\xc0", b"\x94\xd9\x01x\x90\x05\xc0", b"\xdc\x00\x04\xa1x\x90\x05\xc0", data + b"\0", b"\x92\xa1x"):
        with pytest.raises(Invalid):
            kinds.decode("tests.grown", other)
    with pytest.raises(Invalid):
        kinds.decode("tests.grown", b"\x94\xa1x\x90\x05\xaa2026-13-01")
    with pytest.raises(Invalid):
        kinds.decode("tests.grown", b"\x95\xa1x\x90\x05\xc0\xcb" + bytes(8))


def test_fractions_are_not_signed() -> None:
    """A content with a fraction is refused when it is written, not when somebody reads it."""
    with pytest.raises(Invalid):
        kinds.encode(Fraction(1.5))


def test_a_kind_has_one_meaning() -> None:
    """Two classes cannot take one name."""
    with pytest.raises(Invalid):
        kinds.kind("tests.grown")(Fraction)
    assert kinds.name_of(New) == kinds.name_of(New("x")) == "tests.grown"


def test_salts_have_one_length() -> None:
    """A byte moved from the salt into the content would keep the digest; a body with a short salt is refused."""
    assert content_digest(b"s" * 16, b"x") == content_digest(b"s" * 15, b"sx")
    good = Body(b"", b"", b"s" * 16, b"x")
    assert codec.unpack(codec.pack(good), Body) == good
    with pytest.raises(Invalid):
        codec.unpack(codec.pack(Body(b"", b"", b"s" * 15, b"sx")), Body)


def test_numbers_fit_every_database() -> None:
    """Positions, sizes and times that a 64-bit signed column cannot hold are refused when read."""
    for seq in (-1, 2**63):
        with pytest.raises(Invalid):
            codec.unpack(codec.pack(Header(b"", seq, b"", bytes(32), 0)), Header)


def test_links_name_chain_place_and_forerunner() -> None:
    """A header stands only where it says."""
    a, b = bytes(32), b"b" * 32
    check_link(Header(a, 3, b, a, 1), a, 3, b)
    check_link(Header(b"", 0, b"", a, 1), a, 0, b"")
    for header in (Header(b, 3, b, a, 1), Header(a, 4, b, a, 1), Header(a, 3, a, a, 1), Header(b"", 3, b, a, 1)):
        with pytest.raises(Invalid):
            check_link(header, a, 3, b)
    with pytest.raises(Invalid):
        check_link(Header(a, 0, b"", a, 1), a, 0, b"")


def test_what_is_signed_for_one_use_serves_no_other() -> None:
    """Signing strings of different uses never begin alike, whatever is inside."""
    h = bytes(32)
    strings = [statement_signed(b"x"), opening_signed(b"x"), head_signed(h, 1, h), hold_signed("n", h, 1, h, 2)]
    heads = [s.partition(b"\0")[0] for s in strings]
    assert len(set(heads)) == 4 and all(head.startswith(b"yiwang.sign.") for head in heads)
    assert codec.digest("a", b"b") != codec.digest("ab", b"") != codec.digest("a", b"", b"c")


def test_record_ids_sort_by_time() -> None:
    """New ids are version 7, sort by their moment and do not repeat."""
    ids = [codec.uuid7(1_700_000_000 + i) for i in range(50)]
    assert ids == sorted(ids) and len(set(ids)) == 50
    assert {uuid.UUID(i).version for i in ids} == {7} and {uuid.UUID(i).variant for i in ids} == {uuid.RFC_4122}
    assert len({codec.uuid7(1.0) for _ in range(1000)}) == 1000


def test_names_of_hashes_are_26_characters() -> None:
    """Names keep 130 bits, in letters that survive being read out."""
    assert codec.base32(bytes(32)) == "a" * 26
    assert codec.base32(b"\xff" * 32)[:25] == "7" * 25
    assert len(Statement.__struct_fields__) == 12

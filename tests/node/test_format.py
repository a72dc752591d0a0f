"""The published vectors, and a search for any bytes on which the node's decoder and the verifier's disagree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from node import checkpoint, codec, entry, keys, seal
from node.errors import Forged, NodeError
from tests.verifier import make_vectors as made
from tests.verifier.program import verifier

SHAPES = {
    "header": entry.Header,
    "opening": entry.Opening,
    "opened": entry.Opened,
    "statement": entry.Statement,
    "body": entry.Body,
    "head": entry.Head,
    "hold": entry.Hold,
}


def vectors(name: str) -> list[Any]:
    """The vectors of a file, as parameters named by their names."""
    found = json.loads((made.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(v, id=v["name"].replace(" ", "-")[:80]) for v in found]


def by_node(data: bytes, shape: str | None) -> tuple[bool, Any]:
    """(accepted, value or code) as the node reads bytes."""
    try:
        if shape is None:
            return True, codec.check(data)
        value = codec.unpack(data, SHAPES[shape])
        return True, codec.check(codec.pack(value))
    except NodeError as e:
        return False, e.code


def by_verifier(data: bytes, shape: str | None) -> tuple[bool, Any]:
    """(accepted, value or kind) as the verifier reads bytes."""
    try:
        value = verifier.decode(data)
        if shape is not None:
            verifier.named(value, shape)
    except verifier.Fault as e:
        return False, e.kind
    return True, value


def test_vectors_are_what_the_script_makes() -> None:
    """The files in docs/vectors are made by the script beside the tests, and there are enough of them."""
    texts = made.texts()
    assert {file.name: file.read_text(encoding="utf-8") for file in made.FOLDER.glob("*.json")} == texts
    assert sum(text.count('"name"') for text in texts.values()) >= 300


@pytest.mark.parametrize("vector", vectors("values"))
def test_values(vector: dict[str, Any]) -> None:
    """Both decoders accept a value, and the same one, or both refuse it."""
    data = bytes.fromhex(vector["bytes"])
    node, other = by_node(data, None), by_verifier(data, None)
    assert node[0] is other[0] is vector["ok"]
    if vector["ok"]:
        assert node[1] == other[1] and codec.pack(node[1]) == data == made.raw(other[1])
    else:
        assert (node[1], other[1]) == (vector["error"], "noncanonical")


@pytest.mark.parametrize("vector", vectors("shapes"))
def test_shapes(vector: dict[str, Any]) -> None:
    """Both decoders accept a signed shape or both refuse it."""
    data = bytes.fromhex(vector["bytes"])
    node, other = by_node(data, vector["shape"]), by_verifier(data, vector["shape"])
    assert node[0] is other[0] is vector["ok"]
    assert node[1] == (other[1] if vector["ok"] else vector["error"])


@pytest.mark.parametrize("vector", vectors("digests"))
def test_digests(vector: dict[str, Any]) -> None:
    """Both hash the same under a purpose."""
    parts = [bytes.fromhex(p) for p in vector["parts"]]
    assert codec.digest(vector["purpose"], *parts).hex() == verifier.digest(vector["purpose"], *parts).hex() == vector["digest"]


@pytest.mark.parametrize("vector", vectors("signatures"))
def test_signatures(vector: dict[str, Any]) -> None:
    """Both accept a signature or both refuse it."""
    raw, data, signature = (bytes.fromhex(vector[k]) for k in ("key", "data", "signature"))
    key: Any = keys.from_raw(raw) if vector["suite"] == "ed25519" else load_der_public_key(raw)
    if vector["ok"]:
        keys.verify(key, signature, data)
        verifier.verify(key, signature, data)
        return
    with pytest.raises(Forged):
        keys.verify(key, signature, data)
    with pytest.raises(verifier.Fault):
        verifier.verify(key, signature, data)


@pytest.mark.parametrize("vector", vectors("seals"))
def test_seals(vector: dict[str, Any]) -> None:
    """An entry key follows from the chain key, and opens exactly the body of its place."""
    chain_key, key, stored = (bytes.fromhex(vector[k]) for k in ("chain_key", "entry_key", "stored"))
    assert seal.entry_key(chain_key, vector["seq"]) == key
    if vector["ok"]:
        assert seal.open_(stored, key, vector["seq"]).hex() == verifier.open_sealed(stored, key, vector["seq"]).hex() == vector["body"]
        return
    with pytest.raises(NodeError):
        seal.open_(stored, key, vector["seq"])
    with pytest.raises(verifier.Fault):
        verifier.open_sealed(stored, key, vector["seq"])


@pytest.mark.parametrize("vector", vectors("checkpoints"))
def test_checkpoints(vector: dict[str, Any]) -> None:
    """A line is believed exactly where its path leads to the root."""
    data, root, path = bytes.fromhex(vector["leaf"]), bytes.fromhex(vector["root"]), [bytes.fromhex(p) for p in vector["path"]]
    if vector["ok"]:
        checkpoint.check_path(data, vector["place"], vector["size"], path, root)
        return
    with pytest.raises(Forged):
        checkpoint.check_path(data, vector["place"], vector["size"], path, root)


def agree(data: bytes, shape: str | None) -> None:
    """The two decoders say the same of bytes."""
    node, other = by_node(data, shape), by_verifier(data, shape)
    assert node[0] is other[0], (data.hex(), shape, node, other)
    if node[0]:
        assert made.raw(node[1]) == made.raw(other[1]) == data


TAGS = st.sampled_from([bytes([t]) for t in (*range(0x80, 0xA0, 3), *range(0xC0, 0x100))])
PIECES = [b"\x00", b"\xff\xff", b"\xa1a", b"\xa1b", b"\xc4\x20" + bytes(32), b"\xc4\x10" + bytes(16)]
CHUNKS = st.one_of(TAGS, st.binary(max_size=4), st.sampled_from(PIECES))
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=40), st.binary(max_size=300)),
    lambda inner: st.one_of(st.lists(inner, max_size=20), st.dictionaries(st.text(max_size=5), inner, max_size=20)),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.lists(CHUNKS, max_size=12).map(b"".join)))
def test_decoders_agree_on_random_bytes(data: bytes) -> None:
    """On arbitrary bytes the decoders never differ, as values and as every shape."""
    for shape in (None, *SHAPES):
        agree(data, shape)


@settings(max_examples=300, deadline=None)
@given(PLAIN)
def test_decoders_agree_on_values(value: Any) -> None:
    """Every plain value is written one way by the node, the vectors' script, and read back by both."""
    data = made.raw(value)
    assert codec.pack(value) == data
    agree(data, None)
    assert by_verifier(data, None)[0]


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_decoders_agree_on_damaged_shapes(shape: str, data: st.DataObject) -> None:
    """A right shape with bytes changed, cut, doubled or put in, or a field replaced, is judged alike by both."""
    fields = list(made.RIGHT[shape])
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(fields) - 1))
        fields[at] = data.draw(PLAIN)
    whole = bytearray(made.raw(fields))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(at, min(len(whole), at + 4)))
        whole[at:end] = data.draw(st.one_of(st.binary(max_size=3), CHUNKS))
    agree(bytes(whole), shape)

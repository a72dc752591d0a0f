"""Checkpoints: trees, paths, shares, signatures, split views."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from node import checkpoint as cp
from node import keys
from node.codec import pack, unpack
from node.errors import Forged, Invalid, NodeError

CT = [bytes.fromhex(x) for x in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
"The leaves of the reference tree of Certificate Transparency, and the roots over the first n of them."
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
NAMES = ["city", "county", "township"]


def hashed(name: str) -> bytes:
    """32 bytes that stand for a hash."""
    return hashlib.sha256(name.encode()).digest()


def stand(seq: int = 7) -> cp.Stand:
    """Three authors with one, two and three chains."""
    return cp.Stand((name, cp.Mark(hashed(f"{name}{i}"), seq, hashed(f"{name}{i}{seq}"))) for n, name in enumerate(NAMES, 1) for i in range(n))


def checkpoint(no: int = 1, at: int = 1000, previous: bytes = b"", heads: cp.Stand | None = None) -> cp.Checkpoint:
    """A checkpoint over some heads."""
    heads = heads or stand()
    return cp.Checkpoint(cp.VERSION, "this", no, at, previous, heads.authors, heads.root, hashed("trust"), "2026.1")


@dataclass(frozen=True)
class Ring:
    """Keys of a city and its counties."""

    city: EllipticCurvePrivateKey
    east: EllipticCurvePrivateKey
    west: EllipticCurvePrivateKey


@pytest.fixture(scope="module")
def ring() -> Ring:
    """New keys."""
    return Ring(keys.new_p256(), keys.new_p256(), keys.new_p256())


def test_roots_are_those_of_the_reference_tree() -> None:
    """The roots over 0 to 8 leaves are those that other programs after RFC 6962 compute."""
    assert cp.Tree([]).root == hashlib.sha256(b"").digest()
    assert tuple(cp.Tree(CT[:n]).root.hex() for n in range(1, 9)) == ROOTS


def rfc_root(leaves: list[bytes]) -> bytes:
    """The root by the definition of RFC 9162, 2.1.1."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + rfc_root(leaves[:half]) + rfc_root(leaves[half:])).digest()


def rfc_path(place: int, leaves: list[bytes]) -> list[bytes]:
    """The path by the definition of RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if place < half:
        return [*rfc_path(place, leaves[:half]), rfc_root(leaves[half:])]
    return [*rfc_path(place - half, leaves[half:]), rfc_root(leaves[:half])]


def test_paths_are_those_of_the_definition() -> None:
    """For every leaf of every tree up to 33 leaves, root and path are those of the definition, and the path is believed."""
    for size in range(1, 34):
        leaves = [bytes([n]) for n in range(size)]
        tree = cp.Tree(leaves)
        assert tree.root == rfc_root(leaves)
        for place, data in enumerate(leaves):
            assert list(tree.path(place)) == rfc_path(place, leaves)
            cp.check_path(data, place, size, tree.path(place), tree.root)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 40), st.data())
def test_nothing_else_is_at_a_place(size: int, data: st.DataObject) -> None:
    """A right path proves no other leaf, no other place, no other root, and neither shortened, lengthened nor altered."""
    leaves = [n.to_bytes(2, "big") for n in range(size)]
    place = data.draw(st.integers(0, size - 1))
    tree = cp.Tree(leaves)
    path = tree.path(place)
    wrong = [(b"else", place, size, path, tree.root), (leaves[place], place, size, (*path, bytes(32)), tree.root)]
    wrong += [(leaves[place], other, size, path, tree.root) for other in (-1, *range(size + 1)) if other != place]
    wrong += [(leaves[place], place, size, path, bytes(32)), (leaves[place], size, size, path, tree.root), (leaves[place], place, 0, path, tree.root)]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        altered = (*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :])
        wrong += [(leaves[place], place, size, path[:-1], tree.root), (leaves[place], place, size, altered, tree.root)]
    for case in wrong:
        with pytest.raises(Forged):
            cp.check_path(*case)


def test_an_inner_hash_is_no_leaf() -> None:
    """The hash of two leaves, offered as a leaf, proves nothing: leaves and nodes are hashed apart."""
    tree = cp.Tree([b"a", b"b"])
    with pytest.raises(Forged):
        cp.check_path(cp.leaf(b"a") + cp.leaf(b"b"), 0, 1, (), tree.root)


def test_a_share_proves_all_chains_of_its_author() -> None:
    """Every author's share holds against the root, and an author of whom nothing is held has none."""
    heads = stand()
    for author in NAMES:
        share = heads.share(author)
        assert share is not None and share.marks == heads.marks[author]
        cp.check_share(unpack(pack(share), cp.Share), author, checkpoint())
    assert heads.share("stranger") is None


def test_the_order_of_heads_changes_nothing() -> None:
    """The same heads in another order give the same root; one chain twice is refused."""
    marks = [(author, mark) for author, found in stand().marks.items() for mark in found]
    assert cp.Stand(reversed(marks)).root == stand().root
    with pytest.raises(Invalid):
        cp.Stand([*marks, marks[0]])


def test_a_share_that_hides_or_alters_is_refused() -> None:
    """A mark left out, doubled, moved, set back, or another node's share is refused; so is a share of an earlier stand."""
    share = stand().share("township")
    assert share is not None
    back = msgspec.structs.replace(share.marks[0], seq=6)
    marks = [share.marks[1:], (*share.marks, share.marks[0]), share.marks[::-1], (back, *share.marks[1:]), ()]
    wrong = [msgspec.structs.replace(share, marks=one) for one in marks]
    wrong += [msgspec.structs.replace(share, line=msgspec.structs.replace(share.line, chains=4)), stand().share("county"), stand(6).share("township")]
    for one in wrong:
        assert one is not None
        with pytest.raises(Forged):
            cp.check_share(one, "township", checkpoint())


@pytest.mark.parametrize("how", ["doubled", "out-of-order"])
def test_a_city_cannot_sign_a_disordered_line(how: str) -> None:
    """Marks that stand twice or out of order are refused even where the city itself made root and line of them."""
    marks = stand().marks["township"]
    lying = (*marks, marks[-1]) if how == "doubled" else marks[::-1]
    line = cp.Line("township", len(lying), cp.Tree(map(pack, lying)).root)
    said = msgspec.structs.replace(checkpoint(), authors=1, root=cp.Tree([pack(line)]).root)
    with pytest.raises(Forged, match="marks"):
        cp.check_share(cp.Share(line, 0, (), lying), "township", said)


def test_the_proof_of_a_node_is_small() -> None:
    """In a city of a hundred nodes the checkpoint with the line and its path has less than 1 KiB, marks and cosignatures apart."""
    heads = cp.Stand((f"{n:026}", cp.Mark(hashed(f"{n}"), n, hashed(f"{n}{n}"))) for n in range(100))
    share = heads.share(f"{50:026}")
    signed = cp.sign(checkpoint(heads=heads), keys.new_p256())
    assert share is not None and len(pack(signed)) + len(pack(msgspec.structs.replace(share, marks=()))) < 1024


def test_a_signed_checkpoint_is_read(ring: Ring) -> None:
    """What the city signed is read back as it was."""
    assert cp.check(cp.sign(checkpoint(), ring.city), "this", [ring.city.public_key()]) == checkpoint()


@pytest.mark.parametrize(
    "change",
    [{"city": "other"}, {"version": 2}, {"no": 0}, {"no": 2}, {"previous": hashed("x")}, {"no": 2, "previous": b"short"}],
    ids=["city", "version", "zero", "no-forerunner", "first-with-one", "short"],
)
def test_what_the_city_may_not_sign(ring: Ring, change: dict[str, object]) -> None:
    """Another city's, another version's, or a checkpoint without its forerunner is refused though the signature is right."""
    with pytest.raises(NodeError):
        cp.check(cp.sign(msgspec.structs.replace(checkpoint(), **change), ring.city), "this", [ring.city.public_key()])


def test_a_forged_checkpoint_is_refused(ring: Ring) -> None:
    """Signed by a county, altered afterwards, or with a cosignature in place of the city's: refused."""
    right = cp.sign(checkpoint(), ring.city)
    altered = msgspec.structs.replace(right, checkpoint=pack(checkpoint(at=1001)))
    swapped = msgspec.structs.replace(right, signature=cp.cosign(right, "city", ring.city).signature)
    for wrong in (cp.sign(checkpoint(), ring.east), altered, swapped):
        with pytest.raises(Forged):
            cp.check(wrong, "this", [ring.city.public_key()])


def test_only_what_holds_counts_as_cosigned(ring: Ring) -> None:
    """A county counts once; a stranger, another county's name, and a cosignature of another checkpoint do not count."""
    known = {"east": [ring.east.public_key()], "west": [ring.west.public_key()]}
    right, other = cp.sign(checkpoint(), ring.city), cp.sign(checkpoint(at=2), ring.city)
    east = cp.cosign(right, "east", ring.east)
    strange, false, moved = cp.cosign(right, "north", ring.west), cp.cosign(right, "west", ring.east), cp.cosign(other, "west", ring.west)
    assert cp.cosigners(msgspec.structs.replace(right, cosignatures=(east, east, strange, false, moved)), known) == ["east"]
    assert cp.cosigners(msgspec.structs.replace(right, cosignatures=(cp.cosign(right, "west", ring.west), east)), known) == ["east", "west"]


def test_two_views_of_one_city_are_split() -> None:
    """Of one number but different, or neighbours that are not joined: split, in whatever order they are seen; an honest row is not."""
    first, other = pack(checkpoint()), pack(checkpoint(heads=stand(8)))
    second = pack(checkpoint(2, 1001, cp.checkpoint_hash(first)))
    third = pack(checkpoint(3, 1002, cp.checkpoint_hash(second)))
    assert not any(cp.split(a, b) for a in (first, second, third) for b in (first, second, third))
    for pair in ((first, other), (second, other)):
        assert cp.split(*pair) and cp.split(*reversed(pair))
        with pytest.raises(Forged):
            cp.check_after(*pair)


def test_only_later_ones_follow() -> None:
    """The same and any later one may follow, with gaps between; an older one and a time that runs back are refused."""
    first = pack(checkpoint())
    second = pack(checkpoint(2, 1001, cp.checkpoint_hash(first)))
    ninth = pack(checkpoint(9, 1001, hashed("eighth")))
    for pair in ((first, first), (first, second), (first, ninth), (second, ninth)):
        cp.check_after(*pair)
    with pytest.raises(Invalid, match="after"):
        cp.check_after(ninth, first)
    with pytest.raises(Invalid, match="runs back") as caught:
        cp.check_after(ninth, pack(checkpoint(10, 1000, cp.checkpoint_hash(ninth))))
    assert caught.value.code == "time_reversed"

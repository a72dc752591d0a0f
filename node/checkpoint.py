"""Checkpoints: the city's word, each minute, of how far it holds every log; countersigned by counties, proved to each node in little.

**Two trees.** The *inner* tree of an author has one leaf for each of its chains, a :class:`Mark`, ascending by the chain's id; the *outer* tree
has one leaf for each author, a :class:`Line`, ascending by its id. So a node that is shown its line and all marks under it knows that none
of its logs is left out, and one mark alone can be shown to others with two paths. Hashes, paths and their check are those of
RFC 9162, part 2.1 (the same as RFC 6962's), with SHA-256.

**Split views.** Two checkpoints of one number that differ, both signed, prove that the city said two things. A number that falls, a
time that runs back, or a direct successor that names another forerunner is refused. ``docs/format.md`` has the same in prose, with
vectors; nothing here reads a clock, a disk or a key file.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from node import keys
from node.codec import Hash, HashOrNone, Moment, Natural, Value, digest, pack, unpack
from node.errors import Forged, Invalid

VERSION = 1
DEEPEST = 64
"Hashes on a path, at most: a tree has fewer than 2**64 leaves."


class Mark(Value, frozen=True):
    """How far the city holds one chain."""

    chain: Hash
    seq: Natural
    "The last entry held."
    hash: Hash


class Line(Value, frozen=True):
    """All chains of one author in one leaf."""

    author: str
    chains: Natural
    "Leaves of the inner tree."
    root: Hash


class Checkpoint(Value, frozen=True):
    """What the city signs."""

    version: int
    city: str
    "City id: the same bytes never mean anything in another city."
    no: Natural
    "From 1, always growing."
    at: Moment
    "The city's clock."
    previous: HashOrNone
    "Hash of the checkpoint ``no - 1``; empty in the first."
    authors: Natural
    "Leaves of the outer tree."
    root: Hash
    trust: HashOrNone
    "Hash of the last entry of the city's own log of trust for all; empty where there is none."
    calendar: str
    "Version of the working-day calendar in force; empty where there is none."


class Cosignature(Value, frozen=True):
    """A county's word that it was shown this checkpoint and no other of its number."""

    node: str
    signature: bytes


class Signed(Value, frozen=True):
    """A checkpoint with the city's signature and whatever counties have countersigned."""

    checkpoint: bytes
    signature: bytes
    cosignatures: tuple[Cosignature, ...] = ()


class Share(Value, frozen=True):
    """What proves an author's line, and every mark under it, against a checkpoint's root."""

    line: Line
    place: Natural
    path: tuple[Hash, ...]
    marks: tuple[Mark, ...]


def leaf(data: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A Merkle tree over leaves in the order given; all levels are kept, for paths."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """``leaves`` are their data, not hashes."""
        self._levels = [[leaf(data) for data in leaves]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_above(self._levels[-1]))

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """Hash over all leaves; that of nothing when there are none."""
        return self._levels[-1][0] if self._levels[-1] else hashlib.sha256().digest()

    def path(self, place: int) -> tuple[bytes, ...]:
        """The hashes that lead from a leaf to the root, lowest first."""
        if not 0 <= place < len(self):
            raise Invalid(f"no leaf {place} in a tree of {len(self)}")
        siblings = ((level, (place >> height) ^ 1) for height, level in enumerate(self._levels[:-1]))
        return tuple(level[at] for level, at in siblings if at < len(level))


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The next level: pairs are joined, one that is left over rises as it is."""
    pairs = [_joined(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def check_path(data: bytes, place: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Refuse a leaf that does not stand at ``place`` of the tree with ``size`` leaves and this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= place < size or len(path) > DEEPEST:
        raise Forged("no such leaf", code="bad_checkpoint")
    node, last, found = place, size - 1, leaf(data)
    for sibling in path:
        if not last:
            raise Forged("the path is longer than the tree is high", code="bad_checkpoint")
        if node & 1 or node == last:
            found = _joined(sibling, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = _joined(found, sibling)
        node, last = node >> 1, last >> 1
    if last or not hmac.compare_digest(found, root):
        raise Forged("the path does not lead to the root", code="bad_checkpoint")


class Stand:
    """All heads of one moment: the outer tree and the inner ones, from which shares are cut."""

    def __init__(self, heads: Iterable[tuple[str, Mark]]) -> None:
        """``heads`` are (author, mark) in any order, each chain once."""
        ordered = sorted(heads, key=lambda head: (head[0], head[1].chain))
        if len({(author, mark.chain) for author, mark in ordered}) < len(ordered):
            raise Invalid("a chain stands twice in one checkpoint")
        self.marks = {author: tuple(mark for _, mark in found) for author, found in groupby(ordered, key=lambda head: head[0])}
        self._lines = [_line(author, marks) for author, marks in self.marks.items()]
        self._places = {line.author: place for place, line in enumerate(self._lines)}
        self._tree = Tree(map(pack, self._lines))

    @property
    def root(self) -> bytes:
        """Root of the outer tree."""
        return self._tree.root

    @property
    def authors(self) -> int:
        """Leaves of the outer tree."""
        return len(self._tree)

    def share(self, author: str) -> Share | None:
        """What proves an author's line; None where the city holds nothing of it."""
        place = self._places.get(author)
        return None if place is None else Share(self._lines[place], place, self._tree.path(place), self.marks[author])


def _line(author: str, marks: Sequence[Mark]) -> Line:
    return Line(author, len(marks), Tree(map(pack, marks)).root)


def check_share(share: Share, author: str, checkpoint: Checkpoint) -> None:
    """Refuse a share that is not this author's, does not lead to the checkpoint's root, or leaves out or moves a mark."""
    check_path(pack(share.line), share.place, checkpoint.authors, share.path, checkpoint.root)
    chains = [mark.chain for mark in share.marks]
    if chains != sorted(set(chains)) or _line(author, share.marks) != share.line:
        raise Forged("the marks are not those of the line", code="bad_checkpoint")


def checkpoint_hash(checkpoint: bytes) -> bytes:
    """The hash by which checkpoints, cosignatures and documents name a checkpoint."""
    return digest("checkpoint.1", checkpoint)


def checkpoint_signed(checkpoint: bytes) -> bytes:
    """The bytes the city's identity key signs."""
    return b"yiwang.sign.checkpoint.1\0" + checkpoint


def cosigned(node: str, hash: bytes) -> bytes:
    """The bytes a county's identity key signs."""
    return b"yiwang.sign.cosignature.1\0" + pack((node, hash))


def sign(checkpoint: Checkpoint, key: keys.PrivateKey) -> Signed:
    """The checkpoint under the city's signature."""
    data = pack(checkpoint)
    return Signed(data, keys.sign(key, checkpoint_signed(data)))


def cosign(signed: Signed, node: str, key: keys.PrivateKey) -> Cosignature:
    """A county's signature under a checkpoint that it has checked."""
    return Cosignature(node, keys.sign(key, cosigned(node, checkpoint_hash(signed.checkpoint))))


def check(signed: Signed, city: str, known: Sequence[keys.PublicKey]) -> Checkpoint:
    """The checkpoint that one of the city's keys has signed for this city; refuses any other."""
    keys.verify_any(known, signed.signature, checkpoint_signed(signed.checkpoint))
    checkpoint = unpack(signed.checkpoint, Checkpoint)
    if checkpoint.version != VERSION:
        raise Invalid(f"checkpoint of version {checkpoint.version}", code="unknown_version")
    if checkpoint.city != city:
        raise Forged("a checkpoint of another city", code="bad_checkpoint")
    if checkpoint.no < 1 or (checkpoint.no == 1) is bool(checkpoint.previous) or len(checkpoint.previous) not in (0, 32):
        raise Invalid("exactly the first checkpoint has no forerunner", code="bad_checkpoint")
    return checkpoint


def cosigners(signed: Signed, counties: Mapping[str, Sequence[keys.PublicKey]]) -> list[str]:
    """Counties whose cosignature holds, each once; what does not hold counts for nothing."""
    hash = checkpoint_hash(signed.checkpoint)
    given = (one for one in signed.cosignatures if one.node in counties)
    return sorted({one.node for one in given if keys.holds(counties[one.node], one.signature, cosigned(one.node, hash))})


def split(a: bytes, b: bytes) -> bool:
    """Whether two checkpoints, each checked by itself, cannot both be honest: of one number and different, or next to each other and not joined."""
    first, second = sorted((a, b), key=lambda data: unpack(data, Checkpoint).no)
    earlier, later = unpack(first, Checkpoint), unpack(second, Checkpoint)
    if earlier.no == later.no:
        return a != b
    return later.no == earlier.no + 1 and later.previous != checkpoint_hash(first)


def check_after(last: bytes, new: bytes) -> None:
    """Refuse a checkpoint, checked by itself, that cannot follow the last one known: older, of an earlier time, or of a split view."""
    before, after = unpack(last, Checkpoint), unpack(new, Checkpoint)
    if split(last, new):
        raise Forged(f"two checkpoints {after.no} of one city", code="bad_checkpoint")
    if after.no < before.no:
        raise Invalid(f"checkpoint {after.no} after {before.no}", code="bad_checkpoint")
    if after.at < before.at:
        raise Invalid("the city's time runs back", code="time_reversed")

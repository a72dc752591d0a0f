"""A snapshot: all that a node below may see of its county's journal, in a few large files, so that a newcomer need not ask entry by entry.

**What it is.** Parts are compressed stretches of chains, exactly the batches that a line would carry; each is named by its hash. The list of
parts is signed by the node that made them: it says that their signatures were checked here and hold, but for the places it names as *doubted*.

A snapshot is the same for every node below: it holds the logs for all and those for the subtree of the maker and of the nodes above it. It lies in
``snapshot/``, named like attachments, and is no part of a backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.blobs import Blobs
from node.codec import Hash, Natural, Value, digest, pack, unpack
from node.entry import header_hash
from node.errors import Invalid, TooLarge
from node.requests import Batch
from node.settings import Settings

FOLDER = "snapshot"
VERSION = 1
MOST = 16 * 1024 * 1024
"Bytes of a part before compression, at most: the last batch is as long as the author's heads make it."
LEAST, FEW = 20_000, 500
"Entries below which nobody needs a snapshot; the second with the profile ``acceptance``."


class Range(Value, frozen=True):
    """A stretch of one chain."""

    chain: Hash
    start: Natural
    count: Natural
    digest: Hash
    "Over the hashes of its entries, so that one of them can be shown to be in it."


class Part(Value, frozen=True):
    """One file of a snapshot."""

    sha: Hash
    size: Natural
    ranges: tuple[Range, ...]
    doubted: tuple[tuple[Hash, Natural], ...]
    "Places (chain, number) whose signature was refused, or could not be checked yet, where the part was made."


class Manifest(Value, frozen=True):
    """What is signed."""

    version: int
    city: str
    maker: str
    "Node that made it and vouches for it."
    at: Natural
    "Claimed time, milliseconds since 1970 UTC."
    entries: Natural
    parts: tuple[Part, ...]


class Snapshot(Value, frozen=True):
    """A manifest with the maker's signature and certificates (DER, leaf first, without the root)."""

    manifest: bytes
    signature: bytes
    certs: tuple[bytes, ...]


class Offer(Value, frozen=True):
    """Where to find a snapshot: the hash and size of the packed :class:`Snapshot`; empty when there is none."""

    sha: bytes = b""
    size: int = 0
    entries: int = 0


def files(settings: Settings) -> Blobs:
    """Where the parts of snapshots lie."""
    return Blobs(settings, FOLDER)


def signed(manifest: bytes) -> bytes:
    """The bytes that the maker signs."""
    return b"yiwang.sign.snapshot.1\0" + manifest


def least(settings: Settings) -> int:
    """Entries from which on a snapshot is worth its while."""
    return FEW if settings.profile == "acceptance" else LEAST


def over(hashes: Iterable[bytes]) -> bytes:
    """The digest of a range, over the hashes of its entries in their order."""
    return digest("snapshot.range.1", *hashes)


def ranges(batches: Iterable[Batch]) -> tuple[Range, ...]:
    """What stretches some batches hold, in the order of their first."""
    starts: dict[bytes, int] = {}
    hashes: dict[bytes, list[bytes]] = {}
    for batch in batches:
        starts.setdefault(batch.chain, batch.start)
        hashes.setdefault(batch.chain, []).extend(header_hash(header) for header, _ in batch.entries)
    return tuple(Range(chain, start, len(hashes[chain]), over(hashes[chain])) for chain, start in starts.items())


def squeeze(batches: Sequence[Batch]) -> bytes:
    """The bytes of a part."""
    import zstandard  # most ledgers neither make nor take a snapshot

    return zstandard.ZstdCompressor(level=3).compress(pack(tuple(batches)))


def expand(data: bytes) -> tuple[Batch, ...]:
    """The batches of a part, never more than :data:`MOST` bytes whatever it claims; :class:`Invalid` when it is none."""
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=MOST).stream_reader(data) as reader:
            plain = reader.read(MOST + 1)
    except (zstandard.ZstdError, MemoryError) as error:
        raise Invalid(f"a part does not decompress: {error}", code="malformed") from None
    if len(plain) > MOST:
        raise TooLarge("a part is larger than it may be once decompressed")
    return unpack(plain, tuple[Batch, ...])

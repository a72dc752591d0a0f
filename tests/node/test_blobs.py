"""Attachments: whole and right, or not there; resumed after a cut at any byte."""

from __future__ import annotations

import hashlib
import io
import random
import secrets
from pathlib import Path

import pytest

from node import seal
from node.blobs import Blobs
from node.errors import Forged, Invalid, Missing, TooLarge
from node.settings import Settings

SIZES = (0, 1, seal.PART - 1, seal.PART, seal.PART + 1, 3 * seal.PART + 7)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty store."""
    return Blobs(Settings(id="a" * 26, tier="city", name="云市", code="330000", city="b" * 26, home=tmp_path))


def files(blobs: Blobs) -> list[Path]:
    """Everything that lies in the store."""
    return [path for path in blobs.root.rglob("*") if path.is_file()]


@pytest.mark.promise("P5")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sealed", [False, True])
def test_what_is_put_can_be_read(blobs: Blobs, size: int, sealed: bool) -> None:
    """Any size comes back byte for byte under the hash of what lies on the disk, and nothing else is left there; sealed, no plain byte is."""
    data, key = secrets.token_bytes(size), secrets.token_bytes(32) if sealed else None
    sha, stored = blobs.put(io.BytesIO(data), key)
    assert b"".join(blobs.open(sha, key)) == data
    assert blobs.size(sha) == stored
    assert [hashlib.sha256(path.read_bytes()).digest() for path in files(blobs)] == [sha]
    assert not (sealed and size > 16 and data[:16] in blobs.path(sha).read_bytes())


def test_the_same_twice_is_stored_once(blobs: Blobs) -> None:
    """Equal bytes have one name and one file."""
    assert blobs.put([b"abc", b"def"]) == blobs.put(io.BytesIO(b"abcdef"))
    assert len(files(blobs)) == 1


@pytest.mark.promise("P5")
def test_resumed_after_cuts_anywhere(blobs: Blobs) -> None:
    """Cut at random bytes and started again by another process, a blob becomes visible with its last byte and not before; the seed is printed."""
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    data = chance.randbytes(300_000)
    sha, at = hashlib.sha256(data).digest(), 0
    while at < len(data):
        assert not blobs.has(sha)
        with pytest.raises(Missing):
            list(blobs.open(sha))
        assert blobs.have(sha, len(data)) == at
        step = chance.randrange(1, 40_000)
        whole = blobs.write(sha, len(data), at, data[at : at + step])
        at += len(data[at : at + step])
        assert whole is (at == len(data))
    assert b"".join(blobs.open(sha)) == data
    assert blobs.read(sha, 1000, 50) == data[1000:1050]
    assert files(blobs) == [blobs.path(sha)]


def test_bytes_out_of_place_or_too_many(blobs: Blobs) -> None:
    """A piece that does not begin where the last one ended, or reaches beyond the size the entry names, changes nothing."""
    sha = hashlib.sha256(b"abcdef").digest()
    blobs.write(sha, 6, 0, b"abc")
    for offset in (0, 2, 4):
        with pytest.raises(Invalid):
            blobs.write(sha, 6, offset, b"d")
    with pytest.raises(TooLarge):
        blobs.write(sha, 6, 3, b"defg")
    assert blobs.write(sha, 6, 3, b"def")


@pytest.mark.promise("P5")
def test_wrong_bytes_never_become_visible(blobs: Blobs) -> None:
    """A blob whose hash is another one is thrown away whole, and can be fetched again."""
    sha = hashlib.sha256(b"right").digest()
    with pytest.raises(Forged):
        blobs.write(sha, 5, 0, b"wrong")
    assert files(blobs) == []
    assert blobs.write(sha, 5, 0, b"right")


@pytest.mark.promise("P23")
@pytest.mark.parametrize("sealed", [False, True])
def test_rot_is_noticed(blobs: Blobs, sealed: bool) -> None:
    """A byte that the disk has changed is noticed by whoever reads the blob to its end."""
    key = secrets.token_bytes(32) if sealed else None
    sha, _ = blobs.put(io.BytesIO(secrets.token_bytes(200_000)), key)
    stored = bytearray(blobs.path(sha).read_bytes())
    stored[150_000] ^= 1
    blobs.path(sha).write_bytes(stored)
    with pytest.raises(Forged):
        list(blobs.open(sha, key))


def test_a_stream_that_breaks_leaves_nothing(blobs: Blobs) -> None:
    """An upload that ends in an error leaves no file."""

    def broken() -> object:
        yield b"x" * 100_000
        raise OSError("the line is down")

    with pytest.raises(OSError, match="line"):
        blobs.put(broken())  # type: ignore[arg-type]
    assert files(blobs) == []

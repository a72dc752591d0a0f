"""Fetching blobs: in order, from whoever has them, nothing twice."""

from __future__ import annotations

from sync.fetch import DESPERATE, PATIENCE, Fetcher
from sync.frames import CHUNK

SHA, SIZE = bytes(32), 5 * CHUNK + 100


class Asked:
    """Remembers what was asked."""

    def __init__(self) -> None:
        self.all: list[tuple[str, int, int]] = []

    def __call__(self, peer: str, sha: bytes, offset: int, length: int) -> None:
        self.all.append((peer, offset, length))


def give(fetcher: Fetcher, peer: str, offset: int, now: float) -> None:
    """A chunk comes and is written."""
    size = min(CHUNK, SIZE - offset)
    assert fetcher.expects(peer, SHA, offset, size)
    fetcher.wrote(SHA, offset, size, now)


def test_a_blob_comes_in_order_and_each_part_once() -> None:
    """Chunks are asked for one after the other, a few under way, and none twice."""
    asked = Asked()
    fetcher = Fetcher(asked)
    fetcher.joined("a", 0.0)
    fetcher.need(SHA, SIZE, 0, ["a"])
    fetcher.pump(0.0)
    assert [offset for _, offset, _ in asked.all] == [0, CHUNK]
    for number in range(6):
        give(fetcher, "a", number * CHUNK, 0.01 * number)
    assert [offset for _, offset, _ in asked.all] == [n * CHUNK for n in range(6)]
    assert asked.all[-1][2] == 100


def test_after_a_cut_only_what_was_under_way_is_asked_again() -> None:
    """What has been written stays written, whichever neighbour goes on."""
    asked = Asked()
    fetcher = Fetcher(asked)
    fetcher.joined("a", 0.0)
    fetcher.need(SHA, SIZE, 0, ["a"])
    fetcher.pump(0.0)
    give(fetcher, "a", 0, 0.1)
    fetcher.left("a")
    assert not fetcher.expects("a", SHA, CHUNK, CHUNK)
    asked.all.clear()
    fetcher.joined("a", 1.0)
    assert asked.all[0] == ("a", CHUNK, CHUNK)


def test_after_a_restart_whoever_comes_is_asked() -> None:
    """A node that does not know any more who brought the entry asks every neighbour in turn."""
    asked = Asked()
    fetcher = Fetcher(asked)
    fetcher.need(SHA, SIZE, CHUNK, [])
    fetcher.joined("b", 0.0)
    assert asked.all[0] == ("b", CHUNK, CHUNK)
    fetcher.joined("c", 0.0)
    fetcher.pump(PATIENCE + 1)
    assert asked.all[-1][0] == "c"


def test_only_the_one_who_was_asked_may_answer() -> None:
    """A part from another neighbour, at another offset or of another length is not taken."""
    fetcher = Fetcher(Asked())
    fetcher.joined("a", 0.0)
    fetcher.need(SHA, SIZE, 0, ["a"])
    fetcher.pump(0.0)
    assert not fetcher.expects("b", SHA, 0, CHUNK)
    assert not fetcher.expects("a", SHA, CHUNK, CHUNK), "not before the one before it"
    assert not fetcher.expects("a", SHA, 0, CHUNK - 1)
    assert not fetcher.expects("a", bytes(31) + b"1", 0, CHUNK)


def test_a_wrong_blob_is_fetched_anew() -> None:
    """A blob with another hash than its name begins again from nothing."""
    asked = Asked()
    fetcher = Fetcher(asked)
    fetcher.joined("a", 0.0)
    fetcher.need(SHA, SIZE, 0, ["a"])
    fetcher.pump(0.0)
    give(fetcher, "a", 0, 0.0)
    fetcher.again(SHA, 0.0)
    asked.all.clear()
    fetcher.pump(0.0)
    assert asked.all[0] == ("a", 0, CHUNK)


def test_a_silent_source_does_not_block_for_ever() -> None:
    """After some rounds of silence every neighbour is asked."""
    asked = Asked()
    fetcher = Fetcher(asked)
    fetcher.joined("a", 0.0)
    fetcher.joined("b", 0.0)
    fetcher.need(SHA, SIZE, 0, ["a"])
    for n in range(DESPERATE + 2):
        fetcher.pump(n * (PATIENCE + 1))
    assert {peer for peer, _, _ in asked.all} == {"a", "b"}

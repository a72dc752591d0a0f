"""Fetching blobs: in order, from whoever has them, nothing twice."""

from __future__ import annotations

from sync.fetch import AT_ONCE, DESPERATE, LOOKING, PATIENCE, Fetcher
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


def ask_for(fetcher: Fetcher, count: int, first: int = 0) -> list[bytes]:
    """Name so many blobs that neighbour "a" brought."""
    names = [(first + n).to_bytes(32) for n in range(count)]
    for sha in names:
        fetcher.need(sha, SIZE, 0, ["a"])
    return names


def test_what_is_nowhere_does_not_keep_back_what_is_there() -> None:
    """A thousand attachments that their author named and never sent: one that the neighbour has is asked for in the same moment."""
    asked: list[tuple[bytes, int]] = []
    fetcher = Fetcher(lambda peer, sha, offset, length: asked.append((sha, offset)))
    fetcher.joined("a", 0.0)
    nowhere = set(ask_for(fetcher, 1000))
    fetcher.pump(0.0)
    here = ask_for(fetcher, 1, first=5000)[0]
    for sha, offset in asked:  # grows while it is answered: the neighbour says of each that it has nothing yet
        if sha in nowhere:
            fetcher.waits("a", sha, offset, 0.0)
    assert (here, 0) in asked
    assert fetcher.expects("a", here, 0, CHUNK)


def test_what_a_silent_neighbour_keeps_back_is_only_its_own() -> None:
    """Where a neighbour does not even say that it has nothing, what it was asked for loses its place after a while."""
    asked: list[bytes] = []
    fetcher = Fetcher(lambda peer, sha, offset, length: asked.append(sha))
    fetcher.joined("a", 0.0)
    ask_for(fetcher, AT_ONCE)
    fetcher.pump(0.0)
    here = ask_for(fetcher, 1, first=5000)[0]
    fetcher.pump(1.0)
    assert here not in asked
    for turn in range(1, AT_ONCE + 1):
        fetcher.pump(turn * (PATIENCE + 1))
    assert here in asked


def test_what_is_waited_for_is_looked_for_in_turn() -> None:
    """Of many blobs that are nowhere a bounded number is asked for at a time, each sooner or later, and one that turns up is taken to its end."""
    asked: list[tuple[bytes, int]] = []
    fetcher = Fetcher(lambda peer, sha, offset, length: asked.append((sha, offset)))
    fetcher.joined("a", 0.0)
    names = ask_for(fetcher, 3 * LOOKING)
    for turn in range(4 * LOOKING):
        asked.clear()
        fetcher.pump(turn * (PATIENCE + 1))
        assert len(asked) <= LOOKING + AT_ONCE * 2
        if names[-1] in {sha for sha, _ in asked}:
            break
        for sha, offset in list(asked):
            fetcher.waits("a", sha, offset, turn * (PATIENCE + 1))
    assert fetcher.expects("a", names[-1], 0, CHUNK)
    fetcher.wrote(names[-1], 0, CHUNK, 0.0)
    assert (names[-1], CHUNK) in asked

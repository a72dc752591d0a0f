"""Taking a snapshot as a pure machine: the order of parts, a slow ledger, a neighbour that stops, an answer to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sync.bootstrap import PATIENCE, Bootstrap, Parts
from sync.fetch import Fetcher
from sync.peer import Now
from sync.wishes import Offered

LIST = bytes(32)
SIZE = 1000


@dataclass
class Above:
    """The line to the node above, as far as a snapshot needs it."""

    neighbour: str = "county"
    told: int = 0

    def tell(self) -> None:
        """Count how often this side told what it holds."""
        self.told += 1


@dataclass
class Ledger:
    """A ledger that answers when it is told to."""

    parts: Parts | None
    taken: list[int] = field(default_factory=list)
    waiting: list[Callable[[bool], None]] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    def offered(self, then: Callable[[bytes, int, int], None]) -> None:
        """It has made none."""
        then(b"", 0, 0)

    def listed(self, data: bytes, then: Callable[[Parts | None], None]) -> None:
        """The list as it is, or refused."""
        then(self.parts)

    def adopt(self, number: int, then: Callable[[bool], None]) -> None:
        """Begin to take a part."""
        self.taken.append(number)
        self.waiting.append(then)

    def adopted(self, whole: bool, then: Callable[[], None]) -> None:
        """Note the end."""
        self.ended.append(whole)
        then()


@dataclass
class Disk:
    """Files in memory."""

    files: dict[bytes, bytes] = field(default_factory=dict)

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        """A part of a file."""
        return self.files.get(sha, b"")[offset : offset + length]

    def have(self, sha: bytes, size: int) -> int:
        """Bytes that are here."""
        return len(self.files.get(sha, b""))

    def write(self, sha: bytes, size: int, offset: int, data: bytes) -> bool:
        """Keep a file."""
        self.files[sha] = data
        return True


class Newcomer:
    """A node that takes a snapshot of so many parts, and the world around it."""

    def __init__(self, folder: Path, count: int) -> None:
        self.at, self.asked, self.coming = 0.0, Counter[bytes](), list[bytes]()
        self.above, self.disk = Above(), Disk()
        self.ledger = Ledger(tuple((n, bytes([n + 1]) * 32, SIZE) for n in range(count)))
        self.fetcher = Fetcher(self._ask)
        self.begun = Bootstrap(self.ledger, self.disk, {}, lambda: self.fetcher, folder / "taking", few=1)
        self.fetcher.joined("county", 0.0)
        self.begun.offered(self.above, Offered(LIST, SIZE, 1), self.now)  # type: ignore[arg-type]

    @property
    def now(self) -> Now:
        """The moment."""
        return Now(self.at, int(self.at * 1000))

    def _ask(self, peer: str, sha: bytes, offset: int, length: int) -> None:
        self.asked[sha] += 1
        self.coming.append(sha)

    def arrive(self, most: int = 100) -> None:
        """What was asked for comes."""
        come, self.coming = self.coming[:most], self.coming[most:]
        for sha in come:
            if self.fetcher.expects("county", sha, 0, SIZE):
                self.disk.write(sha, SIZE, 0, bytes(SIZE))
                self.fetcher.wrote(sha, 0, SIZE, self.at)
                self.begun.whole(sha, self.now)
                self.fetcher.met(sha)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds
        self.begun.tick(self.now)
        self.fetcher.pump(self.at)

    def answer(self, *, taken: bool = True) -> None:
        """The ledger has done what it was asked first."""
        if self.ledger.waiting:
            self.ledger.waiting.pop(0)(taken)


def test_a_slow_ledger_makes_nobody_send_a_chunk_twice(tmp_path: Path) -> None:
    """Parts that come faster than the ledger takes them are asked for once each, taken in their order, and then what is held is told."""
    one = Newcomer(tmp_path, 40)
    for _ in range(400):
        one.pass_time(1.0)
        one.arrive(1)
        if one.at % 3 == 0:
            one.answer()
    assert set(one.asked.values()) == {1}
    assert one.ledger.taken == list(range(40))
    assert (one.ledger.ended, one.above.told) == ([True], 1)
    assert not one.begun.marker.exists()


@pytest.mark.parametrize("refused", ["list", "part", "silence"])
def test_whatever_is_wrong_the_entries_come_one_by_one(tmp_path: Path, refused: str) -> None:
    """A list or a part that the ledger refuses, or a neighbour that stops sending: what is held is told once, and no other snapshot is asked for."""
    one = Newcomer(tmp_path, 3)
    if refused == "list":
        one.ledger.parts = None
    one.arrive()
    if refused == "part":
        one.arrive()
        one.answer(taken=False)
    if refused == "silence":
        one.pass_time(PATIENCE + 1)
    assert (one.ledger.ended, one.above.told) == ([False], 1)
    assert not one.begun.begins()
    assert not one.fetcher.needs


def test_a_line_that_ends_leaves_the_rest_for_the_next(tmp_path: Path) -> None:
    """When the line ends nothing is told over it, and the next session asks for the snapshot again, large as the journal may be by then."""
    one = Newcomer(tmp_path, 3)
    one.arrive()
    one.begun.left("county")
    one.begun.few = 0
    assert (one.ledger.ended, one.above.told) == ([False], 0)
    assert one.begun.begins()
    one.begun.offered(one.above, Offered(LIST, SIZE, 1), one.now)  # type: ignore[arg-type]
    for _ in range(10):
        one.pass_time(0.1)
        one.arrive()
        one.answer()
    assert one.ledger.ended == [False, True]
    assert one.above.told == 1

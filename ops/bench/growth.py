"""What grows with a node's age: append, take, page and restart with few and with many entries, each in seconds of this process's processor.

A county writes, its city takes; both books are in this process, so that nothing is measured but they. The figures are lower quartiles of
processor time, which others on the machine disturb least.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from node import certs, persons
from node.book import Book
from node.clock import now
from node.directory.entries import Certified, Person
from node.directory.writing import draft
from node.entry import UP
from node.errors import NodeError
from node.requests import Draft
from node.settings import Settings
from node.tier import load
from ops.bench import fleet, meter
from ops.bench.papers import Author, Paper, documents

FIRST = 10_000
"Entries of the young node that the older ones are compared with."
GROUP, TIMES, STARTS = 100, 30, 5
"""Documents in one write; measurements of each kind, and restarts, of which the lower quartile counts."""
BATCH = 128 * 1024
"Bytes of a batch on a line."


@dataclass
class Pair:
    """A county that writes and the city that takes it."""

    city: Book
    below: Book
    author: Author
    texts: Iterator[str]

    def drafts(self, count: int) -> tuple[Draft, ...]:
        """New documents, signed."""
        return tuple(self.author.draft(Paper(text), UP) for text in itertools.islice(self.texts, count))

    def carry(self) -> Iterator[Callable[[], Any]]:
        """What takes the next batch at the city, until it has all."""
        for chain in self.below.chains():
            held = self.city.journal.chains.get(chain.id)
            at = held.count if held else 0
            while batch := self.below.read(chain.id, at, BATCH):
                yield partial(done, self.city, "take", batch)
                at = batch.start + len(batch.entries)

    def fill(self, entries: int) -> None:
        """Write until the city has so many entries."""
        while (missing := entries - self.city.journal.last) > 0:
            for _ in range(0, min(missing, 5000), GROUP):
                done(self.below, "write", self.drafts(min(GROUP, missing)))
            for take in self.carry():
                take()


def done(book: Book, name: str, *args: Any) -> Any:
    """The result of one request in a transaction of its own."""
    [result] = book.commit([(name, args)])
    if isinstance(result, NodeError):
        raise result
    return result


def run(most: int) -> None:
    """Measure a young node, then one ten times as old, and so on up to ``most`` entries."""
    meter.note("growth")
    with TemporaryDirectory(prefix="yw-bench-") as folder:
        pair = _pair(Path(folder))
        young: dict[str, float] = {}
        sizes = [FIRST, *(FIRST * 10**power for power in range(1, 9) if FIRST * 10**power < most), *([most] if most > FIRST else [])]
        for size in sizes:
            pair.fill(size)
            meter.note(f"growth: {size}")
            figures = _figures(pair)
            young = young or figures
            ratios = {name.rpartition("_")[0]: round(value / young[name], 2) for name, value in figures.items()}
            meter.emit("yiwang.growth", entries=size, **{name: round(value, 1) for name, value in figures.items()}, as_young=ratios)
        pair.city.close()
        pair.below.close()


def _pair(folder: Path) -> Pair:
    homes = fleet.found(folder, 1, 0, {}).members
    settings = homes["county1"].settings
    door, cert = persons.make_person_key(settings, "bench", "测试员", now())
    city, below = _book(homes["city"].settings), _book(settings)
    assert city.directory is not None
    for about in homes["city"].says:
        done(city, "write", (draft(city.settings, city.directory, about),))
    organ = fleet.organ(settings)
    pair = Pair(city, below, Author(settings.city, settings.id, organ.id, door.key, door.fingerprint), itertools.cycle(documents(1000)))
    for chain in city.chains():
        batch = city.read(chain.id, 0, 2**24)
        assert batch is not None
        done(below, "take", batch)
    assert below.directory is not None
    for content in (organ, Person("bench", "测试员", organ.id, "", 1, "active", "ce shi yuan"), Certified("bench", certs.der(cert), "")):
        done(below, "write", (draft(settings, below.directory, content),))
    return pair


def _book(settings: Settings) -> Book:
    return Book(settings, [module.ROOM for module in load(settings.tier).models()])


def _figures(pair: Pair) -> dict[str, float]:
    group = [pair.drafts(GROUP) for _ in range(TIMES)]
    single = [pair.drafts(1) for _ in range(TIMES)]
    append = _usual(partial(done, pair.below, "write", some) for some in group)
    one = _usual(partial(done, pair.below, "write", some) for some in single)
    take = _usual(pair.carry())
    last = pair.city.journal.released
    page = _usual(partial(pair.city.released, last * i // TIMES, 30) for i in range(TIMES))
    start = _restart(pair)
    return {"append_us": append / GROUP * 1e6, "one_us": one * 1e6, "batch_us": take * 1e6, "page_us": page * 1e6, "restart_ms": start * 1e3}


def _usual(acts: Iterable[Callable[[], Any]]) -> float:
    times = []
    for act in acts:
        start = time.process_time()
        act()
        times.append(time.process_time() - start)
    return statistics.quantiles(times, n=4)[0]


def _restart(pair: Pair) -> float:
    def again() -> None:
        pair.city = _book(pair.city.settings)

    def acts() -> Iterator[Callable[[], None]]:
        for _ in range(STARTS):
            pair.city.close()
            yield again

    return _usual(acts())

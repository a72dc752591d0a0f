"""A clerk with one service that says what it hears, for the tests of reactions: ``python -m tests.office.probe HOME``.

Each line on standard output is the method, the organ's name and the try. Organs named so fail once, or every time.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from eventlet import patcher

from node import settings, tier
from node.directory.entries import Organ
from node.kinds import Entry
from office.frame import run
from office.frame.applied import NodeDesk, applied, every

TRIES: Counter[str] = Counter()


def say(*words: object) -> None:
    """One line, at once; not by the green ``write``, on which two may not wait for one file."""
    patcher.original("os").write(1, (" ".join(map(str, words)) + "\n").encode())


class Probe:
    """Says what it hears."""

    name = "probe"
    desk = NodeDesk()

    @applied(Organ)
    def hears(self, entry: Entry[Organ]) -> None:
        """From the present on; ``fails`` fails once, ``poison`` always unless a cure lies in the home."""
        called = entry.body.short_name
        TRIES[called] += 1
        seen = self.desk.directory.organ(entry.body.id)
        assert seen is not None and seen.full_name == entry.body.full_name, "not folded yet"
        if called == "fails" and TRIES[called] == 1:
            raise ValueError("once")
        if called == "poison" and not self.desk.settings.path("cure").exists():
            raise ValueError("always")
        say("hears", called, TRIES[called])

    @applied(Organ, whole=True)
    def knows(self, entry: Entry[Organ]) -> None:
        """From the first entry on."""
        say("knows", entry.body.short_name, 1)

    @every(30.0)
    def ticks(self) -> None:
        """Fails and comes again."""
        TRIES["tick"] += 1
        if TRIES["tick"] <= 2:
            say("ticks", self.desk.node, TRIES["tick"])
        raise ValueError("a timer that fails")


if __name__ == "__main__":
    found = settings.load(Path(sys.argv[1]))
    os.chdir(found.home)
    run.react(found, tier.load(found.tier), [Probe])

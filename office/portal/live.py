"""What is live: the ledger's bell, the clerk's rings and the courier's lines, passed on to every open page as server-sent events.

An event carries no matter, only that there is something to look at and how pressing it is (``urgent`` for 特急); the page then asks
with the rights of its person. Its id is the journal's mark, so a browser that comes back with ``Last-Event-ID`` is told at once when it
has missed something. One that comes for the first time says how old its page is: what rang since then it has not seen.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator

import eventlet
from eventlet.queue import Empty, Full, LightQueue

from node.errors import NodeError
from node.settings import Settings
from office.frame.local import Local
from office.frame.memo import Memo

BEAT = 15.0
"Seconds between signs of life on a silent stream; a browser that is gone is noticed by them."
RINGS = 0.5
"Seconds between two looks for rings."
PER_PERSON, STREAMS = 6, 1000
END = "end"
URGENCY = {"urgent": "flash"}
"Topics that a browser rings for at once, with the urgency it shows."


class Live:
    """Everybody who listens to this portal."""

    def __init__(self, settings: Settings, local: Local, memo: Memo) -> None:
        self.settings, self._local, self._memo = settings, local, memo
        self.mark = 0
        self._rang = float("-inf")
        "When the ledger's bell last rang, by a clock that never jumps."
        self._queues: dict[LightQueue, str] = {}

    @property
    def streams(self) -> int:
        """Browsers that listen."""
        return len(self._queues)

    def entries(self, mark: int) -> None:
        """The journal has grown to this mark."""
        self.mark, self._rang = max(self.mark, mark), time.monotonic()
        self.tell("entries")

    def follow_rings(self) -> None:
        """Pass on what reactions and timers ring for, whichever process they run in."""
        last, _topics = self._local.rung(0)
        while True:
            eventlet.sleep(RINGS)
            with contextlib.suppress(NodeError, sqlite3.Error):  # held by another process: the next look finds the same
                last, topics = self._local.rung(last)
                if topics:
                    self._memo.clear()  # what rang may be older than the minute for which pages are remembered
                for topic in topics:
                    self.tell(topic)

    def follow_lines(self) -> None:
        """Notice when the courier writes that a line went up or down."""
        last = ""
        while True:
            eventlet.sleep(2)
            now = _states(self.settings)
            if now != last:
                last = now
                self.tell("lines")

    def tell(self, topic: str) -> None:
        """Say it to all; who does not read loses the oldest, and looks anyway when it next reads."""
        for queue in list(self._queues):
            self._put(queue, topic)

    def stream(self, person: str, last: int | None, alive: Callable[[], bool], *, age: float = 0.0) -> Iterator[str] | None:
        """The events for one browser until it goes away or its session ends; None when the portal has too many.

        ``last`` is the id of the last event it heard, ``age`` the seconds since it asked for what it shows.
        A browser that left its page is noticed late, so a person's oldest stream makes room for the newest.
        """
        own = [queue for queue, listener in self._queues.items() if listener == person]
        if len(own) >= PER_PERSON:
            self._queues.pop(own[0])
            self._put(own[0], END)
        elif len(self._queues) >= STREAMS:
            return None
        queue: LightQueue = LightQueue(16)
        self._queues[queue] = person
        missed = last is not None and last != self.mark or time.monotonic() - self._rang < age
        return self._events(queue, missed, alive)

    def _put(self, queue: LightQueue, topic: str) -> None:
        try:
            queue.put_nowait(topic)
        except Full:
            queue.get_nowait()
            queue.put_nowait(topic)

    def _events(self, queue: LightQueue, missed: bool, alive: Callable[[], bool]) -> Iterator[str]:
        try:
            yield "retry: 3000\n\n"
            if missed:
                yield self._event("entries")
            while True:
                try:
                    topic = queue.get(timeout=BEAT)
                except Empty:
                    if not alive():
                        yield self._event("signed_out")
                        return
                    yield ": \n\n"
                    continue
                if topic == END:
                    return
                yield self._event(topic)
        finally:
            self._queues.pop(queue, None)

    def _event(self, topic: str) -> str:
        data = {"topic": topic, "mark": self.mark} | ({"urgency": URGENCY[topic]} if topic in URGENCY else {})
        return f"id: {self.mark}\nevent: {topic}\ndata: {json.dumps(data)}\n\n"


def _states(settings: Settings) -> str:
    try:
        found = json.loads(settings.path("run", "links.json").read_bytes())
        return str([(one.get("peer"), one.get("state")) for one in found.get("links", ())])
    except (OSError, ValueError, AttributeError):
        return ""

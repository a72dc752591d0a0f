"""What is live: the ledger's bell and the courier's lines, passed on to every open page as server-sent events.

An event carries no matter, only that there is something to look at; the page then asks. Its id is the journal's mark, so a browser
that comes back with ``Last-Event-ID`` is told at once when it has missed something.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import eventlet
from eventlet.green import zmq
from eventlet.queue import Empty, Full, LightQueue

from node import logs
from node.client import bell
from node.settings import Settings

BEAT = 15.0
"Seconds between signs of life on a silent stream; a browser that is gone is noticed by them."
PER_PERSON, STREAMS = 6, 1000
END = "end"
log = logs.named("live")


class Live:
    """Everybody who listens to this portal."""

    def __init__(self, settings: Settings, context: Any) -> None:
        self.settings, self._context = settings, context
        self.mark = 0
        self._queues: dict[LightQueue, str] = {}

    @property
    def streams(self) -> int:
        """Browsers that listen."""
        return len(self._queues)

    def follow_bell(self) -> None:
        """Listen to the ledger for ever; run as a managed thread."""
        while True:
            ring = bell(self.settings, self._context, "entries")
            try:
                while True:
                    _topic, mark = ring.recv_multipart()
                    self.mark = max(self.mark, int(mark or 0))
                    self.tell("entries")
            except (zmq.ZMQError, ValueError) as e:
                log.warning("bell.lost", error=str(e))
                eventlet.sleep(1)
            finally:
                ring.close(0)

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

    def stream(self, person: str, last: int, alive: Callable[[], bool]) -> Iterator[str] | None:
        """The events for one browser until it goes away or its session ends; None when the portal has too many.

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
        return self._events(queue, last, alive)

    def _put(self, queue: LightQueue, topic: str) -> None:
        try:
            queue.put_nowait(topic)
        except Full:
            queue.get_nowait()
            queue.put_nowait(topic)

    def _events(self, queue: LightQueue, last: int, alive: Callable[[], bool]) -> Iterator[str]:
        try:
            yield "retry: 3000\n\n"
            if last and last < self.mark:
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
        return f"id: {self.mark}\nevent: {topic}\ndata: {json.dumps({'topic': topic, 'mark': self.mark})}\n\n"


def _states(settings: Settings) -> str:
    try:
        found = json.loads(settings.path("run", "links.json").read_bytes())
        return str([(one.get("peer"), one.get("state")) for one in found.get("links", ())])
    except (OSError, ValueError, AttributeError):
        return ""

"""The ledger's bell, heard once in a process and passed on to everybody in it who follows the journal.

A ring carries no matter. Whoever waits looks at what it follows, from where it stopped; a ring that is lost costs the time
until the next look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.green import zmq

from node import logs
from node.client import bell
from node.settings import Settings

log = logs.named("bells")


class Bell:
    """One bell of a process; :meth:`follow` runs for ever in a greenlet of its own."""

    def __init__(self, settings: Settings, context: Any) -> None:
        """``context`` is the green ZeroMQ context of the process."""
        self.settings, self._context = settings, context
        self.count = 0
        "Rings so far: who saw this number before looking misses none while looking."
        self._waiting: list[Event] = []
        self._hearing: list[Callable[[int], None]] = []

    def hear(self, told: Callable[[int], None]) -> None:
        """Call ``told(mark of the journal)`` at each ring; 0 where the ring did not say. It must be quick."""
        self._hearing.append(told)

    def ring(self, mark: int = 0) -> None:
        """Wake everybody."""
        self.count += 1
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            if not event.ready():
                event.send()
        for told in self._hearing:
            told(mark)

    def wait(self, seen: int, seconds: float) -> None:
        """Wait for a ring after the ``seen``-th, so many seconds at most."""
        if self.count != seen:
            return
        event = Event()
        self._waiting.append(event)
        with eventlet.Timeout(seconds, False):
            event.wait()
        if event in self._waiting:
            self._waiting.remove(event)

    def follow(self) -> None:
        """Listen to the ledger for ever."""
        while True:
            socket = bell(self.settings, self._context, "entries", "holds", "blobs")  # all that pages show grows with one of them
            try:
                while True:
                    _topic, mark = socket.recv_multipart()
                    self.ring(int(mark or 0))
            except (zmq.ZMQError, ValueError) as e:
                log.warning("bell.lost", error=str(e))
                eventlet.sleep(1)
            finally:
                socket.close(0)

"""How much may be under way on a line, lane by lane, so that an urgent entry never waits behind a full buffer.

Each lane has a credit of bytes that were sent and not acknowledged. Trust and urgent have fixed ones of their own. The
ordinary lane and the blobs share a thin line with them, so their credit follows the delay they cause: it shrinks when an
acknowledgement takes much longer than the quickest one seen, and grows while it does not (the idea of LEDBAT, RFC 6817).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from node.entry import Lane

LEAST, MOST = 64 * 1024, 2 * 1024 * 1024
PATIENCE = 0.1
"Seconds of waiting that ordinary traffic may cause on the line."


@dataclass
class Credit:
    """The bytes one lane may have under way."""

    fixed: bool
    window: int = 256 * 1024
    under_way: int = 0
    quickest: float = 60.0
    "Shortest time from sending to acknowledgement, seconds; forgets slowly."

    def left(self) -> int:
        """Bytes that may still be sent."""
        return self.window - self.under_way

    def sent(self, size: int) -> None:
        """``size`` bytes went out."""
        self.under_way += size

    def back(self, size: int, took: float) -> None:
        """``size`` bytes were acknowledged ``took`` seconds after they were sent."""
        busy = self.under_way * 2 > self.window
        self.under_way = max(0, self.under_way - size)
        if self.fixed:
            return
        self.quickest = min(self.quickest * 1.01 + 0.0001, took)
        if took - self.quickest > PATIENCE:
            self.window = max(LEAST, int(self.window * 0.8))
        elif busy:
            self.window = min(MOST, self.window + size)

    def lost(self, size: int) -> None:
        """``size`` bytes will never be acknowledged."""
        self.under_way = max(0, self.under_way - size)


@dataclass
class Passage:
    """One chain on its way to one neighbour."""

    theirs: int = 0
    "Entries the neighbour has said to hold."
    sent: int = 0
    "Number of the next entry to send."
    flying: deque[tuple[int, int, float]] = field(default_factory=deque)
    "(next number after the batch, bytes, when sent) of what is not acknowledged."
    reading: bool = False
    stopped: bool = False
    "The neighbour wants no more of it."

    def acknowledge(self, count: int, now: float, credit: Credit) -> None:
        """Everything before ``count`` has arrived."""
        self.theirs = max(self.theirs, count)
        self.sent = max(self.sent, count)
        while self.flying and self.flying[0][0] <= count:
            _, size, at = self.flying.popleft()
            credit.back(size, now - at)

    def rewind(self, count: int, credit: Credit) -> int:
        """Begin again at ``count``; returns how many entries will go out a second time."""
        again = max(0, self.sent - count)
        while self.flying:
            credit.lost(self.flying.popleft()[1])
        self.theirs = self.sent = count
        return again


def fresh() -> dict[Lane, Credit]:
    """The credits a session begins with."""
    return {
        Lane.TRUST: Credit(fixed=True, window=1024 * 1024),
        Lane.URGENT: Credit(fixed=True, window=512 * 1024),
        Lane.ORDINARY: Credit(fixed=False),
    }

"""The one clock: UTC, aware, and milliseconds for what is signed. Timers use ``time.monotonic``."""

from __future__ import annotations

import datetime as dt
import time


def now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


def ms() -> int:
    """The present moment in milliseconds since 1970 UTC, as statements claim it."""
    return time.time_ns() // 1_000_000


def from_ms(value: int) -> dt.datetime:
    """The moment of a claimed time."""
    return dt.datetime.fromtimestamp(value / 1000, dt.UTC)


def to_ms(moment: dt.datetime) -> int:
    """A moment as statements claim it."""
    return int(moment.timestamp() * 1000)

"""A process says that it lives: it touches ``run/<role>.beat`` from its own loop, and ``ops.watch`` looks whether it still does.

Only the loop that does the work may call it: a thread of its own would go on while the work hangs.
"""

from __future__ import annotations

import os
import time

from node.settings import Settings

PERIOD = 1.5
"Seconds at least between two touches; loops come round at least every second when nothing happens."


class Beat:
    """The heartbeat of one role. What an earlier life left is removed: who has not begun to beat is not judged."""

    def __init__(self, settings: Settings, role: str) -> None:
        self._file = settings.path("run", f"{role}.beat")
        self._file.unlink(missing_ok=True)
        self._next = 0.0

    def touch(self) -> None:
        """Say so, if it was not said within the last moments; a disk without room or rights stops nobody."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PERIOD
        try:
            os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600))
            os.utime(self._file)
        except OSError:
            return

"""What was worked out once and stays good until something it was made of changes: badges, counts, whole pages.

Each thing carries the date of what it was made of, and whoever takes it compares
(:meth:`office.frame.desk.Desk.known`), so that what is known can be late by no more than the look at the date.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from node.fold import Room

MANY, BYTES = 20_000, 4 * 1024 * 1024
"Things remembered, and bytes of the pages among them."


@dataclass(frozen=True, slots=True)
class Known:
    """One thing with its date."""

    value: Any
    when: Hashable
    "Version of the directory, and the minute."
    stamps: tuple[tuple[Room, Hashable], ...]
    "How far the tables of each room had come that was read for it."

    @property
    def size(self) -> int:
        """Bytes that count."""
        return len(self.value) if isinstance(self.value, bytes) else 0


class Memo:
    """The things of one process; what was not asked for longest goes when there is no room."""

    def __init__(self, many: int = MANY, most: int = BYTES) -> None:
        self._held: OrderedDict[Hashable, Known] = OrderedDict()
        self._many, self._most, self.bytes = many, most, 0

    def find(self, key: Hashable) -> Known | None:
        """What is held under a key, whatever its date."""
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def put(self, key: Hashable, held: Known) -> None:
        """Hold something, in the place of what was there."""
        former = self._held.pop(key, None)
        self._held[key] = held
        self.bytes += held.size - (former.size if former is not None else 0)
        while len(self._held) > self._many or self.bytes > self._most:
            _key, gone = self._held.popitem(last=False)
            self.bytes -= gone.size

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

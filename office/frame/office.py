"""What every desk of a process stands in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import DeclarativeBase

from node.client import Ledger
from node.directory import model as directory_model
from node.directory.view import Directory
from node.fold import Room, Tables
from node.settings import Settings
from node.tier import Tier
from office.frame.memo import Memo

T = TypeVar("T")


class Office:
    """What a process of the office has once: settings, tables, the directory and the line to the ledger."""

    def __init__(self, settings: Settings, tier: Tier, *, context: Any = None, aside: Callable[[Callable[[], Any]], Any] = lambda act: act()) -> None:
        """``context`` is the ZeroMQ context of the process, eventlet's in green ones; ``aside`` runs what takes long without stopping the others."""
        self.settings, self.tier, self.context, self._aside = settings, tier, context, aside
        self.tables = Tables(settings)
        self.ledger = Ledger(settings, context)
        self.memo = Memo()
        self._directory: Directory | None = None

    @property
    def directory(self) -> Directory:
        """The directory; :class:`Missing` while its tables are built for the first time."""
        if self._directory is None:
            room = directory_model.ROOM
            self._directory = Directory.of(self.settings, lambda: self.tables.session(room), auto=False, stamp=lambda: self.tables.stamp(room))
        return self._directory

    def aside(self, act: Callable[[], T]) -> T:
        """Do something that keeps a processor busy (a password, a hash of a large file) while others are served."""
        return self._aside(act)  # type: ignore[no-any-return]

    def room(self, model: type[DeclarativeBase]) -> Room:
        """The room whose table a model is."""
        room: Room = model.metadata.info["room"]
        return room

    def close(self) -> None:
        """Give back files and sockets."""
        self.tables.close()
        self.ledger.close()

"""Tables of flows: drafts, batches in which matters were moved, and (by the frame) the templates and matters of all rooms."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Text, false, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack, unpack
from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.flows import entries as said
from office.flows.workflow import DESIGNERS
from office.frame.flow.tables import keep
from office.frame.flow.template import Template

ROOM = Room("flows", version=1)
FLOWS = keep(ROOM)


class Draft(ROOM.Base):
    """A template that is being drawn."""

    __tablename__ = "drafts"
    id: Mapped[str] = mapped_column(primary_key=True)
    template: Mapped[str] = mapped_column(index=True)
    base: Mapped[str]
    "Hex digest of the version that it changes."
    person: Mapped[str]
    at: Mapped[int]
    last: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def drawn(self) -> Template:
        """What it says."""
        return unpack(self.content, Template)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those who draw flows."""
        return true() if set(desk.roles) & set(DESIGNERS) else false()


class Batch(ROOM.Base):
    """Matters that were moved together."""

    __tablename__ = "batches"
    id: Mapped[str] = mapped_column(primary_key=True)
    template: Mapped[str] = mapped_column(index=True)
    old: Mapped[bytes] = mapped_column(LargeBinary)
    new: Mapped[bytes] = mapped_column(LargeBinary)
    person: Mapped[str]
    at: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    matters_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    undone_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Records that were taken back."

    @property
    def matters(self) -> tuple[tuple[str, bytes], ...]:
        """(record, statement id of its act)."""
        return unpack(self.matters_bytes, tuple[tuple[str, bytes], ...])

    @property
    def undone(self) -> tuple[str, ...]:
        """Records that were taken back."""
        return unpack(self.undone_bytes, tuple[str, ...]) if self.undone_bytes else ()

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those who draw flows."""
        return true() if set(desk.roles) & set(DESIGNERS) else false()


@ROOM.folds(said.Drafted)
def drafted(session: Session, entry: Entry[said.Drafted]) -> None:
    """The draft says this now."""
    found = session.get(Draft, entry.record)
    if found is None:
        found = Draft(id=entry.record)
        session.add(found)
    found.template, found.base, found.content = entry.body.template.id, entry.body.base, pack(entry.body.template)
    found.person, found.at, found.last = entry.person, entry.at, entry.id


@ROOM.folds(said.Dropped)
def dropped(session: Session, entry: Entry[said.Dropped]) -> None:
    """Gone from the list; the log keeps it."""
    found = session.get(Draft, entry.record)
    if found is not None:
        session.delete(found)


@ROOM.folds(said.Moved)
def moved(session: Session, entry: Entry[said.Moved]) -> None:
    """A batch that can be taken back."""
    body = entry.body
    about = {"template": body.template, "old": body.old, "new": body.new, "reason": body.reason, "matters_bytes": pack(body.matters)}
    session.add(Batch(id=entry.record, person=entry.person, at=entry.at, said=entry.id, **about))


@ROOM.folds(said.Undone)
def undone(session: Session, entry: Entry[said.Undone]) -> None:
    """Taken back."""
    found = session.get(Batch, entry.body.batch)
    if found is None:
        raise Refused("no such batch", code="missing")
    found.undone_bytes = pack((*found.undone, *entry.body.matters))

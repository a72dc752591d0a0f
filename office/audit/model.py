"""The table of events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, String, or_, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.fold import Room
from node.kinds import Entry
from office.audit.entries import Did, Noted

ROOM = Room("audit", version=1)


class Happened(ROOM.Base):
    """An event, and the entry that has it."""

    __tablename__ = "events"
    said: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    "Its place within the entry."
    at: Mapped[int]
    did: Mapped[str] = mapped_column(String())
    person: Mapped[str] = mapped_column(String())
    name: Mapped[str] = mapped_column(String())
    object: Mapped[str] = mapped_column(String())
    address: Mapped[str] = mapped_column(String())
    seq: Mapped[int]
    "Place of the entry in its chain."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The audit administrator of the node; a person what was done in the person's name, and who looked at the person's page."""
        if "auditor" in desk.roles:
            return true()
        looks = (cls.object == f"/people/{desk.person}") & (cls.did == Did.LOOKED)
        return or_(cls.person == desk.person, looks)


Index("events_at", Happened.at.desc(), Happened.said, Happened.place)
Index("events_person", Happened.person, Happened.at)
Index("events_object", Happened.object, Happened.at)


@ROOM.folds(Noted)
def noted(session: Session, entry: Entry[Noted]) -> None:
    """Events in their order; only the node itself says them, of itself."""
    if entry.person or entry.author != ROOM.here:
        return
    for place, one in enumerate(entry.body.events):
        session.add(
            Happened(
                said=entry.id,
                place=place,
                at=one.at,
                did=one.did,
                person=one.person,
                name=one.name,
                object=one.object,
                address=one.address,
                seq=entry.seq,
            )
        )

"""Tables of a person's own notes: phrases for the person alone, absences for everybody. The directory's tables are ``node``'s."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, String, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack, unpack
from node.fold import Room
from node.kinds import Entry
from office.people.entries import Absence, Announced, Phrased

ROOM = Room("people", version=1)


class Note(ROOM.Base):
    """What a person keeps at hand."""

    __tablename__ = "notes"
    person: Mapped[str] = mapped_column(String(), primary_key=True)
    phrases_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    last: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the present value; the next names it."

    @property
    def phrases(self) -> tuple[str, ...]:
        """The phrases in the person's order."""
        return unpack(self.phrases_bytes, tuple[str, ...])

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The person alone."""
        return cls.person == str(desk.person)


class Away(ROOM.Base):
    """A person's present or coming absence."""

    __tablename__ = "away"
    person: Mapped[str] = mapped_column(String(), primary_key=True)
    absence_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    last: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def absence(self) -> Absence | None:
        """The absence, or None when it was taken back."""
        return unpack(self.absence_bytes, Absence) if self.absence_bytes else None

    def now(self, day: dt.date) -> Absence | None:
        """The absence if it covers a day."""
        one = self.absence
        return one if one is not None and one.since <= day <= one.until else None

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Everybody."""
        return true()


@ROOM.folds(Phrased)
def phrased(session: Session, entry: Entry[Phrased]) -> None:
    """The person's phrases; those of other nodes do not come here."""
    if entry.person == entry.body.person:
        session.merge(Note(person=entry.body.person, phrases_bytes=pack(entry.body.phrases), last=entry.id))


@ROOM.folds(Announced)
def announced(session: Session, entry: Entry[Announced]) -> None:
    """The person's absence, said by nobody but the person."""
    if entry.person == entry.body.person:
        absence = pack(entry.body.absence) if entry.body.absence is not None else b""
        session.merge(Away(person=entry.person, absence_bytes=absence, last=entry.id))

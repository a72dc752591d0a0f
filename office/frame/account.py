"""The account of a matter: what happened so far, one line for each signed act. Every room has such a table, and every page ends with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from node import clock
from node.kinds import Entry
from office.frame.desk import Desk


class Line:
    """Columns of a room's table of acts: ``class Act(ROOM.Base, Line)``, to which the room adds ``visible``."""

    __tablename__ = "acts"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    "Statement id."
    record: Mapped[str] = mapped_column(index=True)
    "The matter it is about, which need not be the record it was written under."
    organ: Mapped[str]
    "For which organ it was done; empty where that goes without saying."
    kind: Mapped[str]
    person: Mapped[str]
    "Empty where the node did it by itself."
    post: Mapped[str]
    at: Mapped[int]
    "Claimed time, milliseconds."
    text: Mapped[str]
    author: Mapped[str]


def keep(session: Session, acts: type[Any], entry: Entry[Any], *, about: str = "", organ: str = "", text: str = "") -> None:
    """Called by a fold: one more line, about another matter than the entry's record if ``about`` says so."""
    record = about or entry.record
    row = {"id": entry.id, "record": record, "organ": organ, "kind": entry.kind, "person": entry.person, "post": entry.post}
    session.add(acts(**row, at=entry.at, text=text, author=entry.author))


def lines(desk: Desk, acts: type[Any], record: str, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """What ``p.timeline`` shows, oldest first; ``words`` are the names of the room's kinds, and kinds without one are left out."""
    rows = desk.list(acts, acts.record == record, acts.kind.in_(list(words)), order=(acts.at, acts.id), limit=2000)
    return [_line(desk, row, words) for row in rows]


def _line(desk: Desk, row: Any, words: Mapping[str, str]) -> dict[str, Any]:
    person, post, organ, node = (
        desk.directory.person(row.person),
        desk.directory.post(row.post),
        desk.directory.organ(row.organ),
        desk.directory.node(row.author),
    )
    who = person.name if person is not None else node.name if node is not None else row.author
    where = " ".join(part for part in (organ.short_name if organ is not None else "", post.title if post is not None else "") if part)
    return {"at": clock.from_ms(row.at), "who": who, "post": where, "what": words[row.kind], "text": row.text, "tone": ""}

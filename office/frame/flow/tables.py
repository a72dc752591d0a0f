"""How a room keeps matters: :func:`keep` puts three tables into the room and folds templates and acts into them.

    FLOWS = keep(ROOM, "leave")              # in the room's tables, and VERSION one higher
    desk.list(FLOWS.Matter, FLOWS.Matter.ended == 0)

The table of matters has the state as bytes and beside it what lists ask for. *Lying* has a row for everybody who has a matter now, by the
holder's key (:func:`key`), so that "what waits for me" is one query. *Plan* has every template that any matter here may name. A room
that keeps the matters of all rooms (the designer) gives no name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, Text, delete, or_, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack, unpack
from node.errors import Missing, Refused
from node.fold import Room
from node.kinds import Entry
from office.frame.flow import entries, matter
from office.frame.flow.entries import ACTS, Act, Holder, Started
from office.frame.flow.matter import Find
from office.frame.flow.state import Said, State, stage
from office.frame.flow.template import Template, digest_of
from office.frame.rights import powers

WATCHERS = ("registry_clerk", "reviewer", "signer", "seal_keeper", "supervisor", "archivist")
"Roles in whose organ every matter is seen."
LARGEST = 2_000
"Templates read and kept in memory."
_read: dict[bytes, Template] = {}


After = Callable[[Session, Entry[Any], State, Template], None]
"What a room does to its own rows when one of its matters has moved."


@dataclass(frozen=True)
class Flows:
    """The tables of a room's matters."""

    room: str
    Matter: Any
    Lying: Any
    Plan: Any
    after: list[After] = field(default_factory=list)

    def follows(self, then: After) -> After:
        """Declare what the room does to its own rows when one of its matters has moved."""
        self.after.append(then)
        return then


def key(holder: Holder) -> str:
    """A holder as one text, by which rows are found."""
    return f"{holder.how}:{holder.id}" + (f"@{holder.organ}" if holder.organ else "")


def keys(desk: Any) -> list[str]:
    """The keys of everything that the person of a desk is, by posts held and by powers lent to them."""
    if not desk.person:
        return []
    held = {f"role:{role}@{organ}" for post in desk.posts for role in post.roles for organ in (post.organ, *post.serves)}
    held |= {f"role:{one.role}@{one.organ}" for one in powers(desk)}
    return [f"person:{desk.person}", *(f"post:{post.id}" for post in desk.posts), *(f"organ:{organ.id}" for organ in desk.organs), *sorted(held)]


def template_of(plan: Any) -> Template:
    """The template of a row."""
    found = _read.get(plan.id)
    if found is None:
        if len(_read) > LARGEST:
            _read.clear()
        found = _read[plan.id] = unpack(plan.template_bytes, Template)
    return found


def keep(room: Room, of: str = "") -> Flows:
    """Give a room the tables and folds of matters; ``of`` is the name that its matters begin with, empty for those of all rooms."""
    flows = Flows(of, *_matter_tables(room), _plan_table(room))
    _fold_plans(room, flows)
    _fold_matters(room, flows)
    return flows


def _plan_table(room: Room) -> Any:
    class Plan(room.Base):
        """A version of a template, by its digest."""

        __tablename__ = "flow_plans"
        id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
        template: Mapped[str] = mapped_column(index=True)
        use: Mapped[str] = mapped_column(index=True)
        version: Mapped[int]
        home: Mapped[str]
        at: Mapped[int]
        person: Mapped[str]
        note: Mapped[str] = mapped_column(Text)
        said: Mapped[bytes] = mapped_column(LargeBinary)
        retired: Mapped[int] = mapped_column(default=0)
        template_bytes: Mapped[bytes] = mapped_column(LargeBinary)

        @classmethod
        def visible(cls, desk: Any) -> ColumnElement[bool]:
            """Everybody: how an office works is no secret of it."""
            return true()

    return Plan


def _matter_tables(room: Room) -> tuple[Any, Any]:
    class Matter(room.Base):
        """A matter and where it stands."""

        __tablename__ = "flow_matters"
        id: Mapped[str] = mapped_column(primary_key=True)
        home: Mapped[str]
        room: Mapped[str] = mapped_column(index=True)
        organ: Mapped[str]
        title: Mapped[str] = mapped_column(Text)
        template: Mapped[bytes] = mapped_column(LargeBinary, index=True)
        use: Mapped[str]
        starter: Mapped[str] = mapped_column(index=True)
        stage: Mapped[str]
        began: Mapped[int]
        touched: Mapped[int] = mapped_column(index=True)
        ended: Mapped[int] = mapped_column(index=True)
        last: Mapped[bytes] = mapped_column(LargeBinary)
        state_bytes: Mapped[bytes] = mapped_column(LargeBinary)

        @property
        def state(self) -> State:
            """Where it stands."""
            return unpack(self.state_bytes, State)

        @classmethod
        def visible(cls, desk: Any) -> ColumnElement[bool]:
            """Who began it, who has it, had it or is to read it, and the watching roles of its organ."""
            watched = sorted({o for post in desk.posts if set(post.roles) & set(WATCHERS) for o in (post.organ, *post.serves)})
            mine = select(Lying.matter).where(Lying.key.in_(keys(desk)))
            return or_(cls.organ.in_(watched), cls.starter == desk.person, cls.id.in_(mine)) if desk.person else cls.organ.in_(())

    class Lying(room.Base):
        """Somebody who has a matter now, is to read it, or once did something to it."""

        __tablename__ = "flow_lying"
        matter: Mapped[str] = mapped_column(primary_key=True)
        seat: Mapped[str] = mapped_column(primary_key=True)
        "Id of the seat; ``read`` for a reader; ``done`` for somebody who did something."
        key: Mapped[str] = mapped_column(primary_key=True, index=True)
        step: Mapped[str] = mapped_column(default="")
        since: Mapped[int] = mapped_column(default=0)
        opened: Mapped[int] = mapped_column(default=0)

        @classmethod
        def visible(cls, desk: Any) -> ColumnElement[bool]:
            """Whoever sees the matter."""
            return cls.matter.in_(select(Matter.id).where(Matter.visible(desk)))

    Index("flow_matters_organ", Matter.organ, Matter.ended)
    return Matter, Lying


def _fold_plans(room: Room, flows: Flows) -> None:
    @room.folds(entries.Published)
    def published(session: Session, entry: Entry[entries.Published]) -> None:
        """A version more; what is in use is the latest."""
        template = entry.body.template
        id = digest_of(template)
        if session.get(flows.Plan, id) is None:
            about = {"template": template.id, "use": template.use, "version": template.version, "note": entry.body.note}
            row = flows.Plan(id=id, home=entry.author, at=entry.at, person=entry.person, said=entry.id, template_bytes=pack(template), **about)
            session.add(row)

    @room.folds(entries.Retired)
    def retired(session: Session, entry: Entry[entries.Retired]) -> None:
        """Used for nothing new."""
        where = (flows.Plan.template == entry.body.template, flows.Plan.home == entry.author, flows.Plan.at <= entry.at)
        for plan in session.scalars(select(flows.Plan).where(*where)):
            plan.retired = entry.at


def _fold_matters(room: Room, flows: Flows) -> None:
    def find_in(session: Session) -> Find:
        def find(id: bytes) -> Template:
            plan = session.get(flows.Plan, id)
            if plan is None:
                raise Missing("the template of the matter is not known here", code="no_template")
            return template_of(plan)

        return find

    @room.folds(Started)
    def started(session: Session, entry: Entry[Started]) -> None:
        """A matter begins."""
        if flows.room not in ("", entry.body.room):
            return
        if entry.home != entry.author or session.get(flows.Matter, entry.record) is not None:
            raise Refused("a matter is begun once, by its home node", code="wrong_writer")
        find = find_in(session)
        state, template = matter.start(find, _said(entry)), find(entry.body.template)
        about = {"room": state.room, "organ": state.organ, "title": state.title, "use": template.use, "starter": state.starter, "began": state.began}
        row = flows.Matter(id=entry.record, home=entry.author, **about)
        _put(session, flows, row, state, template)
        session.add(row)
        for then in flows.after:
            then(session, entry, state, template)

    def acted(session: Session, entry: Entry[Act]) -> None:
        row = session.get(flows.Matter, entry.record)
        if row is None:
            return  # a matter of another room
        if row.home != entry.author:
            raise Refused(f"the matter belongs to node {row.home}", code="wrong_writer")
        find = find_in(session)
        state = matter.fold(find, row.state, _said(entry))
        template = find(state.template)
        _put(session, flows, row, state, template)
        for then in flows.after:
            then(session, entry, state, template)

    for cls in ACTS.values():
        if cls is not Started:
            room.folds(cls)(acted)


def _said(entry: Entry[Any]) -> Said:
    return Said(entry.body, entry.person, entry.post, entry.at, entry.id, entry.record)


def _put(session: Session, flows: Flows, row: Any, state: State, template: Template) -> None:
    """Write a state and everybody who has it into the tables."""
    row.template, row.use, row.stage, row.touched = state.template, template.use, stage(template, state), state.touched
    row.ended, row.last, row.state_bytes = state.ended, state.last, pack(state)
    if state.acts:
        session.execute(delete(flows.Lying).where(flows.Lying.matter == row.id))
    session.add_all(flows.Lying(matter=row.id, seat=seat, key=who, **about) for (seat, who), about in _lying(state).items())


def _lying(state: State) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in state.trail:
        if line.person:
            found["done", f"person:{line.person}"] = {"step": line.step, "since": line.until, "opened": 0}
    for one in state.reading:
        if one.since and not one.read:
            found["read", key(one.holder)] = {"step": "", "since": one.since, "opened": 0}
    for seat, holder in state.holders():
        found[seat.id, key(holder)] = {"step": seat.step, "since": seat.since, "opened": seat.opened}
    return found

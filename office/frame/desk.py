"""The desk: what a verb has in front of it. Who asks, in which posts, what they may see, and the pen.

Rights are applied where rows are fetched, here and nowhere else: every model says in ``visible(desk)`` which of its rows a
desk may see, and what it may not see is missing. Everything that was got is relied on: if somebody changed it before
:meth:`Desk.write`, the ledger answers :class:`~node.errors.Conflict`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, inspect, literal, select, true
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from node import clock, keys, kinds
from node.codec import pack
from node.directory.entries import Organ, Person, Post
from node.directory.view import Holding
from node.entry import SELF, Attachment, Audience, Lane, Scope, statement_id, statement_signed, to_node
from node.errors import Conflict, Missing, Refused
from node.fold import Room
from node.kinds import Content
from node.persons import Door
from node.requests import Draft, Written, statement
from office.frame import secrecy
from office.frame.away import Away
from office.frame.memo import Known
from office.frame.office import Office
from office.frame.words import _, language

M = TypeVar("M", bound=DeclarativeBase)
T = TypeVar("T")
LIMIT = 1000
"Rows of one list, unless a verb asks for more."
MOST = 1000
"Where the counting of what has ended stops; pages write 999+."
MANY = 3000
"Rows of a table that somebody may see, from which on a register goes by its own order instead."
TRIES = 6
"How often a number is asked for again when somebody else took it in between."


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Something signed that is not written yet; several may be written together."""

    id: bytes
    "Statement id, which a later wish may name in ``after``."
    draft: Draft


class Desk:
    """One person's desk for the length of one request; the node's own when there is no person."""

    def __init__(
        self,
        office: Office,
        *,
        person: str = "",
        door: Callable[[], Door] | None = None,
        away: Away | None = None,
        tracks: bool = True,
        fresh: bool = True,
    ) -> None:
        """``door`` opens the person's key when something is first signed, ``away`` stands for one that the node does not hold.

        ``tracks=False`` for requests that only read.
        """
        self.office, self.person, self._door, self.away, self._tracks = office, person, door, away, tracks
        self.settings, self.ledger, self.node = office.settings, office.ledger, office.settings.id
        self.now = clock.from_ms(away.at) if away else clock.now()
        self.directory = office.directory
        if fresh:
            self.directory.refresh()
        self._relied: dict[str, int] = {}
        self._read: set[Room] = set()
        self._stamps: dict[Room, Hashable] = {}

    # who asks

    @cached_property
    def card(self) -> Person | None:
        """The person's card."""
        return self.directory.person(self.person) if self.person else None

    @property
    def name(self) -> str:
        """The person's name, or the node's."""
        return self.card.name if self.card is not None else self.settings.name

    @cached_property
    def holdings(self) -> tuple[Holding, ...]:
        """The posts the person holds at this node today, with their organs, the primary one first."""
        if not self.person:
            return ()
        return self.known("holdings", self._held)

    def _held(self) -> tuple[Holding, ...]:
        held = self.directory.appointments_of(self.person, here=True)
        return tuple(sorted(held, key=lambda h: not h.appointed.primary))

    @cached_property
    def posts(self) -> tuple[Post, ...]:
        """The posts the person holds today, the primary one first."""
        return tuple(h.post for h in self.holdings)

    @cached_property
    def organs(self) -> tuple[Organ, ...]:
        """The organs in whose name the person may act, those of the posts held first."""
        return self.known("organs", lambda: self.directory.acts_for(self.person)) if self.person else ()

    @cached_property
    def roles(self) -> frozenset[str]:
        """Every role the person has by any post."""
        return frozenset(role for post in self.posts for role in post.roles)

    @cached_property
    def door(self) -> Door:
        """The person's opened key; :class:`Refused` when this sign-in came without one."""
        if self._door is None:
            raise Refused(_("这次登录没有带签名钥匙，不能办理。请用口令重新登录。"), code="no_key")
        return self._door()

    # what can be seen

    def get(self, model: type[M], id: Any, *, everything: bool = False) -> M:
        """The row with this key; :class:`Missing` when there is none or none for this desk. It is relied on. ``everything`` as for :meth:`list`."""
        if self._tracks and isinstance(id, str) and id not in self._relied:
            self._relied.update(self.ledger.versions((id,)))  # before the row is read, or a change in between goes unseen
        column = inspect(model).primary_key[0]
        rows = self._rows(self._query(model, column == id, everything=everything).limit(1), model)
        if not rows:
            raise Missing(_("没有这件事项，或者您无权查看。"))
        return rows[0]

    def list(
        self,
        model: type[M],
        *where: ColumnElement[bool],
        order: Any = None,
        limit: int | None = LIMIT,
        offset: int = 0,
        everything: bool = False,
        narrow: bool | None = False,
    ) -> builtins.list[M]:
        """Rows this desk may see; ``order`` is a column or several. ``everything`` lifts the rights for the node's own desk only.

        ``narrow`` says that the conditions (or the order, with a limit) leave fewer rows to look at than what the desk may see: the database then
        goes by them, and asks of each row whether it may be seen. None is for registers, where both may be few or very many: what may be seen is
        then gone by as long as it is not :data:`MANY`.
        """
        query = self._query(model, *where, everything=everything, narrow=narrow).offset(offset or None).limit(limit)
        if order is not None:
            query = query.order_by(*(order if isinstance(order, (tuple, list)) else (order,)))
        return self._rows(query, model)

    def count(self, model: type[M], *where: ColumnElement[bool], most: int | None = None, narrow: bool | None = False) -> int:
        """How many rows this desk may see; ``most`` ends the counting where a larger number would tell nobody more."""
        query: Select[Any] = self._query(model, *where, narrow=narrow).with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        if most is not None:
            few = self._query(model, *where, narrow=narrow).with_only_columns(literal(1), maintain_column_froms=True).limit(most)
            query = select(func.count()).select_from(few.subquery())
        with self._session(model) as session:
            return int(session.execute(query).scalar_one())

    def tally(
        self, model: type[M], column: ColumnElement[Any] | InstrumentedAttribute[Any], *where: ColumnElement[bool], narrow: bool | None = False
    ) -> dict[Any, int]:
        """How many rows this desk may see of each value of a column."""
        query = (
            self._query(model, *where, narrow=narrow)
            .with_only_columns(column, func.count(), maintain_column_froms=True)
            .group_by(column)
            .order_by(None)
        )
        with self._session(model) as session:
            return {value: int(count) for value, count in session.execute(query)}

    def stands(self, model: type[M], column: ColumnElement[Any] | InstrumentedAttribute[Any], states: Sequence[str], *, ended: Sequence[str]) -> int:
        """How many rows stand in some states, for the number on a tab.

        Those under way are counted together, once for all tabs; of those that have ``ended``, which grow for ever, no more than :data:`MOST`.
        """
        where, name, over = [str(state) for state in states], model.__tablename__, [str(state) for state in ended]
        if any(state in where for state in over):
            return self.known(("stands", name, *where), lambda: self.count(model, column.in_(where), most=MOST, narrow=None))
        every = [str(one) for state in (*states, *ended) if isinstance(state, StrEnum) for one in type(state)]
        going = column.in_([state for state in every if state not in over]) if every else column.not_in(over)  # an index finds what is named
        under_way = self.known(("stands", name), lambda: self.tally(model, column, going, narrow=None))
        return sum(under_way.get(state, 0) for state in where)

    def among(self, model: type[M], keys: Iterable[Any]) -> set[Any]:
        """Those of these primary keys whose rows this desk may see."""
        column = inspect(model).primary_key[0]
        query = select(column).where(column.in_(list(keys)), self._seen(model))
        with self._session(model) as session:
            return set(session.scalars(query))

    def query(self, model: type[M], query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        """Rows of a query of a room's own (sums, groups), which must apply ``model.visible(desk)`` itself."""
        with self._session(model) as session:
            return session.execute(query).all()

    def _query(self, model: type[M], *where: ColumnElement[bool], everything: bool = False, narrow: bool | None = False) -> Select[Any]:
        if everything and self.person:
            raise Refused("only the node itself sees everything", code="refused")
        seen: ColumnElement[bool] = true() if everything else self._seen(model)
        if narrow is None and not (narrow := everything or self._sees_many(model)):
            where = (and_(true(), *where).is_(true()),)  # as a value, a condition is nothing that an index could be used for
        return select(model).where(*where, seen.is_(true()) if narrow else seen)

    def _seen(self, model: type[M]) -> ColumnElement[bool]:
        """What the desk may see of a table; a right that runs out does so at the full minute."""
        found: ColumnElement[bool] = self.known(("seen", model), lambda: model.visible(self))  # type: ignore[attr-defined]
        return found

    def _sees_many(self, model: type[M]) -> bool:
        """Whether so many rows may be seen that going by them would be slow; as things stood some time in the last minute."""
        return self.known(("many", model.__tablename__), lambda: self.count(model, most=MANY) == MANY, lasting=True)

    def _rows(self, query: Select[Any], model: type[M]) -> builtins.list[M]:
        with self._session(model) as session:
            rows = list(session.scalars(query))
            session.expunge_all()
        return rows

    def _session(self, model: type[DeclarativeBase]) -> AbstractContextManager[Session]:
        room = self.office.room(model)
        self.stamp(room)  # before anything is read, so that what is known is never younger than its date
        self._read.add(room)
        return self.office.tables.session(room)

    # what was worked out before

    def known(self, name: Hashable, make: Callable[[], T], *, lasting: bool = False) -> T:
        """What ``make`` gives this person: worked out once, and again only when the tables read for it, the directory or the minute have changed.

        ``make`` may read through this desk and its directory, and must depend on nothing else. ``name`` says what it is. What is ``lasting``
        stays for the minute though tables change: nobody is shown it.
        """
        key = self.person, language(), name  # a sentence with filled holes is in one language for good
        held = self.office.memo.find(key)
        if held is None or held.when != self._when or any(self.stamp(room) != stamp for room, stamp in held.stamps):
            held = self._make(make)
            held = replace(held, stamps=()) if lasting else held
            self.office.memo.put(key, held)
        self._read.update(room for room, _stamp in held.stamps)
        return held.value  # type: ignore[no-any-return]

    def _make(self, make: Callable[[], Any]) -> Known:
        when = self._when  # before making: another request may look at the directory meanwhile
        outer, self._read = self._read, set()
        try:
            value = make()
            return Known(value, when, tuple((room, self.stamp(room)) for room in self._read))
        finally:
            self._read |= outer

    @property
    def _when(self) -> Hashable:
        return self.directory.version, self.now.replace(second=0, microsecond=0)

    def stamp(self, room: Room) -> Hashable:
        """How far the room's tables had come when this desk first looked at them, or last wrote."""
        if room not in self._stamps:
            self._stamps[room] = self.office.tables.stamp(room)
        return self._stamps[room]

    # the pen

    def expect(self, name: str, version: int) -> None:
        """Rely on a version seen earlier, such as when a form was opened."""
        self._relied[name] = version

    def version(self, name: str) -> int:
        """The present version of a record or another name, relied on from now on."""
        found = self.ledger.versions((name,))
        self._relied.update(found)
        return found[name]

    def wish(
        self,
        content: Content,
        *,
        record: str,
        to: Iterable[str | Audience] = (),
        lane: Lane = Lane.ORDINARY,
        after: Iterable[bytes] = (),
        attachments: Iterable[Attachment] = (),
        touches: Iterable[str] = (),
        recipients: Iterable[str] = (),
        home: str = "",
        post: str | None = None,
        nonce: bytes = b"",
    ) -> Wish:
        """Sign a content for one or more logs without writing it yet; what bears the mark of a state secret is refused.

        ``to`` names nodes (nobody or this node alone: ``SELF``; all nodes below: ``DOWN``) or audiences such as ``ALL``.
        ``after`` may name only what every reader has: where one of them is missing, the entry waits for it and is not folded.
        ``post`` is the post acted in, by default the person's first; ``nonce`` makes asking again the same as asking once.
        """
        reached = tuple(to)
        named = tuple(recipients) or tuple(node for node in reached if isinstance(node, str))
        said, salt, data = statement(
            self.settings.city,
            content,
            record=record,
            home=home or self.node,
            recipients=named,
            after=(one for one in after if one),
            post=self._post(post) if self.person else "",
            **self._signer(content, record, nonce),
        )
        secrecy.check(content, data)
        packed = pack(said)
        signature = self._sign(packed, salt, data, said.kind)
        where = self._audiences(reached)
        draft = Draft(packed, signature, salt, data, where, lane, tuple(attachments), (), tuple(touches))
        return Wish(id=statement_id(packed), draft=draft)

    def _signer(self, content: Content, record: str, nonce: bytes) -> dict[str, Any]:
        """Who signs, and what is random in a statement: from the ticket where the key is elsewhere, so that it can be made twice."""
        if self.away:
            made = self.away.random("statement", record, kinds.name_of(content), kinds.encode(content))
            chance = {"nonce": nonce or made[:16], "salt": made[16:], "at": self.away.at}
            return {"suite": keys.ED25519, "signer": self.away.fingerprint} | chance
        if self.person:
            return {"suite": keys.ED25519, "signer": self.door.fingerprint, "nonce": nonce}
        return {"suite": keys.P256, "signer": bytes(32), "nonce": nonce}

    def _sign(self, packed: bytes, salt: bytes, data: bytes, kind: str) -> bytes:
        if self.away:
            return self.away.sign(packed, salt, data, kind)
        return keys.sign(self.door.key, statement_signed(packed)) if self.person else b""

    def together(self, wishes: Sequence[Wish]) -> builtins.list[Written]:
        """Write all or nothing; durable and folded on return. What was got before is relied on, and no more afterwards."""
        if self.away:
            self.away.check()
        first, *rest = (wish.draft for wish in wishes)
        first = msgspec.structs.replace(first, relies=tuple(self._relied.items()))
        written = self.ledger.write((first, *rest))
        self._relied.clear()
        self._stamps.clear()
        self.directory.refresh()
        return list(written)

    def write(self, content: Content, *, record: str, **where: Any) -> Written:
        """Sign and write one content; see :meth:`wish`. The caller's next read sees it."""
        return self.together([self.wish(content, record=record, **where)])[0]

    def _post(self, given: str | None) -> str:
        if given is None:
            return self.posts[0].id if self.posts else ""
        if given and given not in {post.id for post in self.posts}:
            raise Refused(_("您不在这个岗位上。"), code="not_yours")
        return given

    def _audiences(self, to: tuple[str | Audience, ...]) -> tuple[Audience, ...]:
        named = {node for node in to if isinstance(node, str)} - {self.node, ""}
        wide = [one for one in to if isinstance(one, Audience)]
        below = self.directory.subtree(self.node) - {self.node}
        if len(named) > 1 and named == below:
            wide.append(Audience(Scope.DOWN))
        else:
            wide.extend(to_node(node) for node in sorted(named))
        return tuple(dict.fromkeys(wide)) or (SELF,)


def again(act: Callable[[], T]) -> T:
    """Do an act again when only the number it was about to take has gone meanwhile."""
    for _turn in range(TRIES - 1):
        try:
            return act()
        except Conflict as e:
            if e.code != "conflict":
                raise
    return act()

"""The two registers, and what waits for a person in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true, union
from sqlalchemy.orm import aliased

from node import clock
from office.documents.issuers import waiting, wants_seal
from office.documents.kinds import KINDS
from office.documents.labels import AGREEMENT_WORDS, STAGE_WORDS, STANDING_WORDS
from office.documents.model import FLOWS, Act, Document, Extension, Hand, Incoming, Party, Urge
from office.documents.names import named, sender
from office.documents.rights import acting_post, with_role
from office.documents.terms import Terms, open_terms, sign_in
from office.documents.workflow import CLERK, KEEPER, REVIEWER, SIGNER, Agreement, Stage, Standing
from office.frame.desk import Desk
from office.frame.flow.tables import keys
from office.frame.flow.terms import clock as ticking
from office.frame.rights import powers
from office.frame.todo import Column, Notice, Running, Todo, Why
from office.frame.words import _

OUT_ENDED = (Stage.DISPATCHED, Stage.RECALLED, Stage.VOID)
IN_ENDED = (Standing.CLOSED, Standing.SENT_BACK, Standing.RECALLED)
"States in which documents stay, more of them every year."
_BEFORE, _ROW = aliased(Hand), aliased(Incoming)
EARLIER = exists().where(
    _BEFORE.incoming == Hand.incoming, _BEFORE.task == "read", _BEFORE.read_at == 0, _BEFORE.place < Hand.place, _BEFORE.place > 0
)
IN_TURN = exists().where(_ROW.id == Hand.incoming, _ROW.in_turn.is_(True))
"Somebody is to read it before, and the order counts."
GONE = (Standing.SENT_BACK, Standing.RECALLED)
RECENT, SHOWN, LISTED, RUNNING = dt.timedelta(days=30), 8, 100, 20_000
"How old what one may read, or what was sent back, is at most, and how many the home page shows; how many of what waits; running terms."


def outgoing_where(desk: Desk, states: Sequence[Stage], words: str = "", *, kind: str = "", organ: str = "") -> list[ColumnElement[bool]]:
    """Conditions of a register of outgoing documents."""
    where: list[ColumnElement[bool]] = [Document.state.in_([str(state) for state in states])]
    if words:
        where.append(or_(Document.title.contains(words, autoescape=True), Document.number.contains(words, autoescape=True)))
    if kind in KINDS:
        where.append(Document.kind == kind)
    if organ:
        where.append(Document.organ == organ)
    return where


def outgoing_count(desk: Desk, states: Sequence[Stage]) -> int:
    """How many documents the person may see in these states."""
    return desk.stands(Document, Document.state, states, ended=OUT_ENDED)


def incoming_where(desk: Desk, states: Sequence[Standing], words: str = "", *, kind: str = "", organ: str = "") -> list[ColumnElement[bool]]:
    """Conditions of a register of incoming documents."""
    where: list[ColumnElement[bool]] = [Incoming.state.in_([str(state) for state in states])]
    if words:
        fields = (Incoming.title, Incoming.number, Incoming.register, Incoming.issuer_name)
        where.append(or_(*(column.contains(words, autoescape=True) for column in fields)))
    if kind in KINDS:
        where.append(Incoming.kind == kind)
    if organ:
        where.append(Incoming.organ == organ)
    return where


def incoming_count(desk: Desk, states: Sequence[Standing]) -> int:
    """How many incoming documents the person may see in these states."""
    return desk.stands(Incoming, Incoming.state, states, ended=IN_ENDED)


def _mine_out(desk: Desk) -> ColumnElement[bool]:
    """Documents on which the person's own next step is due."""
    return desk.known("documents.mine_out", partial(_due_out, desk))


def _due_out(desk: Desk) -> ColumnElement[bool]:
    steps = (
        ((Stage.REVIEW,), with_role(desk, REVIEWER)),
        ((Stage.SIGN,), with_role(desk, SIGNER)),
        ((Stage.SIGNED, Stage.NUMBERED, Stage.SEALED), with_role(desk, CLERK)),
        ((Stage.NUMBERED,), with_role(desk, KEEPER)),
    )
    due = [
        and_(Document.flow.is_(False), Document.state.in_([str(s) for s in states]), Document.organ.in_(organs)) for states, organs in steps if organs
    ]
    lies = select(FLOWS.Lying.matter).where(FLOWS.Lying.key.in_(keys(desk)), FLOWS.Lying.seat != "done")
    due.append(and_(Document.flow, Document.state.not_in([str(s) for s in OUT_ENDED]), Document.id.in_(lies)))
    sealing = and_(Document.better_note > "", Document.organ.in_(with_role(desk, KEEPER)))
    asked = Document.id.in_(select(Extension.doc).where(Extension.decided_at == 0))  # always few: everything else is asked of each of them
    deciding = and_(asked, and_(Document.state == Stage.DISPATCHED, Document.organ.in_(with_role(desk, CLERK, SIGNER))).is_(true()))
    own = and_(Document.state.in_([Stage.RETURNED, Stage.DRAFT]), Document.drafter == desk.person)
    return Document.id.in_(union(*(select(Document.id).where(one) for one in (*due, own, sealing, deciding))))


def _mine_in(desk: Desk) -> ColumnElement[bool]:
    """Incoming documents on which the person's own next step is due."""
    return desk.known("documents.mine_in", partial(_due_in, desk))


def _due_in(desk: Desk) -> ColumnElement[bool]:
    clerk = Incoming.organ.in_(with_role(desk, CLERK))
    waiting = Incoming.state.in_([Standing.DELIVERED, Standing.SIGNED_IN, Standing.REGISTERED, Standing.RECALL_ASKED])
    corrected = and_(Incoming.behind(), Incoming.state.not_in(GONE))
    task = select(Hand.incoming).where(Hand.person == desk.person, Hand.task.in_(("lead", "assist")))
    open_ = Incoming.state.in_([Standing.IN_HAND, Standing.CIRCULATING, Standing.REGISTERED, Standing.ANSWERED])
    urged = select(Urge.incoming).where(Urge.person == desk.person, Urge.answered_at == 0)
    leads = and_(Incoming.leader == desk.person, open_)
    mine = and_(Incoming.id.in_(task), Incoming.state == Standing.IN_HAND), and_(Incoming.id.in_(_unread(desk)), open_), leads
    of_clerk = [and_(clerk, one) for one in (waiting, corrected, Incoming.urged > 0)]
    found = union(*(select(Incoming.id).where(one) for one in (*of_clerk, *mine, Incoming.id.in_(urged))))
    return Incoming.id.in_(found) if desk.person else false()


def _unread(desk: Desk) -> Select[Any]:
    """Documents that lie with the person to be read; in turn, when everybody before has read them."""
    return select(Hand.incoming).where(Hand.person == desk.person, Hand.task == "read", Hand.read_at == 0, or_(~EARLIER, ~IN_TURN))


def waiting_out(desk: Desk) -> int:
    """How many outgoing documents wait for the person, those of other organs that are to be countersigned among them."""
    found, others = len(_out(desk)), sum(one.column is Column.TODO for one in _shared(desk))
    return (found if found < LISTED else desk.count(Document, _mine_out(desk), narrow=True)) + others


def waiting_in(desk: Desk) -> int:
    """How many incoming documents wait for the person."""
    found = len(_came(desk))
    return found if found < LISTED else desk.count(Incoming, _mine_in(desk), narrow=True)


def _out(desk: Desk) -> list[Todo]:
    def found() -> list[Todo]:
        rows = desk.list(Document, _mine_out(desk), order=Document.changed_at.desc(), limit=LISTED, narrow=True)
        return _todos_out(desk, rows, Column.TODO)

    return desk.known("documents.out", found)


def _came(desk: Desk) -> list[Todo]:
    def found() -> list[Todo]:
        rows, terms = desk.list(Incoming, _mine_in(desk), order=Incoming.sent_at.desc(), limit=LISTED, narrow=True), Terms(desk)
        return [_todo_in(desk, row, terms) for row in rows]

    return desk.known("documents.came", found)


def notices(desk: Desk) -> list[Notice]:
    """Terms of the person that end soon or have ended, and what came in of late that the person may read."""
    terms = Terms(desk)
    pressing = [(row, stage) for row in desk.list(Incoming, _mine_in(desk), open_terms(), limit=100, narrow=True) if (stage := terms.stage(row))]
    since = clock.to_ms(desk.now - RECENT)
    fresh = Incoming.sent_at > since, Incoming.state.not_in(GONE), ~_mine_in(desk)
    recent = desk.list(Incoming, *fresh, order=Incoming.sent_at.desc(), limit=SHOWN, narrow=None)
    return [*(_notice(desk, row, stage, terms.due(row)) for row, stage in pressing), *(_notice(desk, row, "recent", None) for row in recent)]


def _notice(desk: Desk, row: Incoming, why: str, due: dt.datetime | None) -> Notice:
    at = clock.from_ms(row.sent_at)
    return Notice(
        title=row.title,
        url=f"/incoming/{row.id}",
        at=at,
        why=Why(why),
        due=due,
        urgency=row.urgency,
        source=sender(desk, row),
    )


def todo(desk: Desk) -> list[Todo]:
    """What waits for the person, and what the person has in hand."""
    sent = desk.list(Document, Document.drafter == desk.person, ~_mine_out(desk), order=Document.changed_at.desc(), limit=30, narrow=True)
    own = _todos_out(desk, sent, Column.HAND)
    return sorted((*_out(desk), *_came(desk), *_shared(desk), *own), key=lambda item: item.arrived, reverse=True)


def _todos_out(desk: Desk, rows: Sequence[Document], column: Column) -> list[Todo]:
    others, back, found = waiting(desk, rows), _sent_back(desk, rows), []
    for row in rows:
        about, waits = others.get(row.id, (back.get(row.id, ""), False))
        ends = Column.DONE if row.state in OUT_ENDED and column is Column.HAND and not about else Column.HAND if waits else column
        found.append(_todo_out(desk, row, ends, about))
    return found


def _sent_back(desk: Desk, rows: Sequence[Document]) -> dict[str, str]:
    """By document that went out: who sent it back of late, and why; whoever wrote it has to see to that."""
    gone = [row.id for row in rows if row.state == Stage.DISPATCHED]
    since = clock.to_ms(desk.now - RECENT)
    acts = desk.list(Act, Act.doc.in_(gone), Act.receipt == "R2x", Act.at > since, order=Act.at, limit=LISTED) if gone else []
    return {act.doc: str(_("{name}退文：{text}").format(name=_short(desk, act.organ), text=act.text)) for act in acts}


def _short(desk: Desk, id: str) -> str:
    organ = desk.directory.organ(id)
    return organ.short_name if organ is not None else id


def _shared(desk: Desk) -> list[Todo]:
    """Documents of other organs that the person's organ is to issue with them: to be countersigned, to be sealed, and for the clerk to watch."""

    def found() -> list[Todo]:
        rows = desk.list(Party, _shared_with(desk), order=Party.asked_at.desc(), limit=LISTED, narrow=True)
        signs, seals = {*with_role(desk, SIGNER), *(one.organ for one in powers(desk) if one.role == SIGNER)}, set(with_role(desk, KEEPER))
        return [
            _todo_shared(desk, row, mine=row.organ in signs if row.state == Agreement.ASKED else row.organ in seals)
            for row in rows
            if row.state == Agreement.ASKED or wants_seal(desk, row)
        ]

    return desk.known("documents.shared", found)


def _shared_with(desk: Desk) -> ColumnElement[bool]:
    return and_(Party.state.in_([Agreement.ASKED, Agreement.AGREED]), Party.own(desk))


def _todo_shared(desk: Desk, row: Party, *, mine: bool) -> Todo:
    return Todo(
        title=row.title,
        url=f"/joint/{row.id}",
        arrived=clock.from_ms(row.asked_at),
        state=AGREEMENT_WORDS[Agreement(row.state)],
        column=Column.TODO if mine else Column.HAND,
        urgency=row.urgency,
        room=_("联合发文"),
        post=_post_title(desk, row.organ),
        source=named(desk, row.issuer, row.issuer_name),
        about="" if row.state == Agreement.ASKED else _("已会签，待用印"),
    )


def _todo_out(desk: Desk, row: Document, column: Column, about: str) -> Todo:
    organ = desk.directory.organ(row.organ)
    return Todo(
        title=row.title or _("（无标题）"),
        url=f"/documents/{row.id}",
        arrived=clock.from_ms(row.changed_at),
        state=STAGE_WORDS[Stage(row.state)],
        column=column,
        urgency=row.urgency,
        room=_("发文"),
        post=_post_title(desk, row.organ),
        number=row.number,
        source=organ.short_name if organ is not None else "",
        about=row.returned if row.state == Stage.RETURNED else _("更正件待用印") if row.better_note else about,
    )


def _todo_in(desk: Desk, row: Incoming, terms: Terms) -> Todo:
    return Todo(
        title=row.title,
        url=f"/incoming/{row.id}",
        arrived=clock.from_ms(row.sent_at),
        state=STANDING_WORDS[Standing(row.state)],
        column=Column.HAND if row.state == Standing.IN_HAND else Column.TODO,
        due=terms.due(row),
        urgency=row.urgency,
        room=_("收文"),
        post=_post_title(desk, row.organ),
        number=row.number,
        source=sender(desk, row),
        about=row.recall_reason
        if row.state == Standing.RECALL_ASKED
        else _("有更正件待签收")
        if row.corrected
        else _("已被催办")
        if row.urged
        else "",
    )


def _post_title(desk: Desk, organ: str) -> str:
    id = acting_post(desk, organ)
    return next((post.title for post in desk.posts if post.id == id), "")


def running(desk: Desk) -> list[Running]:
    """Terms that run at this node: of signing for documents, and of the steps of those under way; of one the person may not see only the term."""
    query = select(Incoming, Incoming.visible(desk)).where(Incoming.state == Standing.DELIVERED).order_by(Incoming.sent_at).limit(RUNNING)
    rows = desk.query(Incoming, query)
    found = [Running(clock=sign_in(row), title=row.title, url=f"/incoming/{row.id}") if seen else Running(clock=sign_in(row)) for row, seen in rows]
    return [*found, *_under_way(desk)]


def _under_way(desk: Desk) -> Iterator[Running]:
    matter = FLOWS.Matter
    query = select(matter, matter.visible(desk)).where(matter.ended == 0).order_by(matter.began).limit(RUNNING)
    for row, seen in desk.query(matter, query):
        for one in row.state.clocks:
            if one.running:
                about = {"title": row.title, "url": f"/documents/{row.id}"} if seen else {}
                yield Running(clock=ticking(row.id, one), **about)

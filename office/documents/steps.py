"""What every verb does: look up, ask the move table, check words, take the next number, and put the pen to it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TypeVar

import msgspec

from node.codec import uuid7
from node.entry import Attachment, Lane
from node.errors import Conflict, Invalid, Refused, TooLarge
from node.kinds import Content
from node.requests import Written
from office.documents import entries as said
from office.documents import model, workflow
from office.documents.entries import Urgency
from office.documents.model import Counter, Document, Incoming
from office.documents.rights import acting_post, lent, parts_of, parts_on, roles
from office.documents.routing import organ_of
from office.documents.workflow import INCOMING, OUTGOING, SIGNER, Standing
from office.frame.desk import Desk, Wish
from office.frame.files import stored as stored
from office.frame.words import _

M = TypeVar("M")


def fresh(doc: str) -> str:
    """The id that was given, in canonical form, or a new one."""
    try:
        return str(uuid.UUID(doc)) if doc else uuid7()
    except ValueError:
        raise Invalid(_("公文编号应为 UUID。"), code="malformed") from None


def step(desk: Desk, doc: str, move: str) -> Document:
    """A document on which the person may take this step now, by the table of moves and by its flow."""
    document = desk.get(Document, doc)
    OUTGOING.step(document.state, "dispatch" if move == "issue" else move, parts_on(desk, document, move))
    return document


def move(desk: Desk, incoming: str, move: str) -> Incoming:
    """An incoming document on which the person may take this step now."""
    found = desk.get(Incoming, incoming)
    if move == "sign_for" and found.signed_at and found.state == Standing.SIGNED_IN:
        raise Conflict(_("已由{name}签收。").format(name=found.signed_by), code="signed_already")
    INCOMING.step(found.state, move, parts_of(desk, found))
    return found


def words(text: str) -> str:
    """An opinion or answer without white space around it; refused when too long."""
    if len(text) > said.WORDS:
        raise TooLarge(_("意见不能超过 {n} 字。").format(n=said.WORDS))
    return text.strip()


def reason_of(text: str) -> str:
    """A reason, which must be given."""
    if not text.strip():
        raise Invalid(_("请写明原因。"), code="reason")
    if len(text) > said.REASON:
        raise TooLarge(_("原因不能超过 {n} 字。").format(n=said.REASON))
    return text.strip()


def signature(desk: Desk, organ: str, opinion: str, on: dt.date | None) -> said.Signed:
    """The person's signing for issue, in the person's own right or by a live delegation; the day is not after today."""
    today = workflow.day(desk.now)
    if on is not None and on > today:
        raise Invalid(_("成文日期不能晚于今天。"), code="future")
    plain = said.Signed(words(opinion) or "同意。", on or today, desk.name)
    if SIGNER in roles(desk, organ):
        return plain
    power = lent(desk, organ)
    principal = desk.directory.person(power.principal) if power is not None else None
    if power is None or principal is None:
        raise Refused(_("授权已经到期或者收回，不能代签。"), code="not_lent")
    return msgspec.structs.replace(plain, name=principal.name, principal=principal.id, delegation=power.id, basis=power.basis)


def reached(desk: Desk, name: str) -> int:
    """How far a series has got, relied on: whoever takes the next number in between makes the write a conflict."""
    desk.version(name)
    return next((counter.last for counter in desk.list(Counter, Counter.name == name)), 0)


def following(desk: Desk, organ: str, prefix: str) -> said.Numbered:
    """The next number of a series of an organ."""
    if prefix not in organ_of(desk, organ).doc_prefixes:
        raise Invalid(_("机关代字“{prefix}”不是本机关的。").format(prefix=prefix[:40]), code="prefix")
    year = workflow.day(desk.now).year
    count = reached(desk, model.series_name(prefix, year)) + 1
    return said.Numbered(prefix, year, count, workflow.number_text(prefix, year, count))


def receipt(desk: Desk, found: Incoming, content: Content, *more: bytes) -> Wish:
    """A receipt signed by the person, on its way to the issuer (where there is one on the network); ``more`` are statements that it answers."""
    after = tuple(dict.fromkeys((found.said, found.receipt, *more)))
    lane = Lane.ORDINARY if found.urgency == Urgency.NONE else Lane.URGENT
    files = stored(getattr(content, "annexes", ()))
    to = (found.home,) if found.home else ()
    return desk.wish(content, record=found.id, after=after, to=to, lane=lane, attachments=files, post=acting_post(desk, found.organ))


def inner(
    desk: Desk, found: Incoming, content: Content, *more: bytes, touches: tuple[str, ...] = (), attachments: tuple[Attachment, ...] = ()
) -> Wish:
    """An act inside the receiving organ, signed by the person; names the acts before."""
    after = tuple(dict.fromkeys((found.said, found.receipt, found.last, *more)))
    post = acting_post(desk, found.organ)
    return desk.wish(content, record=found.id, after=after, touches=touches, attachments=attachments, post=post)


def ref(written: Written) -> str:
    """Where something was written."""
    return written.places[0].ref

"""Correction of one's own data: the person asks, the administrator who keeps records puts it right or says why not (个人信息保护法 §46)."""

from __future__ import annotations

import msgspec

from node import clock
from node.codec import uuid7
from node.directory import entries as said
from node.errors import Conflict, Invalid
from office.frame.desk import Desk
from office.frame.todo import Todo
from office.frame.words import _
from office.people.entries import CorrectionAsked, CorrectionDecided
from office.people.model import Correction
from office.people.pen import check_words, may, own, parts
from office.people.records import save_person
from office.people.workflow import CORRECTIONS, KEEPER, Matter

LONG = 500
"Most characters of a reason."


def mine(desk: Desk) -> list[Correction]:
    """The person's own requests, the newest first."""
    return desk.list(Correction, Correction.person == desk.person, order=Correction.asked_at.desc(), limit=5)


def waiting(desk: Desk) -> list[Correction]:
    """Requests that wait for the administrator of the desk; none for anybody else."""
    return desk.list(Correction, Correction.state == Matter.ASKED, order=Correction.asked_at) if may(desk, KEEPER) else []


def request_correction(desk: Desk, *, name: str, office_phone: str, mobile: str, words: str = "") -> str:
    """Ask that name and telephones be put right; one request at a time."""
    card = own(desk, said.Person, desk.person)
    private = desk.directory.file(desk.person)
    given = (name.strip(), office_phone.strip(), mobile.strip())
    check_words(*given)
    if given == (card.name, card.office_phone, private.mobile if private is not None else ""):
        raise Invalid(_("填写的与现在登记的一样，不需要更正。"), code="unchanged")
    if any(one.state == Matter.ASKED for one in mine(desk)):
        raise Conflict(_("上一次更正申请还没有处理，可以先撤回。"), code="asked")
    key = uuid7()
    desk.write(CorrectionAsked(desk.person, *given, _reason(words)), record=key, touches=(f"corrections.{desk.person}",))
    return key


def accept_correction(desk: Desk, id: str) -> None:
    """Put it right in the address book and the person's file, and say so."""
    found = _step(desk, id, "accept")
    card, private = own(desk, said.Person, found.person), desk.directory.file(found.person)
    private = private or said.File(found.person, "", "", "", "", "", "")
    new = msgspec.structs.replace(card, name=found.name, office_phone=found.office_phone, pinyin="" if found.name != card.name else card.pinyin)
    save_person(desk, new, msgspec.structs.replace(private, mobile=found.mobile))
    _settle(desk, found, Matter.GRANTED, "")


def refuse_correction(desk: Desk, id: str, *, words: str) -> None:
    """Leave it as it is, and say why."""
    found = _step(desk, id, "refuse")
    if not words.strip():
        raise Invalid(_("请写明原因。"), code="reason")
    _settle(desk, found, Matter.REFUSED, _reason(words))


def withdraw_correction(desk: Desk, id: str) -> None:
    """Take one's own request back."""
    _settle(desk, _step(desk, id, "withdraw"), Matter.WITHDRAWN, "")


def _step(desk: Desk, id: str, move: str) -> Correction:
    found = desk.get(Correction, id)
    CORRECTIONS.step(found.state, move, parts(desk, found.person))
    return found


def _settle(desk: Desk, found: Correction, state: Matter, words: str) -> None:
    desk.write(CorrectionDecided(state, words), record=found.id, after=(found.last,))


def _reason(words: str) -> str:
    if len(words) > LONG:
        raise Invalid(_("说明不超过 {m} 字。").format(m=LONG), code="too_large")
    return words.strip()


def todo(desk: Desk) -> list[Todo]:
    """Requests on the home page of who keeps records."""
    return desk.known("people.corrections", lambda: [_todo(desk, one) for one in waiting(desk)])


def _todo(desk: Desk, one: Correction) -> Todo:
    person = desk.directory.person(one.person)
    return Todo(
        title=_("个人信息更正申请"),
        url="/people/corrections",
        arrived=clock.from_ms(one.asked_at),
        state=_("待处理"),
        room=_("通信录"),
        source=person.name if person is not None else "",
    )

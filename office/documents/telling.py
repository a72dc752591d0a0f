"""The account of what happened, line by line, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node import clock
from office.documents import workflow
from office.documents.entries import CONSENTS
from office.documents.labels import ACT_WORDS, CHANGE_WORDS, CONSULT_WORDS, EXAMINATION_WORDS, REASON_WORDS, WORTH_WORDS
from office.documents.model import Act
from office.documents.papers import Change
from office.documents.workflow import Worth
from office.frame.desk import Desk
from office.frame.words import _


def act_line(desk: Desk, act: Act) -> dict[str, Any]:
    """One line of what happened so far."""
    person, post = desk.directory.person(act.person), desk.directory.post(act.post)
    tell = TELL.get(act.kind.removeprefix("documents."))
    bad = act.receipt == "R2x" or act.kind.endswith(("returned", "voided", "recalled", "lapsed", "supervised", "refused"))
    return {
        "at": clock.from_ms(act.at),
        "who": act.name or (person.name if person is not None else str(_("本节点自动"))),
        "post": post.title if post is not None else "",
        "what": _what(desk, act),
        "text": tell(desk, act) if tell is not None else act.text,
        "tone": "bad" if bad else "",
    }


def _what(desk: Desk, act: Act) -> str:
    """What was done; joint issue says which step it was, and which organ spoke."""
    if act.kind == "documents.consent_asked":
        return str(CONSULT_WORDS.get(act.reason.partition(" ")[0], ACT_WORDS[act.kind]))
    organ = desk.directory.organ(act.organ) if act.kind in (*CONSENTS, "documents.consent_urged") else None
    words = str(ACT_WORDS.get(act.kind, act.kind))
    return f"{words} · {organ.short_name}" if organ is not None else words


def moment(at: int) -> str:
    """A moment in Asia/Shanghai as it is written; empty for none."""
    return clock.from_ms(at).astimezone(workflow.SHANGHAI).strftime("%Y-%m-%d %H:%M") if at else ""


def _people(desk: Desk, act: Act) -> str:
    found = [person.name for person in map(desk.directory.person, act.reason.split()) if person is not None]
    return _joined("、".join(found), act.text)


def _instructed(desk: Desk, act: Act) -> str:
    leader = desk.directory.person(act.reason.split()[0]) if act.reason else None
    if leader is None or not act.reason.endswith(" transcribed"):
        return act.text
    return str(_("代录{name}的批示：{text}")).format(name=leader.name, text=act.text)


def _organs(desk: Desk, act: Act) -> str:
    return _joined("、".join(organ.short_name for organ in map(desk.directory.organ, act.reason.split()) if organ is not None), act.text)


def _asked(desk: Desk, act: Act) -> str:
    found = [organ.short_name for organ in map(desk.directory.organ, act.reason.split()[1:]) if organ is not None]
    return _joined("、".join(found), act.text)


def _urged(desk: Desk, act: Act) -> str:
    return str(_("第 {n} 次。{text}")).format(n=act.reason, text=act.text)


def _until(desk: Desk, act: Act) -> str:
    until = moment(int(act.reason or 0))
    return (str(_("到 {until}。")).format(until=until) if until else str(_("不同意。"))) + act.text


def _examined(desk: Desk, act: Act) -> str:
    return _joined("、".join(str(EXAMINATION_WORDS.get(code, code)) for code in act.reason.split()), act.text)


def _paper(desk: Desk, act: Act) -> str:
    copies, _blank, numbers = act.reason.partition(" ")
    return "；".join(part for part in (str(_("共 {n} 份")).format(n=copies), numbers, act.text) if part)


def _signed_for(desk: Desk, act: Act) -> str:
    return str(_("更正件，第 {n} 稿")).format(n=act.reason) if act.reason else act.text


def _signed(desk: Desk, act: Act) -> str:
    principal, _blank, basis = act.reason.partition(" ")
    person = desk.directory.person(principal) if principal else None
    if person is None:
        return act.text
    return _joined(str(_("代{name}签发，依据：{basis}")).format(name=person.name, basis=basis), act.text)


def _joined(first: str, rest: str) -> str:
    return "：".join(part for part in (first, rest) if part)


TELL: dict[str, Callable[[Desk, Act], str]] = {
    "sent_back": lambda desk, act: _joined(str(REASON_WORDS.get(act.reason, act.reason)), act.text),
    "lapsed": lambda desk, act: _joined(str(CHANGE_WORDS[Change(act.reason)]), act.text),
    "assigned": _people,
    "proposed": _people,
    "circulated": _people,
    "instructed": _instructed,
    "entrusted": _organs,
    "urged": _urged,
    "consent_urged": _urged,
    "extension_asked": _until,
    "extension_decided": _until,
    "examined": _examined,
    "paper_arrived": _paper,
    "signed": _signed,
    "brought": lambda desk, act: str(WORTH_WORDS[Worth(act.reason)]),
    "signed_for": _signed_for,
    "consent_asked": _asked,
    "consented": _signed,
}
"What a line says of an act, where its text alone does not say it."

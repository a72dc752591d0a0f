"""Documents on their way through the flow that the office drew (流程): what goes with the room's own acts, and the acts that are the flow's alone.

A document that is drafted begins a matter under the template in use for ``documents.outgoing``. Steps say by ``does`` which of the room's own
verbs belongs to them, whatever the office calls them; a verb passes the steps it covers, as far as the person holds them. Countersigning,
checks, reviews of normative documents, forwarding and the like need no content of the room: they are acts of the flow. What was drafted
before there were flows, and what a signer issues in one step, has no matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.errors import Invalid, Missing, Refused
from node.requests import Written
from office.documents import entries as said
from office.documents.entries import Paper
from office.documents.issuers import holding
from office.documents.kinds import KINDS
from office.documents.model import FLOWS, Document
from office.documents.workflow import WATCHERS
from office.frame import rights
from office.frame.desk import Desk, Wish
from office.frame.flow import entries as acts
from office.frame.flow import matter
from office.frame.flow.entries import Act, Holder, Opinion, Others
from office.frame.flow.offers import Offer
from office.frame.flow.passing import earlier
from office.frame.flow.pen import Pen, in_use
from office.frame.flow.state import Said, Seat, State
from office.frame.flow.template import Fact
from office.frame.words import _

USE = "documents.outgoing"
Parts = Mapping[str, tuple[Holder, ...]]
Facts = Mapping[str, Fact]
COVERS = {
    "submit": ("draft",),
    "review": ("review",),
    "sign": ("sign",),
    "number": ("recheck", "number", "typeset"),
    "seal": ("typeset", "seal"),
    "dispatch": ("recheck", "number", "typeset", "dispatch"),
    "issue": ("recheck", "number", "typeset", "seal", "dispatch"),
}
"What steps a verb passes on the way."
MAIN = {"submit": "draft", "issue": "dispatch"}
"The step that a verb is for, where it is called otherwise."
ANYWAY = ("submit",)
"Verbs that the registry clerk may take for the drafter, whoever holds the step."


@dataclass
class Way:
    """A document's matter in front of a person; nothing when it has none."""

    desk: Desk
    pen: Pen | None

    @classmethod
    def of(cls, desk: Desk, document: Document) -> Way:
        """The matter of a document."""
        return cls(desk, Pen(desk, FLOWS, document.id) if document.flow else None)

    def may(self, move: str) -> bool:
        """Whether the matter lies at a step that a verb covers and with this person, and comes to the step that the verb is for."""
        if self.pen is None or move not in COVERS:
            return True
        state, main = self.pen.state, MAIN.get(move, move)
        while (seat := self._next(state, move)) is not None:
            if self.pen.template.step(seat.step).does == main:
                return True
            state = matter.fold(self.pen.find, state, Said(acts.Passed(seat.id), "", "", state.touched))
        return False

    def lies(self, move: str) -> bool:
        """Whether the matter lies, with whomever, at a step that a verb covers; else only its state says why not."""
        if self.pen is None or move not in COVERS:
            return True
        return any(self.pen.template.step(seat.step).does in COVERS[move] for seat in self.pen.state.live())

    def returns(self) -> bool:
        """Whether the person has it and may return it."""
        return self.pen is None or bool(self.pen.mine())

    def take(
        self, move: str, text: str = "", *, parts: Mapping[str, tuple[Holder, ...]] | None = None, facts: Mapping[str, Fact] | None = None
    ) -> Way:
        """Pass the steps that a verb covers, as far as the person holds them; :class:`Refused` when its own is not among them."""
        if self.pen is None or move not in COVERS:
            return self
        main, come = MAIN.get(move, move), False
        while (seat := self._next(self.pen.state, move)) is not None and not (come and move != "number"):
            last = self.pen.template.step(seat.step).does == main
            self.pen.do(self._pass(seat, text, parts or {}, facts or {}) if last else acts.Passed(seat.id), right=False)
            come = come or last
        if not come:
            raise Refused(_("按流程现在不在这一步，或者不由您办理。"), code="not_yours")
        return self

    def _pass(self, seat: Seat, text: str, parts: Parts, facts: Facts) -> Act:
        """The act that passes a seat: in one's own right, or by a delegation."""
        assert self.pen is not None
        lender = self.pen.actor.lender(seat.holders)
        if lender is not None and not self.pen.actor.any(seat.holders):
            return acts.SignedFor(seat.id, lender[0], lender[1], text)
        known = {part.id for part in self.pen.template.parts}, {fact.id for fact in self.pen.template.facts}
        named = {name: found for name, found in parts.items() if name in known[0]}
        return acts.Passed(seat.id, text, {name: value for name, value in facts.items() if name in known[1]}, named)

    def _next(self, state: State, move: str) -> Seat | None:
        """A seat of the person's that a verb covers."""
        assert self.pen is not None
        actor = self.pen.actor
        for seat in state.live():
            mine = actor.any(seat.holders) or actor.lender(seat.holders) is not None or move in ANYWAY
            if mine and self.pen.template.step(seat.step).does in COVERS[move]:
                return seat
        return None

    def give_back(self, reason: str) -> Way:
        """Return it to the drafter from the step that the person holds, else (as a signer may) from where it lies."""
        if self.pen is not None:
            seats = self.pen.mine() or self.pen.state.live()
            self.pen.do(acts.Returned(seats[0].id, "drafter", reason), right=False)
        return self

    def end(self, reason: str) -> Way:
        """The document is void, and so is the matter."""
        if self.pen is not None and not self.pen.state.ended:
            self.pen.do(acts.Voided(reason), right=False)
        return self

    @property
    def wishes(self) -> list[Wish]:
        """The matter's acts, to be written after the room's own contents."""
        return self.pen.wishes if self.pen is not None else []

    def write(self, *own: Wish) -> list[Written]:
        """Write the room's contents and the matter's acts, all or nothing."""
        return self.desk.together([*own, *self.wishes])


def begin(desk: Desk, doc: str, paper: Paper) -> Pen:
    """The matter of a document that is being drafted."""
    known = {fact.id for fact in in_use(desk, FLOWS, USE, paper.organ).facts}
    kept = {name: value for name, value in facts_of(desk, paper).items() if name in known}
    return Pen.begin(desk, FLOWS, doc, use=USE, organ=paper.organ, title=paper.title, facts=kept)


def facts_of(desk: Desk, paper: Paper) -> dict[str, Fact]:
    """What a flow may ask of a paper: whether it is sealed, and whether it goes to a superior."""
    kind, above = KINDS[paper.kind], {organ.id for organ in desk.directory.above(paper.organ)}
    upward = kind.upward or ("u" in kind.ways and any(organ in above for organ in paper.to))
    return {"sealed": kind.sealed and bool(desk.directory.seals_of(paper.organ)), "upward": upward}


def chosen(desk: Desk, paper: Paper, units: Sequence[str] = (), heads: Sequence[str] = (), *, normative: bool = False) -> dict[str, Any]:
    """What a drafter says when submitting: units that countersign, heads that check, whether it is normative; and what the paper has become."""
    parts = {"units": tuple(Holder("organ", one) for one in units), "heads": tuple(Holder.person(one) for one in heads)}
    return {"parts": {name: found for name, found in parts.items() if found}, "facts": facts_of(desk, paper) | {"normative": normative}}


def offers(desk: Desk, document: Document) -> list[Offer]:
    """What the flow alone offers the person: everything that is no verb of the room."""
    if not document.flow:
        return []
    pen = Pen(desk, FLOWS, document.id)
    found = [one for one in pen.offers() if one.act not in ("void", "merge", "migrate", "open", "split", "close_item", "transcribe", "sign_for")]
    return [one for one in found if not (one.act == "pass" and _ours(pen, one.seat))]


def _ours(pen: Pen, seat: str) -> bool:
    """Whether a step is passed by a verb of the room."""
    found = pen.state.seat(seat)
    does = pen.template.step(found.step).does if found is not None else ""
    return does in {"draft", "review", "sign", "number", "seal", "dispatch"}


def earlier_steps(desk: Desk, document: Document, seat: str) -> list[tuple[str, str]]:
    """Where a seat may be returned to."""
    pen = Pen(desk, FLOWS, document.id)
    found = pen.state.seat(seat)
    return [(step.id, str(step.name)) for step in earlier(pen.state, pen.template, found)] if found is not None else []


def act(desk: Desk, doc: str, name: str, seat: str, **given: Any) -> None:
    """One act of the flow on a document; a return also takes back what was signed."""
    document = desk.get(Document, doc)
    if not document.flow:
        raise Missing(_("这件公文没有按流程办理。"))
    way = Way(desk, Pen(desk, FLOWS, doc))
    assert way.pen is not None
    if name == "pass" and _ours(way.pen, seat):
        raise Refused(_("这一步请用公文上的按钮办理。"), code="not_yours")
    made = _act(name, seat, given)
    way.pen.do(made)
    own = []
    if isinstance(made, acts.Returned):
        own.append(desk.wish(said.Returned(made.reason), record=doc, post=rights.acting_post(desk, document.organ, WATCHERS), after=(document.last,)))
        own += holding(desk, document, made.reason)
    way.write(*own)


def _act(name: str, seat: str, given: dict[str, Any]) -> Act:
    """An act by its name, from what a form says."""
    text, who = str(given.get("text", "")).strip()[: acts.TEXT], given.get("who", "")
    holder = Holder("organ", who[2:]) if who.startswith("o:") else Holder.person(who.removeprefix("p:"))
    if name in ("forward", "add_signer", "assign", "circulate") and not who:
        raise Invalid(_("请选择办理人。"), code="who")
    makes: dict[str, Callable[[], Act]] = {
        "pass": lambda: acts.Passed(seat, text, {"substantial": True} if given.get("substantial") else {}),
        "countersign": lambda: acts.Countersigned(seat, Opinion(given.get("opinion") or "agree"), text),
        "settle": lambda: acts.Settled(seat, text),
        "return": lambda: acts.Returned(seat, given.get("to") or "drafter", text, Others(given.get("others") or Others.SUSPEND)),
        "recall": lambda: acts.Recalled(seat, text),
        "urge": lambda: acts.Urged(seat, "screen", text),
        "answer_urge": lambda: acts.UrgeAnswered(seat, text),
        "supervise": lambda: acts.Supervised(seat),
        "forward": lambda: acts.Forwarded(seat, holder, text),
        "assign": lambda: acts.Assigned(seat, holder, (), text),
        "add_signer": lambda: acts.SignerAdded(seat, holder, text),
        "drop_signer": lambda: acts.SignerDropped(seat, text),
        "circulate": lambda: acts.Circulated((holder,)),
        "read": lambda: acts.Read(int(seat) if seat.isascii() and seat.isdigit() else 0, text),
        "suspend": lambda: acts.Suspended(text),
        "resume": lambda: acts.Resumed(text),
        "jump": lambda: acts.Jumped(given.get("to") or "", text),
    }
    if name not in makes:
        raise Missing(_("没有这一步操作。"))
    try:
        return makes[name]()
    except ValueError:
        raise Invalid(_("填写有误，请重新选择。"), code="malformed") from None

"""Who may do what with a matter now: for buttons, and for the check before anything is written.

What somebody is in a matter: ``holder`` of a seat, ``sender`` of what was done last, ``clerk`` of its organ, ``superior`` there, ``starter``,
``reader``, ``approver`` of more time. The table says which of these may do which act in which condition of the matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from node.errors import Refused
from office.frame.flow.entries import Holder
from office.frame.flow.moves import Flow, Move
from office.frame.flow.passing import recallable
from office.frame.flow.state import Done, Seat, Sort, State
from office.frame.flow.template import Asks, How, Many, Template
from office.frame.flow.waiting import URGES
from office.frame.words import _

OPEN, SUSPENDED, ENDED = "open", "suspended", "ended"
HOLDER, SENDER, CLERK, SUPERIOR, STARTER, READER, ASSISTANT = "holder", "sender", "clerk", "superior", "starter", "reader", "assistant"
CLERKS, SUPERIORS = ("registry_clerk", "supervisor"), ("signer",)
"Roles in the matter's organ that make a clerk, and a superior, of the matter."

RIGHTS = Flow(
    Move("open", OPEN, None, by=HOLDER),
    Move("pass", OPEN, None, by=HOLDER),
    Move("countersign", OPEN, None, by=HOLDER),
    Move("settle", OPEN, None, by=HOLDER),
    Move("sign_for", OPEN, None, by=HOLDER),
    Move("transcribe", OPEN, None, by=CLERK),
    Move("return", OPEN, None, by=HOLDER),
    Move("forward", OPEN, None, by=(HOLDER, CLERK)),
    Move("assign", OPEN, None, by=HOLDER),
    Move("split", OPEN, None, by=HOLDER),
    Move("close_item", OPEN, None, by=(HOLDER, ASSISTANT)),
    Move("add_signer", OPEN, None, by=(HOLDER, CLERK, STARTER)),
    Move("drop_signer", OPEN, None, by=(CLERK, STARTER)),
    Move("answer_urge", OPEN, None, by=HOLDER),
    Move("ask_supplement", OPEN, None, by=HOLDER),
    Move("ask_extension", OPEN, None, by=HOLDER),
    Move("extend", OPEN, None, by=SUPERIOR),
    Move("recall", OPEN, None, by=SENDER),
    Move("urge", OPEN, None, by=(CLERK, STARTER)),
    Move("supervise", OPEN, None, by=CLERK),
    Move("supplement", OPEN, None, by=(CLERK, HOLDER)),
    Move("circulate", (OPEN, SUSPENDED, ENDED), None, by=(HOLDER, CLERK)),
    Move("read", (OPEN, SUSPENDED, ENDED), None, by=READER),
    Move("merge", (OPEN, SUSPENDED), None, by=CLERK),
    Move("suspend", OPEN, None, by=(CLERK, SUPERIOR)),
    Move("resume", SUSPENDED, None, by=(CLERK, SUPERIOR)),
    Move("void", (OPEN, SUSPENDED), None, by=(CLERK, SUPERIOR)),
    Move("jump", OPEN, None, by=(CLERK, SUPERIOR)),
)
_SEATED = {
    "open", "pass", "countersign", "settle", "sign_for", "transcribe", "return", "forward", "assign", "split", "add_signer", "drop_signer",
    "answer_urge", "ask_supplement", "ask_extension", "urge", "supervise",
}  # fmt: skip
"Acts that are about one seat."
WORDS = {
    "open": _("打开"), "pass": _("办结本步"), "countersign": _("会签"), "settle": _("裁定"), "sign_for": _("代签"), "transcribe": _("代录"),
    "return": _("退回"), "recall": _("撤回"), "urge": _("催办"), "answer_urge": _("答复催办"), "supervise": _("转督查"), "forward": _("转办"),
    "assign": _("交办"), "split": _("分办"), "close_item": _("办结分项"), "add_signer": _("加签"), "drop_signer": _("减签"),
    "circulate": _("传阅"), "read": _("阅知"), "ask_supplement": _("要求补正"), "supplement": _("补正已收到"), "ask_extension": _("申请延期"),
    "extend": _("批准延期"), "merge": _("合并"), "suspend": _("挂起"), "resume": _("恢复"), "void": _("作废"), "jump": _("转到环节"),
    "migrate": _("换用新版流程"), "start": _("开始"), "cancelled": _("取消"), "ended": _("终止"), "skipped": _("跳过"), "recalled": _("被撤回"),
}  # fmt: skip
"What acts, and what else becomes of seats, are called on the screen."


@dataclass(frozen=True)
class Actor:
    """Somebody as matters see them."""

    person: str
    posts: frozenset[str] = frozenset()
    organs: frozenset[str] = frozenset()
    "Organs in which the person works or for which a post acts."
    roles: frozenset[tuple[str, str]] = frozenset()
    "(role, organ)."
    lent: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    "(role, organ) lent by a delegation in force to (person lending, id of the delegation)."

    def fits(self, holder: Holder) -> bool:
        """Whether the actor is one whom a holder means."""
        if holder.how == How.PERSON:
            return bool(self.person) and holder.id == self.person
        if holder.how == How.POST:
            return holder.id in self.posts
        if holder.how == How.ROLE:
            return (holder.id, holder.organ) in self.roles
        return holder.how == How.ORGAN and holder.id in self.organs

    def any(self, holders: Iterable[Holder]) -> bool:
        """Whether the actor is one of them."""
        return any(self.fits(one) for one in holders)

    def lender(self, holders: Iterable[Holder]) -> tuple[str, str] | None:
        """Who lent the actor what one of the holders is, and by which delegation."""
        return next((self.lent[one.id, one.organ] for one in holders if one.how == How.ROLE and (one.id, one.organ) in self.lent), None)

    def plays(self, roles: Iterable[str], organ: str) -> bool:
        """Whether the actor has one of these roles in an organ."""
        return any((role, organ) in self.roles for role in roles)


@dataclass(frozen=True)
class Offer:
    """Something that may be done now."""

    act: str
    seat: str = ""
    "The seat or part of one; the place of a reader; empty for the whole matter."

    @property
    def label(self) -> str:
        """The word on the button."""
        return WORDS[self.act]


def condition(state: State) -> str:
    """Whether the matter is open, suspended or over."""
    return ENDED if state.ended else SUSPENDED if state.suspended else OPEN


def offers(template: Template, state: State, actor: Actor) -> list[Offer]:
    """Everything the actor may do now, by seat, then for the whole matter."""
    found = [offer for seat in state.live() for offer in _of_seat(template, state, seat, actor)]
    found += [Offer("recall", one.seat.id) for one in _sent(state, actor)]
    found += [Offer("close_item", piece.id) for seat in state.live() for piece in seat.pieces if not piece.done and actor.fits(piece.holder)]
    found += [Offer("read", str(n)) for n, one in enumerate(state.reading) if one.since and not one.read and actor.fits(one.holder)]
    roles = _roles(state, actor)
    return [
        *(one for one in found if RIGHTS.allows(condition(state), one.act, _in(one, state, actor, roles))),
        *(Offer(move.name) for move in RIGHTS.offers(condition(state), roles) if move.name not in _SEATED | {"recall", "close_item", "read"}
          and _sensible(move.name, state)),
    ]  # fmt: skip


def require(template: Template, state: State, actor: Actor, act: str, seat: str = "") -> None:
    """:class:`Refused` when the actor may not do this now."""
    if not any(one.act == act and one.seat in ("", seat) for one in offers(template, state, actor)):
        raise Refused(_("您的岗位不能办理这一步。"), code="not_yours")


def _roles(state: State, actor: Actor) -> set[str]:
    found = {STARTER} if actor.person and actor.person == state.starter else set()
    if actor.plays(CLERKS, state.organ):
        found.add(CLERK)
    if actor.plays(SUPERIORS, state.organ):
        found.add(SUPERIOR)
    return found | ({HOLDER} if any(actor.any(seat.holders) for seat in state.live()) else set())


def _in(offer: Offer, state: State, actor: Actor, roles: set[str]) -> set[str]:
    """What the actor is with regard to one offer."""
    seat = state.seat(offer.seat)
    if seat is None:
        return (roles - {HOLDER}) | {{"recall": SENDER, "close_item": ASSISTANT, "read": READER}.get(offer.act, "")}
    mine = actor.any(seat.holders) or (offer.act == "sign_for" and actor.lender(seat.holders) is not None)
    return (roles - {HOLDER}) | ({HOLDER} if mine else set())


def _of_seat(template: Template, state: State, seat: Seat, actor: Actor) -> list[Offer]:
    step = template.step(seat.step)
    settle, asks = seat.sort == Sort.SETTLE, Asks(step.asks)
    main = "settle" if settle else "countersign" if asks is Asks.COUNTERSIGN else "pass"
    names = [] if seat.opened or not actor.any(seat.holders) else ["open"]
    names += [main, "return"]
    names += ["sign_for"] if actor.lender(seat.holders) is not None and not actor.any(seat.holders) else []
    names += ["transcribe"] if settle or asks is not Asks.PASS else []
    names += ["forward", "assign", "ask_supplement"] if not state.supplement else ["forward", "assign"]
    names += ["split"] if not settle and all(piece.done for piece in seat.pieces) else []
    names += ["add_signer"] if not settle else []
    names += ["drop_signer"] if step.many != Many.ONE or any(one.round == seat.round and one.id != seat.id for one in state.seats) else []
    names += ["urge"] if len(seat.urges) < URGES else [] if seat.supervised else ["supervise"]
    names += ["answer_urge"] if seat.urges and not seat.urges[-1].answered else []
    names += ["ask_extension"] if any(clock.running and clock.round in ("", seat.round) for clock in state.clocks) else []
    return [Offer(name, seat.id) for name in names]


def _sent(state: State, actor: Actor) -> list[Done]:
    """What the actor did last at each seat and may take back."""
    last = {one.seat.id: one for one in state.trail}
    return [one for one in last.values() if actor.person and one.person == actor.person and not state.seat(one.seat.id) and recallable(state, one)]


def _sensible(act: str, state: State) -> bool:
    if act == "extend":
        return state.extension is not None
    return bool(state.supplement) if act == "supplement" else True

"""The life of seals: asked for and granted (制章), issued, handed on, suspended, collected and destroyed; and each use that is no step of a
document's flow (用印): asked for, granted by the head, done and registered by the custodian.

A seal that is suspended or collected is laid aside: its key opens for nobody, whatever else goes on. Putting it under a document is a step of that
document and is registered by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from node import certs, clock, persons
from node.codec import uuid7
from node.directory.entries import ADMINISTRATORS, Organ
from node.directory.view import Signer
from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.desk import Desk
from office.frame.flow import Flow
from office.frame.rights import acting_post, roles
from office.frame.todo import Todo
from office.frame.words import _
from office.people.accounts import issue_seal, revoke
from office.people.entries import SealAsked, SealDecided, SealDone, SealMoved, SealWithdrawn
from office.people.model import SealAct, SealMatter
from office.people.pen import may, there
from office.people.workflow import MAKES, OWNER, SEALS, USES, Matter, Seal

WHAT, REASON, COPIES = 200, 500, 10_000
"Most characters of what is to be sealed and of a reason; most copies of one application."
BARRED = {
    Seal.SUSPENDED: _("这枚印章已停用，恢复使用后才能用印。"),
    Seal.COLLECTED: _("这枚印章已收回，不能用印。"),
    Seal.DESTROYED: _("这枚印章已销毁，不能用印。"),
    Seal.REVOKED: _("这枚印章已失效，不能用印。"),
}
"Why a seal cannot be put under anything."


@dataclass(frozen=True, kw_only=True)
class Held:
    """A seal as it stands."""

    signer: Signer
    organ: Organ
    state: Seal
    keepers: tuple[str, ...]
    "Person ids; empty while it is laid aside."


def organs(desk: Desk) -> list[Organ]:
    """Organs of this node whose seals concern the person: all for administrators, else those acted for."""
    if may(desk, *ADMINISTRATORS):
        return [organ for organ in desk.directory.organs_at(desk.node) if organ.may_issue]
    return askable(desk, "use")


def askable(desk: Desk, task: str) -> list[Organ]:
    """Organs for which the person may apply: those acted for; that a seal be made, administrators for any of the node."""
    if task == "make" and may(desk, *ADMINISTRATORS):
        return organs(desk)
    return [organ for organ in desk.organs if organ.node == desk.node and organ.may_issue]


def concerned(desk: Desk) -> bool:
    """Whether the person has anything to do with seals."""
    return may(desk, *ADMINISTRATORS) or bool(askable(desk, "use"))


def names(desk: Desk) -> dict[str, str]:
    """The organ's name by the id of each seal that concerns the person."""
    return {signer.id: organ.full_name for organ in organs(desk) for signer in desk.directory.seals_issued(organ.id)}


def seals(desk: Desk, *chosen: str) -> list[Held]:
    """Every seal of the organs that concern the person (or of those chosen among them), the newest of each first."""
    found = [organ for organ in organs(desk) if not chosen or organ.id in chosen]
    return [_held(desk, organ, signer) for organ in found for signer in desk.directory.seals_issued(organ.id)[::-1]]


def one(desk: Desk, seal: str) -> Held:
    """A seal that concerns the person."""
    return there(next((held for held in seals(desk) if held.signer.id == seal), None))


def _held(desk: Desk, organ: Organ, signer: Signer) -> Held:
    return Held(signer=signer, organ=organ, state=_state(desk, signer), keepers=persons.keepers_of(desk.settings, signer.id))


def _state(desk: Desk, signer: Signer) -> Seal:
    last = persons.where_is(desk.settings, signer.id)
    if signer.revoked is None:
        return Seal.LIVE if last == "held" else Seal.SUSPENDED
    return {"aside": Seal.COLLECTED, "gone": Seal.DESTROYED}.get(last, Seal.REVOKED)


def moves(desk: Desk, held: Held) -> list[str]:
    """What the person may do with a seal now."""
    if held.signer.node != desk.node:
        return []
    found = [move.name for move in SEALS.offers(held.state, _parts(desk, held.organ.id))]
    return [name for name in found if name != "hand" or desk.person in held.keepers]


def _parts(desk: Desk, organ: str) -> set[str]:
    """Custodian by a post of the organ, administrator by any."""
    return set(roles(desk, organ)) | (set(desk.roles) & set(ADMINISTRATORS))


def move(desk: Desk, seal: str, name: str, *, words: str = "") -> None:
    """Hand on, suspend, resume, collect or destroy a seal; the reason is kept.

    It is said first and done then: what was said and not done, because the machine died between the two, is offered again. Handing on alone
    may be refused where it is done, and is done first.
    """
    held = one(desk, seal)
    SEALS.step(held.state, name, _parts(desk, held.organ.id))
    said = SealMoved(seal, held.organ.id, name, _reason(words))
    if name == "hand":
        _hand(desk, held)
    desk.write(said, record=f"seal.{seal}", post=acting_post(desk, held.organ.id, ADMINISTRATORS), after=_before(desk, seal))
    if name in ("suspend", "collect") and held.state is Seal.LIVE:
        persons.lay_aside(desk.settings, seal)
    elif name == "resume":
        persons.take_up(desk.settings, seal)
    elif name == "destroy":
        persons.destroy_seal(desk.settings, seal)
    if name == "collect":
        revoke(desk, certs.fingerprint(held.signer.certificate), reason="closed")


def _hand(desk: Desk, held: Held) -> None:
    if desk.away is not None or desk.person not in held.keepers:
        raise Refused(_("这枚印章不由您保管。"), code="not_keeper")
    fresh = tuple(person.id for person in desk.directory.holders("seal_keeper", held.organ.id))
    persons.hand_seal(desk.settings, held.signer.id, desk.door, fresh)


def _before(desk: Desk, seal: str) -> tuple[bytes, ...]:
    last = desk.list(SealAct, SealAct.seal == seal, order=SealAct.place.desc(), limit=1)
    return (last[0].id,) if last else ()


# applications


def ask(desk: Desk, *, task: str, organ: str, what: str, copies: int = 1, reason: str = "") -> str:
    """Ask for the use of an organ's seal, or that a seal be made for it."""
    if task not in ("use", "make") or organ not in {found.id for found in askable(desk, task)}:
        raise Refused(_("只能为本机关申请，而且本机关须登记为发文单位。"), code="not_yours")
    what = what.strip()
    if not what or len(what) > WHAT or not 1 <= copies <= COPIES:
        raise Invalid(_("请写明盖在什么材料上（{n} 字以内）和份数。").format(n=WHAT), code="malformed")
    if task == "use" and not desk.directory.seals_of(organ):
        raise Refused(_("本机关还没有可用的印章，请先申请制章。"), code="no_seal")
    id = uuid7()
    said = SealAsked(task, organ, what, copies, _reason(reason))
    desk.write(said, record=id, post=acting_post(desk, organ))
    return id


def flow(matter: SealMatter) -> Flow:
    """The moves of an application."""
    return USES if matter.task == "use" else MAKES


def steps(desk: Desk, matter: SealMatter) -> list[str]:
    """What the person may do with an application now; nobody decides about one's own."""
    found = [step.name for step in flow(matter).offers(matter.state, _roles(desk, matter))]
    return [name for name in found if matter.asker != desk.person or name not in ("grant", "refuse")]


def _roles(desk: Desk, matter: SealMatter) -> Collection[str]:
    return _parts(desk, matter.organ) | ({OWNER} if matter.asker == desk.person else set())


def act(desk: Desk, id: str, name: str, *, words: str = "", seal: str = "", copies: int = 0) -> None:
    """One step of an application: grant, refuse, withdraw, use or make."""
    matter = desk.get(SealMatter, id)
    flow(matter).step(matter.state, name, _roles(desk, matter))
    if name in ("grant", "refuse") and matter.asker == desk.person:
        raise Refused(_("不能审批自己的申请。"), code="own_matter")
    where: dict[str, Any] = {"record": id, "after": (matter.last,), "post": acting_post(desk, matter.organ)}
    if name in ("grant", "refuse"):
        desk.write(SealDecided(name == "grant", words.strip() if name == "grant" else _reason(words)), **where)
    elif name == "withdraw":
        desk.write(SealWithdrawn(words.strip()[:REASON]), **where)
    elif name == "use":
        desk.write(_used(desk, matter, seal, copies or matter.copies, words), **where)
    else:
        made = issue_seal(desk, matter.organ)
        desk.write(SealDone(made.id, 1, words.strip()[:REASON]), **where)


def _used(desk: Desk, matter: SealMatter, seal: str, copies: int, words: str) -> SealDone:
    """The register's line; the custodian's key must open the seal, and no more is sealed than was granted."""
    held = next((one for one in seals(desk, matter.organ) if one.signer.id == seal), None)
    if held is None:
        raise Missing(_("没有找到这枚印章。"))
    if held.state in BARRED:
        raise Refused(BARRED[held.state], code=f"seal_{held.state}")
    if desk.person not in held.keepers or desk.away is not None:
        raise Refused(_("这枚印章不由您保管。"), code="not_keeper")
    persons.open_seal_key(desk.settings, seal, desk.door)
    if not 1 <= copies <= matter.copies:
        raise Conflict(_("用印份数不能超过批准的 {n} 份。").format(n=matter.copies), code="too_many")
    return SealDone(seal, copies, words.strip()[:REASON])


def choices(desk: Desk, matter: SealMatter) -> list[Held]:
    """The seals that the person may put under what was granted."""
    return [held for held in seals(desk, matter.organ) if held.state is Seal.LIVE and desk.person in held.keepers]


def _reason(words: str) -> str:
    if not words.strip() or len(words) > REASON:
        raise Invalid(_("请写明原因，不超过 {n} 字。").format(n=REASON), code="reason")
    return words.strip()


def waiting(desk: Desk) -> list[SealMatter]:
    """Applications that wait for the person: to decide, to seal or to make."""
    open_ = desk.list(SealMatter, SealMatter.state.in_((Matter.ASKED, Matter.GRANTED)), order=SealMatter.asked_at.desc(), narrow=True)
    return [matter for matter in open_ if set(steps(desk, matter)) - {"withdraw"}]


def todo(desk: Desk) -> list[Todo]:
    """The same on the home page."""
    return desk.known("people.seals", lambda: [_todo(desk, matter) for matter in waiting(desk)])


def _todo(desk: Desk, matter: SealMatter) -> Todo:
    asker = desk.directory.person(matter.asker)
    return Todo(
        title=matter.what,
        url=f"/people/seals/matters/{matter.id}",
        arrived=clock.from_ms(matter.asked_at),
        state=_("待审批") if matter.state == Matter.ASKED else _("待用印") if matter.task == "use" else _("待制发"),
        room=_("印章"),
        source=asker.name if asker is not None else "",
    )

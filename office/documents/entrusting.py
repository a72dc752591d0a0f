"""转办, 分办, 并办 and 双套: other organs are entrusted, duplicates are joined, the paper original is entered."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from node.codec import uuid7
from node.errors import Conflict, Invalid
from office.documents import entries as said
from office.documents import workflow
from office.documents.entries import Paper, Role
from office.documents.envelopes import made, way
from office.documents.incoming import lead_of
from office.documents.issuing import Parts
from office.documents.model import Incoming, Letter
from office.documents.routing import findings, organ_of, refuse
from office.documents.steps import inner, move, stored, words
from office.documents.terms import deadline
from office.documents.workflow import Standing
from office.frame.desk import Desk
from office.frame.words import _


def entrust(desk: Desk, incoming: str, *, lead: str, assistants: Sequence[str] = (), text: str = "", due: str = "") -> str:
    """转办 to one organ, or 分办 to several with one in the lead; a document of its own goes to them. Returns its id.

    This organ stays answerable: it cannot close the matter before the organ in the lead has answered. When that sends it back, or is relieved by a
    recall, this organ leads again, and may entrust others.
    """
    found = move(desk, incoming, "entrust")
    if lead_of(desk, found) != found.organ:
        raise Conflict(_("本件已经转办。"), code="moved_on")
    if not lead:
        raise Invalid(_("请选择主办机关。"), code="no_lead")
    letter = desk.get(Letter, found.doc).envelope
    paper = _paper(desk, found, letter, (lead, *(one for one in dict.fromkeys(assistants) if one != lead)), words(text), *deadline(desk, due))
    refuse(desk, findings(desk, paper))
    bare = made(desk, paper, "", desk.name, workflow.day(desk.now).isoformat(), None)
    roles = tuple(msgspec.structs.replace(r, role=Role.LEAD if r.organ == bare.recipients[0].organ else Role.ASSIST) for r in bare.recipients)
    sent = msgspec.structs.replace(bare, recipients=roles)
    parts = Parts(desk, uuid7(), found.organ, b"")
    parts.add(said.Drafted(paper), attachments=stored(paper.annexes))
    parts.acts.append(desk.wish(said.Dispatched(sent), record=parts.doc, post=parts.post, **way(desk, sent)))
    first, *others = (r.organ for r in roles)
    desk.together([*parts.acts, inner(desk, found, said.Entrusted(found.doc, found.organ, parts.doc, first, tuple(others)))])
    return parts.doc


def _paper(desk: Desk, found: Incoming, letter: said.Envelope, to: tuple[str, ...], text: str, due: int, rule: str) -> Paper:
    about = f"{letter.issuer}《{found.title}》（{found.number or letter.signed_on}）"
    body = f"现将{about}转给你们办理。{text}\n请{organ_of(desk, to[0]).short_name}主办，按期反馈办理情况。\n\n————————\n{letter.paper.text}"
    return Paper(
        found.organ,
        "letter",
        f"关于办理《{found.title}》的函",
        body[: said.TEXT],
        to,
        urgency=letter.paper.urgency,
        urgency_reason=letter.paper.urgency_reason,
        label=letter.paper.label,
        reply_required=True,
        due=due,
        due_rule=rule,
        forwards=found.doc,
        annexes=letter.paper.annexes,
    )


def link(desk: Desk, incoming: str, *, master: str) -> None:
    """重复件: join a document to another one that asks the same; whoever answers that one answers both."""
    found = move(desk, incoming, "link")
    other = next(iter(desk.list(Incoming, Incoming.id == master, Incoming.organ == found.organ)), None)
    if other is None or other.id == found.id or other.master:
        raise Invalid(_("请选择本机关正在办理的另一件来文。"), code="master")
    if other.state in (Standing.ANSWERED, Standing.CLOSED, Standing.SENT_BACK, Standing.RECALLED):
        raise Conflict(_("那一件已经办完，不能并办。"), code="moved_on")
    if desk.list(Incoming, Incoming.master == found.id):
        raise Conflict(_("已有来文并入本件，请先办理本件。"), code="has_linked")
    desk.together([inner(desk, found, said.Linked(found.doc, found.organ, other.id))])


def alike(desk: Desk, found: Incoming) -> list[Incoming]:
    """Open documents of the same organ with the same number or title: likely duplicates."""
    same = (Incoming.title == found.title) | ((Incoming.number == found.number) & (Incoming.number != ""))
    open_ = Incoming.state.in_([Standing.SIGNED_IN, Standing.REGISTERED, Standing.IN_HAND, Standing.CIRCULATING])
    return desk.list(Incoming, Incoming.organ == found.organ, Incoming.id != found.id, Incoming.master == "", open_, same, limit=10)


def paper_arrived(desk: Desk, incoming: str, *, copies: int = 1, numbers: str = "", place: str = "") -> None:
    """双套: the paper original has come, and this is where it is kept."""
    found = move(desk, incoming, "paper")
    if not 1 <= copies <= 10_000:
        raise Invalid(_("份数应为 1 到 10000。"), code="copies")
    desk.together([inner(desk, found, said.PaperArrived(found.doc, found.organ, copies, words(numbers), words(place)))])

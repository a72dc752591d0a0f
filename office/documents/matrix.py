"""Recipients by receipts, and what happened so far.

R0 and R1 are what nodes signed about the chain in which the envelope stands; R2 to R5 are what persons signed. Nothing is
inferred: a node that is not heard is unknown since then, and is said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from node.errors import Missing
from office.documents import entries as said
from office.documents.labels import ACT_WORDS
from office.documents.model import Act, Delivery, Document, Incoming, Letter
from office.documents.routing import organ_of
from office.frame.desk import Desk
from office.frame.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recipient of a document and all that is known of it there; what is not known is said so."""

    organ: str
    name: str
    role: str
    node: str
    node_name: str
    carried: tuple[tuple[str, int], ...] = ()
    "R0: (name of a node on the way, when it held the document first)."
    delivered: int | None = None
    "R1: when the recipient's node held it, milliseconds; None while that has not been heard."
    delivered_place: str = ""
    receipts: dict[str, Act] = field(default_factory=dict)
    "R2, R2x, R3, R4, R5: the first of each."
    also: tuple[Act, ...] = ()
    "Later receipts of the same sort."
    silent: bool = False
    "The recipient's node is not heard now: what happens there is unknown."
    heard: int = 0
    "When it was last heard, milliseconds; 0 for never."

    @property
    def waiting(self) -> bool:
        """Nobody on the way holds it yet."""
        return self.delivered is None and not self.carried


def matrix(desk: Desk, doc: str) -> list[Row]:
    """Recipients by receipts, in the order of the envelope."""
    desk.get(Document, doc)
    deliveries = desk.list(Delivery, Delivery.doc == doc, order=Delivery.order, limit=said.RECIPIENTS)
    if not deliveries:
        return []
    receipts: dict[str, list[Act]] = {}
    for act in desk.list(Act, Act.doc == doc, Act.receipt != "", order=Act.at, limit=10 * said.RECIPIENTS):
        receipts.setdefault(act.organ, []).append(act)
    trace = Trace(desk, desk.get(Letter, doc).said)
    return [_row(desk, delivery, receipts.get(delivery.organ, []), trace) for delivery in deliveries]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a document has come at its recipients, in numbers of organs."""

    recipients: int
    signed: int
    answered: int
    back: int


def progress(desk: Desk, docs: Sequence[str]) -> dict[str, Progress]:
    """Receipts of persons for several documents, counted in two queries; documents without recipients are left out."""
    everyone = select(Delivery.doc, func.count()).where(Delivery.doc.in_(docs), Delivery.visible(desk)).group_by(Delivery.doc)
    given = (
        select(Act.doc, Act.receipt, func.count(Act.organ.distinct()))
        .where(Act.doc.in_(docs), Act.receipt.in_(("R2", "R2x", "R4")), Act.visible(desk))
        .group_by(Act.doc, Act.receipt)
    )
    counts = {(doc, receipt): n for doc, receipt, n in desk.query(Act, given)}
    return {
        doc: Progress(recipients=n, signed=counts.get((doc, "R2"), 0), answered=counts.get((doc, "R4"), 0), back=counts.get((doc, "R2x"), 0))
        for doc, n in desk.query(Delivery, everyone)
    }


STEPS = {kind: n for n, kind in enumerate(ACT_WORDS)}
"Acts that were written together have one time; then they stand in the order of the work."


def timeline(desk: Desk, record: str) -> list[Act]:
    """What happened to a document or an incoming one so far, oldest first."""
    acts = desk.list(Act, Act.record == record, order=(Act.at, Act.seq), limit=500)
    return sorted(acts, key=lambda act: (act.at, STEPS.get(act.kind, len(STEPS))))


def statements(desk: Desk, doc: str) -> list[tuple[bytes, str]]:
    """(statement id, ref of one place) of a document's envelopes and of every receipt to it that is here, for an evidence file."""
    seen = desk.list(Document, Document.id == doc) or desk.list(Incoming, Incoming.doc == doc)
    if not seen:
        raise Missing()
    letter = desk.get(Letter, doc)
    acts = desk.list(
        Act,
        Act.doc == doc,
        Act.kind.in_((*said.RECEIPTS, "documents.dispatched", "documents.corrected", "documents.resent", "documents.recalled")),
        limit=20_000,
    )
    known = {act.id: act.place for act in acts}
    return [(letter.said, letter.place), *((id, place) for id, place in known.items() if id != letter.said)]


def _row(desk: Desk, delivery: Delivery, acts: Sequence[Act], trace: Trace) -> Row:
    reached = trace.at(delivery.node, written=delivery.sent_at)
    first: dict[str, Act] = {}
    for act in acts:
        first.setdefault(act.receipt, act)
    return Row(
        organ=delivery.organ,
        name=organ_of(desk, delivery.organ).short_name,
        role=delivery.role,
        node=delivery.node,
        node_name=_node_name(desk, delivery.node),
        carried=tuple((_node_name(desk, holder), at) for holder, at in reached.carried),
        delivered=reached.delivered,
        delivered_place=reached.place,
        receipts=first,
        also=tuple(act for act in acts if first[act.receipt] is not act),
        silent=reached.silent,
        heard=reached.heard,
    )


def _node_name(desk: Desk, node: str) -> str:
    found = desk.directory.node(node)
    return found.name if found is not None else node

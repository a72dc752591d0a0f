"""What of documents can be found: number, title, text and names of files, at every desk that may read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from node.kinds import Entry
from office.documents import entries as said
from office.documents.entries import Change, Label, Paper
from office.documents.labels import KIND_WORDS
from office.documents.model import Document, Hand, Incoming, Letter, Party, watched
from office.documents.model import Validity as Changed
from office.documents.workflow import Stage
from office.frame.desk import Desk
from office.frame.find import Direction, Piece, Source, Spot, Validity

_CHANGED = {
    Change.AMENDED: Validity.AMENDED,
    Change.REPEALED: Validity.REPEALED,
    Change.REVOKED: Validity.REVOKED,
    Change.EXPIRED: Validity.EXPIRED,
}
_ENDED = {Stage.VOID: Validity.VOID, Stage.RECALLED: Validity.RECALLED, Stage.DISPATCHED: Validity.FORCE}


def matters(entry: Entry[Any]) -> Iterable[str]:
    """The document that an act, an envelope or a receipt is about."""
    return (getattr(entry.body, "doc", entry.record),)


def keys(desk: Desk) -> list[str]:
    """The person, and the organs whose documents the person watches over."""
    return [desk.person, *watched(desk)]


def pieces(desk: Desk, docs: Sequence[str]) -> Iterable[Piece]:
    """What documents say now: the issue that went out, else the draft."""
    own = {row.id: row for row in desk.list(Document, Document.id.in_(docs), limit=None, everything=True)}
    letters = {row.id: row for row in desk.list(Letter, Letter.id.in_(docs), limit=None, everything=True)}
    came: dict[str, list[Incoming]] = {}
    for row in desk.list(Incoming, Incoming.doc.in_(docs), limit=None, everything=True):
        came.setdefault(row.doc, []).append(row)
    shared: dict[str, list[Party]] = {}
    for party in desk.list(Party, Party.doc.in_(docs), Party.issued_at > 0, Party.node == desk.node, limit=None, everything=True):
        shared.setdefault(party.doc, []).append(party)
    hands = _hands(desk, [row.id for rows in came.values() for row in rows])
    changed = _changed(desk, docs, letters)
    for doc in docs:
        if doc in own or doc in letters:
            found = _piece(doc, own.get(doc), letters.get(doc), came.get(doc, []), hands, changed.get(doc))
            with_others = tuple(
                Spot(model="joint", id=one.id, url=f"/joint/{one.id}", direction=Direction.OUT, holders=(one.organ,)) for one in shared.get(doc, ())
            )
            yield replace(found, spots=(*found.spots, *with_others))


def _piece(
    doc: str, own: Document | None, letter: Letter | None, came: Sequence[Incoming], hands: Mapping[str, list[str]], changed: Changed | None
) -> Piece:
    envelope = letter.envelope if letter is not None else None
    paper = envelope.paper if envelope is not None else own.paper if own is not None else None
    assert paper is not None, "neither drafted here nor come in"
    spots = [
        Spot(model="in", id=row.id, url=f"/incoming/{row.id}", direction=Direction.IN, holders=(row.organ, *hands.get(row.id, ()))) for row in came
    ]
    if own is not None:
        spots.insert(0, Spot(model="out", id=doc, url=f"/documents/{doc}", direction=Direction.OUT, holders=(own.organ, own.drafter)))
    return Piece(
        id=doc,
        at=letter.at if letter is not None else own.drafted_at if own is not None else 0,
        title=paper.title,
        number=envelope.number if envelope is not None else own.number if own is not None else "",
        organ=paper.organ,
        issuer=envelope.issuer if envelope is not None else "",
        kind=paper.kind,
        validity=_validity(own, came, changed),
        note=_note(changed),
        text=_text(paper),
        spots=tuple(spots),
    )


def _text(paper: Paper) -> str:
    """Text and names of files; nothing of a work secret, which may stand in no index."""
    if paper.label == Label.WORK_SECRET:
        return ""
    return "\n".join([paper.text, *(annex.name for annex in paper.annexes)])


def _validity(own: Document | None, came: Sequence[Incoming], changed: Changed | None) -> Validity:
    stands = _ENDED.get(Stage(own.state), Validity.PENDING) if own is not None else Validity.FORCE
    if own is None and any(row.recall_at for row in came):
        return Validity.RECALLED
    return _CHANGED.get(Change(changed.change), stands) if changed is not None and stands is Validity.FORCE else stands


def _note(changed: Changed | None) -> str:
    """The document by which it was amended or ended, as its issuer says."""
    if changed is None or not changed.title:
        return ""
    return f"《{changed.title}》" + (f"（{changed.number}）" if changed.number else "")


def _changed(desk: Desk, docs: Sequence[str], letters: Mapping[str, Letter]) -> dict[str, Changed]:
    """What became of documents, as their own homes say: the last change, or the one that ended them."""
    rows = desk.list(Changed, Changed.doc.in_(docs), order=Changed.at, limit=None, everything=True)
    true = [row for row in rows if row.doc in letters and row.home == letters[row.doc].home]
    return {row.doc: row for row in sorted(true, key=lambda row: row.change != Change.AMENDED)}


def _hands(desk: Desk, incoming: Sequence[str]) -> dict[str, list[str]]:
    """Who has an incoming document in hand."""
    found: dict[str, list[str]] = {}
    for row in desk.list(Hand, Hand.incoming.in_(incoming), limit=None, everything=True):
        found.setdefault(row.incoming, []).append(row.person)
    return found


FINDS = Source(
    room="documents",
    version=3,
    kinds=(
        *(said.Drafted, said.Revised, said.Signed, said.Returned, said.Numbered, said.Dispatched, said.Corrected, said.Recalled, said.Voided),
        *(said.Assigned, said.Circulated, said.Read, said.Seen, said.RecallConfirmed, said.Resent, said.Lapsed, said.Brought),
    ),
    matters=matters,
    pieces=pieces,
    keys=keys,
    models={"out": Document, "in": Incoming, "joint": Party},
    kind_words=KIND_WORDS,
)
"What the search asks this room."

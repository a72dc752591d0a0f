"""Who issues a document together with its own organ: who they are now, what each has said, and how they stand on the envelope."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from node.entry import Attachment, Lane
from node.errors import Conflict, Refused
from office.documents import entries as said
from office.documents import kinds
from office.documents.entries import Envelope, Issuer, Recipient
from office.documents.model import Document, Party
from office.documents.workflow import WATCHERS, Agreement, Stage
from office.frame.desk import Desk, Wish
from office.frame.rights import acting_post
from office.frame.words import _


def asked(desk: Desk, doc: str) -> list[Party]:
    """Every organ that was ever asked to issue a document with its own, those that were dropped last."""
    return desk.list(Party, Party.doc == doc, order=(Party.dropped, Party.place)) if doc else []


def live(desk: Desk, doc: str) -> list[Party]:
    """The organs that are to issue it with its own, in the order of the sheet."""
    return [row for row in asked(desk, doc) if not row.dropped]


def joined(desk: Desk, doc: str, sent: Envelope) -> Envelope:
    """An envelope with the organs that issue it together: as they were asked, or as the draft names them; dated when the last of them signed."""
    rows = asked(desk, doc)
    stay = [row for row in rows if not row.dropped]
    organs = tuple(row.organ for row in stay) if rows else sent.paper.joint
    if not organs:
        return msgspec.structs.replace(sent, paper=msgspec.structs.replace(sent.paper, joint=())) if sent.paper.joint else sent
    known = {row.organ: row for row in stay}
    issuers = tuple(_issuer(desk, id, known.get(id)) for id in organs)
    marks = tuple(row.mark for row in stay if row.mark is not None and row.agrees)
    last = max((sent.signed_on, *(one.signed_on for one in issuers))) if sent.signed_on else ""
    paper = msgspec.structs.replace(sent.paper, joint=organs)
    return msgspec.structs.replace(sent, paper=paper, issuers=issuers, seals=marks, signed_on=last)


def _issuer(desk: Desk, organ: str, row: Party | None) -> Issuer:
    known = desk.directory.organ(organ)
    name, node = (known.full_name, known.node) if known is not None else (organ, "")
    if row is None or not row.agrees:
        return Issuer(organ, row.node if row is not None else node, name)
    return Issuer(organ, row.node, name, row.signer, row.signed_on, row.acted)


def complete(desk: Desk, doc: str, sent: Envelope, *, sealed: bool) -> None:
    """Refuse to go on before every organ has countersigned this very text, and (when ``sealed``) put its seal there if it has one."""
    if not sent.paper.joint:
        return
    rows = live(desk, doc)
    if not rows:
        raise Refused(_("联合发文尚未送各机关会签。"), code="not_asked")
    if any(row.held or row.digest != said.rendering_digest(said.agreed(sent)) for row in rows):
        raise Conflict(_("送会签以后正文或者收文机关有变化，请重新送会签。"), code="consent_stale")
    missing = [row for row in rows if not row.agrees]
    if missing:
        raise Refused(_("{names}尚未会签。").format(names=_names(desk, missing)), code="not_agreed")
    bare = [row for row in rows if wants_seal(desk, row)] if sealed else []
    if bare:
        raise Refused(_("{names}尚未用印。").format(names=_names(desk, bare)), code="not_sealed")


def wants_seal(desk: Desk, row: Party) -> bool:
    """Whether an organ that has a seal has not put it under the text yet."""
    return row.mark is None and kinds.of(row.kind).sealed and bool(desk.directory.seals_of(row.organ))


def blocked(desk: Desk, document: Document) -> frozenset[str]:
    """Moves for which a document waits until the organs that issue it jointly have answered; none for one that is issued by its organ alone."""
    rows = asked(desk, document.id)
    if document.issue:
        return frozenset({"correct"} if any(row.issued_at for row in rows) else ())
    if not rows and not document.paper.joint:
        return frozenset({"consult"})
    stay = [row for row in rows if not row.dropped]
    if not rows or any(row.held or not row.agrees for row in stay):
        return frozenset({"number", "seal", "dispatch", "issue"})
    return frozenset({"seal", "dispatch", "issue"} if any(wants_seal(desk, row) for row in stay) else ())


def waiting(desk: Desk, documents: Sequence[Document]) -> dict[str, tuple[str, bool]]:
    """(what is said of those that issue it jointly, whether nothing is to be done here but wait) of documents on their way."""
    found: dict[str, tuple[str, bool]] = {}
    going = {row.id: row for row in documents if row.state in (Stage.SIGN, Stage.SIGNED, Stage.NUMBERED)}
    asked_of: dict[str, list[Party]] = {id: [] for id in going}
    for party in desk.list(Party, Party.doc.in_(list(going)), order=Party.place) if going else ():
        asked_of[party.doc].append(party)
    for id, rows in asked_of.items():
        said_of = _waits(desk, going[id], [row for row in rows if not row.dropped], asked_before=bool(rows))
        if said_of is not None:
            found[id] = said_of
    return found


def _waits(desk: Desk, document: Document, rows: Sequence[Party], *, asked_before: bool) -> tuple[str, bool] | None:
    if not asked_before:
        return (str(_("待送会签")), False) if document.state != Stage.SIGN and document.paper.joint else None
    back = [row for row in rows if row.state == Agreement.REFUSED]
    if back:
        return _("{names}退回会签：{why}").format(names=_names(desk, back), why=back[0].refused), False
    missing = [row for row in rows if row.state == Agreement.ASKED]
    if missing:
        return _("等候{names}会签").format(names=_names(desk, missing)), document.state != Stage.SIGN
    bare = [row for row in rows if row.state == Agreement.AGREED and wants_seal(desk, row)]
    return (_("等候{names}用印").format(names=_names(desk, bare)), document.state == Stage.NUMBERED) if bare else None


def _names(desk: Desk, rows: Sequence[Party]) -> str:
    found = (desk.directory.organ(row.organ) for row in rows)
    return "、".join(organ.short_name for organ in found if organ is not None)


def asking(
    desk: Desk, document: Document, text: Envelope, parties: Sequence[Recipient], *, step: str, changed: Sequence[Recipient] = (), reason: str = ""
) -> Wish:
    """What is written to all of them, and to those that are dropped now."""
    former = asked(desk, document.id)
    turn = max((row.turn for row in former), default=0) + 1
    nodes = {one.node for one in (*parties, *changed)} | {row.node for row in former if not row.dropped}
    content = said.ConsentAsked(text, tuple(parties), turn, step, tuple(changed), reason)
    files = tuple({a.sha: Attachment(a.sha, a.stored) for a in text.paper.annexes}.values())
    post = acting_post(desk, document.organ, WATCHERS)
    return desk.wish(content, record=document.id, post=post, to=tuple(sorted(nodes - {desk.node, ""})), lane=Lane.URGENT, attachments=files)


def holding(desk: Desk, document: Document, reason: str) -> list[Wish]:
    """What tells all of them that the text is taken back; nothing where it lies before nobody."""
    rows = [row for row in live(desk, document.id) if not row.held]
    if not rows or document.issue:
        return []
    parties = [Recipient(row.organ, row.node, said.Role.ASSIST) for row in rows]
    return [asking(desk, document, rows[0].envelope, parties, step="hold", reason=reason)]

"""The envelope of a document: whom it reaches, under which seal, and which way it goes."""

from __future__ import annotations

from typing import Any

import msgspec

from node import keys, persons
from node.entry import Lane
from node.errors import NodeError, Refused
from office.documents import entries as said
from office.documents.entries import Envelope, Mark, Paper, Urgency
from office.documents.issuers import joined
from office.documents.model import Document
from office.documents.routing import organ_of, recipients
from office.documents.steps import stored
from office.frame.desk import Desk
from office.frame.words import _


def envelope(desk: Desk, document: Document) -> Envelope:
    """The envelope as it would leave now."""
    found = joined(desk, document.id, made(desk, document.paper, document.number, document.signer, document.signed_on, document.mark))
    return msgspec.structs.replace(found, acted=document.acted) if document.acted else found


def preview(desk: Desk, paper: Paper, doc: str = "") -> Envelope:
    """How a paper would look if it left now; nothing is kept."""
    return joined(desk, doc, made(desk, paper, "", "", "", None))


def keeps(desk: Desk, organ: str) -> bool:
    """Whether the person keeps a seal of the organ and has the key here that opens it."""
    return any(opens(desk, seal.id) for seal in desk.directory.seals_of(organ))


def opens(desk: Desk, seal: str) -> bool:
    """Whether the person has the key here that opens a seal."""
    if desk.away is not None or desk.person not in persons.keepers_of(desk.settings, seal):
        return False
    try:
        persons.open_seal_key(desk.settings, seal, desk.door)
    except NodeError:  # handed to another key of the same person
        return False
    return True


def mark_of(desk: Desk, bare: Envelope, organ: str = "") -> Mark:
    """The seal of its organ (or of one that issues it too) over an envelope, by the newest seal that this person keeps."""
    for found in reversed(desk.directory.seals_of(organ or bare.paper.organ)):
        if opens(desk, found.id):
            key, fingerprint = persons.open_seal_key(desk.settings, found.id, desk.door)
            rendered = said.rendering_digest(bare)
            return Mark(found.id, fingerprint, rendered, keys.sign(key, said.seal_signed(rendered)))
    raise _unsealed(desk, organ or bare.paper.organ)


def _unsealed(desk: Desk, organ: str) -> Refused:
    """Why nobody, or not this person, can put the organ's seal under anything now."""
    found = {persons.where_is(desk.settings, seal.id) for seal in desk.directory.seals_of(organ)}
    if not found:
        return Refused(_("本机关没有在用的印章：未制发，或者已收回、销毁、吊销。"), code="no_seal")
    if found == {"aside"}:
        return Refused(_("本机关的印章已停用，恢复使用后才能用印。"), code="seal_suspended")
    return Refused(_("您不保管本机关的印章。"), code="not_keeper")


def made(desk: Desk, paper: Paper, number: str, signer: str, signed_on: str, mark: Mark | None) -> Envelope:
    """An envelope of a paper as the directory stands now."""
    issuer = organ_of(desk, paper.organ)
    return Envelope(paper, number, issuer.full_name, signer, signed_on, recipients(desk, paper), mark)


def way(desk: Desk, sent: Envelope) -> dict[str, Any]:
    """Where an envelope goes and how fast."""
    nodes = ({one.node for one in sent.recipients} | {one.node for one in sent.issuers}) - {desk.node, ""}
    lane = Lane.ORDINARY if sent.paper.urgency == Urgency.NONE else Lane.URGENT
    return {"to": tuple(sorted(nodes)), "lane": lane, "attachments": stored(sent.paper.annexes)}

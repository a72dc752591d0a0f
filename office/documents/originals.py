"""正本: a document as PDF that its organ's own seal has signed, made by a keeper of the seal and sent where the document went.

A seal's key opens only in a keeper's hands, so nobody prints an original at the moment of reading: it is made once, kept as a file like any
annex, and every reader gets those very bytes. Whoever has none yet gets a copy that the reader's node signs (``office.documents.prints``).
"""

from __future__ import annotations

import io

from msgspec import structs

from node import certs, persons
from node.errors import Conflict, Refused
from office.documents import entries as said
from office.documents.amending import holders
from office.documents.entries import Annex, Envelope, Mark
from office.documents.envelopes import opens
from office.documents.files import attach
from office.documents.model import Document, Letter
from office.documents.prints import current, paper, proof
from office.documents.rights import acting_post
from office.documents.steps import stored
from office.documents.workflow import Stage
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Act
from office.print import press
from office.print.sheet import Sealing


def make(desk: Desk, doc: str) -> Annex:
    """Print the document, sign it by the very seal that stands under its text, keep it and send it after the document."""
    document, letter = desk.get(Document, doc), desk.get(Letter, doc)
    envelope, mark = letter.envelope, letter.envelope.seal
    if mark is None or document.state != Stage.DISPATCHED:
        raise Refused(_("正本只能为已经用印并核发的公文制作。"), code="not_sealed")
    if current(desk, letter) is not None:
        raise Conflict(_("正本已经制成。"), code="original_exists")
    if not _keeps(desk, envelope, mark):
        raise Refused(_("您不保管这份公文上的印章，或者它已停用、失效。"), code="not_keeper")
    annex = attach(desk, f"{envelope.number or envelope.paper.title}.pdf", "application/pdf", io.BytesIO(_signed(desk, doc, envelope, mark)))
    content = said.Printed(doc, mark.digest, annex)
    where = {"to": holders(desk, letter), "attachments": stored((annex,))}
    desk.write(content, record=doc, post=acting_post(desk, document.organ), after=(letter.said,), **where)
    return annex


def _signed(desk: Desk, doc: str, envelope: Envelope, mark: Mark) -> bytes:
    key, fingerprint = persons.open_seal_key(desk.settings, mark.seal, desk.door)
    signer = desk.directory.signer(fingerprint)
    assert signer is not None  # it is among the seals of the organ
    page = press.render(structs.replace(paper(desk, envelope), proof=proof(doc, envelope)))
    return press.seal(Sealing(pdf=page, key=key.private_bytes_raw(), certificate=certs.der(signer.certificate)), desk.settings)


def _keeps(desk: Desk, envelope: Envelope, mark: Mark) -> bool:
    return any(seal.id == mark.seal for seal in desk.directory.seals_of(envelope.paper.organ)) and opens(desk, mark.seal)


def acts(desk: Desk, document: Document, letter: Letter | None) -> list[Act]:
    """The button that makes the original, for those who can."""
    if letter is None or letter.envelope.seal is None or document.state != Stage.DISPATCHED or current(desk, letter) is not None:
        return []
    if not _keeps(desk, letter.envelope, letter.envelope.seal):
        return []
    return [Act(f"/documents/{letter.id}/original", _("制作正本"), "main", confirm=_("正本是由印章签名的 PDF，制成后随公文送到各收文机关。"))]

"""A document as the sheet that is printed to PDF: which of the four formats it is in, what stands on it, and who may have it."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import structs
from werkzeug.wrappers import Response

from office.documents import kinds, service
from office.documents.entries import JOINT, Envelope, Label, Mark, Openness, Role, Urgency, rendering_digest
from office.documents.entries import Annex as File
from office.documents.files import blob_state, open_annex
from office.documents.model import Document, Incoming, Letter, Original, Party
from office.documents.sheets import addressed, chinese_day, signers_of
from office.documents.workflow import Stage, Standing
from office.frame.desk import Desk
from office.portal.page import Request, page
from office.print.press import render, sign, word
from office.print.sheet import Annex, Form, Seal, Sheet, paragraphs
from office.print.verdict import Sealed

_URGENCY = {Urgency.FLASH: "特急", Urgency.URGENT: "加急"}
_LABEL = {Label.WORK_SECRET: "工作秘密", Label.INTERNAL: "内部"}
_STAGE = {Stage.VOID: "已作废", Stage.RECALLED: "已撤回"}


class PrintPages:
    """Documents as PDF, made by a process of its own."""

    name = "documents.prints"
    desk: Desk

    @page("GET", "/documents/<doc>/pdf", json=False)
    def pdf(self, request: Request, doc: str) -> Response:
        """The document as PDF/A in the format of GB/T 9704: the original under its seal, or where none is a copy, signed once it was dispatched."""
        letters = self.desk.list(Letter, Letter.id == doc)
        envelope = letters[0].envelope if letters else service.envelope(self.desk, self.desk.get(Document, doc))
        return saved(printed(self.desk, doc, letters[0] if letters else None, envelope), envelope)

    @page("GET", "/documents/<doc>/docx", json=False)
    def docx(self, request: Request, doc: str) -> Response:
        """The document as a Word file to be worked on; it bears neither seal nor signature, the PDF is what counts."""
        desk = self.desk
        letters = desk.list(Letter, Letter.id == doc)
        envelope = letters[0].envelope if letters else service.envelope(desk, desk.get(Document, doc))
        made = word(paper(desk, envelope, across=standing(desk, doc, envelope)))
        return saved(made, envelope, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")


def printed(desk: Desk, doc: str, letter: Letter | None, envelope: Envelope) -> bytes:
    """The PDF as it is downloaded."""
    across = standing(desk, doc, envelope)
    original = held(desk, letter) if letter is not None and not across else None
    if original is not None:
        return b"".join(open_annex(desk, original))
    sheet = paper(desk, envelope, across=across)
    made = render(structs.replace(sheet, proof=proof(doc, envelope) if letter is not None else None))
    return sign(made, desk.settings) if letter is not None else made


def current(desk: Desk, letter: Letter) -> File | None:
    """The original of this very issue, wherever its bytes are."""
    mark = letter.envelope.seal
    digest = mark.digest if mark is not None and letter.home else rendering_digest(letter.envelope)
    found = desk.list(Original, Original.doc == letter.id, Original.home == letter.home, Original.digest == digest)
    return found[0].annex if found else None


def held(desk: Desk, letter: Letter) -> File | None:
    """The original of this very issue, if its bytes are here."""
    found = current(desk, letter)
    return found if found is not None and blob_state(desk, found) == "whole" else None


def proof(doc: str, envelope: Envelope) -> Sealed | None:
    """The seal under a document as its copies carry it."""
    return sealed(doc, envelope.seal) if envelope.seal is not None else None


def sealed(doc: str, mark: Mark) -> Sealed:
    """A seal as copies carry it."""
    return Sealed(doc=doc, seal=mark.seal, fingerprint=mark.fingerprint.hex(), digest=mark.digest.hex(), signature=mark.signature.hex())


def standing(desk: Desk, doc: str, envelope: Envelope) -> str:
    """What must be said across a sheet that is no document in force."""
    for document in desk.list(Document, Document.id == doc):
        return "草稿" if not envelope.signed_on else _STAGE.get(Stage(document.state), "")
    gone = desk.list(Incoming, Incoming.doc == doc, Incoming.state == Standing.RECALLED)
    return "已撤回" if gone or desk.list(Party, Party.doc == doc, Party.recalled_at > 0) else ""


def paper(desk: Desk, envelope: Envelope, *, across: str = "") -> Sheet:
    """The sheet of an envelope; seals are marked 测试, since none is of the state's seal system."""
    said, form = envelope.paper, Form(kinds.of(envelope.paper.kind).form)
    day = chinese_day(envelope.signed_on)
    names = (envelope.issuer, *(one.name for one in envelope.issuers[:JOINT]))
    whole = envelope.seal is not None and len(envelope.seals) == len(envelope.issuers) and form != Form.MINUTES
    diameter = 42 if desk.settings.tier == "township" else 45
    return Sheet(
        form=form,
        organs=names,
        mark=f"{envelope.issuer}会议纪要" if form == Form.MINUTES else "",
        secrecy=_LABEL.get(Label(said.label), ""),
        urgency=_URGENCY.get(Urgency(said.urgency), ""),
        number=envelope.number,
        signers=signers_of(desk, envelope) if kinds.of(said.kind).upward and envelope.signer else (),
        title=said.title,
        to="" if form == Form.MINUTES else addressed(desk, envelope, Role.TO),
        paragraphs=paragraphs(said.text),
        annexes=tuple(Annex(title=annex.name.rsplit(".", 1)[0] or annex.name) for annex in said.annexes),
        date=day,
        seals=tuple(Seal(name=name, diameter=diameter) for name in names) if whole else (),
        note="此件公开发布" if said.openness == Openness.PROACTIVE or said.label == Label.PUBLIC else "",
        cc=addressed(desk, envelope, Role.CC),
        printer=envelope.issuer if day else "",
        printed=day,
        across=across,
    )


def saved(made: bytes, envelope: Envelope, ending: str = "pdf", mime: str = "application/pdf") -> Response:
    """A file to be kept, named after the document."""
    name = f"{envelope.number or envelope.paper.title or '公文'}.{ending}"
    response = Response(made, mimetype=mime)
    response.headers["Content-Disposition"] = f"attachment; filename=\"document.{ending}\"; filename*=UTF-8''{quote(name, safe='')}"
    return response

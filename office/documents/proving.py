"""验章: who sealed a document and when, whether the chain holds, and the verdict in words; of a document at hand, or of any copy that is brought.

Two things are checked apart. The node that printed a copy signed its bytes: that is for ``office.print.press.check`` and the city's root. The
organ sealed the canonical text: that is for the seal's certificate, which every node knows from the directory, with its revocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node import keys
from node.directory.view import Signer
from node.errors import Invalid, TooLarge
from office.documents import entries as said
from office.documents import prints
from office.documents.entries import Envelope
from office.documents.model import Letter
from office.documents.names import issuers_of, named
from office.documents.views import page_of
from office.documents.workflow import SHANGHAI
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Request, Screen, page
from office.print import press
from office.print.verdict import Finding, Sealed, Verdict

COPY_WORDS = {
    Finding.GOOD: (_("副本完整：自排印以来一个字节也没有改动，签名可信。"), "good"),
    Finding.UNSIGNED: (_("这份 PDF 里没有签名，不能证明它是从一网印出的。草稿不签名。"), "warn"),
    Finding.CHANGED: (_("副本在签名以后被改动过，不可采信。"), "bad"),
    Finding.STRANGE: (_("签名者的证书不是本市颁发的，不可采信。"), "bad"),
    Finding.EXPIRED: (_("副本没有改动，但签名证书已经过期。请从存有该公文的节点重新下载。"), "bad"),
    Finding.BROKEN: (_("这不是一份可以读取的 PDF，或者它已经损坏。"), "bad"),
}
"What is said of the bytes of a copy, and how it is shown."
LOST = (_("签名的节点证书已被吊销，不可采信。"), "bad")
ORIGINAL = (_("这是正本：由发文机关的印章签名，自盖章以来一个字节也没有改动。"), "good")
SEAL_LOST = (_("签名的印章已被吊销，单凭这份文件不能采信；吊销以前收到的，以收文节点的记录为准。"), "bad")
FOREIGN = (_("签名的印章不在本机通讯录中，或者不是公文上的那一枚，不可采信。"), "bad")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A verdict as it is shown."""

    text: Any
    tone: str

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return self.tone == "good"


class ProofPages:
    """Checking seals."""

    name = "documents.proving"
    desk: Desk

    @page("GET", "/documents/verify")
    def ask(self, request: Request) -> Screen:
        """Where a copy is brought to be checked."""
        return Screen("documents/verify.html", title=_("验章"), found=[], facts=[], url="", json={"found": []})

    @page("POST", "/documents/verify", upload=True)
    def verify(self, request: Request) -> Screen:
        """What a copy is worth: its bytes, then the seal in it."""
        file = request.files.get("files")
        if file is None or not file.filename:
            raise Invalid(_("请选择一个 PDF 文件。"), code="file")
        data = file.read(press.COPY + 1)
        if len(data) > press.COPY:
            raise TooLarge(press.MESSAGES["too_large"])
        verdict = press.check(data, self.desk.settings)
        found, facts = [of_copy(self.desk, verdict)], copy_facts(verdict)
        if found[0].good and verdict.sealed is None:
            found.append(Said(text=_("这份公文没有加盖印章。"), tone="info"))
        if verdict.sealed is None:
            return _screen(_("验章"), found, facts)
        held = self.desk.list(Letter, Letter.id == verdict.sealed.doc)
        if found[0].good:
            found.append(of_seal(self.desk, verdict.sealed, held[0].envelope if held else None))
        url = page_of(self.desk, verdict.sealed.doc) if held else ""
        return _screen(_("验章"), found, facts + seal_facts(self.desk, verdict.sealed), url)

    @page("GET", "/documents/<doc>/verify")
    def document(self, request: Request, doc: str) -> Screen:
        """The seal under a document at hand."""
        desk = self.desk
        envelope = desk.get(Letter, doc).envelope
        mark = prints.proof(doc, envelope)
        found = [of_seal(desk, mark, envelope)] if mark is not None else [Said(text=_("这份公文没有加盖印章。"), tone="info")]
        found += [*of_issuers(desk, doc, envelope), *misnamed(desk, envelope)]
        facts: list[tuple[Any, Any]] = [
            (_("发文机关"), "、".join(issuers_of(desk, envelope))),
            (_("发文字号"), envelope.number),
            (_("成文日期"), envelope.signed_on),
        ]
        return _screen(envelope.paper.title, found, facts + (seal_facts(desk, mark) if mark is not None else []), page_of(desk, doc))


def _screen(title: Any, found: list[Said], facts: list[tuple[Any, Any]], url: str = "") -> Screen:
    twin = {
        "title": title,
        "good": all(one.tone in ("good", "info") for one in found),
        "found": [(one.tone, one.text) for one in found],
        "facts": facts,
    }
    return Screen("documents/verify.html", title=title, found=found, facts=facts, url=url, json=twin)


def of_copy(desk: Desk, verdict: Verdict) -> Said:
    """What the bytes of a copy are worth, a revoked node on its way to the root included."""
    signers = [desk.directory.signer(bytes.fromhex(fingerprint)) for fingerprint in verdict.fingerprints]
    original = verdict.kind == "seal" and verdict.finding == Finding.GOOD
    text, tone = ORIGINAL if original else COPY_WORDS[verdict.finding]
    if original and (signers[0] is None or signers[0].kind != "seal" or verdict.sealed is None or verdict.sealed.seal != verdict.signer):
        text, tone = FOREIGN
    elif any(one is not None and one.revoked is not None for one in signers):
        text, tone = SEAL_LOST if original and signers[0] is not None and signers[0].revoked is not None else LOST
    return Said(text=text, tone=tone)


def of_seal(desk: Desk, mark: Sealed, envelope: Envelope | None) -> Said:
    """What the organ's seal is worth: known, in force, its signature over the text, and the text that of the document where it is at hand."""
    signer = desk.directory.signer(_bytes(mark.fingerprint))
    if signer is None or signer.kind != "seal" or signer.id != mark.seal:
        return Said(text=_("印章的证书不在本机通讯录中，不能确认。"), tone="bad")
    if not _signs(signer, mark) or envelope is not None and not _same(envelope, mark) and not _corrected(envelope, mark):
        return Said(text=_("印章与公文正文不符，不可采信。"), tone="bad")
    if signer.revoked is not None:
        return Said(text=_("印章已被吊销。吊销以前盖的仍然有效，以收到该公文的节点的记录为准；单凭这份副本不能采信。"), tone="bad")
    if not signer.valid_at(desk.now):
        return Said(text=_("印章的证书已经过期。"), tone="bad")
    if envelope is None:
        return Said(text=_("印章有效。本机没有这份公文（或您无权查看），正文以副本为准。"), tone="good")
    if not _same(envelope, mark):
        return Said(text=_("印章有效，但公文后来更正过，这份副本不是现行文本。"), tone="warn")
    return Said(text=_("印章有效，所盖的正是这份公文的正文。"), tone="good")


def of_issuers(desk: Desk, doc: str, envelope: Envelope) -> list[Said]:
    """What the seals of the organs are worth that issue it jointly: each stands under the text as it was countersigned, before it had a number."""
    text, found = said.agreed(envelope), []
    signers = {mark: desk.directory.signer(mark.fingerprint) for mark in envelope.seals}
    for one in envelope.issuers:
        mark = next((mark for mark, signer in signers.items() if signer is not None and signer.organ == one.organ), None)
        worth = of_seal(desk, prints.sealed(doc, mark), text) if mark is not None else Said(text=_("没有加盖印章。"), tone="info")
        found.append(Said(text=_("联合发文机关{name}：{what}").format(name=named(desk, one.organ, one.name), what=worth.text), tone=worth.tone))
    return found


def misnamed(desk: Desk, envelope: Envelope) -> list[Said]:
    """Organs that have another name in the directory than is printed, and a seal that is another organ's: a node signs whatever names it wrote."""
    claims = [(envelope.paper.organ, envelope.issuer), *((one.organ, one.name) for one in envelope.issuers)]
    found = [
        Said(text=_("公文上印的机关名称与通讯录不符：{name}。该机关如未更名，不可采信。").format(name=said_so), tone="bad")
        for organ, name in claims
        if (said_so := named(desk, organ, name)) != name
    ]
    signer = desk.directory.signer(envelope.seal.fingerprint) if envelope.seal is not None else None
    if signer is not None and signer.organ != envelope.paper.organ:
        found.append(Said(text=_("所盖的不是发文机关的印章，不可采信。"), tone="bad"))
    return found


def doubts(desk: Desk, doc: str, envelope: Envelope) -> list[Said]:
    """What a reader must be told of who issues a document that came: names that are not theirs, and organs of which only the sender says so."""
    unproved = [
        Said(
            text=_("没有有效的印章证明{name}同意联合发文。").format(name=named(desk, one.organ, one.name)),
            tone="bad" if worth.tone == "bad" else "warn",
        )
        for one, worth in zip(envelope.issuers, of_issuers(desk, doc, envelope), strict=True)
        if worth.tone != "good"
    ]
    return misnamed(desk, envelope) + unproved


def _same(envelope: Envelope, mark: Sealed) -> bool:
    return said.rendering_digest(envelope) == _bytes(mark.digest)


def _corrected(envelope: Envelope, mark: Sealed) -> bool:
    """Whether the document at hand is a later issue, under a seal of its own."""
    return envelope.issue > 1 and envelope.seal is not None and envelope.seal.digest != _bytes(mark.digest)


def _signs(signer: Signer, mark: Sealed) -> bool:
    return keys.holds([signer.key], _bytes(mark.signature), said.seal_signed(_bytes(mark.digest)))


def _bytes(text: str) -> bytes:
    """Bytes of hexadecimal digits; empty, which is the name of nothing, for anything else."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def copy_facts(verdict: Verdict) -> list[tuple[Any, Any]]:
    """Who printed a copy, when, and the way to the root."""
    if not verdict.chain:
        return []
    when = verdict.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if verdict.at else ""
    return [
        (_("印章签名") if verdict.kind == "seal" else _("排印签名"), verdict.name),
        (_("签名时间"), when),
        (_("证书链"), " → ".join(verdict.chain)),
    ]


def seal_facts(desk: Desk, mark: Sealed) -> list[tuple[Any, Any]]:
    """Whose seal it is, its node, its term and the numbers by which it is named; the seal is of this network and marked 测试."""
    signer = desk.directory.signer(_bytes(mark.fingerprint))
    if signer is None:
        return [(_("证书指纹"), mark.fingerprint)]
    organ, node, cert = desk.directory.organ(signer.organ), desk.directory.node(signer.node), signer.certificate
    term = f"{cert.not_valid_before_utc.date()} – {cert.not_valid_after_utc.date()}"
    return [
        (_("用印机关"), organ.full_name if organ is not None else signer.organ),
        (_("印章"), _("{name}（测试）").format(name=signer.id)),
        (_("制章节点"), node.name if node is not None else signer.node),
        (_("印章有效期"), term),
        (_("证书指纹"), mark.fingerprint),
        (_("正文摘要"), mark.digest),
    ]

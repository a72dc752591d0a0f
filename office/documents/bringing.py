"""Taking in a document that came as a package: like paper that a messenger brings, entered by the registry at once, and honest about what is proven.

Nothing in a package says truly where it came from but seals and signatures of this city. So its own id is only kept as what it calls itself, its
elements count as proven where an organ's seal stands under them, and all else is marked 未核验.
"""

from __future__ import annotations

import hashlib
import io
import uuid

from node.codec import Hash
from node.directory.entries import Organ
from node.errors import Conflict, Invalid, Refused, TooLarge
from office.documents import entries as said
from office.documents.entries import Envelope
from office.documents.files import attach
from office.documents.incoming import register
from office.documents.model import Incoming, Letter
from office.documents.packages import envelope_in, exported
from office.documents.prints import proof, saved
from office.documents.proving import of_copy, of_seal
from office.documents.rights import acting_post, roles
from office.documents.steps import stored
from office.documents.workflow import CLERK, Worth
from office.frame.desk import Desk
from office.frame.words import _
from office.portal import uploads
from office.portal.page import Request, Response, Screen, See, page, see_other
from office.print import press
from office.print.packet import WHOLE, Packet
from office.print.verdict import Finding, Verdict

_BROUGHT = uuid.UUID("5c9f6d0e-2f0b-5d3e-9f59-0b6f7a1c2d34")
"Names documents that were brought, by the organ and the digest of their package."


def bring(desk: Desk, organ: str, package: bytes, *, to_handle: bool = True) -> str:
    """Enter a package in the register of an organ; its clerk does that, and a package or document that is there already is refused."""
    if organ not in {one.id for one in receivers(desk)}:
        raise Refused(_("只有收文机关的收发员可以导入数据包。"), code="not_yours")
    packet, sha = press.unpack(package), hashlib.sha256(package).digest()
    doc = str(uuid.uuid5(_BROUGHT, f"{organ}\0{sha.hex()}"))
    if desk.list(Letter, Letter.id == doc):
        raise Conflict(_("这个数据包已经导入过。"), code="brought_already")
    annexes = tuple(attach(desk, one.name, one.mime, io.BytesIO(one.data)) for one in packet.annexes)
    envelope = envelope_in(desk, packet, annexes)
    held = envelope.number and desk.list(
        Incoming, Incoming.organ == organ, Incoming.number == envelope.number, Incoming.issuer_name == envelope.issuer, limit=1
    )
    if held:
        raise Conflict(_("{organ}的 {number} 已在收文登记簿中。").format(organ=envelope.issuer, number=envelope.number), code="there_already")
    worth = checked(desk, envelope, packet)
    shown = attach(desk, f"{envelope.number or envelope.paper.title}.pdf", "application/pdf", io.BytesIO(packet.page))
    found = said.incoming_id(doc, organ)
    content = said.Brought(doc, organ, desk.name, envelope, packet.one("公文标识")[:100], Hash(sha), worth, shown)
    desk.write(content, record=found, post=acting_post(desk, organ), attachments=stored((*annexes, shown)))
    register(desk, found, to_handle=to_handle)
    return found


def receivers(desk: Desk) -> list[Organ]:
    """Organs of this node in whose register the person enters what comes."""
    return [one for one in desk.directory.acts_for(desk.person) if one.node == desk.node and CLERK in roles(desk, one.id)]


def checked(desk: Desk, envelope: Envelope, packet: Packet) -> Worth:
    """How far seal and signatures of this city prove a package; what they prove to be false is refused."""
    verdict, mark = press.check(packet.page, desk.settings), proof("", envelope)
    if verdict.finding in (Finding.CHANGED, Finding.BROKEN):
        raise Invalid(_("数据包里的 PDF 在签名以后被改动过，或者已经损坏，没有导入。"), code="package_page")
    good = of_copy(desk, verdict).good
    if mark is None:
        return Worth.COPIED if good else Worth.UNVERIFIED
    sealed = of_seal(desk, mark, envelope)
    signer = desk.directory.signer(bytes.fromhex(mark.fingerprint))
    if not sealed.good and signer is not None and signer.revoked is None and signer.valid_at(desk.now):
        raise Invalid(_("印章与数据包里的元数据、正文或附件不符，没有导入。"), code="package_forged")
    if good and verdict.sealed is not None and verdict.sealed.digest != mark.digest:
        raise Invalid(_("数据包里的 PDF 是另一份公文的，没有导入。"), code="package_page")
    return Worth.SEALED if sealed.good and good and _of_it(verdict) else Worth.UNVERIFIED


def _of_it(verdict: Verdict) -> bool:
    """Whether the page carries the seal that was compared with the document's."""
    return verdict.sealed is not None


class PackagePages:
    """Packages out and in."""

    name = "documents.packages"
    desk: Desk

    @page("GET", "/documents/<doc>/package", json=False)
    def package(self, request: Request, doc: str) -> Response:
        """The document as a package: elements, text, PDF/A, annexes and the list of their digests."""
        envelope = self.desk.get(Letter, doc).envelope
        return saved(exported(self.desk, doc), envelope, "zip", "application/zip")

    @page("GET", "/incoming/packages")
    def ask(self, request: Request) -> Screen:
        """Where a package is brought."""
        organs = [(one.id, one.full_name) for one in receivers(self.desk)]
        return Screen("documents/bring.html", organs=organs, json={"organs": organs})

    @page("POST", "/incoming/packages", upload=True)
    def take(self, request: Request) -> See:
        """Check a package and enter it in the register."""
        given = uploads.given(request, self.desk.person)
        if not given:
            raise Invalid(_("请选择一个数据包（.zip）。"), code="file")
        data = given[0].stream.read(WHOLE + 1)
        if len(data) > WHOLE:
            raise TooLarge(press.MESSAGES["package_large"], code="package_large")
        found = bring(self.desk, request.text("organ"), data, to_handle=request.text("to_handle", "1") == "1")
        return see_other(f"/incoming/{found}", _("数据包已导入并登记。"))

"""A document as a package for whoever is not on this network, and packages of others as documents that came in: the elements both ways.

The names are those of the core elements of GB/T 33480-2016; 份号 and 发布层次 are read and not written. Beside them goes the envelope itself, with
the seals, the keys of its annexes left out: by it a node of the same city checks the seal over elements, text and annexes. Whoever does not know
that form leaves it aside.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator

import msgspec
from msgspec import structs

from node.errors import Invalid, Refused
from office.documents.entries import ANNEXES, TEXT, TITLE, Annex, Envelope, Label, Openness, Paper, Recipient, Role, Urgency
from office.documents.files import blob_state, open_annex
from office.documents.labels import KIND_WORDS
from office.documents.model import Letter
from office.documents.prints import paper, printed, standing
from office.documents.sheets import chinese_day
from office.frame import secrecy
from office.frame.desk import Desk
from office.frame.words import _
from office.print import press
from office.print.packet import WHOLE, File, Packet, clean
from office.print.sheet import Sheet

KINDS = {str.__str__(words): id for id, words in KIND_WORDS.items()} | {"命令": "order", "令": "order", "会议纪要": "minutes"}
"文种 by its Chinese name."
NAMES = {id: name for name, id in reversed(KINDS.items())} | {id: str.__str__(words) for id, words in KIND_WORDS.items()}
LABELS = {"公开": Label.PUBLIC, "内部": Label.INTERNAL, "工作秘密": Label.WORK_SECRET, "": Label.INTERNAL}
URGENCIES = {"特急": Urgency.FLASH, "加急": Urgency.URGENT, "平急": Urgency.URGENT, "特提": Urgency.FLASH, "": Urgency.NONE}
NEEDED = ("公文标识", "文种", "标题", "发文机关或签发人署名", "成文日期")
"Elements without which nothing can be registered."
_DAY = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日|(\d{4})-(\d{2})-(\d{2})")
_BETWEEN = re.compile(r"[，,、；;]\s*")


def exported(desk: Desk, doc: str) -> bytes:
    """The package of a document that was dispatched and is in force, for whoever may read it."""
    letter = desk.get(Letter, doc)
    envelope, across = letter.envelope, standing(desk, doc, letter.envelope)
    if across:
        raise Refused(_("这份公文{what}，不能导出数据包。").format(what=across), code="not_in_force")
    if any(blob_state(desk, one) != "whole" for one in envelope.paper.annexes):
        raise Refused(_("附件还没有传到本机，到齐后才能导出数据包。"), code="annex_waiting")
    if sum(one.size for one in envelope.paper.annexes) > WHOLE:
        raise Invalid(press.MESSAGES["package_large"], code="package_large")
    files = tuple(File(one.name, one.mime, b"".join(open_annex(desk, one))) for one in envelope.paper.annexes)
    page = printed(desk, doc, letter, envelope)
    held = msgspec.json.encode(without_keys(envelope))
    return press.pack(Packet(tuple(elements(doc, envelope, paper(desk, envelope))), tuple(envelope.paper.text.split("\n")), page, files, held))


def elements(doc: str, envelope: Envelope, sheet: Sheet) -> Iterator[tuple[str, str]]:
    """The elements of a document as its sheet prints them; those that it has not are left out."""
    said = envelope.paper
    every = (
        ("公文标识", (doc,)),
        ("文种", (NAMES.get(said.kind, said.kind),)),
        ("密级和保密期限", (sheet.secrecy or ("公开" if said.label == Label.PUBLIC else ""),)),
        ("紧急程度", (sheet.urgency,)),
        ("发文机关标志", (sheet.mark or "、".join(sheet.organs),)),
        ("发文字号", (envelope.number,)),
        ("签发人", sheet.signers or (envelope.signer,)),
        ("标题", (said.title,)),
        ("主送机关", tuple(_BETWEEN.split(sheet.to))),
        ("附件说明", tuple(one.name for one in said.annexes)),
        ("发文机关或签发人署名", sheet.organs),
        ("成文日期", (chinese_day(envelope.signed_on),)),
        ("附注", (sheet.note,)),
        ("抄送机关", tuple(_BETWEEN.split(sheet.cc))),
        ("印发机关", (sheet.printer,)),
        ("印发日期", (sheet.printed,)),
    )
    return ((name, value) for name, values in every for value in values if value)


def without_keys(envelope: Envelope) -> Envelope:
    """An envelope whose annexes are named by their plain digests only: keys of stored files stay on the network."""
    blank = bytes(32)
    files = tuple(structs.replace(one, sha=blank, key=blank, stored=0) for one in envelope.paper.annexes)
    return structs.replace(envelope, paper=structs.replace(envelope.paper, annexes=files))


def envelope_in(desk: Desk, packet: Packet, annexes: tuple[Annex, ...]) -> Envelope:
    """The envelope that came along, where it is of organs known here and says what the elements say; else one made of the elements."""
    made = of_elements(packet, annexes)
    if not packet.envelope:
        return made
    try:
        own = msgspec.json.decode(packet.envelope, type=Envelope)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        raise Invalid(press.MESSAGES["package_xml"].format(what="envelope.json"), code="package_xml") from None
    if not _agree(own, made, packet):
        raise Invalid(_("数据包里的元数据与发文系统所附的信封不一致，没有导入。"), code="package_differs")
    known = {organ.id for organ in desk.directory.organs()}
    lists = {listing.id for listing in desk.directory.lists()}
    named = {own.paper.organ, *own.paper.to, *own.paper.cc, *(one.organ for one in own.recipients), *(one.organ for one in own.issuers)}
    if not named <= known or not {one.id for one in own.paper.lists} <= lists:
        return made
    return structs.replace(own, paper=structs.replace(own.paper, annexes=annexes))


def _agree(own: Envelope, made: Envelope, packet: Packet) -> bool:
    """Whether an envelope says what the elements, the text and the annexes of its package say."""
    title = " ".join(clean(own.paper.title).split())
    named = (own.number, own.paper.kind, own.signed_on, own.paper.label, own.paper.urgency, title, clean(own.paper.text))
    found = (made.number, made.paper.kind, made.signed_on, made.paper.label, made.paper.urgency, made.paper.title, made.paper.text)
    files = [(one.name, one.size, one.plain) for one in own.paper.annexes]
    came = [(one.name, len(one.data), hashlib.sha256(one.data).digest()) for one in packet.annexes]
    return named == found and files == came and own.issuer == packet.one("发文机关或签发人署名")


def of_elements(packet: Packet, annexes: tuple[Annex, ...]) -> Envelope:
    """An envelope of the elements alone: organs by the names that stand there, no seal."""
    for name in NEEDED:
        if not packet.one(name).strip():
            raise Invalid(_("数据包的元数据里没有“{name}”，没有导入。").format(name=name), code="package_element")
    secret, urgency, kind = packet.one("密级和保密期限"), packet.one("紧急程度"), KINDS.get(packet.one("文种").strip(), "")
    if secrecy.marked(secret):
        raise secrecy.refusal()
    for name, good in (("文种", bool(kind)), ("密级和保密期限", secret in LABELS), ("紧急程度", urgency in URGENCIES)):
        if not good:
            raise Invalid(_("数据包的“{name}”本网不认得：{what}").format(name=name, what=packet.one(name)[:40]), code="package_element")
    title, text = " ".join(packet.one("标题").split()), "\n".join(packet.text)
    if len(title) > TITLE or len(text) > TEXT or len(packet.annexes) > ANNEXES:
        raise Invalid(_("数据包里的标题或正文太长，没有导入。"), code="package_long")
    to, cc = _names(packet, "主送机关"), _names(packet, "抄送机关")
    issuers = _names(packet, "发文机关或签发人署名")
    reached = tuple(Recipient(name, "", role) for role, names in ((Role.TO, to), (Role.CC, cc)) for name in names)
    said = Paper("", kind, title, text, to, cc, urgency=URGENCIES[urgency], label=LABELS[secret], annexes=annexes)
    if packet.one("附注").find("公开发布") >= 0:
        said = structs.replace(said, openness=Openness.PROACTIVE)
    return Envelope(said, packet.one("发文字号")[:300], "、".join(issuers)[:300], "、".join(packet.all("签发人"))[:300], _day(packet), reached)


def _names(packet: Packet, element: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip()[:100] for value in packet.all(element) for name in _BETWEEN.split(value) if name.strip()))[:200]


def _day(packet: Packet) -> str:
    found = _DAY.fullmatch(packet.one("成文日期").strip())
    try:
        year, month, day = (int(part) for part in (found.groups() if found else ()) if part)
        return dt.date(year, month, day).isoformat()
    except ValueError:
        raise Invalid(
            _("数据包的“{name}”本网不认得：{what}").format(name="成文日期", what=packet.one("成文日期")[:40]), code="package_element"
        ) from None

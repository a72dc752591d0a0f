"""A document as the printed sheet of GB/T 9704-2012 shows it; the words of a sheet are not translated."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from office.documents import kinds
from office.documents.entries import Envelope, Label, Role, Urgency
from office.frame.desk import Desk

HEADS = {"file": "文件", "letter": "", "order": "命令", "minutes": "会议纪要"}
"What follows the organ's name in the red head, by format."


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A document as the printed sheet shows it; not translated."""

    id: str
    head: str
    head_size: str
    number: str
    signer: str
    "签发人, shown on upward documents only."
    title: str
    to: str
    cc: str
    paragraphs: tuple[tuple[int, str], ...]
    "(level 1 黑体, 2 楷体, 0 plain; text)."
    annexes: tuple[str, ...]
    issuer: str
    date: str
    sealed: bool
    urgency: str
    label: str
    letter: bool
    printer: str
    joint: tuple[tuple[str, bool], ...]
    "Organs that issue it jointly with its own: name, and whether its seal stands there."
    tail: str
    "What stands beside their names in the red head."


def sheet(desk: Desk, envelope: Envelope, id: str) -> Sheet:
    """The printed sheet of an envelope, in the format of GB/T 9704-2012 that its kind has."""
    paper = envelope.paper
    kind = kinds.of(paper.kind)
    letter = kind.form == "letter"
    marks = (desk.directory.signer(mark.fingerprint) for mark in envelope.seals)
    sealed = {mark.organ for mark in marks if mark is not None}
    joint = kind.form == "file" and bool(envelope.issuers)
    head = envelope.issuer + ("" if joint else HEADS[kind.form])
    return Sheet(
        id=id,
        head=head,
        head_size="s" if len(head) > 12 else "m" if len(head) > 8 else "l",
        number=envelope.number,
        signer="　".join(signers_of(desk, envelope)) if kind.upward else "",
        title=paper.title,
        to=addressed(desk, envelope, Role.TO),
        cc=addressed(desk, envelope, Role.CC),
        paragraphs=tuple(_paragraph(line) for line in paper.text.splitlines() if line.strip()),
        annexes=tuple(_stem(annex.name) for annex in paper.annexes),
        issuer=envelope.issuer,
        date=chinese_day(envelope.signed_on),
        sealed=envelope.seal is not None,
        urgency={Urgency.FLASH: "特急", Urgency.URGENT: "加急"}.get(Urgency(paper.urgency), ""),
        label={Label.WORK_SECRET: "工作秘密", Label.INTERNAL: "内部"}.get(Label(paper.label), ""),
        letter=letter,
        printer=envelope.issuer,
        joint=tuple((one.name, one.organ in sealed) for one in envelope.issuers),
        tail=HEADS[kind.form] if joint else "",
    )


def signed_by(desk: Desk, envelope: Envelope) -> str:
    """签发人; under a delegation the signer's name with who signed for him or her: 赵某（李某代）."""
    return _signer(desk, envelope.signer, envelope.acted)


def signers_of(desk: Desk, envelope: Envelope) -> tuple[str, ...]:
    """签发人 of all the organs that issue it, the one in the lead first."""
    found = (signed_by(desk, envelope), *(_signer(desk, one.signer, one.acted) for one in envelope.issuers))
    return tuple(name for name in found if name)


def _signer(desk: Desk, name: str, acted: str) -> str:
    person = acted.partition(" ")[0]
    found = desk.directory.person(person) if person else None
    return f"{name}（{found.name if found is not None else person}代）" if person else name


def chinese_day(iso: str) -> str:
    """成文日期 in Arabic figures without padding: 2026年1月5日."""
    if not iso:
        return ""
    day = dt.date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日"


def _paragraph(line: str) -> tuple[int, str]:
    line = line.strip()
    if len(line) > 1 and line[0] in "一二三四五六七八九十" and "、" in line[:4]:
        return 1, line
    return (2, line) if line.startswith("（") and line[1:2] in "一二三四五六七八九十" and len(line) > 2 else (0, line)


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0] or name


PRINTED = {Role.LEAD: Role.TO, Role.ASSIST: Role.TO}
"Roles that are printed as others."


def addressed(desk: Desk, envelope: Envelope, role: Role) -> str:
    """The recipients of one role as they are printed: standing lists by name, then single organs."""
    names = []
    listed: set[str] = set()
    for cited in envelope.paper.lists:
        if cited.role == role:
            listing = next((found for found in desk.directory.lists() if found.id == cited.id), None)
            names.append(listing.name if listing is not None else cited.id)
            listed |= set(listing.organs) if listing is not None else set()
    single = envelope.paper.to if role == Role.TO else envelope.paper.cc
    for recipient in envelope.recipients:
        if PRINTED.get(recipient.role, recipient.role) == role and (
            recipient.organ in single or recipient.organ not in listed and not envelope.paper.lists
        ):
            organ = desk.directory.organ(recipient.organ)
            names.append((organ.full_name if len(single) == 1 else organ.short_name) if organ is not None else recipient.organ)
    return "，".join(names)

"""Verbs of the designer: draw, check, publish, retire; move running matters and take it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from node.codec import uuid7
from node.errors import Conflict, Invalid, Missing, Refused
from office.flows import entries as said
from office.flows.model import FLOWS, Batch, Draft
from office.flows.workflow import DESIGNERS, DRAFTS, Stand
from office.frame.desk import Desk
from office.frame.flow import check as checks
from office.frame.flow import lying, migrate, uses
from office.frame.flow.check import Finding
from office.frame.flow.entries import Migrated, Published, Retired
from office.frame.flow.migrate import Preview
from office.frame.flow.pen import fits, in_use, plan_record
from office.frame.flow.tables import template_of
from office.frame.flow.template import Name, Step, Template, Way, Who, digest_of, shipped
from office.frame.words import _

BATCH = 200
"Matters moved in one writing."
change = msgspec.structs.replace


def designs(desk: Desk) -> bool:
    """Whether the person draws flows here."""
    return bool(desk.roles & set(DESIGNERS))


def _may(desk: Desk, move: str) -> None:
    DRAFTS.step(Stand.DRAFT, move, desk.roles)


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a template as lists show it."""

    digest: str
    template: Template
    at: int
    "0 for one that is only shipped."
    person: str
    note: str
    retired: bool
    running: int
    "Matters that run under it."


def versions(desk: Desk, template: str = "", digest: str = "") -> list[Version]:
    """Every version known here, the newest first; shipped ones that nobody has used yet at the end."""
    where = [FLOWS.Plan.template == template] if template else [FLOWS.Plan.id == bytes.fromhex(digest)] if digest else []
    plans = desk.list(FLOWS.Plan, *where, order=(FLOWS.Plan.at.desc(), FLOWS.Plan.version.desc()))
    found = [_version(desk, plan) for plan in plans]
    known = {one.digest for one in found}
    rest = [one for one in shipped() if template in ("", one.id) and digest in ("", digest_of(one).hex()) and digest_of(one).hex() not in known]
    return found + [
        Version(digest=digest_of(one).hex(), template=one, at=0, person="", note=str(_("随程序提供")), retired=False, running=0) for one in rest
    ]


def _version(desk: Desk, plan: Any) -> Version:
    running = desk.count(FLOWS.Matter, FLOWS.Matter.template == plan.id, FLOWS.Matter.ended == 0)
    template = template_of(plan)
    person, note = (
        ("", str(_("随程序提供"))) if template in shipped() else (plan.person, plan.note)
    )  # whose matter happened to be its first is not told
    return Version(digest=plan.id.hex(), template=template, at=plan.at, person=person, note=note, retired=bool(plan.retired), running=running)


def version(desk: Desk, digest: str) -> Version:
    """One version; :class:`Missing` when there is none."""
    try:
        found = versions(desk, digest=digest)
    except ValueError:
        found = []
    if not found:
        raise Missing(_("没有这个流程版本。"))
    return found[0]


def current(desk: Desk, use: str, organ: str = "") -> str:
    """Hex digest of the version that a new matter would begin under, or empty."""
    try:
        return digest_of(in_use(desk, FLOWS, use, organ)).hex()
    except Missing:
        return ""


def drafts(desk: Desk) -> list[Draft]:
    """All drafts, the newest first."""
    return desk.list(Draft, order=Draft.at.desc())


def draft(desk: Desk, id: str) -> Draft:
    """A draft."""
    return desk.get(Draft, id)


def begin(desk: Desk, template: Template, base: str = "") -> str:
    """A new draft; one that changes nothing yet is fine."""
    _may(desk, "save")
    id = uuid7()
    desk.write(said.Drafted(template, base), record=id)
    return id


def change_version(desk: Desk, digest: str) -> str:
    """A draft of the version after one; a draft of it that is there already is taken up."""
    found = version(desk, digest)
    held = desk.list(Draft, Draft.template == found.template.id, Draft.base == digest)
    return held[0].id if held else begin(desk, found.template, digest)


def blank(desk: Desk, use: str, name: str) -> str:
    """A draft with two steps, for a use."""
    if uses.use_of(use) is None or not name.strip():
        raise Invalid(_("请选择流程的用途，并写明名称。"), code="use")
    steps = (
        Step("s1", "task", Name("拟办", "Prepare"), (Way("s2"),), (Who("part", "drafter"),), stage="draft"),
        Step("s2", "task", Name("审批", "Approve"), (Way(""),), (Who("role", "signer"),), asks="sign", stage="reviewed"),
    )
    return begin(desk, Template("f" + uuid7().replace("-", ""), use, Name(name.strip()), steps, "s1"))


def save(desk: Desk, id: str, template: Template) -> list[Finding]:
    """The draft says this now; what is wrong with it is told and hinders nothing yet."""
    _may(desk, "save")
    held = draft(desk, id)
    if template != held.drawn:
        desk.write(said.Drafted(template, held.base), record=id, after=(held.last,))
    return findings(desk, template)


def findings(desk: Desk, template: Template) -> list[Finding]:
    """What is wrong with a template at this node."""
    organs = template.organs or tuple(organ.id for organ in desk.organs if organ.may_issue and organ.node == desk.node)
    return checks.check(template, fits(desk.directory, organs))


def publish(desk: Desk, id: str, *, note: str) -> str:
    """Put a draft into use for new matters; refused with the first thing that is wrong with it."""
    _may(desk, "publish")
    held = draft(desk, id)
    wrong = checks.refusals(findings(desk, held.drawn))
    if wrong:
        raise Refused(wrong[0].text, code="template", hint=str(_("共 {n} 处问题").format(n=len(wrong))))
    if not note.strip():
        raise Invalid(_("请写明这一版改了什么。"), code="note")
    latest = max((one.template.version for one in versions(desk, held.template) if one.at), default=0)
    template = change(held.drawn, version=latest + 1)
    desk.version(plan_record(template.id))
    used = desk.wish(Published(template, note.strip()), record=plan_record(template.id))
    desk.together([used, desk.wish(said.Dropped("published"), record=id, after=(held.last,))])
    return digest_of(template).hex()


def drop(desk: Desk, id: str) -> None:
    """Throw a draft away."""
    _may(desk, "drop")
    desk.write(said.Dropped("dropped"), record=id, after=(draft(desk, id).last,))


def retire(desk: Desk, template: str, *, reason: str) -> None:
    """Use a template for nothing new; what runs under it goes on."""
    _may(desk, "publish")
    if not reason.strip():
        raise Invalid(_("请写明原因。"), code="reason")
    if not any(one.at and not one.retired for one in versions(desk, template)):
        raise Conflict(_("这个流程没有在用的版本。"), code="moved_on")
    desk.write(Retired(template, reason.strip()), record=plan_record(template))


# running matters


@dataclass(frozen=True)
class Moving:
    """One matter in a preview."""

    matter: Any
    preview: Preview


def preview(desk: Desk, old: str, new: str, instead: Mapping[str, str]) -> list[Moving]:
    """What would become of each matter that runs under a version."""
    former, present = version(desk, old).template, version(desk, new).template
    rows = desk.list(FLOWS.Matter, FLOWS.Matter.template == bytes.fromhex(old), FLOWS.Matter.ended == 0, order=FLOWS.Matter.began)
    return [Moving(row, migrate.preview(former, present, row.state, instead)) for row in rows]


def move(desk: Desk, old: str, new: str, instead: Mapping[str, str], *, reason: str) -> str:
    """Move every matter that can be to another version; the batch, by which it is taken back."""
    _may(desk, "publish")
    if not reason.strip():
        raise Invalid(_("请写明原因。"), code="reason")
    to = version(desk, new).template
    fit = [one for one in preview(desk, old, new, instead) if not one.preview.why][:BATCH]
    if not fit:
        raise Conflict(_("没有可以换用的事项。"), code="nothing")
    wishes = []
    for one in fit:
        desk.version(one.matter.id)
        wishes.append(desk.wish(one.preview.act(to, reason.strip()), record=one.matter.id, after=(one.matter.last,)))
    moved = tuple((one.matter.id, wish.id) for one, wish in zip(fit, wishes, strict=True))
    batch = uuid7()
    about = said.Moved(to.id, bytes.fromhex(old), bytes.fromhex(new), moved, reason.strip())
    desk.together([*wishes, desk.wish(about, record=batch)])
    return batch


def undo(desk: Desk, batch: str, *, reason: str) -> int:
    """Take back a batch as far as nothing else has happened since; how many matters went back."""
    _may(desk, "publish")
    held = desk.get(Batch, batch)
    former = version(desk, held.old.hex()).template
    wishes, back = [], []
    for record, act in held.matters:
        rows = desk.list(FLOWS.Matter, FLOWS.Matter.id == record)
        if not rows or record in held.undone:
            continue
        desk.version(record)
        found = migrate.undo(rows[0].state, act, former, reason.strip())
        if isinstance(found, Migrated):
            wishes.append(desk.wish(found, record=record, after=(rows[0].last,)))
            back.append(record)
    if not wishes:
        raise Conflict(_("换用以后都又有了办理，不能撤销。"), code="moved_on")
    desk.together([*wishes, desk.wish(said.Undone(batch, tuple(back), reason.strip()), record=batch, after=(held.said,))])
    return len(back)


def batches(desk: Desk, template: str) -> list[Batch]:
    """Batches of a template, the newest first."""
    return desk.list(Batch, Batch.template == template, order=Batch.at.desc())


# where matters lie


def lies(desk: Desk, template: str) -> list[lying.Lies]:
    """Where the matters of a template lie and how long, over all its versions, of organs that the person watches."""
    found = versions(desk, template)
    if not found:
        raise Missing(_("没有这个流程。"))
    digests = [bytes.fromhex(one.digest) for one in found]
    rows: Sequence[Any] = desk.list(FLOWS.Matter, FLOWS.Matter.template.in_(digests), order=FLOWS.Matter.touched.desc(), limit=5000)
    return lying.lying(found[0].template, (row.state for row in rows))

"""What the drafting form says, kept whole even when something in it is wrong: files that were chosen are not asked for again."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass

from node import clock
from node.codec import pack, unpack
from node.errors import Invalid, Refused
from office.documents import service
from office.documents.entries import Annex, Change, Cited, Effect, Label, Openness, Paper, Role, Urgency
from office.documents.kinds import fitting
from office.documents.labels import KIND_WORDS, LABEL_WORDS, URGENCY_WORDS
from office.documents.model import Letter
from office.frame.desk import Desk
from office.frame.words import _
from office.portal import uploads
from office.portal.page import Request


@dataclass(frozen=True, kw_only=True)
class Written:
    """A form that was sent."""

    paper: Paper
    held: tuple[Annex, ...]
    "Files uploaded with this form or one before it that no draft names yet."
    wrong: Refused | None
    "The first thing in it that cannot be."


def written(desk: Desk, request: Request, former: Paper) -> Written:
    """The paper a form says; files stay unless they were ticked off, new ones are added."""
    form = _Form(request)
    held = (*_held(desk, request), *_uploaded(desk, request))
    due = form.due()
    to, cc = tuple(dict.fromkeys(request.all("to"))), tuple(dict.fromkeys(request.all("cc")))
    paper = fitting(
        Paper(
            organ=former.organ or request.text("organ"),
            kind=form.chosen("kind", former.kind, KIND_WORDS),
            title=" ".join(request.text("title").split()),
            text=request.text("body"),
            to=to,
            cc=tuple(id for id in cc if id not in to),
            lists=_lists(desk, request),
            urgency=Urgency(form.chosen("urgency", Urgency.NONE, URGENCY_WORDS)),
            urgency_reason=request.text("urgency_reason"),
            label=Label(form.chosen("label", Label.INTERNAL, LABEL_WORDS)),
            reply_required=bool(request.text("reply_required")),
            due=due,
            due_rule="set" if due else "",
            in_reply_to=former.in_reply_to or request.text("in_reply_to")[:36],
            forwards=former.forwards or request.text("forwards")[:36],
            annexes=(*_kept(desk, request, former), *held),
            read_required=bool(request.text("read_required")),
            openness=form.chosen("openness", "", ("", *Openness)),
            openness_reason=request.text("openness_reason"),
            effects=_effects(desk, request),
            joint=tuple(dict.fromkeys(request.all("joint"))) if request.text("joint_shown") else former.joint,
        )
    )
    return Written(paper=paper, held=held, wrong=form.wrong)


class _Form:
    """The fields of a form that may be wrong, and the first that was."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.wrong: Refused | None = None

    def chosen(self, name: str, otherwise: str, known: Collection[str]) -> str:
        """A chosen value, else what it was before."""
        given = self.request.text(name, otherwise)
        if given in known:
            return given
        self.wrong = self.wrong or Invalid(_("所选的值不在范围内：{value}").format(value=given[:40]), code="malformed")
        return otherwise

    def due(self) -> int:
        """The end of the term in milliseconds, 0 for none or for what is no moment."""
        try:
            return self.request.milliseconds("due")
        except Invalid as e:
            self.wrong = self.wrong or e
            return 0


def _kept(desk: Desk, request: Request, former: Paper) -> tuple[Annex, ...]:
    dropped = set(request.all("drop"))
    if not former.annexes and request.text("forwards"):
        return service.forwarded(desk, request.text("forwards"), dropped)
    return tuple(annex for annex in former.annexes if annex.sha.hex() not in dropped)


def _held(desk: Desk, request: Request) -> tuple[Annex, ...]:
    """Files that came with an earlier form, as this person's node kept them."""
    rows = (request.portal.local.kept(desk.person, f"annex.{sha}") for sha in dict.fromkeys(request.all("held")))
    return tuple(unpack(base64.b64decode(row[0]), Annex) for row in rows if row is not None)


def _uploaded(desk: Desk, request: Request) -> tuple[Annex, ...]:
    found = tuple(service.attach(desk, f.name, f.mime, f.stream) for f in uploads.given(request, desk.person))
    for annex in found:
        request.portal.local.keep(desk.person, f"annex.{annex.sha.hex()}", base64.b64encode(pack(annex)).decode(), clock.ms())
    return found


def _lists(desk: Desk, request: Request) -> tuple[Cited, ...]:
    known = {listing.id: listing.version for listing in desk.directory.lists()}
    named = ((Role.TO, "to_list"), (Role.CC, "cc_list"))
    return tuple(Cited(id, known[id], role) for role, name in named for id in request.all(name) if id in known)


def _effects(desk: Desk, request: Request) -> tuple[Effect, ...]:
    found = []
    for change, name in ((Change.AMENDED, "amends"), (Change.REPEALED, "repeals")):
        for letter in desk.list(Letter, Letter.id.in_(request.all(name)), Letter.home == desk.node):
            envelope = letter.envelope
            found.append(Effect(letter.id, envelope.number, envelope.paper.title, change))
    return tuple(found)

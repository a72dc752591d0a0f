"""Screens of an organ that is to issue a document together with another's: the register, the text that lies before it, and what it says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.wrappers import Response

from node import clock
from node.errors import Missing
from office.documents import issuers, service, telling, views
from office.documents.entries import SHARED, Envelope, Label, Role
from office.documents.forms import download
from office.documents.labels import AGREEMENT_WORDS, CONSENT_NOTES, JOINT_TABS, KIND_WORDS, LABEL_WORDS, TONES
from office.documents.model import Act as Done
from office.documents.model import Party
from office.documents.names import named
from office.documents.sheets import addressed, sheet
from office.documents.workflow import Agreement
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import PER_PAGE, Act, Request, Screen, See, page, see_other, whole
from office.portal.screen import day

WAITING = ("asked", "agreed")
"Tabs with work."


class JointPages:
    """Documents of other organs that an organ of this node is to issue with them."""

    name = "documents.joint"
    desk: Desk

    @page("GET", "/joint", keep=True)
    def register(self, request: Request) -> Screen:
        """Register of what is to be countersigned, and was."""
        desk = self.desk
        ended = (Agreement.ISSUED, Agreement.DROPPED, Agreement.RECALLED)
        known = desk.known("documents.parties", lambda: desk.tally(Party, Party.state, Party.own(desk)))
        counts = {key: sum(known.get(state, 0) for state in states) for key, (_label, states) in JOINT_TABS.items()}
        tab = views.tab_of(request.query("tab"), counts, WAITING)
        order = (Party.issued_at.desc(), Party.id) if set(JOINT_TABS[tab][1]) & set(ended) else (Party.asked_at.desc(), Party.id)
        rows = desk.list(Party, Party.state.in_(JOINT_TABS[tab][1]), Party.own(desk), order=order, **request.window())
        tabs = [(f"/joint?tab={key}", label, counts[key], key == tab) for key, (label, _states) in JOINT_TABS.items()]
        shown = [_line(desk, row) for row in rows]
        return Screen("documents/parties.html", rows=shown, tabs=tabs, json={"rows": shown[:PER_PAGE], "tab": tab})

    @page("GET", "/joint/<id>")
    def show(self, request: Request, id: str) -> Screen:
        """The text that lies before an organ: what it says, where it stands, what may be done, what happened so far."""
        desk = self.desk
        row = desk.get(Party, id)
        envelope, moves = row.envelope, service.consent_moves(desk, row)
        facts = _facts(desk, row, envelope)
        values: dict[str, Any] = {
            "row": row,
            "state": AGREEMENT_WORDS[Agreement(row.state)],
            "tone": TONES.get(Agreement(row.state), ""),
            "kind": KIND_WORDS.get(row.kind, row.kind),
            "notice": _notice(row),
            "steps": _steps(desk, row),
            "acts": _acts(row, moves, desk.version(id)),
            "facts": facts,
            "files": views.files_of(desk, envelope.paper.annexes, f"/joint/{id}/annexes"),
            "sheet": sheet(desk, envelope if row.issued_at else issuers.joined(desk, "", envelope), id),
            "acted": [telling.act_line(desk, act) for act in _account(desk, row)],
        }
        twin = _line(desk, row) | {"doc": row.doc, "paper": envelope.paper, "facts": facts, "moves": moves, "acts": values["acted"]}
        return Screen("documents/party.html", json=twin, **values)

    @page("GET", "/joint/<id>/annexes/<int:place>", json=False)
    def annex(self, request: Request, id: str, place: int) -> Response:
        """A file of the text."""
        return download(self.desk, self.desk.get(Party, id).envelope.paper.annexes, place)

    @page("POST", "/joint/<id>/<move>")
    def move(self, request: Request, id: str, move: str) -> See:
        """Countersign, return or seal."""
        if request.text("version"):
            self.desk.expect(id, whole(request.text("version")))
        if move not in VERBS:
            raise Missing()
        VERBS[move](self.desk, id, request.text("text"))
        return see_other(f"/joint/{id}", CONSENT_NOTES[move])


VERBS: dict[str, Callable[[Desk, str, str], None]] = {
    "consent": lambda desk, party, text: service.consent(desk, party, opinion=text),
    "refuse": lambda desk, party, text: service.refuse_consent(desk, party, reason=text),
    "seal": lambda desk, party, text: service.seal_consent(desk, party),
}


def _acts(row: Party, moves: Sequence[str], version: int) -> list[Act]:
    url, seen = f"/joint/{row.id}", {"version": str(version)}
    every = {
        "consent": Act(
            f"{url}/consent", _("会签"), "main", ask=_("会签意见"), fields=seen, confirm=_("会签即同意以本机关名义联合发文，签的就是下面的正文。")
        ),
        "seal": Act(f"{url}/seal", _("用印"), "main", fields=seen),
        "refuse": Act(f"{url}/refuse", _("退回主办机关"), "plain", ask=_("退回原因"), need=True, fields=seen),
    }
    return [act for name, act in every.items() if name in moves]


def _line(desk: Desk, row: Party) -> dict[str, Any]:
    organ = desk.directory.organ(row.organ)
    return {
        "id": row.id,
        "url": f"/joint/{row.id}",
        "title": row.title,
        "kind": KIND_WORDS.get(row.kind, row.kind),
        "urgency": row.urgency,
        "lead": named(desk, row.issuer, row.issuer_name),
        "organ": organ.short_name if organ is not None else row.organ,
        "number": row.number,
        "state": AGREEMENT_WORDS[Agreement(row.state)],
        "tone": TONES.get(Agreement(row.state), ""),
        "at": clock.from_ms(row.asked_at or row.issued_at),
    }


def _notice(row: Party) -> tuple[Any, str, str] | None:
    """(heading, words, tone) of what stands above everything else."""
    if row.issued_at and not row.agrees:
        return _("主办机关称本机关联合发文，但本机关没有会签过这一文本，请立即核实。"), "", "bad"
    if row.state == Agreement.REFUSED:
        return _("本机关已退回，等候主办机关修改"), row.refused, "warn"
    if row.urged and (row.state == Agreement.ASKED or (row.state == Agreement.AGREED and row.mark is None)):
        return _("主办机关第 {n} 次催办").format(n=row.urged), row.urging or str(_("请抓紧办理。")), "warn"
    heads = {Agreement.HELD: _("主办机关已收回正文，改好后重新送会签"), Agreement.DROPPED: _("主办机关不再请本机关会签")}
    head = heads.get(Agreement(row.state))
    return (head, row.reason, "info") if head is not None else None


def _steps(desk: Desk, row: Party) -> list[tuple[str, str]]:
    """The way of the text through the organ; none once it has ended without being issued."""
    if row.state in (Agreement.HELD, Agreement.DROPPED, Agreement.RECALLED, Agreement.REFUSED):
        return []
    sealing = row.mark is not None or (not row.issued_at and issuers.wants_seal(desk, row))
    done = [
        (_("送达"), True),
        (_("会签"), row.agrees),
        *([(_("用印"), row.mark is not None)] if sealing else []),
        (_("主办机关编号核发"), row.issued_at > 0),
    ]
    now = next((place for place, (_label, fact) in enumerate(done) if not fact), len(done))
    return [(str(label), "done" if fact else "now" if place == now else "") for place, (label, fact) in enumerate(done)]


def _facts(desk: Desk, row: Party, envelope: Envelope) -> list[tuple[str, Any]]:
    organ = desk.directory.organ(row.organ)
    others = (desk.directory.organ(id) for id in envelope.paper.joint)
    return [
        (_("主办机关"), named(desk, row.issuer, row.issuer_name)),
        (_("联合发文机关"), "、".join(one.short_name for one in others if one is not None)),
        (_("本机关"), organ.full_name if organ is not None else row.organ),
        (_("发文字号"), row.number or _("齐签后由主办机关编号")),
        (_("主送"), addressed(desk, envelope, Role.TO)),
        (_("抄送"), addressed(desk, envelope, Role.CC)),
        (_("标识"), LABEL_WORDS.get(Label(envelope.paper.label), envelope.paper.label)),
        (_("公开属性"), views.openness_of(envelope.paper)),
        (_("会签人"), row.signer if row.agrees else ""),
        (_("会签日期"), day(row.signed_on) if row.agrees else ""),
        (_("会签意见"), row.opinion if row.agrees else ""),
        (_("代签依据"), row.acted.partition(" ")[2] if row.agrees else ""),
        (_("用印"), _("已用印") if row.mark is not None else ""),
    ]


def _account(desk: Desk, row: Party) -> list[Done]:
    """What the organ in the lead told, and what was done here."""
    return desk.list(Done, Done.doc == row.doc, Done.kind.in_(SHARED), Done.organ.in_(("", row.organ)), order=(Done.at, Done.seq), limit=500)

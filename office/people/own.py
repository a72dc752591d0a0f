"""Screens of what is one's own: settings, phrases, absence, delegations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from node import clock
from node.directory.view import today
from node.errors import Invalid
from office.frame.desk import Desk
from office.frame.words import _
from office.people import corrections, lending, notes, service
from office.people.labels import CORRECTION_WORDS as MATTER_WORDS
from office.people.labels import ROLE_WORDS
from office.people.model import Correction
from office.people.pen import need
from office.people.workflow import AUDITOR, GUARD, KEEPER, Matter
from office.portal.page import Answer, Request, Screen, See, day, page, see_other


class OwnPages:
    """A person's own page."""

    name = "own"
    desk: Desk

    @page("GET", "/me")
    def me(self, request: Request) -> Screen:
        """Posts, keys, phrases, absence and delegations of the person."""
        desk = self.desk
        certificates = [s for s in desk.directory.certificates_of(desk.person) if s.kind == "person"]
        keys = [{"until": s.certificate.not_valid_after_utc, "revoked": s.revoked is not None} for s in certificates]
        mine = {post.id for post in desk.posts}
        loans = [one for one in lending.loans(desk) if {one.lender.id, one.borrower.id} & mine]
        values: dict[str, Any] = {"phrases": notes.phrases(desk), "absence": notes.absence(desk, desk.person), "loans": loans}
        return Screen(
            "people/me.html",
            keys=keys,
            today=today(),
            lenders=lending.lenders(desk),
            card=desk.card,
            private=desk.directory.file(desk.person),
            asked=[_asked(one) for one in corrections.mine(desk)],
            colleagues=_colleagues(desk),
            words=ROLE_WORDS,
            **values,
            json={"person": desk.card, "posts": desk.posts, "keys": keys, **values},
        )

    @page("POST", "/me/corrections")
    def correct(self, request: Request) -> See:
        """Ask that what is kept of oneself be put right."""
        given = {name: request.text(name) for name in ("name", "office_phone", "mobile", "words")}
        key = corrections.request_correction(self.desk, **given)
        return see_other("/me", _("更正申请已交系统管理员。"), id=key)

    @page("POST", "/me/corrections/withdraw")
    def withdraw(self, request: Request) -> See:
        """Take one's own request back."""
        corrections.withdraw_correction(self.desk, request.text("id"))
        return see_other("/me", _("更正申请已撤回。"))

    @page("GET", "/people/corrections")
    def corrections(self, request: Request) -> Screen:
        """Requests that wait for the administrator."""
        desk = self.desk
        need(desk, KEEPER)
        rows = [_wanted(desk, one) for one in corrections.waiting(desk)]
        return Screen("people/corrections.html", rows=rows, json={"rows": rows})

    @page("POST", "/people/corrections/<id>/accept")
    def accept(self, request: Request, id: str) -> See:
        """Put it right."""
        corrections.accept_correction(self.desk, id)
        return see_other("/people/corrections", _("已按申请更正。"))

    @page("POST", "/people/corrections/<id>/refuse")
    def refuse(self, request: Request, id: str) -> See:
        """Leave it as it is."""
        corrections.refuse_correction(self.desk, id, words=request.text("text"))
        return see_other("/people/corrections", _("已回复申请人。"))

    @page("GET", "/me/phrases")
    def my_phrases(self, request: Request) -> Answer:
        """The person's phrases, for forms in which an opinion is written."""
        return Answer(list(notes.phrases(self.desk)))

    @page("POST", "/me/phrases")
    def phrases(self, request: Request) -> See:
        """Keep phrases, one a line."""
        notes.keep_phrases(self.desk, request.text("phrases").splitlines())
        return see_other("/me", _("常用批语已保存。"))

    @page("POST", "/me/away")
    def away(self, request: Request) -> See:
        """Tell that one is away."""
        since, until = day(request.text("since")), day(request.text("until"))
        if since is None or until is None:
            raise Invalid(_("请填写外出的起止日期。"), code="bad_term")
        notes.announce(self.desk, since=since, until=until, words=request.text("words"), stand_in=request.text("stand_in"))
        return see_other("/me", _("外出已登记，通信录中可见。"))

    @page("POST", "/me/back")
    def back(self, request: Request) -> See:
        """Tell that one is back."""
        notes.return_early(self.desk)
        return see_other("/me", _("外出已结束。"))

    @page("GET", "/me/lend")
    def lend_form(self, request: Request) -> Screen:
        """The form of a delegation from a post one holds."""
        desk = self.desk
        posts = lending.lenders(desk)
        chosen = next((post for post in posts if post.id == request.query("post")), posts[0] if posts else None)
        scope = [(role, ROLE_WORDS[role]) for role in lending.lendable(chosen)] if chosen else []
        return Screen("people/lend.html", posts=posts, chosen=chosen, scope=scope, others=_borrowers(desk), today=today(), json={"posts": posts})

    @page("POST", "/me/lend")
    def lend(self, request: Request) -> See:
        """Lend roles of a post."""
        since, until = day(request.text("since")) or today(), day(request.text("until"))
        if until is None:
            raise Invalid(_("授权要有起止日期，最长一年。"), code="bad_term")
        key = lending.lend(
            self.desk,
            lender=request.text("post"),
            borrower=request.text("borrower"),
            scope=request.all("scope"),
            since=since,
            until=until + dt.timedelta(days=1),
            basis=request.text("basis"),
        )
        return see_other("/me", _("授权已登记，到期自动失效。"), id=key)

    @page("GET", "/people/delegations")
    def delegations(self, request: Request) -> Screen:
        """Delegations one may see: one's own, or for administrators all of this node."""
        found = lending.loans(self.desk)
        wide = service.may(self.desk, KEEPER, GUARD, AUDITOR)
        return Screen("people/delegations.html", loans=found, wide=wide, words=ROLE_WORDS, today=today(), json=found)

    @page("POST", "/people/delegations/<id>/end")
    def end(self, request: Request, id: str) -> See:
        """End a delegation today."""
        lending.take_back(self.desk, id)
        return see_other("/people/delegations", _("授权已收回。"))


def _asked(one: Correction) -> dict[str, Any]:
    """A request as the person sees it."""
    return {
        "id": one.id,
        "at": clock.from_ms(one.asked_at),
        "state": MATTER_WORDS[Matter(one.state)],
        "answer": one.answer,
        "open": one.state == Matter.ASKED,
    }


def _wanted(desk: Desk, one: Correction) -> dict[str, Any]:
    """A request as the administrator sees it: what is kept, and what it should be."""
    card, private = desk.directory.person(one.person), desk.directory.file(one.person)
    kept = (card.name, card.office_phone, private.mobile if private is not None else "") if card is not None else ("", "", "")
    pairs = zip((_("姓名"), _("办公电话"), _("手机")), kept, (one.name, one.office_phone, one.mobile), strict=True)
    changes = [(str(label), was, new) for label, was, new in pairs if was != new]
    return {"id": one.id, "person": one.person, "who": kept[0], "at": clock.from_ms(one.asked_at), "words": one.words, "changes": changes}


def _borrowers(desk: Desk) -> list[tuple[str, list[tuple[str, str]]]]:
    """Posts of this node that others hold, under their organs, with the holders' names."""
    mine = {post.id for post in desk.posts}
    groups = []
    for organ in desk.directory.organs_at(desk.node):
        people = [(h.post, f.person.name) for f in desk.directory.people_of(organ.id) for h in f.holdings if h.organ.id == organ.id]
        groups.append((organ.full_name, [(post.id, f"{post.title} {name}") for post, name in people if post.id not in mine]))
    return [(name, posts) for name, posts in groups if posts]


def _colleagues(desk: Desk) -> list[tuple[str, str]]:
    """Persons of the organs one belongs to."""
    people = [f.person for h in desk.holdings for f in desk.directory.people_of(h.organ.id)]
    return list(dict.fromkeys((one.id, one.name) for one in people if one.id != desk.person))

"""Screens of the address book and of its keepers."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from node import certs
from node.directory import entries as said
from node.directory.view import today
from node.errors import Invalid
from office.frame.desk import Desk
from office.frame.words import _
from office.people import notes, offline, service
from office.people.boards import BoardPages
from office.people.forms import OrganForm, PersonForm, PostForm
from office.people.labels import ACCOUNT_TONES, ACCOUNT_WORDS, KIND_WORDS, REASON_WORDS, REFUSAL_WORDS, ROLE_WORDS, STATUS_WORDS, TIER_WORDS
from office.people.own import OwnPages
from office.people.pen import need
from office.people.sealing import SealPages
from office.people.workflow import ACCOUNTS, AUDITOR, GUARD, KEEPER, Account
from office.portal.page import Act, Item, Request, Response, Screen, See, day, page, see_other


class PeoplePages:
    """The address book, one organ, one person, and what administrators do there."""

    name: ClassVar[str] = "people"
    desk: Desk
    menu = (
        Item("/people", _("通信录"), icon="people"),
        Item("/people/accounts", _("账号管理"), icon="key", shown=lambda desk: service.may(desk, KEEPER, GUARD, AUDITOR)),
    )

    # everybody

    @page("GET", "/people")
    def book(self, request: Request) -> Screen:
        """The address book: organs in protocol order, people of one of them, or what a search finds."""
        directory, text = self.desk.directory, request.query("q")
        organs = directory.organs()
        chosen = request.query("organ") or (self.desk.organs[0].id if self.desk.organs else organs[0].id if organs else "")
        found = directory.search(text) if text else directory.people_of(chosen) if chosen else ()
        return Screen(
            "people/book.html",
            q=text,
            chosen=directory.organ(chosen) if chosen and not text else None,
            tree=_tree(self.desk, chosen),
            found=found,
            organs=directory.search_organs(text) if text else (),
            status_words=STATUS_WORDS,
            away=notes.away(self.desk, (one.person.id for one in found)),
            keeps=service.may(self.desk, KEEPER),
            json={"people": found, "organs": directory.search_organs(text) if text else ()},
        )

    @page("GET", "/people/offline.html", json=False)
    def offline_page(self, request: Request) -> Response:
        """The address book as one page to keep."""
        return Response(offline.page(self.desk), mimetype="text/html", headers=_to_keep("html"))

    @page("GET", "/people/offline.csv", json=False)
    def offline_table(self, request: Request) -> Response:
        """The address book as a table to keep."""
        return Response(offline.table(self.desk), mimetype="text/csv", headers=_to_keep("csv"))

    @page("GET", "/people/organ/<id>")
    def organ(self, request: Request, id: str) -> Screen:
        """One organ: where it stands, its posts and who holds them."""
        desk, organ = self.desk, service.organ(self.desk, id)
        directory = desk.directory
        mine = organ.node == desk.node
        return Screen(
            "people/organ.html",
            unit=organ,
            above=directory.above(id)[::-1],
            below=directory.children(id),
            line=directory.organ(organ.line_parent_id) if organ.line_parent_id else None,
            successor=directory.successor(id) if organ.valid_to else None,
            node=directory.node(organ.node),
            people=directory.people_of(id),
            posts=directory.posts_of(id),
            holders={p.id: [f.person for f in directory.people_of(id) if any(h.post.id == p.id for h in f.holdings)] for p in directory.posts_of(id)},
            seals=directory.seals_of(id),
            words={"kind": KIND_WORDS, "role": ROLE_WORDS, "tier": TIER_WORDS},
            keeps=mine and service.may(desk, KEEPER),
            guards=mine and service.may(desk, GUARD),
            json={"organ": organ, "posts": directory.posts_of(id), "people": directory.people_of(id), "children": directory.children(id)},
        )

    @page("GET", "/people/<id>")
    def person(self, request: Request, id: str) -> Screen:
        """One person: posts, telephone, and for the person and administrators the file and the account."""
        desk, found = self.desk, service.person(self.desk, id)
        home = desk.directory.person_home(id)
        mine = home == desk.node and service.may(desk, KEEPER, GUARD, AUDITOR)
        state = service.state(desk, id) if mine or id == desk.person else None
        return Screen(
            "people/person.html",
            found=found,
            file=service.file(desk, id),
            unit=desk.directory.organ(found.person.organ),
            node=desk.directory.node(home),
            state=state,
            certificates=[(s, certs.fingerprint(s.certificate).hex()) for s in service.certificates(desk, id)] if mine else [],
            acts=_account_acts(desk, id, state) if mine and state else [],
            keeps=home == desk.node and service.may(desk, KEEPER),
            places=_posts(desk) if service.may(desk, KEEPER) else [],
            words={"status": STATUS_WORDS, "account": ACCOUNT_WORDS, "tone": ACCOUNT_TONES, "reason": REASON_WORDS, "role": ROLE_WORDS},
            own=id == desk.person,
            absence=notes.absence(desk, id),
            today=today(),
            json={"person": found.person, "holdings": found.holdings, "file": service.file(desk, id), "account": state},
        )

    # administrators

    @page("GET", "/people/accounts")
    def accounts(self, request: Request) -> Screen:
        """Everybody this node keeps, and where the accounts stand."""
        rows = service.accounts(self.desk)
        return Screen(
            "people/accounts.html",
            rows=[(found, login, state, _account_acts(self.desk, found.person.id, state)) for found, login, state in rows],
            words={"account": ACCOUNT_WORDS, "tone": ACCOUNT_TONES, "status": STATUS_WORDS},
            keeps=service.may(self.desk, KEEPER),
            json=[{"person": found.person, "login": login, "account": state} for found, login, state in rows],
        )

    @page("POST", "/people/<id>/password")
    def issue(self, request: Request, id: str) -> Screen:
        """Give a person a first password; it is shown this once."""
        password = service.issue_password(self.desk, id)
        login = getattr(self.desk.directory.file(id), "login", "")
        found = service.person(self.desk, id)
        return Screen("people/issued.html", found=found, password=password, login=login, json={"person": id, "login": login, "password": password})

    @page("POST", "/people/<id>/close")
    def close(self, request: Request, id: str) -> See:
        """Close a person's account."""
        service.close_account(self.desk, id)
        return see_other(f"/people/{id}", _("账号已停用。"))

    @page("POST", "/people/certificates/<fingerprint>/revoke")
    def revoke(self, request: Request, fingerprint: str) -> See:
        """Revoke one certificate."""
        try:
            raw = bytes.fromhex(fingerprint)
        except ValueError:
            raise Invalid(_("证书指纹不对。"), code="malformed") from None
        service.revoke(self.desk, raw, reason=request.text("reason", "lost"))
        return see_other(
            request.text("back", "/people/accounts") if request.text("back").startswith("/people/") else "/people/accounts", _("证书已吊销。")
        )

    @page("GET", "/people/new")
    def new_person(self, request: Request) -> Screen:
        """The form for a new person."""
        return self._person_form(said.Person("", "", request.query("organ"), "", 0, "active", ""), None, "")

    @page("POST", "/people/new", takes=PersonForm)
    def add_person(self, request: Request) -> See:
        """Enter a person."""
        key = self._save_person("", request.read(PersonForm))
        return see_other(f"/people/{key}", _("人员已登记。"), id=key)

    @page("GET", "/people/<id>/edit")
    def edit_person(self, request: Request, id: str) -> Screen:
        """The form for a person's card and file."""
        card = service.person(self.desk, id).person
        return self._person_form(card, service.file(self.desk, id), _seen(self.desk, said.Person, id))

    @page("POST", "/people/<id>/edit", takes=PersonForm)
    def change_person(self, request: Request, id: str) -> See:
        """Change a person's card and file."""
        self._save_person(id, request.read(PersonForm))
        return see_other(f"/people/{id}", _("已保存。"))

    @page("POST", "/people/<id>/appoint")
    def appoint(self, request: Request, id: str) -> See:
        """Appoint a person to a post."""
        service.appoint(self.desk, id, request.text("post"), since=day(request.text("since")), basis=request.text("basis"))
        return see_other(f"/people/{id}", _("任职已登记。"))

    @page("POST", "/people/<id>/appointments/<appointment>/end")
    def end(self, request: Request, id: str, appointment: str) -> See:
        """End an appointment today."""
        service.end_appointment(self.desk, appointment)
        return see_other(f"/people/{id}", _("任职已结束。"))

    @page("GET", "/people/organ/new")
    def new_organ(self, request: Request) -> Screen:
        """The form for a new organ."""
        parent = self.desk.directory.organ(request.query("parent"))
        tier = parent.tier if parent else self.desk.settings.tier
        blank = said.Organ("", "", "", "", "department", tier, "", parent.id if parent else "", "", "", "", False, (), "", 0)
        return self._organ_form(blank, "")

    @page("POST", "/people/organ/new", takes=OrganForm)
    def add_organ(self, request: Request) -> See:
        """Found an organ."""
        key = self._save_organ("", request.read(OrganForm))
        return see_other(f"/people/organ/{key}", _("机构已设立。"), id=key)

    @page("GET", "/people/organ/<id>/edit")
    def edit_organ(self, request: Request, id: str) -> Screen:
        """The form for an organ."""
        return self._organ_form(service.organ(self.desk, id), _seen(self.desk, said.Organ, id))

    @page("POST", "/people/organ/<id>/edit", takes=OrganForm)
    def change_organ(self, request: Request, id: str) -> See:
        """Change an organ."""
        self._save_organ(id, request.read(OrganForm))
        return see_other(f"/people/organ/{id}", _("已保存。"))

    @page("POST", "/people/organ/<id>/close")
    def close_organ(self, request: Request, id: str) -> See:
        """Close an organ today."""
        service.close_organ(self.desk, id, on=day(request.text("on")) or today(), successor=request.text("successor"))
        return see_other(f"/people/organ/{id}", _("机构已撤销，原有公文保留旧名。"))

    @page("GET", "/people/organ/<id>/posts/new")
    def new_post(self, request: Request, id: str) -> Screen:
        """The form for a new post."""
        return self._post_form(said.Post("", service.organ(self.desk, id).id, "", "", (), 0, "", ()), "")

    @page("POST", "/people/posts/new", takes=PostForm)
    def add_post(self, request: Request) -> See:
        """Set up a post."""
        given = request.read(PostForm)
        key = self._save_post("", given)
        return see_other(f"/people/organ/{given.organ}", _("岗位已设立。"), id=key)

    @page("GET", "/people/posts/<id>/edit")
    def edit_post(self, request: Request, id: str) -> Screen:
        """The form for a post."""
        return self._post_form(service.post(self.desk, id), _seen(self.desk, said.Post, id))

    @page("POST", "/people/posts/<id>/edit", takes=PostForm)
    def change_post(self, request: Request, id: str) -> See:
        """Change a post."""
        given = request.read(PostForm)
        self._save_post(id, given)
        return see_other(f"/people/organ/{given.organ}", _("已保存。"))

    @page("POST", "/people/posts/<id>/roles")
    def roles(self, request: Request, id: str) -> See:
        """Give a post its roles."""
        service.grant(self.desk, id, request.all("roles"))
        return see_other(f"/people/organ/{service.post(self.desk, id).organ}", _("职能已授予。"))

    @page("POST", "/people/posts/<id>/close")
    def close_post(self, request: Request, id: str) -> See:
        """Close a post today."""
        organ = service.post(self.desk, id).organ
        service.close_post(self.desk, id, on=today())
        return see_other(f"/people/organ/{organ}", _("岗位已撤销。"))

    @page("GET", "/people/import")
    def import_form(self, request: Request) -> Screen:
        """Where lines to import are pasted."""
        service.plan(self.desk, "")
        return Screen("people/import.html", plan=None, text="", words=REFUSAL_WORDS)

    @page("POST", "/people/import")
    def import_lines(self, request: Request) -> Screen:
        """Try an import, or with ``go`` do it."""
        text, go = request.text("lines"), request.text("go") == "1"
        plan = service.bring_in(self.desk, text) if go else service.plan(self.desk, text)
        told = {"created": len(plan.created), "changed": len(plan.changed), "same": plan.same, "elsewhere": plan.elsewhere, "refused": plan.refused}
        return Screen("people/import.html", plan=told, text="" if go else text, done=go, words=REFUSAL_WORDS, json=told)

    @page("GET", "/people/export", json=False)
    def export(self, request: Request) -> Response:
        """This node's part of the directory as JSON Lines."""
        text = "".join(line + "\n" for line in service.bring_out(self.desk))
        headers = {"Content-Disposition": f'attachment; filename="directory-{self.desk.settings.code}.jsonl"'}
        return Response(text, mimetype="application/x-ndjson", headers=headers)

    # inside

    def _person_form(self, card: said.Person, file: said.File | None, seen: str) -> Screen:
        need(self.desk, KEEPER)
        organs = [(o.id, o.full_name) for o in self.desk.directory.organs_at(self.desk.node)]
        file = file or said.File(card.id, "", "", "", "", "", "")
        return Screen(
            "people/edit_person.html", card=card, file=file, seen=seen, organs=organs, statuses=list(STATUS_WORDS.items()), json={"card": card}
        )

    def _save_person(self, key: str, given: PersonForm) -> str:
        card = said.Person(key, given.name, given.organ, given.office_phone, given.sort_no, given.status, given.pinyin)
        held = service.file(self.desk, key) if key else None
        clearance = held.clearance if held else ""
        file = said.File(key, given.login, given.staff_no, given.sex, given.mobile, given.staffing_type, clearance)
        return service.save_person(self.desk, card, file, seen=given.seen)

    def _organ_form(self, organ: said.Organ, seen: str) -> Screen:
        need(self.desk, KEEPER)
        others = [(o.id, o.full_name) for o in self.desk.directory.organs() if o.id != organ.id]
        words: dict[str, Any] = {"kinds": list(KIND_WORDS.items()), "tiers": list(TIER_WORDS.items())}
        return Screen("people/edit_organ.html", unit=organ, seen=seen, others=others, **words, json={"organ": organ})

    def _save_organ(self, key: str, given: OrganForm) -> str:
        before = service.organ(self.desk, key) if key else said.Organ("", "", "", "", "", "", "", "", "", "", "", False, (), "", 0, today())
        organ = msgspec.structs.replace(
            before,
            code=given.code,
            full_name=given.full_name,
            short_name=given.short_name,
            kind=given.kind,
            tier=given.tier,
            region_code=before.region_code or self.desk.settings.code,
            parent_id=given.parent_id,
            line_parent_id=given.line_parent_id,
            may_issue=bool(given.may_issue),
            doc_prefixes=tuple(given.doc_prefixes.replace("，", " ").replace("、", " ").split()),
            duty_phone=given.duty_phone,
            sort_no=given.sort_no,
        )
        return service.save_organ(self.desk, organ, seen=given.seen)

    def _post_form(self, post: said.Post, seen: str) -> Screen:
        need(self.desk, KEEPER)
        organ = service.organ(self.desk, post.organ)
        others = [(p.id, p.title) for p in self.desk.directory.posts_of(organ.id) if p.id != post.id]
        return Screen("people/edit_post.html", post=post, unit=organ, seen=seen, others=others, json={"post": post})

    def _save_post(self, key: str, given: PostForm) -> str:
        before = service.post(self.desk, key) if key else said.Post("", given.organ, "", "", (), 0, "", ())
        fresh = {"title": given.title, "rank": given.rank, "sort_no": given.sort_no, "backup_post_id": given.backup_post_id}
        return service.save_post(self.desk, msgspec.structs.replace(before, **fresh), seen=given.seen)


def _tree(desk: Desk, chosen: str) -> list[tuple[said.Organ, int, bool]]:
    """(organ, depth, is it the chosen one) of what the book's left side shows: the way to the chosen one opened, the rest closed."""
    directory = desk.directory
    opened = {"", chosen, *(o.id for o in directory.above(chosen))}
    shown: list[tuple[said.Organ, int, bool]] = []

    def show(parent: str, depth: int) -> None:
        for organ in directory.children(parent):
            shown.append((organ, depth, organ.id == chosen))
            if organ.id in opened:
                show(organ.id, depth + 1)

    show("", 0)
    return shown


def _account_acts(desk: Desk, person: str, state: Account) -> list[Act]:
    """What this administrator may do with an account now."""
    words = {
        "issue": Act(f"/people/{person}/password", _("发放初始口令"), kind="main"),
        "reset": Act(f"/people/{person}/password", _("重发口令"), confirm=_("原口令和原证书将失效，确定重发吗？")),
        "close": Act(f"/people/{person}/close", _("停用账号"), kind="danger", confirm=_("停用后此人不能登录，证书随即吊销。确定吗？")),
    }
    if person == desk.person:
        return []
    return [words[move.name] for move in ACCOUNTS.offers(state, desk.roles) if move.name in words]


def _posts(desk: Desk) -> list[tuple[str, list[tuple[str, str]]]]:
    """Posts of this node for a choice, under their organs."""
    directory = desk.directory
    groups = ((o.full_name, [(p.id, p.title) for p in directory.posts_of(o.id)]) for o in directory.organs_at(desk.node))
    return [(name, posts) for name, posts in groups if posts]


def _seen(desk: Desk, cls: type, id: str) -> str:
    record = desk.directory.record(cls, id)
    return record.said.hex() if record is not None else ""


def _to_keep(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="yiwang-people.{ending}"'}


PAGES = (PeoplePages, OwnPages, BoardPages, SealPages)

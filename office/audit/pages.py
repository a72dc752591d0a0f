"""Screens of the trail: the auditor's, and what concerns oneself."""

from __future__ import annotations

from office.audit import service
from office.audit.labels import DID_TONES, DID_WORDS, THINGS
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Item, Request, Screen, day, page


class AuditPages:
    """The trail."""

    name = "audit"
    desk: Desk
    menu = (Item("/audit", _("审计"), icon="lock", shown=service.is_auditor),)

    @page("GET", "/audit")
    def trail(self, request: Request) -> Screen:
        """Events of the node, the newest first, by kind, person and day."""
        service.need_auditor(self.desk)
        login = request.query("person").strip()
        person = self.desk.directory.login(login.lower()) or login
        did = request.query("did") if request.query("did") in DID_WORDS else ""
        rows = service.events(self.desk, did=did, person=person, day=day(request.query("day")), **request.window())
        return Screen("audit/trail.html", rows=rows, kinds=list(DID_WORDS.items()), words=DID_WORDS, tones=DID_TONES, things=THINGS, json=rows)

    @page("POST", "/audit/check")
    def check(self, request: Request) -> Screen:
        """Walk the node's own log again, from its opening to its end."""
        service.need_auditor(self.desk)
        found = service.check(self.desk.ledger, self.desk.node)
        return Screen("audit/check.html", found=found, json=found)

    @page("GET", "/audit/mine")
    def mine(self, request: Request) -> Screen:
        """What was done in one's name, and who looked at one's page."""
        rows = service.mine(self.desk, limit=100)
        return Screen("audit/mine.html", rows=rows, words=DID_WORDS, tones=DID_TONES, things=THINGS, json=rows)


PAGES = (AuditPages,)

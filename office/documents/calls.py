"""Documents for programs: /api/v1/docs and /api/v1/inbox (docs/http.md shows them by example)."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

from werkzeug.wrappers import Response

from node import evidence as proof
from node.errors import Invalid, Unreachable
from office.documents import reach, service
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Answer, Request, page, whole
from office.portal.uploads import take

PATIENCE, LONGEST = 30, 60
"Seconds that a sender waits for a level by default, and at most."
KEY = {"Idempotency-Key": "UUID of what is asked; asking again with the same one is answered as before"}


class DocumentsApi:
    """The same for programs: /api/v1/docs, /api/v1/inbox."""

    name = "documents.api"
    desk: Desk

    @page(
        "POST",
        "/api/v1/docs",
        takes=service.Post,
        headers=KEY,
        query={"ack": "level to wait for: local, parent, root, delivered or signed", "wait": "seconds to wait for it, 30 unless said, 60 at most"},
    )
    def send(self, request: Request) -> Answer:
        """Issue a document in one step; ``Idempotency-Key`` is its id, so that asking twice is asking once."""
        wanted = request.query("ack", "local")
        if wanted not in reach.LEVELS:
            raise Invalid(_("ack 应为 {levels} 之一。").format(levels="、".join(reach.LEVELS)), code="ack")
        asked = request.read(service.Post)
        files = partial(take, request.portal, self.desk.person)
        sent = service.post(self.desk, asked, files, doc=request.headers.get("Idempotency-Key", ""))
        seconds = min(whole(request.query("wait", str(PATIENCE))), LONGEST) if wanted != "local" else 0
        found = reach.await_level(self.desk, sent.doc, wanted, seconds)
        body: dict[str, Any] = {
            "doc": sent.doc,
            "ref": sent.ref,
            "number": sent.number or None,
            "recipients": sent.recipients,
            "repeated": sent.repeated,
        }
        body |= {"ack": found.level, "copies": found.copies}
        if reach.LEVELS.index(found.level) < reach.LEVELS.index(wanted):
            raise Unreachable(_("公文已在本机保存，但在限时内没有到达所要求的一级。"), code="ack_timeout", **body)
        return Answer(body, status=200 if sent.repeated else 201, headers={"Location": f"/api/v1/docs/{sent.doc}"})

    @page("GET", "/api/v1/docs/<doc>")
    def doc(self, request: Request, doc: str) -> Answer:
        """A document with its text, attachments and receipts."""
        return Answer(service.doc_get(self.desk, doc))

    @page("GET", "/api/v1/inbox", query={"cursor": "where an earlier answer ended", "limit": "how many at most, 100 unless said, 500 at most"})
    def inbox(self, request: Request) -> Answer:
        """What came after a cursor, oldest first."""
        since = whole(request.query("cursor", "0"))
        limit = min(max(whole(request.query("limit", "100")), 1), 500)
        rows = service.inbox(self.desk, since=since, limit=limit)
        return Answer({"items": rows, "cursor": rows[-1]["cursor"] if rows else since})

    @page("GET", "/api/v1/docs/<doc>/receipts")
    def receipts(self, request: Request, doc: str) -> Answer:
        """Recipients by receipts."""
        return Answer({"doc": doc, "by_recipient": service.receipts(self.desk, doc)})

    @page("POST", "/api/v1/docs/<doc>/receipts", takes=service.Reply, headers=KEY)
    def act(self, request: Request, doc: str) -> Answer:
        """Sign for, send back, read, hand on or finish a document that came in."""
        asked = request.read(service.Reply)
        key = request.headers.get("Idempotency-Key", asked.id)
        ref = service.receipt(self.desk, doc, asked.action, note=asked.note, key=key, organ=asked.organ, to=asked.to, reason=asked.reason)
        return Answer({"doc": doc, "ref": ref, "ack": "local"}, status=201)

    @page("GET", "/api/v1/docs/<doc>/evidence", json=False, query={"attachments": "0 leaves the attached files out"})
    def evidence(self, request: Request, doc: str) -> Response:
        """The evidence file of a document: all that proves it and its receipts, for ``yiwang-verify.py``."""
        desk = self.desk
        shown = [id for id, _place in service.statements(desk, doc)]
        whole_too = request.query("attachments") != "0"
        lines = proof.evidence(desk.ledger, desk.directory, desk.settings, shown, doc=doc, attachments=whole_too)
        begun: Any = chain([next(lines)], lines)  # what is missing is said before the first byte
        headers = {"Content-Disposition": f'attachment; filename="{doc}.jsonl"'}
        return Response(begun, mimetype="application/jsonl", headers=headers, direct_passthrough=True)

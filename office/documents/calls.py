"""Documents for programs: /api/v1/docs and /api/v1/inbox."""

from __future__ import annotations

from office.documents import service
from office.documents.forms import whole
from office.frame.desk import Desk
from office.portal.page import Answer, Request, page


class DocumentsApi:
    """The same for programs: /api/v1/docs, /api/v1/inbox."""

    name = "documents.api"
    desk: Desk

    @page("POST", "/api/v1/docs", takes=service.Post)
    def send(self, request: Request) -> Answer:
        """Issue a document in one step; ``Idempotency-Key`` is its id, so that asking twice is asking once."""
        asked = request.read(service.Post)
        sent = service.post(self.desk, asked, doc=request.headers.get("Idempotency-Key", ""))
        body = {
            "doc": sent.doc,
            "ref": sent.ref,
            "number": sent.number or None,
            "recipients": sent.recipients,
            "ack": "local",
            "repeated": sent.repeated,
        }
        return Answer(body, status=200 if sent.repeated else 201, headers={"Location": f"/api/v1/docs/{sent.doc}"})

    @page("GET", "/api/v1/docs/<doc>")
    def doc(self, request: Request, doc: str) -> Answer:
        """A document with its text, attachments and receipts."""
        return Answer(service.doc_get(self.desk, doc))

    @page("GET", "/api/v1/inbox")
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

    @page("POST", "/api/v1/docs/<doc>/receipts", takes=service.Reply)
    def act(self, request: Request, doc: str) -> Answer:
        """Sign for, send back, read, hand on or finish a document that came in."""
        asked = request.read(service.Reply)
        key = request.headers.get("Idempotency-Key", asked.id)
        ref = service.receipt(self.desk, doc, asked.action, note=asked.note, key=key, organ=asked.organ, to=asked.to, reason=asked.reason)
        return Answer({"doc": doc, "ref": ref, "ack": "local"}, status=201)

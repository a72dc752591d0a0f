"""The printed sheet beside a draft that is being written: made by the press of what the form says, and kept nowhere."""

from __future__ import annotations

from base64 import b64encode

from node.errors import Missing
from office.documents import service
from office.documents.entries import Paper
from office.documents.model import Document
from office.documents.prints import paper
from office.documents.written import written
from office.frame import secrecy
from office.frame.desk import Desk
from office.portal.page import Answer, Request, page
from office.print.press import picture


class PreviewPages:
    """Drafts as they would be printed now."""

    name = "documents.preview"
    desk: Desk

    @page("POST", "/documents/preview")
    def begun(self, request: Request) -> Answer:
        """Pictures of the pages of a new draft."""
        return self._shown(written(self.desk, request, Paper("", "letter", "", "", ())).paper)

    @page("POST", "/documents/<doc>/preview")
    def revised(self, request: Request, doc: str) -> Answer:
        """Pictures of the pages of a draft as its form says it now."""
        document = self.desk.get(Document, doc)
        if "revise" not in service.moves(self.desk, document):
            raise Missing()
        return self._shown(written(self.desk, request, document.paper).paper)

    def _shown(self, said: Paper) -> Answer:
        if said.organ not in {organ.id for organ in service.issuers(self.desk)}:
            raise Missing()
        if secrecy.marked(f"{said.title}\n{said.text}"):
            raise secrecy.refusal()
        drawn = picture(paper(self.desk, service.preview(self.desk, said), across="草稿"))
        return Answer({"count": drawn.count, "pages": ["data:image/png;base64," + b64encode(one).decode() for one in drawn.pages]})

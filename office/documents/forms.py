"""What the forms of documents say, and files on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from werkzeug.wrappers import Response

from node.errors import Missing
from office.documents import service
from office.documents.entries import Annex
from office.frame.desk import Desk


def download(desk: Desk, annexes: Sequence[Annex], place: int) -> Response:
    """One of the attached files, as a file to be saved."""
    if place >= len(annexes):
        raise Missing()
    annex = annexes[place]
    body = service.open_annex(desk, annex)
    response = Response(body, mimetype="application/octet-stream", headers={"Content-Length": str(annex.size)})
    plain = annex.name.encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(annex.name, safe='')}"
    return response

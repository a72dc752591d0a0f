"""Large files over a thin line: an upload that goes on where it broke off (tus 1.0: create, ask how far, send the next bytes).

An upload belongs to the person who began it and is seen by nobody else. It waits, whole or not, for a day; a room that takes it stores it as an
attachment of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header
from werkzeug.wrappers import Response

from node import clock
from node.codec import uuid7
from node.errors import Conflict, Invalid, Missing, TooLarge
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.app import Portal
from office.portal.page import Request, page
from office.portal.server import Pieces

LARGEST, MANY, DAY = 1 << 30, 64, 86_400_000
"Bytes of one upload, uploads of one person at a time, milliseconds for which one waits."
TUS = {"Tus-Resumable": "1.0.0"}
_busy: set[str] = set()


def file_of(portal: Portal, id: str) -> Path:
    """Where an upload's bytes are."""
    return portal.settings.path("blobs", "partial", f"up-{id}")


def take(portal: Portal, person: str, sha: str) -> Path:
    """The file of a person's whole upload, for a room to store; :class:`Missing` when there is none."""
    row = portal.local.row("select id from uploads where person=? and sha=?", person, sha)
    if row is None:
        raise Missing(_("没有这个附件，或者还没有传完。"))
    return file_of(portal, row["id"])


@dataclass(frozen=True, kw_only=True)
class Given:
    """A file that came with a form."""

    name: str
    mime: str
    stream: BinaryIO


def given(request: Request, person: str, field: str = "files") -> list[Given]:
    """The files of a form: those in it, and those that went ahead as uploads of the person and are named in ``<field>_sent``."""
    here = [Given(name=f.filename, mime=f.mimetype, stream=cast(BinaryIO, f.stream)) for f in request.files.getlist(field) if f.filename]
    sent = list(dict.fromkeys(request.form.getlist(f"{field}_sent")))
    if len(here) + len(sent) > MANY:
        raise Invalid(_("一次最多 {n} 个文件。").format(n=MANY), code="too_many")
    return here + [_sent(request.portal, person, line) for line in sent]


def _sent(portal: Portal, person: str, line: str) -> Given:
    """``sha mime name``, as our own script writes it."""
    sha, _space, rest = line.partition(" ")
    mime, _space, name = rest.partition(" ")
    return Given(name=name, mime=mime, stream=take(portal, person, sha).open("rb"))


class UploadPages:
    """The interface for programs and for our own script."""

    name = "uploads"
    desk: Desk

    @page("POST", "/api/v1/blobs", headers={"Upload-Length": "bytes that will come"})
    def create(self, request: Request) -> Response:
        """Begin an upload of Upload-Length bytes; Location says where to send them."""
        given = request.headers.get("Upload-Length", "")
        if not given.isdigit():
            raise Invalid(_("缺少 Upload-Length。"), code="malformed")
        if int(given) > LARGEST:
            raise TooLarge(_("单个附件不能超过 1 GB。"))
        self._clear(request.portal)
        count = request.portal.local.row("select count(*) as n from uploads where person=?", self.desk.person)
        if count is not None and count["n"] >= MANY:
            raise TooLarge(_("未处理的附件太多，请先提交或者稍后再传。"), code="too_many")
        id = uuid7().replace("-", "") + secrets.token_hex(4)  # noqa: A001
        file_of(request.portal, id).touch(mode=0o600)
        request.portal.local.write("insert into uploads values(?,?,?,?,'')", id, self.desk.person, int(given), self._now)
        if not int(given):
            self._finish(request.portal, id)
        return Response(status=201, headers={"Location": f"/api/v1/blobs/{id}", "Upload-Offset": "0", **TUS})

    @page("PATCH", "/api/v1/blobs/<name>", upload=True, headers={"Upload-Offset": "where these bytes begin; what HEAD says"})
    def append(self, request: Request, name: str) -> Response:
        """Send the next bytes from Upload-Offset on; what arrived stays when the line breaks."""
        size, sha = self._own(request.portal, name)
        if name in _busy:
            raise Conflict(_("这个附件正在另一处上传。"), code="busy")
        _busy.add(name)
        try:
            at = self._receive(request, name, size)
        finally:
            _busy.discard(name)
        headers = {"Upload-Offset": str(at), **TUS}
        if at == size:
            headers["ETag"] = f'"{sha or self._finish(request.portal, name)}"'
        return Response(status=204, headers=headers)

    @page("GET", "/api/v1/blobs/<name>", headers={"Range": "bytes=…", "If-None-Match": "the ETag"})
    def read(self, request: Request, name: str) -> Response:
        """The bytes of one's own whole upload (Range, ETag), by its id or hash; HEAD says how far an upload has come."""
        name = self._id(request.portal, name)
        size, sha = self._own(request.portal, name)
        path = file_of(request.portal, name)
        headers = {"Upload-Offset": str(path.stat().st_size), "Upload-Length": str(size), **TUS} | ({"ETag": f'"{sha}"'} if sha else {})
        if request.method == "HEAD":
            return Response(status=200, headers=headers)
        if not sha:
            raise Missing(_("没有这个附件，或者还没有传完。"))
        return self._send(request, path, size, sha, headers)

    @page("DELETE", "/api/v1/blobs/<name>")
    def drop(self, request: Request, name: str) -> Response:
        """Give an upload up."""
        self._own(request.portal, name)
        self._remove(request.portal, name)
        return Response(status=204, headers=TUS)

    # --- inside

    @property
    def _now(self) -> int:
        return clock.to_ms(self.desk.now)

    def _own(self, portal: Portal, name: str) -> tuple[int, str]:
        row = portal.local.row("select size, sha from uploads where id=? and person=?", name, self.desk.person)
        if row is None or not file_of(portal, name).exists():
            raise Missing()
        return row["size"], row["sha"]

    def _id(self, portal: Portal, name: str) -> str:
        row = portal.local.row("select id from uploads where sha=? and sha<>'' and person=?", name, self.desk.person)
        return str(row["id"]) if row else name

    def _receive(self, request: Request, name: str, size: int) -> int:
        path = file_of(request.portal, name)
        at = path.stat().st_size
        if request.headers.get("Upload-Offset") != str(at):
            raise Conflict(_("续传位置不对。"), code="offset", offset=at)
        with path.open("ab") as file, contextlib.suppress(OSError):  # a broken line: what came is kept
            while data := request.stream.read(64 * 1024):
                if at + len(data) > size:
                    raise TooLarge(_("内容比声明的长。"))
                file.write(data)
                at += len(data)
        return path.stat().st_size

    def _finish(self, portal: Portal, name: str) -> str:
        sha = portal.office.aside(lambda: _hash(file_of(portal, name)))
        portal.local.write("update uploads set sha=? where id=?", sha, name)
        return sha

    def _send(self, request: Request, path: Path, size: int, sha: str, headers: dict[str, str]) -> Response:
        if sha in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers=headers)
        found = parse_range_header(request.headers.get("Range"))
        asked = found.range_for_length(size) if found is not None else None
        if found is not None and asked is None:
            raise RequestedRangeNotSatisfiable(size)
        start, stop = asked or (0, size)
        file = path.open("rb")
        file.seek(start)
        more = {"Content-Length": str(stop - start), "Accept-Ranges": "bytes", "Content-Disposition": "attachment"}
        more |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}"} if asked else {}
        body = Pieces(file, most=stop - start)
        return Response(body, status=206 if asked else 200, headers=headers | more, mimetype="application/octet-stream", direct_passthrough=True)

    def _clear(self, portal: Portal) -> None:
        for row in portal.local.rows("select id from uploads where at<?", self._now - DAY):
            self._remove(portal, row["id"])

    def _remove(self, portal: Portal, name: str) -> None:
        portal.local.write("delete from uploads where id=?", name)
        file_of(portal, name).unlink(missing_ok=True)


def _hash(path: Path) -> str:
    h = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            h.update(data)
    return h.hexdigest()


PAGES = (UploadPages,)

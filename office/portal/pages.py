"""Pages that every portal has: signing in and out, health, trust, the live stream, the API's description."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import msgspec
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from node import certs, clock, health
from node.directory.entries import Organ
from node.directory.view import Directory, Found
from node.errors import Invalid, Missing, NodeError, Refused, Unreachable
from node.persons import Door
from office.frame import secrecy
from office.frame.desk import Desk
from office.frame.trail import Did
from office.frame.words import LANGUAGES, _
from office.portal import downloads, guides, install, lines, openapi
from office.portal.guard import Locked
from office.portal.pace import network
from office.portal.page import Answer, Request, Screen, See, page, see_other, whole
from office.portal.session import Session

ADMINISTRATORS = frozenset(("sysadmin", "secadmin", "auditor"))


class Entering(msgspec.Struct):
    """Signing in by password."""

    login: str
    password: str
    next: str = "/"


class Proving(msgspec.Struct):
    """Signing in by one's own key: the signature, in base64, of ``yiwang.sign.session.1\\0`` and the packed (node, user, nonce)."""

    user: str
    nonce: str
    signature: str


class Changing(msgspec.Struct):
    """A new password."""

    old: str
    new: str
    again: str


class Typed(msgspec.Struct):
    """What somebody is typing into a form, as its own script packs it."""

    content: str


class DoorPages:
    """Signing in and out."""

    name = "door"
    desk: Desk

    @page("GET", "/signin", public=True)
    def signin(self, request: Request) -> Screen | See:
        """The door of this node."""
        if request.session is not None:
            return see_other(_local(request.query("next")))
        return self._door(request)

    def _door(self, request: Request, *, login: str = "", wrong: str = "", status: int = 200) -> Screen:
        onward = _local(request.query("next") or request.text("next"))
        return Screen("portal/signin.html", status=status, login=login, wrong=wrong, onward=onward, ready=self.desk is not None)

    @page("POST", "/signin", public=True, takes=Entering)
    def enter(self, request: Request) -> Response | Screen:
        """Open the person's key with the password and begin a session."""
        given = request.read(Entering)
        sessions = request.portal.sessions
        try:
            person, door = _enter(request, given)
            value = sessions.open(person, door)
        except Refused as e:
            if request.wants_json:
                raise
            return self._door(request, login=given.login, wrong=str(e.message), status=e.http)
        onward = "/me/password" if door.first else _local(given.next)
        return _with_cookie(request, _onward(request, onward, person), value)

    @page("GET", "/forgotten", public=True)
    def forgotten(self, request: Request) -> Screen:
        """Whom to ask when the password is lost."""
        keepers = self._keepers(self.desk.directory) if self.desk is not None else []
        return Screen("portal/forgotten.html", keepers=keepers, json={"administrators": [f.person.name for _o, f in keepers]})

    def _keepers(self, directory: Directory) -> list[tuple[Organ, Found]]:
        """The administrators of this node's organs."""
        people = ((organ, f) for organ in directory.organs_at(directory.here) for f in directory.people_of(organ.id))
        return [(organ, f) for organ, f in people if any("sysadmin" in h.roles for h in f.holdings)]

    @page("POST", "/signout")
    def signout(self, request: Request) -> Response:
        """End this session."""
        _event(request, Did.SIGNED_OUT, person=_session(request).person)
        request.portal.sessions.close(_session(request))
        return _with_cookie(request, _onward(request, "/signin", ""), "")

    @page("GET", "/me/password")
    def password(self, request: Request) -> Screen:
        """Choose a new password."""
        return Screen("portal/password.html", wrong="", json={"first": _session(request).first})

    @page("POST", "/me/password", takes=Changing)
    def change(self, request: Request) -> Response | Screen:
        """Seal the key under a new password; all sessions end and a new one begins."""
        given, sessions, session = request.read(Changing), request.portal.sessions, _session(request)
        try:
            if given.new != given.again:
                raise Invalid(_("两次输入的新口令不一样。"), code="differ")
            door = sessions.change(self.desk, given.old, given.new, request.remote_addr or "")
        except (Refused, Unreachable) as e:
            if request.wants_json:
                raise
            return Screen("portal/password.html", wrong=_why(e), status=e.http)
        _event(request, Did.PASSWORD, person=session.person)
        return _with_cookie(request, _onward(request, "/", session.person), sessions.open(session.person, door))

    @page("GET", "/language/<tongue>", public=True, json=False)
    def language(self, request: Request, tongue: str) -> Response:
        """Change the language of all pages, in this browser."""
        if tongue not in LANGUAGES:
            raise Missing()
        response = Response(status=303, headers={"Location": _local(request.query("next"))})
        name = f"{request.portal.sessions.cookie}-lang"
        response.set_cookie(name, tongue, max_age=365 * 86400, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    @page("GET", "/api/v1/session", public=True)
    def challenge(self, request: Request) -> Answer:
        """A challenge to sign with one's own key; also who is signed in, and the token for unsafe requests."""
        session = request.session
        who = {"person": session.person, "signs": session.signs, "csrf": request.csrf} if session else {"person": None}
        return Answer({"nonce": request.portal.sessions.nonce(), "node": request.portal.settings.id} | who)

    @page("POST", "/api/v1/session", public=True, takes=Proving)
    def prove(self, request: Request) -> Response:
        """Begin a session with the signature of a challenge, or with a name and password."""
        sessions = request.portal.sessions
        if "password" in request.given:
            given = request.read(Entering)
            person, door = _enter(request, given)
            return _with_cookie(request, _onward(request, "/", person), sessions.open(person, door))
        proof = request.read(Proving)
        try:
            signature = base64.b64decode(proof.signature, validate=True)
        except ValueError:
            raise Invalid(_("签名应为 base64。"), code="malformed") from None
        with _attempt(request, proof.user):
            person, fingerprint = sessions.answer(proof.user, proof.nonce, signature, request.remote_addr or "")
        _event(request, Did.SIGNED_IN, person=person)
        return _with_cookie(request, _onward(request, "/", person), sessions.open(person, None, own=fingerprint))

    @page("DELETE", "/api/v1/session")
    def leave(self, request: Request) -> Response:
        """End this session."""
        _event(request, Did.SIGNED_OUT, person=_session(request).person)
        request.portal.sessions.close(_session(request))
        return _with_cookie(request, Response(status=204), "")


class HousePages:
    """Health, trust, live stream, drafts, the API's own description."""

    name = "house"
    desk: Desk

    @page("GET", "/healthz", public=True)
    def healthz(self, request: Request) -> Answer:
        """This process answers."""
        return Answer({"ok": True})

    @page("GET", "/readyz", public=True)
    def readyz(self, request: Request) -> Answer:
        """Whether people can work: the ledger answers and the tables are there."""
        reasons = [] if self.desk is not None else ["tables_building"]
        try:
            state = str(request.portal.office.ledger.status().get("state", "ready"))
            reasons += [] if state == "ready" else [state]
        except NodeError as e:
            reasons.append(f"ledger_{e.code}")
        return Answer({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200, headers={"Retry-After": "2"} if reasons else {})

    @page("GET", "/metrics", public=True, json=False)
    def metrics(self, request: Request) -> Response:
        """Counters for Prometheus; from this machine or for administrators only."""
        admin = self.desk is not None and bool(self.desk.roles & ADMINISTRATORS)
        if request.remote_addr not in ("127.0.0.1", "::1") and not admin:
            raise Forbidden()
        portal = request.portal
        rows = ["# TYPE yiwang_portal_requests_total counter"]
        for (method, status), count in sorted(portal.counts.items()):
            rows.append(f'yiwang_portal_requests_total{{method="{method}",status="{status}"}} {count}')
        rows += ["# TYPE yiwang_portal_streams gauge", f"yiwang_portal_streams {portal.live.streams}"]
        rows += ["# TYPE yiwang_portal_open_files gauge", f"yiwang_portal_open_files {len(os.listdir('/proc/self/fd'))}"]  # noqa: PTH208
        rows += ["# TYPE yiwang_reactions_failed gauge"]
        rows += [f'yiwang_reactions_failed{{reaction="{row["name"]}"}} {row["count"]}' for row in portal.local.failures()]
        return Response("\n".join(rows) + "\n", mimetype="text/plain")

    @page("GET", "/openapi.json", public=True)
    def openapi(self, request: Request) -> Answer:
        """The description of every address of this portal (OpenAPI 3.1)."""
        return Answer(openapi.describe(request.portal.routes, request.portal.sessions.cookie))

    @page("GET", "/api/v1/status")
    def status(self, request: Request) -> Answer:
        """What the node says of itself, as ``yiwang status`` answers; for administrators."""
        if not self.desk.roles & ADMINISTRATORS:
            raise Refused(_("只有管理员可以查看节点状态。"), code="not_yours")
        return Answer({"v": 1} | health.collect(request.portal.settings, context=request.portal.office.context))

    @page(
        "GET",
        "/api/v1/events",
        headers={"Last-Event-ID": "id of the last event that was heard"},
        query={"age": "milliseconds since what is shown was asked for: an event follows at once if something has come since"},
    )
    def events(self, request: Request) -> Response:
        """Server-sent events ``entries``, ``urgent``, ``deadline`` and ``lines``; resumable by Last-Event-ID."""
        last = request.headers.get("Last-Event-ID", "")
        session, sessions = _session(request), request.portal.sessions
        since = int(last) if last.isdigit() and len(last) < 18 else None
        age = whole(request.query("age"), digits=9) / 1000
        stream = request.portal.live.stream(session.person, since, lambda: sessions.lives(session), age=age)
        if stream is None:
            raise Unreachable(_("打开的页面太多，实时提醒暂不可用。"))
        request.environ["eventlet.minimum_write_chunk_size"] = 1  # else events wait until there are 4 KB of them
        return Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"}, direct_passthrough=True)

    @page("GET", "/api/v1/lines")
    def lines(self, request: Request) -> Answer:
        """The lines to the neighbours, as the corner of each page shows them."""
        found = lines.read(request.portal.settings)
        return Answer({"courier": found.courier, "lines": found.lines, "waiting": found.waiting})

    @page("GET", "/trust", public=True)
    def trust(self, request: Request) -> Screen:
        """How to make a browser trust this city's network."""
        root = certs.load(request.portal.settings.path("certs", "root.pem").read_bytes())
        printed = hashlib.sha256(certs.der(root)).hexdigest().upper()
        groups = [":".join(printed[i : i + 2] for i in range(j, j + 32, 2)) for j in (0, 32)]
        about = {"name": certs.subject(root).name, "fingerprint": ":".join(groups), "until": root.not_valid_after_utc}
        return Screen("portal/trust.html", root=about, groups=groups, json=about)

    @page("GET", "/trust/root.pem", public=True, json=False)
    def root(self, request: Request) -> Response:
        """The city's root certificate."""
        headers = {"Content-Disposition": 'attachment; filename="yiwang-root.pem"'}
        return Response(request.portal.settings.path("certs", "root.pem").read_bytes(), mimetype="application/x-pem-file", headers=headers)

    @page("GET", "/manifest.webmanifest", public=True, json=False)
    def manifest(self, request: Request) -> Response:
        """How the portal is installed as a program of its own (W3C web app manifest)."""
        about = install.manifest(request.portal.settings, request.portal.screens.static)
        return Response(json.dumps(about, ensure_ascii=False), mimetype="application/manifest+json")

    @page("GET", "/worker.js", public=True, json=False)
    def worker(self, request: Request) -> Response:
        """The service worker, which shows a page of its own while the node cannot be reached."""
        return Response(install.worker(request.portal.screens.static), mimetype="text/javascript")

    @page("GET", "/offline", public=True)
    def offline(self, request: Request) -> Screen:
        """What a browser keeps for the time when the node cannot be reached."""
        return Screen("portal/offline.html", json={})

    @page("GET", "/help", public=True)
    def help(self, request: Request) -> Screen:
        """Keys, words and whom to ask."""
        return Screen("portal/help.html", json={})

    @page("GET", "/help/<role>")
    def guide(self, request: Request, role: str) -> Screen:
        """A first day: clerk, leader or administrator."""
        found = guides.GUIDES.get(role)
        if found is None:
            raise Missing()
        others = [(name, guide) for name, guide in guides.GUIDES.items() if name != role]
        return Screen("portal/guide.html", guide=found, others=others, json={"title": found.title, "steps": found.steps})

    @page("GET", "/downloads")
    def downloads(self, request: Request) -> Screen:
        """What is fetched from this node: the city's root, the verifier, the address book."""
        files = downloads.offered(request.portal.settings)
        return Screen("portal/downloads.html", files=files, json={"files": files})

    @page("GET", "/downloads/yiwang-verify.py", json=False)
    def verifier(self, request: Request) -> Response:
        """The stand-alone verifier."""
        headers = {"Content-Disposition": 'attachment; filename="yiwang-verify.py"'}
        return Response(downloads.VERIFIER.read_bytes(), mimetype="text/x-python", headers=headers)

    @page("GET", "/api/v1/drafts/<path:name>")
    def kept(self, request: Request, name: str) -> Answer:
        """What was typed into a form and not sent; null where nothing is kept."""
        found = request.portal.local.kept(self.desk.person, name[:200])
        return Answer({"content": found[0], "at": found[1]} if found else None)

    @page("PUT", "/api/v1/drafts/<path:name>", takes=Typed)
    def keep(self, request: Request, name: str) -> Answer:
        """Keep what is being typed; not even here what bears the mark of a state secret."""
        given = request.read(Typed)
        secrecy.gate(given.content)
        request.portal.local.keep(self.desk.person, name[:200], given.content[:200_000], clock.to_ms(self.desk.now))
        return Answer({"ok": True})

    @page("DELETE", "/api/v1/drafts/<path:name>")
    def drop(self, request: Request, name: str) -> Answer:
        """Forget what was typed."""
        request.portal.local.drop(self.desk.person, name[:200])
        return Answer({"ok": True})


PAGES = (DoorPages, HousePages)


def _session(request: Request) -> Session:
    if request.session is None:
        raise Missing()
    return request.session


def _enter(request: Request, given: Entering) -> tuple[str, Door]:
    """Open the door with a password, and say so in the audit trail before anybody is let in."""
    with _attempt(request, given.login):
        person, door = request.portal.sessions.enter(given.login, given.password, request.remote_addr or "")
    _event(request, Did.SIGNED_IN, person=person)
    return person, door


@contextmanager
def _attempt(request: Request, name: str) -> Iterator[None]:
    """One try at the door: what fails is told in the audit trail, and who fails too often from one machine waits before the next."""
    address = request.remote_addr or ""
    wait = request.portal.sessions.pace.late(address)
    if wait:
        request.portal.trail.once(Did.LOCKED, object=request.path, address=address)
        request.portal.sessions.noticed.saw("flood", network(address))
        raise Locked(_("这台电脑登录出错太多，请稍候再试。"), wait=wait)
    request.portal.sessions.pace.spend(address)
    try:
        yield
    except Refused as e:
        _failed(request, e, name)
        raise
    request.portal.sessions.pace.give_back(address)


def _event(request: Request, did: Did, *, person: str = "", name: str = "") -> None:
    request.portal.trail.write(did, person=person, name=name, object=request.path, address=request.remote_addr or "")


def _failed(request: Request, error: Refused, name: str) -> None:
    """A door that stayed shut: each wrong password, and once an hour that it was tried while locked."""
    trail, about = request.portal.trail, {"name": name, "object": request.path, "address": request.remote_addr or ""}
    if error.code == "locked":
        trail.once(Did.LOCKED, **about)
    else:
        trail.note(Did.WRONG, **about)


def _local(url: str) -> str:
    """An address on this node; anything else is the first page."""
    parts = urlsplit(url)
    plain = url.startswith("/") and not url.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return url if plain and url.isprintable() and not url.startswith(("/signin", "/signout")) else "/"


def _onward(request: Request, url: str, person: str) -> Response:
    if request.wants_json:
        return Response(msgspec.json.encode({"ok": True, "person": person, "location": url}), mimetype="application/json")
    return Response(status=303, headers={"Location": url})


def _with_cookie(request: Request, response: Response, value: str) -> Response:
    """The response that sets the session's cookie, or takes it away; for programs with the token that goes with it."""
    sessions = request.portal.sessions
    if value:
        response.set_cookie(sessions.cookie, value, path="/", secure=True, httponly=True, samesite="Strict")
        if response.mimetype == "application/json":
            found = msgspec.json.decode(response.get_data())
            response.set_data(msgspec.json.encode(found | {"csrf": sessions.csrf(value)}))
    else:
        response.delete_cookie(sessions.cookie, path="/", secure=True, httponly=True, samesite="Strict")
        response.headers["Clear-Site-Data"] = '"cache"'
    request.fresh_cookie = ""
    return response


def _why(error: NodeError) -> str:
    from office.portal.app import PLAIN

    said = str(error.message)
    return said if any(letter >= "\u4e00" for letter in said) else str(PLAIN.get(error.code, said))

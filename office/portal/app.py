"""In front of every page: route, session, language, token and origin; behind it: the screen, its twin, or what went wrong.

The order is fixed. A stranger is turned away before a byte of a body is read; a body is read by the connection's own greenlet before a
worker is taken, so slow senders hold no worker; the token is checked before the page is called.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import eventlet
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import MapAdapter, RequestRedirect
from werkzeug.wrappers import Response

from node import logs
from node.errors import Invalid, Missing, NodeError, Refused, TooLarge
from office.frame import words
from office.frame.desk import Desk
from office.frame.local import Local
from office.frame.office import Office
from office.frame.signs import Signs
from office.frame.trail import PERIOD, Did, Trail
from office.frame.words import _
from office.portal import lines
from office.portal.live import Live
from office.portal.page import Answer, Item, Request, Route, Screen, See, plain
from office.portal.screen import Screens
from office.portal.server import Body, Pieces, pairs
from office.portal.session import Session, Sessions

SAFE = ("GET", "HEAD", "OPTIONS")
UPLOAD, SMALL = 1 << 30, 64 * 1024
"Bytes of one request that brings files, and of a body that is read although nobody wants it."
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
DEVICES = ("camera", "microphone", "display-capture", "geolocation")
"What a page may ask a browser for only if its screen says so."
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", ", ".join(f"{device}=()" for device in DEVICES)),
    ("Cache-Control", "no-store"),
)
FRAME = frozenset(("request", "desk", "settings", "csrf", "tongue", "now", "menu", "lines", "node_name", "must_change", "said"))
"What the base template takes on every page: no screen may give these names to something else."
log = logs.named("portal")


class SignedOut(Refused):
    """Nobody is signed in here."""

    code, http = "signed_out", 401


class Forgery(Refused):
    """A post that did not come from our own page."""

    code, http = "forgery", 403


class Portal:
    """What the portal has once, shared by the application, its pages and its service."""

    def __init__(self, office: Office, menu: Iterable[Item], routes: list[Route]) -> None:
        self.office, self.settings = office, office.settings
        self.local = Local(office.settings)
        self.sessions = Sessions(office, self.local)
        self.screens = Screens()
        self.trail = Trail(office)
        self.live = Live(office.settings, self.local, office.memo)
        self.signs: Signs | None = None
        "Who types and who is there; none where nobody listens."
        self.menu, self.routes = tuple(menu), routes
        self.counts: dict[tuple[str, int], int] = {}
        self.begun = time.monotonic()

    def keep_trail(self) -> None:
        """Write the events that wait, again and again; what is in the way is waited out."""
        while True:
            eventlet.sleep(PERIOD)
            with contextlib.suppress(NodeError):
                self.trail.flush()


class App:
    """The WSGI application."""

    def __init__(self, server: Any, portal: Portal) -> None:
        self.portal, self.urls = portal, server.make_url_map()
        self.urls.strict_slashes, self.urls.merge_slashes = False, False
        self._secret = secrets.token_bytes(32)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request; nothing escapes."""
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True  # else a body without a length is silently taken as empty
        environ["wsgi.input"], environ["wsgi.file_wrapper"] = Body(environ["wsgi.input"]), Pieces
        request = Request(environ)
        request.portal = self.portal
        response = self._safely(request)
        self._dismiss(request)
        response.headers.extend(pairs(response.headers, *HEADERS)[len(response.headers) :])
        key = (request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other", response.status_code)
        self.portal.counts[key] = self.portal.counts.get(key, 0) + 1
        return response(environ, start_response)

    def _dismiss(self, request: Request) -> None:
        """Deal with a body that no page wanted: a small one is read, so that the connection may go on; a large one ends it."""
        environ = request.environ
        if "yiwang.read" in environ or not (request.content_length or environ.get("wsgi.input_terminated")):
            return
        try:
            left = request.content_length if request.content_length is not None else SMALL + 1
            while 0 < left <= SMALL and (data := environ["wsgi.input"].read(left)):
                left -= len(data)
        except OSError:
            left = SMALL + 1
        if left:
            environ["yiwang.hang_up"]()

    def _safely(self, request: Request) -> Response:
        request.language = self._language(request)
        with words.speaking(request.language):
            try:
                return self._doorstep(request) or self.portal.screens.serve(request) or self._answer(request)
            except (NodeError, HTTPException) as e:
                return self._refusal(request, e)
            except Exception as e:
                reference = secrets.token_hex(4)
                log.error("page.failed", trace=True, reference=reference, error=type(e).__name__, path=request.path)
                return self._problem(request, 500, "error", str(_("系统出错了，这不是您的问题。")), reference=reference)

    # --- before the page

    def _doorstep(self, request: Request) -> Response | None:
        """Without TLS there is only the page that says how to trust the city's root, before a browser first warns."""
        if "yiwang.plain" not in request.environ or request.path == "/trust" or request.path.startswith(("/trust/", "/static/", "/favicon")):
            return None
        return Response(status=302, headers={"Location": "/trust", "Cache-Control": "no-store"})

    def _answer(self, request: Request) -> Response:
        provider, values = self._match(request)
        route: Route = provider.route
        request.route = route
        request.max_content_length = UPLOAD if route.upload else (1 << 20)
        request.session = self._session(request)
        request.csrf = self.portal.sessions.csrf(self._cookie(request))
        if not route.public:
            self._admit(request, route)
        desk = self._desk(request, route)
        if request.method not in SAFE:
            self._check_origin(request)
            self._read(request, route)
            self._check_token(request, route)
        request.desk = desk
        if values and request.session is not None and request.method in SAFE:
            self.portal.trail.once(Did.LOOKED, person=request.session.person, object=request.path, address=request.remote_addr or "")
        if route.keep and desk is not None and desk.person and self._note_name not in request.cookies:
            return self._kept(request, desk, lambda: provider.call(request, values, desk))
        return self._render(request, desk, provider.call(request, values, desk))

    def _kept(self, request: Request, desk: Desk, call: Callable[[], Any]) -> Response:
        """A screen as it was made before for this session, if nothing it is made of has changed."""
        frame, program = self.frame(request, desk), request.wants_json
        counts = tuple(item["count"] for item in frame["menu"])
        name = ("page", request.csrf, request.language, request.full_path, program, frame["lines"], counts)
        body = desk.known(name, lambda: self._render(request, desk, call(), frame).get_data())
        return Response(body, mimetype="application/json" if program else "text/html")

    def _match(self, request: Request) -> tuple[Any, dict[str, Any]]:
        adapter: MapAdapter = self.urls.bind_to_environ(request.environ)
        plain = request.path.removesuffix(".json")
        try:
            if plain == request.path or self._is_file(adapter):
                return adapter.match()  # type: ignore[return-value]
            request.environ["yiwang.twin"] = True
            return adapter.match(path_info=plain)  # type: ignore[return-value]
        except RequestRedirect:
            raise NotFound() from None

    def _is_file(self, adapter: MapAdapter) -> bool:
        """Whether a route has this very name, such as ``/openapi.json``; a part of a path that may be anything would swallow a twin."""
        try:
            return not adapter.match()[1]
        except (NotFound, MethodNotAllowed, RequestRedirect):
            return False

    def _cookie(self, request: Request) -> str:
        found = request.cookies.get(self.portal.sessions.cookie, "")
        if not found:
            found = request.fresh_cookie = self.portal.sessions.stranger()
        return found

    def _session(self, request: Request) -> Session | None:
        value = request.cookies.get(self.portal.sessions.cookie, "")
        if not value or value.startswith("a."):
            return None
        try:
            self.portal.office.directory.refresh()
        except Missing:
            return None
        return self.portal.sessions.find(value)

    def _admit(self, request: Request, route: Route) -> None:
        if request.session is None:
            raise SignedOut(_("请先登录。"))
        if request.session.first and not route.path.startswith(("/me/password", "/signout", "/language")):
            raise SignedOut(_("首次登录请先修改口令。"), code="first_password")

    def _desk(self, request: Request, route: Route) -> Desk | None:
        session: Session | None = request.session
        try:
            if session is None:
                return Desk(self.portal.office, tracks=False)
            door = session.door if session.signs else None
            away = self.portal.sessions.away(session, request.headers.get("Yiwang-Signed", "")) if request.method not in SAFE else None
            return Desk(self.portal.office, person=session.person, door=door, away=away, tracks=request.method not in SAFE, fresh=False)
        except Missing:
            if route.public:
                return None
            raise

    def _check_origin(self, request: Request) -> None:
        """Fetch metadata where the browser sends it, and the origin (or the referrer) where it sends one."""
        site = request.headers.get("Sec-Fetch-Site", "none")
        origin = request.headers.get("Origin") or request.headers.get("Referer", "")
        foreign = bool(origin) and urlsplit(origin).netloc != request.host
        if site not in ("same-origin", "none") or foreign:
            raise Forgery(_("这个请求不是从本系统的页面发出的。请回到本系统的页面重新操作。"))

    def _check_token(self, request: Request, route: Route) -> None:
        if route.path == "/api/v1/session" and request.method == "POST":
            return  # the challenge is the token
        given = request.headers.get("X-CSRF-Token", "")
        if not given and request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            given = request.form.get("csrf", "")
        if not hmac.compare_digest(given.encode(), request.csrf.encode()):
            raise Forgery(_("页面已过期，请刷新页面后再提交。"))

    def _read(self, request: Request, route: Route) -> None:
        """Read the body here, where a slow sender holds up only itself; files go to disk as they come."""
        if route.upload and request.mimetype not in ("application/x-www-form-urlencoded", "multipart/form-data", "application/json"):
            request.environ["yiwang.read"] = True
            return  # a raw stream, which the page reads
        request.spool = self.portal.settings.path("blobs", "partial")
        if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            request.form.get("csrf")
        else:
            request.get_data(cache=True)
        request.environ["yiwang.read"] = True

    def _language(self, request: Request) -> str:
        chosen = request.cookies.get(f"{self.portal.sessions.cookie}-lang", "")
        return chosen if chosen in words.LANGUAGES else words.prefer(request.accept_languages.values(), self.portal.settings.language)

    # --- after the page

    def _render(self, request: Request, desk: Desk | None, result: Any, frame: dict[str, Any] | None = None) -> Response:
        if isinstance(result, Response):
            if result.headers.get("Content-Disposition", "").startswith("attachment"):
                self._noted(request, Did.TOOK)
            return self._cookies(request, result)
        if isinstance(result, See):
            return self._see(request, result)
        if isinstance(result, Answer):
            return self._cookies(request, self._json(result.data, result.status, result.headers))
        if not isinstance(result, Screen):
            raise TypeError(f"{request.route.name} returned {type(result).__name__}")
        if request.wants_json:
            if not request.route.json:
                raise NotFound()
            data = result.json if result.json is not None else result.values
            return self._cookies(request, self._json(data() if callable(data) else data, result.status, {}))
        note = self._note(request)
        around = {**(frame or self.frame(request, desk)), "said": note}
        if taken := around.keys() & result.values.keys():
            raise TypeError(
                f"{result.template}: the frame of each page has {', '.join(sorted(taken))} already; the screen's value needs another name"
            )
        html = self.portal.screens.render(result.template, around | result.values)
        response = Response(html, status=result.status, mimetype="text/html")
        if result.allow:
            granted = (f"{device}=({'self' if device in result.allow else ''})" for device in DEVICES)
            response.headers["Permissions-Policy"] = ", ".join(granted)
        if note:
            response.delete_cookie(self._note_name, path="/", secure=True, httponly=True)
        return self._cookies(request, response)

    def frame(self, request: Request, desk: Desk | None) -> dict[str, Any]:
        """What the base template needs on every page."""
        person = desk if desk is not None and desk.person else None
        settings = self.portal.settings
        return {
            "request": request,
            "desk": person,
            "settings": settings,
            "csrf": request.csrf,
            "tongue": request.language,
            "now": desk.now if desk is not None else None,
            "menu": [self._line(item, person) for item in self.portal.menu if item.shown is None or item.shown(person)] if person else (),
            "lines": lines.read(settings),
            "node_name": self._node_name(desk),
            "person": lambda one: self._named(desk, "person", one, "name"),
            "organ": lambda one: self._named(desk, "organ", one, "short_name"),
            "must_change": bool(request.session and request.session.first),
        }

    def _line(self, item: Item, desk: Desk) -> dict[str, Any]:
        try:
            count = desk.known(("menu", item.url), partial(item.count, desk)) if item.count is not None else 0
        except Missing:  # the room's tables are being built
            count = 0
        return {"url": item.url, "label": item.label, "icon": item.icon, "count": count}

    def _named(self, desk: Desk | None, what: str, id: str, name: str) -> str:
        found = getattr(desk.directory, what)(id) if desk is not None and id else None
        return str(getattr(found, name)) if found is not None else id

    def _node_name(self, desk: Desk | None) -> Callable[[str], str]:
        def named(id: str) -> str:
            found = desk.directory.node(id) if desk is not None else None
            return found.name if found is not None else id[:8]

        return named

    def _see(self, request: Request, result: See) -> Response:
        draft = request.form.get("_draft", "") if request.mimetype != "application/json" else ""
        if draft and request.session is not None:
            self.portal.local.drop(request.session.person, draft[:200])
        if request.wants_json:
            return self._cookies(request, self._json({"ok": True, "location": result.url, "note": str(result.note), **result.data}, 200, {}))
        response = Response(status=303, headers={"Location": quote(result.url, safe="/:?#[]@!$&'()*+,;=%~-._")})
        if result.note:
            text = json.dumps(str(result.note))
            value = quote(text) + "." + self._stamp(text)
            response.set_cookie(self._note_name, value, max_age=60, path="/", secure=True, httponly=True, samesite="Strict")
        return self._cookies(request, response)

    @property
    def _note_name(self) -> str:
        return f"{self.portal.sessions.cookie}-note"

    def _note(self, request: Request) -> str:
        text, _dot, stamp = request.cookies.get(self._note_name, "").rpartition(".")
        text = unquote(text)
        return json.loads(text) if text and hmac.compare_digest(stamp.encode(), self._stamp(text).encode()) else ""

    def _stamp(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), "sha256").hex()[:24]

    def _json(self, data: Any, status: int, headers: dict[str, str]) -> Response:
        return Response(json.dumps(plain(data), ensure_ascii=False), status=status, headers=headers, mimetype="application/json")

    def _cookies(self, request: Request, response: Response) -> Response:
        fresh = getattr(request, "fresh_cookie", "")
        if fresh:
            response.set_cookie(self.portal.sessions.cookie, fresh, path="/", secure=True, httponly=True, samesite="Strict")
        return response

    def _known(self, request: Request) -> Desk | None:
        """The desk of whoever asked for something that was refused before there was one, so that every refusal looks the same."""
        if not hasattr(request, "session"):
            request.session, request.csrf = None, self.portal.sessions.csrf(self._cookie(request))
            with contextlib.suppress(NodeError):
                request.session = self._session(request)
        if request.session is None:
            return None
        with contextlib.suppress(NodeError):
            return Desk(self.portal.office, person=request.session.person, tracks=False, fresh=False)
        return None

    # --- what went wrong

    def _noted(self, request: Request, did: Did) -> None:
        """Write an event of a request before it is answered."""
        session = request.session
        self.portal.trail.write(did, person=session.person if session else "", object=request.path, address=request.remote_addr or "")

    def _refusal(self, request: Request, error: NodeError | HTTPException) -> Response:
        session: Session | None = getattr(request, "session", None)
        if isinstance(error, Refused) and error.http == 403 and session is not None:
            with contextlib.suppress(NodeError):  # who is refused is refused, whether or not it can be noted
                self.portal.trail.once(Did.REFUSED, person=session.person, object=request.path, address=request.remote_addr or "")
        if isinstance(error, NodeError) and error.code == "label_refused" and session is not None:
            self.portal.sessions.noticed.saw(error.code, session.person)
        if isinstance(error, (SignedOut,)) and not request.wants_json and request.method in SAFE:
            onward = "/me/password" if error.code == "first_password" else "/signin?next=" + quote(request.full_path.rstrip("?"), safe="")
            return self._cookies(request, Response(status=303, headers={"Location": onward}))
        if isinstance(error, NodeError):
            return self._problem(request, error.http, error.code, self._sentence(error), error=error)
        if isinstance(error, RequestEntityTooLarge):
            return self._problem(request, 413, TooLarge.code, str(_("内容太大，超过了这里允许的大小。请把大文件作为附件上传，单个附件不超过 1 GB。")))
        if isinstance(error, MethodNotAllowed) and request.method == "GET" and not request.wants_json:
            # The page of a form that was refused, read again or in the other language: its address takes forms only, so back to where it stood.
            return Response(status=303, headers={"Location": quote(request.path.rpartition("/")[0] or "/")})
        if isinstance(error, MethodNotAllowed):
            response = self._problem(request, 405, "method", str(_("这个地址不接受这样的请求。")))
            response.headers["Allow"] = ", ".join(error.valid_methods or ())
            return response
        if error.code == 404 or error.code is None:
            return self._problem(request, 404, Missing.code, str(_("没有这件事项，或者您无权查看。")))
        return self._problem(request, error.code, Invalid.code, str(_("请求不完整或者格式不对。")))

    def _sentence(self, error: NodeError) -> str:
        """The message; one that was written for operators gets a sentence for people before it."""
        said = str(error.message)
        if any("\u4e00" <= letter <= "\u9fff" for letter in str.__str__(error.message)) or isinstance(error.message, words.Text):
            return said
        return str(PLAIN.get(error.code, PLAIN_BY_STATUS.get(error.http, _("这一步没有办成。"))))

    def _problem(self, request: Request, status: int, code: str, detail: str, *, reference: str = "", error: NodeError | None = None) -> Response:
        headers = {"Retry-After": str(max(1, int(error.about.get("wait", 5)))) if error else "5"} if status in (429, 503) else {}  # type: ignore[call-overload]
        if request.wants_json:
            data = {"type": "about:blank", "title": detail, "status": status, "code": code, "detail": detail, "instance": request.path}
            if error is not None:
                data |= {"retry": error.retry, "hint": str(error.hint)} | {k: plain(v) for k, v in error.about.items()}
            response = self._json(data | ({"reference": reference} if reference else {}), status, headers)
            response.mimetype = "application/problem+json"
            return response
        desk = getattr(request, "desk", None)
        if desk is None:
            desk = self._known(request)
        back = urlsplit(request.headers.get("Referer", ""))
        values = {"status": status, "code": code, "detail": detail, "reference": reference, "hint": str(error.hint) if error else ""}
        values["back"] = back.path + (f"?{back.query}" if back.query else "") if back.netloc == request.host else ""
        values |= {"said": "", "operator": str(error.message) if error and detail != str(error.message) else ""}
        html = self.portal.screens.render("portal/error.html", {**self.frame(request, desk), **values})
        return self._cookies(request, Response(html, status=status, mimetype="text/html", headers=headers))


PLAIN = {
    "conflict": _("刚刚有人改动了这件事。请刷新页面，看过新的内容再办理。"),
    "bad_password": _("口令不正确。"),
    "weak_password": _("口令应为 10 至 128 个字符，不能过于简单，不能包含用户名。"),
    "disk_full": _("本机磁盘已满，暂时只能查看，不能办理。请联系管理员。"),
    "operator": _("本节点等待管理员处理，暂时不能办理。"),
}
PLAIN_BY_STATUS = {
    403: _("您无权办理这一步。"),
    404: _("没有这件事项，或者您无权查看。"),
    409: _("刚刚有人改动了这件事。请刷新页面，看过新的内容再办理。"),
    413: _("内容太大，超过了这里允许的大小。"),
    422: _("填写的内容有误，请检查后再提交。"),
    503: _("系统正忙或者正在准备，请稍候再试。"),
}

"""How a room says what its pages are.

A room's ``pages`` module has classes, listed in ``PAGES``; each method marked with :func:`page` is a page, an act or a call
of the API. A method gets the request and the parts of its path; ``self.desk`` is the desk of whoever asks::

    class LeavePages:
        name = "leave"
        menu = (Item("/leave", _("请假"), icon="calendar"),)

        @page("GET", "/leave/<record>")
        def show(self, request: Request, record: str) -> Screen:
            return Screen("leave/show.html", leave=service.find(self.desk, record))

        @page("POST", "/leave/<record>/grant")
        def grant(self, request: Request, record: str) -> Response:
            service.grant(self.desk, record)
            return see_other(f"/leave/{record}", _("已批准。"))

    PAGES = (LeavePages,)

A screen has a twin in JSON: the same path asked with ``Accept: application/json`` (or with ``.json`` behind it) gives its data. Errors of
:mod:`node.errors` become a page in the person's language, or a problem document (RFC 9457). All unsafe methods are
checked for their origin and token before the method is called.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
import tempfile
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, TypeVar
from urllib.parse import urlencode

import msgspec
from werkzeug.wrappers import Request as PlainRequest
from werkzeug.wrappers import Response as Response  # rooms take it from here

from node import clock
from node.errors import Invalid
from office.frame.words import _

if TYPE_CHECKING:
    from office.frame.desk import Desk
    from office.portal.app import Portal
    from office.portal.session import Session

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
PER_PAGE, MOST_PAGES = 30, 1_000_000
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Item:
    """A line of the menu."""

    url: str
    label: str
    icon: str = "file"
    count: Callable[[Desk], int] | None = None
    "How many matters wait there; shown beside the label when not zero."
    shown: Callable[[Desk], bool] | None = None
    "Whether the person sees the line at all."


@dataclass(frozen=True)
class Act:
    """A button that posts, with what must be asked before."""

    url: str
    label: str
    kind: str = "plain"
    "main, plain or danger."
    ask: str = ""
    "A text to ask for (a reason, an opinion), sent as ``text``; empty for none."
    need: bool = False
    "Whether the text may not be empty."
    fields: Mapping[str, str] = field(default_factory=dict)
    "Values sent along, such as the version that was seen."
    confirm: str = ""
    "What is asked before it is done, where there is no way back."


@dataclass(frozen=True, kw_only=True)
class Route:
    """One way in, as the route table, the API description and the rights tests see it."""

    method: str
    path: str
    public: bool
    json: bool
    room: str
    name: str
    handler: Callable[..., Any]
    takes: type | None = None
    upload: bool = False
    keep: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """First line of the method's docstring."""
        return (inspect.getdoc(self.handler) or self.name).splitlines()[0]


@dataclass(frozen=True)
class _Mark:
    method: str
    path: str
    public: bool
    json: bool
    takes: type | None
    upload: bool
    keep: bool
    query: Mapping[str, str]
    headers: Mapping[str, str]


def page(
    method: str,
    path: str,
    *,
    public: bool = False,
    json: bool = True,
    takes: type | None = None,
    upload: bool = False,
    keep: bool = False,
    query: Mapping[str, str] = NOTHING,
    headers: Mapping[str, str] = NOTHING,
) -> Callable[[F], F]:
    """Mark a method as what answers ``method path``; may be given several times.

    ``path`` is a werkzeug rule (``/leave/<record>``, ``<int:n>``, ``<path:rest>``). ``public`` pages need no sign-in. ``json=False`` for pages
    without a twin. ``takes`` is the msgspec Struct that the form or body is read into by :meth:`Request.read`; it appears in
    the API description. ``upload`` lets the body be as large as an attachment may be; it is then read from ``request.stream``
    or ``request.files``, never held in memory. ``keep`` is for a screen that is made of its address, of what the desk and the directory
    read, of the lines and the minute, and of nothing else: it is shown again to the same session while those are the same. ``query`` and ``headers``
    name what may be given there, with what it means, for the API description.
    """

    def mark(function: F) -> F:
        marks = [*getattr(function, "pages", ()), _Mark(method.upper(), path, public, json, takes, upload, keep, query, headers)]
        function.pages = marks  # type: ignore[attr-defined]
        return function

    return mark


class Pages(typing.Protocol):
    """What a class in ``PAGES`` is like; it need not inherit anything."""

    name: ClassVar[str]
    desk: Desk


def routes(classes: Sequence[type]) -> list[Route]:
    """The route table of page classes."""
    found = []
    for cls in classes:
        for name, function in inspect.getmembers(cls, inspect.isfunction):
            for mark in getattr(function, "pages", ()):
                about = {f.name: getattr(mark, f.name) for f in dataclasses.fields(mark)}
                found.append(Route(room=cls.name, name=name, handler=function, **about))  # type: ignore[attr-defined]
    return sorted(found, key=lambda r: (r.path, r.method))


class Window(TypedDict):
    """A part of a list, as ``desk.list`` takes it."""

    limit: int
    offset: int


class Screen:
    """A page to be made from a template and its values; ``json`` replaces the values in the twin where they should differ.

    Templates are named ``<room>/<file>`` and lie in ``office/<room>/templates``. Beside the values given they have ``desk``,
    ``request``, ``_``, ``static(name)``, ``person(id)``, ``organ(id)``, ``node_name(id)``, ``now``, ``settings``, ``csrf``, ``tongue``, ``menu``,
    ``lines``, ``first``, ``said`` and the filters ``when``, ``day``, ``ago``, ``size``; a value of one of these names is refused.
    ``allow`` names what of ``camera``, ``microphone`` and ``display-capture`` the page may ask the browser for: no other page may.
    """

    def __init__(self, template: str, /, *, status: int = 200, json: Any = None, allow: Sequence[str] = (), **values: Any) -> None:
        self.template, self.status, self.json, self.allow, self.values = template, status, json, allow, values


class Answer:
    """An answer of the API: JSON and nothing else."""

    def __init__(self, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.data, self.status, self.headers = data, status, dict(headers or {})


class See:
    """Go on to another page, with a note of what was done; a JSON request gets the data instead."""

    def __init__(self, url: str, note: str = "", data: Mapping[str, Any] | None = None) -> None:
        self.url, self.note, self.data = url, note, dict(data or {})


def see_other(url: str, note: str = "", **data: Any) -> See:
    """After an act: show ``url`` (HTTP 303) and on it the note once."""
    return See(url, note, data)


class Request(PlainRequest):
    """A request as pages see it."""

    max_content_length = 1 << 20
    max_form_memory_size = 1 << 20
    max_form_parts = 2000
    route: Route
    portal: Portal
    session: Session | None
    desk: Desk | None
    language: str = "zh"
    csrf: str = ""
    spool: Path | None = None
    "Where files that come in a form are kept until the page has taken them."
    fresh_cookie: str = ""

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, filename: str | None = None, content_length: int | None = None
    ) -> Any:
        return tempfile.SpooledTemporaryFile(256 * 1024, dir=str(self.spool) if self.spool else None)

    @property
    def wants_json(self) -> bool:
        """Whether the asker is a program: it says so, or its path or body does."""
        if self.environ.get("yiwang.twin") or self.path.startswith("/api/"):
            return True
        best = self.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
        return best == "application/json" and "text/html" not in self.accept_mimetypes.values()

    @property
    def partial(self) -> bool:
        """Whether our own script asks for a part of the page to put in place."""
        return self.headers.get("X-Part") == "1"

    @property
    def given(self) -> dict[str, Any]:
        """What was sent: the fields of a form (the last of each name), or the members of a JSON object."""
        if self.mimetype == "application/json":
            try:
                found = msgspec.json.decode(self.get_data(cache=True) or b"{}")
            except (msgspec.DecodeError, RecursionError) as e:
                raise Invalid(str(_("请求不是合法的 JSON：%(why)s") % {"why": e}), code="malformed") from None
            if not isinstance(found, dict):
                raise Invalid(_("请求应为 JSON 对象。"), code="malformed")
            return found
        return {name: self.form.getlist(name)[-1] for name in self.form}

    def text(self, name: str, default: str = "") -> str:
        """A text that was sent, without white space around it."""
        value = self.given.get(name, default)
        return value.replace("\r\n", "\n").strip() if isinstance(value, str) else str(value)

    def all(self, name: str) -> list[str]:
        """All values sent under a name (boxes that were ticked, members of a JSON list)."""
        if self.mimetype == "application/json":
            value = self.given.get(name) or []
            return [str(v) for v in value] if isinstance(value, list) else [str(value)]
        return self.form.getlist(name)

    def query(self, name: str, default: str = "") -> str:
        """A value from behind the question mark."""
        return self.args.get(name, default).strip()

    @property
    def number(self) -> int:
        """Number of the page of a long list (``?page=``), from 1."""
        return min(MOST_PAGES, max(1, self.args.get("page", 1, type=int) or 1))

    def window(self, size: int = PER_PAGE) -> Window:
        """What of a list a page shows, for ``desk.list``; one row more than shown, so that the pager knows whether there is a next page."""
        return {"limit": size + 1, "offset": (self.number - 1) * size}

    def read(self, shape: type[T]) -> T:
        """What was sent, as a msgspec Struct; :class:`Invalid` names the field that is wrong."""
        given: dict[str, Any] = self.given
        if self.mimetype != "application/json":
            given = {
                f.encode_name: self.form.getlist(f.encode_name) if _many(f.type) else self.text(f.encode_name)
                for f in msgspec.structs.fields(shape)  # type: ignore[arg-type]
                if f.encode_name in self.form
            }
        try:
            return msgspec.convert(given, shape, strict=self.mimetype == "application/json")
        except msgspec.ValidationError as e:
            raise Invalid(str(_("填写有误：%(why)s") % {"why": e}), code="malformed") from None

    def moment(self, name: str) -> dt.datetime | None:
        """A day (its end) or a day and time of an HTML field, meant in Asia/Shanghai; None when empty."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = dt.datetime.fromisoformat(text)
        except ValueError:
            raise Invalid(str(_("日期应写成 2026-01-31：%(text)s") % {"text": text[:40]}), code="malformed") from None
        if len(text) == 10:
            found += dt.timedelta(hours=23, minutes=59, seconds=59)
        return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)

    def milliseconds(self, name: str) -> int:
        """The same as statements claim it; 0 when empty."""
        found = self.moment(name)
        return clock.to_ms(found) if found else 0

    def here(self, **changes: Any) -> str:
        """The address of this page with other values behind the question mark; None removes one."""
        values = {**dict(self.args.items()), **changes}
        kept = {k: v for k, v in values.items() if v not in (None, "")}
        return self.path + ("?" + urlencode(kept) if kept else "")


SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")


def whole(text: str, *, digits: int = 17) -> int:
    """A whole number that was typed, of so many digits at most; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else 0


def day(text: str) -> dt.date | None:
    """A day of an HTML field; None when it was left empty."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(_("日期应写成 2026-01-31。"), code="malformed") from None


def _many(shape: Any) -> bool:
    return typing.get_origin(shape) in (list, tuple, set, frozenset)


def plain(value: Any) -> Any:
    """A value as JSON can carry it: rows give their columns (bytes are left out), moments RFC 3339, texts their translation."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) or inspect.isgenerator(value):
        return [plain(v) for v in value]
    return _record(value)


def _record(value: Any) -> Any:
    if hasattr(value, "__table__"):
        columns = {c.name: getattr(value, c.name) for c in value.__table__.columns}
        return {name: plain(v) for name, v in columns.items() if not isinstance(v, bytes)}
    if isinstance(value, msgspec.Struct):
        return {f: plain(getattr(value, f)) for f in value.__struct_fields__ if not isinstance(getattr(value, f), bytes)}
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if not callable(getattr(value, f.name))}
    return str(value)

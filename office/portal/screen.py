"""Making pages out of templates: one Jinja environment a process, words in the language of the request, static files by their hash."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup
from werkzeug.wrappers import Response

from node.clock import from_ms
from office.frame.words import OFFICE, _, language, translations
from office.portal.page import SHANGHAI, Request

YEAR = 365 * 86400
_ZIPPED = ("text/css", "text/javascript", "image/svg+xml")


@dataclass(frozen=True)
class File:
    """A static file, held in memory."""

    content: bytes
    zipped: bytes
    mime: str
    tag: str


class Tongue(jinja2.Environment):
    """Templates in one language: what a template says in so many words is translated once, when it is compiled."""

    def __init__(self, tongue: str, static: Callable[[str], str]) -> None:
        super().__init__(
            loader=jinja2.FunctionLoader(_template),
            autoescape=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        words = translations(tongue)
        self._tongue, self._static = tongue, static
        self.install_gettext_callables(  # type: ignore[attr-defined]
            lambda text: str(words.gettext(str.__str__(text))), lambda one, many, n: str(words.ngettext(one, many, n)), newstyle=True
        )
        self.filters.update(when=when, day=day, ago=ago, size=size, full=full)
        self.globals.update(static=static)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``row.title`` of a mapping is its entry first: most of what pages show are lines made as mappings."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def _generate(self, source: nodes.Template, name: str | None, *given: Any, **named: Any) -> str:
        """The hook that Jinja has for this; a template speaks with the words of its room."""
        words = translations(self._tongue, (name or "").partition("/")[0])
        said: dict[str, Callable[[str], str]] = {"_": lambda text: Markup(words.gettext(text)) % (), "static": self._static}  # noqa: S704  our own templates
        return super()._generate(_Saying(said).visit(source), name, *given, **named)


class _Saying(NodeTransformer):
    """Puts the value in the place of a call of a pure function of one known text, such as ``_("提交")``."""

    def __init__(self, said: Mapping[str, Callable[[str], str]]) -> None:
        self._said = said

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        named = node.node.name if isinstance(node.node, nodes.Name) else ""
        plain = len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if named in self._said and plain and isinstance(node.args[0], nodes.Const):
            return nodes.Const(self._said[named](node.args[0].value), lineno=node.lineno)
        return self.generic_visit(node)


class Screens:
    """Templates and static files of every room."""

    def __init__(self) -> None:
        self.files = _files()
        self._tongues: dict[str, Tongue] = {}

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The text of a page, in the language that is spoken."""
        tongue = language()
        if tongue not in self._tongues:
            self._tongues[tongue] = Tongue(tongue, self.static)
        return self._tongues[tongue].get_template(template).render(values)

    def static(self, name: str) -> str:
        """The address of a static file; it changes when the file does, so that browsers may keep it for a year."""
        return f"/static/{self.files[name].tag}/{name}"

    def serve(self, request: Request) -> Response | None:
        """The static file that is asked for, or None."""
        parts = request.path.split("/", 3)
        found = self.files.get(parts[3]) if len(parts) == 4 and parts[1] == "static" else None
        if found is None or request.method not in ("GET", "HEAD"):
            return None
        kept = f"public, max-age={YEAR}, immutable" if parts[2] == found.tag else "public, max-age=60"
        headers = {"Cache-Control": kept, "ETag": f'"{found.tag}"', "Vary": "Accept-Encoding"}
        if found.tag in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers=headers)
        zipped = found.zipped and "gzip" in request.headers.get("Accept-Encoding", "")
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return Response(found.zipped if zipped else found.content, mimetype=found.mime, headers=headers)


def _template(name: str) -> tuple[str, str, None] | None:
    """Its text and its file, which a traceback then names."""
    room, _slash, file = name.partition("/")
    path = OFFICE / room / "templates" / file
    return (path.read_text(encoding="utf-8"), str(path), None) if path.is_file() else None


def _files() -> dict[str, File]:
    """Every room's static files: those of the portal by their name, others by ``room/name``."""
    found = {}
    for path in sorted(OFFICE.glob("*/static/**/*")):
        if not path.is_file():
            continue
        room, name = path.relative_to(OFFICE).parts[0], "/".join(path.relative_to(OFFICE).parts[2:])
        mime = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        content = path.read_bytes()
        zipped = gzip.compress(content, 6, mtime=0) if mime in _ZIPPED else b""
        tag = hashlib.sha256(content).hexdigest()[:12]
        found[name if room == "portal" else f"{room}/{name}"] = File(content, zipped, mime, tag)
    return found


# --- how moments and sizes are shown -------------------------------------------------------------------------------


def _moment(value: dt.datetime | int | None) -> dt.datetime | None:
    if not value:
        return None
    return (from_ms(value) if isinstance(value, int) else value).astimezone(SHANGHAI)


def when(value: dt.datetime | int | None) -> str:
    """A moment, short: the year only when it is another one. Milliseconds will do."""
    moment = _moment(value)
    if moment is None:
        return ""
    year = dt.datetime.now(SHANGHAI).year
    if language() == "en":
        return moment.strftime("%-d %b %H:%M" if moment.year == year else "%-d %b %Y %H:%M")
    return (
        f"{moment.month}月{moment.day}日 {moment:%H:%M}" if moment.year == year else f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
    )


def day(value: dt.datetime | dt.date | int | str | None) -> str:
    """A day in full: 2026年1月5日, 5 January 2026."""
    if not value:
        return ""
    if isinstance(value, str):
        try:
            date: dt.date | None = dt.date.fromisoformat(value)
        except ValueError:  # somebody else's word, shown as it is
            return value
    elif isinstance(value, (int, dt.datetime)):
        date = _moment(value)
    else:
        date = value
    assert date is not None
    return date.strftime("%-d %B %Y") if language() == "en" else f"{date.year}年{date.month}月{date.day}日"


def full(value: dt.datetime | int | None) -> str:
    """A moment to the second, with its day."""
    moment = _moment(value)
    return f"{day(moment)} {moment:%H:%M:%S}" if moment else ""


def ago(value: dt.datetime | int | None) -> str:
    """How long ago, in one unit."""
    moment = _moment(value)
    if moment is None:
        return ""
    seconds = max(0, int((dt.datetime.now(SHANGHAI) - moment).total_seconds()))
    if seconds < 60:
        return str(_("刚刚"))
    if seconds < 3600:
        return _("%(n)s 分钟前") % {"n": seconds // 60}
    if seconds < 86400:
        return _("%(n)s 小时前") % {"n": seconds // 3600}
    return _("%(n)s 天前") % {"n": seconds // 86400}


def size(value: int) -> str:
    """Bytes in the unit that fits."""
    amount = float(value)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"

"""A portal without sockets or processes: the same application, called directly, for questions of which there are thousands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.test import EnvironBuilder, run_wsgi_app

from node.persons import Door
from office.frame import words
from office.frame.desk import Desk
from office.frame.office import Office
from office.portal import pages, uploads
from office.portal.app import App, Portal
from office.portal.page import Request, Route
from office.portal.service import assemble
from tests.portal.house import Reply


@dataclass(eq=False)
class Way:
    """What the worker of a route does, done at once."""

    route: Route
    cls: type

    def call(self, request: Request, values: dict[str, Any], desk: Desk | None) -> Any:
        """The page's result, or whatever it raises."""
        room = self.cls()
        room.desk = desk
        with words.speaking(request.language):
            return self.route.handler(room, request, **values)


class Gate:
    """The portal of one office."""

    def __init__(self, office: Office) -> None:
        classes = [cls for module in (*office.tier.parts("pages"), pages, uploads) for cls in module.PAGES]
        _service, self.routes = assemble(classes)
        self._made = {cls.name: cls for cls in classes}
        menu = [item for cls in classes for item in getattr(cls, "menu", ())]
        self.portal = Portal(office, menu, self.routes)
        self.app = App(self, self.portal)

    def make_url_map(self) -> Map:
        """The routes as the application asks its server for them."""
        return Map([Rule(route.path, methods=[route.method], endpoint=Way(route, self._made[route.room])) for route in self.routes])

    def visitor(self, person: str = "", door: Callable[[], Door] | None = None) -> Visitor:
        """Somebody at the portal; signed in where a person is named."""
        opened = self.portal.sessions.open(person, door() if door is not None else None) if person else ""
        return Visitor(self, opened or self.portal.sessions.stranger())

    def close(self) -> None:
        """Write what waits and give the file back."""
        self.portal.trail.flush()
        self.portal.local.close()


@dataclass
class Visitor:
    """A browser's cookie and token."""

    gate: Gate
    cookie: str
    csrf: str = field(init=False)

    def __post_init__(self) -> None:
        self.csrf = self.gate.portal.sessions.csrf(self.cookie)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request; a dict is sent as a form with its token, anything else as JSON."""
        sent = {"Accept-Language": "zh", "X-CSRF-Token": self.csrf, "Cookie": f"{self.gate.portal.sessions.cookie}={self.cookie}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        form = (
            {"data": {"csrf": self.csrf, **body}}
            if isinstance(body, dict)
            else {"data": body, "content_type": "application/octet-stream" if isinstance(body, bytes) else "application/json"}
            if body
            else {}
        )
        builder = EnvironBuilder(path, base_url="https://portal.test", method=method, headers=sent, **form)  # type: ignore[arg-type]
        environ = builder.get_environ() | {"yiwang.hang_up": lambda: None}
        found, status, answered = run_wsgi_app(self.gate.app, environ)
        data = b"".join(found)
        getattr(found, "close", lambda: None)()
        return Reply(int(status.split()[0]), {name.lower(): value for name, value in answered.items()}, data)

    def get(self, path: str, **headers: str) -> Reply:
        """See a page."""
        return self.ask("GET", path, **headers)


def bare(reply: Reply, *ids: str) -> tuple[int, str, str]:
    """An answer without what says which address was asked, and without the time of day."""
    text = reply.body.decode("utf-8", "replace")
    for id in ids:
        text = text.replace(id, "…")
    return reply.status, reply.headers.get("location", "").replace(ids[0], "…") if ids else "", re.sub(r"\d{1,2}:\d\d(:\d\d)?", "…", text)

"""The one nameko service of the portal, assembled from the page classes of every room.

Two services with HTTP entrypoints in one process would silently share the port, so there is one, and each page becomes a method of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from eventlet.event import Event
from nameko.extensions import DependencyProvider
from nameko.web.handlers import HttpRequestHandler
from werkzeug.routing import Rule

from node.errors import NodeError
from office.frame import words
from office.frame.desk import Desk
from office.portal.page import Request, Route, routes
from office.portal.server import Server


class Desks(DependencyProvider):  # type: ignore[misc]
    """The desk of whoever asks, made by the application before the worker starts."""

    def get_dependency(self, worker_ctx: Any) -> Desk | None:
        """What came with the request; never raises, for that would end the container."""
        return worker_ctx.data.get("desk")  # type: ignore[no-any-return]


class Web(HttpRequestHandler):  # type: ignore[misc]
    """The entrypoint of one route."""

    server = Server()

    def __init__(self, route: Route, **named: Any) -> None:
        self.route = route
        super().__init__(route.method, route.path, **named)

    def get_url_rule(self) -> Rule:
        """The route as werkzeug matches it."""
        return Rule(self.route.path, methods=[self.route.method])

    def call(self, request: Request, values: dict[str, Any], desk: Desk | None) -> Any:
        """Run the page in a worker; its result, or whatever it raised."""
        done = Event()
        self.container.spawn_worker(
            self, (request,), values, context_data={"desk": desk, "language": request.language}, handle_result=partial(self.handle_result, done)
        )
        return done.wait()


class Bells(DependencyProvider):  # type: ignore[misc]
    """Keeps the portal's live streams fed as long as the service runs."""

    def start(self) -> None:
        """Follow the clerk's rings and the courier's lines; the ledger's bell the process follows."""
        portal = self.container.config["portal"]
        live = portal.live
        self.container.spawn_managed_thread(live.follow_rings)
        self.container.spawn_managed_thread(live.follow_lines)
        self.container.spawn_managed_thread(portal.keep_trail)

    def stop(self) -> None:
        """Write the last events of the audit trail."""
        with contextlib.suppress(NodeError):
            self.container.config["portal"].trail.flush()


def assemble(classes: Sequence[type]) -> tuple[type, list[Route]]:
    """(the service class, its route table) of page classes."""
    table = routes(classes)
    made = {cls.name: cls for cls in classes}  # type: ignore[attr-defined]
    body: dict[str, Any] = {"name": "portal", "desk": Desks(), "bells": Bells()}
    for number, route in enumerate(table):
        name = f"{route.room}_{route.name}_{number}".replace(".", "_").replace("-", "_")
        body[name] = _method(name, route, made[route.room])
    return type("PortalService", (), body), table


def _method(name: str, route: Route, cls: type) -> Any:
    def call(self: Any, request: Request, **values: Any) -> Any:
        room = cls()
        room.desk = self.desk
        with words.speaking(request.language):
            return route.handler(room, request, **values)

    call.__name__ = name
    call.__doc__ = route.about
    return Web.decorator(route)(call)

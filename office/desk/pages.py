"""The first page."""

from __future__ import annotations

from office.desk import service
from office.frame.desk import Desk
from office.frame.words import _
from office.portal import lines
from office.portal.page import Item, Request, Screen, page


class DeskPages:
    """The home page."""

    name = "desk"
    desk: Desk
    menu = (Item("/", _("首页"), icon="home", count=service.waiting),)

    @page("GET", "/", keep=True)
    def home(self, request: Request) -> Screen:
        """What waits, what is in hand, what is overdue, and how the lines stand."""
        found = service.board(self.desk, full=True)
        now = lines.read(request.portal.settings)
        return Screen("desk/home.html", board=found, json={"board": found, "lines": now.lines, "waiting": now.waiting})

    @page("GET", "/todo", keep=True)
    def todo(self, request: Request) -> Screen:
        """The same in short: numbers, matters of the highest urgency, and terms that end."""
        found = service.board(self.desk, full=True)
        counts = {"todo": len(found.todo), "hand": len(found.hand), "overdue": len(found.overdue)}
        pressing = {"urgent": list(service.urgent(found)), "alerts": list(service.alerts(found))}
        return Screen("desk/home.html", board=found, json={"counts": counts, **pressing})


PAGES = (DeskPages,)

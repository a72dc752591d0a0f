"""The portal's side of the relay's door (``run/media.sock``): JSON over HTTP, and the relay started when nobody answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import Any

from node import tickets
from node.errors import Conflict, Full, Invalid, Missing, NodeError, Refused, Unreachable
from node.settings import Settings
from node.supervised import Line, Supervisor
from office.frame.words import _

PATIENCE = 10.0
"Seconds an answer may take."
TRIES, PAUSE = 50, 0.2
"How often a relay that was just started is asked, and seconds between."
ERRORS: dict[int, type[NodeError]] = {403: Refused, 404: Missing, 409: Conflict, 422: Invalid, 507: Full}


def ask(settings: Settings, verb: str, room: str, person: str, name: str, *, chairs: bool = False, home: str = "", **fields: str) -> dict[str, Any]:
    """What the relay answers to a request of somebody in a room; it is started on first use.

    ``home`` is the lowest node under which everybody is who was asked.
    """
    if not settings.media:
        raise Unreachable(_("本节点没有开通音视频，请系统管理员在 node.toml 中填写 media。"), code="no_media")
    secret = tickets.key(settings)

    def once() -> dict[str, Any]:
        return _asked(settings, verb, {"ticket": tickets.issue(secret, room, person, name, chairs=chairs, home=home), **fields})

    try:
        return once()
    except OSError:
        _start(settings)
    for _try in range(TRIES):
        try:
            return once()
        except OSError:
            time.sleep(PAUSE)  # others are served meanwhile: the portal's processes are green
    raise Unreachable(_("音视频服务没有启动，请稍后再试。"), code="no_media")


def lines(settings: Settings) -> list[dict[str, Any]]:
    """How voices and pictures go to each neighbouring relay, see :meth:`media.link.Link.status`; nothing while the relay rests or is silent."""
    if not settings.media:
        return []
    try:
        found: list[dict[str, Any]] = _said(settings, "GET", "/status", None)["lines"]
    except (OSError, NodeError):
        return []
    return found


def _asked(settings: Settings, verb: str, fields: dict[str, str]) -> dict[str, Any]:
    return _said(settings, "POST", f"/{verb}", json.dumps(fields))


def _said(settings: Settings, method: str, path: str, body: str | None) -> dict[str, Any]:
    line = Line(settings.path("run", "media.sock"), PATIENCE)
    try:
        line.request(method, path, body, {"Content-Type": "application/json"})
        answer = line.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
    except (http.client.HTTPException, ValueError):
        raise Unreachable(_("音视频服务没有回答，请稍后再试。"), code="no_media") from None
    finally:
        line.close()
    if answer.status != 200:
        raise ERRORS.get(answer.status, Unreachable)(found.get("message", ""), code=found.get("code", "no_media"))
    return found


def _start(settings: Settings) -> None:
    supervisor = Supervisor(settings.home)
    if supervisor.state("relay") not in ("RUNNING", "STARTING", "BACKOFF"):
        with contextlib.suppress(Unreachable):  # somebody else has just started it; whoever is still not answered says so
            supervisor.start("relay")

"""The relay's process, and its door for the portal of the same home: JSON over HTTP on ``run/media.sock``, which only the node's user may open.

``POST /publish|view|answer|want|state|show|lead|nest|stop|leave|end`` with the arguments of :class:`media.relay.Relay`; ``GET /status``. Errors are
``{code, message}`` with the HTTP status of :mod:`node.errors`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from media.line import Line, place
from media.relay import Relay
from media.tape import unfinished
from media.transport import Port
from node import logs, tickets
from node.beat import Beat
from node.errors import Invalid, NodeError
from node.settings import Settings
from node.tier import Tier

log = logs.named("relay")
VERBS = ("publish", "view", "answer", "want", "state", "show", "lead", "nest", "stop", "leave", "end")
MOST = 256 * 1024
"Bytes of a request."
SOCKET = "media.sock"


def application(relay: Relay) -> web.Application:
    """The door."""
    app = web.Application(client_max_size=MOST)
    app.add_routes([web.post(f"/{verb}", _handler(getattr(relay, verb))) for verb in VERBS])
    app.add_routes([web.get("/status", _status(relay))])
    return app


def _handler(verb: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await verb(**await _fields(request)))
        except NodeError as error:
            return web.json_response({"code": error.code, "message": error.message}, status=error.http)
        except TypeError as error:
            return web.json_response({"code": "malformed", "message": str(error)}, status=422)

    return handle


async def _fields(request: web.Request) -> dict[str, str]:
    try:
        found = await request.json()
    except ValueError:
        raise Invalid("this is no JSON", code="malformed") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Invalid("an object of texts is expected", code="malformed")
    return found


def _status(relay: Relay) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(relay.status())

    return handle


async def serve(settings: Settings, ready: Callable[[Relay], None] = lambda relay: None) -> None:
    """Run until told to stop."""
    relay = Relay(Port(*place(settings)), tickets.Gate(tickets.key(settings)), settings.id, recordings=settings.path("recordings"))
    relay.cascade.kbps = float(settings.media_kbps)
    path = settings.path("run", SOCKET)
    path.unlink(missing_ok=True)
    runner = web.AppRunner(application(relay), access_log=None)
    await runner.setup()
    old = os.umask(0o177)
    try:
        await web.UnixSite(runner, min(str(path), os.path.relpath(path), key=len)).start()
    finally:
        os.umask(old)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = [asyncio.ensure_future(relay.run()), asyncio.ensure_future(_beat(settings)), asyncio.ensure_future(Line(settings, relay.cascade).run())]
    for folder in unfinished(settings.path("recordings")):
        relay.film(folder)
    ready(relay)
    log.info("awaits", ip=relay.port.ip, port=relay.port.number)
    try:
        await asyncio.wait([asyncio.ensure_future(stop.wait()), *work], return_when=asyncio.FIRST_COMPLETED)
        for one in work:
            if one.done():
                one.result()  # what ended it is what ends the process
    finally:
        for one in work:
            one.cancel()
        await runner.cleanup()
        await relay.close()
        path.unlink(missing_ok=True)


async def _beat(settings: Settings) -> None:
    beat = Beat(settings, "relay")
    while True:
        beat.touch()
        await asyncio.sleep(1)


def main(settings: Settings, tier: Tier) -> None:
    """The role ``relay``."""
    asyncio.run(serve(settings))

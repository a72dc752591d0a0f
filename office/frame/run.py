"""Starting the office: ``portal`` serves people, ``clerk`` reacts; at a township both in one process.

The order matters: eventlet's patch before anything opens a socket or a lock, psycopg's wait function before psycopg is imported.
"""

from __future__ import annotations

import os
import warnings

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"  # the only one that lets other greenlets run
warnings.filterwarnings("ignore", category=DeprecationWarning, module="eventlet")

import eventlet  # noqa: E402

eventlet.monkey_patch()

import logging  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from types import ModuleType  # noqa: E402
from typing import Any  # noqa: E402

from eventlet import tpool  # noqa: E402
from eventlet.event import Event  # noqa: E402
from eventlet.green import zmq  # noqa: E402
from eventlet.semaphore import Semaphore  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402

from node import clock, enrol, logs  # noqa: E402
from node.beat import PERIOD, Beat  # noqa: E402
from node.errors import Misconfigured  # noqa: E402
from node.settings import Settings  # noqa: E402
from node.tier import Tier  # noqa: E402
from office.frame.bells import Bell  # noqa: E402
from office.frame.local import Local  # noqa: E402
from office.frame.office import Office  # noqa: E402
from office.frame.signs import Signs  # noqa: E402

WORKERS = 200
"Pages made at the same time."
STOP = 2.5
"Seconds that the orderly end may take before the process just ends."
log = logs.named("run")


def portal(settings: Settings, tier: Tier) -> None:
    """Serve the pages of a tier's rooms until SIGTERM; at a township with the reactions in it."""
    from office.portal import pages, uploads
    from office.portal.app import App, Portal
    from office.portal.service import assemble

    if not settings.web:
        raise Misconfigured("node.toml: web is empty, it should be IP:PORT of the portal")
    enrol.keep_tls(settings, clock.now())
    context, office = _office(settings, tier)
    rooms = tier.parts("pages")
    classes = [cls for module in (*rooms, pages, uploads) for cls in module.PAGES]
    service, table = assemble(classes)
    menu = [item for cls in classes for item in getattr(cls, "menu", ())]
    shared = Portal(office, menu, table)
    host, _colon, port = settings.web.rpartition(":")
    config = {
        "address": (host.strip("[]"), int(port)),
        "tls": (str(settings.path("certs", "tls.pem")), str(settings.path("keys", "tls.key"))),
        "app": partial(App, portal=shared),
        "portal": shared,
    }
    bell = Bell(settings, context)
    bell.hear(shared.live.entries)
    shared.signs = Signs(office)
    eventlet.spawn(shared.signs.listen)
    services = [service] if "clerk" in tier.roles else [service, *_services(tier)]
    if settings.bell.amqp:
        _hear(settings, office, bell, shared.live.tell)
        if "clerk" not in tier.roles:
            _relay(settings, bell, shared.local)
    _serve(office, context, services, config | {"local": shared.local, "bell": bell}, f"portal {settings.web}")


def clerk(settings: Settings, tier: Tier) -> None:
    """Run the reactions and timers of a tier's rooms until SIGTERM."""
    react(settings, tier, _services(tier))


def react(settings: Settings, tier: Tier, services: list[type]) -> None:
    """Run these reactions and timers until SIGTERM."""
    context, office = _office(settings, tier)
    local, bell = Local(settings), Bell(settings, context)
    if settings.bell.amqp:
        _relay(settings, bell, local)
    _serve(office, context, services, {"local": local, "bell": bell}, "clerk")


def _relay(settings: Settings, bell: Bell, local: Local) -> None:
    """Ring for the portals on other machines."""
    from office.frame.amqp import Relay

    relay = Relay(settings, bell, local)
    eventlet.spawn(relay.follow_bell)
    eventlet.spawn(relay.follow_rings)


def _hear(settings: Settings, office: Office, bell: Bell, tell: Callable[[str], None]) -> None:
    """Hear the bell of the machine on which the ledger runs."""
    from office.frame.amqp import Hearing

    hearing = Hearing(settings, office, bell, tell)
    eventlet.spawn(hearing.listen)
    eventlet.spawn(hearing.look)


def _office(settings: Settings, tier: Tier) -> tuple[Any, Office]:
    logs.start()
    logging.getLogger("nameko").setLevel(logging.CRITICAL)  # the application says what went wrong, once
    context = zmq.Context()
    tier.models()  # a reaction may be told of any room's kinds
    return context, Office(settings, tier, context=context, aside=_aside)


_turns = Semaphore(1)


def _aside(act: Callable[[], Any]) -> Any:
    """In a thread, one at a time: two passwords at once would need twice the memory and be no quicker."""
    with _turns:
        return tpool.execute(act)


def _services(tier: Tier) -> list[type]:
    modules: list[ModuleType] = tier.parts("reactions")
    return [service for module in modules for service in getattr(module, "SERVICES", ())]


def _serve(office: Office, context: Any, services: list[type], config: dict[str, Any], what: str) -> None:
    from office.frame.applied import Feed

    eventlet.spawn(config["bell"].follow)
    runner = ServiceRunner({"max_workers": WORKERS, "office": office, "zmq": context, "feed": Feed(office.ledger), **config})
    for service in services:
        runner.add_service(service)
    ended = Event()

    def stop(*_: object) -> None:
        if not ended.ready():
            ended.send()

    _on_signal(stop)
    runner.start()
    log.info("office.ready", what=what, services=len(services))
    eventlet.spawn(_live, Beat(office.settings, what.partition(" ")[0]))
    if services:  # a clerk without reactions just waits for its end; a runner without services would end at once
        eventlet.spawn(runner.wait).link(lambda thread: stop())
    ended.wait()
    eventlet.spawn_after(STOP, os._exit, 0)
    runner.stop()
    office.close()
    log.info("office.stopped", what=what)
    sys.stderr.flush()
    os._exit(0)  # workers in threads (argon2) must not hold the end up


def _live(beat: Beat) -> None:
    """Beat for as long as greenlets get their turn."""
    while True:
        beat.touch()
        eventlet.sleep(PERIOD)


def _on_signal(stop: Callable[[], None]) -> None:
    """Stop at SIGTERM or SIGINT; the byte that the signal writes wakes a hub that has nothing else to wait for."""
    read, write = os.pipe()
    for end in (read, write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def listen() -> None:
        while True:
            eventlet.hubs.trampoline(read, read=True)
            if set(os.read(read, 64)) & {signal.SIGTERM, signal.SIGINT}:
                stop()

    eventlet.spawn(listen)

"""The bell of a node that is spread over several machines: nameko events over RabbitMQ, where ``node.toml`` names a broker.

The machine on which the ledger runs rings (:class:`Relay`, in the process of the reactions): ``grown`` with the journal's mark, ``rang`` with the
topics that reactions and timers ring for. Portals on all machines hear it (:class:`Hearing`) and look. An event carries no matter, and
nothing depends on it: while the broker is away documents go on, each process says so once, and what was missed is seen at
the next ring or the next look of its own, every ``LOOK`` seconds.

The listener is a nameko service in a container of its own, because a container waits for its broker before it starts.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

import eventlet
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from nameko.containers import ServiceContainer
from nameko.events import BROADCAST, EventHandler
from nameko.messaging import QueueConsumer
from nameko.standalone.events import event_dispatcher

from node import logs
from node.errors import NodeError
from node.settings import Settings
from office.frame.bells import Bell
from office.frame.local import Local
from office.frame.office import Office

LOOK = 60.0
"Seconds between two looks at the journal that need no bell."
RINGS = 0.5
AGAIN = 2.0
"Seconds to wait after a failure."
BROKEN = (OSError, KombuError, AMQPError)
log = logs.named("bell")
logging.getLogger("kombu").setLevel(logging.CRITICAL)  # what is wrong with the broker is said here, once


class Broker:
    """Whether the broker answers; a change of that is said once."""

    def __init__(self) -> None:
        self._up: bool | None = None

    def is_up(self) -> None:
        """It answered."""
        if self._up is False:
            log.info("broker.back")
        self._up = True

    def is_down(self, error: BaseException) -> None:
        """It did not."""
        if self._up is not False:
            log.warning("broker.away", error=type(error).__name__, about="documents go on; other machines look once a minute")
        self._up = False


class Relay:
    """Rings the bell for other machines."""

    def __init__(self, settings: Settings, bell: Bell, local: Local) -> None:
        self._source, self._bell, self._local, self._broker = _source(settings), bell, local, Broker()
        self._dispatch = event_dispatcher(_config(settings), use_confirms=False, retry=False, delivery_mode=1)
        self._mark = 0
        bell.hear(self._hear)

    def _hear(self, mark: int) -> None:
        self._mark = max(self._mark, mark)

    def follow_bell(self) -> None:
        """Pass the ledger's bell on, the newest mark only, for ever."""
        seen = self._bell.count
        while True:
            self._bell.wait(seen, LOOK)
            seen = self._bell.count
            self._ring("grown", {"mark": self._mark})

    def follow_rings(self) -> None:
        """Pass on what reactions and timers ring for, for ever."""
        last, _topics = self._local.rung(0)
        while True:
            eventlet.sleep(RINGS)
            with contextlib.suppress(NodeError):  # held by another process: the next look finds the same
                last, topics = self._local.rung(last)
                if topics:
                    self._ring("rang", {"topics": topics})

    def _ring(self, event: str, data: dict[str, Any]) -> None:
        try:
            self._dispatch(self._source, event, data)
        except BROKEN as e:
            self._broker.is_down(e)
            eventlet.sleep(AGAIN)
        else:
            self._broker.is_up()


class Hearing:
    """Hears the bell of another machine for one portal."""

    def __init__(self, settings: Settings, office: Office, bell: Bell, tell: Callable[[str], None]) -> None:
        """``tell`` is called with each topic that rang."""
        self._settings, self._office, self._bell, self._tell = settings, office, bell, tell
        self._mark = 0

    def listen(self) -> None:
        """Keep a nameko container at the broker, for ever."""
        while True:
            container = ServiceContainer(self._service(), _config(self._settings))
            try:
                container.start()
                container.wait()
            except Exception as e:  # whatever ends a container, the next one begins afresh
                log.warning("bell.lost", error=type(e).__name__)
                container.kill()
            eventlet.sleep(AGAIN)

    def look(self) -> None:
        """Look at the journal now and then without being told, for ever."""
        while True:
            eventlet.sleep(LOOK)
            with contextlib.suppress(NodeError):
                mark, _chains = self._office.ledger.changed(self._mark)
                if mark > self._mark:
                    self.grown(mark)

    def grown(self, mark: int) -> None:
        """The journal has grown to this mark."""
        self._mark = max(self._mark, mark)
        self._bell.ring(mark)

    def _service(self) -> type:
        broker, source, hearing = Broker(), _source(self._settings), self

        class Told(QueueConsumer):  # type: ignore[misc]
            def on_connection_error(self, exc: BaseException, interval: float) -> None:
                broker.is_down(exc)

            def on_consume_ready(self, *args: Any, **named: Any) -> None:
                broker.is_up()
                super().on_consume_ready(*args, **named)

        class Heard(EventHandler):  # type: ignore[misc]
            queue_consumer = Told()

        class BellService:
            name = f"{source}-hearing"

            @Heard.decorator(source, "grown", handler_type=BROADCAST, reliable_delivery=False)  # type: ignore[untyped-decorator]
            def grown(self, told: dict[str, Any]) -> None:
                hearing.grown(int(told["mark"]))

            @Heard.decorator(source, "rang", handler_type=BROADCAST, reliable_delivery=False)  # type: ignore[untyped-decorator]
            def rang(self, told: dict[str, Any]) -> None:
                for topic in told["topics"]:
                    hearing._tell(str(topic))

        return BellService


def _source(settings: Settings) -> str:
    """Name of the events of this node; nodes may share a broker."""
    return f"yiwang-{settings.id}"


def _config(settings: Settings) -> dict[str, Any]:
    return {"AMQP_URI": settings.bell.amqp, "max_workers": 4}

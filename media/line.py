"""The words between neighbouring relays: ZeroMQ with CURVE, on the port of media (TCP beside UDP), under the keys of the nodes' lines.

Who may call is whom the directory places below this node, and nobody else; the directory is asked of the ledger every few seconds, and what it
said last holds while the ledger is away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from media.cascade import Cascade
from media.words import MOST, Word, write
from node import keys, logs
from node.client import Ledger
from node.errors import Misconfigured, NodeError
from node.settings import Settings

log = logs.named("relay")
LOOK = 5.0
"Seconds between two looks into the directory."
SILENT = 4.0
"Seconds without a word of the relay above until it is called on a fresh socket."
HEARTBEAT, QUEUE = 2_000, 1_000
DOMAIN = "relays"


def place(settings: Settings) -> tuple[str, int]:
    """Where media is awaited: ``media`` of ``node.toml``."""
    return _address(settings.media, 'media = "192.0.2.1:8500"')


def above(settings: Settings) -> tuple[str, int] | None:
    """Where the relay above awaits words: ``parent.media``, else the host of ``parent.endpoint`` at the port that this node's own relay has."""
    if settings.parent is None:
        return None
    if settings.parent.media:
        return _address(settings.parent.media, '[parent] media = "192.0.2.1:8500"')
    return settings.parent.endpoint.removeprefix("tcp://").rpartition(":")[0], place(settings)[1]


def _address(text: str, hint: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise Misconfigured("media of node.toml says on which IP:PORT voices and pictures are awaited", hint=hint)
    return host, int(port)


class Line:
    """The words of one relay with its neighbours."""

    def __init__(self, settings: Settings, cascade: Cascade) -> None:
        self.settings, self.cascade = settings, cascade
        self._context = zmq.asyncio.Context()
        self._door = AsyncioAuthenticator(self._context)
        self._below: Mapping[str, str] = {}
        "CURVE key to node id."
        self._routes: dict[str, bytes] = {}
        self._router = self._dealer = self._context.socket(zmq.ROUTER)
        self._parent = settings.parent.id if settings.parent is not None else ""

    async def run(self) -> None:
        """Speak and listen until cancelled."""
        self._door.start()
        self._door.configure_curve_callback(domain=DOMAIN, credentials_provider=self)
        self._bind()
        work = [self._look(), self._from_below()]
        if self._parent:
            self._dealer = self._dial()
            work.append(self._from_above())
        try:
            await asyncio.gather(*work)
        finally:
            self._door.stop()
            self._context.destroy(0)

    def _socket(self, kind: int) -> Any:
        made = self._context.socket(kind)
        secret = keys.read_secret(self.settings.path("keys", "curve.key")).strip()
        made.curve_secretkey, made.curve_publickey = secret, zmq.curve_public(secret)
        for option, value in ((zmq.LINGER, 0), (zmq.MAXMSGSIZE, MOST), (zmq.SNDHWM, QUEUE), (zmq.RCVHWM, QUEUE), (zmq.HEARTBEAT_IVL, HEARTBEAT)):
            made.setsockopt(option, value)
        return made

    def _bind(self) -> None:
        self._router.close(0)
        self._router = self._socket(zmq.ROUTER)
        self._router.curve_server = True
        self._router.zap_domain = DOMAIN.encode()
        host, port = place(self.settings)
        try:
            self._router.bind(f"tcp://{host}:{port}")
        except zmq.ZMQError as error:  # people of this node speak with each other all the same
            log.error("listen.failed", address=f"{host}:{port}", error=str(error))

    def _dial(self) -> Any:
        assert self.settings.parent is not None
        made = self._socket(zmq.DEALER)
        made.curve_serverkey = self.settings.parent.curve.encode()
        made.setsockopt(zmq.IMMEDIATE, 1)
        made.setsockopt(zmq.RECONNECT_IVL, 100)
        made.setsockopt(zmq.RECONNECT_IVL_MAX, 2_000)
        host, port = above(self.settings) or ("", 0)
        made.connect(f"tcp://{host}:{port}")
        return made

    def callback(self, _domain: str, key: bytes) -> bool:
        """Whether who has this CURVE key may call."""
        return key.decode() in self._below

    def say(self, node: str, word: Word) -> None:
        """Say something to a neighbour; while the line is broken nothing is said, and all is said anew when it is back."""
        with contextlib.suppress(zmq.ZMQError):
            if node == self._parent:
                self._dealer.send(write(word), zmq.NOBLOCK)
            elif (route := self._routes.get(node)) is not None:
                self._router.send_multipart([route, write(word)], zmq.NOBLOCK)

    async def _from_below(self) -> None:
        while True:
            route, data, *_more = await self._router.recv_multipart(copy=False)
            node = self._below.get(str(data.get("User-Id")))
            if node is not None:
                self._routes[node] = route.bytes
                self.cascade.take(node, data.bytes)

    async def _from_above(self) -> None:
        while True:
            try:
                data = await asyncio.wait_for(self._dealer.recv(), SILENT)
            except TimeoutError:  # who was refused at the door is never let in on the same socket
                self._dealer.close(0)
                self._dealer = self._dial()
            else:
                self.cascade.take(self._parent, data)

    async def _look(self) -> None:
        """Ask the ledger whom the directory places next to this node."""
        ledger, here = Ledger(self.settings), self.settings.id
        while True:
            with contextlib.suppress(NodeError):
                nodes = await asyncio.to_thread(ledger.ask, "nodes")
                self._below = {one.curve: one.id for one in nodes if one.parent == here and not one.closed}
            self.cascade.neighbours(self._parent, dict.fromkeys(self._below.values()), self.say)
            await asyncio.sleep(LOOK)

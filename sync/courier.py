"""The courier process: sockets around the exchange. One poll loop; nothing in it waits for any one neighbour or the ledger.

The node below dials (DEALER), the node above listens (ROUTER); CURVE encrypts, the door (ZAP) admits by key, Hello by
certificate. The bell wakes the loop when the journal has grown; no timer is on the way of an entry. ZeroMQ keeps nothing
that matters: whatever was queued when a line dropped is read from the journal again. ``run/links.json`` says how the
lines stand, for status and for "unknown since"; ``run/post`` and
``run/signals`` take and give unlogged signals (:mod:`node.signals`).
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import random
import secrets
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import zmq

from node import certs, clock, enrol, identity, keys, signals, snapshot
from node.beat import Beat
from node.blobs import Blobs
from node.codec import pack, unpack
from node.errors import Invalid, NodeError
from node.settings import Settings
from node.tier import Tier
from sync import frames, monitor, zap
from sync.bootstrap import Bootstrap, Both
from sync.exchange import Exchange
from sync.peer import AGAIN, Line, Now, Peer, Self
from sync.store import LedgerStore, look

log = logging.getLogger("courier")
QUICK, PERIOD = 0.25, 2.0
"Seconds: at least between two writings of links.json, and at most."
TICK = 0.01
"Seconds between two looks at what time has made due, while messages keep coming."
AT_ONCE = 200
"Messages taken from a socket before the others get their turn."
UNBOUND = 5.0
"Seconds until an address that somebody else has is tried again."
SOON = 0.1
"Seconds until a session that only lost a message begins anew."
HEARTBEAT, HEARTBEAT_TIMEOUT, HANDSHAKE = 1000, 4000, 10_000
"Milliseconds; without heartbeats a line that hangs is never noticed."
QUEUE = 1000
"Messages a socket may hold for a neighbour; credits keep it far below."


def main(settings: Settings, tier: Tier) -> None:
    """Carry entries, range statements and blobs between this node and its neighbours until told to stop."""
    courier = Courier(settings)
    try:
        courier.run()
    finally:
        courier.close()


def now() -> Now:
    """The moment."""
    return Now(time.monotonic(), clock.ms())


class Courier:
    """The sockets of one node's lines, and the loop that serves them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)
        self.poller = zmq.Poller()
        seed = os.environ.get("YIWANG_SEED", "")
        self.jitter = random.Random(seed or secrets.token_bytes(16))  # noqa: S311 - back-off only
        self.store = LedgerStore(settings, self.context)
        own = self._own()
        files, lines = snapshot.files(settings), dict[bytes, Line]()
        begun = Bootstrap(self.store, files, lines, lambda: self.exchange.fetcher, files.root / "taking", snapshot.least(settings))
        self.exchange = Exchange(
            me=own,
            store=self.store,
            shelf=Both(Blobs(settings), files, begun.mine),
            lines=lines,
            bootstrap=begun,
            rng=random.SystemRandom(),
            look=look,
            parent=settings.parent.id if settings.parent else "",
        )
        self.store.attach(self.exchange)
        self.door = zap.Door(self.context, self._guests)
        self.post, self.signals = self._local(zmq.PULL, "post"), self._local(zmq.PUB, "signals")
        self.router: zmq.Socket[bytes] | None = None
        self.dealer: zmq.Socket[bytes] | None = None
        self.monitor: zmq.Socket[bytes] | None = None
        self.routes: dict[str, bytes] = {}
        "Node id to the routing id of its living connection."
        self.stuck: dict[str, bytes] = {}
        "Node id to the message that did not fit into the socket."
        self.counts: Counter[str] = Counter()
        self.unbound = 0.0
        "Until when the address on which it listens is not tried again."
        self.redial = 0.0
        self.tries = 0
        self.wrote = self.ticked = 0.0
        self.certified: tuple[int, ...] = ()
        self.beat = Beat(settings, "courier")
        self.written: object = None
        self.stopping = False
        self.wake, self._waker = socket.socketpair()
        for end in (self.wake, self._waker):
            end.setblocking(False)
        for each in (self.door.socket, self.store.socket, self.store.monitor, self.store.bell, self.post, self.wake):
            self.poller.register(each, zmq.POLLIN)

    def _renew(self) -> None:
        """Certificates that the ledger has taken up go into the next greeting of each line."""
        written = tuple(self.settings.path("certs", name).stat().st_mtime_ns for name in ("node.pem", "root.pem"))
        if written != self.certified:
            self.certified, own = written, self._own()
            self.exchange.me.certs, self.exchange.me.root = own.certs, own.root

    def _own(self) -> Self:
        chain, root = identity.own_chain(self.settings), identity.root_of(self.settings)
        return Self(node=self.settings.id, certs=tuple(map(certs.der, chain)), root=root, software="yiwang 0.1.0")

    # --- sockets ------------------------------------------------------------------------------------------------

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        made: zmq.Socket[bytes] = self.context.socket(kind)
        made.linger = 0
        made.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT)
        made.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT)
        made.setsockopt(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT)
        made.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE)
        made.setsockopt(zmq.MAXMSGSIZE, frames.MAX_FRAME + 64)
        made.setsockopt(zmq.SNDHWM, QUEUE)
        made.setsockopt(zmq.RCVHWM, QUEUE)
        made.curve_secretkey = self._secret()
        made.curve_publickey = zmq.curve_public(self._secret())
        return made

    def _local(self, kind: int, name: str) -> zmq.Socket[bytes]:
        made: zmq.Socket[bytes] = self.context.socket(kind)
        made.linger = 0
        made.setsockopt(zmq.MAXMSGSIZE, signals.MOST + 1024)
        made.setsockopt(zmq.SNDHWM, QUEUE)
        made.setsockopt(zmq.RCVHWM, QUEUE)
        made.bind(self.settings.socket(name))
        self.settings.path("run", name).chmod(0o600)
        return made

    def _secret(self) -> bytes:
        return keys.read_secret(self.settings.path("keys", "curve.key")).strip()

    def _listen(self) -> None:
        """Let nodes below call, as soon as the directory says who they are: who came earlier would be taken for a stranger and wait."""
        if self.router is not None or not self.settings.listen or not self.store.known or time.monotonic() < self.unbound:
            return
        router = self._socket(zmq.ROUTER)
        router.curve_server = True
        router.zap_domain = b"lines"
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        try:
            router.bind(self.settings.listen)
        except zmq.ZMQError as error:  # another program (or another copy of this home) has the address: the line upward matters all the same
            log.error("listen.failed: %s %s", self.settings.listen, error)
            router.close(0)
            self.unbound = time.monotonic() + UNBOUND
            return
        self.router = router
        self.poller.register(router, zmq.POLLIN)

    def _dial(self) -> None:
        """Call the node above, on a fresh socket: what the old one still held belongs to a session that is over."""
        above = self.settings.parent
        if above is None:
            return
        self._hang_up()
        self.dealer = self._socket(zmq.DEALER)
        self.dealer.curve_serverkey = above.curve.encode()
        self.dealer.setsockopt(zmq.IMMEDIATE, 1)
        self.dealer.setsockopt(zmq.RECONNECT_IVL, 50 + self.jitter.randrange(50))
        self.dealer.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        events = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        self.monitor = self.dealer.get_monitor_socket(events)
        self.poller.register(self.dealer, zmq.POLLIN)
        self.poller.register(self.monitor, zmq.POLLIN)
        self.dealer.connect(above.endpoint)

    def _hang_up(self) -> None:
        if self.dealer is not None and self.monitor is not None:
            self.poller.unregister(self.dealer)
            self.poller.unregister(self.monitor)
            self.dealer.disable_monitor()
            self.dealer.close(0)
            self.dealer = self.monitor = None
        self.stuck.pop(self.exchange.parent, None)

    def _guests(self) -> bool:
        return enrol.awaiting(self.settings, clock.now())

    # --- the loop -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: setattr(self, "stopping", True))
        self.store.start()
        self._dial()
        gc.freeze()  # what was loaded stays, and need not be looked through for garbage
        while not self.stopping:
            self.beat.touch()
            self._turn()
        self._write_links(force=True, down=True)

    def _turn(self) -> None:
        ready = dict(self.poller.poll(self._patience()))
        if self.door.socket in ready:
            self.door.serve()
        if self.wake.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                self.wake.recv(4096)
        if any(each in ready for each in (self.store.socket, self.store.monitor, self.store.bell)):
            self.store.serve(now())
            self._admit_only(self.store.below)
            self._listen()
        if self.monitor is not None and self.monitor in ready:
            self._watch_dealer()
        if self.dealer is not None and self.dealer in ready:
            for parts in _messages(self.dealer):
                if len(parts) == 1:
                    self.exchange.receive(self.exchange.parent, parts[0], now())
        if self.router is not None and self.router in ready:
            self._receive_below(self.router)
        if self.post in ready:
            for parts in _messages(self.post):
                self._posted(parts[0])
        if self.unbound:
            self._listen()
        moment = now()
        self.store.tick(moment)
        if not ready or moment.mono - self.ticked >= TICK:  # while there is much to do, time passes in small steps, not with every message
            self.ticked = moment.mono
            self.exchange.tick(moment)
        while self.exchange.inbox:
            self.signals.send(pack(self.exchange.inbox.pop(0)))
        self._keep_dialling(moment)
        self._flush()
        self._write_links()

    def _admit_only(self, below: dict[str, str]) -> None:
        """The directory has the last word on who may open a line, and on who may keep one."""
        if below is self.door.allowed:
            return
        self.door.allowed = below
        for node in [node for node, one in self.exchange.peers.items() if not one.up and node not in below.values()]:
            self.exchange.expel(node, now())
            self.routes.pop(node, None)
            self.stuck.pop(node, None)

    def _patience(self) -> int:
        """Milliseconds until something is due."""
        if self.stuck:
            return 10
        moment = now()
        due = min([self.store.due(moment), *(one.due(moment) for one in self.exchange.peers.values())])
        return max(1, int(min(1.0, due) * 1000) + 1)

    def _posted(self, data: bytes) -> None:
        """A process of this node has a signal for another."""
        found = signals.read(data)
        if found is None or len(found.payload) > signals.MOST:
            self.counts["bad_signal"] += 1
            return
        self.exchange.signal(found, at=now())

    def _watch_dealer(self) -> None:
        parent = self.exchange.parent
        for event in list(monitor.told(self.monitor)) if self.monitor is not None else ():
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.stuck.pop(parent, None)
                self.exchange.connected(parent, now())
            elif event == zmq.EVENT_DISCONNECTED:
                self.exchange.lost(parent, now(), "disconnected")
            else:
                self.counts["parent_refused_key"] += 1

    def _keep_dialling(self, moment: Now) -> None:
        """When a session with the node above has ended while the connection stands, begin anew after a while."""
        if self.settings.parent is None:
            return
        if self.store.fenced:
            self._hang_up()
            return
        one = self.exchange.neighbour(self.exchange.parent)
        if one.state in ("up", "connecting"):
            self.redial, self.tries = 0.0, 0 if one.state == "up" else self.tries
        elif not self.redial:
            self.tries += 1
            wait = SOON if one.reason == AGAIN else min(30.0, 2.0 ** min(self.tries - 1, 5))
            self.redial = moment.mono + wait * (0.5 + self.jitter.random())
        elif moment.mono >= self.redial:
            self.redial = 0.0
            self._dial()

    def _receive_below(self, router: zmq.Socket[bytes]) -> None:
        for _ in range(AT_ONCE):
            try:
                route, message = _route(router)
            except zmq.Again:
                return
            if message is None:
                self.counts["malformed"] += 1
                continue
            user = str(message.get("User-Id"))
            if user.startswith(zap.GUEST):
                self._guest(router, route, message.bytes)
                continue
            self._child(user, route, message.bytes)

    def _child(self, node: str, route: bytes, data: bytes) -> None:
        if node not in self.store.below.values():
            self.counts["not_below"] += 1
            return
        known = self.routes.get(node)
        if known != route:
            if known is not None and not _is_hello(data):
                self.counts["old_connection"] += 1
                self._again(route)
                return
            self.routes[node] = route
            self.stuck.pop(node, None)
        self.exchange.receive(node, data, now())

    def _again(self, route: bytes) -> None:
        """Whoever speaks on a connection that a later one has replaced shall begin anew: if it lives, there are two of it."""
        if self.router is not None:
            self._reply(self.router, route, frames.Refuse(AGAIN, "another connection of this node has come since"))

    # --- admission ----------------------------------------------------------------------------------------------

    def _guest(self, router: zmq.Socket[bytes], route: bytes, data: bytes) -> None:
        """A machine without a place in the tree may ask for one, and nothing else."""
        try:
            frame = frames.read(frames.open_(data)[2])
            if not isinstance(frame, frames.Enrol):
                raise Invalid("a guest may only ask to be admitted", code="guest")
            asked = unpack(frame.request, enrol.Request)
            answer, about = enrol.admit(self.settings, asked, clock.now(), known=self.store.nodes)
        except NodeError as error:
            self.counts[f"guest_{error.code}"] += 1
            self._reply(router, route, frames.Refuse(error.code, error.message[:200]))
            return
        self.store.admitted(about, lambda error: self._admitted(router, route, answer, error))

    def _admitted(self, router: zmq.Socket[bytes], route: bytes, answer: enrol.Answer, error: NodeError | None) -> None:
        if error is not None:
            self._reply(router, route, frames.Refuse(error.code, error.message[:200]))
            return
        self._reply(router, route, frames.Admitted(pack(answer)))

    def _reply(self, router: zmq.Socket[bytes], route: bytes, frame: frames.Frame) -> None:
        with contextlib.suppress(zmq.ZMQError):
            router.send_multipart([route, frames.seal(frames.NO_SESSION, 0, frames.write(frame))], zmq.NOBLOCK)

    # --- sending ------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        for node, one in self.exchange.peers.items():
            while (message := self.stuck.pop(node, None) or one.pop()) is not None:
                if not self._send(node, one, message):
                    break

    def _send(self, node: str, one: Peer, message: bytes) -> bool:
        try:
            if one.up:
                if self.dealer is None:
                    return False
                self.dealer.send(message, zmq.NOBLOCK)
            else:
                if self.router is None or node not in self.routes:
                    return False
                self.router.send_multipart([self.routes[node], message], zmq.NOBLOCK)
        except zmq.Again:
            self.stuck[node] = message
            return False
        except zmq.ZMQError:  # EHOSTUNREACH: the connection is gone
            self.routes.pop(node, None)
            self.exchange.lost(node, now(), "disconnected")
            return False
        return True

    # --- telling ------------------------------------------------------------------------------------------------

    def _write_links(self, *, force: bool = False, down: bool = False) -> None:
        moment = now()
        age = moment.mono - self.wrote
        if not force and age < QUICK:
            return
        states = {node: (one.state, one.reason) for node, one in self.exchange.peers.items()}
        if not force and states == self.written and age < PERIOD:
            return
        self._renew()
        self.wrote, self.written = moment.mono, states
        links = [self._link(one, moment, down=down) for one in self.exchange.peers.values()]
        counters = self.exchange.counters()
        refused = Counter(counters.pop("refused"))  # type: ignore[call-overload]
        refused.update(self.counts)
        refused.update(self.door.refused)
        found = {
            "at": moment.ms,
            "links": links,
            "heard": self.exchange.heard,
            "queues": self.exchange.backlog(),
            "counters": {**counters, "refused": refused},
        }
        _replace(self.settings.path("run", "links.json"), json.dumps(found).encode())

    def _link(self, one: Peer, moment: Now, *, down: bool) -> dict[str, object]:
        lanes, size = one.backlog()
        return {
            "peer": one.neighbour,
            "side": "parent" if one.up else "child",
            "state": "down" if down else one.state,
            "reason": one.reason,
            "since": clock.from_ms(one.since or moment.ms).isoformat(timespec="milliseconds"),
            "last_heard_ms": max(0, moment.ms - one.heard_ms) if one.heard_ms else None,
            "heard_at": one.heard_ms,
            "rtt_ms": one.rtt,
            "skew_ms": one.skew,
            "protocol": frames.HIGH,
            "software": one.software,
            "out_backlog": {"entries": lanes.total(), "bytes": size, "lanes": lanes},
        }

    def close(self) -> None:
        """Let go of every socket at once; nothing in them matters."""
        signal.set_wakeup_fd(-1)
        self._hang_up()
        self.context.destroy(linger=0)
        self.wake.close()
        self._waker.close()


def _messages(socket: zmq.Socket[bytes]) -> Iterator[list[bytes]]:
    for _ in range(AT_ONCE):
        try:
            yield socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return


def _route(router: zmq.Socket[bytes]) -> tuple[bytes, zmq.Frame | None]:
    """(routing id, message); None for a message that has not exactly one part."""
    route, *parts = router.recv_multipart(zmq.NOBLOCK, copy=False)
    return route.bytes, parts[0] if len(parts) == 1 else None


def _is_hello(data: bytes) -> bool:
    return data[: frames.SESSION] == frames.NO_SESSION


def _replace(path: Path, data: bytes) -> None:
    """Put a whole file in the place of another; what may be lost needs no sync."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    temporary.replace(path)

"""Signals: words of the moment from one node to another, such as presence and the set-up of a call. Nothing stores them.

A process of this node posts a signal to the courier's local socket and hears those for this node on another; between
nodes the courier carries them in the urgent lane. A signal that has expired, or comes twice, is dropped. The payload is
the sender's to seal; the signature is the ledger's epoch key's, so that whoever hears it knows which node spoke.
"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

import zmq

from node import clock, entry, keys
from node.codec import Sixteen, Value, pack, unpack
from node.errors import Forged, NodeError, Unreachable
from node.settings import Settings

LIFE = 30_000
"Milliseconds a signal may live."
MOST = 32 * 1024
"Bytes of a payload."


class Signal(Value, frozen=True):
    """Something of the moment for one node."""

    to: str
    origin: str
    expires: int
    "Milliseconds since 1970 UTC by the origin's clock."
    nonce: Sixteen
    payload: bytes
    chain: bytes
    "A chain of the origin's living epoch, whose key signs."
    signature: bytes = b""


class Asked(Protocol):
    """What of :class:`node.client.Ledger` is needed here."""

    def ask(self, name: str, *args: Any) -> Any: ...


def unsigned(signal: Signal) -> bytes:
    """The bytes that the epoch key signs."""
    return pack((signal.to, signal.origin, signal.expires, signal.nonce, signal.payload, signal.chain))


def make(ledger: Asked, here: str, to: str, payload: bytes, *, chain: bytes, life: int = LIFE) -> Signal:
    """A signed signal; ``chain`` is one that this node has opened since its ledger started."""
    bare = Signal(to, here, clock.ms() + min(life, LIFE), secrets.token_bytes(16), payload, chain)
    return Signal(bare.to, bare.origin, bare.expires, bare.nonce, bare.payload, bare.chain, ledger.ask("signal", unsigned(bare)))


def check(ledger: Asked, signal: Signal) -> None:
    """Refuse a signal that its origin did not sign; :class:`~node.errors.Missing` when its chain has not arrived here yet."""
    found = ledger.ask("found", signal.chain, 0, 1)
    if not found or found[0].author != signal.origin:
        raise Forged("a signal names a chain that is not its origin's", code="bad_signature")
    opening, _, _ = entry.read_opening(found[0].body)
    keys.verify(keys.from_raw(opening.epoch_key), signal.signature, b"yiwang.sign.signal.1\0" + unsigned(signal))


def post(settings: Settings, context: Any) -> Any:
    """A socket to send packed signals to the courier by; a courier that is not there drops them."""
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, 100)
    socket.connect(settings.socket("post"))
    return socket


def send(socket: Any, signal: Signal) -> None:
    """Give a signal to the courier; :class:`~node.errors.Unreachable` when it takes none."""
    try:
        socket.send(pack(signal), zmq.NOBLOCK)
    except zmq.Again:
        raise Unreachable("the courier takes no signals just now") from None


def listen(settings: Settings, context: Any) -> Any:
    """A socket on which signals for this node arrive; every listener hears all of them."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(settings.socket("signals"))
    return socket


def read(data: bytes) -> Signal | None:
    """The signal of some bytes, None when they are none."""
    try:
        return unpack(data, Signal)
    except NodeError:
        return None

"""One line to a node by hand: the greeting is said for its owner, and after it whatever frames it is given.

The tool dials as a node below would (DEALER, CURVE, Hello three times). It keeps count of the messages of its session and sends
beats, so that the line stands; neither frames nor their order are checked.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import Any

import zmq

from node import certs, clock
from node.codec import unpack
from node.entry import Lane
from node.errors import Invalid, NodeError, Unreachable
from node.requests import Batch
from ops import notation
from sync import frames

BEAT = 1.0
"Seconds between two beats."
Told = dict[str, Any]


class Wire:
    """A line and what is said on it."""

    def __init__(self, endpoint: str, *, secret: bytes, server: bytes, chain: tuple[bytes, ...], beats: bool = True) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        self._nonce, self._session = secrets.token_bytes(16), frames.NO_SESSION
        self._said, self._beaten, self._beats = 0, 0.0, beats
        self._their_beat = (0, 0)
        self._chain = chain
        self._node = certs.subject(certs.load(chain[0])).id if chain else ""
        self.socket.linger = 500
        self.socket.setsockopt(zmq.MAXMSGSIZE, frames.MAX_FRAME)
        try:
            self.socket.curve_serverkey, self.socket.curve_secretkey, self.socket.curve_publickey = server, secret, zmq.curve_public(secret)
            self.socket.connect(endpoint)
        except (zmq.ZMQError, ValueError) as e:
            self.close()
            raise Invalid(f"no line to {endpoint} can be made: {e}", code="usage") from None

    def close(self) -> None:
        """End the line; what was said is still sent."""
        self._context.destroy(linger=500)

    def greet(self, timeout: float) -> Told:
        """Say Hello until a session stands; :class:`~node.errors.Unreachable` when nobody answers."""
        self._hello(b"")
        for told in self.heard(timeout):
            if told.get("frame") is None or told["frame"]["$"] not in ("Hello", "Refuse"):
                continue
            if told["frame"]["$"] == "Refuse":
                return told
            theirs = bytes.fromhex(told["frame"]["nonce"]["$hex"])
            self._hello(theirs)
            self._session = frames.session(self._nonce, theirs)
            return told | {"event": "up", "session": self._session.hex()}
        raise Unreachable("nobody answers on this line", hint="address, --server-key, is the key known above?")

    def _hello(self, answer: bytes) -> None:
        hello = frames.Hello(frames.LOW, frames.HIGH, self._node, self._chain, self._nonce, answer, "yiwang wire")
        self.socket.send(frames.seal(frames.NO_SESSION, 0, frames.write(hello)))

    def say(self, order: Told) -> Told:
        """Send what one line of input asks for: a frame in notation, ``frame`` (its bytes), ``batch``, or ``message`` (bytes past all order)."""
        if "message" in order:
            message = bytes.fromhex(order["message"])
            self.socket.send(message)
            return {"event": "sent", "hex": message.hex()}
        data = _frame(order)
        self._said += int(order.get("skip", 0)) + 1
        session = bytes.fromhex(order["session"]) if "session" in order else self._session
        message = frames.seal(session, int(order.get("number", self._said)), data)
        self.socket.send(message)
        return {"event": "sent", "number": self._said, "hex": message.hex()}

    def heard(self, seconds: float) -> Iterator[Told]:
        """What the neighbour says within so many seconds; beats go out meanwhile."""
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            if self._beats and self._session != frames.NO_SESSION and time.monotonic() - self._beaten >= BEAT:
                self._beat()
            if self.socket.poll(int(min(rest, BEAT / 2) * 1000) + 1):
                yield self._told(self.socket.recv())

    def _beat(self) -> None:
        self._beaten = time.monotonic()
        at, received = self._their_beat
        self._said += 1
        beat = frames.Beat(clock.ms(), at, clock.ms() - received if at else 0)
        self.socket.send(frames.seal(self._session, self._said, frames.write(beat)))

    def _told(self, message: bytes) -> Told:
        session, number, data = frames.open_(message)
        told: Told = {"event": "received", "session": session.hex(), "number": number, "hex": message.hex()}
        try:
            frame = frames.read(data)
            if isinstance(frame, frames.Beat):
                self._their_beat = frame.at, clock.ms()
            return told | {"frame": notation.frame(data)}
        except NodeError as e:
            return told | {"frame": None, "detail": str(e)}


def _frame(order: Told) -> bytes:
    """The bytes of the frame that is meant."""
    if "frame" in order:
        return bytes.fromhex(order["frame"])
    if "batch" in order:
        raw = bytes.fromhex(order["batch"])
        batch = unpack(raw, Batch)
        lane = Lane(order.get("lane", "ordinary"))
        return frames.entries(batch.chain, batch.start, len(batch.entries), lane, raw)
    return notation.write({key: value for key, value in order.items() if key not in ("skip", "number", "session")}, raw=True)

"""Who may open a line: the ZAP door (ZeroMQ RFC 27) answers by the CURVE key alone, before any frame is read.

Keys of nodes that the directory places next to this one are let in under the node's id. While this node awaits a new
one (a token is open) unknown keys are let in as guests, who may say one thing only: Enrol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import zmq
from zmq.utils import z85

GUEST = "guest:"
"Prefix of a guest's user id; its key follows."


class Door:
    """Answers the context's handshakes; one for each context, served by whoever polls :attr:`socket`."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], guests: Callable[[], bool]) -> None:
        self.socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind("inproc://zeromq.zap.01")
        self.allowed: Mapping[str, str] = {}
        "CURVE public key (z85) to node id."
        self.refused: Counter[str] = Counter()
        self._guests = guests

    def serve(self) -> None:
        """Answer the handshakes that wait."""
        while True:
            try:
                version, request, _, _, _, mechanism, *credentials = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            user = self._user(mechanism, credentials)
            status, text = (b"200", b"OK") if user else (b"400", b"unknown key")
            self.socket.send_multipart([version, request, status, text, user.encode(), b""])

    def _user(self, mechanism: bytes, credentials: list[bytes]) -> str:
        if mechanism != b"CURVE" or len(credentials) != 1 or len(credentials[0]) != 32:
            self.refused["no_curve"] += 1
            return ""
        key = z85.encode(credentials[0]).decode()
        known = self.allowed.get(key)
        if known:
            return known
        if self._guests():
            return GUEST + key
        self.refused["unknown_key"] += 1
        return ""

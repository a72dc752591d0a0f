"""How a machine that is not a node yet asks to become one: dial the superior, say Enrol, wait for the answer."""

from __future__ import annotations

import zmq

from node import enrol
from node.codec import pack, unpack
from node.errors import BY_CODE, Forged, Refused, Unreachable, revive
from sync import frames

TIMEOUT = 30.0


def knock(endpoint: str, token: str, request: enrol.Request, *, secret: bytes, timeout: float = TIMEOUT) -> enrol.Answer:
    """The superior's answer to a request; ``secret`` is the new node's own CURVE secret key (z85).

    :class:`~node.errors.Unreachable` when nobody answers within ``timeout`` seconds, and whatever the superior refuses with.
    """
    join = enrol.read_token(token)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    line = context.socket(zmq.DEALER)
    try:
        line.linger = 0
        line.curve_serverkey, line.curve_secretkey, line.curve_publickey = join.curve.encode(), secret, zmq.curve_public(secret)
        line.setsockopt(zmq.MAXMSGSIZE, frames.MAX_FRAME)
        line.setsockopt(zmq.RECONNECT_IVL, 100)
        line.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        line.connect(endpoint)
        line.send(frames.seal(frames.NO_SESSION, 0, frames.write(frames.Enrol(token, pack(request)))))
        if not line.poll(int(timeout * 1000)):
            raise Unreachable(f"nobody answers at {endpoint}", hint="is the address right, is the superior running, is the token its own?")
        return _answer(line.recv())
    finally:
        context.destroy(linger=0)


def _answer(message: bytes) -> enrol.Answer:
    frame = frames.read(frames.open_(message)[2])
    if isinstance(frame, frames.Refuse):
        raise revive(frame.code, frame.text) if frame.code in BY_CODE else Refused(frame.text, code=frame.code)
    if not isinstance(frame, frames.Admitted):
        raise Forged("the superior did not answer the question", code="unexpected_frame")
    return unpack(frame.answer, enrol.Answer)

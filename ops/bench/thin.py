"""A thin line: a TCP proxy that passes a given number of bytes a second each way and keeps little under way, as a router does."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType

PIECE = 4096
BUFFER = 32 * 1024
"Bytes that the proxy's own sockets hold, so that what waits, waits with the sender."


class Thin:
    """Listens on ``port`` and leads to ``target`` at ``rate`` bytes a second each way."""

    def __init__(self, port: int, target: int, rate: int) -> None:
        self.rate, self._target = rate, target
        self._door = socket.socket()
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._door.bind(("127.0.0.1", port))
        self._door.listen()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Thin:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one in (self._door, *self._open):
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
                far = socket.socket()
                far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                far.connect(("127.0.0.1", self._target))
            except OSError:
                return
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        due = time.monotonic()
        try:
            while piece := source.recv(PIECE):
                due = max(due, time.monotonic()) + len(piece) / self.rate
                time.sleep(max(0.0, due - time.monotonic()))
                sink.sendall(piece)
        except OSError:
            pass
        for one in (source, sink):
            one.close()

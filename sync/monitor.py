"""What a ZeroMQ socket tells of its connections: its monitor's messages, read without ``zmq.utils``, which loads asyncio for it (7 MiB)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import zmq


def told(monitor: zmq.Socket[bytes]) -> Iterator[int]:
    """The events (``zmq.EVENT_…``) that wait in a monitor, each once.

    An event is two parts: its number and a value in the byte order of the machine, then the endpoint (zmq_socket_monitor(3)).
    """
    while True:
        try:
            about, _endpoint = monitor.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        yield int.from_bytes(about[:2], sys.byteorder)

"""A line of the demonstration carries, breaks and heals."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.supervise import wait_for


@pytest.fixture
def echo(ports: Callable[[], int]) -> Iterator[int]:
    """A server that sends back what it is sent."""
    door = socket.create_server(("127.0.0.1", ports()))

    def serve() -> None:
        while True:
            try:
                one, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=back, args=(one,), daemon=True).start()

    def back(one: socket.socket) -> None:
        while piece := one.recv(65536):
            one.sendall(piece)
        one.close()

    threading.Thread(target=serve, daemon=True).start()
    yield door.getsockname()[1]
    door.shutdown(socket.SHUT_RDWR)
    door.close()


@pytest.fixture
def line(tmp_path: Path, echo: int, ports: Callable[[], int]) -> Iterator[tuple[Path, int]]:
    """(folder, port) of a line that leads to the echo."""
    port = ports()
    while port == echo:
        port = ports()
    (tmp_path / "lines.json").write_text(json.dumps([{"name": "县", "listen": port, "target": echo}]))
    process = subprocess.Popen([sys.executable, "-P", "-m", "ops.line", str(tmp_path)], stderr=subprocess.DEVNULL)
    assert wait_for(lambda: reachable(port), 60)
    yield tmp_path, port
    process.terminate()
    assert process.wait(10) == 0


def reachable(port: int) -> bool:
    """Whether somebody takes connections at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_line_carries_both_ways(line: tuple[Path, int]) -> None:
    """Every byte sent into a line comes back from the other end, and an end of sending is passed on."""
    with socket.create_connection(("127.0.0.1", line[1]), timeout=5) as one:
        sent = b"\0\xff" * 50_000
        threading.Thread(target=one.sendall, args=(sent,), daemon=True).start()
        got = b""
        while len(got) < len(sent):
            got += one.recv(65536)
    assert got == sent


def test_a_cut_line_breaks_and_refuses_and_a_healed_one_carries(line: tuple[Path, int]) -> None:
    """Cutting ends what is under way and takes nothing more; healing needs no restart."""
    folder, port = line
    with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
        one.sendall(b"before")
        assert one.recv(16) == b"before"
        (folder / "县.cut").touch()
        assert one.recv(16) == b""
    assert wait_for(lambda: not reachable(port), 60)
    (folder / "县.cut").unlink()
    assert wait_for(lambda: reachable(port), 60)

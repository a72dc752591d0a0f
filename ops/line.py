"""Lines that can be cut: one process that forwards TCP connections between the nodes of a demonstration.

``lines.json`` in the folder names each line with the address it listens on and the one it leads to. A file
``<name>.cut`` beside it cuts that line: connections break, new ones are refused, as when a router has lost its way;
removing the file heals it. The nodes on both sides are not told and find out by themselves.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

LOOK = 0.2
"Seconds between two looks at the cut files."
PIECE = 64 * 1024
log = logging.getLogger("ops.line")


@dataclass
class Line:
    """One line and the connections on it."""

    name: str
    listen: tuple[str, int]
    target: tuple[str, int]
    door: socket.socket | None = None
    under_way: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def heal(self) -> None:
        """Take connections again."""
        if self.door is None:
            self.door = socket.create_server(self.listen, backlog=16)
            threading.Thread(target=self._serve, args=(self.door,), daemon=True).start()
            log.info("line %s is whole", self.name)

    def cut(self) -> None:
        """Break what is under way and take nothing more."""
        if self.door is None:
            return
        door, self.door = self.door, None
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        with self.lock:
            broken, self.under_way = self.under_way, set()
        for one in broken:
            _end(one)
        log.info("line %s is cut", self.name)

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self.target, timeout=5)
        except OSError:
            near.close()
            return
        for one in (near, far):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.under_way |= {near, far}
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self.lock:
            self.under_way -= {near, far}
        near.close()
        far.close()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(PIECE):
                sink.sendall(piece)
        except OSError:
            pass
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def load(folder: Path) -> list[Line]:
    """The lines that ``lines.json`` names."""
    rows = json.loads((folder / "lines.json").read_bytes())
    return [Line(name=row["name"], listen=("127.0.0.1", row["listen"]), target=("127.0.0.1", row["target"])) for row in rows]


def run(folder: Path) -> None:
    """Keep every line as its cut file says, until told to stop."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    lines = load(folder)
    while not told.wait(LOOK):
        for line in lines:
            line.cut() if (folder / f"{line.name}.cut").exists() else line.heal()


def main() -> None:
    """Keep the lines of the folder named on the command line."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(prog="ops.line")
    parser.add_argument("folder", type=Path)
    run(parser.parse_args().folder)


if __name__ == "__main__":
    main()

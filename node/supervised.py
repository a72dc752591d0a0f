"""What supervisord knows of a home's processes, asked over ``run/supervisor.sock``."""

from __future__ import annotations

import http.client
import os
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

from node.errors import Unreachable

SOCKET = "run/supervisor.sock"


class Line(http.client.HTTPConnection):
    """HTTP over a Unix socket of the node."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect, by the shorter of the absolute and the relative path (the kernel takes 107 bytes)."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(min(str(self._path), os.path.relpath(self._path), key=len))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._path, self._timeout = path, timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """A connection to the Unix socket, whatever the host."""
        self._connection = host, Line(self._path, self._timeout)
        return self._connection[1]


class Supervisor:
    """A living supervisord; every method raises :class:`Unreachable` when there is none."""

    def __init__(self, folder: Path, timeout: float = 5.0) -> None:
        self._rpc = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(folder / SOCKET, timeout)).supervisor

    def _ask(self, method: str, *args: Any) -> Any:
        try:
            return getattr(self._rpc, method)(*args)
        except (OSError, http.client.HTTPException) as e:
            raise Unreachable(f"no supervisor answers here: {e}", hint="yiwang run", code="stopped") from None
        except xmlrpc.client.Fault as e:
            raise Unreachable(f"supervisor: {e.faultString}", code="supervisor") from None

    def processes(self) -> list[dict[str, Any]]:
        """What supervisord knows of each process: name, statename, pid, start, exitstatus, spawnerr …"""
        found: list[dict[str, Any]] = self._ask("getAllProcessInfo")
        return found

    def pid(self) -> int:
        """The process id of supervisord itself."""
        return int(self._ask("getPID"))

    def start(self, name: str) -> None:
        """Start one process and wait until it has held for its ``startsecs``."""
        self._ask("startProcess", name, True)

    def stop(self, name: str) -> None:
        """Tell one process to stop; does not wait, and does not mind when it has ended."""
        try:
            self._ask("stopProcess", name, False)
        except Unreachable as e:
            if "NOT_RUNNING" not in e.message:
                raise

    def state(self, name: str) -> str:
        """The state of one process in supervisor's words."""
        return str(self._ask("getProcessInfo", name)["statename"])

    def shutdown(self) -> None:
        """End supervisord and whatever still runs under it."""
        self._ask("shutdown")

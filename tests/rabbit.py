"""A RabbitMQ of the tests' own: a private folder, private loopback ports, started as whoever runs the tests, ended with everything it started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.city import free_port


def program() -> Path | None:
    """RabbitMQ's own start script (Debian's wrapper would change the user); None when it is not installed."""
    return next(iter(sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))), None)


class Rabbit:
    """A broker that can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="yiwang-mq-"))
        self._port, self._dist, self._epmd = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}//"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        folder = self._folder
        given = {
            "HOME": folder,
            "RABBITMQ_NODENAME": f"yiwang{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": self._port,
            "RABBITMQ_DIST_PORT": self._dist,
            "ERL_EPMD_PORT": self._epmd,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": folder / "mnesia",
            "RABBITMQ_LOG_BASE": folder / "log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
            "RABBITMQ_CONFIG_FILE": folder / "none",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }
        script = program()
        assert script is not None
        with (folder / "out").open("ab") as out:
            surroundings = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | {name: str(value) for name, value in given.items()}
            self._process = subprocess.Popen([script], env=surroundings, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 90
        while not self._answers():
            assert time.monotonic() < until and self._process.poll() is None, (folder / "out").read_text()[-2000:]
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as line:
                line.sendall(b"AMQP\0\0\x09\1")
                return line.recv(1) != b""
        except OSError:
            return False

    def stop(self) -> None:
        """End it, whatever it is doing."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """End it and the port mapper that it started, and remove its folder."""
        self.stop()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"ERL_EPMD_PORT={self._epmd}\0".encode() in (entry / "environ").read_bytes()
                if ours and (entry / "comm").read_text().strip() == "epmd":
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:  # it has ended, or is somebody else's
                continue
        shutil.rmtree(self._folder, ignore_errors=True)

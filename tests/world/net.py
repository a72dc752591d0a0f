"""One living city for all tests of the world and of the browser: homes, processes and lines as ``yiwang demo up`` makes them.

``World`` starts it through the command alone; ``tests.world.guard`` ends it, also when the tests themselves are killed. It knows who
plays which role, cuts and heals lines, and asks ``yiwang`` as a script would.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from node.settings import Settings, load
from ops import demo
from ops.caller import Shell
from ops.demo import Place, User
from tests import schema
from tests.city import ROOT, wait

YIWANG = (sys.executable, "-P", "-m", "ops.cli")
FIRST_PORT = 30000
CITY, COUNTY, FIRST, SECOND = "滨州市", "无棣县", "水湾镇", "佘家镇"
PATIENCE = 60.0
"Seconds within which a healed network is whole again."


class World:
    """The city under test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shells: dict[str, Shell] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, first: int) -> None:
        """Make and start everything, portals from port ``first`` on."""
        self._guard = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.world.guard", str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        done = self.yiwang("demo", "up", "--dir", str(self.folder), "--web", str(first), "--listen", str(first + 100), timeout=280)
        assert done.returncode == 0, done.stdout + done.stderr
        self.network = demo.load(self.folder)

    @classmethod
    def running(cls, folder: Path) -> World:
        """A city that somebody else started and will end."""
        found = cls(folder)
        found.network = demo.load(folder)
        return found

    def stop(self) -> None:
        """End everything."""
        for shell in self._shells.values():
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                shell.close()
        if self._guard is not None:
            self._guard.communicate()

    # who and where

    def place(self, name: str) -> Place:
        """A node by its name."""
        return self.network.place(name)

    def home(self, name: str) -> Path:
        """Its home."""
        return self.place(name).path

    def settings(self, name: str) -> Settings:
        """Its settings."""
        return load(self.home(name))

    def organ(self, name: str) -> str:
        """Id of its government."""
        return demo.government(self.place(name))

    def who(self, name: str, role: str) -> User:
        """Somebody who plays a role for its government."""
        return self.network.user(self.place(name), role, self.organ(name))

    def login(self, login: str) -> User:
        """Somebody by sign-in name."""
        return next(one for one in self.network.users if one.login == login)

    # the command line

    def yiwang(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own."""
        return subprocess.run(
            [*YIWANG, *words], capture_output=True, text=True, encoding="utf-8", timeout=timeout, check=False, stdin=subprocess.DEVNULL
        )

    def at(self, name: str) -> Shell:
        """A living command line of a home."""
        if name not in self._shells:
            self._shells[name] = Shell(self.home(name))
        return self._shells[name]

    def ask(self, name: str, *words: str, timeout: float | None = None) -> dict[str, Any]:
        """The answer of a command that goes well, as its schema says."""
        found = self.at(name).ask(*words, timeout=timeout)
        assert not schema.wrong(found), schema.wrong(found)
        return found

    def shell(self, name: str) -> Shell:
        """Another command line of a home; whoever asks for it closes it."""
        return Shell(self.home(name))

    # lines

    def cut(self, name: str) -> None:
        """Cut the line above a node; returns when the node has noticed."""
        self._line(name, whole=False)

    def heal(self, name: str) -> None:
        """Make the line above a node whole; returns when the node has noticed."""
        self._line(name, whole=True)

    def _line(self, name: str, *, whole: bool) -> None:
        demo.cut(self.network, name, whole=whole)
        above = self.network.place(self.place(name).parent)
        self.ask(name, "status", "--wait", f"link={above.id}:{'up' if whole else 'down'}", timeout=PATIENCE)

    @contextlib.contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """The line above a node is cut inside the block."""
        self.cut(name)
        try:
            yield
        finally:
            self.heal(name)

    def settle(self) -> None:
        """Wait until every node is ready and has what the others have."""
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(lambda one: self._settled(one.name), self.network.nodes):
                assert found.returncode == 0, found.stdout[-3000:]
        wait(lambda: len({frozenset(self._heads(one.name)) for one in self.network.nodes}) == 1, timeout=PATIENCE, why="the nodes do not agree")

    def _settled(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.yiwang("--json", "--home", str(self.home(name)), "--timeout", "60", "status", "--wait", "ready,synced,idle", timeout=90)

    def _heads(self, name: str) -> Iterator[tuple[str, int]]:
        """How far the chains meant for everybody are known at a node."""
        for origin in self.ask(name, "status")["origins"]:
            for one in origin["epochs"]:
                if one["log"].startswith("all/"):
                    yield one["id"], one["count"]


def acting(user: User) -> tuple[str, ...]:
    """The words that say who acts."""
    return "--as", user.person, "--key", user.key


def free_ports(first: int) -> int:
    """The first of a run of ports that nobody has, from ``first`` on in steps of ten."""
    for start in range(first, first + 90, 10):
        if all(_free(port) for port in (*range(start, start + 4), start + 100, start + 101, *range(start + 400, start + 403))):
            return start
    raise AssertionError("no ports are free")


def _free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

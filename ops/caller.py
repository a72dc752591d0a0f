"""Calling the ``yiwang`` command of a home from another program, as a person or a script would."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from node.errors import NodeError, Unreachable, revive

Answer = dict[str, Any]


class Failed(NodeError):
    """A command said no; ``answer`` has all it said."""

    def __init__(self, error: NodeError, answer: Answer, code: int) -> None:
        super().__init__(error.message, code=error.code)
        self.answer, self.exit_code = answer, code
        self.retry = (answer.get("error") or {}).get("retry", error.retry)


def command(home: Path | None, *args: str, timeout: float | None = None) -> list[str]:
    """The words of a call in a process of its own."""
    return [sys.executable, "-P", "-m", "ops.cli", "--json", *(["--home", str(home)] if home else []), *_limit(timeout), *args]


def ask(home: Path | None, *args: str, timeout: float | None = None) -> Answer:
    """The one object a command answers with; :class:`Failed` when it says no."""
    done = subprocess.run(
        command(home, *args, timeout=timeout), capture_output=True, text=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL
    )
    return _checked(_objects(done.stdout.splitlines()), done.returncode, done.stderr)[-1]


class Shell:
    """One living ``yiwang batch`` of a home: calls cost no start of Python. One call at a time."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(self._home, "batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
        )

    def ask(self, *args: str, timeout: float | None = None) -> Answer:
        """The one object a command answers with; :class:`Failed` when it says no."""
        return self.lines(*args, timeout=timeout)[-1]

    def lines(self, *args: str, timeout: float | None = None) -> list[Answer]:
        """The objects of a command that answers in lines."""
        rows: list[str] = []
        with self._lock:
            source, sink = self._process.stdout, self._process.stdin
            assert source is not None and sink is not None
            try:
                sink.write(json.dumps([*_limit(timeout), *args]) + "\n")
                sink.flush()
                while text := source.readline():
                    if text.startswith('{"exit":'):
                        return _checked(_objects(rows), self._told(json.loads(text)), "")
                    rows.append(text)
            except OSError as e:
                raise Unreachable(f"the command has ended: {e}") from None
        raise Unreachable("the command has ended")

    def _told(self, end: Answer) -> int:
        """The exit code of a command; a process that says it was its last is followed by another."""
        if end.get("last"):
            self.close()
            self._process = self._start()
        return int(end["exit"])

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)


class Shells:
    """A shell for each home that is asked, all ended together."""

    def __init__(self) -> None:
        self._open: dict[Path, Shell] = {}
        self._lock = threading.Lock()

    def of(self, home: Path) -> Shell:
        """The shell of a home, started when first asked for."""
        with self._lock:
            if home not in self._open:
                self._open[home] = Shell(home)
            return self._open[home]

    def __enter__(self) -> Shells:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for shell in self._open.values():
            shell.close()


def _limit(timeout: float | None) -> list[str]:
    return ["--timeout", str(timeout)] if timeout else []


def _objects(rows: Iterable[str]) -> list[Answer]:
    return [json.loads(row) for row in rows if row.startswith("{")]


def _checked(answers: list[Answer], code: int, told: str) -> list[Answer]:
    """The answers of a command that went well; :class:`Failed` otherwise."""
    last = answers[-1] if answers else {}
    if not code:
        return answers
    said = last.get("error") or {"code": "error", "message": told.strip()[-2000:] or f"exit {code}"}
    raise Failed(revive(said["code"], said["message"]), last, code)

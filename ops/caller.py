"""Calling the ``yiwang`` command of a home from another program, as a person or a script would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from node.errors import NodeError, revive

Answer = dict[str, Any]


class Failed(NodeError):
    """A command said no; ``answer`` has all it said."""

    def __init__(self, error: NodeError, answer: Answer, code: int) -> None:
        super().__init__(error.message, code=error.code)
        self.answer, self.exit_code, self.retry = answer, code, error.retry


def command(home: Path | None, *args: str, timeout: float | None = None) -> list[str]:
    """The words of a call."""
    options = ["--json", *(["--home", str(home)] if home else []), *(["--timeout", str(timeout)] if timeout else [])]
    return [sys.executable, "-P", "-m", "ops.cli", *options, *args]


def ask(home: Path | None, *args: str, timeout: float | None = None) -> Answer:
    """The one object a command answers with; :class:`Failed` when it says no."""
    done = _run(home, args, timeout)
    answer = _last(done.stdout)
    if done.returncode:
        raise _failure(done, answer)
    return answer


def lines(home: Path | None, *args: str, timeout: float | None = None) -> list[Answer]:
    """The objects of a command that answers in lines."""
    done = _run(home, args, timeout)
    if done.returncode:
        raise _failure(done, _last(done.stdout))
    return [json.loads(row) for row in done.stdout.splitlines() if row.strip()]


def _run(home: Path | None, args: Sequence[str], timeout: float | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *args, timeout=timeout), capture_output=True, text=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL
    )


def _last(text: str) -> Answer:
    rows = [row for row in text.splitlines() if row.strip()]
    try:
        found = json.loads(rows[-1]) if rows else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _failure(done: subprocess.CompletedProcess[str], answer: Answer) -> Failed:
    said = answer.get("error") or {"code": "error", "message": done.stderr.strip()[-2000:] or f"exit {done.returncode}"}
    return Failed(revive(said["code"], said["message"]), answer, done.returncode)

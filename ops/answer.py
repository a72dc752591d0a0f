"""What a command answers: fields for programs, a text for people, an exit code; and the envelope around them.

With ``--json`` standard output carries exactly one object, or one object a line where a command answers in lines.
Every object has ``v``, ``cmd``, ``ok``, ``node`` and ``at``; a failure has ``error`` too (docs/operations.md).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.errors import Misconfigured, NodeError
from node.settings import Settings, load

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one command found or did."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    "For people; empty to print the fields."
    exit: int = 0
    ok: bool | None = None
    "Only where it is not simply ``exit == 0``."
    error: NodeError | None = None
    "A failure beside fields that are present and true; its exit code is the answer's."
    indeterminate: bool = False


@dataclass(frozen=True, kw_only=True)
class Lines:
    """An answer of many objects, printed as they come; ``plain`` lines stand without envelope, as other programs read them."""

    rows: Iterator[Mapping[str, Any]]
    plain: bool = False


@dataclass(frozen=True, kw_only=True)
class Call:
    """The global options of one call."""

    home: Path | None
    json: bool
    timeout: float | None
    "Seconds the person is ready to wait; None when nothing was said."
    begun: float = field(default_factory=time.monotonic)

    def settings(self) -> Settings:
        """The settings of the home; a usage error when none was named."""
        if self.home is None:
            raise Misconfigured("no home was named", hint="--home DIR, or YIWANG_HOME", code="usage")
        return load(self.home)

    def wait(self, default: float) -> float:
        """Seconds left to wait for something; ``default`` when nothing was said."""
        return default if self.timeout is None else max(0.0, self.timeout - (time.monotonic() - self.begun))

    def node(self) -> str | None:
        """The id of the node at the home, where there is one."""
        try:
            return load(self.home).id if self.home else None
        except NodeError:
            return None


def problem(error: NodeError, *, indeterminate: bool = False) -> dict[str, Any]:
    """The ``error`` field of a failure."""
    return {"code": error.code, "message": str(error), "retry": error.retry, "indeterminate": indeterminate or bool(error.about.get("indeterminate"))}


def envelope(cmd: str, node: str | None, ok: bool, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields inside what every object has."""
    from node import clock

    return {"v": FORMAT, "cmd": cmd, "ok": ok, "node": node, "at": clock.now().astimezone().isoformat(timespec="milliseconds"), **fields}


def line(value: Mapping[str, Any]) -> str:
    """One object as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def prose(fields: Mapping[str, Any], depth: int = 0) -> str:
    """Fields as indented lines, for people, where a command has no text of its own."""
    rows: list[str] = []
    for key, value in fields.items():
        pad = "  " * depth
        if isinstance(value, Mapping) and value:
            rows += [f"{pad}{key}:", prose(value, depth + 1)]
        elif isinstance(value, (list, tuple)) and value:
            rows.append(f"{pad}{key}:")
            rows += [prose(one, depth + 1) + "\n" if isinstance(one, Mapping) else f"{pad}  {one}" for one in value]
        else:
            rows.append(f"{pad}{key}: {'-' if value in (None, '', [], {}, ()) else value}")
    return "\n".join(row.rstrip("\n") for row in rows)

"""Logs: one JSON object a line on standard error, an event name and pairs. Never bodies, never a person's name or address."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, Any] = {"at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"}
        row |= {"level": record.levelname.lower(), "log": record.name, "event": record.getMessage()}
        row |= getattr(record, "pairs", {})
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False, default=str)


class Log:
    """A named log whose calls take pairs: ``log.info("entries.taken", chain=..., count=...)``."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)

    def info(self, event: str, **pairs: Any) -> None:
        """Something an operator may want to know."""
        self._log.info(event, extra={"pairs": pairs})

    def warning(self, event: str, **pairs: Any) -> None:
        """Something refused or put off."""
        self._log.warning(event, extra={"pairs": pairs})

    def error(self, event: str, *, trace: bool = False, **pairs: Any) -> None:
        """Something that needs a person, with the traceback when asked."""
        self._log.error(event, extra={"pairs": pairs}, exc_info=trace)


def named(name: str) -> Log:
    """The log of one part."""
    return Log(f"yiwang.{name}")


def start(level: int = logging.INFO) -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("yiwang").setLevel(level)

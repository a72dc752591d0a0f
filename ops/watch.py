"""The watch: listens to supervisord's events, counts restarts, notices crash loops and processes that hang.

Supervisord speaks its event protocol over standard input and output (supervisord.org/events.html). What is found goes to
``run/watch.json``, which ``yiwang status`` reads. A process touches ``run/<role>.beat`` while it lives; a beat older than
``HUNG`` seconds under a running process is a hang. It imports next to nothing, because it runs on every node.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

WINDOW, CRASHES = 60.0, 3
"A process that ended unbidden so many times within so many seconds is in a crash loop."
HUNG = 15.0
"Seconds without a beat after which a running process is taken for hung."
LOOK = 5.0
"Seconds between two looks at the beats."


@dataclass
class Watched:
    """What is known of one process."""

    pid: int = 0
    state: str = ""
    restarts: int = 0
    since: float = 0.0
    "When it last came up or ended, seconds since 1970."
    ends: list[float] = field(default_factory=list)
    "Times of its unbidden ends within the window."
    hung: bool = False


class Watch:
    """The counts, fed with events and the time."""

    def __init__(self) -> None:
        self.known: dict[str, Watched] = {}

    def heard(self, event: str, told: dict[str, str], now: float) -> None:
        """Take one supervisord event ``PROCESS_STATE_…`` with its payload."""
        one = self.known.setdefault(told["processname"], Watched())
        state = event.removeprefix("PROCESS_STATE_").lower()
        one.state, one.since, one.pid = state, now, int(told.get("pid", "0"))
        if state in ("exited", "backoff", "fatal"):
            one.ends = [at for at in one.ends if now - at < WINDOW] + [now]
            one.restarts += 1
            one.hung = False

    def looked(self, beats: dict[str, float], now: float) -> None:
        """Take the times of the last beats (seconds since 1970)."""
        for role, one in self.known.items():
            one.hung = one.state == "running" and role in beats and now - max(beats[role], one.since) > HUNG

    def report(self, now: float) -> dict[str, object]:
        """What status shows: processes and alarms."""
        alarms = [
            self._alarm("crash_loop", role, one, now)
            for role, one in self.known.items()
            if len([at for at in one.ends if now - at < WINDOW]) >= CRASHES
        ]
        alarms += [self._alarm("hung_process", role, one, now) for role, one in self.known.items() if one.hung]
        rows = {role: {"restarts": one.restarts, "since": one.since, "state": one.state, "hung": one.hung} for role, one in self.known.items()}
        return {"at": now, "processes": rows, "alarms": alarms}

    @staticmethod
    def _alarm(kind: str, role: str, one: Watched, now: float) -> dict[str, object]:
        since = one.ends[0] if kind == "crash_loop" else one.since
        return {"id": f"{kind}:{role}", "kind": kind, "severity": "critical", "since": since, "subject": role, "detail": f"{one.restarts} restarts"}


def _write(home: Path, report: dict[str, object]) -> None:
    new = home / "run/watch.json.new"
    new.write_text(json.dumps(report))
    new.replace(home / "run/watch.json")


def _beats(home: Path) -> dict[str, float]:
    return {file.stem: file.stat().st_mtime for file in (home / "run").glob("*.beat")}


def _pairs(text: str) -> dict[str, str]:
    return dict(word.split(":", 1) for word in text.split() if ":" in word)


def _event(stream: int) -> tuple[str, dict[str, str]] | None:
    """The next event; None when supervisord has closed the line."""
    head = b""
    while not head.endswith(b"\n"):
        byte = os.read(stream, 1)
        if not byte:
            return None
        head += byte
    about = _pairs(head.decode())
    body = b""
    while len(body) < int(about["len"]):
        part = os.read(stream, int(about["len"]) - len(body))
        if not part:
            return None
        body += part
    return about["eventname"], _pairs(body.decode())


def run(home: Path) -> None:
    """Listen until supervisord closes the line."""
    watch, stream = Watch(), sys.stdin.fileno()
    os.write(sys.stdout.fileno(), b"READY\n")
    while True:
        now = time.time()
        if select.select([stream], [], [], LOOK)[0]:
            event = _event(stream)
            if event is None:
                return
            watch.heard(*event, time.time())
            os.write(sys.stdout.fileno(), b"RESULT 2\nOKREADY\n")
        watch.looked(_beats(home), now)
        _write(home, watch.report(now))


def main() -> None:
    """Listen for the node at ``--home``."""
    parser = argparse.ArgumentParser(prog="ops.watch")
    parser.add_argument("--home", type=Path, required=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    run(parser.parse_args().home)


if __name__ == "__main__":
    main()

"""The watch: listens to supervisord's events, counts restarts, notices crash loops, ends processes that hang.

Supervisord speaks its event protocol over standard input and output (supervisord.org/events.html). A process touches ``run/<role>.beat``
from its own loop (:mod:`node.beat`). One whose beat stands still is killed, so that supervisord starts it afresh. How
long is too long depends on what it is doing: one that is stopped or asleep gets ``HUNG`` seconds; one that wants the processor gets
``HUNG`` seconds *of the processor*, since on a busy machine nobody comes round quickly; one that waits for a disk gets ``DISK``. Nobody is judged
by the clock on the wall, which may be set, nor for a time in which the watch itself stood still.

What is found goes to ``run/watch.json``, which ``yiwang status`` reads. It imports next to nothing, because it runs on every node.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WINDOW, CRASHES = 60.0, 3
"A process that ended unbidden so many times within so many seconds is in a crash loop."
LOOK = 2.0
"Seconds between two looks at the beats."
HUNG, DISK = 10.0, 60.0
"Seconds without a beat after which a process is taken for hung; and for one that waits for a disk."
TOLD = 600.0
"Seconds for which an alarm about a hang stays after the process was killed."
ENDED = ("exited", "stopped", "backoff", "fatal")


@dataclass(frozen=True)
class Seen:
    """One look at a process."""

    beat: int
    "When it last touched its file, in the file system's nanoseconds; 0 while it has not begun to."
    doing: str
    "State in the words of proc(5): R, S, D, T …; empty when there is no such process."
    used: float
    "Processor time it has used in all, seconds."


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
    hangs: list[float] = field(default_factory=list)
    "When it was found hung, of late."
    beat: int = 0
    beaten: tuple[float, float] = (0.0, 0.0)
    "At the last change of the beat: the watch's own steady clock, and the processor time used."


class Watch:
    """The counts, fed with events and looks."""

    def __init__(self) -> None:
        self.known: dict[str, Watched] = {}
        self.looked_at = 0.0

    def resume(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what an earlier watch of the same supervisord knew."""
        for role, row in told.items():
            self.known[role] = Watched(pid=row["pid"], state=row["state"], restarts=row["restarts"], since=row["since"])

    def heard(self, event: str, told: Mapping[str, str], now: float) -> str:
        """Take one supervisord event ``PROCESS_STATE_…`` with its payload; answers with the state."""
        one = self.known.setdefault(told["processname"], Watched())
        state = event.removeprefix("PROCESS_STATE_").lower()
        one.state, one.since, one.pid = state, now, int(told.get("pid", "0"))
        if state in ("exited", "backoff", "fatal"):
            one.ends = [at for at in one.ends if now - at < WINDOW] + [now]
            one.restarts += 1
        if state in ENDED:
            one.hung, one.beat = False, 0
        return state

    def looked(self, seen: Mapping[str, Seen], steady: float, now: float) -> list[str]:
        """Take a look at the processes; the roles that hang. ``steady`` is a clock that nobody sets."""
        stood_still = steady - self.looked_at > 3 * LOOK
        self.looked_at = steady
        for role, look in seen.items():
            one = self.known.setdefault(role, Watched())
            if stood_still or look.beat != one.beat or not look.beat:
                one.beat, one.beaten = look.beat, (steady, look.used)
            hung = one.state == "running" and look.beat != 0 and _too_long(look, steady - one.beaten[0], look.used - one.beaten[1])
            if hung and not one.hung:
                one.hangs = [at for at in one.hangs if now - at < TOLD] + [now]
            one.hung = hung
        return [role for role in seen if self.known[role].hung]

    def report(self, now: float) -> dict[str, object]:
        """What status shows: processes and alarms."""
        alarms = [
            self._alarm("crash_loop", role, one, one.ends[0], f"{one.restarts} restarts")
            for role, one in self.known.items()
            if len([at for at in one.ends if now - at < WINDOW]) >= CRASHES
        ]
        for role, one in self.known.items():
            late = [at for at in one.hangs if now - at < TOLD]
            if late:
                alarms.append(self._alarm("hung_process", role, one, late[0], "does not come round" if one.hung else "killed and started afresh"))
        rows = {
            role: {"restarts": one.restarts, "since": one.since, "state": one.state, "hung": one.hung, "pid": one.pid}
            for role, one in self.known.items()
        }
        return {"at": now, "processes": rows, "alarms": alarms}

    @staticmethod
    def _alarm(kind: str, role: str, one: Watched, since: float, detail: str) -> dict[str, object]:
        return {"id": f"{kind}:{role}", "kind": kind, "severity": "critical", "since": since, "subject": role, "detail": detail}


def _too_long(look: Seen, passed: float, used: float) -> bool:
    """Whether a process has not come round for longer than anything excuses."""
    if look.doing == "D":
        return passed > DISK
    return (used if look.doing == "R" else passed) > HUNG


def _write(home: Path, report: dict[str, object]) -> None:
    new = home / "run/watch.json.new"
    try:
        new.write_text(json.dumps(report))
        new.replace(home / "run/watch.json")
    except OSError as e:  # a full disk must not end the only one who looks after the others
        print(f"watch.json: {e}", file=sys.stderr)


def _former(home: Path) -> dict[str, Any]:
    """What an earlier watch wrote; nothing when there was none, for the file goes when a node is started."""
    try:
        found: dict[str, Any] = json.loads((home / "run/watch.json").read_bytes())["processes"]
    except (OSError, ValueError, KeyError):
        return {}
    return found


def _look(home: Path, watch: Watch) -> dict[str, Seen]:
    """Look at all processes that run."""
    seen = {}
    for role, one in watch.known.items():
        if one.state != "running" or not one.pid:
            continue
        doing, parent, used = _process(one.pid)
        try:
            beat = (home / f"run/{role}.beat").stat().st_mtime_ns
        except OSError:
            beat = 0
        if parent == os.getppid():  # else the number has been given to a stranger, whose end supervisord is about to tell
            seen[role] = Seen(beat, doing, used)
    return seen


def _process(pid: int) -> tuple[str, int, float]:
    """(state, parent, processor seconds) of a process; see proc(5)."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return "", 0, 0.0
    return words[0], int(words[1]), (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _kill(pid: int) -> None:
    """End a process and what it started, whatever it is doing."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError as e:
        print(f"cannot end {pid}: {e}", file=sys.stderr)


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
    watch.resume(_former(home))
    os.write(sys.stdout.fileno(), b"READY\n")
    next_look = 0.0
    while True:
        if select.select([stream], [], [], max(0.0, next_look - time.monotonic()))[0]:
            event = _event(stream)
            if event is None:
                return
            if watch.heard(*event, time.time()) in ENDED:
                (home / f"run/{event[1]['processname']}.beat").unlink(missing_ok=True)
            _write(home, watch.report(time.time()))  # before the answer: what is answered is never told again
            os.write(sys.stdout.fileno(), b"RESULT 2\nOKREADY\n")
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + LOOK
            hung = watch.looked(_look(home, watch), time.monotonic(), time.time())
            _write(home, watch.report(time.time()))
            for role in hung:
                _kill(watch.known[role].pid)


def main() -> None:
    """Listen for the node at ``--home``."""
    parser = argparse.ArgumentParser(prog="ops.watch")
    parser.add_argument("--home", type=Path, required=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    run(parser.parse_args().home)


if __name__ == "__main__":
    main()

"""The watch counts ends, notices crash loops and hangs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ops.supervise import wait_for
from ops.watch import CRASHES, HUNG, WINDOW, Watch


def told(role: str) -> dict[str, str]:
    """A supervisor event's payload."""
    return {"processname": role, "groupname": role, "pid": "7"}


def test_three_ends_within_a_minute_are_a_crash_loop() -> None:
    """Each unbidden end counts as a restart; three within the window raise one alarm, which goes when they are past."""
    watch = Watch()
    for n in range(CRASHES):
        assert not watch.report(float(n))["alarms"]
        watch.heard("PROCESS_STATE_EXITED", told("portal"), float(n))
    report = watch.report(10.0)
    assert [row["kind"] for row in report["alarms"]] == ["crash_loop"]
    assert report["processes"]["portal"]["restarts"] == CRASHES
    assert not watch.report(WINDOW + CRASHES + 1)["alarms"]


def test_a_bidden_stop_is_no_crash() -> None:
    """Stopping a process by order counts for nothing."""
    watch = Watch()
    for state in ("STARTING", "RUNNING", "STOPPING", "STOPPED"):
        watch.heard(f"PROCESS_STATE_{state}", told("clerk"), 1.0)
    assert watch.report(2.0)["processes"]["clerk"]["restarts"] == 0


def test_a_beat_that_stops_is_a_hang() -> None:
    """A running process whose beat is old is hung; one that never beats is not judged."""
    watch = Watch()
    for role in ("portal", "clerk"):
        watch.heard("PROCESS_STATE_RUNNING", told(role), 0.0)
    watch.looked({"portal": 5.0}, 5.0 + HUNG - 1)
    assert not watch.report(1.0)["alarms"]
    watch.looked({"portal": 5.0}, 5.0 + HUNG + 1)
    assert [(row["kind"], row["subject"]) for row in watch.report(1.0)["alarms"]] == [("hung_process", "portal")]


def test_it_speaks_the_listener_protocol(tmp_path: Path) -> None:
    """It says READY, answers each event with OK, writes watch.json, and ends when supervisor closes the line."""
    (tmp_path / "run").mkdir()
    process = subprocess.Popen([sys.executable, "-P", "-m", "ops.watch", "--home", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    assert process.stdout.read(6) == b"READY\n"
    body = "processname:水 groupname:ledger from_state:RUNNING expected:0 pid:77".encode()
    process.stdin.write(b"ver:3.0 server:s serial:1 pool:watch poolserial:1 eventname:PROCESS_STATE_EXITED len:%d\n" % len(body) + body)
    process.stdin.flush()
    assert process.stdout.read(17) == b"RESULT 2\nOKREADY\n"
    file = tmp_path / "run/watch.json"
    assert wait_for(lambda: file.exists() and json.loads(file.read_text())["processes"]["水"]["restarts"] == 1, 10)
    process.stdin.close()
    assert process.wait(10) == 0

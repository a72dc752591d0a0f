"""The watch counts ends, notices crash loops and hangs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ops.supervise import wait_for
from ops.watch import CRASHES, DISK, HUNG, LOOK, TOLD, WINDOW, Seen, Watch


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


def running(*roles: str) -> Watch:
    """A watch that has heard that these processes run, and has looked at them once."""
    watch = Watch()
    for role in roles:
        watch.heard("PROCESS_STATE_RUNNING", told(role), 0.0)
    watch.looked({role: Seen(1, "S", 0.0) for role in roles}, 1000.0, 0.0)
    return watch


def looks(watch: Watch, role: str, doing: str, seconds: float, *, beat: int = 1, used: float = 0.0) -> list[str]:
    """Look at a process every two seconds for so long, its beat standing still; what the last look found."""
    found: list[str] = []
    for n in range(1, int(seconds / LOOK) + 1):
        found = watch.looked({role: Seen(beat, doing, used * n * LOOK / seconds)}, watch.looked_at + LOOK, n * LOOK)
    return found


@pytest.mark.promise("P25")
@pytest.mark.parametrize("doing", ["S", "T"])
def test_a_beat_that_stops_is_a_hang(doing: str) -> None:
    """A process asleep or stopped whose beat stands still for more than ten seconds hangs; the alarm stays when it runs again."""
    watch = running("portal", "clerk")
    assert looks(watch, "portal", doing, HUNG) == []
    assert looks(watch, "portal", doing, LOOK) == ["portal"]
    for state in ("EXITED", "STARTING", "RUNNING"):
        watch.heard(f"PROCESS_STATE_{state}", told("portal"), 20.0)
    assert watch.looked({"portal": Seen(0, "S", 0.1)}, watch.looked_at + LOOK, 22.0) == []
    assert [(row["kind"], row["subject"]) for row in watch.report(22.0)["alarms"]] == [("hung_process", "portal")]
    assert watch.report(TOLD + 20.0)["alarms"] == []


def test_a_busy_machine_is_no_hang() -> None:
    """A process that wants the processor and does not get it is not judged; one that has used ten seconds of it without coming round is."""
    assert looks(running("ledger"), "ledger", "R", 300.0, used=2.0) == []
    assert looks(running("ledger"), "ledger", "R", 14.0, used=13.0) == ["ledger"]


def test_a_slow_disk_is_no_hang_at_once() -> None:
    """A process that waits for a disk gets a minute."""
    assert looks(running("ledger"), "ledger", "D", DISK) == []
    assert looks(running("ledger"), "ledger", "D", DISK + LOOK) == ["ledger"]


def test_what_never_beat_and_what_slept_with_the_machine_is_not_judged() -> None:
    """A process that does not beat is left alone; after the whole machine stood still everybody begins anew."""
    assert looks(running("line"), "line", "S", 100.0, beat=0) == []
    watch = running("portal")
    assert watch.looked({"portal": Seen(1, "S", 0.0)}, 5000.0, 4000.0) == []


def test_a_watch_that_comes_back_knows_what_it_knew() -> None:
    """A watch that was killed itself takes over numbers and processes from what it wrote."""
    watch = running("portal")
    again = Watch()
    again.resume(watch.report(1.0)["processes"])
    assert again.report(1.0) == watch.report(1.0)


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
    assert wait_for(lambda: file.exists() and json.loads(file.read_text())["processes"]["水"]["restarts"] == 1, 60)
    process.stdin.close()
    assert process.wait(10) == 0

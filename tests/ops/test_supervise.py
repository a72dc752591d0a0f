"""Supervisor keeps processes alive and stops them in order."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.errors import Misconfigured, Unreachable
from ops import supervise
from ops.supervise import Program, Supervisor, running, wait_for
from tests.ops.conftest import end

CLEAN = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


BEATING = "import itertools, pathlib, time; any(time.sleep(0.5) or pathlib.Path('run/one.beat').touch() for _ in itertools.count())"


def python(name: str, text: str) -> Program:
    """A process that runs a line of Python."""
    return Program(name=name, command=(sys.executable, "-c", text))


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a blank in its name and a Chinese one, short enough for a socket; whatever runs in it is ended."""
    folder = tmp_path_factory.mktemp("s") / "无棣 100%县"
    folder.mkdir()
    yield folder
    end(folder)


def started(home: Path, *programs: Program) -> Supervisor:
    """A supervisor of these programs, all up."""
    watch = Program(name="watch", command=(sys.executable, "-P", "-m", "ops.watch", "--home", str(home)), priority=1, listener=True)
    supervise.write(home, [watch, *programs])
    supervise.start(home)
    boss = Supervisor(home)
    assert wait_for(lambda: all(one["statename"] == "RUNNING" for one in boss.processes()), 60)
    return boss


def test_a_killed_process_comes_back(home: Path) -> None:
    """After kill -9 a process runs again within five seconds, with another pid, and the watch has counted it."""
    boss = started(home, python("one", CLEAN))
    pid = next(row["pid"] for row in boss.processes() if row["name"] == "one")
    os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: any(row["name"] == "one" and row["statename"] == "RUNNING" and row["pid"] != pid for row in boss.processes()), 60)
    assert wait_for(lambda: json.loads((home / "run/watch.json").read_text())["processes"]["one"]["restarts"] == 1, 60)


def test_a_stopped_process_is_found_and_started_afresh(home: Path) -> None:
    """A process that gets SIGSTOP is killed within fifteen seconds and runs again; the alarm says so."""
    boss = started(home, python("one", BEATING))

    def watched() -> dict[str, Any]:
        return dict(json.loads((home / "run/watch.json").read_text()))

    def pid() -> int:
        return next(int(row["pid"]) for row in boss.processes() if row["name"] == "one" and row["statename"] in ("RUNNING", "STARTING"))

    first = pid()
    assert wait_for(lambda: (home / "run/one.beat").exists() and "one" in watched()["processes"], 60)
    os.kill(first, signal.SIGSTOP)
    assert wait_for(lambda: not running(first), 60)
    assert wait_for(lambda: boss.state("one") == "RUNNING" and pid() != first, 60)
    assert wait_for(lambda: [(row["kind"], row["subject"]) for row in watched()["alarms"]] == [("hung_process", "one")], 60)
    assert watched()["processes"]["one"]["restarts"] == 1


def test_stopping_tells_who_ended_clean(home: Path) -> None:
    """A process that obeys ends clean; one that must be killed is told apart; both are gone within ten seconds."""
    started(home, python("good", CLEAN), python("bad", STUBBORN))
    begun = time.monotonic()
    assert supervise.stop(home) == {"good": True, "bad": False}
    assert time.monotonic() - begun < 10
    assert not supervise.alive(home)


def test_the_ledger_is_stopped_last(home: Path) -> None:
    """Everything else has ended before the ledger is told to end."""
    end_file = "lambda *_: (pathlib.Path('{name}').write_text(str(time.time())), sys.exit(0))"
    note = f"import signal, sys, time, pathlib; signal.signal(signal.SIGTERM, {end_file}); time.sleep(600)"
    started(home, python("ledger", note.format(name="ledger.end")), python("portal", note.format(name="portal.end")))
    supervise.stop(home)
    assert float((home / "portal.end").read_text()) < float((home / "ledger.end").read_text())


def test_only_the_owner_may_speak_to_it(home: Path) -> None:
    """The control socket and its folder are closed to others."""
    started(home, python("one", CLEAN))
    assert (home / supervise.SOCKET).stat().st_mode & 0o077 == 0
    assert (home / "run").stat().st_mode & 0o077 == 0


def test_a_path_too_long_is_told_before_anything_starts(tmp_path: Path) -> None:
    """A home whose socket path the kernel would not take is refused with a sentence."""
    deep = tmp_path / ("x" * 90) / "y"
    supervise.write(deep, [])
    with pytest.raises(Misconfigured, match="too long"):
        supervise.start(deep)


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    """Asking where no supervisor runs says so and does not wait."""
    with pytest.raises(Unreachable):
        Supervisor(tmp_path).pid()

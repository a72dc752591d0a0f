"""Ends a city when whoever started it is gone: ``python -m tests.world.guard FOLDER``.

It holds one end of a pipe whose other end only the tests have. When that closes, because the tests are over or because they were
killed, it ends the city: first as ``yiwang demo down`` does, then by the ids of the processes that its supervisors started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ops import supervise


def main() -> None:
    """Wait for the end of standard input, then end the city in the folder named on the command line."""
    folder = Path(sys.argv[1])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    known = list(processes(folder))
    with contextlib.suppress(subprocess.TimeoutExpired):
        down = [sys.executable, "-P", "-m", "ops.cli", "demo", "down", "--dir", str(folder)]
        subprocess.run(down, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
    for pid in known:
        if supervise.running(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def processes(folder: Path) -> Iterator[int]:
    """Every process of every home, supervisors first so that nothing is started again."""
    for file in folder.glob("*/run/supervisor.pid"):
        with contextlib.suppress(OSError, ValueError):
            yield int(file.read_text())
    for file in folder.glob("*/run/supervisor.sock"):
        with contextlib.suppress(Exception):
            yield from (one["pid"] for one in supervise.Supervisor(file.parent.parent, timeout=2).processes() if one["pid"])


if __name__ == "__main__":
    main()

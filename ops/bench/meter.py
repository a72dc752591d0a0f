"""What processes and lines use, read from the kernel, and the lines that a measurement prints."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def emit(bench: str, **figures: object) -> None:
    """Print one result."""
    print(json.dumps({"bench": bench} | figures, ensure_ascii=False), flush=True)


def attempt(part: str, act: Callable[[], object]) -> None:
    """Measure one part; when it cannot be measured its line says why, and whoever asked goes on with the next."""
    try:
        act()
    except Exception as error:
        emit(f"yiwang.{part}", failed=f"{type(error).__name__}: {error}")
        note("".join(traceback.format_exception(error)))


def note(text: str) -> None:
    """Say what is going on, beside the results."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def cpu(pids: Iterable[int]) -> float:
    """Processor seconds (user and system) that processes, with their ended children, have used."""
    return sum(_ticks(pid) for pid in pids) / TICK


def _ticks(pid: int) -> int:
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return sum(int(value) for value in line.rpartition(")")[2].split()[11:15])


def tree(roots: Iterable[int]) -> list[int]:
    """Processes and all their descendants."""
    below: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(folder.name))
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += below.get(pid, [])
    return found


def pss(pids: Iterable[int]) -> float:
    """Memory in MiB, pages that processes share counted by their share."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])  # type: ignore[index]
    return total / 1024


def passed(port: int) -> tuple[int, int]:
    """(sent, received) payload bytes of the live connections to a local TCP port, seen by who dialled; CURVE included."""
    out = subprocess.run(["ss", "-tinHO", "dport", "=", f":{port}"], capture_output=True, text=True, check=True).stdout
    return sum(map(int, re.findall(r"bytes_sent:(\d+)", out))), sum(map(int, re.findall(r"bytes_received:(\d+)", out)))


def machine() -> float:
    """Processor seconds that the whole machine has spent working."""
    first = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    values = [int(value) for value in first]
    return (sum(values) - values[3] - values[4]) / TICK


class Span:
    """A stretch of time: what processes used in it, and what others used meanwhile."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.pids = list(pids)
        self._at, self._cpu, self._own, self._all = time.perf_counter(), cpu(self.pids), time.process_time(), machine()

    def used(self) -> float:
        """Processor seconds of the processes so far."""
        return cpu(self.pids) - self._cpu

    def client(self) -> float:
        """Processor seconds of this process so far."""
        return time.process_time() - self._own

    def figures(self) -> dict[str, float]:
        """Seconds that passed, and processor seconds of everybody else: a large one means to measure again."""
        others = machine() - self._all - self.used() - self.client()
        return {"wall_s": round(time.perf_counter() - self._at, 2), "other_cpu_s": round(max(0.0, others), 2)}


def percentile(values: Sequence[float], share: float) -> float:
    """A percentile, interpolated."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles of times in milliseconds."""
    shares = {f"p{share}_ms": round(percentile(seconds, share) * 1e3, 3) for share in (50, 95, 99)}
    return {"n": len(seconds), **shares, "max_ms": round(max(seconds) * 1e3, 3), "mean_ms": round(statistics.mean(seconds) * 1e3, 3)}

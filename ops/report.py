"""The report of a simulated year: one page that opens with nothing installed, with charts of what took how long, when and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.words import _, spoken

WIDTH, ROW, LEFT = 720, 26, 150
"Pixels: of a chart, of a row in it, and of the names before the rows."
LONGEST = 30 * 86_400.0
SHORTEST = 0.001
TICKS = ((0.01, "10 ms"), (1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 d"), (604_800, "7 d"))


def page(found: Mapping[str, Any]) -> str:
    """The page of what :func:`sync.year.run` found, in the chosen language."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined)
    down = {"below": _("发所有下级"), "single": _("发一个下级")}
    ways = {"inside": _("本节点内"), "up": _("报上一级"), **down, "aside": _("同级往来"), "receipt": _("签收回执")}
    rows = [(ways[way], times) for way, times in found["times"].items() if times["count"]]
    return environment.get_template("year.html").render(
        _=_,
        language="zh-CN" if spoken() == "zh" else "en",
        found=found,
        rows=rows,
        times=_times(rows),
        backlog=_backlog(found["backlog"]),
        lines=_lines(found["bytes"]),
        left=LEFT,
        width=WIDTH,
        row=ROW,
    )


def _x(seconds: float) -> float:
    """A duration on a logarithmic axis."""
    share = (log10(min(max(seconds, SHORTEST), LONGEST)) - log10(SHORTEST)) / (log10(LONGEST) - log10(SHORTEST))
    return round(LEFT + share * (WIDTH - LEFT - 20), 1)


def _times(rows: Sequence[tuple[str, Mapping[str, float]]]) -> dict[str, Any]:
    bars = [(name, ROW * place + 8, *(_x(times[at]) for at in ("p50", "p95", "p99", "max"))) for place, (name, times) in enumerate(rows)]
    return {"bars": bars, "height": ROW * len(rows) + 30, "ticks": [(_x(seconds), words) for seconds, words in TICKS]}


def _backlog(points: Sequence[tuple[float, int]]) -> dict[str, Any]:
    most = max((n for _day, n in points), default=0) or 1
    days = max((day for day, _n in points), default=0.0) or 1.0
    height = 140
    line = " ".join(f"{40 + day / days * (WIDTH - 60):.1f},{height - n / most * (height - 20):.1f}" for day, n in points)
    months = [(round(40 + day / days * (WIDTH - 60), 1), day) for day in range(0, int(days) + 1, 30)]
    return {"line": line, "most": most, "height": height, "months": months}


def _lines(carried: Mapping[str, int]) -> dict[str, Any]:
    """The twenty lines that carried most, in megabytes."""
    ordered = sorted(carried.items(), key=lambda one: -one[1])[:20]
    most = ordered[0][1] if ordered else 1
    bars = [(name, ROW * place + 6, round(n / most * (WIDTH - LEFT - 110), 1), f"{n / 1e6:,.1f} MB") for place, (name, n) in enumerate(ordered)]
    return {"bars": bars, "height": ROW * len(ordered) + 10}

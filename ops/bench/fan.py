"""One document from the city through two counties to twenty townships: the time until the last of them has it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from node.entry import DOWN
from ops.bench import fleet, meter
from ops.bench.fleet import Watch
from ops.bench.papers import Paper, documents

COUNTIES, EACH = 2, 10


def run(count: int) -> None:
    """The spread of ``count`` documents, one at a time."""
    meter.note("fan-out: 23 nodes")
    with TemporaryDirectory(prefix="yw-bench-") as folder, fleet.running(Path(folder), counties=COUNTIES, townships=EACH) as world:
        author = world.person("city")
        leaves = [member for name, member in world.members.items() if "-" in name]
        with ExitStack() as stack:
            watches = [stack.enter_context(Watch(leaf, author.node, DOWN)) for leaf in leaves]
            span, times = meter.Span(world.pids()), []
            for number, text in enumerate(documents(count + 5)):
                one = author.draft(Paper(text), DOWN)
                start = time.perf_counter()
                world["city"].book.write([one])
                last = max(watch.until(number + 1, seconds=30) for watch in watches)
                if number >= 5:
                    times.append(last - start)
        meter.emit(
            "yiwang.fanout",
            leaves=len(leaves),
            **meter.spread(times),
            **span.figures(),
            rss_pss_mib=round(meter.pss(world.pids())),
            processes=len(world.pids()),
            signed=True,
        )

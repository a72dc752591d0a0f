"""特急 behind a backlog: the county's line to the city carries 10 Mbit/s and is full of documents and attachments."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from node.blobs import Blobs
from node.entry import UP, Attachment, Lane
from ops.bench import chain, fleet, meter
from ops.bench.fleet import Fleet, Watch
from ops.bench.papers import Author, Paper, documents
from ops.bench.thin import Thin

RATE = 10_000_000 // 8
"Bytes a second."
PORT = fleet.PORT + 600
BLOB = 32 * 1024 * 1024


def run(count: int, attachments: int, tries: int) -> None:
    """``tries`` urgent documents, one at a time, while ``count`` documents and ``attachments`` MiB of attachments wait."""
    meter.note("urgent: a line of 10 Mbit/s")
    dials = {"county1": f"tcp://127.0.0.1:{PORT}"}
    with TemporaryDirectory(prefix="yw-bench-") as folder, Thin(PORT, fleet.PORT, RATE), fleet.running(Path(folder), dials=dials) as world:
        author = world.person(chain.TOWN)
        _burden(world, author, count, attachments)
        span, times = meter.Span(world.pids()), []
        with Watch(world["city"], author.node, UP, Lane.URGENT) as city:
            for number, text in enumerate(documents(tries, seed=2)):
                one = author.draft(Paper(text), UP, lane=Lane.URGENT)
                start = time.perf_counter()
                world[chain.TOWN].book.write([one])
                times.append(city.until(number + 1, seconds=120) - start)
        waiting = count - world["city"].held(author.node, UP)
        meter.emit(
            "yiwang.urgent",
            line_mbit=10,
            backlog_docs=count,
            backlog_attachments_mib=attachments,
            still_waiting_docs=waiting,
            **meter.spread(times),
            **span.figures(),
            signed=True,
        )


def _burden(world: Fleet, author: Author, count: int, attachments: int) -> None:
    """Attachments first, then documents: what waits is more than the line carries while the urgent ones are tried."""
    blobs = Blobs(world[chain.TOWN].settings)
    for _ in range(0, attachments * 1024 * 1024, BLOB):
        sha, size = blobs.put([os.urandom(BLOB)])
        draft = author.draft(Paper("附件"), UP, attachments=(Attachment(sha, size),))
        world[chain.TOWN].book.write([draft])
    chain.load(world, author, documents(count), UP, size=chain.BULK, ahead=chain.AHEAD)

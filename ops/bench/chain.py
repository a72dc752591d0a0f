"""Township, county, city: throughput, the time of one document, memory, and a county that comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import zmq

from node.client import Line
from node.entry import UP, Audience, to_node
from node.errors import NodeError
from node.requests import Draft
from ops.bench import fleet, meter
from ops.bench.fleet import Fleet, Watch
from ops.bench.papers import Author, Paper, documents

BULK, AHEAD = 100, 4
"Documents in one write, and writes under way, in bulk."
HANDS = 16
"Writes of one document each under way, as from so many people; each is acknowledged by itself when it is durable."
TOWN = "county1-town1"


def drafts(author: Author, texts: list[str], to: Audience) -> Iterator[Draft]:
    """Signed documents for an audience."""
    return (author.draft(Paper(text), to) for text in texts)


def load(world: Fleet, author: Author, texts: list[str], to: Audience, *, size: int, ahead: int) -> None:
    """Write documents at the township, ``size`` in a write, ``ahead`` writes before the first is acknowledged; returns when all are durable."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    line = Line(world[TOWN].settings, context)
    waiting: set[bytes] = set()
    rest = list(texts)
    try:
        while rest or waiting:
            while rest and len(waiting) < ahead:
                waiting.add(line.ask("write", tuple(drafts(author, rest[:size], to))))
                del rest[:size]
            line.socket.poll(5000)
            for request, answer in line.answers():
                if isinstance(answer, NodeError):
                    raise answer
                waiting.discard(request)
    finally:
        context.destroy(0)


def throughput(world: Fleet, author: Author, texts: list[str], *, single: bool, sealed: bool, ahead: int) -> None:
    """Documents a second from the first write to the last one durable at the city, verified at each hop; ``single``: one in a write."""
    to = to_node(world["city"].id) if sealed else UP
    port = int(world["city"].settings.listen.rpartition(":")[2])
    with Watch(world["city"], author.node, to) as city:
        before, span, start = meter.passed(port), meter.Span(world.pids()), time.perf_counter()
        roles = {role: meter.Span(world.pids(role)) for role in ("ledger", "courier")}
        goal = city.count + len(texts)
        load(world, author, texts, to, size=1 if single else BULK, ahead=ahead)
        written = time.perf_counter() - start
        total = city.until(goal) - start
    after, count = meter.passed(port), len(texts)
    meter.emit(
        "yiwang.throughput",
        mode="one_commit_per_doc" if single else "bulk",
        audience="sealed_to_city" if sealed else "up",
        writes_under_way=ahead,
        docs=count,
        doc_bytes=round(sum(len(text.encode()) for text in texts) / count),
        load_s=round(written, 3),
        total_s=round(total, 3),
        docs_per_s=round(count / total),
        cpu_s_per_1000_docs=round(span.used() / count * 1000, 3),
        cpu_s_per_1000_docs_by_role={role: round(each.used() / count * 1000, 3) for role, each in roles.items()},
        client_cpu_s_per_1000_docs=round(span.client() / count * 1000, 3),
        **span.figures(),
        wan_bytes_per_doc=round((after[0] - before[0]) / count),
        wan_back_bytes_per_doc=round((after[1] - before[1]) / count, 1),
        rss_pss_mib=round(meter.pss(world.pids())),
        signed=True,
        verified_hops=1 if sealed else 2,
        sqlite_sync="FULL",
        curve=True,
    )


def latency(world: Fleet, author: Author, texts: list[str]) -> None:
    """From asking the township's ledger to the city's word that the document is in its journal, one at a time."""
    times = []
    with Watch(world["city"], author.node, UP) as city:
        span = meter.Span(world.pids())
        for number, text in enumerate(texts):
            one = author.draft(Paper(text), UP)
            start = time.perf_counter()
            world[TOWN].book.write([one])
            arrived = city.until(city.count + 1, seconds=30)
            if number >= 20:
                times.append(arrived - start)
    meter.emit("yiwang.latency", **meter.spread(times), **span.figures(), signed=True, verified_hops=2)


def catchup(world: Fleet, author: Author, texts: list[str]) -> None:
    """The county is killed in mid-stream and started when all documents wait at the township; times from its start."""
    county = world["county1"]
    with Watch(world["city"], author.node, UP) as city:
        goal = city.count + len(texts)
        part = len(texts) // 20
        load(world, author, texts[:part], UP, size=BULK, ahead=AHEAD)
        county.end("courier", "ledger", how=signal.SIGKILL)
        load(world, author, texts[part:], UP, size=BULK, ahead=AHEAD)
        meter.emit("yiwang.memory", state="backlog", township_pss_mib=round(meter.pss(world[TOWN].pids())))
        time.sleep(2)
        there = city.look()
        span, start = meter.Span(world.pids()), time.perf_counter()
        county.start("ledger", "courier")
        first = city.until(there + 1) - start
        total = city.until(goal) - start
    meter.emit(
        "yiwang.catchup",
        docs=goal - there,
        killed="county ledger and courier, SIGKILL",
        first_doc_at_city_s=round(first, 3),
        total_s=round(total, 3),
        docs_per_s=round((goal - there) / total),
        **span.figures(),
        signed=True,
    )


def check(world: Fleet, author: Author) -> None:
    """That every node holds the same chains, whatever was measured."""
    held = {name: {(c.id, c.count, c.hash) for c in m.book.chains() if c.audience == UP} for name, m in world.members.items()}
    county = held["county1"]
    meter.emit("yiwang.check", identical=held[TOWN] <= county <= held["city"], docs=world["city"].held(author.node, UP))


def memory(world: Fleet, state: str) -> None:
    """Proportional memory of ledger and courier, node by node."""
    each = {name: {role: round(meter.pss(member.pids(role)), 1) for role in ("ledger", "courier")} for name, member in world.members.items()}
    most = max(sum(roles.values()) for roles in each.values())
    meter.emit("yiwang.memory", state=state, most_pss_mib=round(most, 1), nodes=each)


def run(parts: set[str], count: int, singles: int) -> None:
    """All measurements of a chain of three nodes; one that fails leaves the others their turn."""
    texts = documents(count)
    with TemporaryDirectory(prefix="yw-bench-") as folder, fleet.running(Path(folder)) as world:
        author = world.person(TOWN)
        load(world, author, texts[:500], UP, size=BULK, ahead=AHEAD)

        def bulk() -> None:
            throughput(world, author, texts, single=False, sealed=False, ahead=AHEAD)
            throughput(world, author, texts, single=False, sealed=True, ahead=AHEAD)

        def single() -> None:
            throughput(world, author, texts[: max(500, count // 2)], single=True, sealed=False, ahead=HANDS)
            throughput(world, author, texts[: max(500, count // 10)], single=True, sealed=False, ahead=1)

        acts: tuple[tuple[str, set[str], Callable[[], None]], ...] = (
            ("memory", {"memory"}, lambda: memory(world, "idle")),
            ("throughput", {"throughput"}, bulk),
            ("throughput", {"throughput", "single"}, single),
            ("memory", {"memory"}, lambda: memory(world, "after load")),
            ("latency", {"latency"}, lambda: latency(world, author, texts[: singles + 20])),
            ("catchup", {"catchup"}, lambda: catchup(world, author, texts)),
            ("check", parts, lambda: check(world, author)),
        )
        for name, wanted, act in acts:
            if parts & wanted:
                meter.note(name)
                meter.attempt(name, act)

"""A township that joins a city with a long past: by a snapshot of its county, and entry by entry, one after the other on the same county."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from node.codec import unpack
from node.directory.writing import draft
from node.entry import ALL
from node.snapshot import Offer
from ops.bench import fleet, meter
from ops.bench.chain import BULK
from ops.bench.fleet import Fleet, Member
from ops.bench.papers import Paper, documents

PLAIN = """
from node.roles import main
from sync.bootstrap import Bootstrap
from township_node import TIER

Bootstrap.begins = lambda self: False
main(TIER)
"""
"A courier that never asks for a snapshot."
DIFFERENT = 1000
"Texts, taken in turn."


def run(count: int) -> None:
    """Load ``count`` documents for all at the city, let the county make its snapshot, and let two townships join."""
    meter.note("newcomer")
    with TemporaryDirectory(prefix="yw-bench-") as folder, fleet.running(Path(folder), townships=0) as world:
        author, texts = world.person("city"), documents(DIFFERENT)
        span = meter.Span(world["county1"].pids())
        for start in range(0, count, BULK):
            world["city"].book.write([author.draft(Paper(texts[n % DIFFERENT]), ALL) for n in range(start, min(count, start + BULK))])
        fleet.until(lambda: world["county1"].held(author.node, ALL) >= count, "the past at the county", 3600)
        meter.note(f"newcomer: {count} at the county, {span.used():.0f} s of processor there")
        offer = _settled(world["county1"])
        for number, mode in enumerate(("snapshot", "plain"), 1):
            meter.attempt("newcomer", lambda number=number, mode=mode: _join(world, Path(folder), number, mode, count, offer))  # type: ignore[misc]


def _settled(county: Member) -> Offer:
    """The county's snapshot when no other is being made."""
    file, seen, since = county.settings.path("snapshot", "current"), b"", time.monotonic()
    while time.monotonic() - since < 20 or not seen:
        time.sleep(0.5)
        now = file.read_bytes() if file.exists() else b""
        if now != seen:
            seen, since = now, time.monotonic()
    return unpack(seen, Offer)


def _join(world: Fleet, folder: Path, number: int, mode: str, count: int, offer: Offer) -> None:
    county = world["county1"]
    town = fleet.admit(folder, f"town{number}", county, "township", f"330101{number:03}", 0, {})
    with fleet.directory(county.settings) as known:
        county.book.write([draft(county.settings, known, county.says[-1])])
    town.start("ledger")
    fleet.until(lambda: fleet.answers(town), "the ledger of the newcomer")
    try:
        before, above = meter.Span(town.pids()), meter.Span(county.pids())
        start = time.perf_counter()
        _courier(town, mode)
        port = int(county.settings.listen.rpartition(":")[2])
        fleet.until(lambda: _count(town) >= _count(county), "the past at the newcomer", 3600)
        held, used = time.perf_counter() - start, _cpu(town)
        while not _checked(town):
            time.sleep(1)  # the answer costs the ledger some milliseconds
        meter.emit(
            "yiwang.newcomer",
            mode=mode,
            docs=count,
            in_snapshot=offer.entries if mode == "snapshot" else 0,
            snapshot_list_bytes=offer.size if mode == "snapshot" else 0,
            held_s=round(held, 2),
            checked_s=round(time.perf_counter() - start, 2),
            cpu_s_until_held=used,
            cpu_s=_cpu(town),
            cpu_s_at_county=round(above.used(), 2),
            wan_bytes_per_doc=round(meter.passed(port)[1] / count),
            pss_mib=round(meter.pss(town.pids()), 1),
            lines={name: _told(town).get(name) for name in ("entries_in", "duplicates", "blob_bytes_in", "bytes_in", "sessions", "refused")},
            **before.figures(),
            signatures_checked=True,
        )
    finally:
        town.end()


def _courier(town: Member, mode: str) -> None:
    if mode == "snapshot":
        town.start("courier")
        return
    command = [sys.executable, "-c", PLAIN, "courier", "--home", str(town.settings.home)]
    with (town.settings.path("log") / "courier.out").open("ab") as out:
        environment = os.environ | {"PYTHONPATH": str(fleet.ROOT)}
        town.processes["courier"] = subprocess.Popen(command, stdout=out, stderr=out, cwd=fleet.ROOT, env=environment)


def _count(member: Member) -> int:
    return sum(chain.count for chain in member.book.chains() if chain.audience == ALL)


def _checked(town: Member) -> bool:
    found = town.book.status().get("verification")
    return found is None or found["state"] == "checked"


def _told(town: Member) -> dict[str, int]:
    """What the newcomer's courier has counted."""
    found: dict[str, int] = json.loads(town.settings.path("run", "links.json").read_bytes())["counters"]
    return found


def _cpu(town: Member) -> dict[str, float]:
    return {role: round(meter.cpu(town.pids(role)), 2) for role in ("ledger", "courier")}

"""PostgreSQL at the same work in the same run: the same documents through three servers by logical replication, nothing signed or verified.

Where the server is not installed one line says so. Subscribers commit synchronously, so that what arrived is durable, as it is with us.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from ops.bench import fleet, meter
from ops.bench.papers import documents

PORT = fleet.PORT + 800
BULK = 100
CONFIG = """
listen_addresses = '127.0.0.1'
wal_level = logical
fsync = on
synchronous_commit = on
shared_buffers = 128MB
max_wal_size = 4GB
autovacuum = off
jit = off
"""


@dataclass(frozen=True)
class Server:
    """One server of the chain."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def open(self) -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user="bench", dbname="postgres", autocommit=True)


def run(count: int, singles: int) -> None:
    """Throughput in bulk and one commit each, and the time of one document."""
    meter.note("PostgreSQL")
    binaries = binaries_of()
    if binaries is None:
        meter.emit("postgresql.throughput", skipped="the server is not installed: apt-get install postgresql")
        return
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="yw-bench-pg-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        city, county, town = (stack.enter_context(serving(binaries, folder / f"s{number}", PORT + number)) for number in range(3))
        _subscribe(county, town)
        _subscribe(city, county)
        with town.open() as source, city.open() as target:
            roots = [server.process.pid for server in (city, county, town)]
            texts = documents(count)
            at = _load(source, texts[:200], 1, BULK)
            _await(target, at)
            for size, share in ((BULK, 1), (1, 2)):
                at = _throughput(source, target, roots, texts[: count // share], at, size, county.port)
            _latency(source, target, roots, texts[: singles + 20], at)


def _throughput(source: Any, target: Any, roots: list[int], texts: list[str], at: int, size: int, port: int) -> int:
    before, span, start = meter.passed(port), meter.Span(meter.tree(roots)), time.perf_counter()
    at = _load(source, texts, at, size)
    _await(target, at)
    total, after, count = time.perf_counter() - start, meter.passed(port), len(texts)
    meter.emit(
        "postgresql.throughput",
        mode="bulk" if size > 1 else "one_commit_per_doc",
        docs=count,
        total_s=round(total, 3),
        docs_per_s=round(count / total),
        cpu_s_per_1000_docs=round(span.used() / count * 1000, 3),
        client_cpu_s_per_1000_docs=round(span.client() / count * 1000, 3),
        **span.figures(),
        wan_bytes_per_doc=round((after[1] - before[1]) / count),
        rss_pss_mib=round(meter.pss(meter.tree(roots))),
        signed=False,
        subscriber_synchronous_commit="on",
    )
    return at


def _latency(source: Any, target: Any, roots: list[int], texts: list[str], at: int) -> None:
    times, span = [], meter.Span(meter.tree(roots))
    for number, text in enumerate(texts):
        start = time.perf_counter()
        at = _load(source, [text], at, 1)
        while target.execute("select 1 from docs where id = %s", (at - 1,)).fetchone() is None:
            pass
        if number >= 20:
            times.append(time.perf_counter() - start)
    meter.emit("postgresql.latency", **meter.spread(times), **span.figures(), signed=False, subscriber_synchronous_commit="on")


def _load(source: Any, texts: list[str], at: int, size: int) -> int:
    for some in fleet.each(texts, size):
        rows = [(at + number, text) for number, text in enumerate(some)]
        at += len(rows)
        with source.transaction(), source.cursor() as cursor:
            cursor.executemany("insert into docs (id, body) values (%s, %s)", rows)
    return at


def _await(target: Any, at: int) -> None:
    fleet.until(lambda: (target.execute("select max(id) from docs").fetchone()[0] or 0) >= at - 1, "replication", 600)


def _subscribe(below: Server, above: Server) -> None:
    with below.open() as c:
        source = f"host=127.0.0.1 port={above.port} user=bench dbname=postgres"
        c.execute(f"create subscription s{below.port} connection '{source}' publication p with (copy_data = false, synchronous_commit = 'on')")


def binaries_of() -> Path | None:
    """Where Debian keeps the programs of its newest server; None without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4].split(".")[0]))
    return found[-1].parent if found else None


@contextmanager
def serving(binaries: Path, folder: Path, port: int) -> Iterator[Server]:
    """A fresh server; root lends it the user ``postgres``, since it refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder.mkdir(mode=0o700)
    drop = []
    if os.geteuid() == 0:
        folder.parent.chmod(0o755)
        shutil.chown(folder, user)
        drop = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    data = str(folder / "data")
    subprocess.run([*drop, binaries / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"], check=True, **quiet)
    with (folder / "data" / "postgresql.conf").open("a") as config:
        config.write(CONFIG)
    process = subprocess.Popen([*drop, binaries / "postgres", "-D", data, "-p", str(port), "-k", folder], **quiet)
    try:
        ready: list[str | Path] = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        fleet.until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL")
        server = Server(folder, port, process)
        with server.open() as c:
            c.execute("create table docs (id bigint primary key, body text not null)")
            c.execute("create publication p for table docs")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

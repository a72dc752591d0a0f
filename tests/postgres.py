"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a loopback port, ended with the session."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path:
    """Where Debian keeps the server's programs; an assertion that says what to install when there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1].parent


@contextmanager
def server() -> Iterator[str]:
    """The URL of a fresh server; it refuses to run as root, so root lends it the user ``postgres``."""
    folder = Path(tempfile.mkdtemp(prefix="yiwang-pg-"))
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    drop = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if os.geteuid() == 0 else []
    data, port = folder / "data", _free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": str(folder)}
    subprocess.run([*drop, binaries() / "initdb", "-D", data, "-U", "yiwang", "-A", "trust", "-E", "UTF8", "--no-locale"], check=True, **quiet)
    process = subprocess.Popen(
        [*drop, binaries() / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-c", "max_connections=200"], **quiet
    )
    try:
        _await(folder, port)
        yield f"postgresql://yiwang@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await(folder: Path, port: int) -> None:
    deadline = time.monotonic() + 30
    while subprocess.run([binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode:
        assert time.monotonic() < deadline, f"PostgreSQL in {folder} did not start"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])

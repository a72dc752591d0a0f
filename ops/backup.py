"""A backup of a home: one tar file from which a node can be built again.

In it are settings, keys, certificates, people's key files, a consistent copy of the journal (SQLite's backup interface, so
that the node goes on writing meanwhile) and the attachments; last comes ``manifest.json`` with the SHA-256 and size of
every file. Tables and ``local.db`` are not: they are rebuilt. The journal is copied before the attachments, so that every
attachment an entry in the copy names is there. The file opens everything the node can open: keep it as you keep the keys.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from node import clock
from node.errors import Conflict, Corrupt, Full, Missing, Refused, Unreachable
from node.keys import sync_folder
from node.settings import Settings

FORMAT = 1
FOLDERS = ("keys", "certs", "people", "blobs")
LEFT_OUT = ("blobs/partial/",)
Entry = dict[str, Any]


def create(settings: Settings, out: Path) -> Entry:
    """Write the backup; answers with its hash, size and number of files. Refuses to write over a file."""
    if settings.storage != "sqlite":
        raise Refused("the journal of this node is in PostgreSQL", hint="back it up with pg_dump together with the home", code="storage")
    if out.exists():
        raise Conflict(f"{out} exists already")
    part = out.with_name(out.name + ".part")
    try:
        count = _write(settings, part)
        part.replace(out)
        sync_folder(out.absolute().parent)
    except OSError as e:
        raise (Full if e.errno == 28 else Unreachable)(f"the backup cannot be written: {e.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return {"file": str(out), "files": count, "bytes": out.stat().st_size, "sha256": _hash(out)}


def _write(settings: Settings, part: Path) -> int:
    entries: list[Entry] = []
    fd = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with (
        os.fdopen(fd, "wb") as raw,
        tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar,
        tempfile.TemporaryDirectory(dir=part.absolute().parent) as room,
    ):
        journal = Path(room) / "journal.db"
        copy_database(settings.path("journal.db"), journal)
        entries.append(_add(tar, journal, "journal.db"))
        entries.append(_add(tar, settings.path("node.toml"), "node.toml"))
        entries += [_add(tar, file, name) for name, file in _files(settings)]
        manifest = {
            "format": FORMAT,
            "node": settings.id,
            "tier": settings.tier,
            "name": settings.name,
            "city": settings.city,
            "at": clock.now().isoformat(),
            "files": entries,
        }
        data = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        about = tarfile.TarInfo("manifest.json")
        about.size, about.mode, about.mtime = len(data), 0o600, int(time.time())
        tar.addfile(about, io.BytesIO(data))
        raw.flush()
        os.fsync(raw.fileno())
    return len(entries)


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of an SQLite database that others are writing to."""
    if not source.exists():
        raise Missing(f"there is no {source.name} yet", hint="start the node once")
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy, pages=1024)
            sound = copy.execute("pragma quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError as e:
        raise Corrupt(f"the journal cannot be copied: {e}") from None
    if not sound:
        raise Corrupt("the copy of the journal is damaged", hint="yiwang selfcheck")


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    for folder in FOLDERS:
        for file in sorted(settings.path(folder).rglob("*")):
            name = file.relative_to(settings.home).as_posix()
            if file.is_file() and not file.is_symlink() and not name.startswith(LEFT_OUT) and not name.endswith((".new", ".lock")):
                yield name, file


class _Hashing:
    """A file that hashes what is read of it."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.sha = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on, and take the bytes into the hash."""
        data = self._file.read(size)
        self.sha.update(data)
        return data


def _add(tar: tarfile.TarFile, file: Path, name: str) -> Entry:
    with file.open("rb") as source:
        about = tarfile.TarInfo(name)
        stat = os.fstat(source.fileno())
        about.size, about.mode, about.mtime = stat.st_size, stat.st_mode & 0o700, int(stat.st_mtime)
        hashing = _Hashing(source)
        tar.addfile(about, hashing)  # tarfile only reads
    return {"name": name, "bytes": about.size, "sha256": hashing.sha.hexdigest()}


def check(file: Path) -> Entry:
    """Compare every file in a backup with its manifest; :class:`~node.errors.Corrupt` names the first that differs."""
    found: dict[str, tuple[int, str]] = {}
    manifest: Entry | None = None
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                source = tar.extractfile(member)
                data = source.read() if source and member.name == "manifest.json" else None
                if data is not None:
                    manifest = json.loads(data)
                elif source:
                    found[member.name] = (member.size, hashlib.file_digest(source, "sha256").hexdigest())  # type: ignore[arg-type]
    except FileNotFoundError:
        raise Missing(f"there is no {file}") from None
    except (tarfile.TarError, ValueError, OSError, EOFError) as e:
        raise Corrupt(f"{file} is no whole backup: {e}") from None
    if manifest is None:
        raise Corrupt(f"{file} has no manifest: it was cut off")
    _compare(manifest, found)
    return {"file": str(file), "of": manifest["node"], "name": manifest["name"], "made": manifest["at"], "files": len(found)}


def _compare(manifest: Entry, found: dict[str, tuple[int, str]]) -> None:
    wanted = {row["name"]: (row["bytes"], row["sha256"]) for row in manifest["files"]}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise Corrupt(f"{name} in the backup is not what the manifest says")


def _hash(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()

"""A backup of a home: one tar file from which a node can be built again.

In it are settings, keys, certificates, people's key files, a consistent copy of the journal and the attachments; last comes
``manifest.json`` with the SHA-256 and size of every file and what the whole holds. The node goes on writing meanwhile: an SQLite journal
is copied by SQLite's backup interface, one in PostgreSQL is read in one snapshot and written as the same SQLite file. Tables and
``local.db`` are not in it: they are rebuilt. The journal is copied before the attachments, so that every attachment an entry
in the copy names is there. With a passphrase the node's keys are sealed (:mod:`ops.vault`); without, the file opens everything the
node can open: keep it as you keep the keys. Enrolment tokens are left out, since one that was used afterwards would be good again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Connection, create_engine, func, insert, select

from node import clock, keys, schema, standing, store
from node import settings as setting
from node.errors import Conflict, Corrupt, Full, Missing, Refused, Unreachable
from node.keys import sync_folder
from node.settings import Settings
from ops import vault

FORMAT = 2
FOLDERS = ("keys", "certs", "people", "blobs")
FILES = ("journal.db", "node.toml")
"What is put back beside the folders; tables and sessions that somebody brought would be believed."
LEFT_OUT = ("blobs/partial/", "keys/tokens.json")
SUM = "sum"
"The last member: SHA-256 of all that stands before it, so that no byte of the file may change unnoticed."
SEALED = "keys.sealed"
"The name under which the folder ``keys`` lies in a backup with a passphrase."
PAGE = 500
LISTED = 256 * 2**20
"Bytes of a manifest, the one part that is held in memory as a whole."
Entry = dict[str, Any]


def create(settings: Settings, out: Path, phrase: str = "") -> Entry:
    """Write the backup; answers with its hash, size and what it holds. Refuses to write over a file."""
    if out.exists():
        raise Conflict(f"{out} exists already")
    part = out.with_name(out.name + ".part")
    try:
        manifest = _write(settings, part, phrase)
        part.replace(out)
        sync_folder(out.absolute().parent)
    except OSError as e:
        raise (Full if e.errno == 28 else Unreachable)(f"the backup cannot be written: {e.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    about = {"file": str(out), "files": len(manifest["files"]), "bytes": out.stat().st_size, "sha256": _hash(out)}
    return about | {name: manifest[name] for name in ("secrets", "holds")}


def _write(settings: Settings, part: Path, phrase: str) -> Entry:
    entries: list[Entry] = []
    fd = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with (
        os.fdopen(fd, "wb") as raw,
        tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar,
        tempfile.TemporaryDirectory(dir=part.absolute().parent) as room,
    ):
        copy = Path(room) / "journal.db"
        copy_journal(settings, copy)
        entries.append(_add(tar, copy, "journal.db"))
        entries.append(_add(tar, settings.path("node.toml"), "node.toml"))
        if phrase:
            entries.append(_add_sealed(tar, settings, phrase))
        entries += [_add(tar, file, name) for name, file in _files(settings) if not phrase or not name.startswith("keys/")]
        manifest = _manifest(settings, entries, copy, "sealed" if phrase else "open")
        _put(tar, "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        raw.flush()
        _put(tar, SUM, _hash(part, tar.offset).encode())
        tar.close()
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def _manifest(settings: Settings, entries: list[Entry], copy: Path, secrets: str) -> Entry:
    names = [entry["name"] for entry in entries]
    return {
        "format": FORMAT,
        "node": settings.id,
        "tier": settings.tier,
        "name": settings.name,
        "city": settings.city,
        "at": clock.now().isoformat(),
        "secrets": secrets,
        "holds": _count(copy) | {f: sum(name.startswith(f"{f}/") for name in names) for f in ("people", "blobs")},
        "files": entries,
    }


def _count(copy: Path) -> dict[str, int]:
    with closing(sqlite3.connect(copy)) as c:
        return {name: int(c.execute(f"select count(*) from {name}").fetchone()[0]) for name in ("chains", "entries")}  # noqa: S608 - two fixed words


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> Entry:
    about = tarfile.TarInfo(name)
    about.size, about.mode, about.mtime = len(data), 0o600, int(time.time())
    tar.addfile(about, io.BytesIO(data))
    return {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _add_sealed(tar: tarfile.TarFile, settings: Settings, phrase: str) -> Entry:
    """The folder of keys as one sealed file."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as inner:
        for name, file in _files(settings):
            if name.startswith("keys/"):
                _add(inner, file, name)
    return _put(tar, SEALED, vault.close(plain.getvalue(), phrase))


def copy_journal(settings: Settings, target: Path) -> None:
    """A consistent copy of the journal, wherever it is kept, as an SQLite file."""
    if settings.storage == "sqlite":
        copy_database(settings.path("journal.db"), target)
        return
    source, copy = store.postgresql(settings.storage, f"journal_{settings.id}", durable=True), create_engine(f"sqlite:///{target}")
    try:
        schema.META.create_all(copy)
        with source.connect().execution_options(isolation_level="REPEATABLE READ") as c, copy.begin() as into:
            pour(c, into)
    finally:
        source.dispose()
        copy.dispose()


def pour(source: Connection, into: Connection) -> None:
    """All rows of all tables of one journal into another, which is empty."""
    for table in schema.META.sorted_tables:
        rows = source.execution_options(yield_per=PAGE).execute(select(table)).mappings()
        for part in rows.partitions(PAGE):
            into.execute(insert(table), [dict(row) for row in part])


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
    """Compare a backup with its own sum, and every file in it with the manifest; :class:`~node.errors.Corrupt` says what differs."""
    manifest = _checked(file)
    about = {"file": str(file), "of": manifest["node"], "name": manifest["name"], "made": manifest["at"], "files": len(manifest["files"])}
    return about | {"tier": manifest["tier"], "secrets": manifest.get("secrets", "open"), "holds": manifest.get("holds", {})}


def _checked(file: Path) -> Entry:
    """The manifest of a backup that is whole."""
    found: dict[str, tuple[int, str]] = {}
    manifest: Entry | None = None
    summed = False
    try:
        with tarfile.open(file, "r:") as tar:
            for member, source in _members(tar):
                if member.name == "manifest.json":
                    manifest = json.loads(source.read(LISTED))
                elif member.name == SUM:
                    summed = _sum_holds(file, member, source.read(100).decode("ascii", "replace"))
                else:
                    found[member.name] = (member.size, hashlib.file_digest(source, "sha256").hexdigest())  # type: ignore[arg-type]
        if manifest is None or (manifest["format"] > 1 and not summed):
            raise Corrupt(f"{file} is cut off at its end")
        _compare(manifest, found)
    except FileNotFoundError:
        raise Missing(f"there is no {file}") from None
    except (tarfile.TarError, ValueError, LookupError, TypeError, RecursionError, OSError, EOFError) as e:
        raise Corrupt(f"{file} is no whole backup: {e}") from None
    return manifest


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """The files of an archive, each once; links, devices and files with holes, which a few bytes may claim to be huge, are in no backup."""
    seen: set[str] = set()
    for member in tar:
        source = tar.extractfile(member) if member.isreg() and not member.issparse() else None
        if source is None or member.name in seen:
            raise Corrupt(f"{member.name!r} has no place in a backup")
        seen.add(member.name)
        yield member, source


def _sum_holds(file: Path, member: tarfile.TarInfo, wanted: str) -> bool:
    """Whether all before the last member has the sum it names, and nothing stands behind it; raises where not."""
    with file.open("rb") as source:
        source.seek(member.offset_data + member.size)
        rest = source.read()
    if _hash(file, member.offset) != wanted or rest.strip(b"\0"):
        raise Corrupt(f"{file} is not what was written: its sum differs")
    return True


def restore(file: Path, home: Path, phrase: str = "", *, storage: str = "") -> Settings:
    """Build an empty home from a backup. It is *recovering* when it starts; see :mod:`node.standing`.

    ``storage`` puts the journal elsewhere than where it was (``sqlite`` or a PostgreSQL URL). The settings come last: without them it is no home.
    """
    manifest = _checked(file)
    _empty(home)
    if manifest.get("secrets") == "sealed" and not phrase:
        raise Refused("the keys in this backup are sealed", code="passphrase", hint="--passphrase-file")
    with _building(home), tarfile.open(file, "r:") as tar:
        for member, source in _members(tar):
            if member.name == SEALED:
                _unpack_sealed(home, vault.open_(source.read(), phrase))
            elif member.name not in ("manifest.json", SUM):
                _put_back(home, member, source)
        return _become(home, f"backup of {manifest['at']}", storage)


def export_identity(settings: Settings, out: Path, phrase: str) -> Entry:
    """Write what makes this node itself (settings, keys, certificates, people's key files) under a passphrase; no journal, no attachment."""
    if out.exists():
        raise Conflict(f"{out} exists already")
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        _add(tar, settings.path("node.toml"), "node.toml")
        for name, file in _files(settings):
            if not name.startswith("blobs/"):
                _add(tar, file, name)
    keys.write_secret(out.absolute(), vault.close(plain.getvalue(), phrase))
    return {"file": str(out), "bytes": out.stat().st_size, "sha256": _hash(out)}


def import_identity(file: Path, home: Path, phrase: str, *, storage: str = "") -> Settings:
    """Build an empty home from an identity. It is *recovering*: what neighbours hold of its logs comes back by the line, the rest is lost."""
    try:
        plain = vault.open_(file.read_bytes(), phrase)
    except FileNotFoundError:
        raise Missing(f"there is no {file}") from None
    _empty(home)
    at = clock.from_ms(int(file.stat().st_mtime * 1000)).isoformat()
    with _building(home):
        _unpack_sealed(home, plain)
        return _become(home, f"identity of {at}", storage)


def _empty(home: Path) -> None:
    if home.exists() and any(home.iterdir()):
        raise Conflict(f"{home} is not empty", hint="restore into an empty directory")


@contextmanager
def _building(home: Path) -> Iterator[None]:
    """An empty home with its folders; it is empty again when it could not be built, so that nothing lies about and the next try may begin."""
    fresh = not home.exists()
    try:
        _folders(home)
        yield
    except BaseException as e:
        for one in list(home.iterdir()) if home.exists() else ():
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
        if fresh and home.exists():
            home.rmdir()
        if isinstance(e, OSError):
            raise (Full if e.errno == 28 else Unreachable)(f"the home cannot be built: {e.strerror}") from None
        if isinstance(e, (tarfile.TarError, msgspec.MsgspecError, ValueError)):
            raise Corrupt(f"what was kept makes no home: {e}") from None
        raise


def _folders(home: Path) -> None:
    for name in ("", "keys", "people", "run", "certs", "log", "tables", "blobs", "blobs/partial"):
        (home / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def _unpack_sealed(home: Path, plain: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as inner:
        for member, source in _members(inner):
            _put_back(home, member, source)


def _put_back(home: Path, member: tarfile.TarInfo, source: IO[bytes]) -> None:
    """Write one file of a backup to its place inside the home and nowhere else; the settings beside it, until all is there."""
    folder, *rest = member.name.split("/")
    named = all(part not in ("", ".", "..") and part.isprintable() for part in (folder, *rest))
    if not named or (folder not in FOLDERS if rest else folder not in FILES):
        raise Corrupt(f"{member.name!r} has no place in a backup")
    target = home / ("new.toml" if member.name == "node.toml" else member.name)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(target, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600 | (member.mode & 0o700))
    with os.fdopen(fd, "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _become(home: Path, detail: str, storage: str) -> Settings:
    """The journal to where it belongs, the standing, and last the settings that make the folder a home."""
    kept = msgspec.toml.decode((home / "new.toml").read_bytes(), type=Settings)
    made = msgspec.structs.replace(kept, home=home.resolve(), storage=storage or kept.storage)
    if made.storage != "sqlite" and (home / "journal.db").exists():
        _fill_server(made)
        (home / "journal.db").unlink()
    standing.save(made, standing.Standing(state=standing.RECOVERING, reason="restore", since=clock.ms(), detail=detail))
    for folder in {path.parent for path in home.rglob("*")}:
        sync_folder(folder)
    keys.write_secret(home / "node.toml", setting.dump(made))
    (home / "new.toml").unlink()
    return setting.load(home)


def _fill_server(settings: Settings) -> None:
    """The rows of the copy into an empty schema of a PostgreSQL server."""
    name = f"journal_{settings.id}"
    engine, copy = store.postgresql(settings.storage, name, durable=True), store.reader(settings.path("journal.db"))
    try:
        schema.META.create_all(engine)
        with copy.connect() as source, engine.begin() as into:
            if into.execute(select(func.count()).select_from(schema.CHAINS)).scalar_one():
                raise Conflict(f"{name} in the database is not empty", hint="drop it, or name another with --storage")
            pour(source, into)
            for table, column in ((schema.CHAINS, "no"), (schema.HOLDS, "no")):
                last = into.execute(select(func.coalesce(func.max(table.c[column]), 0))).scalar_one()
                into.execute(select(func.setval(func.pg_get_serial_sequence(f'"{name}".{table.name}', column), last + 1, False)))
    finally:
        engine.dispose()
        copy.dispose()


def _compare(manifest: Entry, found: dict[str, tuple[int, str]]) -> None:
    wanted = {row["name"]: (row["bytes"], row["sha256"]) for row in manifest["files"]}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise Corrupt(f"{name} in the backup is not what the manifest says")


def _hash(file: Path, size: int | None = None) -> str:
    """Of the whole file, or of its first bytes."""
    h, left = hashlib.sha256(), file.stat().st_size if size is None else size
    with file.open("rb") as source:
        while left and (data := source.read(min(left, 1 << 20))):
            h.update(data)
            left -= len(data)
    return h.hexdigest()

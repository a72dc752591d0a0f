"""Engines: SQLite files with the durability each needs, or PostgreSQL schemas, behind one SQLAlchemy face."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool

FULL, LOOSE = "FULL", "NORMAL"
"""FULL for the truth: a commit is on the disk. NORMAL for what can be built again: a power cut may take back commits, never mix them."""
PAGES, PAGE = 2000, 4096 + 24
"Pages in the write-ahead log until they are copied back, and the bytes each takes there."
AMPLE = 256 * 1024 * 1024
"Free bytes below which nothing is laid out beforehand."


def sqlite(path: Path, synchronous: str) -> Engine:
    """A SQLite file to write to; transactions begin at once with the write lock (no upgrade that could fail)."""
    engine = create_engine(
        f"sqlite:///{path}", poolclass=QueuePool, pool_size=4, max_overflow=4, connect_args={"isolation_level": None, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.execute("pragma journal_mode=wal")
        connection.execute(f"pragma synchronous={synchronous}")
        connection.execute("pragma busy_timeout=5000")
        connection.execute("pragma foreign_keys=off")
        connection.execute("pragma cache_size=-8000")
        connection.execute(f"pragma wal_autocheckpoint={PAGES}")  # an index page that many commits touch is copied back once

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        text = "BEGIN" if connection.get_execution_options().get("readonly") else "BEGIN IMMEDIATE"
        try:
            connection.connection.driver_connection.execute(text)  # past SQLAlchemy, which takes ten times as long for it
        except sqlite3.Error as error:
            raise OperationalError(text, None, error) from error

    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    if synchronous == FULL:
        _lengthen(path.with_name(path.name + "-wal"))
    return engine


def _lengthen(log: Path) -> None:
    """Give the write-ahead log its full length beforehand: a sync that need not note a new length takes a third of the time.

    Only zeros are added, behind whatever is there; SQLite reads them as the end of the log. A nearly full disk is left alone.
    """
    disk = os.statvfs(log.parent)
    if disk.f_bavail * disk.f_frsize < AMPLE:
        return
    fd = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        missing = PAGES * PAGE - os.fstat(fd).st_size
        if missing > 0:
            os.write(fd, bytes(missing))
            os.fsync(fd)
    finally:
        os.close(fd)


def reader(path: Path) -> Engine:
    """A SQLite file opened for reading only."""
    engine = create_engine(
        f"sqlite:///file:{path}?mode=ro&uri=true",
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=16,
        connect_args={"isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.execute("pragma query_only=on")
        connection.execute("pragma busy_timeout=2000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def postgresql(url: str, schema: str, *, durable: bool) -> Engine:
    """A PostgreSQL schema, made when it is missing; every table of the engine lives in it."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=4, max_overflow=16, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'SET search_path TO "{schema}"')
            cursor.execute(f"SET synchronous_commit TO {'on' if durable else 'off'}")
        connection.commit()

    with engine.begin() as connection:
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    return engine


_SQLITE_FULL, _SQLITE_BROKEN = 13, {5, 6, 7, 8, 10, 11, 13, 14, 26}
"""Result codes: full; and busy, locked, out of memory, read-only, input/output, corrupt, full, cannot open, not a database."""
_SERVER = ("08", "53", "57", "58", "XX")
"SQLSTATE classes that are about the server or its disk, not about the statement."


def full(error: BaseException) -> bool:
    """Whether an error means that the disk has no room."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = error.orig if isinstance(error, DBAPIError) else None
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF == _SQLITE_FULL or getattr(cause, "sqlstate", "") == "53100"


def broken(error: BaseException) -> bool:
    """Whether an error is the disk's or the database server's, so that no other request would fare better."""
    if isinstance(error, OSError):
        return True
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_BROKEN
    state = getattr(error.orig, "sqlstate", "")
    return state[:2] in _SERVER if state else isinstance(error, (OperationalError, InterfaceError))  # no word of the server: the line to it broke

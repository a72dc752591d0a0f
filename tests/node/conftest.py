"""Both stores for whatever must hold on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from node.book import Book
from tests import books, postgres


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest) -> Iterator[str]:
    """A storage setting: SQLite, and an empty PostgreSQL database."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    url = request.getfixturevalue("postgresql")
    name = f"t{abs(hash(request.node.nodeid)) % 10**9}"
    admin = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as c:
        c.execute(text(f"CREATE DATABASE {name}"))
    yield url.rsplit("/", 1)[0] + "/" + name
    with admin.connect() as c:
        c.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def branch(tmp_path: Path, storage: str) -> Iterator[dict[str, Book]]:
    """A city, a county and a township on one kind of store."""
    with books.opened(tmp_path, storage=storage) as opened:
        yield opened


@pytest.fixture
def small(tmp_path: Path) -> Iterator[dict[str, Book]]:
    """The same on SQLite only."""
    with books.opened(tmp_path) as opened:
        yield opened

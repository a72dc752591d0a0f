"""Statements that run with every entry: compiled once, then handed straight to the driver's cursor.

SQLAlchemy builds, looks up and dresses each execution anew, which for a short statement costs ten times what the database does. A
:class:`Quick` keeps the compiled text and gives values by position. It runs in whatever transaction the connection is in
and its errors are SQLAlchemy's own, so that callers need not know which way a statement went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

Build = Callable[[str, int], Executable]
"""(name of the dialect, number of values in a list) to the statement."""
SIZES = (1, 8, 64, 512)
"Lengths of value lists for which texts are kept; shorter lists are filled up with their last value."


class Quick:
    """A statement whose values are given by position, in the order of ``names``."""

    def __init__(self, build: Build | Executable, *names: str) -> None:
        self._build: Build = build if not isinstance(build, Executable) else lambda dialect, size: build
        self._names = names
        self._texts: dict[tuple[str, int], str] = {}

    def _text(self, c: Connection, size: int) -> str:
        dialect = c.dialect.name
        text = self._texts.get((dialect, size))
        if text is None:
            statement = self._build(dialect, size)
            assert isinstance(statement, ClauseElement)
            style = {"paramstyle": "format"} if dialect == "postgresql" else {}
            compiled = statement.compile(dialect=type(c.dialect)(**style), column_keys=list(self._names) or None)
            order = list(compiled.positiontup or ())  # type: ignore[attr-defined]
            assert order == list(self._names or _marks(size)), f"{compiled} takes {order}"
            text = self._texts[dialect, size] = str(compiled)
        return text

    def __call__(self, c: Connection, *values: Any) -> list[Any]:
        """Run it once; the rows, as tuples."""
        return self._run(c, self._text(c, 0), values)

    def many(self, c: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Run it for each row of values."""
        if len(rows) == 1:
            self._run(c, self._text(c, 0), rows[0], rows=False)
        elif rows:
            self._run(c, self._text(c, 0), rows, many=True, rows=False)

    def among(self, c: Connection, values: Iterable[Any]) -> list[Any]:
        """Run it for a list of values, in as many parts as needed; all rows."""
        held, found = list(values), []
        for start in range(0, len(held), SIZES[-1]):
            part = held[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(part))
            found += self._run(c, self._text(c, size), (*part, *part[-1:] * (size - len(part))))
        return found

    def _run(self, c: Connection, text: str, values: Any, *, many: bool = False, rows: bool = True) -> list[Any]:
        cursor = c.connection.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(text, values)
            return list(cursor.fetchall()) if rows else []
        except c.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(text, None, error) from error
        finally:
            cursor.close()


def listed(size: int) -> list[Any]:
    """The values of a list in a statement for :meth:`Quick.among`."""
    return [bindparam(mark) for mark in _marks(size)]


def _marks(size: int) -> list[str]:
    return [f"v{number}" for number in range(size)]


def put(table: Table, *, keep: bool = False, **changes: Any) -> Quick:
    """Insert whole rows in the order of the columns; where the key is taken keep what is there, or replace the rest (by ``changes`` if given)."""
    primary, names = [column.name for column in table.primary_key], [column.name for column in table.columns]

    def build(dialect: str, size: int) -> Executable:
        statement = _insert(dialect, table)
        if keep:
            return statement.on_conflict_do_nothing(index_elements=primary)  # type: ignore[no-any-return]
        new = changes or {name: statement.excluded[name] for name in names if name not in primary}
        return statement.on_conflict_do_update(index_elements=primary, set_=new)  # type: ignore[no-any-return]

    return Quick(build, *names)


def _insert(dialect: str, table: Table) -> Any:
    if dialect == "postgresql":  # loading a dialect takes long, and most commands need only one
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    return insert(table)

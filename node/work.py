"""Rows while entries are folded: a session that reads and writes whole rows past the object mapper.

The mapper keeps a state beside each row, watches every attribute and sorts what it writes; for a fold, which writes three rows
and reads three keys, that is most of the time. Here a row is the mapped class's own object with plain values in it. What is read
is kept for the run, what is added or changed is written together at the run's end, one statement a table, or earlier where a
query asks for that table. Folds see the usual words of a session: ``get``, ``add``, ``merge``, ``delete``, ``scalars``, ``scalar``,
``execute``, ``flush``, ``new``.

Invariants: one object a key; a query sees what the folds before it wrote; a row keeps its key.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, LargeBinary, String, Table, bindparam, delete, insert, inspect, select, update
from sqlalchemy.engine.result import IteratorResult, ScalarResult, SimpleResultMetaData
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session
from sqlalchemy.sql.util import find_tables

from node.errors import Invalid
from node.quick import Quick

Changes = dict[Any, dict[str, None]]
"""Names of attributes that were set, by row, in the order in which they were."""
_HERE = "_changes"
"Where a row that a session of folds knows keeps that session's list of changes."
Process = Callable[[Any], Any] | None


class Row:
    """What rows of rooms are beside what the object mapper makes of them."""

    def __init__(self, **values: Any) -> None:
        shape = shape_of(type(self))
        if unknown := values.keys() - shape.blank.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        held = self.__dict__
        changes = held.get(_HERE)
        if changes is None or name not in shape_of(type(self)).blank:
            super().__setattr__(name, value)
            return
        held[name] = value
        changes.setdefault(self, {})[name] = None


@dataclass(frozen=True, eq=False)
class Shape:
    """A mapped class as rows and statements need it."""

    table: Table
    columns: dict[str, Column[Any]]
    "By attribute, in the order of the table."
    key: tuple[str, ...]
    blank: dict[str, Any]
    "What an attribute is that nobody gave."
    insert: Quick
    load: Quick
    delete: Quick
    values: Callable[[dict[str, Any]], tuple[Any, ...]]
    "All attributes of a row, in the order of the table."

    def identity(self, row: Any) -> tuple[Any, ...]:
        """A row's key; :class:`Invalid` when it has none yet."""
        held = row.__dict__
        found = tuple(held.get(name) for name in self.key)
        if None in found:
            raise Invalid(f"a row of {self.table.name} is added with its key", code="malformed")
        return found

    @functools.cache  # noqa: B019 - one shape a mapped class, for as long as the program runs
    def processes(self, dialect: Any) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]]]:
        """(place, function) of what a driver does not take or give as it is: on the way in, on the way out."""
        into, out = [], []
        for place, column in enumerate(self.columns.values()):
            kind = column.type.dialect_impl(dialect())
            if not isinstance(column.type, (String, LargeBinary, Integer)):
                into.append((place, kind.bind_processor(dialect())))
            out.append((place, kind.result_processor(dialect(), None)))
        return [each for each in into if each[1]], [each for each in out if each[1]]

    @functools.cache  # noqa: B019 - as above
    def update(self, names: tuple[str, ...]) -> Quick:
        """Sets some attributes of the row with a key."""
        columns = [self.columns[name] for name in self.columns if name in names]
        values: dict[str, Any] = {column.key: bindparam(column.key) for column in columns}
        return Quick(update(self.table).where(*_keyed(self.table)).values(values), *values, *_marks(self.table))


def _marks(table: Table) -> list[str]:
    return [f"which_{column.key}" for column in table.primary_key]


def _keyed(table: Table) -> Iterator[Any]:
    return (column == bindparam(mark) for column, mark in zip(table.primary_key, _marks(table), strict=True))


def shape_of(entity: Any) -> Shape:
    """The shape of a mapped class."""
    shape = _shapes.get(entity)
    if shape is None:
        shape = _shapes[entity] = _shape(entity)
    return shape


_shapes: dict[Any, Shape] = {}


def _shape(entity: Any) -> Shape:
    mapper: Any = inspect(entity)
    table = mapper.local_table
    attributes = {prop.columns[0]: prop.key for prop in mapper.column_attrs}
    columns = {attributes[column]: column for column in table.columns}
    for column in columns.values():
        if column.default is not None and not column.default.is_scalar:
            raise TypeError(f"the default of {column} is not a plain value: a fold would not be the same each time")
    return Shape(
        table=table,
        columns=columns,
        key=tuple(attributes[column] for column in table.primary_key),
        blank={name: column.default.arg if column.default is not None else None for name, column in columns.items()},
        insert=Quick(insert(table), *(column.key for column in columns.values())),
        load=Quick(select(table).where(*_keyed(table)), *_marks(table)),
        delete=Quick(delete(table).where(*_keyed(table)), *_marks(table)),
        values=_getter(list(columns)),
    )


def _getter(names: Sequence[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda held: (held[names[0]],)


class Work(Session):
    """The session of folds for one transaction."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._met: dict[tuple[type, tuple[Any, ...]], Any] = {}
        self._added: dict[Any, None] = {}
        "Rows that are not written yet, in their order."
        self._changes: Changes = {}
        self._open: Connection | None = None

    def close(self) -> None:
        """End; rows are let go."""
        self.expunge_all()
        self._open = None
        super().close()

    @property
    def _c(self) -> Connection:
        if self._open is None:
            self._open = self.connection()
        return self._open

    def begin_nested(self) -> Any:
        """A savepoint; whoever goes back to one forgets what was read and not written since."""
        return self._c.begin_nested()

    @property
    def _dialect(self) -> Any:
        return type(self._c.dialect)

    # --- rows ---------------------------------------------------------------------------------------------------

    @property
    def new(self) -> Any:
        """Rows that are not written yet."""
        return self._added.keys()

    def get(self, entity: Any, ident: Any, **_options: Any) -> Any:
        """As :meth:`sqlalchemy.orm.Session.get`."""
        key = entity, ident if isinstance(ident, tuple) else (ident,)
        met = self._met.get(key)
        if met is not None:
            return met
        shape = shape_of(entity)
        found = shape.load(self._c, *key[1])
        if not found:
            return None
        _, out = shape.processes(self._dialect)
        return self._known(entity, dict(zip(shape.columns, _processed(found[0], out), strict=True)))

    def get_one(self, entity: Any, ident: Any, **_options: Any) -> Any:
        """As :meth:`get`, but the row must be there."""
        found = self.get(entity, ident)
        if found is None:
            raise NoResultFound(f"no row of {entity.__name__} with this key")
        return found

    def add(self, instance: Any, _warn: bool = True) -> None:
        """Write a new row with the others; it has its defaults at once."""
        held, shape = instance.__dict__, shape_of(type(instance))
        if held.get(_HERE) is self._changes:
            return
        self._met[type(instance), shape.identity(instance)] = instance
        held.update(shape.blank | held)
        held[_HERE] = self._changes
        self._added[instance] = None

    def add_all(self, instances: Iterable[Any]) -> None:
        """Write several new rows."""
        for row in instances:
            self.add(row)

    def merge(self, instance: Any, **_options: Any) -> Any:
        """Write a row, or give the one that has its key the values that were given."""
        shape = shape_of(type(instance))
        held = self.get(type(instance), shape.identity(instance))
        if held is None:
            self.add(instance)
            return instance
        for name in shape.columns:
            if name in instance.__dict__ and name not in shape.key:
                setattr(held, name, instance.__dict__[name])
        return held

    def delete(self, instance: Any) -> None:
        """Remove a row at once."""
        shape = shape_of(type(instance))
        self._changes.pop(instance, None)
        self._met.pop((type(instance), shape.identity(instance)), None)
        if instance in self._added:
            del self._added[instance]
        else:
            shape.delete.many(self._c, [shape.identity(instance)])
        instance.__dict__.pop(_HERE, None)

    def expunge_all(self) -> None:
        """Forget every row, written or not."""
        self._met.clear()
        self._added.clear()
        self._changes.clear()

    def _known(self, entity: type, held: dict[str, Any]) -> Any:
        """The one object of a row that was read."""
        key = entity, tuple(held[name] for name in shape_of(entity).key)
        met = self._met.get(key)
        if met is None:
            met = self._met[key] = object.__new__(entity)
            met.__dict__.update(held)
            met.__dict__[_HERE] = self._changes
        return met

    # --- queries ------------------------------------------------------------------------------------------------

    def execute(self, statement: Any, params: Any = None, **_options: Any) -> Any:
        """Ask for columns, or change many rows at once; rows that were read before such a change are read anew."""
        if statement.is_select:
            if any(_is_row(each) for each in statement.column_descriptions):
                raise TypeError("rows are asked for with scalars")
            self._settle(statement)
            return self._c.execute(statement, params)
        self.flush()
        self._met.clear()
        return self._c.execute(statement, params)

    def scalars(self, statement: Any, params: Any = None, **_options: Any) -> ScalarResult[Any]:
        """The rows, or the first column, that a query finds."""
        self._settle(statement)
        found = self._c.execute(statement, params)
        first = statement.column_descriptions[0]
        if not _is_row(first):
            return found.scalars()
        names = {column.key: name for name, column in shape_of(first["entity"]).columns.items()}
        order = [names[key] for key in found.keys()]  # noqa: SIM118 - no mapping
        rows = [(self._known(first["entity"], dict(zip(order, each, strict=True))),) for each in found]
        return IteratorResult(SimpleResultMetaData(["row"]), iter(rows)).scalars()

    def scalar(self, statement: Any, params: Any = None, **_options: Any) -> Any:
        """The first that :meth:`scalars` finds."""
        return self.scalars(statement, params).first()

    def _settle(self, statement: Any) -> None:
        """Write what a query might ask for."""
        if not self._added and not self._changes:
            return
        asked = {each.name for each in find_tables(statement, check_columns=True, include_joins=True) if isinstance(each, Table)}
        waiting = {*map(type, self._added), *map(type, self._changes)}
        if any(shape_of(entity).table.name in asked for entity in waiting):
            self.flush()

    def flush(self, objects: Any = None) -> None:
        """Write what is new or changed."""
        added: dict[type, list[Any]] = {}
        for row in self._added:
            added.setdefault(type(row), []).append(row)
        self._added.clear()
        for entity in sorted(added, key=_rank):
            self._insert(shape_of(entity), added[entity])
        changes = dict(self._changes)
        self._changes.clear()
        groups: dict[tuple[type, tuple[str, ...]], list[Any]] = {}
        for row, names in changes.items():
            groups.setdefault((type(row), tuple(sorted(names))), []).append(row)
        for (entity, changed), rows in groups.items():
            self._update(shape_of(entity), changed, rows)

    def _insert(self, shape: Shape, rows: Sequence[Any]) -> None:
        values: list[Any] = [shape.values(row.__dict__) for row in rows]
        into, _ = shape.processes(self._dialect)
        shape.insert.many(self._c, [_processed(each, into) for each in values] if into else values)
        for row in rows:
            self._changes.pop(row, None)

    def _update(self, shape: Shape, names: tuple[str, ...], rows: Sequence[Any]) -> None:
        if set(names) & set(shape.key):
            raise Invalid(f"a row of {shape.table.name} keeps its key", code="malformed")
        into, _ = shape.processes(self._dialect)
        places = [place for place, name in enumerate(shape.columns) if name in names]
        values: list[Any] = []
        for row in rows:
            whole = _processed(shape.values(row.__dict__), into)
            values.append((*(whole[place] for place in places), *shape.identity(row)))
        shape.update(names).many(self._c, values)


def _rank(entity: type) -> int:
    """Tables that others refer to come first."""
    table = shape_of(entity).table
    return table.metadata.sorted_tables.index(table)


def _is_row(described: Any) -> bool:
    return described["entity"] is not None and described["expr"] is described["entity"]


def _processed(values: Sequence[Any], into: Sequence[tuple[int, Any]]) -> Sequence[Any]:
    if not into:
        return values
    changed = list(values)
    for place, process in into:
        changed[place] = process(changed[place])
    return changed

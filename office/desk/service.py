"""What waits for a person, gathered from every room of the tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from office.frame.desk import Desk
from office.frame.todo import Column, Notice, Todo, gather

DONE = 20
"Matters that are done and still shown."


@dataclass(frozen=True, kw_only=True)
class Board:
    """A person's matters, by where they stand; what is overdue stands in its own column and in none other."""

    todo: tuple[Todo, ...]
    hand: tuple[Todo, ...]
    done: tuple[Todo, ...]
    overdue: tuple[Todo, ...]
    notices: tuple[Notice, ...] = ()
    "Terms that end soon or have ended, the first to end first, then what came in of late."
    missing: tuple[str, ...] = ()
    "Rooms whose tables are being built, so that nobody takes silence for nothing."


def board(desk: Desk, *, full: bool = False) -> Board:
    """Everything that waits for the person, the most pressing first; notices only when it is to be ``full``."""
    matters, missing = gather(desk, "todo")
    notices, _ = gather(desk, "notices") if full else ([], [])
    late = [m for m in matters if m.overdue(desk.now)]
    left = [m for m in matters if not m.overdue(desk.now)]

    def column(which: Column) -> tuple[Todo, ...]:
        return tuple(sorted((m for m in left if m.column is which), key=_pressing))

    done = sorted((m for m in left if m.column is Column.DONE), key=lambda m: m.arrived, reverse=True)
    overdue = sorted(late, key=lambda m: m.due or m.arrived)
    return Board(
        todo=column(Column.TODO),
        hand=column(Column.HAND),
        done=tuple(done[:DONE]),
        overdue=tuple(overdue),
        notices=tuple(sorted(notices, key=_soonest)),
        missing=tuple(missing),
    )


def waiting(desk: Desk) -> int:
    """How many matters wait for the person to do something."""
    found = board(desk)
    return len(found.todo) + len(found.overdue)


def urgent(found: Board) -> Sequence[Todo]:
    """Matters of the highest urgency (特急) that nobody has begun."""
    return [m for m in (*found.overdue, *found.todo) if m.urgency == "flash" and m.column is Column.TODO]


def alerts(found: Board) -> Sequence[Notice]:
    """Notices of terms, which are told wherever the person is."""
    return [n for n in found.notices if n.due is not None]


def _soonest(notice: Notice) -> tuple[float, float]:
    return notice.due.timestamp() if notice.due else float("inf"), -notice.at.timestamp()


def _pressing(matter: Todo) -> tuple[int, float, float]:
    rank = {"flash": 0, "urgent": 1}.get(matter.urgency, 2)
    due = matter.due.timestamp() if matter.due else float("inf")
    return rank, due, -matter.arrived.timestamp()

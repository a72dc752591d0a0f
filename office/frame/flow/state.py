"""The state of a matter: who has it now and since when, what was done, which clocks run. Values with a canonical form, so that tables keep them.

A *seat* is a step that waits: open when somebody may do it now, *held* while a return keeps it suspended, *waiting* when it is a token that
has come to a join and stays for the others. What is done stays in ``trail`` for ever; the state shrinks nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from node.codec import HashOrNone, Natural, Value
from office.frame.flow.entries import Act, Holder
from office.frame.flow.template import STAGES, Fact, Template


class Sort(StrEnum):
    """What a seat is."""

    TASK = "task"
    SETTLE = "settle"
    "The superior decides what countersigners did not agree on."
    WAIT = "wait"
    "A token at a join."


class End(StrEnum):
    """How a matter ended."""

    CLOSED = "closed"
    VOID = "void"
    MERGED = "merged"


class Urge(Value, frozen=True):
    """One urging."""

    at: Natural
    by: str
    channel: str
    text: str
    answer: str = ""
    answered: Natural = 0


class Piece(Value, frozen=True):
    """A part of a step that was split."""

    id: str
    about: str
    holder: Holder
    lead: bool
    since: Natural
    done: Natural = 0
    text: str = ""


class Seat(Value, frozen=True):
    """A step that waits."""

    id: str
    "``step.round.place``."
    step: str
    sort: str
    holders: tuple[Holder, ...]
    "Any of them."
    since: Natural
    by: str = ""
    "The seat whose passing made it; empty at the beginning."
    scope: tuple[str, ...] = ()
    "Branches it stands in, outermost first: ``fork.round.branch``."
    opened: Natural = 0
    opener: str = ""
    held: str = ""
    "Seat whose return keeps it suspended; empty while it is open."
    queue: tuple[tuple[Holder, ...], ...] = ()
    "Who comes after it in a serial step."
    answerable: tuple[Holder, ...] = ()
    "Who assigned it and still answers for it."
    assistants: tuple[Holder, ...] = ()
    pieces: tuple[Piece, ...] = ()
    urges: tuple[Urge, ...] = ()
    supervised: str = ""
    "Record of the supervision item, or ``-``; empty while urging has not failed."

    @property
    def round(self) -> str:
        """The step and how many times it was entered; a round is over when none of its seats is left."""
        return self.id.rpartition(".")[0]

    @property
    def live(self) -> bool:
        """Whether somebody may do it now."""
        return self.sort != Sort.WAIT and not self.held


class Done(Value, frozen=True):
    """What became of a seat."""

    seat: Seat
    "As it was."
    how: str
    "Name of the act, or ``cancelled``, ``ended``, ``skipped``."
    person: str
    post: str
    until: Natural
    text: str = ""
    opinion: str = ""
    principal: str = ""
    "In whose place it was signed, or whose handwriting was entered."
    basis: str = ""
    "The delegation, or the hash of the scanned page."
    said: HashOrNone = b""
    made: tuple[str, ...] = ()
    "Seats that it led to."
    woke: tuple[tuple[str, str], ...] = ()
    "Suspended seats that it let go on, each with the returned seat that had suspended it."

    @property
    def step(self) -> str:
        """The step."""
        return self.seat.step


class Kept(Value, frozen=True):
    """A seat that was returned and will be opened again in its round, beside those that were suspended with it."""

    seat: Seat


class Reading(Value, frozen=True):
    """Somebody to whom the matter was circulated."""

    holder: Holder
    since: Natural
    "0 while somebody before must read it first."
    read: Natural = 0
    person: str = ""
    text: str = ""


class Stop(Value, frozen=True):
    """Time that does not count."""

    cause: str
    since: Natural
    until: Natural = 0
    said: HashOrNone = b""


class Longer(Value, frozen=True):
    """More time that was granted."""

    by: str
    at: Natural
    approver: str
    reason: str


class Ticking(Value, frozen=True):
    """A clock of the matter, as the acts tell it; :mod:`office.frame.flow.terms` counts it."""

    rule: str
    round: str
    "The round that it hangs on; empty for the whole matter."
    start: Natural
    said: HashOrNone
    stops: tuple[Stop, ...] = ()
    longer: tuple[Longer, ...] = ()
    again: tuple[Natural, ...] = ()
    "When it began anew."
    met: Natural = 0

    @property
    def running(self) -> bool:
        """Whether what is to be done is still to do."""
        return not self.met


class Asked(Value, frozen=True):
    """More time that was asked for and not yet decided."""

    seat: str
    rule: str
    by: str
    reason: str
    at: Natural


class State(Value, frozen=True):
    """Where a matter stands."""

    room: str
    organ: str
    title: str
    template: HashOrNone
    began: Natural
    starter: str
    seats: tuple[Seat, ...]
    trail: tuple[Done, ...]
    facts: dict[str, Fact]
    parts: dict[str, tuple[Holder, ...]]
    rounds: dict[str, int]
    "How many times each step was entered."
    clocks: tuple[Ticking, ...] = ()
    kept: tuple[Kept, ...] = ()
    reading: tuple[Reading, ...] = ()
    suspended: str = ""
    "Why; empty while it is not."
    supplement: Natural = 0
    "Since when something is missing; 0 for nothing."
    supplements: Natural = 0
    "How often something was asked for."
    extension: Asked | None = None
    ended: Natural = 0
    end: str = ""
    into: str = ""
    "Record in which it goes on."
    acts: Natural = 0
    last: HashOrNone = b""
    "Statement id of the last act; the next one names it."
    touched: Natural = 0

    def live(self) -> list[Seat]:
        """The seats that may be done now."""
        return [] if self.ended else [seat for seat in self.seats if seat.live]

    def seat(self, id: str) -> Seat | None:
        """A seat that is not done yet."""
        return next((seat for seat in self.seats if seat.id == id), None)

    def done(self, step: str) -> list[Done]:
        """What was done at a step, oldest first."""
        return [one for one in self.trail if one.step == step]

    def came(self, seat: Seat) -> Done | None:
        """The last thing done that led to a seat."""
        return next((one for one in reversed(self.trail) if one.seat.id == seat.by and seat.id in one.made), None)

    def holders(self) -> list[tuple[Seat, Holder]]:
        """Who has it now, with the seat: of a split step the holders of what is open, too."""
        found = [(seat, holder) for seat in self.live() for holder in seat.holders]
        return found + [(seat, piece.holder) for seat in self.live() for piece in seat.pieces if not piece.done]


@dataclass(frozen=True, slots=True)
class Said:
    """An act as it was recorded."""

    act: Act
    person: str
    post: str
    at: int
    "Milliseconds since 1970 UTC."
    id: bytes = b""
    record: str = ""


def stage(template: Template, state: State) -> str:
    """The stage of the matter (domain word), the least advanced of where its seats stand."""
    if state.end in (End.VOID, End.CLOSED):
        return str(state.end)
    if state.end == End.MERGED:
        return "transferred"
    if state.suspended:
        return "suspended"
    if all(seat.opened == 0 and _sent_back(state, seat) for seat in state.live()):
        return "returned"
    found = [template.step(seat.step).stage for seat in state.live()]
    return min(found, key=STAGES.index, default="in_hand")


def _sent_back(state: State, seat: Seat) -> bool:
    came = state.came(seat)
    return came is not None and came.how == "return"


def opinions(state: State, round: str) -> list[Done]:
    """The opinions that stand in a round: of each seat the last, unless it was taken back."""
    last: dict[str, Done] = {}
    for one in state.trail:
        if one.seat.round == round:
            last[one.seat.id] = one
    open_ = {seat.id for seat in state.seats}
    return [one for one in last.values() if one.opinion and one.seat.id not in open_]


def unread(state: State) -> Iterator[tuple[int, Reading]]:
    """Those who have it to read and have not, with their places."""
    for place, one in enumerate(state.reading):
        if one.since and not one.read:
            yield place, one

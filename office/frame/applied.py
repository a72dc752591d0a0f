"""Reactions and timers: what the node does by itself after an entry was folded, or when time has passed.

**Reactions.** ``@applied(Kind)`` on a method of a service runs it for each entry of the kind, after the entry is durable and folded, in
the order of release, never when tables are built again. A cursor for each method stands in ``local.db`` and moves when the
method has returned, so after a crash an entry may come twice: the method makes twice equal once. All reactions of a process read
one feed, so that the ledger is asked once however many follow.

**When a reaction fails** it is tried again, later each time. An entry that fails every time is kept in ``local.db`` (the alarm
``backlog``) and the line goes on; at the next start of the process it is tried once more. What is no fault of the entry (the ledger
is away, tables are being built) is waited for and does not count.

**Where a reaction begins.** At a new node, or after ``local.db`` was lost, with the present: nobody wants last year's bells.
``whole=True`` begins with the first entry, for what must hold for all of them.

Invariants: nothing a reaction does stops another or ends the process; losing every ring costs ``POLL`` seconds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider, Entrypoint
from nameko.timer import Timer

from node import clock, kinds, logs
from node.alarms import alarm
from node.client import Ledger
from node.errors import NodeError
from node.kinds import Content, Entry
from node.settings import Settings
from office.frame.alerts import publish
from office.frame.desk import Desk
from office.frame.local import Local

F = TypeVar("F", bound=Callable[..., Any])
POLL = 5.0
"Seconds between two looks when no bell rings."
PAUSES = (0.2, 1.0, 5.0, 20.0)
"Seconds before each further try."
LAST = 2**62
SHORTENED = 30
"By how much the profile ``acceptance`` divides periods and pauses."
log = logs.named("applied")


class Feed:
    """What the ledger released, asked for once however many follow it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._one = ledger, Semaphore(1)
        self._start = self._end = 0
        self._rows: list[tuple[int, Entry[Any] | None]] = []

    def present(self) -> int:
        """The place up to which everything is folded now."""
        return self._ledger.released(LAST, 0)[0]

    def after(self, since: int) -> list[tuple[int, Entry[Any] | None]]:
        """Some entries released after a place, with their places; none where there are no more yet."""
        with self._one:
            if not self._start <= since < self._end:
                _end, told = self._ledger.released(since)
                self._rows = [(one.at, one.entry()) for one in told]
                self._start, self._end = since, self._rows[-1][0] if self._rows else since
            return [row for row in self._rows if row[0] > since]

    def at(self, place: int) -> Entry[Any] | None:
        """The entry released at a place."""
        _end, told = self._ledger.released(place - 1, 1)
        return told[0].entry() if told and told[0].at == place else None


class Follower(Entrypoint):  # type: ignore[misc]
    """An entrypoint with a thread of its own that follows the journal, woken by the bell of the process."""

    def setup(self) -> None:
        """Find the bell."""
        self._bell = self.container.config["bell"]
        self._ended = Event()

    def start(self) -> None:
        """Begin to follow."""
        self._thread = self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        """End after what is in hand."""
        if not self._ended.ready():
            self._ended.send()
        self._bell.ring()
        self._thread.wait()

    def _run(self) -> None:
        """Follow until stopped."""
        raise NotImplementedError


class Applied(Follower):
    """The entrypoint behind :func:`applied`."""

    def __init__(self, *wanted: type[Content], whole: bool = False, **named: Any) -> None:
        self._wanted, self._whole = wanted, whole
        super().__init__(**named)

    def setup(self) -> None:
        """Find what the process gives to all reactions."""
        super().setup()
        config = self.container.config
        self._feed, self._local = config["feed"], config["local"]
        self._settings: Settings = config["office"].settings
        self._names = {kinds.name_of(kind) for kind in self._wanted}
        self._pauses = [one / shortened(self._settings) for one in PAUSES]

    @property
    def label(self) -> str:
        """Name of the cursor: service and method."""
        return f"{self.container.service_name}.{self.method_name}"

    def _run(self) -> None:
        """Follow until stopped; whatever goes wrong around an entry is waited out."""
        again, wrong = True, ""
        while not self._ended.ready():
            seen, more = self._bell.count, False
            try:
                if again:
                    self._retry()
                again = False
                more, wrong = self._turn(), ""
            except Exception as error:  # nothing may end the process: the next look may go well
                if wrong != str(error):
                    self._say_waiting(error)
                wrong = str(error)
            if not more:
                self._bell.wait(seen, POLL) if not wrong else self._pause(1.0)

    def _say_waiting(self, error: Exception) -> None:
        if isinstance(error, NodeError):
            log.warning("reaction.waits", reaction=self.label, error=str(error))
        else:
            log.error("reaction.waits", trace=True, reaction=self.label, error=str(error))

    def _turn(self) -> bool:
        """React to some entries; whether there may be more."""
        at = self._local.cursor(self.label)
        if at is None:
            at = 0 if self._whole else self._feed.present()
            self._local.advance(self.label, at)
        rows = self._feed.after(at)
        if not rows and (present := self._feed.present()) < at:
            log.warning("reaction.set_back", reaction=self.label, at=at, present=present)
            self._local.advance(self.label, present)
        for place, entry in rows:
            if entry is not None and entry.kind in self._names:
                if not self._react(place, entry):
                    return False
                self._local.advance(self.label, place)
                at = place
        if rows and rows[-1][0] != at:
            self._local.advance(self.label, rows[-1][0])
        return bool(rows)

    def _react(self, place: int, entry: Entry[Any]) -> bool:
        """Run the method until it has gone well or failed too often; False when the process ends first."""
        tried = 0
        while not self._ended.ready():
            error = self._once(entry)
            if error is None:
                return True
            if isinstance(error, NodeError) and error.retry == "later":
                self._pause(1.0)
                continue
            if tried == len(self._pauses):
                self._park(place, entry, error)
                return True
            log.warning("reaction.again", reaction=self.label, number=entry.number, error=_said(error))
            self._pause(self._pauses[tried])
            tried += 1
        return False

    def _once(self, entry: Entry[Any]) -> Exception | None:
        done = Event()

        def ended(context: Any, result: Any, raised: Any) -> tuple[Any, Any]:
            done.send(result)
            return result, raised

        self.container.spawn_worker(self, (entry,), {}, handle_result=ended)
        return done.wait()  # type: ignore[no-any-return]

    def _pause(self, seconds: float) -> None:
        with eventlet.Timeout(seconds, False):
            self._ended.wait()

    def _park(self, place: int, entry: Entry[Any], error: Exception) -> None:
        said = _said(error)
        log.error("reaction.failed", reaction=self.label, number=entry.number, kind=entry.kind, error=said)
        self._local.fail(self.label, place, entry.number, said, clock.ms())
        report(self._settings, self._local)

    def _retry(self) -> None:
        """Try once more what failed before this process began."""
        for row in self._local.failed(self.label):
            entry = self._feed.at(row["at"])
            ours = entry is not None and entry.number == row["number"] and entry.kind in self._names
            if not ours or self._once(entry) is None:
                self._local.mend(self.label, row["at"])
        report(self._settings, self._local)


def applied(*wanted: type[Content], whole: bool = False) -> Callable[[F], F]:
    """React to entries of these kinds with ``method(self, entry)``; see the head of this module."""
    return lambda method: Applied.decorator(*wanted, whole=whole)(outcome(method))


class Every(Timer):  # type: ignore[misc]
    """The entrypoint behind :func:`every`."""

    interval: float
    "Seconds between two runs."

    def setup(self) -> None:
        """Shorten the period where the profile says so."""
        super().setup()
        self.interval = self.interval / shortened(self.container.config["office"].settings)

    def handle_result(self, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        """Say what went wrong; the next time comes all the same."""
        if result is not None:
            log.error("timer.failed", timer=f"{self.container.service_name}.{self.method_name}", error=_said(result))
        return super().handle_result(worker_ctx, result, exc_info)  # type: ignore[no-any-return]


def every(seconds: float) -> Callable[[F], F]:
    """Run ``method(self)`` at the start and then every so many seconds, one at a time."""
    return lambda method: Every.decorator(seconds, eager=True)(outcome(method))


def outcome(method: Callable[..., Any]) -> Callable[..., Exception | None]:
    """The method with its error as its result: nameko asks ``sys.exc_info`` for it later, and by then another greenlet may have run."""

    @functools.wraps(method)
    def tried(*args: Any) -> Exception | None:
        try:
            method(*args)
        except Exception as error:
            if not isinstance(error, NodeError):
                log.error("method.raised", trace=True, method=method.__qualname__)
            return error
        return None

    return tried


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


class Absent:
    """Stands where a desk could not be made: using it says why, so that the method fails and not the process."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


class NodeDesk(DependencyProvider):  # type: ignore[misc]
    """The node's own desk, made anew for each run; it signs as the node."""

    def get_dependency(self, worker_ctx: Any) -> Desk | Absent:
        """Never raises, for that would end the container."""
        try:
            return Desk(self.container.config["office"])
        except Exception as error:
            return Absent(error)


class Rings(DependencyProvider):  # type: ignore[misc]
    """``self.rings.ring(topic, record, at)`` tells every portal of the node that there is something to look at, once for each record."""

    def get_dependency(self, worker_ctx: Any) -> Local:
        """The local database, where the rings stand."""
        return self.container.config["local"]  # type: ignore[no-any-return]


def shortened(settings: Settings) -> int:
    """By how much this node's periods are divided."""
    return SHORTENED if settings.profile == "acceptance" else 1


def report(settings: Settings, local: Local) -> None:
    """Say which reactions failed, as alarms."""
    said = "{} entries could not be reacted to; they are tried again at the next start"
    publish(settings, "reactions", [alarm("backlog", "warn", row["name"], row["since"], said.format(row["count"])) for row in local.failures()])

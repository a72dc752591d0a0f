"""The audit trail (审计): who came and went, who looked at or took out what, and what was refused.

Events stand in the node's own log, many in one entry that the node signs, so the trail is chained like everything else and lies under
the same checks. What changes a record is an entry by itself and needs no event. A look counts once an hour for one person
at one address: the trail is of matters, not of anybody's hours.

Coming, going and taking out are written before they are answered: a node that cannot write its trail lets nobody in. Looks and
refusals wait a little and are written together; when too many wait, whoever looks is told to come later.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from enum import StrEnum
from itertools import islice

from node import clock
from node.codec import Natural, Value
from node.errors import Full, Unreachable
from node.kinds import Content, kind
from office.frame.desk import Desk
from office.frame.office import Office
from office.frame.words import _

AT_ONCE, MOST = 200, 5_000
"Events in one entry; events that may wait."
AGAIN = 3600.0
"Seconds for which the same look, or the same refusal, is one event."
SEEN = 20_000
"Events remembered for that."
PERIOD = 10.0
"Seconds after which events that wait are written."
LONGEST = 200
"Characters of an address, a name or a web address."


class Did(StrEnum):
    """What an event tells."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    WRONG = "wrong_password"
    LOCKED = "locked"
    PASSWORD = "password_changed"  # noqa: S105
    LOOKED = "looked"
    TOOK = "took_out"
    REFUSED = "refused"


class Event(Value, frozen=True):
    """One thing somebody did at the node's door or at its pages."""

    at: Natural
    "Milliseconds since 1970 UTC."
    did: str
    person: str
    "Person id; empty when nobody is signed in."
    name: str
    "The sign-in name that was tried, where there is no person."
    object: str
    "Address of the page or call, without its query."
    address: str
    "Where the request came from."


@kind("audit.noted")
class Noted(Content, frozen=True):
    """What was done at this node's door and pages, in the order in which it happened."""

    events: tuple[Event, ...]


class Trail:
    """The pen of one process."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._waiting: deque[Event] = deque()
        self._noted: dict[tuple[str, str, str], float] = {}
        self._writing = threading.Lock()  # green where the process is

    def note(self, did: Did, *, person: str = "", name: str = "", object: str = "", address: str = "") -> None:
        """Remember an event until it is written with others; refused when the trail has not been writable for long."""
        if len(self._waiting) >= MOST:
            raise Unreachable(_("审计日志暂时写不进去，请稍后再试。"))
        self._waiting.append(Event(clock.ms(), did, person, name[:LONGEST], object[:LONGEST], address[:LONGEST]))

    def write(self, did: Did, *, person: str = "", name: str = "", object: str = "", address: str = "") -> None:
        """Write an event, and those that wait, before going on."""
        if len(self._waiting) >= MOST:  # others have filled it since it was last written: whoever comes by right does not wait for that
            with contextlib.suppress(Full):
                self.flush()
        self.note(did, person=person, name=name, object=object, address=address)
        with contextlib.suppress(Full):  # reading goes on; the event is written as soon as there is room
            self.flush()

    def once(self, did: Did, *, person: str = "", name: str = "", object: str = "", address: str = "") -> None:
        """Note an event unless the same was noted within the hour."""
        now, key = time.monotonic(), (did, person or name, object)
        if now - self._noted.get(key, -AGAIN) < AGAIN:
            return
        self.note(did, person=person, name=name, object=object, address=address)
        self._noted[key] = now
        while len(self._noted) > SEEN:
            self._noted.pop(next(iter(self._noted)))

    def flush(self) -> None:
        """Write what waits; what cannot be written goes on waiting."""
        with self._writing:
            while self._waiting:
                some = tuple(islice(self._waiting, AT_ONCE))
                desk = Desk(self._office)
                desk.write(Noted(some), record=f"audit.{self._office.settings.id}")
                for _one in some:
                    self._waiting.popleft()

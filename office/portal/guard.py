"""Who is shut out at the door for a while: whoever guesses at a name, without the one whose name it is.

A name is locked after ``FREE`` wrong passwords *from one machine* (addresses as :func:`office.portal.pace.network` counts them), for
thirty seconds and twice as long each time. So nobody shuts a colleague out from elsewhere. Who guesses from many machines is met by a second
measure: after ``WIDE`` wrong ones from anywhere the name is locked for all machines but those from which it was opened before.

Each lock raises the alarm ``login_attack`` for an hour. What is counted stands in ``local.db`` and ends with the start of the machine.
"""

from __future__ import annotations

from node import clock, logs
from node.alarms import alarm
from node.errors import Refused
from node.settings import Settings
from office.frame.alerts import publish
from office.frame.local import Local, moment
from office.frame.words import _
from office.portal.pace import network

FREE, FIRST_LOCK, LONGEST_LOCK = 5, 30.0, 3600.0
"Wrong passwords before the door locks, seconds of the first lock (then twice as long each time), and of the longest."
WIDE = 50
"Wrong passwords from anywhere before a name is locked for machines that never opened it."
LASTS = 3_600_000
"Milliseconds for which an alarm stays after the last wrong password."
MOST = 20
"Alarms at once; the oldest go."
SAID = {
    "login_attack": "{} wrong passwords for one name from this address",
    "flood": "refused {} times since it tried to sign in too often",
    "label_refused": "{} times this person wanted to keep what is marked as a state secret; nothing was kept",
}
log = logs.named("session")


class Locked(Refused):
    """Too many wrong passwords; the door opens again by itself."""

    code, http = "locked", 429


class Guard:
    """The counts of one portal's door."""

    def __init__(self, local: Local, noticed: Noticed) -> None:
        self.local, self._noticed = local, noticed

    def check(self, name: str, address: str) -> None:
        """Refuse who is shut out, saying for how long."""
        left = self._left(_key(name, address))
        if self._left(_key(name)) > 0 and not self._knows(name, address):
            left = max(left, self._left(_key(name)))
        if left > 0:
            minutes = max(1, round(left / 60 + 0.5))
            raise Locked(_("口令错误次数过多，这个账号暂时锁定，请在约 %(n)s 分钟后再试。") % {"n": minutes}, wait=left)

    def failed(self, name: str, address: str) -> None:
        """A wrong password, or a signature that does not hold."""
        failures, wide = self._count(_key(name, address), FREE), self._count(_key(name), WIDE)
        if failures >= FREE or wide >= WIDE:
            self._noticed.saw("login_attack", network(address), failures)

    def opened(self, name: str, address: str) -> None:
        """The door opened: nothing is held against this machine, and it is known."""
        self.local.write("delete from lockouts where name=?", _key(name, address))
        self.local.write("insert or replace into entered values(?,?,?)", name, network(address), clock.ms())

    def _left(self, key: str) -> float:
        row = self.local.row("select * from lockouts where name=? and boot=?", key, self.local.boot)
        return float(row["until"] - moment()) if row else 0.0

    def _knows(self, name: str, address: str) -> bool:
        return self.local.row("select 1 from entered where name=? and network=?", name, network(address)) is not None

    def _count(self, key: str, free: int) -> int:
        row = self.local.row("select failures from lockouts where name=? and boot=?", key, self.local.boot)
        failures = int(row["failures"] if row else 0) + 1
        wait = min(LONGEST_LOCK, FIRST_LOCK * 2 ** min(failures - free, 20)) if failures >= free else 0
        log.warning("session.wrong_password", failures=failures, locked=round(wait))
        self.local.write("insert or replace into lockouts values(?,?,?,?)", key, self.local.boot, failures, moment() + wait if wait else 0)
        return failures


class Noticed:
    """What an operator should hear of the door: alarms that stand for an hour after it happened last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: dict[tuple[str, str], tuple[int, int, int]] = {}
        "Kind and subject to (since, last, how often)."

    def saw(self, kind: str, subject: str, often: int = 0) -> None:
        """It happened (again); ``often`` where somebody else counts."""
        now = clock.ms()
        since, _last, count = self._seen.get((kind, subject), (now, now, 0))
        self._seen[kind, subject] = since, now, often or count + 1
        self._seen = dict(sorted(((at, told) for at, told in self._seen.items() if now - told[1] < LASTS), key=lambda one: one[1][1])[-MOST:])
        told = self._seen.items()
        found = [alarm(kind, "warn", at, first, SAID[kind].format(count)) | {"until": last + LASTS} for (kind, at), (first, last, count) in told]
        publish(self._settings, "door", found)


def _key(name: str, address: str = "") -> str:
    """Under which the failures at a name are counted, from one machine or from all."""
    return f"{name}\n{network(address)}" if address else name

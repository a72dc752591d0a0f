"""How often one machine may be wrong at the door: passwords and signatures that do not hold, whosever name they are given under.

Locking a name stops who guesses at one account; it does not stop who tries one password at all of them, or who only wants each failure
written into the audit trail until the disk is full. So each address has a measure of attempts, which fills again by itself: whoever signs in gets
the attempt back, whoever fails has spent it. Addresses of one IPv6 network (64 bits) count as one, for a machine has all of them.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

from office.frame.local import moment

BURST, REFILL = 100.0, 1.0
"Attempts that an address has, and how many come back in a second."
ADDRESSES = 10_000
"Addresses remembered; the one that was longest quiet is forgotten first."


class Pace:
    """The measures of all addresses, at one door."""

    def __init__(self, now: Callable[[], float] = moment) -> None:
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def late(self, address: str) -> float:
        """Seconds until an address may try again; 0 when it may now."""
        left = self._of(network(address))
        return 0.0 if left >= 1 else (1 - left) / REFILL

    def spend(self, address: str) -> None:
        """An attempt begins; until it has held it counts as one that failed, so that a crowd of them at once is no way around."""
        self._keep(network(address), -1)

    def give_back(self, address: str) -> None:
        """The attempt held."""
        self._keep(network(address), 1)

    def _of(self, key: str) -> float:
        left, at = self._left.get(key, (BURST, self._now()))
        return min(BURST, left + (self._now() - at) * REFILL)

    def _keep(self, key: str, change: float) -> None:
        self._left[key] = min(BURST, self._of(key) + change), self._now()
        self._left.move_to_end(key)
        while len(self._left) > ADDRESSES:
            self._left.popitem(last=False)


def network(address: str) -> str:
    """What counts as one machine."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((found, 64), strict=False))

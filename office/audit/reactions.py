"""What the node does by itself with its trail: each hour it walks what its own log has grown by, once a day the whole of it again."""

from __future__ import annotations

from node import clock
from node.alarms import alarm
from node.codec import base32
from office.audit import service
from office.frame.alerts import publish
from office.frame.applied import NodeDesk, Rings, every
from office.frame.desk import Desk
from office.frame.local import Local

HOUR, DAY = 3600.0, 86_400_000
"""Seconds between two walks; milliseconds after which all of it is walked again, so that not every start does."""


class AuditService:
    """Timers of the audit room."""

    name = "audit"
    desk: Desk = NodeDesk()
    rings: Local = Rings()

    @every(HOUR)
    def check(self) -> None:
        """A log that does not hold any more is an alarm at once, and is then walked whole until it holds."""
        started = clock.ms()
        whole = started - (self.rings.cursor("audit.whole") or 0) >= DAY
        found = service.check(self.desk.ledger, self.desk.node, (lambda chain: 0) if whole else self._walked)
        text = "the node's own log does not hold"
        publish(self.desk.settings, "audit", [alarm("audit_broken", "critical", one, clock.ms(), text) for one in found.wrong])
        if found.wrong:
            self.rings.advance("audit.whole", 0)
            return
        for chain, end in found.ends.items():
            if end != self._walked(chain):
                self.rings.advance(f"audit.{base32(chain)}", end)
        if whole:
            self.rings.advance("audit.whole", started)

    def _walked(self, chain: bytes) -> int:
        return self.rings.cursor(f"audit.{base32(chain)}") or 0


SERVICES = (AuditService,)

"""What the node does by itself with its trail: once a day it walks its own log again."""

from __future__ import annotations

from node import clock
from node.alarms import alarm
from office.audit import service
from office.frame.applied import NodeDesk, every, publish
from office.frame.desk import Desk


class AuditService:
    """Timers of the audit room."""

    name = "audit"
    desk: Desk = NodeDesk()

    @every(86_400.0)
    def check(self) -> None:
        """A log that does not hold any more is an alarm at once."""
        found = service.check(self.desk.ledger, self.desk.node)
        publish(
            self.desk.settings,
            "audit",
            [alarm("audit_broken", "critical", one, clock.ms(), "the node's own log does not hold") for one in found.wrong],
        )


SERVICES = (AuditService,)

"""What the node does by itself on duty: it rings for what came in, and goes on to the next way when nobody confirms an order."""

from __future__ import annotations

from typing import Any

from node import clock
from node.kinds import Entry
from office.duty import entries as said
from office.duty import service, workflow
from office.frame.applied import NodeDesk, Rings, applied, every, shortened
from office.frame.desk import Desk
from office.frame.local import Local

LOOK = 5.0
"Seconds between two looks at orders that wait."


class DutyService:
    """Reactions and timers of the duty room."""

    name = "duty"
    desk: Desk = NodeDesk()
    rings: Local = Rings()

    @applied(said.Reported, said.PassedOn, said.Ordered)
    def ring(self, entry: Entry[Any]) -> None:
        """A report or an order that came from elsewhere rings at every desk that may see it."""
        if entry.author != self.desk.node:
            self.rings.ring("urgent", entry.id.hex(), clock.ms())

    @every(LOOK)
    def escalate(self) -> None:
        """Orders that nobody confirmed go on to the next way, and ring here."""
        if service.escalate(self.desk, within=workflow.term() / shortened(self.desk.settings)):
            self.rings.ring("urgent", f"escalated/{clock.ms()}", clock.ms())


SERVICES = (DutyService,)

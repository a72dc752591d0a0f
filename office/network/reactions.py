"""What the node does by itself about its own door: the portal's certificate is renewed before it ends."""

from __future__ import annotations

from node import clock, enrol
from office.frame.applied import NodeDesk, every
from office.frame.desk import Desk

LOOK = 3600.0
"Seconds between two looks."


class NetworkService:
    """Timers of the network room."""

    name = "network"
    desk: Desk = NodeDesk()

    @every(LOOK)
    def keep_tls(self) -> None:
        """A fresh certificate for the portal's address, when this one soon ends or the node has another."""
        enrol.keep_tls(self.desk.settings, clock.now())


SERVICES = (NetworkService,)

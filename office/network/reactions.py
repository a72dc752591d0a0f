"""What the node does by itself about certificates: it answers those below that change their key, and renews what ends too soon."""

from __future__ import annotations

from typing import Any

from node import clock, enrol, logs, rotation
from node.directory import entries as said
from node.directory import writing
from node.errors import NodeError
from node.kinds import Entry
from office.frame.applied import NodeDesk, applied, every
from office.frame.desk import Desk

LOOK = 600.0
"Seconds between two looks at what ends too soon."
log = logs.named("network")


class NetworkService:
    """Reactions and timers of the network room."""

    name = "network"
    desk: Desk = NodeDesk()

    @applied(said.Rekeyed, whole=True)
    def certify(self, entry: Entry[Any]) -> None:
        """A node right below asks for the certificate of its new key; what may not be certified is noted and left."""
        desk = self.desk
        if entry.author == desk.node:
            return
        try:
            record = rotation.answer(desk.settings, desk.directory, entry.author, entry.body, clock.now())
        except NodeError as error:
            log.warning("rotation.refused", node=entry.author, code=error.code, error=str(error))
            return
        if record is not None:
            writing.write(desk.ledger, desk.settings, desk.directory, [record])

    @applied(said.Node, said.Rooted)
    def follow(self, entry: Entry[Any]) -> None:
        """This node has another certificate: those below get theirs under it."""
        if isinstance(entry.body, said.Rooted) or entry.body.id == self.desk.node:
            _renew(self.desk)

    @every(LOOK)
    def renew(self) -> None:
        """Certificates of nodes right below, and that of the portal's address, are renewed before they end."""
        _renew(self.desk)


def _renew(desk: Desk) -> None:
    enrol.keep_tls(desk.settings, clock.now())
    writing.write(desk.ledger, desk.settings, desk.directory, rotation.renewals(desk.settings, desk.directory, clock.now()))


SERVICES = (NetworkService,)

"""What the node does by itself with documents: it confirms silent recalls, rings for 特急, notices when time runs out, passes filing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import eventlet

from node import clock
from node.alarms import alarm
from node.codec import digest
from node.entry import Lane
from node.errors import Missing
from node.kinds import Entry
from office.archives import entries as filed
from office.documents import entries as said
from office.documents import terms
from office.documents.entries import Urgency
from office.documents.model import FLOWS, Act, Document, Incoming
from office.documents.workflow import Standing
from office.frame.alerts import publish
from office.frame.applied import NodeDesk, Rings, applied, every
from office.frame.desk import Desk
from office.frame.flow.entries import Passed
from office.frame.flow.pen import Pen
from office.frame.local import Local

LOOK = 60.0
"Seconds between two looks at the deadlines."
KEPT = 90 * 86_400_000
"Milliseconds for which rings are remembered, so that none rings twice."
SILENT = (Incoming.state == Standing.RECALLED, Incoming.recall_at > 0, Incoming.signed_at == 0, Incoming.recall_confirmed == 0)
"Recalled before anybody signed for it, and the issuer has not heard so."


class DocumentsService:
    """Reactions and timers of the documents room."""

    name = "documents"
    desk: Desk = NodeDesk()
    rings: Local = Rings()

    @applied(said.Recalled, said.Dispatched, said.Corrected)
    def confirm_silent_recall(self, entry: Entry[Any]) -> None:
        """R5 where nobody had signed for the document; on dispatch too, because a recall may overtake it."""
        for row in self.desk.list(Incoming, Incoming.doc == entry.record, Incoming.home == entry.author, *SILENT, everything=True):
            confirm(self.desk, row.id)

    @every(3600.0)
    def confirm_what_was_missed(self) -> None:
        """The same for recalls that came while nothing reacted."""
        for row in self.desk.list(Incoming, *SILENT, everything=True):
            confirm(self.desk, row.id)

    @applied(filed.Arranged, filed.LeftOut)
    def pass_filing(self, entry: Entry[Any]) -> None:
        """What the archives have filed, or decided not to file, has come through the step of filing."""
        for act in self.desk.list(Act, Act.id.in_(entry.after), everything=True):
            if filed.item_id(act.doc, entry.body.organ) == entry.record:
                pass_filing(self.desk, act.doc, entry.body.organ, getattr(entry.body, "code", ""))

    @applied(said.Dispatched, said.Corrected)
    def ring_for_flash(self, entry: Entry[Any]) -> None:
        """A 特急 that came in rings at every desk which may see it."""
        if entry.body.envelope.paper.urgency != Urgency.FLASH:
            return
        for row in self.desk.list(Incoming, Incoming.said == entry.id, Incoming.state == Standing.DELIVERED, everything=True):
            self.rings.ring("urgent", row.id, clock.ms())

    @every(LOOK)
    def look_at_deadlines(self) -> None:
        """What is about to be late, and what has become late, rings once each and stands among the alarms, counted by organ."""
        ends, late = terms.Terms(self.desk), Counter[tuple[str, str]]()
        for row in self.desk.list(Incoming, terms.open_terms(), order=Incoming.sent_at.desc(), everything=True):
            stage = ends.stage(row)
            if stage:
                late[stage, row.organ] += 1
                self.rings.ring("deadline", f"{row.id}/{row.state}/{stage}", clock.ms())
            eventlet.sleep(0)
        rows = [alarm(f"deadline_{stage}", "warn", organ, clock.ms(), f"{count} documents") for (stage, organ), count in sorted(late.items())]
        publish(self.desk.settings, "deadlines", rows)

    @every(3600.0)
    def forget_rings(self) -> None:
        """Rings of long ago are not kept."""
        self.rings.unring(clock.ms() - KEPT)


def pass_filing(desk: Desk, doc: str, organ: str, code: str) -> None:
    """Pass the step of filing as the node, naming the code; nothing where the organ only received the document, or a person was first."""
    if not desk.list(Document, Document.id == doc, Document.organ == organ, Document.flow.is_(True), everything=True):
        return
    pen = Pen(desk, FLOWS, doc)
    for seat in pen.state.live() if not pen.state.suspended else ():
        if pen.template.step(seat.step).does == "file":
            pen.do(Passed(seat.id, code), right=False)
    if pen.wishes:
        pen.write()


def confirm(desk: Desk, incoming: str) -> None:
    """Say as the node that a recall took effect before anybody signed; once, however often it is asked."""
    desk.version(incoming)
    row = next(iter(desk.list(Incoming, Incoming.id == incoming, everything=True)), None)
    if row is None:
        raise Missing()
    if row.signed_at or row.recall_confirmed or row.state != Standing.RECALLED:
        return
    content = said.RecallConfirmed(row.doc, row.organ, desk.name, automatic=True)
    after = tuple(dict.fromkeys((row.said, row.receipt, row.recall_said)))
    once = digest("documents.recall_confirmed.1", row.recall_said, row.id.encode())[:16]
    desk.write(content, record=row.id, after=after, to=(row.home,), lane=Lane.URGENT, nonce=once)


SERVICES = (DocumentsService,)

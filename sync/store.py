"""The ledger and the blobs as the exchange asks for them, over the local socket and without waiting for either.

A ledger that goes away takes its unanswered requests with it: they count as "later", and when it is back everything is
asked anew from the last mark. Bells only make the questions come sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import zmq

from node import client, requests
from node.codec import digest, pack
from node.directory.entries import Node
from node.directory.tree import Tree
from node.entry import ALL, Hold, Lane, read_opening
from node.errors import Gap, Invalid, NodeError, Unreachable
from node.settings import Settings
from node.standing import FENCED
from sync import monitor
from sync.bootstrap import Parts
from sync.exchange import Exchange, Taken
from sync.peer import Line, Look, Now, Outcome
from sync.wishes import Read

Then = Callable[[Any], None]
SAFETY = 5.0
"Seconds after which the journal is asked for news although no bell rang: bells may be lost."
RETRY = 1.0
"Seconds until a question that got no answer is asked again."
PAGE = 1000
"Range statements asked for at a time."
GATHER = 0.1
"Seconds for which range statements wait for others to ask for them together; they are on no entry's way."
SPREAD = 0.3
"Seconds for which countersignatures wait for others to be told together."
NOTHING = pack(None)
"The ledger's answer when there is no batch to read."


class _Head(msgspec.Struct, array_like=True, frozen=True):
    """The beginning of a batch, its entries unread."""

    chain: bytes
    start: int
    entries: tuple[msgspec.Raw, ...]


_head = msgspec.msgpack.Decoder(_Head)
_entry = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_grown = msgspec.msgpack.Decoder(requests.Grown)


def look(batch: bytes) -> Look:
    """What a batch claims to be; the ledger checks it all, this only says where it belongs."""
    try:
        head = _head.decode(batch)
        if not head.entries or head.start:
            return Look(head.chain, head.start, len(head.entries))
        opening, _, _ = read_opening(_entry.decode(head.entries[0])[1])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as e:
        raise Invalid(f"not a batch: {e}", code="malformed") from None
    return Look(head.chain, head.start, len(head.entries), opening.author, opening.audience)


def line_of(chain: requests.Chain) -> Line:
    """A chain as the lines need to know it."""
    return Line(chain.id, chain.author, chain.audience, chain.lane, chain.count, chain.hash, chain.frozen, chain.closed)


def refusal(error: NodeError, have: int) -> Outcome:
    """What an error of the ledger means for the neighbour that brought the batch."""
    return Outcome(have, "gap" if isinstance(error, Gap) else error.code)


class LedgerStore:
    """One courier's conversation with its ledger."""

    def __init__(self, settings: Settings, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self._settings = settings
        self._line = client.Line(settings, context)
        self.socket: zmq.Socket[bytes] = self._line.socket
        self.monitor: zmq.Socket[bytes] = self.socket.get_monitor_socket(zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED)
        self._looked = 0.0
        self.bell: zmq.Socket[bytes] = client.bell(settings, context, "grown", "holds", "blobs", "living", "rot", "checkpoint")
        self.below: dict[str, str] = {}
        "CURVE key to node id of the nodes directly below."
        self.nodes: tuple[Node, ...] = ()
        self.known = False
        "Whether the ledger has said who the nodes are."
        self.fenced = False
        "Whether this home is a copy that must not speak."
        self._pending: dict[bytes, Then] = {}
        self._asking: dict[str, bytes] = {}
        "Standing questions under way, and their requests."
        self._again: set[str] = set()
        "Questions to ask once more when the present answer is here."
        self._due: dict[str, float] = {}
        self._unkept: list[tuple[Hold, ...]] = []
        "Range statements that died with the ledger before it had kept them."
        self._mark = 0
        self._exchange: Exchange | None = None
        self._now = Now(0.0, 0)

    # --- as sync.exchange.Store ---------------------------------------------------------------------------------

    def take(self, batch: bytes, came: str, then: Callable[[Taken], None]) -> None:
        """Verify and keep a batch that a neighbour brought."""
        chain = look(batch).chain

        def answered(answer: requests.Taken | NodeError) -> None:
            if isinstance(answer, NodeError):
                known = self.exchange.lines.get(chain)
                then(Taken(refusal(answer, known.count if known else 0)))
                return
            if answer.hold is not None:
                self._news("holds")
            then(Taken(Outcome(answer.chain.count), line_of(answer.chain), answer.attachments, answer.fresh))

        self._ask(answered, "take", msgspec.Raw(batch), came)

    def read(self, wish: Read, then: Callable[[int, bytes], None]) -> None:
        """A stretch of a chain."""

        def answered(answer: bytes | NodeError) -> None:
            if isinstance(answer, NodeError) or answer == NOTHING:
                then(0, b"")
                return
            then(len(_head.decode(answer).entries), answer)

        self._ask(answered, "read", wish.chain, wish.start, wish.limit)

    def holds(self, since: int, then: Callable[[int, tuple[Hold, ...]], None]) -> None:
        """A page of range statements."""

        def answered(answer: tuple[int, tuple[Hold, ...]] | NodeError) -> None:
            then(*answer) if not isinstance(answer, NodeError) else then(since, ())

        self._ask(answered, "holds", since, PAGE)

    def held(self, holds: tuple[Hold, ...]) -> None:
        """Keep range statements that a neighbour brought, which says each once; the bell tells when they are new."""

        def answered(answer: Any) -> None:
            if isinstance(answer, Unreachable):
                self._unkept.append(holds)

        self._ask(answered, "held", holds)

    def met(self, node: str, epoch: bytes, then: Callable[[requests.Met], None]) -> None:
        """A neighbour lives in this epoch."""
        self._ask(lambda answer: None if isinstance(answer, NodeError) else then(answer), "met", node, epoch)

    def twin(self, epoch: bytes, at: int) -> None:
        """The node above has met an older copy of this one."""
        self._ask(lambda _: None, "twin", epoch, at)

    def fence(self, detail: str) -> None:
        """The node above says that this process is a copy."""
        self._ask(lambda _: self._news("living"), "fence", detail)

    def anchor(self, data: bytes, came: str, then: Callable[[], None]) -> None:
        """A neighbour has shown a checkpoint."""
        self._ask(lambda _: then(), "anchor", data, came)

    def level(self, node: str) -> None:
        """All that a neighbour told at the beginning of its line is here."""
        self._ask(lambda _: None, "level", node)

    def vouched(self, chain: bytes, then: Callable[[tuple[Hold, ...]], None]) -> None:
        """Range statements that cover the last entry of a chain."""
        last = self.exchange.lines[chain].count - 1
        self._ask(lambda answer: None if isinstance(answer, NodeError) else then(answer), "hold_for", chain, last)

    # --- as sync.bootstrap.Keeper -------------------------------------------------------------------------------

    def offered(self, then: Callable[[bytes, int, int], None]) -> None:
        """The last snapshot that was made here."""
        self._ask(lambda answer: then(b"", 0, 0) if isinstance(answer, NodeError) else then(*answer), "offer")

    def listed(self, data: bytes, then: Callable[[Parts | None], None]) -> None:
        """Check a list of parts."""
        self._ask(lambda answer: then(None if isinstance(answer, NodeError) else answer), "snapshot", data)

    def adopt(self, number: int, then: Callable[[bool], None]) -> None:
        """Take a part that is whole."""
        self._ask(lambda answer: then(not isinstance(answer, NodeError)), "adopt", number)

    def adopted(self, whole: bool, then: Callable[[], None]) -> None:
        """There are no more parts: look what is held now, for the bell may come later than the answer."""

        def known(answer: Any) -> None:
            if not isinstance(answer, NodeError):
                self.exchange.grown([line_of(chain) for chain in answer], self._now)
            then()

        self._ask(lambda _: None, "adopted", whole)
        self._ask(known, "chains")

    # --- what else the courier asks -----------------------------------------------------------------------------

    @property
    def exchange(self) -> Exchange:
        """The exchange that is served."""
        assert self._exchange is not None
        return self._exchange

    def attach(self, exchange: Exchange) -> None:
        """Say whom the news are for."""
        self._exchange = exchange

    def start(self) -> None:
        """Ask for everything a courier must know, from the beginning: what the ledger did not answer before it went comes up again with that.

        What was asked while it was away goes on from an old mark, and does not stand for it.
        """
        for request in self._asking.values():
            self._pending.pop(request, None)
        self._asking.clear()
        self._mark = 0
        for question in ("living", "changed", "nodes", "wanted", "rot", "holds", "sheets"):
            self._news(question)
        unkept, self._unkept = self._unkept, []
        for holds in unkept:
            self.held(holds)

    def admitted(self, about: Node, then: Callable[[NodeError | None], None]) -> None:
        """Let the ledger say that a node stands under this one; once, however often it is admitted."""
        nonce = digest("admitted.1", pack(about))[:16]
        draft = requests.of_node(self._settings.city, self._settings.id, about, record=about.id, to=ALL, nonce=nonce)
        self._ask(lambda answer: then(answer if isinstance(answer, NodeError) else None), "write", (draft,))

    def arrived(self, sha: bytes) -> None:
        """Tell the ledger that a blob is whole."""
        self._ask(lambda _: None, "arrived", sha)

    # --- the conversation ---------------------------------------------------------------------------------------

    def _ask(self, then: Then, name: str, *args: Any) -> bytes:
        request = self._line.ask(name, *args)
        self._pending[request] = then
        return request

    def serve(self, now: Now) -> None:
        """Hand on the answers and bells that have come."""
        self._now = now
        for request, answer in self._line.answers():
            then = self._pending.pop(request, None)
            if then is not None:
                then(answer)
        for question in self._rung():
            self._news(question)
        self._watch()

    def tick(self, now: Now) -> None:
        """Ask again what got no answer, and now and then for what no bell told."""
        self._now = now
        if now.mono - self._looked >= SAFETY:
            self._looked = now.mono
            for question in ("changed", "holds", "rot"):
                self._news(question)
        for question in [question for question, at in self._due.items() if at <= now.mono]:
            del self._due[question]
            if question == "holds":
                self.exchange.promised(now)
            else:
                self._news(question)

    def due(self, now: Now) -> float:
        """Seconds until :meth:`tick` has something to do."""
        return max(0.0, min(self._due.values(), default=now.mono + RETRY) - now.mono)

    def _rung(self) -> set[str]:
        """The questions that bells make worth asking; what a bell itself has told is none any more."""
        found: set[str] = set()
        while True:
            try:
                topic, told = self.bell.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return found
            if topic == b"checkpoint":
                self._due.setdefault("sheets", self._now.mono + SPREAD)
            elif topic != b"grown":
                found.add({b"holds": "holds", b"living": "living", b"rot": "rot"}.get(topic, "wanted"))
            elif not self._heard(told):
                found.add("changed")

    def _heard(self, told: bytes) -> bool:
        """Take what a bell tells of chains; False when something before it is not known here."""
        before, mark, chains = _grown.decode(told)
        if before > self._mark or "changed" in self._asking:
            return False
        if mark > self._mark:
            self._on_changed((mark, chains))
        return True

    def _watch(self) -> None:
        for event in monitor.told(self.monitor):
            if event == zmq.EVENT_DISCONNECTED:
                lost, self._pending = self._pending, {}
                self._asking.clear()
                for then in lost.values():
                    then(Unreachable("the ledger has gone"))
            elif event == zmq.EVENT_CONNECTED:
                self.start()

    def _news(self, question: str) -> None:
        """Ask one of the standing questions, unless its answer is under way: then once more after it."""
        if question in self._asking:
            self._again.add(question)
            return
        if question == "holds":
            self._due.setdefault("holds", self._now.mono + GATHER)
            return
        args = (self._mark,) if question == "changed" else ()
        self._asking[question] = self._ask(lambda answer: self._told(question, answer), question, *args)

    def _told(self, question: str, answer: Any) -> None:
        self._asking.pop(question, None)
        if isinstance(answer, NodeError):
            self._due[question] = self._now.mono + RETRY
            return
        told: dict[str, Then] = {"changed": self._on_changed, "nodes": self._on_nodes, "wanted": self._on_wanted, "living": self._on_living}
        told |= {"rot": self._on_rot, "sheets": self._on_sheets}
        told[question](answer)
        if question in self._again:
            self._again.discard(question)
            self._news(question)

    def _on_changed(self, answer: tuple[int, tuple[requests.Chain, ...]]) -> None:
        self._mark, chains = answer
        self.exchange.grown([line_of(chain) for chain in chains], self._now)
        if any(chain.lane is Lane.TRUST for chain in chains):
            self._news("nodes")

    def _on_living(self, answer: tuple[bytes, str]) -> None:
        epoch, state = answer
        self.fenced = state == FENCED
        self.exchange.living(epoch, self._now)

    def _on_sheets(self, sheets: tuple[tuple[str, bytes], ...]) -> None:
        self.exchange.anchored(dict(sheets), self._now)

    def _on_rot(self, places: tuple[tuple[bytes, int], ...]) -> None:
        if places:
            self.exchange.rotten(places, self._now)

    def _on_nodes(self, nodes: tuple[Node, ...]) -> None:
        self.nodes, self.known = nodes, True
        here = self._settings.id
        self.below = {node.curve: node.id for node in nodes if node.parent == here and not node.closed}
        parents: dict[str, str | None] = {node.id: node.parent or None for node in nodes}
        if self._settings.parent is not None:
            parents.setdefault(here, self._settings.parent.id)
        if parents != self.exchange.tree.parents:
            self.exchange.planted(Tree(parents), self._now)

    def _on_wanted(self, wanted: tuple[Any, ...]) -> None:
        names = {one.sha for one in wanted}
        begun = self.exchange.bootstrap
        for sha in [sha for sha in self.exchange.fetcher.needs if sha not in names and not (begun and begun.mine(sha))]:
            self.exchange.stocked(sha, self._now)
        self.exchange.missing(wanted)

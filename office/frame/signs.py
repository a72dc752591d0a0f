"""Signs of the moment between people: who has a conversation open, who is typing. Nothing stores them, and losing one loses nothing.

A sign is sixteen bytes that say nothing to whoever does not know what they stand for already: a digest of the conversation, the person and what
they do. It travels as a signal (:mod:`node.signals`), signed by the epoch key of the person's node, over the carriers between, to the nodes of the
others and back to every process of its own; where a line is cut it does not come, and nothing is known.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

from node import signals
from node.codec import digest
from node.errors import NodeError
from office.frame.office import Office

LAST, MOST, LOOK = 12.0, 20_000, 30.0
"Seconds for which a sign counts, signs kept, seconds between two looks at the chains."
MARK = b"sign"
"Begins every payload, so that other signals are told apart."


class Signs:
    """What this process hears and sends."""

    def __init__(self, office: Office) -> None:
        self.office, self.settings = office, office.settings
        self._heard: dict[tuple[str, bytes], float] = {}
        self._chains: dict[str, bytes] = {}
        self._looked = float("-inf")
        self._post = signals.post(office.settings, office.context)

    def say(self, to: Iterable[str], sign: bytes) -> None:
        """Give a sign to these nodes; to one that has had nothing from here since the ledger started none can be given."""
        for node in to:
            chain = self._chain(node)
            with contextlib.suppress(NodeError):  # the courier rests: nothing is known, as with a cut line
                if chain:
                    made = signals.make(self.office.ledger, self.settings.id, node, MARK + sign, chain=chain, life=int(LAST * 1000))
                    signals.send(self._post, made)

    def heard(self, node: str, sign: bytes) -> bool:
        """Whether a node has given a sign of late."""
        return self._heard.get((node, sign), 0.0) > time.monotonic()

    def listen(self) -> None:
        """Hear what comes, for ever."""
        socket = signals.listen(self.settings, self.office.context)
        while True:
            with contextlib.suppress(NodeError):
                self._take(socket.recv())

    def _take(self, data: bytes) -> None:
        signal = signals.read(data)
        if signal is None or not signal.payload.startswith(MARK) or len(signal.payload) != len(MARK) + 16:
            return
        signals.check(self.office.ledger, signal)
        now = time.monotonic()
        if len(self._heard) >= MOST:
            self._heard = {key: until for key, until in self._heard.items() if until > now}
        if len(self._heard) < MOST:
            self._heard[signal.origin, signal.payload[len(MARK) :]] = now + LAST

    def _chain(self, to: str) -> bytes:
        """A chain of this node that the other has, so that it can check the signature."""
        if to not in self._chains and time.monotonic() - self._looked > LOOK or time.monotonic() - self._looked > 10 * LOOK:
            self._looked, tree = time.monotonic(), self.office.directory.tree()
            self._chains.clear()
            own = (one for one in self.office.ledger.chains() if one.author == self.settings.id and not one.frozen and one.closed < 0)
            for chain in sorted(own, key=lambda one: one.opened):
                self._chains.update(dict.fromkeys(tree.span(chain.author, chain.audience), chain.id))
        return self._chains.get(to, b"")


def sign(conversation: str, person: str, what: str) -> bytes:
    """What stands for a person doing something in a conversation."""
    return digest("sign", "\0".join((conversation, person, what)).encode())[:16]

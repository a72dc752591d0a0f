"""How the other processes of a node reach its ledger: requests over a local ZeroMQ socket, and the bell.

Two faces of one conversation: :class:`Ledger` asks and waits (portal, command line; the ZeroMQ context may be eventlet's),
:class:`Line` asks without waiting (the courier's loop). Nothing here signs for the node: the ledger holds those keys.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import zmq

from node.directory.entries import Node
from node.entry import Attachment, Hold
from node.errors import NodeError, Unreachable
from node.requests import Batch, Chain, Draft, Found, Place, Seen, Taken, Told, Written, decode, encode, plain
from node.settings import Settings

LOOK = 0.5
"Seconds between two looks whether the ledger that was asked still lives."


class _Reborn(Unreachable):
    """The ledger that was asked has ended and another one lives."""


class Ledger:
    """Asks this node's ledger and waits for the answer; safe to share between threads or greenlets."""

    def __init__(self, settings: Settings, context: Any = None, *, timeout: float = 30.0) -> None:
        """``context`` is a ZeroMQ context (eventlet's in green processes); ``timeout`` in seconds for one answer."""
        self._address = settings.socket("ledger")
        self._own = context is None
        self._context = context or zmq.Context()
        self._timeout = timeout
        self._idle: list[Any] = []
        self._requests = itertools.count(1)

    def close(self) -> None:
        """Give the sockets back."""
        while self._idle:
            self._idle.pop().close(0)
        if self._own:
            self._context.destroy(0)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _socket(self) -> Iterator[Any]:
        if self._idle:
            socket = self._idle.pop()
        else:
            socket = self._context.socket(zmq.DEALER)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.IMMEDIATE, 1)
            for option in (zmq.RCVTIMEO, zmq.SNDTIMEO):
                socket.setsockopt(option, max(1, int(min(self._timeout, LOOK) * 1000)))
            socket.connect(self._address)
        try:
            yield socket
        except BaseException as error:
            if isinstance(error, NodeError) and not isinstance(error, Unreachable):
                self._idle.append(socket)
            else:
                socket.close(0)  # an answer may still be under way on it
            raise
        self._idle.append(socket)

    def ask(self, name: str, *args: Any) -> Any:
        """The ledger's answer to one request; :class:`Unreachable` when it gives none in time."""
        until = time.monotonic() + self._timeout
        while True:
            with suppress(_Reborn), self._socket() as socket:
                return self._exchange(socket, name, args, until)

    def _exchange(self, socket: Any, name: str, args: Sequence[Any], until: float) -> Any:
        request, born = next(self._requests).to_bytes(8, "big"), self._born()
        self._await(lambda: socket.send_multipart(encode(request, name, args)), born, until)
        frames = self._await(socket.recv_multipart, born, until)
        if frames[0] != request:
            raise Unreachable("the ledger answered another question")
        return decode(frames, name)

    def _await(self, act: Callable[[], Any], born: tuple[int, int], until: float) -> Any:
        """Send or receive, looking now and then whether the ledger that was asked still lives."""
        while True:
            try:
                return act()
            except zmq.Again:
                if time.monotonic() >= until:
                    raise Unreachable("the ledger does not answer", hint="is the node running? see: yiwang status") from None
                if self._born() != born:
                    raise _Reborn from None  # what it was asked died with it; asking twice is asking once

    def _born(self) -> tuple[int, int]:
        """Changes with every ledger that binds the socket."""
        try:
            found = Path(self._address.removeprefix("ipc://")).stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_ctime_ns

    def write(self, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        """Write all or none; durable and folded on return."""
        return self.ask("write", tuple(drafts))  # type: ignore[no-any-return]

    def versions(self, names: Iterable[str]) -> dict[str, int]:
        """The present version of each name (0 when never written)."""
        return self.ask("versions", tuple(names))  # type: ignore[no-any-return]

    def chains(self) -> tuple[Chain, ...]:
        """Every chain held here."""
        return self.ask("chains")  # type: ignore[no-any-return]

    def changed(self, since: int) -> tuple[int, tuple[Chain, ...]]:
        """(mark, chains that grew after the mark ``since``); ask again with the mark."""
        return self.ask("changed", since)  # type: ignore[no-any-return]

    def read(self, chain: bytes, start: int, limit: int) -> Batch | None:
        """Entries from ``start``, about ``limit`` bytes, ending at a head; None when there are none."""
        return self.ask("read", chain, start, limit)  # type: ignore[no-any-return]

    def take(self, batch: Batch, came: str = "") -> Taken:
        """Verify and keep a batch that a node brought; Gap, Fork, Forged and Invalid as errors."""
        return self.ask("take", batch, came)  # type: ignore[no-any-return]

    def confirm(self) -> str:
        """The operator's word that this node may write, whatever held it back; what did."""
        return self.ask("confirm")  # type: ignore[no-any-return]

    def holds(self, since: int, limit: int = 1000) -> tuple[int, tuple[Hold, ...]]:
        """(number to go on from, range statements after ``since``): the last one of each holder and chain."""
        return self.ask("holds", since, limit)  # type: ignore[no-any-return]

    def held(self, holds: Sequence[Hold]) -> int:
        """Keep range statements of others; how many were new. Wrong ones are counted and left out."""
        return self.ask("held", tuple(holds))  # type: ignore[no-any-return]

    def carried(self, chain: bytes, seq: int) -> tuple[tuple[str, int], ...]:
        """(holder, when it first said so in ms) of every node that said it holds the chain up to ``seq``."""
        return self.ask("carried", chain, seq)  # type: ignore[no-any-return]

    def hold_for(self, chain: bytes, seq: int) -> tuple[Hold, ...]:
        """The first range statement of each holder that covers a place."""
        return self.ask("hold_for", chain, seq)  # type: ignore[no-any-return]

    def places(self, id: bytes) -> tuple[Place, ...]:
        """Where a statement stands in logs held here."""
        return self.ask("places", id)  # type: ignore[no-any-return]

    def found(self, chain: bytes, start: int, stop: int) -> tuple[Found, ...]:
        """Entries of a chain in [start, stop)."""
        return self.ask("found", chain, start, stop)  # type: ignore[no-any-return]

    def released(self, since: int, limit: int = 200) -> tuple[int, tuple[Told, ...]]:
        """(place up to which every room has folded, entries released after the place ``since``, in that order).

        Exactly what folds saw. :class:`Unreachable` while tables are built.
        """
        return self.ask("released", since, limit)  # type: ignore[no-any-return]

    def body(self, chain: bytes, seq: int) -> bytes:
        """The plain body of an entry readable here, its seal opened."""
        return self.ask("body", chain, seq)  # type: ignore[no-any-return]

    def disclose(self, chain: bytes, seq: int) -> bytes:
        """The key of one sealed entry, for an evidence file; empty when the log is open."""
        return self.ask("disclose", chain, seq)  # type: ignore[no-any-return]

    def wanted(self) -> tuple[Attachment, ...]:
        """Blobs that entries here name and that have not arrived."""
        return self.ask("wanted")  # type: ignore[no-any-return]

    def rot(self) -> tuple[tuple[bytes, int], ...]:
        """Chains with entries that rotted on this disk, and the first such place of each."""
        return self.ask("rot")  # type: ignore[no-any-return]

    def look(self, chain: bytes, start: int) -> int:
        """Look whether some entries from a place on have rotted; the number to go on from."""
        return self.ask("look", chain, start)  # type: ignore[no-any-return]

    def rotten(self, sha: bytes) -> None:
        """An attachment on this disk has changed: put it aside and fetch it again."""
        self.ask("rotten", sha)

    def arrived(self, sha: bytes) -> None:
        """A wanted blob is whole on disk."""
        self.ask("arrived", sha)

    def nodes(self) -> tuple[Node, ...]:
        """Every node of the tree as the directory has it, closed ones too."""
        return self.ask("nodes")  # type: ignore[no-any-return]

    def forks(self) -> tuple[Seen, ...]:
        """Every fork known here, with its proof."""
        return self.ask("forks")  # type: ignore[no-any-return]

    def sign(self, purpose: str, data: bytes) -> bytes:
        """A signature by the identity key for a purpose of the closed list."""
        return self.ask("sign", purpose, data)  # type: ignore[no-any-return]

    def status(self) -> dict[str, Any]:
        """What the ledger knows of itself."""
        return self.ask("status")  # type: ignore[no-any-return]

    def digest(self) -> dict[str, str]:
        """Hash of each room's tables, independent of row order."""
        return self.ask("digest")  # type: ignore[no-any-return]

    def refold(self) -> dict[str, tuple[str, str]]:
        """(living, rebuilt) digest of each room's tables."""
        return self.ask("refold")  # type: ignore[no-any-return]

    def stop(self) -> None:
        """End the ledger in order."""
        self.ask("stop")


class Line:
    """Asks without waiting: for a loop that polls :attr:`socket` beside others."""

    def __init__(self, settings: Settings, context: Any) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(settings.socket("ledger"))
        self._requests = itertools.count(1)
        self._names: dict[bytes, str] = {}

    def ask(self, name: str, *args: Any) -> bytes:
        """Send a request; its number comes back with the answer. The answer to ``read`` comes as its bytes, which go on as they are."""
        request = next(self._requests).to_bytes(8, "big")
        self._names[request] = name
        self.socket.send_multipart(encode(request, name, args))
        return request

    def answers(self) -> Iterator[tuple[bytes, Any]]:
        """(number, value or error) of every answer that has come."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            name = self._names.pop(frames[0], "")
            if not name:
                continue
            try:
                yield frames[0], plain(frames) if name == "read" else decode(frames, name)
            except NodeError as error:
                yield frames[0], error


def bell(settings: Settings, context: Any, *topics: str) -> Any:
    """A socket that wakes whoever waits for ``entries``, ``holds`` or ``blobs``; losing a ring loses nothing.

    ``grown`` rings with ``entries`` and says what has changed, as :data:`~node.requests.Grown`.
    """
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    for topic in topics:
        socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
    socket.connect(settings.socket("bell"))
    return socket

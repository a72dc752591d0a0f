"""The ledger process: the one writer of a node, and the only one that knows the epoch key.

One loop: wait for requests, take those that have come (for a few milliseconds more while there is much to do), let the book do
all that write in one transaction, answer. Questions are answered between groups. Range statements of others are
put off a little so that they ride along with the next group. A full disk refuses writers and nobody else until there is room. When
the disk fails otherwise the process ends: what it last said is then still true, and its successor reads the disk afresh.
A home has one ledger: a second one finds the lock taken, since two would answer on one socket.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
import zmq

from node import clock, logs, rotation, store
from node.alarms import alarm
from node.beat import Beat
from node.book import Book
from node.directory import writing
from node.entry import Hold
from node.errors import Conflict, Full, Invalid, NodeError
from node.requests import Batch, Draft
from node.settings import Settings
from node.tier import Tier

log = logs.named("ledger")
GROUP, PATIENCE, IDLE = 512, 0.003, 0.1
"""Requests in one transaction; seconds to wait for more while they keep coming; seconds for which range statements may wait."""
PACE, REST, QUICK = 0.2, 6 * 3600.0, 5.0
"Seconds between two steps of the round that looks for rot, and between two rounds; the last for the acceptance profile."
SPELL, LOOK = 0.05, 600.0
"Seconds between two parts of a snapshot that is being made, and until it is looked whether another is due."
ROOM = 4 * 2**20
"Free bytes at which a disk that was full is believed to have room again."

WRITES: dict[str, Any] = {"write": tuple[tuple[Draft, ...]], "take": tuple[Batch, str], "held": tuple[tuple[Hold, ...]], "arrived": tuple[bytes]}
WRITES |= {"rotten": tuple[bytes], "anchor": tuple[bytes, str]}
WRITES |= {"snapshot": tuple[bytes], "adopt": tuple[int], "adopted": tuple[bool]}
WRITES |= {"level": tuple[str], "met": tuple[str, bytes], "twin": tuple[bytes, int], "fence": tuple[str], "confirm": tuple[()]}
QUESTIONS: dict[str, Any] = {
    "versions": tuple[tuple[str, ...]],
    "chains": tuple[()],
    "changed": tuple[int],
    "read": tuple[bytes, int, int],
    "holds": tuple[int, int],
    "hold_for": tuple[bytes, int],
    "carried": tuple[bytes, int],
    "places": tuple[bytes],
    "found": tuple[bytes, int, int],
    "released": tuple[int, int],
    "wanted": tuple[()],
    "rot": tuple[()],
    "look": tuple[bytes, int],
    "disclose": tuple[bytes, int],
    "body": tuple[bytes, int],
    "nodes": tuple[()],
    "forks": tuple[()],
    "sign": tuple[str, bytes],
    "signal": tuple[bytes],
    "status": tuple[()],
    "digest": tuple[()],
    "refold": tuple[()],
    "living": tuple[()],
    "sheets": tuple[()],
    "offer": tuple[()],
    "stop": tuple[()],
}
_DECODERS = {name: msgspec.msgpack.Decoder(shape) for name, shape in (WRITES | QUESTIONS).items()}


class Server:
    """The book behind its socket."""

    def __init__(self, book: Book, settings: Settings) -> None:
        self.book = book
        self.context = zmq.Context()
        self.socket, self.bell = self.context.socket(zmq.ROUTER), self.context.socket(zmq.PUB)
        for made, name in ((self.socket, "ledger"), (self.bell, "bell")):
            made.setsockopt(zmq.LINGER, 200)
            made.bind(settings.socket(name))
            settings.path("run", name).chmod(0o600)
        self.socket.setsockopt(zmq.RCVHWM, 10_000)
        self._wake, self._woken = _pipe()
        self._poller = zmq.Poller()
        self._poller.register(self.socket, zmq.POLLIN)
        self._poller.register(self._woken, zmq.POLLIN)
        self.running = True
        self.beat = Beat(settings, "ledger")
        book.alive = self.beat.touch
        self.full = 0
        "Since when the disk has no room, in milliseconds since 1970 UTC; 0 when it has."
        self._asked = self._questions()
        self._waiting: list[tuple[bytes, bytes, tuple[Any, ...]]] = []
        self._since = 0.0
        self._rest = QUICK if settings.profile == "acceptance" else REST
        self._scrubs = time.monotonic() + QUICK
        "When the next step of the round is due."
        self._makes, self._rest_made = time.monotonic() + QUICK, QUICK if settings.profile == "acceptance" else LOOK
        "When the next part of a snapshot is made, and seconds until it is looked again whether one is due."
        self._anchored = 0
        "What of checkpoints the bell has told."
        self._told: tuple[tuple[bytes, int], ...] = ()
        "Rotten places of which the bell told."

    def stop(self, *_: object) -> None:
        """End after the group in hand."""
        self.running = False

    def run(self) -> None:
        """Serve until told to stop; a signal ends the waiting at once."""
        signal.set_wakeup_fd(self._wake.fileno())
        while self.running:
            self.beat.touch()
            timeout = max(0, int((self._since + IDLE - time.monotonic()) * 1000) + 1) if self._waiting else 1000
            if self.book.adoption.checking and not self.full:
                timeout = 0
            try:
                if self._poller.poll(timeout) or self._waiting:
                    self._turn()
                self._scrub()
                self._anchor()
                self._snapshot()
                self._certify()
                self.book.settle()  # whoever asks all the time, and only reads, must not keep new tables from being taken over
                if self.full and _free(self.book.settings) > ROOM:
                    self.full = 0
            except InterruptedError:
                continue
        signal.set_wakeup_fd(-1)
        self.context.destroy(200)

    def _scrub(self) -> None:
        """Look at a little of what is stored, a twentieth of the time at most, and tell who can ask for what has rotted."""
        began = time.monotonic()
        if began >= self._scrubs:
            known = self.book.journal.rot.blobs.copy()
            going = self.book.scrub()
            self._scrubs = began + (max(PACE, 20 * (time.monotonic() - began)) if going else self._rest)
            if self.book.journal.rot.blobs.keys() - known.keys():
                self.bell.send_multipart([b"blobs", b""])
        found = self.book.journal.rot.first()
        if found != self._told:
            self._told = found
            self.bell.send_multipart([b"rot", b""])

    def _snapshot(self) -> None:
        """Check some of what a snapshot brought; make a little of the one for others, a quarter of the time at most."""
        if self.book.adoption.checking and not self.full:
            try:
                self.book.adoption.step()
            except Exception as error:
                if not store.full(error):
                    raise
                self.full = clock.ms()
        began = time.monotonic()
        if began >= self._makes and not self.full:
            going = self.book.maker.step()
            self._makes = began + (max(SPELL, 3 * (time.monotonic() - began)) if going else self._rest_made)

    def _anchor(self) -> None:
        """Make a checkpoint where one is due, and tell when there is a new one, or a new countersignature."""
        witness, mono = self.book.witness, time.monotonic()
        if not self.full and witness.due(mono):
            try:
                self.book.commit([("checkpoint", (mono,))])
            except Exception as error:
                if not store.full(error):
                    raise
                self.full = clock.ms()
        if witness.news != self._anchored:
            self._anchored = witness.news
            self.bell.send_multipart([b"checkpoint", b""])

    def _certify(self) -> None:
        """Say what certificates those below are owed, when something came that may have changed that."""
        directory = self.book.directory
        if not self.book.owes or directory is None or self.full:
            return
        self.book.owes = False
        settings = self.book.settings
        try:
            drafts = tuple(writing.draft(settings, directory, record) for record in rotation.owed(settings, directory, clock.now()))
            written = self._do([("write", (drafts,))]) if drafts else []
        except NodeError as failed:
            written = [failed]
        for one in written:
            if isinstance(one, NodeError):  # it is looked at again with the next round
                log.warning("certificates.owed", error=str(one))

    def _turn(self) -> None:
        writes, questions = self._gather()
        lazy = [w for w in writes if w[2][0] == "held"]
        if lazy and not self._waiting:
            self._since = time.monotonic()
        self._waiting += lazy
        group = [w for w in writes if w[2][0] != "held"]
        if group or (self._waiting and time.monotonic() - self._since >= IDLE):
            group, self._waiting = group + self._waiting, []
            self._commit(group)
        for who, request, (name, args) in questions:
            self._answer(who, request, self._ask(name, args))

    def _gather(self) -> tuple[list[Any], list[Any]]:
        """Requests that have come, apart into those that write and those that ask."""
        writes: list[Any] = []
        questions: list[Any] = []
        until = 0.0
        while len(writes) < GROUP:
            try:
                who, request, name, payload = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                if len(writes) < 2 or time.monotonic() > until:
                    break
                self.socket.poll(1)
                continue
            except ValueError:
                continue
            until = until or time.monotonic() + PATIENCE
            self._sort(who, request, name.decode("ascii", "replace"), payload, writes, questions)
        return writes, questions

    def _sort(self, who: bytes, request: bytes, name: str, payload: bytes, writes: list[Any], questions: list[Any]) -> None:
        decoder = _DECODERS.get(name)
        if decoder is None:
            self._answer(who, request, Invalid(f"the ledger knows no request {name}"))
            return
        try:
            args = decoder.decode(payload)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            self._answer(who, request, Invalid(f"{name}: {error}", code="malformed"))
            return
        (writes if name in WRITES else questions).append((who, request, (name, args)))

    def _commit(self, group: list[Any]) -> None:
        for (who, request, _), result in zip(group, self._do([request for _, _, request in group]), strict=True):
            self._answer(who, request, result)

    def _do(self, requests: list[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Commit requests and ring for what came of them; their results."""
        before, living = self.book.journal.mark, self.book.writer.living()
        try:
            results = self.book.commit(requests)
            self.full = 0
        except Exception as error:
            if not store.full(error):
                log.error("disk.failed", trace=True, error=str(error))
                raise
            self.full = self.full or clock.ms()
            results = [Full("the disk is full; reading goes on", hint="make room on the disk of this node")] * len(requests)
        if self.book.journal.mark != before:
            mark, chains = self.book.journal.changed(before)
            self.bell.send_multipart([b"entries", str(mark).encode()])
            self.bell.send_multipart([b"grown", msgspec.msgpack.encode((before, mark, chains))])
        if self.book.writer.living() != living:
            self.bell.send_multipart([b"living", b""])
        names = {name for name, _ in requests}
        if "held" in names:
            self.bell.send_multipart([b"holds", b""])
        if names & {"arrived", "rotten"}:
            self.bell.send_multipart([b"blobs", b""])
        return results

    def _ask(self, name: str, args: tuple[Any, ...]) -> Any:
        try:
            return self._asked[name](*args)
        except NodeError as error:
            return error
        except Exception as error:  # a question that cannot be answered must not end the ledger
            if store.broken(error) and not store.full(error):
                raise
            log.error("question.failed", trace=True, question=name)
            return NodeError("the ledger cannot answer this")

    def _questions(self) -> dict[str, Callable[..., Any]]:
        book, journal = self.book, self.book.journal

        def over(method: Callable[..., Any]) -> Callable[..., Any]:
            def ask(*args: Any) -> Any:
                with journal.asking() as c:
                    return method(c, *args)

            return ask

        def stop() -> None:
            self.stop()

        return {
            "versions": over(journal.versions),
            "chains": book.chains,
            "changed": journal.changed,
            "read": book.read,
            "holds": over(journal.holds),
            "hold_for": over(lambda c, chain, seq: journal.hold_for(c, journal.chain(chain), seq)),
            "carried": over(lambda c, chain, seq: tuple((h.holder, h.at) for h in journal.hold_for(c, journal.chain(chain), seq))),
            "places": over(journal.places),
            "found": over(lambda c, chain, start, stop: tuple(journal.found(c, journal.chain(chain), start, min(stop, start + 1000)))),
            "released": book.released,
            "wanted": over(journal.wanted),
            "rot": journal.rot.first,
            "look": book.look,
            "disclose": book.disclose,
            "body": book.body,
            "nodes": book.nodes,
            "forks": over(book.intake.forks.all),
            "sign": book.sign,
            "signal": book.signal,
            "living": book.writer.living,
            "sheets": book.witness.sheets,
            "offer": lambda: book.maker.offer,
            "status": self._status,
            "digest": book.digests,
            "refold": book.refold,
            "stop": stop,
        }

    def _status(self) -> dict[str, Any]:
        found = self.book.status()
        if self.full:
            new = alarm("disk_full", "critical", self.book.here, self.full, "nothing can be written until there is room")
            found |= {"state": "readonly", "reasons": ["disk_full"], "alarms": [*found["alarms"], new]}
        return found

    def _answer(self, who: bytes, request: bytes, result: Any) -> None:
        if isinstance(result, NodeError):
            word, value = b"no", msgspec.msgpack.encode((type(result).code, str(result), result.code))
        else:
            word, value = b"ok", msgspec.msgpack.encode(result)
        self.socket.send_multipart([who, request, word, value])


def _pipe() -> tuple[socket.socket, socket.socket]:
    """Two ends of a pipe that a signal may write to."""
    ends = socket.socketpair()
    ends[0].setblocking(False)
    return ends


def _free(settings: Settings) -> int:
    found = os.statvfs(settings.home)
    return found.f_bavail * found.f_frsize


def lock(settings: Settings) -> int:
    """The lock of a home's only ledger, held as long as the file descriptor is open; :class:`Conflict` when another holds it."""
    folder = settings.path("run")
    folder.mkdir(mode=0o700, exist_ok=True)
    held = os.open(folder / "ledger.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise Conflict("another ledger serves this home", hint="yiwang status") from None
    return held


def main(settings: Settings, tier: Tier) -> None:
    """Run the ledger of a home until SIGTERM."""
    logs.start()
    os.umask(0o077)
    try:
        held = lock(settings)
    except Conflict as error:
        log.error("ledger.refused", error=str(error))
        sys.exit(error.exit_code)
    rooms = [module.ROOM for module in tier.models()]
    started = time.monotonic()
    book = Book(settings, rooms)
    book.epochs.wait_for_counties()
    server = Server(book, settings)
    gc.freeze()  # what was loaded stays; to look through it for garbage again and again costs more than an entry
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.stop)
    log.info("ledger.ready", entries=book.journal.last, seconds=round(time.monotonic() - started, 3))
    server.run()
    book.close()
    os.close(held)
    log.info("ledger.stopped")
    sys.exit(0)

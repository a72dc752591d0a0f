"""The book: journal, folds, directory and keys of one node together, everything the ledger process does but its socket.

**Parts.** :class:`~node.writer.Writer` has the epoch and writes drafts, :class:`~node.intake.Intake` takes what neighbours bring,
:class:`~node.reader.Reader` opens bodies, :class:`~node.notary.Notary` knows whom to believe, :class:`~node.report.Report` tells how it stands.

**Normal path.** A group of requests becomes one transaction: drafts are checked, signed into the chains of this start's epoch and
numbered; batches of neighbours are verified and numbered. Entries meant for this node are opened, their signer checked, and
*released* in an order that respects ``after``; what misses its signer or a forerunner is *parked* until that comes. The
transaction ends with one head for each chain that grew, is made durable, and only then are rooms folded and callers answered.

Invariants: nothing is answered before it is durable; a request that fails leaves nothing; an error of the disk ends the process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from node import clock, kinds, logs, rot, store
from node.adoption import Adoption
from node.blobs import Blobs
from node.directory.entries import Node, Rekeyed, Rooted
from node.directory.view import Directory
from node.epochs import Epochs
from node.errors import NodeError, Unreachable
from node.fold import Released, Room
from node.group import Group
from node.intake import Intake
from node.journal import Journal
from node.maker import Maker
from node.notary import Notary
from node.reader import Reader
from node.report import Report
from node.requests import Batch, Chain, Told
from node.settings import Settings
from node.shelves import Shelves
from node.witness import Witness
from node.writer import Writer

log = logs.named("book")


class Book:
    """One node's journal with all that belongs to it."""

    def __init__(self, settings: Settings, rooms: Sequence[Room], *, reason: str = "start", now: Callable[[], int] = clock.ms) -> None:
        self.settings, self.rooms, self.here = settings, list(rooms), settings.id
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._behind = False
        "Whether a full disk kept rooms from folding what is in the journal."
        self.owes = True
        "Whether something came by which this node may owe others a certificate (:mod:`node.rotation`)."
        self._round: Iterator[rot.Step] | None = None
        "The walk over everything stored that is under way."
        self.alive: Callable[[], None] = lambda: None
        "Called now and then while something long is done, so that whoever watches sees life."
        self.blobs = Blobs(settings)
        self.notary = Notary(settings, now)
        self.journal = Journal(_engine(settings), here=self.here, city=settings.city, opens=self.notary.check_opening)
        self.reader = Reader(settings, self.journal, self.notary)
        self.epochs = Epochs(settings, self.journal, lambda: self.notary.directory, now)
        reason = self.epochs.standing.reason if reason == "start" else reason
        self.writer = Writer(self.journal, self.notary, self.reader, self.blobs, self.epochs, now, reason)
        self.intake = Intake(self.journal, self.notary, self.reader, self.writer, self.blobs, now)
        self.shelves = Shelves(settings, self.rooms, self.reader.released, end=lambda: self.journal.released, alive=lambda: self.alive())
        self.witness = Witness(settings, self.journal, self.notary, self.epochs, now, leaps=reason != "start")
        self.maker = Maker(settings, self.journal, self.notary, self.read, now)
        self.adoption = Adoption(settings, self.journal, self.notary, self.reader, self.intake, self._renew, now)
        self.report = Report(self.journal, self.notary, self.writer, self.epochs, self.shelves, self.witness, self.adoption, now)
        self.disclose, self.body = self.reader.disclose, self.reader.body
        self.sign, self.signal, self.state_digest = self.notary.sign, self.writer.signal, self.report.state_digest
        directory = next((room for room in self.rooms if room.name == "directory"), None)
        if directory is not None:
            self.notary.directory = Directory.of(settings, lambda: self.shelves.session(directory), auto=False)
        self._catch_up()
        self.notary.renew()
        self.revive()

    @property
    def directory(self) -> Directory | None:
        """Who is who; None where the directory's room is not kept."""
        return self.notary.directory

    def close(self) -> None:
        """Close every file."""
        self.notary.close()
        self.report.close()
        self.shelves.close()
        self.journal.close()

    # --- rot ----------------------------------------------------------------------------------------------------

    def scrub(self) -> bool:
        """One step of a round over everything stored; False when there is none left and the next call begins another round."""
        if self._round is None:
            self.journal.rot.unreadable.clear()
            self._round = rot.steps(self.journal.rot, tuple(self.journal.chains.values()), self.blobs)
        step = next(self._round, None)
        if step is None:
            self._round, self.owes = None, True
            return False
        try:
            with self.journal.asking() as c:
                sha = step(c)
        except (SQLAlchemyError, OSError) as error:  # a page or a file that cannot be read must not end who serves all the others
            self.journal.rot.unread(str(error).splitlines()[0])
            return True
        if sha:
            self.commit([("rotten", (sha,))])
        return True

    def look(self, chain: bytes, start: int) -> int:
        """Look at some entries of a chain at once, for an operator; the number to go on from."""
        state = self.journal.chain(chain)
        with self.journal.asking() as c:
            rot.entries(self.journal.rot, state, start, c)
        return min(start + rot.SOME, state.count)

    # --- groups -------------------------------------------------------------------------------------------------

    def commit(self, requests: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Do requests (write, take, held, arrived) in one transaction; a result or NodeError for each, durable and folded.

        A request that breaks the transaction is found by doing each alone, and refused. Errors of the disk are raised: what they left
        undone is undone, or done at the next commit.
        """
        self.settle()
        if self._behind:
            self._catch_up()
            self.revive()
        try:
            group, results = self._transact(requests)
        except Exception as error:  # no request may end the ledger, whatever it holds
            if store.broken(error):
                raise
            if len(requests) > 1:
                return [self.commit([one])[0] for one in requests]
            log.error("request.failed", trace=True, request=requests[0][0])
            self.refused["error"] += 1
            return [NodeError("the ledger could not do this")]
        self.counts["commits"] += 1
        self.fold(group.released)
        return results

    def _transact(self, requests: Sequence[tuple[str, tuple[Any, ...]]]) -> tuple[Group, list[Any]]:
        results: list[Any] = []
        group, intake = Group(self.journal), self.intake
        doing: dict[str, Callable[..., Any]] = {"write": self.writer.write, "take": intake.take, "held": intake.held, "arrived": intake.arrived}
        doing["rotten"] = intake.rotten
        doing |= {"confirm": self.writer.confirm} | self.epochs.requests() | self.witness.requests() | self.adoption.requests()
        try:
            with self.journal.transaction() as c:
                for name, args in requests:
                    try:
                        results.append(doing[name](c, group, *args))
                    except NodeError as error:
                        group.refused[error.code] += 1
                        results.append(error)
                intake.heed(c, group)
                self.writer.sign_heads(c, group)
        except BaseException:
            self.journal.load()
            self.writer.load()
            self.witness.load()
            raise
        self._count(group)
        return group, results

    def fold(self, released: list[Released]) -> None:
        """Fold what was released; new certificates may free parked entries, which are released and folded in turn."""
        while released:
            self._behind = True
            touched = self._fold(released)
            self._behind = False
            released = self._unpark(self.directory.newly_signing(touched)) if touched and self.directory else []

    def _fold(self, released: list[Released]) -> list[kinds.Content]:
        """Fold in every room; what the directory was told."""
        if bad := self.shelves.fold(released):
            self.refused["unfolded"] += bad
        self.counts["folded"] += len(released)
        touched = [e.body for _, e in released if e is not None and e.kind.startswith("directory.")]
        if touched and self.directory is not None:
            self.directory.refresh()
            if any(isinstance(content, Node | Rekeyed | Rooted) for content in touched):
                self.notary.renew()
                self.owes = True
        return touched

    def revive(self) -> None:
        """Look again at what waits for a signer, after a start."""
        if self.directory is not None:
            self.fold(self._unpark(self.directory.fingerprints()))

    def _unpark(self, signers: Collection[bytes]) -> list[Released]:
        """Release what waited for those of these signers that are now known. Nobody else's are looked at: anyone may let any number wait."""
        with self.journal.asking() as c:
            known = self.intake.awaited(c, signers)
        if not known:
            return []
        group = Group(self.journal)
        with self.journal.transaction() as c:
            self.intake.unpark(c, group, known)
            self.intake.heed(c, group)
        self._count(group)
        return group.released

    def _count(self, group: Group) -> None:
        self.counts.update(group.counts)
        self.refused.update(group.refused)

    # --- tables -------------------------------------------------------------------------------------------------

    def settle(self, *, wait: bool = False) -> None:
        """Take over tables that were built beside the work."""
        self.shelves.settle(wait=wait)

    def _catch_up(self) -> None:
        self.shelves.catch_up()
        self._behind = False
        if self.directory is not None:
            self.directory.refresh()

    def _renew(self) -> None:
        """What was released is no longer so: build every room's tables anew, the directory's at once."""
        self.shelves.renew()
        if self.directory is not None:
            self.directory.refresh()

    def digests(self) -> dict[str, str]:
        """Hash of each room's living tables."""
        return self.shelves.digests()

    def refold(self) -> dict[str, tuple[str, str]]:
        """(living, rebuilt) digest of each room; they are equal unless a fold depends on more than it should."""
        return self.shelves.refold()

    # --- questions ----------------------------------------------------------------------------------------------

    def read(self, chain: bytes, start: int, limit: int) -> Batch | None:
        """A batch for a neighbour; openings bring the author's certificates."""
        with self.journal.asking() as c:
            state = self.journal.chain(chain)
            batch = self.journal.read(c, state, start, limit)
        if batch is None or start:
            return batch
        return msgspec.structs.replace(batch, certs=self.notary.certs_of(state.author))

    def released(self, since: int, limit: int) -> tuple[int, tuple[Told, ...]]:
        """(place up to which every room has folded, entries released after ``since``), for those who follow what folds saw."""
        if self.shelves.building:
            raise Unreachable("tables are being built", hint="wait a moment and try again")
        end = self.shelves.least
        return end, self.reader.told(since, end, limit)

    def nodes(self) -> tuple[Node, ...]:
        """Every node of the tree; one that was revoked is closed, whatever is said of it."""
        known = self.directory.nodes() if self.directory is not None else ()
        return tuple(msgspec.structs.replace(one, closed=True) if self.directory and self.directory.bar(one.id) else one for one in known)

    def chains(self) -> tuple[Chain, ...]:
        """Every chain held."""
        return tuple(s.chain() for s in self.journal.chains.values())

    def status(self) -> dict[str, Any]:
        """What the ledger knows of itself, in the words of the status command."""
        return self.report.status(dict(self.counts) | {"refused": dict(self.refused)}, behind=self._behind)


def _engine(settings: Settings) -> Engine:
    if settings.storage == "sqlite":
        return store.sqlite(settings.path("journal.db"), store.FULL)
    return store.postgresql(settings.storage, f"journal_{settings.id}", durable=True)

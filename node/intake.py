"""Taking: what neighbours bring is verified and numbered by the journal, and sifted here.

What is meant for this node is opened and its signer checked; it is then *released* to the rooms, *parked* until its signer or what it
builds on has come, or *marked* with what is wrong with it. What is freed frees others in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Connection, update

from node import entry as said
from node import keys, kinds, logs, schema
from node.blobs import Blobs
from node.chain import Row, State
from node.codec import LATEST
from node.directory.entries import Forked, Settled
from node.directory.view import Signer
from node.entry import Hold
from node.errors import Forged, Fork, Invalid, Missing, NodeError, Untrusted
from node.forks import Forks
from node.group import Group, Readable, parts
from node.journal import Journal, nameable
from node.notary import Notary
from node.reader import Reader
from node.requests import Batch, Taken
from node.writer import Writer

log = logs.named("book")


class Intake:
    """What a node does with entries and range statements of others."""

    def __init__(self, journal: Journal, notary: Notary, reader: Reader, writer: Writer, blobs: Blobs, now: Callable[[], int]) -> None:
        self.journal, self.notary, self.reader, self.writer, self.blobs, self._now = journal, notary, reader, writer, blobs, now
        self.forks = Forks(journal, notary, writer)

    def take(self, c: Connection, group: Group, batch: Batch, came: str = "") -> Taken:
        """Verify a batch that a node brought, write what is new of it and examine what is for this node."""
        self._check_author(batch)
        try:
            state, numbers, rows = self.journal.take(c, batch, came)
        except Fork as error:
            self.forks.seen(c, group, error, self._now())
            raise
        if rows and state.author == self.notary.here:
            self.writer.epochs.returned(c, state, numbers)
        if rows and self.writer.mine(state):
            self.writer.renew(c, group)
        group.counts["taken"] += len(rows)
        group.counts["duplicates"] += len(batch.entries) - len(rows)
        if rows:
            self._examine(c, group, state, numbers, rows)
        hold = self._own_hold(c, state) if state.author != self.notary.here else None
        attachments = tuple(a for row in rows for a in row.header.attachments)
        return Taken(state.chain(), len(rows), hold, attachments)

    def _check_author(self, batch: Batch) -> None:
        """Refuse what goes on behind the last good places of a revoked node."""
        held = self.journal.chains.get(batch.chain)
        if held is None and (batch.start or not batch.entries):
            return
        author = held.author if held is not None else said.read_opening(batch.entries[0][1])[0].author
        if self.notary.barred(author, (batch.chain, batch.start + len(batch.entries) - 1)):
            raise Untrusted(f"node {author} was revoked before this", code="revoked")

    def _own_hold(self, c: Connection, state: State) -> Hold:
        here, at, seq = self.notary.here, self._now(), state.count - 1
        signature = keys.sign(self.notary.identity, said.hold_signed(here, state.id, seq, state.hash, at))
        hold = Hold(here, state.id, seq, state.hash, at, signature)
        self.journal.hold(c, hold)
        return hold

    def held(self, c: Connection, group: Group, holds: Sequence[Hold]) -> int:
        """Keep range statements of others; how many were new. Wrong ones are counted and left out."""
        new = 0
        for hold in holds:
            known = self.notary.identity_of(hold.holder, ())
            if not known or not self.journal.agrees(c, hold) or hold.at > LATEST:
                group.refused["unknown_hold"] += 1
                continue
            try:
                keys.verify_any(known, hold.signature, said.hold_signed(hold.holder, hold.chain, hold.seq, hold.hash, hold.at))
            except Forged as error:
                group.refused[error.code] += 1
                continue
            new += self.journal.hold(c, hold)
        return new

    def arrived(self, c: Connection, group: Group, sha: bytes) -> None:
        """An attachment is whole on disk."""
        if not self.blobs.has(sha):
            raise Missing("the attachment is not here")
        self.journal.arrived(c, sha)
        if self.journal.rot.came(sha):
            self.blobs.healed(sha)

    def rotten(self, c: Connection, group: Group, sha: bytes) -> None:
        """An attachment on this disk has changed: it is put aside and wanted again."""
        size = self.blobs.size(sha)
        c.execute(update(schema.WANTED).where(schema.WANTED.c.sha == sha).values(here=False))
        schema.WANT.many(c, [(sha, size, False)])
        self.journal.rot.blobs[sha] = self._now()
        self.blobs.aside(sha)
        log.error("blob.rotten", sha=sha.hex())

    def heed(self, c: Connection, group: Group) -> None:
        """Do what was released and concerns the journal itself."""
        for _, entry in group.released:
            if entry is not None and isinstance(entry.body, (Forked, Settled)):
                self.forks.heed(c, group, entry, self._now())

    # --- sifting ------------------------------------------------------------------------------------------------

    def _examine(self, c: Connection, group: Group, state: State, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Open, check and release what is meant for this node; what cannot be released yet is parked, what is wrong marked."""
        if not self.reader.readable(state):
            return
        found = []
        for number, row in zip(numbers, rows, strict=True):
            if row.header.seq == 0:
                continue
            try:
                found.append(self.reader.open(c, state, number, row))
            except NodeError as error:
                self._mark(c, group, number, error.code)
        if found:
            done = self.journal.released_among(c, [f.id for f in found])
            schema.ADD_SAID.many(c, [(f.id, f.number) for f in found if f.id in done])
            self._consider(c, group, [f for f in found if f.id not in done])

    def _mark(self, c: Connection, group: Group, number: int, code: str) -> None:
        group.refused[code] += 1
        log.warning("entry.refused", number=number, code=code)
        schema.REFUSE.many(c, [(number, code)])

    def _consider(self, c: Connection, group: Group, found: Sequence[Readable]) -> None:
        """Release in order what may be, then what waited for that, and so on."""
        while found:
            found = self._waiting(c, self._sift(c, group, found))

    def _sift(self, c: Connection, group: Group, found: Sequence[Readable]) -> list[bytes]:
        """Release, park or refuse each; the ids of what was released. Signatures are checked on all cores (OpenSSL leaves the interpreter's lock)."""
        signers = {f.statement.signer: self.notary.signer(f.statement.signer) for f in found}
        checks = self.notary.check_all([(f, signers[f.statement.signer]) for f in found])
        done = self.journal.released_among(c, [a for f in found for a in f.statement.after])
        parked, others = [], []
        for one, code in zip(found, checks, strict=True):
            signer = signers[one.statement.signer]
            wants = next((a for a in one.statement.after if a not in done), None)
            if signer is None:
                parked.append((one.number, one.statement.signer))
            elif code:
                self._mark(c, group, one.number, code)
            elif wants is not None:
                parked.append((one.number, wants))
            elif one.id not in done and self._accept(c, group, one, signer):
                done.add(one.id)
                continue
            others.append((one.id, one.number))
        group.flush(c)
        schema.PARK.many(c, parked)
        schema.ADD_SAID.many(c, others)
        freed = [f for f in found if f.id in done]
        self._remember(c, freed)
        return [f.id for f in freed]

    def _remember(self, c: Connection, found: Sequence[Readable]) -> None:
        """What others brought changes records too; and what comes back to its own author after a restore must not be written twice."""
        names = {f.statement.record for f in found if nameable(f.statement.record)}
        self.journal.bump(c, names)
        schema.ADD_NONCE.many(c, [(f.statement.nonce, f.id) for f in found if f.state.author == self.notary.here])

    def _accept(self, c: Connection, group: Group, one: Readable, signer: Signer) -> bool:
        """Release what somebody brought; False when its content cannot be read."""
        try:
            content = kinds.decode(one.statement.kind, one.body.content)
        except Invalid as error:
            self._mark(c, group, one.number, error.code)
            return False
        if not self.notary.may_say(content, one.state.author):
            self._mark(c, group, one.number, "scope")
            return False
        group.release(one, signer, content)
        return True

    # --- parked -------------------------------------------------------------------------------------------------

    def unpark(self, c: Connection, group: Group, wanted: Sequence[bytes]) -> None:
        """Consider again what waited for these statements or signers."""
        self._consider(c, group, self._waiting(c, wanted))

    def awaited(self, c: Connection, signers: Collection[bytes]) -> list[bytes]:
        """Those of these signers that something waits for and that are now known."""
        return [wants for (wants,) in schema.WANTS.among(c, signers) if self.notary.signer(wants) is not None]

    def _waiting(self, c: Connection, ids: Sequence[bytes]) -> list[Readable]:
        """Take out what was parked for these statements or signers, in the order it came."""
        numbers = [number for (number,) in schema.WAITING.among(c, ids)]
        for some in parts(numbers):
            c.execute(schema.PARKED.delete().where(schema.PARKED.c.number.in_(some)))
        found = [self.reader.again(c, f) for f in self.journal.by_numbers(c, sorted(numbers))]
        done = self.journal.released_among(c, [f.id for f in found])
        return [f for f in found if f.id not in done]

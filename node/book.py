"""The book: journal, folds, directory and keys of one node together, everything the ledger process does but its socket.

**Normal path.** A group of requests becomes one transaction: drafts are checked, signed into the chains of this start's epoch and
numbered; batches of neighbours are verified and numbered. Entries meant for this node are opened, their signer checked, and
*released* in an order that respects ``after``; what misses its signer or a forerunner is *parked* until that comes. The
transaction ends with one head for each chain that grew, is made durable, and only then are rooms folded and callers answered.

**The epoch.** Its key is made here and lives in this process's memory. A log opens a new chain under it at first use. So no
backup, clone or lost tail can sign an occupied place.

Invariants: nothing is answered before it is durable; a request that fails leaves nothing; an error of the disk ends the process.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, func, select

from node import certs, clock, journal, keys, kinds, logs, seal, store
from node import entry as said
from node.alarms import alarm
from node.blobs import Blobs
from node.client import Batch, Chain, Draft, Found, Place, Taken, Told, Written
from node.codec import LATEST, base32, pack, unpack
from node.digest import Digest
from node.directory.entries import Revoked
from node.directory.view import Directory, Signer
from node.entry import Audience, Body, Hold, Known, Lane, Opened, Opening, Scope, Statement
from node.errors import Conflict, Forged, Invalid, Missing, NodeError, Refused, Unreachable, Untrusted
from node.fold import Released, Room
from node.journal import Journal, Row, State
from node.kinds import Entry
from node.quick import Quick
from node.settings import Settings
from node.shelves import Shelves

T = TypeVar("T")
log = logs.named("book")
SOFTWARE = "yiwang 0.1.0"
PURPOSES = ("hello", "signal", "challenge", "admission", "evidence")
"What others in this node may have signed by the identity key."
PUBLIC = {f"directory.{past}" for past in ("node", "organ", "post", "person", "appointed", "delegated", "list", "calendar", "certified", "revoked")}
"Kinds that count only in logs for all."
RUN = 32
"Signatures that one thread checks at a time."
PAGE = 1000
"Released entries told at a time."
TELL = 4 * 2**20
"Bytes of entries told to a follower at a time, about."
EXPIRING = dt.timedelta(days=30)
"What is left of the node's certificate when the alarm begins."


@dataclass(frozen=True)
class Readable:
    """An entry meant for this node, opened and checked as far as it can be alone."""

    number: int
    state: State
    row: Row
    body: Body
    statement: Statement
    id: bytes


@dataclass(frozen=True)
class Ready:
    """A draft that may be written."""

    draft: Draft
    body: Body
    statement: Statement
    id: bytes
    signer: Signer
    content: kinds.Content | None

    @property
    def names(self) -> set[str]:
        """What it changes the version of."""
        return {self.statement.record, *self.draft.touches}


@dataclass
class Group:
    """What one transaction gathers for after its commit."""

    released: list[Released] = field(default_factory=list)
    rows: dict[Quick, list[tuple[Any, ...]]] = field(default_factory=dict)
    "Small rows by what inserts them, together at the end of each request."
    grown: set[bytes] = field(default_factory=set)
    "Own chains that need a head."

    def later(self, into: Quick, *row: Any) -> None:
        """Insert a row at the end of the request."""
        self.rows.setdefault(into, []).append(row)

    def flush(self, c: Connection) -> None:
        """Insert what was put off; what follows may look it up."""
        for into, rows in self.rows.items():
            into.many(c, rows)
        self.rows.clear()


class Book:
    """One node's journal with all that belongs to it."""

    def __init__(self, settings: Settings, rooms: Sequence[Room], *, reason: str = "start", now: Callable[[], int] = clock.ms) -> None:
        self.settings, self.rooms, self._now, self.reason = settings, list(rooms), now, reason
        self.here = settings.id
        self.identity = _identity(settings)
        self.storage = seal.StorageKey(keys.read_secret(settings.path("keys", "storage.key")))
        self.chain_certs = certs.load_chain(settings.path("certs", "node.pem").read_bytes())
        self.root = certs.load(settings.path("certs", "root.pem").read_bytes())
        self.fingerprint = certs.fingerprint(self.chain_certs[0])
        self._self = Signer("node", self.here, "", self.here, self.chain_certs[0])
        self.epoch_key, self.epoch, self.opened = keys.new_ed25519(), secrets.token_bytes(32), now()
        self.blobs = Blobs(settings)
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._behind = False
        "Whether a full disk kept rooms from folding what is in the journal."
        self._chain_keys: dict[bytes, bytes] = {}
        self._logs: dict[tuple[Audience, Lane], State] = {}
        self._spaced: dict[bytes, tuple[list[tuple[int, bytes]], int, int]] = {}
        "Of each chain that grows in this group: where heads are to stand inside it, entries and bytes since the last."
        self._pool = ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), "verify")
        self._digest = Digest()
        self.alive: Callable[[], None] = lambda: None
        "Called now and then while something long is done, so that whoever watches sees life."
        self.journal = Journal(_engine(settings), here=self.here, city=settings.city, identity=self._identity_of)
        self.directory: Directory | None = None
        self.shelves = Shelves(settings, self.rooms, self._released, end=lambda: self.journal.released, alive=lambda: self.alive())
        directory = next((room for room in self.rooms if room.name == "directory"), None)
        if directory is not None:
            self.directory = Directory.of(settings, lambda: self.shelves.session(directory), auto=False)
        self._catch_up()
        self.revive()

    def close(self) -> None:
        """Close every file."""
        self._pool.shutdown()
        self._digest.close()
        self.shelves.close()
        self.journal.close()

    # --- trust --------------------------------------------------------------------------------------------------

    def _identity_of(self, author: str, given: Sequence[bytes]) -> keys.PublicKey | None:
        if author == self.here:
            return self.identity.public_key()
        known = self.directory.identity(author) if self.directory else None
        if known is not None or not given:
            return known
        chain = [certs.load(one) for one in given]
        certs.check_chain(chain, self.root, clock.from_ms(self._now()))
        about = certs.subject(chain[0])
        key: keys.PublicKey = chain[0].public_key()  # type: ignore[assignment]
        return key if about.kind == "node" and about.id == author else None

    def _signer(self, fingerprint: bytes) -> Signer | None:
        if fingerprint == self.fingerprint:
            return self._self
        return self.directory.signer(fingerprint) if self.directory else None

    def _certs_of(self, author: str) -> tuple[bytes, ...]:
        if author == self.here:
            return tuple(certs.der(c) for c in self.chain_certs)
        found = self.directory.node(author) if self.directory else None
        return found.chain if found is not None else ()

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
        group = Group()
        doing: dict[str, Callable[..., Any]] = {"write": self._write, "take": self._take, "held": self._held, "arrived": self._arrived}
        try:
            with self.journal.transaction() as c:
                for name, args in requests:
                    try:
                        results.append(doing[name](c, group, *args))
                    except NodeError as error:
                        self.refused[error.code] += 1
                        results.append(error)
                self._sign_heads(c, group)
        except BaseException:
            self.journal.load()
            self._spaced.clear()
            own = (s for s in self.journal.chains.values() if s.author == self.here and s.epoch == self.epoch)
            self._logs = {(s.audience, s.lane): s for s in own}  # a second chain of a log in one epoch would be a fork
            raise
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
        return touched

    def revive(self) -> None:
        """Look again at what waits for a signer, after a start."""
        if self.directory is not None:
            self.fold(self._unpark(self.directory.fingerprints()))

    def _unpark(self, signers: Collection[bytes]) -> list[Released]:
        """Release what waited for those of these signers that are now known. Nobody else's are looked at: anyone may let any number wait."""
        with self.journal.asking() as c:
            waiting = [wants for (wants,) in journal.WANTS.among(c, signers)]
        known = [w for w in waiting if self._signer(w) is not None]
        if not known:
            return []
        group = Group()
        with self.journal.transaction() as c:
            self._consider(c, group, self._waiting(c, known))
        return group.released

    # --- writing ------------------------------------------------------------------------------------------------

    def _write(self, c: Connection, group: Group, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        """All or none: everything that can be refused is refused before the first row is written."""
        statements = [unpack(draft.statement, Statement) for draft in drafts]
        done = self._repeated(c, [statement.nonce for statement in statements])
        ready: list[Ready] = []
        before: set[bytes] = set()
        for i, draft in enumerate(drafts):
            if i not in done:
                ready.append(self._checked(c, draft, statements[i], before))
                before.add(ready[-1].id)
        names = {name for r in ready for name in r.names} | {name for r in ready for name, _ in r.draft.relies}
        found = self.journal.versions(c, names)
        for name, version in (pair for r in ready for pair in r.draft.relies):
            if found[name] != version:
                raise Conflict("someone has just changed this", hint="read it again", name=name)
        placed = self._place_all(c, group, [(r.draft, pack(r.body)) for r in ready])
        written = iter([self._note(c, group, r, places) for r, places in zip(ready, placed, strict=True)])
        if ready:
            self.journal.bump(c, {name for r in ready for name in r.names})
        group.flush(c)
        self.counts["written"] += len(ready)
        return tuple(done[i] if i in done else next(written) for i in range(len(drafts)))

    def _repeated(self, c: Connection, given: Sequence[bytes]) -> dict[int, Written]:
        """What was written before, by the index of its nonce."""
        nonces = {nonce: i for i, nonce in enumerate(given)}
        if len(nonces) < len(given):
            raise Invalid("the same nonce twice in one write", code="nonce")
        found: dict[int, Written] = {}
        for nonce, sid in journal.REPEATED.among(c, nonces):
            number = c.execute(select(journal.RELEASED.c.number).where(journal.RELEASED.c.sid == sid)).scalar_one()
            found[nonces[nonce]] = Written(sid, number, self.journal.places(c, sid), True)
        return found

    def _checked(self, c: Connection, draft: Draft, statement: Statement, before: set[bytes]) -> Ready:
        """A draft after everything that could refuse it; ``before`` are the ids of those written with it."""
        if statement.city != self.settings.city:
            raise Refused("the statement is made for another city", code="scope")
        if not draft.audiences:
            raise Invalid("a draft names at least one audience")
        if not all(journal.nameable(name) for name in (statement.record, *draft.touches, *(name for name, _ in draft.relies))):
            raise Invalid(f"the name of a record has 1 to {journal.NAME} characters", code="malformed")
        raw, signature = draft.statement, draft.signature
        if not signature:
            raw = pack(msgspec.structs.replace(statement, suite=keys.P256, signer=self.fingerprint))
            statement = unpack(raw, Statement)
            signature = keys.sign(self.identity, said.statement_signed(raw))
        body = Body(raw, signature, draft.salt, draft.content)
        self._check_body(body, statement)
        signer = self._signer(statement.signer)
        if signer is None:
            raise Untrusted("the signer's certificate is not known", code="unknown_signer")
        self._check_signer(signer, statement, self.here, None)
        if draft.signature:
            keys.verify(signer.key, signature, said.statement_signed(raw))
        sid = said.statement_id(raw)
        if statement.after and set(statement.after) - before - self._folded(c, statement.after):
            raise Missing("what this builds on is not here", code="after")
        for attachment in draft.attachments:
            if not self.blobs.has(attachment.sha) or self.blobs.size(attachment.sha) != attachment.size:
                raise Missing("an attachment is not stored here; upload it first", code="attachment")
        content = kinds.decode(statement.kind, draft.content)
        if not self._may_say(content, self.here):
            raise Refused("this is said in the name of an organ of another node", code="scope")
        return Ready(draft, body, statement, sid, signer, content)

    def _place_all(self, c: Connection, group: Group, bodies: Sequence[tuple[Draft, bytes]]) -> list[list[tuple[State, int, Row]]]:
        """Write bodies at the ends of their logs: for each its places (chain, local number, row)."""
        plan: list[list[tuple[State, Row]]] = []
        rows: dict[bytes, list[Row]] = {}
        for draft, body in bodies:
            places = []
            for audience in draft.audiences:
                state = self._log(c, group, said.SELF if audience.node == self.here else audience, draft.lane)
                queue = rows.setdefault(state.id, [])
                stored = self._stored(state, body, queue[-1].header.seq + 1 if queue else state.count)
                row = self.journal.next(state, stored, draft.attachments, after=queue[-1] if queue else None)
                queue.append(row)
                places.append((state, row))
            plan.append(places)
        numbers: dict[bytes, dict[int, int]] = {}
        for id, queue in rows.items():
            state = self.journal.chains[id]
            given = self.journal.append(c, state, queue, here=True)
            numbers[id] = {row.header.seq: n for row, n in zip(queue, given, strict=True)}
            self._space(state, queue)
            group.grown.add(id)
        return [[(state, numbers[state.id][row.header.seq], row) for state, row in places] for places in plan]

    def _note(self, c: Connection, group: Group, ready: Ready, places: list[tuple[State, int, Row]]) -> Written:
        state, number, row = places[0]
        for _, n, _ in places[1:]:
            group.later(journal.ADD_SAID, ready.id, n)
        group.later(journal.ADD_NONCE, ready.statement.nonce, ready.id)
        one = Readable(number, state, row, ready.body, ready.statement, ready.id)
        self._release(group, one, ready.signer, ready.content)
        return Written(ready.id, number, tuple(Place(s.audience, s.author, s.id, r.header.seq, r.hash) for s, _, r in places), False)

    def _log(self, c: Connection, group: Group, audience: Audience, lane: Lane) -> State:
        """This epoch's chain of a log, opened at first use."""
        held = self._logs.get((audience, lane))
        if held is not None and not held.frozen:
            return held
        if held is not None:
            self._renew(c, group)
        chain_key, wrapped = self._chain_key(audience)
        previous = tuple(Known(s.id, s.count, s.hash) for s in self.journal.known(self.here, audience, lane)[-8:])
        opening = Opening(
            version=said.VERSION,
            city=self.settings.city,
            author=self.here,
            audience=audience,
            lane=lane,
            epoch=self.epoch,
            epoch_key=keys.raw_public(self.epoch_key.public_key()),
            reason=self.reason,
            opened=self.opened,
            software=SOFTWARE,
            previous=previous,
            keys=wrapped,
        )
        raw = pack(opening)
        row = self.journal.next(None, pack(Opened(raw, keys.sign(self.identity, said.opening_signed(raw)))), ())
        state = self.journal.open(c, row, opening)
        self.journal.append(c, state, [row])
        if chain_key:
            self._chain_keys[state.id] = chain_key
        self._logs[audience, lane] = state
        group.grown.add(state.id)
        return state

    def _chain_key(self, audience: Audience) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
        if audience.scope is not Scope.NODE:
            return b"", ()
        public = self.directory.storage_key(audience.node) if self.directory else None
        if public is None:
            raise Missing(f"node {audience.node} is not in the directory", code="unknown_node")
        key = secrets.token_bytes(32)
        readers = ((audience.node, public), (self.here, self.storage.public()))
        return key, tuple((node, seal.wrap(key, pub, seal.chain_info(self.settings.city, self.here, node, self.epoch))) for node, pub in readers)

    def _stored(self, state: State, body: bytes, seq: int) -> bytes:
        if state.audience.scope is not Scope.NODE:
            return body
        return seal.close(body, seal.entry_key(self._chain_keys[state.id], seq), seq)

    def _space(self, state: State, rows: Sequence[Row]) -> None:
        """Remember where inside a long run a head is to stand, so that batches can be cut there."""
        places, count, size = self._spaced.setdefault(state.id, ([], 0, 0))
        for row in rows:
            count, size = count + 1, size + len(row.body)
            if count >= journal.SPACING[0] or size >= journal.SPACING[1]:
                places.append((row.header.seq, row.hash))
                count = size = 0
        self._spaced[state.id] = places, count, size

    def _sign_heads(self, c: Connection, group: Group) -> None:
        for id in group.grown:
            state = self.journal.chains[id]
            places, _, _ = self._spaced.pop(id, ([], 0, 0))
            for seq, hash in dict.fromkeys((*places, (state.count - 1, state.hash))):
                self.journal.head(c, state, seq, self.epoch_key.sign(said.head_signed(id, seq, hash)))
        group.grown.clear()

    # --- taking -------------------------------------------------------------------------------------------------

    def _take(self, c: Connection, group: Group, batch: Batch) -> Taken:
        state, numbers, rows = self.journal.take(c, batch)
        if rows and state.author == self.here and state.epoch == self.epoch:
            self._renew(c, group)
        self.counts["taken"] += len(rows)
        self.counts["duplicates"] += len(batch.entries) - len(rows)
        if rows:
            self._examine(c, group, state, numbers, rows)
        hold = self._own_hold(c, state) if state.author != self.here else None
        attachments = tuple(a for row in rows for a in row.header.attachments)
        return Taken(state.chain(), len(rows), hold, attachments)

    def _renew(self, c: Connection, group: Group) -> None:
        """Others know more of the living epoch than this process: its memory was set back. Its key signs no more; a new epoch begins."""
        self._sign_heads(c, group)
        self.epoch_key, self.epoch, self.opened, self.reason = keys.new_ed25519(), secrets.token_bytes(32), self._now(), "rollback"
        self._logs.clear()
        log.error("epoch.rolled_back")

    def _own_hold(self, c: Connection, state: State) -> Hold:
        at, seq = self._now(), state.count - 1
        signature = keys.sign(self.identity, said.hold_signed(self.here, state.id, seq, state.hash, at))
        hold = Hold(self.here, state.id, seq, state.hash, at, signature)
        self.journal.hold(c, hold)
        return hold

    def _held(self, c: Connection, group: Group, holds: Sequence[Hold]) -> int:
        new = 0
        for hold in holds:
            key = self._identity_of(hold.holder, ())
            if key is None or not self.journal.agrees(c, hold) or hold.at > LATEST:
                self.refused["unknown_hold"] += 1
                continue
            try:
                keys.verify(key, hold.signature, said.hold_signed(hold.holder, hold.chain, hold.seq, hold.hash, hold.at))
            except Forged as error:
                self.refused[error.code] += 1
                continue
            new += self.journal.hold(c, hold)
        return new

    def _arrived(self, c: Connection, group: Group, sha: bytes) -> None:
        if not self.blobs.has(sha):
            raise Missing("the attachment is not here")
        self.journal.arrived(c, sha)

    def readable(self, state: State) -> bool:
        """Whether a chain's bodies are for this node."""
        if state.author == self.here or state.audience.scope is not Scope.NODE:
            return True  # open logs come only to those they are for, and the tree that says so may come later than they
        return state.audience.node == self.here

    def _examine(self, c: Connection, group: Group, state: State, numbers: Sequence[int], rows: Sequence[Row]) -> None:
        """Open, check and release what is meant for this node; what cannot be released yet is parked, what is wrong marked."""
        if not self.readable(state):
            return
        found = []
        for number, row in zip(numbers, rows, strict=True):
            if row.header.seq == 0:
                continue
            try:
                found.append(self._open(c, state, number, row))
            except NodeError as error:
                self._mark(c, number, error.code)
        if found:
            done = self._released_ids(c, [f.id for f in found])
            journal.ADD_SAID.many(c, [(f.id, f.number) for f in found if f.id in done])
            self._consider(c, group, [f for f in found if f.id not in done])

    def _open(self, c: Connection, state: State, number: int, row: Row) -> Readable:
        body = unpack(self.plain(c, state, row.header.seq, row.body), Body)
        statement = unpack(body.statement, Statement)
        self._check_body(body, statement)
        return Readable(number, state, row, body, statement, said.statement_id(body.statement))

    def plain(self, c: Connection, state: State, seq: int, stored: bytes) -> bytes:
        """The body inside a stored one; :class:`Refused` when the log is sealed to somebody else."""
        if state.audience.scope is not Scope.NODE:
            return stored
        return seal.open_(stored, seal.entry_key(self.opened_key(c, state), seq), seq)

    def opened_key(self, c: Connection, state: State) -> bytes:
        """The key of a sealed chain that this node may read."""
        if state.id not in self._chain_keys:
            opening, _, _ = said.read_opening(self.journal.found(c, state, 0, 1)[0].body)
            wrapped = dict(opening.keys).get(self.here)
            if wrapped is None:
                raise Refused("this log is sealed to another node", code="sealed")
            info = seal.chain_info(self.settings.city, opening.author, self.here, opening.epoch)
            self._chain_keys[state.id] = self.storage.unwrap(wrapped, info)
        return self._chain_keys[state.id]

    def _check_body(self, body: Body, statement: Statement) -> None:
        if statement.city != self.settings.city:
            raise Forged("a statement of another city", code="scope")
        if statement.at > LATEST:
            raise Invalid("a claimed time after the year 9998", code="malformed")
        if any("\0" in text for text in (statement.kind, statement.record, statement.home, statement.post, *statement.recipients)):
            raise Invalid("text has no NUL character", code="malformed")
        if said.content_digest(body.salt, body.content) != statement.digest:
            raise Forged("the content is not the one that was signed", code="bad_hash")

    def _check_signer(self, signer: Signer, statement: Statement, author: str, place: tuple[bytes, int] | None) -> None:
        if signer.node != author:
            raise Forged("signed by somebody of another node", code="scope")
        if keys.suite_of(signer.key) != statement.suite:
            raise Forged("the statement names another suite than its signer has", code="unknown_suite")
        if not signer.valid_at(clock.from_ms(statement.at)):
            raise Untrusted("the signer's certificate was not valid then", code="expired")
        if signer.revoked is not None and not _before(signer.revoked, place):
            raise Untrusted("the signer's certificate was revoked", code="revoked")

    def _mark(self, c: Connection, number: int, code: str) -> None:
        self.refused[code] += 1
        log.warning("entry.refused", number=number, code=code)
        journal.REFUSE.many(c, [(number, code)])

    def _consider(self, c: Connection, group: Group, found: Sequence[Readable]) -> None:
        """Release in order what may be, then what waited for that, and so on."""
        while found:
            found = self._waiting(c, self._sift(c, group, found))

    def _sift(self, c: Connection, group: Group, found: Sequence[Readable]) -> list[bytes]:
        """Release, park or refuse each; the ids of what was released. Signatures are checked on all cores (OpenSSL leaves the interpreter's lock)."""
        signers = {f.statement.signer: self._signer(f.statement.signer) for f in found}
        checks = self._check_all([(f, signers[f.statement.signer]) for f in found])
        done = self._folded(c, [a for f in found for a in f.statement.after])
        parked, others = [], []
        for one, code in zip(found, checks, strict=True):
            signer = signers[one.statement.signer]
            wants = next((a for a in one.statement.after if a not in done), None)
            if signer is None:
                parked.append((one.number, one.statement.signer))
            elif code:
                self._mark(c, one.number, code)
            elif wants is not None:
                parked.append((one.number, wants))
            elif one.id not in done and self._accept(c, group, one, signer):
                done.add(one.id)
                continue
            others.append((one.id, one.number))
        group.flush(c)
        journal.PARK.many(c, parked)
        journal.ADD_SAID.many(c, others)
        freed = [f for f in found if f.id in done]
        self._remember(c, freed)
        return [f.id for f in freed]

    def _remember(self, c: Connection, found: Sequence[Readable]) -> None:
        """What others brought changes records too; and what comes back to its own author after a restore must not be written twice."""
        names = {f.statement.record for f in found if journal.nameable(f.statement.record)}
        self.journal.bump(c, names)
        journal.ADD_NONCE.many(c, [(f.statement.nonce, f.id) for f in found if f.state.author == self.here])

    def _check_all(self, pairs: Sequence[tuple[Readable, Signer | None]]) -> list[str]:
        """Why each is refused, or empty; in runs, since handing one signature to a thread costs a fifth of checking it."""
        runs = [pairs[i : i + RUN] for i in range(0, len(pairs), RUN)]
        check = self._pool.map if len(runs) > 1 else map
        return [code for codes in check(lambda run: [self._why_not(*pair) for pair in run], runs) for code in codes]

    def _why_not(self, one: Readable, signer: Signer | None) -> str:
        if one.state.audience.scope is not Scope.ALL and one.statement.kind in PUBLIC:
            return "scope"  # some would believe what others cannot see
        if signer is None:
            return ""
        try:
            self._check_signer(signer, one.statement, one.state.author, (one.state.id, one.row.header.seq))
            keys.verify(signer.key, one.body.signature, said.statement_signed(one.body.statement))
        except NodeError as error:
            return error.code
        return ""

    def _accept(self, c: Connection, group: Group, one: Readable, signer: Signer) -> bool:
        """Release what somebody brought; False when its content cannot be read."""
        try:
            content = kinds.decode(one.statement.kind, one.body.content)
        except Invalid as error:
            self._mark(c, one.number, error.code)
            return False
        if not self._may_say(content, one.state.author):
            self._mark(c, one.number, "scope")
            return False
        self._release(group, one, signer, content)
        return True

    def _may_say(self, content: kinds.Content | None, author: str) -> bool:
        """Whether it is not another's inner affair, and every organ in whose name it speaks is at home at its author (or known to nobody yet)."""
        if content is None or self.directory is None:
            return True
        if content.inner and author != self.here:
            return False
        known = (self.directory.organ(organ) for organ in content.speaks_for())
        return all(organ is None or organ.node == author for organ in known)

    def _release(self, group: Group, one: Readable, signer: Signer, content: kinds.Content | None) -> None:
        """Give an entry its place in the order of folding."""
        self.journal.released += 1
        person = signer.id if signer.kind == "person" else ""
        group.later(journal.ADD_RELEASED, self.journal.released, one.number, one.id, person)
        group.released.append((self.journal.released, None if content is None else _entry(one, person, content)))

    def _waiting(self, c: Connection, ids: Sequence[bytes]) -> list[Readable]:
        """Take out what was parked for these statements or signers, in the order it came."""
        numbers = [number for (number,) in journal.WAITING.among(c, ids)]
        for some in _parts(numbers):
            c.execute(journal.PARKED.delete().where(journal.PARKED.c.number.in_(some)))
        found = [self._again(c, f) for f in self.journal.by_numbers(c, sorted(numbers))]
        done = self._released_ids(c, [f.id for f in found])
        return [f for f in found if f.id not in done]

    def _again(self, c: Connection, found: Found) -> Readable:
        state = self.journal.chain(found.chain)
        return self._open(c, state, found.number, Row(unpack(found.header, said.Header), found.header, found.body, found.hash))

    def _released_ids(self, c: Connection, ids: Sequence[bytes]) -> set[bytes]:
        return {sid for (sid,) in journal.RELEASED_OF.among(c, ids)}

    _folded = _released_ids

    # --- tables -------------------------------------------------------------------------------------------------

    def settle(self, *, wait: bool = False) -> None:
        """Take over tables that were built beside the work."""
        self.shelves.settle(wait=wait)

    def _catch_up(self) -> None:
        self.shelves.catch_up()
        self._behind = False
        if self.directory is not None:
            self.directory.refresh()

    def _released(self, at: int, limit: int, wanted: Container[str]) -> list[Released]:
        """Entries released after a place, as they were folded; None in the place of those of other kinds."""
        with self.journal.engine.connect() as c:
            rows = c.execute(
                select(journal.RELEASED.c.at, journal.RELEASED.c.number, journal.RELEASED.c.person)
                .where(journal.RELEASED.c.at > at)
                .order_by(journal.RELEASED.c.at)
                .limit(limit)
            ).all()
            found = self.journal.by_numbers(c, [r.number for r in rows])
            return [(r.at, self._reread(c, f, r.person, wanted)) for r, f in zip(rows, found, strict=True)]

    def _reread(self, c: Connection, found: Found, person: str, wanted: Container[str]) -> Entry[Any] | None:
        """A released entry again; its signature was checked when it was released."""
        one = self._again(c, found)
        if one.statement.kind not in wanted:
            return None
        try:
            content = kinds.decode(one.statement.kind, one.body.content)
        except Invalid:  # its kind was unknown when it came, and now it shows that it is not one of that kind
            return None
        return None if content is None else _entry(one, person, content)

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
        return msgspec.structs.replace(batch, certs=self._certs_of(state.author))

    def sign(self, purpose: str, data: bytes) -> bytes:
        """The identity key's signature for another process of this node."""
        if purpose not in PURPOSES:
            raise Refused(f"the ledger signs only for {', '.join(PURPOSES)}")
        return keys.sign(self.identity, f"yiwang.sign.{purpose}.1\0".encode() + data)

    def signal(self, data: bytes) -> bytes:
        """The epoch key's signature over a signal."""
        return self.epoch_key.sign(b"yiwang.sign.signal.1\0" + data)

    def disclose(self, chain: bytes, seq: int) -> bytes:
        """The key of one sealed entry; empty for open logs."""
        state = self.journal.chain(chain)
        if state.audience.scope is not Scope.NODE:
            return b""
        with self.journal.engine.connect() as c:
            return seal.entry_key(self.opened_key(c, state), seq)

    def body(self, chain: bytes, seq: int) -> bytes:
        """The plain body of an entry readable here."""
        state = self.journal.chain(chain)
        if not self.readable(state):
            raise Refused("this log is not for this node", code="sealed")
        with self.journal.engine.connect() as c:
            found = self.journal.found(c, state, seq, seq + 1)
            if not found:
                raise Missing(f"no entry {seq} here")
            return self.plain(c, state, seq, found[0].body)

    def released(self, since: int, limit: int) -> tuple[int, tuple[Told, ...]]:
        """(place up to which every room has folded, entries released after ``since``), for those who follow what folds saw."""
        if self.shelves.building:
            raise Unreachable("tables are being built", hint="wait a moment and try again")
        end, size, told = self.shelves.least, 0, []
        with self.journal.engine.connect() as c:
            between = journal.RELEASED.c.at > since, journal.RELEASED.c.at <= end
            rows = c.execute(select(journal.RELEASED).where(*between).order_by(journal.RELEASED.c.at).limit(min(limit, PAGE))).all()
            for r, found in zip(rows, self.journal.by_numbers(c, [r.number for r in rows]), strict=True):
                plain = self.plain(c, self.journal.chain(found.chain), found.seq, found.body)
                told.append(Told(r.at, msgspec.structs.replace(found, body=plain), r.person))
                size += len(found.header) + len(plain)
                if size > TELL:
                    break
        return end, tuple(told)

    def chains(self) -> tuple[Chain, ...]:
        """Every chain held."""
        return tuple(s.chain() for s in self.journal.chains.values())

    def _alarms(self, forks: int, refused: int, unfolded: int) -> list[dict[str, Any]]:
        found = []
        if unfolded:
            found.append(alarm("corrupt", "warn", self.here, self.opened, f"{unfolded} entries could not be folded"))
        if forks:
            found.append(alarm("fork", "critical", self.here, self.opened, f"{forks} chains carry two entries signed for one place"))
        if refused:
            found.append(alarm("cert_refused", "warn", self.here, self.opened, f"{refused} entries were not signed as they say"))
        if self.reason == "rollback":
            found.append(alarm("rolled_back", "critical", self.here, self.opened, "this process was set back while it ran"))
        ends = self.chain_certs[0].not_valid_after_utc
        if ends - clock.from_ms(self._now()) < EXPIRING:
            found.append(alarm("cert_expiring", "critical", self.here, self.opened, f"the certificate of this node ends on {ends:%Y-%m-%d}"))
        return found

    def state_digest(self) -> dict[str, Any] | None:
        """One hash of what the logs for all have made of the directory, and the exact places it was made from."""
        shelf = self.shelves.living.get("directory")
        if shelf is None:
            return None
        chains = {s.no: s for s in self.journal.chains.values() if s.audience.scope is Scope.ALL}
        at = {f"{s.author}/{base32(s.id)}": s.count for s in chains.values()}
        with self.journal.engine.connect() as c:
            held = select(journal.ENTRIES.c.chain, journal.ENTRIES.c.seq).join(journal.PARKED, journal.PARKED.c.number == journal.ENTRIES.c.number)
            waiting = [(base32(chains[r.chain].id), r.seq) for r in c.execute(held) if r.chain in chains]
        return self._digest.ask(shelf, at, waiting)

    def _trust(self) -> dict[str, Any]:
        """How far the city's own log of trust has come here, and the city's calendars."""
        if self.directory is None:
            return {}
        root = certs.subject(self.chain_certs[-1]).id
        newest = [s for s in self.journal.chains.values() if (s.author, s.audience, s.lane) == (root, said.ALL, Lane.TRUST)]
        last = max(newest, key=lambda s: s.opened, default=None)
        days = {str(one.year): f"{one.year}.{one.version}" for one in self.directory.calendars()}
        return {
            "trust": {"root": root, "head": said.ref(root, last.id, last.count - 1, last.hash) if last else None},
            "calendar": {"version": max(days.values(), default=None), "years": days},
        }

    def _lagging(self, c: Connection) -> Counter[str]:
        """Entries of each author that are held here and wait for those they build on."""
        held = select(journal.ENTRIES.c.chain, func.count()).join(journal.PARKED, journal.PARKED.c.number == journal.ENTRIES.c.number)
        authors = {s.no: s.author for s in self.journal.chains.values()}
        counted: Counter[str] = Counter()
        for no, count in c.execute(held.group_by(journal.ENTRIES.c.chain)):
            counted[authors[no]] += count
        return counted

    def status(self) -> dict[str, Any]:
        """What the ledger knows of itself, in the words of the status command."""
        with self.journal.engine.connect() as c:

            def count(table: Any) -> int:
                return int(c.execute(select(func.count()).select_from(table)).scalar_one())

            parked, refused, forks = count(journal.PARKED), count(journal.REFUSED), count(journal.FORKS)
            rooms = {name: shelf.unfolded for name, shelf in self.shelves.living.items()}
            wanted = int(c.execute(select(func.count()).select_from(journal.WANTED).where(~journal.WANTED.c.here)).scalar_one())
            lagging = self._lagging(c)
        own = [s for s in self.journal.chains.values() if s.author == self.here and s.epoch == self.epoch]
        top = max(own, key=lambda s: s.mark, default=None)
        head = {"seq": top.count - 1, "hash": f"sha256:{top.hash.hex()}"} if top else None
        before = [s for s in self.journal.chains.values() if s.author == self.here and s.epoch != self.epoch]
        return {
            "state": "recovering" if self.shelves.building else "ready",
            "building": sorted(self.shelves.building),
            "epoch": {
                "id": base32(self.epoch),
                "reason": self.reason,
                "opened_at": clock.from_ms(self.opened).isoformat(timespec="milliseconds"),
                "previous": _origins(before)[0]["epochs"][-8:] if before else [],
            },
            "head": head,
            "durable_head": head,
            "origins": _origins(self.journal.chains.values(), lagging),
            "entries": self.journal.last,
            "folded": self.journal.released,
            "queues": {"blobs_wanted": wanted, "quarantined_entries": refused, "parked": parked, "unfolded": sum(rooms.values())},
            "reasons": [f"unfolded_{name}" for name, count in rooms.items() if count],
            "alarms": self._alarms(forks, refused, sum(rooms.values())),
            "counters": dict(self.counts) | {"refused": dict(self.refused)},
            "state_digest": None if self._behind else self.state_digest(),
            **self._trust(),
        }


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Few enough values at a time for one query."""
    return (values[i : i + 500] for i in range(0, len(values), 500))


def _before(revoked: Revoked, place: tuple[bytes, int] | None) -> bool:
    """Whether a place is one of the last good ones or stands before it in the same chain."""
    return place is not None and any(chain == place[0] and place[1] <= seq for chain, seq, _ in revoked.cuts)


def _entry(one: Readable, person: str, content: kinds.Content) -> Entry[Any]:
    at: dict[str, Any] = {"number": one.number, "author": one.state.author, "chain": one.state.id, "seq": one.row.header.seq, "hash": one.row.hash}
    return kinds.seen(one.statement, one.id, content, person=person, **at)


def _origins(chains: Any, lagging: Counter[str] | None = None) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for s in sorted(chains, key=lambda s: s.no):
        state = "forked" if s.frozen == "fork" else "open"
        log_name = f"{s.audience}/{s.lane}"
        rows.setdefault(s.author, []).append(
            {"id": base32(s.id), "log": log_name, "count": s.count, "head": f"sha256:{s.hash.hex()}", "closed": None, "state": state}
        )
    lag = lagging or Counter()
    return [
        {"origin": author, "epochs": epochs, "applied": sum(e["count"] for e in epochs) - lag[author], "lag_entries": lag[author]}
        for author, epochs in rows.items()
    ]


def _identity(settings: Settings) -> ec.EllipticCurvePrivateKey:
    key = keys.from_pem(keys.read_secret(settings.path("keys", "identity.key")))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _engine(settings: Settings) -> Any:
    if settings.storage == "sqlite":
        return store.sqlite(settings.path("journal.db"), store.FULL)
    return store.postgresql(settings.storage, f"journal_{settings.id}", durable=True)

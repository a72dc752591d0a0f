"""Writing: drafts become signed entries of this start's epoch, all of a request or none of it.

**The epoch.** Its key is made here and lives in this process's memory. A log opens a new chain under it at first use. So no
backup, clone or lost tail can sign an occupied place. When others know more of the living epoch than this process does, its memory was
set back: a new epoch begins.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from node import entry as said
from node import keys, kinds, logs, schema, seal
from node.blobs import Blobs
from node.chain import Row, State, follow
from node.codec import pack, unpack
from node.directory.view import Signer
from node.entry import Audience, Body, Known, Lane, Opened, Opening, Scope, Statement
from node.epochs import Epochs
from node.errors import Conflict, Invalid, Missing, Refused, Untrusted
from node.group import Group, Readable
from node.journal import Journal, nameable
from node.notary import Notary
from node.reader import Reader
from node.requests import Draft, Place, Written
from node.standing import FENCED

log = logs.named("book")
SOFTWARE = "yiwang 0.1.0"
SPACING = 200, 512 * 1024
"Entries, and bytes, after which a long group of own entries gets a head in between."


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


class Writer:
    """The living epoch of a node, and what is written in it."""

    def __init__(self, journal: Journal, notary: Notary, reader: Reader, blobs: Blobs, epochs: Epochs, now: Callable[[], int], reason: str) -> None:
        self.journal, self.notary, self.reader, self.blobs, self.epochs, self._now, self.reason = journal, notary, reader, blobs, epochs, now, reason
        self.epoch_key, self.epoch, self.opened = keys.new_ed25519(), secrets.token_bytes(32), now()
        self._logs: dict[tuple[Audience, Lane], State] = {}
        self._spaced: dict[bytes, tuple[list[tuple[int, bytes]], int, int]] = {}
        "Of each chain that grows in this group: where heads are to stand inside it, entries and bytes since the last."

    def mine(self, state: State) -> bool:
        """Whether a chain is of the living epoch."""
        return state.author == self.notary.here and state.epoch == self.epoch

    def load(self) -> None:
        """After a failed transaction memory follows the journal again."""
        self._spaced.clear()
        # a second chain of a log in one epoch would be a fork
        self._logs = {(s.audience, s.lane): s for s in self.journal.chains.values() if self.mine(s)}

    def signal(self, data: bytes) -> bytes:
        """The epoch key's signature over a signal."""
        return self.epoch_key.sign(b"yiwang.sign.signal.1\0" + data)

    def write(self, c: Connection, group: Group, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        """All or none: everything that can be refused is refused before the first row is written."""
        self.epochs.standing.check()
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
        group.counts["written"] += len(ready)
        return tuple(done[i] if i in done else next(written) for i in range(len(drafts)))

    def _repeated(self, c: Connection, given: Sequence[bytes]) -> dict[int, Written]:
        """What was written before, by the index of its nonce."""
        nonces = {nonce: i for i, nonce in enumerate(given)}
        if len(nonces) < len(given):
            raise Invalid("the same nonce twice in one write", code="nonce")
        found: dict[int, Written] = {}
        for nonce, sid in schema.REPEATED.among(c, nonces):
            number = c.execute(select(schema.RELEASED.c.number).where(schema.RELEASED.c.sid == sid)).scalar_one()
            found[nonces[nonce]] = Written(sid, number, self.journal.places(c, sid), True)
        return found

    def _checked(self, c: Connection, draft: Draft, statement: Statement, before: set[bytes]) -> Ready:
        """A draft after everything that could refuse it; ``before`` are the ids of those written with it."""
        if statement.city != self.notary.city:
            raise Refused("the statement is made for another city", code="scope")
        if not draft.audiences:
            raise Invalid("a draft names at least one audience")
        if not all(nameable(name) for name in (statement.record, *draft.touches, *(name for name, _ in draft.relies))):
            raise Invalid(f"the name of a record has 1 to {schema.NAME} characters", code="malformed")
        raw, signature = draft.statement, draft.signature
        if not signature:
            raw = pack(msgspec.structs.replace(statement, suite=keys.P256, signer=self.notary.fingerprint))
            statement = unpack(raw, Statement)
            signature = keys.sign(self.notary.identity, said.statement_signed(raw))
        body = Body(raw, signature, draft.salt, draft.content)
        self.notary.check_body(body, statement)
        signer = self.notary.signer(statement.signer)
        if signer is None:
            raise Untrusted("the signer's certificate is not known", code="unknown_signer")
        self.notary.check_signer(signer, statement, self.notary.here, None)
        if draft.signature:
            keys.verify(signer.key, signature, said.statement_signed(raw))
        sid = said.statement_id(raw)
        if statement.after and set(statement.after) - before - self.journal.released_among(c, statement.after):
            raise Missing("what this builds on is not here", code="after")
        for attachment in draft.attachments:
            if not self.blobs.has(attachment.sha) or self.blobs.size(attachment.sha) != attachment.size:
                raise Missing("an attachment is not stored here; upload it first", code="attachment")
        content = kinds.decode(statement.kind, draft.content)
        if not self.notary.may_say(content, self.notary.here):
            raise Refused("this is said in the name of an organ of another node", code="scope")
        return Ready(draft, body, statement, sid, signer, content)

    def _place_all(self, c: Connection, group: Group, bodies: Sequence[tuple[Draft, bytes]]) -> list[list[tuple[State, int, Row]]]:
        """Write bodies at the ends of their logs: for each its places (chain, local number, row)."""
        plan: list[list[tuple[State, Row]]] = []
        rows: dict[bytes, list[Row]] = {}
        for draft, body in bodies:
            places = []
            for audience in draft.audiences:
                state = self._log(c, group, said.SELF if audience.node == self.notary.here else audience, draft.lane)
                queue = rows.setdefault(state.id, [])
                stored = self._stored(state, body, queue[-1].header.seq + 1 if queue else state.count)
                row = follow(state, stored, draft.attachments, after=queue[-1] if queue else None)
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
            group.later(schema.ADD_SAID, ready.id, n)
        group.later(schema.ADD_NONCE, ready.statement.nonce, ready.id)
        one = Readable(number, state, row, ready.body, ready.statement, ready.id)
        group.release(one, ready.signer, ready.content)
        return Written(ready.id, number, tuple(Place(s.audience, s.author, s.id, r.header.seq, r.hash) for s, _, r in places), False)

    def _log(self, c: Connection, group: Group, audience: Audience, lane: Lane) -> State:
        """This epoch's chain of a log, opened at first use."""
        held = self._logs.get((audience, lane))
        if held is not None and not held.frozen:
            return held
        if held is not None:
            self.renew(c, group)
        chain_key, wrapped = self._chain_key(audience)
        previous = tuple(Known(s.id, s.count, s.hash) for s in self.journal.known(self.notary.here, audience, lane)[-8:])
        opening = Opening(
            version=said.VERSION,
            city=self.notary.city,
            author=self.notary.here,
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
        row = follow(None, pack(Opened(raw, keys.sign(self.notary.identity, said.opening_signed(raw)))), ())
        state = self.journal.open(c, row, opening)
        self.journal.append(c, state, [row])
        if chain_key:
            self.reader.chain_keys[state.id] = chain_key
        self._logs[audience, lane] = state
        group.grown.add(state.id)
        return state

    def _chain_key(self, audience: Audience) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
        if audience.scope is not Scope.NODE:
            return b"", ()
        public = self.notary.directory.storage_key(audience.node) if self.notary.directory else None
        if public is None:
            raise Missing(f"node {audience.node} is not in the directory", code="unknown_node")
        key = secrets.token_bytes(32)
        readers = ((audience.node, public), (self.notary.here, self.reader.storage.public()))
        city, here = self.notary.city, self.notary.here
        try:
            return key, tuple((node, seal.wrap(key, pub, seal.chain_info(city, here, node, self.epoch))) for node, pub in readers)
        except Invalid:
            raise Invalid(f"nothing can be sealed to node {audience.node}", hint="its key in the directory is wrong: found it anew") from None

    def _stored(self, state: State, body: bytes, seq: int) -> bytes:
        if state.audience.scope is not Scope.NODE:
            return body
        return seal.close(body, seal.entry_key(self.reader.chain_keys[state.id], seq), seq)

    def _space(self, state: State, rows: Sequence[Row]) -> None:
        """Remember where inside a long run a head is to stand, so that batches can be cut there."""
        places, count, size = self._spaced.setdefault(state.id, ([], 0, 0))
        for row in rows:
            count, size = count + 1, size + len(row.body)
            if count >= SPACING[0] or size >= SPACING[1]:
                places.append((row.header.seq, row.hash))
                count = size = 0
        self._spaced[state.id] = places, count, size

    def sign_heads(self, c: Connection, group: Group) -> None:
        """One head for each chain that grew, and some inside long runs; the last thing in a transaction."""
        for id in group.grown:
            state = self.journal.chains[id]
            places, _, _ = self._spaced.pop(id, ([], 0, 0))
            for seq, hash in dict.fromkeys((*places, (state.count - 1, state.hash))):
                self.journal.head(c, state, seq, self.epoch_key.sign(said.head_signed(id, seq, hash)))
        group.grown.clear()

    def living(self) -> tuple[bytes, str]:
        """(the living epoch, how this node stands)."""
        return self.epoch, self.epochs.standing.state

    def confirm(self, c: Connection, group: Group) -> str:
        """The operator's word that this node may write; who was fenced takes over in a new epoch."""
        before = self.epochs.confirm()
        if before == FENCED:
            self.renew(c, group, "takeover")
        return before

    def renew(self, c: Connection, group: Group, reason: str = "rollback") -> None:
        """The key of this epoch signs no more, and a new one begins: others know more of it than this process, whose memory was set back."""
        self.sign_heads(c, group)
        self.epoch_key, self.epoch, self.opened, self.reason = keys.new_ed25519(), secrets.token_bytes(32), self._now(), reason
        self._logs.clear()
        log.error("epoch.renewed", reason=reason)

"""Forks: two different entries that one node signed for one place; proved in few bytes, told to everybody, closed for good.

A *proof* has of both histories the opening, the headers from the place on, and the signed head over them: whoever knows the city
root can check it, no content is in it. The node that sees both keeps the proof, takes nothing more into that chain, and says so
in the log of trust for all (``directory.forked``); who hears it checks the proof itself and closes the chain too, whether it has
come already or not. Everything else of that author goes on. The alarm stands until the operator here, or of a node above the
author, says that it was dealt with (``directory.settled``); the chain stays closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from node import certs, identity, keys, logs, schema
from node import entry as said
from node.chain import State, log_of
from node.codec import MAX_ENTRY, Value, digest, pack, unpack
from node.directory.entries import Forked, Settled
from node.entry import ALL, SELF, Head, Header, Opening
from node.errors import Forged, Fork, NodeError
from node.evidence import Scroll
from node.group import Group
from node.journal import Journal
from node.kinds import Entry
from node.notary import Notary
from node.requests import Batch, Draft, Seen, of_node
from node.settings import Settings
from node.writer import Writer

log = logs.named("forks")
LARGEST = MAX_ENTRY - 8192
"Bytes of a proof that one entry can carry."


class Strand(Value, frozen=True):
    """One of the two histories."""

    opening: tuple[bytes, bytes]
    "Header and stored body of entry 0."
    start: int
    headers: tuple[bytes, ...]
    head: Head


class Proof(Value, frozen=True):
    """Both histories, and the certificates of who signed them (DER, leaf first, without the root)."""

    certs: tuple[bytes, ...]
    a: Strand
    b: Strand


class Forks:
    """What a node does about forks."""

    def __init__(self, journal: Journal, notary: Notary, writer: Writer) -> None:
        self.journal, self.notary, self.writer = journal, notary, writer

    def seen(self, c: Connection, group: Group, error: Fork, now: int) -> None:
        """Two histories have met here: keep the proof, close the chain and tell everybody."""
        state, batch, seq = (error.about.get(name) for name in ("state", "batch", "seq"))
        if not isinstance(state, State) or not isinstance(batch, Batch) or not isinstance(seq, int):
            return
        proof = self._proof(c, state, batch, seq)
        if self._keep(c, (state.id, batch.chain), state.author, seq, proof, now):
            self._tell(c, group, Forked(state.id, seq, state.author, pack(proof)))

    def _proof(self, c: Connection, state: State, batch: Batch, seq: int) -> Proof:
        ours = self.journal.read(c, state, seq, 1)
        assert ours is not None
        opening = self.journal.found(c, state, 0, 1)[0]
        first = opening.header, opening.body
        theirs = batch.entries[0] if batch.start == 0 else first
        skip = max(0, seq - batch.start)
        a = Strand(first, seq, tuple(header for header, _ in ours.entries), ours.head)
        b = Strand(theirs, batch.start + skip, tuple(header for header, _ in batch.entries[skip:]), batch.head)
        return Proof(self.notary.certs_of(state.author) or batch.certs, a, b)

    def _keep(self, c: Connection, chains: Sequence[bytes], author: str, seq: int, proof: Proof, now: int) -> bool:
        """Close the chains; False when they were closed for a fork before."""
        if self.journal.forked.issuperset(chains):
            return False
        fresh = [chain for chain in dict.fromkeys(chains) if chain not in self.journal.forked]
        schema.ADD_FORK.many(c, [(chain, author, seq, pack(proof), now, 0, "") for chain in fresh])
        self.journal.freeze(c, fresh)
        log.error("fork.seen", author=author, seq=seq)
        return True

    def _tell(self, c: Connection, group: Group, content: Forked) -> None:
        """Say it to everybody, once; what this node may not write just now others will say."""
        if len(content.proof) > LARGEST:
            log.error("fork.too_large", bytes=len(content.proof))
            return
        nonce = digest("forked.1", self.notary.here.encode(), content.chain)[:16]
        draft = of_node(self.notary.city, self.notary.here, content, record=content.author, to=ALL, nonce=nonce)
        try:
            self.writer.write(c, group, (draft,))
        except NodeError as error:
            log.error("fork.untold", code=error.code)

    def heed(self, c: Connection, group: Group, entry: Entry[Any], now: int) -> None:
        """Somebody tells of a fork, or that it was dealt with: believe the proof, and the operators entitled."""
        try:
            if isinstance(entry.body, Forked):
                proof = unpack(entry.body.proof, Proof)
                author, seq, chains = check(proof, self.notary)
                self._keep(c, chains, author, seq, proof, now)
            elif isinstance(entry.body, Settled):
                self._settle(c, entry.body, entry.author, now)
        except NodeError as error:
            group.refused[error.code] += 1

    def _settle(self, c: Connection, content: Settled, by: str, now: int) -> None:
        forks = schema.FORKS
        author = c.execute(select(forks.c.author).where(forks.c.chain == content.chain)).scalar()
        above = self.notary.directory.tree().ancestors(author) if self.notary.directory and author else ()
        if by == self.notary.here or by in above and by != author:
            c.execute(update(forks).where(forks.c.author == author, forks.c.settled == 0).values(settled=now, by=by))

    def all(self, c: Connection) -> tuple[Seen, ...]:
        """Every fork known here, the oldest first."""
        return tuple(Seen(*row) for row in c.execute(select(schema.FORKS).order_by(schema.FORKS.c.at, schema.FORKS.c.chain)))


def check(proof: Proof, notary: Notary) -> tuple[str, int, tuple[bytes, ...]]:
    """(author, place, chains) of a proof that holds; :class:`~node.errors.Forged` for one that proves nothing."""
    (a, first), (b, second) = (_history(strand, proof.certs, notary) for strand in (proof.a, proof.b))
    chains = said.header_hash(proof.a.opening[0]), said.header_hash(proof.b.opening[0])
    if log_of(a) != log_of(b):
        raise Forged("the two histories are of different logs", code="proof")
    if chains[0] != chains[1]:
        return a.author, 0, chains
    differ = [seq for seq in first if seq in second and first[seq] != second[seq]]
    if not differ:
        raise Forged("the two histories do not differ", code="proof")
    return a.author, min(differ), chains


def _history(strand: Strand, given: Sequence[bytes], notary: Notary) -> tuple[Opening, dict[int, bytes]]:
    """The opening of a signed history, and the hash of what stands at each place that it speaks of."""
    opening, raw, signature = said.read_opening(strand.opening[1])
    chain = said.check_entry(*strand.opening, said.header_hash(strand.opening[0]), 0, b"")
    known = notary.identity_of(opening.author, given)
    if opening.city != notary.city or not known or not strand.headers:
        raise Forged("a history of nobody known", code="proof")
    keys.verify_any(known, signature, said.opening_signed(raw))
    hashes = {0: chain}
    for seq, packed in enumerate(strand.headers, strand.start):
        header = unpack(packed, Header)
        prev = hashes.get(seq - 1, header.prev) if seq else b""
        said.check_link(header, chain, seq, prev)
        hashes[seq] = said.header_hash(packed)
        if seq:
            hashes.setdefault(seq - 1, header.prev)
    head = strand.head
    if (head.chain, head.seq, head.hash) != (chain, strand.start + len(strand.headers) - 1, hashes.get(head.seq)):
        raise Forged("a head names another entry", code="proof")
    keys.verify(keys.from_raw(opening.epoch_key), head.signature, said.head_signed(head.chain, head.seq, head.hash))
    return opening, hashes


def told(settings: Settings, seen: Seen) -> Iterator[bytes]:
    """The proof of a fork that a node knows, for a file that anybody can check."""
    root = certs.der(identity.root_of(settings))
    return bundles(unpack(seen.proof, Proof), root, settings.city, settings.id)


def settlement(settings: Settings, above: Sequence[str], seen: Seen, note: str) -> Draft:
    """The node's word that a fork was dealt with; ``above`` are the nodes above its author. From one of them it is for all, else for itself."""
    audience = ALL if settings.id in above and settings.id != seen.author else SELF
    return of_node(settings.city, settings.id, Settled(seen.chain, note), record=seen.author, to=audience)


def bundles(proof: Proof, root: bytes, city: str, node: str) -> Iterator[bytes]:
    """The proof as two bundles, one history each, which the stand-alone verifier compares."""
    for strand in (proof.a, proof.b):
        first = {"what": "evidence", "city": city, "node": node, "made": "", "doc": "", "bodies": "none", "blobs": False, "software": "yiwang"}
        scroll = Scroll(root, **first)
        yield from scroll.begin()
        yield from scroll.certificates(proof.certs)
        if strand.start:
            yield scroll.entry(*strand.opening)
        for seq, header in enumerate(strand.headers, strand.start):
            yield scroll.entry(header, None if seq else strand.opening[1])
        yield scroll.head(strand.head)
        yield scroll.end()

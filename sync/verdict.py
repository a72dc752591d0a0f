"""What must hold when a simulated world has healed, whatever was done to it.

* every chain is the same at every node of its span, to the entry (heads converge), and is nowhere else;
* no place was signed twice and no fork is seen where none was signed;
* what a parent acknowledged is at its author, unless every holder was put back to before it;
* nothing is refused or fails to fold; every room's tables equal a refold from zero on every node;
* nodes that may see the same have folded the same, and agree in the state digest;
* every attachment that any node has is at every node whose entries name it, and what a journal has noted is on its disk;
* every journal verifies when it is read back from its disk from the first entry on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from node import schema, store
from node.chain import State
from node.codec import base32
from node.directory.tree import Tree
from node.entry import Audience, Scope
from node.journal import Journal
from sync.actor import Actor

HARMLESS = {"lost_message", "void_session", "old_hello", "gap", "repeated", "out_of_span", "unknown_author", "unasked_chunk"}
"What peers may refuse of each other when lines break and the tree is not known everywhere."


def judge(actors: Mapping[str, Actor], tree: Tree, acknowledged: Mapping[bytes, int]) -> Iterator[str]:
    """What does not hold."""
    names = {actor.id: name for name, actor in actors.items()}
    for chain in dict.fromkeys(chain for actor in actors.values() for chain in actor.book.journal.chains):
        yield from _converged(actors, names, tree, chain)
    yield from _kept(actors, names, acknowledged)
    yield from _same(actors, names, tree)
    yield from _arrived(actors)
    for name, actor in actors.items():
        yield from _clean(name, actor, names)
        yield from _rebuilt(name, actor)
        yield from _verifies(name, actor)


def _converged(actors: Mapping[str, Actor], names: Mapping[str, str], tree: Tree, chain: bytes) -> Iterator[str]:
    held: dict[str, State] = {name: actor.book.journal.chains[chain] for name, actor in actors.items() if chain in actor.book.journal.chains}
    some = next(iter(held.values()))
    author = names[some.author]
    span = {names[each] for each in tree.span(some.author, some.audience)}
    if set(held) - span:
        yield f"a chain of {author} is where it does not belong: {sorted(set(held) - span)}"
    if set(held) != span or len({(state.count, state.hash) for state in held.values()}) != 1:
        yield f"a chain of {author} for {some.audience} differs: { ({n: s.count for n, s in held.items()}) } in {sorted(span)}"


def _kept(actors: Mapping[str, Actor], names: Mapping[str, str], acknowledged: Mapping[bytes, int]) -> Iterator[str]:
    for chain, count in acknowledged.items():
        for name, actor in actors.items():
            state = actor.book.journal.chains.get(chain)
            if state is not None and state.author == actor.id and state.count < count:
                yield f"{name} has {state.count} entries of its own, its parent had acknowledged {count}"
        if not any(chain in actor.book.journal.chains for actor in actors.values()):
            yield f"a chain whose parent had acknowledged {count} entries is nowhere ({base32(chain)}, {len(names)} nodes)"


def _clean(name: str, actor: Actor, names: Mapping[str, str]) -> Iterator[str]:
    for one in actor.exchange.peers.values():
        for code in set(one.refused) - HARMLESS:
            yield f"{name} refused {code} of {names[one.neighbour]}"
    for code in set(actor.book.refused) - {"gap", "unknown_author", "unknown_hold"}:
        yield f"the ledger of {name} refused: {code}"
    with actor.book.journal.engine.connect() as c:
        for table in (schema.FORKS, schema.REFUSED):
            if count := c.execute(select(func.count()).select_from(table)).scalar_one():
                yield f"{name} has {count} rows of {table.name}"
    for room, shelf in actor.book.shelves.living.items():
        if shelf.unfolded:
            yield f"{name} could not fold {shelf.unfolded} entries of {room}"


def _rebuilt(name: str, actor: Actor) -> Iterator[str]:
    for room, (living, rebuilt) in actor.book.refold().items():
        if living != rebuilt:
            yield f"the tables of {room} at {name} are not what a refold makes"


def _same(actors: Mapping[str, Actor], names: Mapping[str, str], tree: Tree) -> Iterator[str]:
    """Each note is folded alike at all who may read the logs in which it stands, and nowhere else; the directory is the same at all."""
    seen: dict[tuple[str, str, bytes], dict[str, tuple[str, int]]] = defaultdict(dict)
    for name, actor in actors.items():
        for note in actor.notes():
            seen[note.author, note.to, note.id][name] = note.text, note.depth
    for (author, to, id), found in seen.items():
        home = actors[names[author]]
        logs = _logs(home, id)
        if len(logs) != len(to.split("+")) and not home.restored:
            yield f"a note of {names[author]} to {to} stands in {len(logs)} logs"
        readers = {names[node] for log in logs for node in tree.span(author, log) if log.scope is not Scope.NODE or node in (author, log.node)}
        if set(found) != readers or len(set(found.values())) > 1:
            yield f"a note of {names[author]} to {to} is at {found}, readers are {sorted(readers)}"
    states = {name: _state(actor) for name, actor in actors.items()}
    if len(set(states.values())) != 1:
        yield f"state digests differ: {states}"


def _logs(home: Actor, id: bytes) -> set[Audience]:
    """Where a note stands. One for several nodes loses the logs that had not left yet when its author's disk is set back, and only those."""
    with home.book.journal.asking() as c:
        return {place.audience for place in home.book.journal.places(c, id)}


def _state(actor: Actor) -> str:
    """The digest of the directory at the places where the chains stand now."""
    places = sum(state.count for state in actor.book.journal.chains.values() if state.audience.scope is Scope.ALL)
    while True:
        found = actor.book.state_digest()
        if found is not None and sum(found["at"].values()) == places:
            return str(found["sha256"])


def _arrived(actors: Mapping[str, Actor]) -> Iterator[str]:
    for name, actor in actors.items():
        with actor.book.journal.engine.connect() as c:
            wanted = actor.book.journal.wanted(c)
            noted = c.scalars(select(schema.WANTED.c.sha).where(schema.WANTED.c.here)).all()
        for sha in noted:
            if not actor.book.blobs.has(sha):
                yield f"{name} has noted an attachment that is not on its disk"
        for one in wanted:
            holders = [other for other, each in actors.items() if each.book.blobs.has(one.sha)]
            if holders:
                yield f"{name} still wants an attachment of {one.size} bytes that is at {holders}"
        for need in actor.exchange.fetcher.needs.values():
            if need.sha not in {one.sha for one in wanted}:
                yield f"{name} still fetches what it does not want"


def _verifies(name: str, actor: Actor) -> Iterator[str]:
    """Read every chain back from the disk and take it into an empty journal."""
    with TemporaryDirectory(dir=actor.settings.home) as folder:
        book = actor.book
        engine = store.sqlite(Path(folder) / "journal.db", store.LOOSE)
        fresh = Journal(engine, city=book.settings.city, opens=book.notary.check_opening, here=book.here)
        with book.journal.asking() as c, fresh.transaction() as d:
            for state in book.journal.chains.values():
                at = 0
                while batch := book.journal.read(c, state, at, 1 << 20):
                    fresh.take(d, batch)
                    at += len(batch.entries)
                if fresh.chains[state.id].hash != state.hash:
                    yield f"{name} reads another journal than it took"
        fresh.close()

"""A whole tree of nodes in one process, the real peers and the real journal, in a world that does its worst.

One seed decides everything: what is written where, how long messages take, which lines break with what is under way on
them, who crashes, and whose disk is put back to an older state. After the last step everything heals, and then must hold:

* every chain is the same at every node of its span that its author ever told, to the entry (heads converge);
* no two entries were ever signed for one place, whatever was restored;
* nothing that a neighbour acknowledged is missing at the author, unless all who held it were rolled back;
* every journal verifies when it is read back from its disk from the first entry on.

``python -m sync.sim --seed 7`` runs one seed, ``--seeds 200`` the first two hundred; a failure prints its seed, and the same
seed does the same again. ``digest`` is of the contents, so two runs of one seed agree in it although signatures do not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import heapq
import json
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

from node import certs, entry, keys
from node.client import Batch
from node.codec import base32, pack, unpack
from node.directory.tree import Tree
from node.entry import ALL, DOWN, UP, Audience, Hold, Lane
from node.errors import NodeError
from node.journal import Journal, State
from sync.exchange import Exchange, Taken
from sync.peer import Now, Outcome, Read, Self
from sync.store import line_of, look, refusal

START = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
TREE = {"city": ""} | {f"c{c}": "city" for c in "123"} | {f"c{c}t{t}": f"c{c}" for c in "123" for t in "123"}
"""1 + 3 + 9 nodes."""


class Memory:
    """A disk: a SQLite database in memory that can be copied, put back, and opened again after a crash."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def copy(self) -> bytes:
        """All that is on the disk."""
        return self.raw.serialize()

    @classmethod
    def of(cls, image: bytes) -> Memory:
        """A disk with these contents."""
        made = cls()
        made.raw.deserialize(image)
        return made


@dataclass(frozen=True)
class Identity:
    """What of a node does not change when its disk is put back."""

    id: str
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]


class Bare:
    """A shelf of a world without blobs."""

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        """Nothing."""
        return b""

    def have(self, sha: bytes, size: int) -> int:
        """All there is."""
        return size

    def write(self, sha: bytes, size: int, offset: int, data: bytes) -> bool:
        """Nobody sends any."""
        return False


@dataclass
class Node:
    """One simulated node: a disk, an epoch key in memory, the exchange of its lines."""

    world: World
    name: str
    disk: Memory = field(default_factory=Memory)
    images: list[bytes] = field(default_factory=list)
    "Backups."

    def __post_init__(self) -> None:
        self.boot()

    @property
    def identity(self) -> Identity:
        """Keys and certificates."""
        return self.world.identities[self.name]

    def boot(self) -> None:
        """Start: what was in memory is gone, the epoch with it."""
        rng, who = self.world.rng, self.identity
        self.journal = Journal(self.disk.engine, city=self.world.city, identity=self.world.key_of, here=self.identity.id)
        self.epoch, self.epoch_key = rng.randbytes(32), Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        self.open: dict[tuple[Audience, Lane], bytes] = {}
        me = Self(node=who.id, certs=tuple(certs.der(c) for c in who.chain), root=self.world.root)
        above = TREE[self.name]
        parent = self.world.identities[above].id if above else ""
        self.exchange = Exchange(me=me, store=self, shelf=Bare(), rng=rng, look=look, tree=self.world.tree, parent=parent)
        self.exchange.lines.update({id: line_of(state.chain()) for id, state in self.journal.chains.items()})

    # --- writing, as the ledger does ----------------------------------------------------------------------------

    def write(self, audience: Audience, lane: Lane, texts: Sequence[bytes]) -> None:
        """Append entries of one's own."""
        with self.journal.engine.begin() as c:
            state = self._log(c, audience, lane)
            rows, after = [], None
            for text in texts:
                after = self.journal.next(state, pack(entry.Body(text, b"", b"", b"")), (), after=after)
                rows.append(after)
            self.journal.append(c, state, rows)
            self._head(c, state)
        self.world.signed_by(state, rows)
        self.exchange.grown([line_of(state.chain())], self.world.now)

    def _log(self, c: object, audience: Audience, lane: Lane) -> State:
        found = self.open.get((audience, lane))
        if found is not None:
            return self.journal.chains[found]
        who = self.identity
        known = tuple(entry.Known(s.id, s.count, s.hash) for s in self.journal.known(who.id, audience, lane))
        raw = keys.raw_public(self.epoch_key.public_key())
        opened = self.world.now.ms
        wrapped = ((audience.node, b"wrapped"), (who.id, b"wrapped")) if audience.node else ()
        opening = pack(entry.Opening(1, self.world.city, who.id, audience, lane, self.epoch, raw, "start", opened, "sim", known, wrapped))
        body = pack(entry.Opened(opening, keys.sign(who.key, entry.opening_signed(opening))))
        row = self.journal.next(None, body, ())
        state = self.journal.open(c, row, unpack(opening, entry.Opening))  # type: ignore[arg-type]
        self.journal.append(c, state, [row])  # type: ignore[arg-type]
        self._head(c, state)
        self.world.signed_by(state, [row])
        self.open[audience, lane] = state.id
        return state

    def _head(self, c: object, state: State) -> None:
        seq = state.count - 1
        self.journal.head(c, state, seq, self.epoch_key.sign(entry.head_signed(state.id, seq, state.hash)))  # type: ignore[arg-type]

    # --- sync.exchange.Store ------------------------------------------------------------------------------------

    def take(self, batch: bytes, then: Callable[[Taken], None]) -> None:
        """Verify and keep a batch, and promise to hold it."""
        chain = look(batch).chain
        try:
            with self.journal.engine.begin() as c:
                state, _, rows = self.journal.take(c, unpack(batch, Batch))
                if rows and state.author != self.identity.id:
                    self.journal.hold(c, self._promise(state))
        except NodeError as error:
            self.journal.load()
            held = self.journal.chains.get(chain)
            if error.code == "fork" and held is not None:
                self.world.forks.add(chain)
            then(Taken(refusal(error, held.count if held else 0)))
            return
        then(Taken(Outcome(state.count), line_of(state.chain()), (), len(rows)))
        if rows:
            self.exchange.promised(self.world.now)

    def _promise(self, state: State) -> Hold:
        seq, at, who = state.count - 1, self.world.now.ms, self.identity
        return Hold(who.id, state.id, seq, state.hash, at, keys.sign(who.key, entry.hold_signed(who.id, state.id, seq, state.hash, at)))

    def read(self, wish: Read, then: Callable[[int, bytes], None]) -> None:
        """A stretch of a chain."""
        with self.journal.engine.begin() as c:
            batch = self.journal.read(c, self.journal.chain(wish.chain), wish.start, wish.limit)
        then(len(batch.entries) if batch else 0, pack(batch) if batch else b"")

    def holds(self, since: int, then: Callable[[int, tuple[Hold, ...]], None]) -> None:
        """A page of range statements."""
        with self.journal.engine.begin() as c:
            upto, holds = self.journal.holds(c, since, 200)
        then(upto, holds)

    def held(self, holds: tuple[Hold, ...]) -> None:
        """Keep what neighbours brought."""
        with self.journal.engine.begin() as c:
            fresh = sum(self.journal.hold(c, hold) for hold in holds)
        if fresh:
            self.exchange.promised(self.world.now)

    def arrived(self, sha: bytes) -> None:
        """The simulator moves no blobs."""

    # --- disasters ----------------------------------------------------------------------------------------------

    def crash(self) -> None:
        """The process dies and starts again; the disk is as it was."""
        self.boot()

    def back_up(self) -> None:
        """Copy the disk away."""
        self.images = [*self.images[-3:], self.disk.copy()]

    def restore(self, image: bytes) -> None:
        """Put an old disk back and start."""
        self.disk = Memory.of(image)
        self.boot()


@dataclass
class World:
    """Nodes, lines, messages under way, and the accounts by which the end is judged."""

    seed: int
    names: Sequence[str] = tuple(TREE)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - the world's dice, not keys
        self.time = 0.0
        self.queue: list[tuple[float, int, str, str, int, bytes]] = []
        self.number = 0
        self.connection: dict[str, int] = {}
        "Child to the number of its living connection."
        self.arrival: dict[tuple[str, str], float] = {}
        self.forks: set[bytes] = set()
        self.places: dict[tuple[bytes, int], bytes] = {}
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.calm = False
        self._found()
        self.nodes = {name: Node(self, name) for name in self.names}

    def _found(self) -> None:
        key = self._key("root")
        self.root = certs.issue(certs.Subject(kind="root", id="root", name="root"), key.public_key(), None, key, START)
        self.city = certs.city_id(self.root)
        self.identities: dict[str, Identity] = {}
        for name in self.names:
            own, above = self._key(name), self.identities.get(TREE[name])
            about = certs.Subject(kind="node", id=certs.node_id(own.public_key()), name=name)
            issuer, issuer_key = (above.chain[0], above.key) if above else (self.root, key)
            path = 2 - (0 if not TREE[name] else 1 if TREE[name] == "city" else 2)
            cert = certs.issue(about, own.public_key(), issuer, issuer_key, START, path=path)
            self.identities[name] = Identity(about.id, own, (cert, *(above.chain if above else ())))
        self.tree = Tree({self.identities[n].id: self.identities[TREE[n]].id if TREE[n] else None for n in self.names})
        self.by_id = {who.id: name for name, who in self.identities.items()}

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey:
        secret = int.from_bytes(hashlib.sha256(f"sim {self.seed} {name}".encode()).digest(), "big") >> 1
        return ec.derive_private_key(secret, ec.SECP256R1())

    def key_of(self, author: str, chain: Sequence[bytes]) -> keys.PublicKey | None:
        """The identity key of a node of this city."""
        name = self.by_id.get(author)
        return self.identities[name].key.public_key() if name else None

    @property
    def now(self) -> Now:
        """The moment in the simulation."""
        return Now(self.time, int((START.timestamp() + self.time) * 1000))

    def signed_by(self, state: State, rows: Sequence[object]) -> None:
        """Account for every place that was ever signed."""
        for row in rows:
            place = state.id, row.header.seq  # type: ignore[attr-defined]
            if self.places.setdefault(place, row.hash) != row.hash:  # type: ignore[attr-defined]
                self.violations.append(f"place {place[1]} of {base32(state.id)} was signed twice")

    # --- lines --------------------------------------------------------------------------------------------------

    def children(self) -> list[str]:
        """Everybody who dials."""
        return [name for name in self.names if TREE[name]]

    def dial(self, child: str) -> None:
        """A new connection; what was under way on the old one is lost."""
        self.hang_up(child)
        self.number += 1
        self.connection[child] = self.number
        self.arrival.pop((child, TREE[child]), None)
        self.arrival.pop((TREE[child], child), None)
        self.nodes[child].exchange.connected(self.identities[TREE[child]].id, self.now)

    def hang_up(self, child: str) -> None:
        """The connection ends on both sides."""
        if self.connection.pop(child, None) is not None:
            self.nodes[child].exchange.lost(self.identities[TREE[child]].id, self.now)
            self.nodes[TREE[child]].exchange.lost(self.identities[child].id, self.now)

    def flush(self) -> None:
        """Put on the lines what peers have to say; now and then the line swallows a message."""
        for child, line in self.connection.items():
            for a, b in ((child, TREE[child]), (TREE[child], child)):
                one = self.nodes[a].exchange.peers.get(self.identities[b].id)
                while one and (message := one.pop()) is not None:
                    if self.calm or self.rng.random() > 0.002:
                        self._put(a, b, line, message)

    def _put(self, a: str, b: str, line: int, message: bytes) -> None:
        self.number += 1
        at = max(self.arrival.get((a, b), 0.0), self.time + (0.01 if self.calm else self.rng.expovariate(20.0)))
        self.arrival[a, b] = at
        heapq.heappush(self.queue, (at, self.number, a, b, line, message))

    def step(self) -> bool:
        """Deliver the next message."""
        self.flush()
        if not self.queue:
            return False
        at, _, a, b, line, message = heapq.heappop(self.queue)
        self.time = max(self.time, at)
        child = a if TREE[a] == b else b
        if self.connection.get(child) == line:
            self.nodes[b].exchange.receive(self.identities[a].id, message, self.now)
            self.counts["messages"] += 1
        return True

    # --- a life -------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Something happens."""
        rng = self.rng
        roll, name = rng.random(), rng.choice(self.names)
        child = rng.choice(self.children())
        if roll < 0.12:
            self._write(name)
        elif roll < 0.15:
            self.dial(child)
        elif roll < 0.17:
            self.hang_up(child)
        elif roll < 0.182:
            self.nodes[name].back_up()
        elif roll < 0.19:
            self._restart(name, self.nodes[name].crash, "crash")
        elif roll < 0.2 and self.nodes[name].images:
            self._restart(name, partial(self.nodes[name].restore, rng.choice(self.nodes[name].images)), "restore")
        elif roll < 0.22:
            self.time += rng.random()
            for node in self.nodes.values():
                node.exchange.tick(self.now)
        else:
            for _ in range(rng.randrange(12)):
                self.step()

    def _write(self, name: str) -> None:
        rng = self.rng
        audience = rng.choice([UP, DOWN, ALL, entry.to_node(self.identities[rng.choice(self.names)].id)])
        lane = rng.choices(list(Lane), [1, 2, 7])[0]
        self.counts["entries"] += (many := rng.choice([1, 1, 1, 2, 5, 30]))
        self.nodes[name].write(audience, lane, [b"%d %s " % (self.seed, name.encode()) + rng.randbytes(20) for _ in range(many)])

    def _restart(self, name: str, how: Callable[[], None], word: str) -> None:
        self.counts[word] += 1
        for child in self.children():
            if name in (child, TREE[child]):
                self.hang_up(child)
        how()

    def heal(self) -> None:
        """Everything works again, and everybody calls until nobody has anything left to say."""
        self.calm = True
        for _ in range(3):
            self.time += 1000
            for node in self.nodes.values():
                node.exchange.tick(self.now)
            for child in self.children():
                self.dial(child)
            for _ in range(200_000):
                if not self.step():
                    break
            else:
                self.violations.append("the nodes never stop talking")

    # --- the judgement ------------------------------------------------------------------------------------------

    def judge(self) -> list[str]:
        """What does not hold."""
        if self.forks:
            self.violations.append(f"{len(self.forks)} forks were seen where none was signed")
        for chain in {chain for node in self.nodes.values() for chain in node.journal.chains}:
            self._converged(chain)
        for name, node in self.nodes.items():
            self._verifies(name, node)
        for name, node in self.nodes.items():
            for one in node.exchange.peers.values():
                for code in set(one.refused) - {"lost_message", "void_session", "old_hello", "gap", "repeated"}:
                    self.violations.append(f"{name} refused {code} of {self.by_id[one.neighbour]}")
        return self.violations

    def _converged(self, chain: bytes) -> None:
        held = {name: node.journal.chains[chain] for name, node in self.nodes.items() if chain in node.journal.chains}
        some = next(iter(held.values()))
        author = self.by_id[some.author]
        span = {self.by_id[each] for each in self.tree.span(some.author, some.audience)}
        if not set(held) <= span:
            self.violations.append(f"a chain of {author} is where it does not belong: {sorted(set(held) - span)}")
        if set(held) != span or len({(state.count, state.hash) for state in held.values()}) != 1:
            counts = {name: state.count for name, state in held.items()}
            self.violations.append(f"a chain of {author} for {some.audience} differs: {counts} in {sorted(span)}")

    def _verifies(self, name: str, node: Node) -> None:
        """Read every chain back from the disk and take it into an empty journal."""
        fresh = Journal(Memory().engine, city=self.city, identity=self.key_of, here=node.identity.id)
        with node.journal.engine.begin() as c, fresh.engine.begin() as d:
            for state in node.journal.chains.values():
                at = 0
                while at < state.count:
                    batch = node.journal.read(c, state, at, 1 << 20)
                    if batch is None:
                        self.violations.append(f"{name} cannot read its own journal")
                        return
                    fresh.take(d, batch)
                    at += len(batch.entries)
                if fresh.chains[state.id].hash != state.hash:
                    self.violations.append(f"{name} reads another journal than it took")

    def digest(self) -> str:
        """A hash of what everybody holds, the same for the same seed."""
        h = hashlib.sha256()
        for line in sorted(self._contents()):
            h.update(line)
        return h.hexdigest()

    def _contents(self) -> Iterator[bytes]:
        for name, node in self.nodes.items():
            for state in node.journal.chains.values():
                with node.journal.engine.begin() as c:
                    found = node.journal.found(c, state, 1, state.count)
                yield pack((name, self.by_id[state.author], str(state.audience), str(state.lane), state.epoch, tuple(f.body for f in found)))


def run(seed: int, steps: int) -> World:
    """Live through one seed, heal and judge; the world's ``violations`` are what went wrong."""
    world = World(seed)
    for child in world.children():
        world.dial(child)
    for _ in range(steps):
        world.act()
    world.heal()
    world.judge()
    return world


def main(argv: Sequence[str] | None = None) -> int:
    """Run seeds; 1 when one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m sync.sim", description="Simulate a tree of nodes under faults.")
    parser.add_argument("--seed", type=int, help="run this one seed")
    parser.add_argument("--seeds", type=int, default=20, help="run the first so many seeds")
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args(argv)
    seeds = [given.seed] if given.seed is not None else range(1, given.seeds + 1)
    failed = []
    for seed in seeds:
        began = time.perf_counter()
        world = run(seed, given.steps)
        found = {"seed": seed, "steps": given.steps, "digest": world.digest(), "violations": world.violations, **world.counts}
        sys.stdout.write(json.dumps({**found, "s": round(time.perf_counter() - began, 2)}) + "\n")
        sys.stdout.flush()
        failed += [seed] if world.violations else []
    if failed:
        sys.stderr.write(f"failing seeds: {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

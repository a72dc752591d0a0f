"""Peers: what must hold between neighbours whatever the line does."""

from __future__ import annotations

import datetime as dt
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from node import certs, keys
from node.codec import pack
from node.directory.tree import Tree
from node.entry import ALL, DOWN, SELF, UP, Hold, Lane, to_node
from node.errors import NodeError
from node.signals import Signal
from sync import frames
from sync.exchange import Exchange
from sync.peer import MOST_ELSEWHERE, WAITING, Now, Self
from tests.sync.tape import Strip, Tape, look

START = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Identity:
    """A node's keys and certificate chain."""

    id: str
    key: ec.EllipticCurvePrivateKey
    chain: tuple[bytes, ...]


@cache
def authority(name: str) -> tuple[object, ec.EllipticCurvePrivateKey]:
    """A city root and its key."""
    key = keys.new_p256()
    return certs.issue(certs.Subject(kind="root", id=name, name=name), key.public_key(), None, key, START), key


def identity(name: str, above: str = "", root: str = "root") -> Identity:
    """A node certified by another, or by the root; always the same for the same names."""
    return _identity(name, above, root)


@cache
def _identity(name: str, above: str, root: str) -> Identity:
    key = keys.new_p256()
    parent = _identity(above, "" if above == "city" else "city", root) if above else None
    issuer = certs.load(parent.chain[0]) if parent else authority(root)[0]
    issuer_key = parent.key if parent else authority(root)[1]
    path = {"": 2, "city": 1}.get(above, 0)
    about = certs.Subject(kind="node", id=certs.node_id(key.public_key()), name=name)
    cert = certs.issue(about, key.public_key(), issuer, issuer_key, START, path=path)
    return Identity(about.id, key, (certs.der(cert), *(parent.chain if parent else ())))


class NoBlobs:
    """A shelf without anything on it."""

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        return b""

    def have(self, sha: bytes, size: int) -> int:
        return size

    def write(self, sha: bytes, size: int, offset: int, data: bytes) -> bool:
        return False


@dataclass
class World:
    """Nodes of one branch (or more) and the messages under way between them."""

    parents: dict[str, str]
    seed: int = 1
    ids: dict[str, Identity] = field(default_factory=dict)
    tapes: dict[str, Tape] = field(default_factory=dict)
    nodes: dict[str, Exchange] = field(default_factory=dict)
    lines: dict[tuple[str, str], deque[bytes]] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    "Children whose line is down."
    time: float = 0.0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        names = ["city", *self.parents]
        for name in names:
            above = self.parents.get(name, "")
            self.ids[name] = identity(name, above)
        self.tree = Tree({self.ids[n].id: self.ids[self.parents[n]].id if n in self.parents else None for n in names})
        for name in names:
            self.tapes[name] = Tape(self.ids[name].id)
            self.boot(name)

    def boot(self, name: str) -> None:
        """Start a node's courier with what its tape holds."""
        who = self.ids[name]
        me = Self(node=who.id, certs=who.chain, root=authority("root")[0])
        above = self.ids[self.parents[name]].id if name in self.parents else ""
        made = Exchange(me=me, store=self.tapes[name], shelf=NoBlobs(), rng=self.rng, look=look, tree=self.tree, parent=above)
        made.lines.update({chain: self.tapes[name].line(chain) for chain in self.tapes[name].reels})
        self.nodes[name] = made

    @property
    def now(self) -> Now:
        return Now(self.time, int(START.timestamp() * 1000) + int(self.time * 1000))

    def dial(self, child: str) -> None:
        """A fresh connection; what the old one carried is lost."""
        above = self.parents[child]
        self.lines[child, above] = deque()
        self.lines[above, child] = deque()
        self.nodes[child].connected(self.ids[above].id, self.now)

    def cut_line(self, child: str) -> None:
        """The line of a child is gone on both sides."""
        above = self.parents[child]
        self.lines.pop((child, above), None)
        self.lines.pop((above, child), None)
        self.nodes[child].lost(self.ids[above].id, self.now)
        self.nodes[above].lost(self.ids[child].id, self.now)

    def write(self, name: str, chain: str, audience: object, lane: Lane, *entries: bytes) -> bytes:
        """A node writes entries of its own."""
        line = self.tapes[name].write(chain, audience, lane, *entries)
        self.nodes[name].grown([line], self.now)
        return line.id

    def flush(self) -> None:
        """Put what peers say onto the lines."""
        for a, b in list(self.lines):
            one = self.nodes[a].peers.get(self.ids[b].id)
            while one and (message := one.pop()) is not None:
                self.lines[a, b].append(message)

    def step(self) -> bool:
        """Deliver one message somewhere; False when nothing is under way."""
        self.flush()
        full = [pair for pair, queue in self.lines.items() if queue]
        if not full:
            return False
        a, b = self.rng.choice(full)
        self.nodes[b].receive(self.ids[a].id, self.lines[a, b].popleft(), self.now)
        return True

    def run(self, limit: int = 100_000) -> None:
        """Deliver everything."""
        for _ in range(limit):
            if not self.step():
                return
        raise AssertionError("the nodes never stop talking")

    def tick(self, seconds: float) -> None:
        """Let time pass in beats, delivering in between."""
        until = self.time + seconds
        while self.time < until:
            self.time += 0.5
            for node in self.nodes.values():
                node.tick(self.now)
            self.run()

    def holds(self, name: str, chain: bytes) -> list[bytes] | None:
        """Entries a node holds of a chain."""
        reel = self.tapes[name].reels.get(chain)
        return reel.entries if reel else None


def branch() -> World:
    """City, county, two townships, all dialled."""
    world = World({"county": "city", "town": "county", "other": "county"})
    for child in world.parents:
        world.dial(child)
    world.run()
    return world


def test_a_chain_goes_exactly_where_its_audience_lies() -> None:
    """UP reaches the ancestors, DOWN the subtree, ALL everyone, NODE the path, and SELF stays."""
    world = branch()
    reach = {}
    for name, audience in (("up", UP), ("down", DOWN), ("all", ALL), ("self", SELF), ("node", to_node(world.ids["other"].id))):
        for author in ("county", "town"):
            chain = world.write(author, name, audience, Lane.ORDINARY, b"opening", b"one")
            world.run()
            reach[author, name] = {n for n in world.nodes if world.holds(n, chain) == [b"opening", b"one"]}
    assert reach["town", "up"] == {"town", "county", "city"}
    assert reach["county", "up"] == {"county", "city"}
    assert reach["county", "down"] == {"county", "town", "other"}
    assert reach["town", "all"] == set(world.nodes)
    assert reach["town", "node"] == {"town", "county", "other"}
    assert reach["county", "node"] == {"county", "other"}
    assert reach["town", "self"] == {"town"}


def test_what_was_written_while_the_line_was_cut_arrives_once_and_in_order() -> None:
    """A township that was away sends and receives the rest, nothing twice."""
    world = branch()
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0", b"1")
    world.run()
    world.cut_line("town")
    world.write("town", "up", UP, Lane.ORDINARY, *(b"%d" % n for n in range(2, 200)))
    down = world.write("city", "down", DOWN, Lane.URGENT, *(b"%d" % n for n in range(50)))
    world.run()
    world.dial("town")
    world.run()
    assert world.holds("city", chain) == world.holds("town", chain) == [b"%d" % n for n in range(200)]
    assert world.holds("town", down) == world.holds("city", down)
    assert sum(p.counts["duplicates"] for n in world.nodes.values() for p in n.peers.values()) == 0


def test_a_restored_node_gets_its_own_past_back() -> None:
    """A node whose disk forgot its last entries is given them by its parent, and what only it has goes up."""
    world = branch()
    chain = world.write("town", "up", UP, Lane.ORDINARY, *(b"%d" % n for n in range(20)))
    world.run()
    world.cut_line("town")
    del world.tapes["town"].reels[chain].entries[7:]
    world.boot("town")
    world.dial("town")
    world.run()
    assert world.holds("town", chain) == [b"%d" % n for n in range(20)]


def test_a_fork_stops_one_chain_and_no_other() -> None:
    """Two different entries in one place freeze that chain on the line; the others go on."""
    world = branch()
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0", b"1")
    world.run()
    world.cut_line("town")
    world.tapes["town"].reels[chain].entries[1] = b"another"
    world.boot("town")
    world.dial("town")
    world.run()
    good = world.write("town", "second", UP, Lane.ORDINARY, b"a", b"b")
    world.run()
    assert world.holds("city", chain) == [b"0", b"1"]
    assert world.holds("city", good) == [b"a", b"b"]
    assert world.nodes["county"].peers[world.ids["town"].id].refused["fork"]


def test_a_forgery_drops_the_neighbour_and_not_the_others() -> None:
    """Who brings what does not hold is refused and waits; its sibling notices nothing."""
    world = branch()
    world.tapes["county"].forged.add(b"bad")
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0", b"bad")
    other = world.write("other", "up", UP, Lane.ORDINARY, b"0", b"good")
    world.run()
    county = world.nodes["county"]
    assert county.peers[world.ids["town"].id].state == "refused"
    assert county.peers[world.ids["town"].id].refused["forged"] == 1
    assert world.nodes["town"].peers[world.ids["county"].id].state == "refused"
    assert world.holds("county", chain) is None
    assert world.holds("city", other) == [b"0", b"good"]


def test_a_full_disk_is_tried_again() -> None:
    """A neighbour that cannot write now gets the same entries later."""
    world = branch()
    world.tapes["county"].full = True
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0", b"1")
    world.tick(3)
    assert world.holds("county", chain) is None
    world.tapes["county"].full = False
    world.tick(4)
    assert world.holds("city", chain) == [b"0", b"1"]


def test_only_what_is_not_known_to_be_held_waits_while_a_line_is_down() -> None:
    """What a neighbour had acknowledged does not count as waiting when its line breaks; what is written then does, by its lane."""
    world = branch()
    world.write("city", "all", ALL, Lane.ORDINARY, b"0", b"1")
    world.run()
    peer = world.nodes["city"].peers[world.ids["county"].id]
    assert peer.backlog()[0].total() == 0
    world.cut_line("county")
    assert peer.backlog()[0].total() == 0
    world.write("city", "more", ALL, Lane.URGENT, b"2", b"3", b"4")
    assert (peer.backlog()[0][Lane.URGENT], peer.backlog()[0].total()) == (3, 3)
    world.dial("county")
    world.run()
    assert peer.state == "up" and peer.backlog()[0].total() == 0


def test_a_recorded_session_changes_nothing() -> None:
    """Every message of an old session, Hello included, played again into a new one has no effect."""
    world = branch()
    recorded: list[bytes] = []
    world.cut_line("town")
    world.dial("town")
    county, town = world.ids["county"].id, world.ids["town"].id
    world.write("town", "up", UP, Lane.ORDINARY, b"0", b"1")
    while True:
        world.flush()
        if not world.lines["town", "county"] and not world.lines["county", "town"]:
            break
        if world.lines["town", "county"]:
            recorded.append(world.lines["town", "county"][0])
        world.step()
    world.run()
    before = {chain: list(reel.entries) for chain, reel in world.tapes["county"].reels.items()}
    peer = world.nodes["county"].peers[town]
    world.cut_line("town")
    for message in recorded:
        world.nodes["county"].receive(town, message, world.now)
    assert {chain: list(reel.entries) for chain, reel in world.tapes["county"].reels.items()} == before
    assert peer.state != "up"
    assert peer.refused["old_hello"] + peer.refused["void_session"] >= len(recorded) - 1
    world.dial("town")
    world.run()
    assert world.nodes["town"].peers[county].state == "up"


@pytest.mark.promise("P16")
def test_a_neighbour_speaks_for_what_is_behind_it() -> None:
    """A township that says it has just heard a sibling or the city is not believed; the county's own word about them is."""
    world = branch()
    county, town, other, city = (world.ids[name].id for name in ("county", "town", "other", "city"))
    world.cut_line("other")
    world.cut_line("county")
    before = world.nodes["county"].heard[other]
    world.time += 1000
    world.nodes["town"].peers[county]._say(frames.Beat(world.now.ms, 0, 0, ((other, 0), (city, 0))))
    world.run()
    heard = world.nodes["county"].heard
    assert heard[other] == before and heard[city] < world.now.ms
    world.nodes["county"].peers[town]._say(frames.Beat(world.now.ms, 0, 0, ((other, 5), (town, 0))))
    world.run()
    assert world.nodes["town"].heard[other] == world.now.ms - 5


@pytest.mark.promise("P16")
def test_chains_told_without_end_fill_no_memory() -> None:
    """A neighbour that tells of ever more chains nobody knows is remembered for a hundred thousand of them, and goes on as before."""
    world = branch()
    county, town = world.ids["county"].id, world.ids["town"].id
    peer = world.nodes["county"].peers[town]
    for part in range(30):
        told = tuple(frames.Position(b"%032d" % (part * 4096 + n), 1, bytes(32)) for n in range(4096))
        world.nodes["town"].peers[county]._say(frames.Have(told, False))
        world.run()
    assert len(peer._elsewhere) == MOST_ELSEWHERE and len(peer._passages) < 100
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0", b"1")
    world.run()
    assert world.holds("city", chain) == [b"0", b"1"]


@pytest.mark.promise("P16")
def test_more_than_its_credit_ends_a_session() -> None:
    """A neighbour that sends batches faster than the ledger takes them is dropped before they fill the memory; the others go on."""
    world = branch()
    county, town, other = (world.ids[name].id for name in ("county", "town", "other"))
    waiting: list[object] = []
    world.tapes["county"].take = lambda batch, came, then: waiting.append(then)  # type: ignore[method-assign]
    sender = world.nodes["town"].peers[county]
    for number in range(80):
        strip = Strip(b"%032d" % number, 0, town, UP, Lane.ORDINARY, (bytes(1024 * 1024),))
        sender._post(frames.entries(strip.chain, 0, 1, Lane.ORDINARY, pack(strip)), 5)
    world.run()
    assert world.nodes["county"].peers[town].state == "refused" and world.nodes["county"].peers[town].refused["too_large"]
    assert len(waiting) <= 64 and world.nodes["county"].peers[other].state == "up"


def hello(who: Identity, **changes: object) -> bytes:
    """A first Hello of a node."""
    frame = frames.Hello(frames.LOW, frames.HIGH, who.id, who.chain, bytes(16), b"", "test")
    return frames.seal(frames.NO_SESSION, 0, frames.write(msgspec.structs.replace(frame, **changes)))


def hostile() -> Iterator[tuple[str, bytes]]:
    """(expected code, message) of every kind of bad beginning."""
    town, foreign, other = identity("town", "county"), identity("stranger", "", "elsewhere"), identity("other", "county")
    yield "unknown_version", hello(town, low=frames.HIGH + 1, high=frames.HIGH + 3)
    yield "wrong_node", hello(other)
    yield "bad_certificate", hello(town, certs=foreign.chain)
    yield "bad_certificate", hello(town, certs=())
    yield "bad_certificate", hello(town, certs=(b"noise",))
    yield "cert_scope", hello(town, certs=other.chain)
    yield "bad_certificate", hello(town, certs=town.chain[:1])
    yield "malformed", frames.seal(frames.NO_SESSION, 0, b"\xff\xff")
    yield "malformed", b"short"
    yield "noncanonical", hello(town).replace(b"\xa4test", b"\xd9\x04test")
    yield "too_large", frames.seal(frames.NO_SESSION, 0, bytes(frames.MAX_FRAME + 1))


@pytest.mark.parametrize(("code", "message"), list(hostile()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_beginning_is_refused_by_name(code: str, message: bytes) -> None:
    """Each wrong Hello is refused with its code and counted, writes nothing, and the sibling's line goes on."""
    world = branch()
    world.cut_line("town")
    county, town = world.nodes["county"], world.ids["town"].id
    county.receive(town, message, world.now)
    peer = county.peers[town]
    assert peer.refused[code] == 1
    assert peer.state == "refused"
    said = frames.read(frames.open_(peer.pop() or b"")[2])
    assert isinstance(said, frames.Refuse) and said.code == code
    chain = world.write("other", "up", UP, Lane.ORDINARY, b"0")
    world.run()
    assert world.holds("city", chain) == [b"0"]
    world.time += 10
    world.dial("town")
    world.run()
    assert peer.state == "up", "who erred once may come back later"


def test_noise_inside_a_session_ends_it() -> None:
    """Bytes that are no frame, in a session, refuse the neighbour; an unknown frame is only counted."""
    world = branch()
    county, town = world.nodes["county"], world.ids["town"].id
    peer = county.peers[town]
    county.receive(town, frames.seal(peer._session, peer._got + 1, b"\x92\x63\x01"), world.now)
    assert peer.state == "up" and peer.refused["unknown_frame"] == 1
    county.receive(town, frames.seal(peer._session, peer._got + 1, b"\x92\x03\x01"), world.now)
    assert peer.state == "refused" and peer.refused["malformed"] == 1


def test_urgent_overtakes_a_backlog() -> None:
    """An urgent entry written behind megabytes of ordinary ones is sent before nearly all of them."""
    world = branch()
    world.cut_line("town")
    world.write("town", "bulk", UP, Lane.ORDINARY, *(bytes([n % 256]) * 2000 + world.rng.randbytes(1000) for n in range(3000)))
    world.dial("town")
    for _ in range(40):
        world.step()
    chain = world.write("town", "urgent", UP, Lane.URGENT, b"opening", b"flash")
    steps = 0
    while world.holds("county", chain) is None:
        assert world.step()
        steps += 1
    bulk = max(len(reel.entries) for reel in world.tapes["county"].reels.values())
    assert bulk < 1500 and steps < 60


def test_what_is_under_way_is_bounded() -> None:
    """A neighbour that takes nothing makes nobody's memory grow beyond the credits."""
    world = World({"county": "city"})
    world.dial("county")
    world.run()
    world.write("county", "bulk", UP, Lane.ORDINARY, *(world.rng.randbytes(2000) for _ in range(5000)))
    world.flush()
    assert sum(len(m) for m in world.lines["county", "city"]) < 1024 * 1024
    world.run()
    assert len(next(iter(world.tapes["city"].reels.values())).entries) == 5000


def test_range_statements_travel_to_the_author() -> None:
    """A hold of the city over a township's chain passes the county and reaches the township, also after a cut."""
    world = branch()
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0")
    world.run()
    hold = Hold(world.ids["city"].id, chain, 0, bytes(32), 1, b"s")
    world.cut_line("town")
    world.tapes["city"].held((hold,))
    world.nodes["city"].promised(world.now)
    world.run()
    assert hold in world.tapes["county"].promised
    world.dial("town")
    world.run()
    assert hold in world.tapes["town"].promised
    assert hold not in world.tapes["other"].promised


def test_who_was_heard_is_known_beyond_the_next_node() -> None:
    """The city knows when a township was last heard, and a township of its sibling."""
    world = branch()
    world.tick(12)
    for watcher in ("city", "other"):
        assert world.now.ms - world.nodes[watcher].heard[world.ids["town"].id] < 8000
    peer = world.nodes["city"].peers[world.ids["county"].id]
    assert peer.rtt == 0 and peer.skew == 0


def test_a_message_the_line_swallowed_ends_the_session_and_nothing_is_missing() -> None:
    """ZeroMQ may lose messages without a word; the hole is seen at the next one, and a new session brings what was in it."""
    world = branch()
    chain = world.write("town", "up", UP, Lane.ORDINARY, b"0")
    world.flush()
    world.lines["town", "county"].clear()
    world.write("town", "up", UP, Lane.ORDINARY, b"1")
    world.run()
    assert world.nodes["county"].peers[world.ids["town"].id].refused["lost_message"] == 1
    assert world.nodes["town"].peers[world.ids["county"].id].state == "down"
    world.dial("town")
    world.run()
    assert world.holds("city", chain) == [b"0", b"1"]


def test_silence_ends_a_session() -> None:
    """A neighbour that says nothing for a while counts as gone."""
    world = branch()
    world.lines.clear()
    world.time += 6
    world.nodes["county"].tick(world.now)
    assert world.nodes["county"].peers[world.ids["town"].id].state == "down"


def test_a_signal_finds_its_node_and_expires() -> None:
    """A signal crosses the tree once; an old one and a repeat are dropped."""
    world = branch()
    signal = Signal(world.ids["town"].id, world.ids["city"].id, world.now.ms + 1000, bytes(16), b"ring", bytes(32), b"s")
    world.nodes["city"].signal(signal)
    world.nodes["city"].signal(signal)
    world.run()
    assert world.nodes["town"].inbox == [signal]
    assert world.nodes["other"].inbox == []
    world.time += 2
    world.nodes["city"].tick(world.now)
    world.nodes["city"].signal(msgspec.structs.replace(signal, nonce=b"1" * 16))
    world.run()
    assert len(world.nodes["town"].inbox) == 1


def test_what_is_out_of_place_is_declined() -> None:
    """A chain of a sibling, offered by a parent gone wrong, is stopped and not stored; the session goes on."""
    world = branch()
    world.tapes["county"].write("up", UP, Lane.ORDINARY, b"x")
    strip = Strip(bytes(32), 0, world.ids["other"].id, UP, Lane.ORDINARY, (b"secret",))
    peer = world.nodes["town"].peers[world.ids["county"].id]
    entries = frames.entries(bytes(32), 0, 1, Lane.ORDINARY, msgspec.msgpack.encode(strip))
    world.nodes["town"].receive(world.ids["county"].id, frames.seal(peer._session, peer._got + 1, entries), world.now)
    assert peer.state == "up" and peer.refused["out_of_span"] == 1
    assert world.holds("town", bytes(32)) is None


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_lines_do_the_nodes_agree_in_the_end(seed: int) -> None:
    """Cuts at any message, lost tails and writes everywhere: after healing every chain is the same wherever it belongs."""
    world = World({"c1": "city", "c2": "city", "t1": "c1", "t2": "c1", "t3": "c2"}, seed=seed)
    rng = world.rng
    names = list(world.nodes)
    written: dict[str, int] = dict.fromkeys(names, 0)
    chains: list[tuple[str, bytes, object]] = []
    for _ in range(400):
        roll = rng.random()
        child = rng.choice(list(world.parents))
        if roll < 0.35:
            author = rng.choice(names)
            which, audience = rng.choice([("up", UP), ("down", DOWN), ("all", ALL), ("node", to_node(world.ids[rng.choice(names)].id))])
            name = which + str(getattr(audience, "node", ""))
            lane = rng.choice(list(Lane))
            written[author] += 1
            chain = world.write(
                author, name, audience, lane, *(b"%s %d %d" % (author.encode(), written[author], n) for n in range(rng.randrange(1, 40)))
            )
            chains.append((author, chain, audience))
        elif roll < 0.40:
            world.cut_line(child)
        elif roll < 0.5:
            world.cut_line(child)
            world.dial(child)
        elif roll < 0.55:
            world.time += rng.random()
            for node in world.nodes.values():
                node.tick(world.now)
        else:
            for _ in range(rng.randrange(30)):
                world.step()
    for child in world.parents:
        world.cut_line(child)
    world.time += 1000
    for child in world.parents:
        world.dial(child)
    world.run()
    for author, chain, audience in chains:
        for name in names:
            expected = world.holds(author, chain) if world.tree.spans(world.ids[author].id, audience, world.ids[name].id) else None
            assert world.holds(name, chain) == expected, f"seed {seed}: {name} and {author} differ"
    refused = [c for n in world.nodes.values() for p in n.peers.values() for c in p.refused]
    assert not {"forged", "fork", "malformed"} & set(refused)


def test_errors_are_of_the_tree() -> None:
    """No exception other than a NodeError is ever raised by what a neighbour sends."""
    world = branch()
    county, town = world.nodes["county"], world.ids["town"].id
    for _ in range(300):
        world.time += 400
        try:
            county.receive(
                town, world.rng.choice([frames.NO_SESSION, county.peers[town]._session]) + world.rng.randbytes(world.rng.randrange(60)), world.now
            )
        except NodeError as error:
            raise AssertionError("errors end at the peer") from error


class Plenty(NoBlobs):
    """A shelf with as much of everything as anybody asks for."""

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        return bytes(length) if sha == b"p" * 32 else b""


@pytest.mark.parametrize("sha", [b"p" * 32, b"n" * 32], ids=["here", "not here"])
def test_a_neighbour_that_asks_and_does_not_listen_fills_no_memory(sha: bytes) -> None:
    """Of parts that are wanted faster than they are taken only so many wait for the line; whoever takes them may go on asking."""
    world = branch()
    county, town = world.nodes["county"], world.nodes["town"]
    county.shelf = Plenty()
    above, below = county.peers[world.ids["town"].id], town.peers[world.ids["county"].id]
    for n in range(3 * WAITING):
        below.want(sha, n * frames.CHUNK, frames.CHUNK)
        message = below.pop()
        assert message is not None
        county.receive(world.ids["town"].id, message, world.now)
    answers = 0
    while above.pop() is not None:
        answers += 1
    assert above.state == "up" and WAITING <= answers <= WAITING + 10
    below.want(sha, 0, frames.CHUNK)
    county.receive(world.ids["town"].id, below.pop() or b"", world.now)
    assert above.pop() is not None


def test_signals_for_a_node_that_does_not_listen_fill_no_memory() -> None:
    """A township that floods another with words of the moment leaves only so many of them waiting at the county between them."""
    world = branch()
    town, other = world.ids["town"].id, world.ids["other"].id
    for n in range(2 * WAITING):
        world.nodes["county"].signal(Signal(other, town, world.now.ms + 1000, n.to_bytes(16, "big"), b"x" * 1000, b"c"), came=town, at=world.now)
    waiting = world.nodes["county"].peers[other]
    assert sum(1 for _ in iter(waiting.pop, None)) == WAITING

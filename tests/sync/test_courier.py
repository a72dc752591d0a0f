"""Couriers as real processes between real ledgers, over a line that a proxy can hurt."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import zmq

from node import enrol, requests, signals
from node.blobs import Blobs
from node.client import Ledger
from node.codec import pack, uuid7
from node.directory.entries import Person
from node.entry import ALL, DOWN, UP, Attachment, Audience, Lane, to_node
from node.errors import NodeError, Refused
from node.kinds import Content
from node.requests import Draft, Written
from sync import frames
from sync.knock import knock
from tests.city import City, Home, admit, build, wait
from tests.tcpchaos import Chaos

"Each worker of a parallel run has a network of its own."


@dataclass
class Net:
    """City, county and township with running ledgers and couriers; the township dials the county through ``line``."""

    city: City
    line: Chaos
    ledgers: dict[str, Ledger]

    def write(
        self, name: str, *texts: str, audience: Audience = UP, lane: Lane = Lane.ORDINARY, attachments: tuple[Attachment, ...] = ()
    ) -> list[Written]:
        """A node writes cards of people with these names."""
        return [say(self.city[name], self.ledgers[name], card(text), audience, lane, attachments) for text in texts]

    def count(self, name: str, written: Written) -> int:
        """How many entries a node holds of the chain that something was written in."""
        return next((c.count for c in self.ledgers[name].chains() if c.id == written.places[0].chain), 0)

    def has(self, name: str, written: Written) -> bool:
        """Whether a node holds what was written."""
        return self.count(name, written) > written.places[0].seq

    def link(self, name: str, other: str) -> dict[str, object]:
        """What a node's courier says of its line to another."""
        links = self.city[name].links().get("links", [])
        return next((k for k in links if k["peer"] == self.city[other].id), {})  # type: ignore[union-attr, index, call-overload]

    def up(self, name: str, other: str) -> bool:
        """Whether a line stands."""
        return self.link(name, other).get("state") == "up"

    def counters(self, name: str) -> dict[str, int]:
        """What a courier has counted."""
        return self.city[name].links()["counters"]  # type: ignore[return-value]


def card(name: str) -> Person:
    """A person's card, the simplest thing to write."""
    return Person(uuid7(), name, "organ", "", 1, "active", "")


def say(
    home: Home, ledger: Ledger, content: Content, audience: Audience = ALL, lane: Lane = Lane.TRUST, attachments: tuple[Attachment, ...] = ()
) -> Written:
    """Let a node write something in its own name."""
    said, salt, data = requests.statement(home.settings.city, content, record=content.id, home=home.id, suite="p256")  # type: ignore[attr-defined]
    return ledger.write([Draft(pack(said), b"", salt, data, (audience,), lane, attachments)])[0]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """One running branch for all tests of the module; each leaves its line healed."""
    folder = tmp_path_factory.mktemp("net")
    city = build(folder, counties=1, townships=0)
    with Chaos(city["county1"].settings.listen.removeprefix("tcp://")) as line:
        city.homes["town"] = admit(folder / "town", city["county1"], "township", "云镇", "330101001", 0, endpoint=line.endpoint)
        ledgers: dict[str, Ledger] = {}
        try:
            for name, home in city.homes.items():
                home.start("ledger")
                ledgers[name] = Ledger(home.settings, timeout=20)
            for name, home in city.homes.items():
                for about in home.says:
                    say(home, ledgers[name], about)
                home.start("courier")
            made = Net(city, line, ledgers)
            wait(lambda: all(len(ledger.nodes()) == 3 for ledger in ledgers.values()), why="the directory does not reach everybody")
            wait(lambda: made.up("county1", "town") and made.up("city", "county1"))
            yield made
        finally:
            for ledger in ledgers.values():
                ledger.close()
            city.stop()


@pytest.fixture(autouse=True)
def _healed(net: Net) -> Iterator[None]:
    """Every test begins and ends with a line that works."""
    yield
    net.line.heal()
    wait(lambda: net.up("county1", "town") and net.up("town", "county1"), why="the line does not heal")


@pytest.mark.promise("P4")
def test_an_entry_reaches_the_city_and_both_holders_say_so(net: Net) -> None:
    """What a township writes is at the city within a second; county (R0) and city (R1) promise it, and the township knows."""
    written = net.write("town", "甲")[0]
    wait(lambda: net.has("city", written))
    place = written.places[0]
    wait(lambda: len(net.ledgers["town"].carried(place.chain, place.seq)) == 2)
    assert {holder for holder, _ in net.ledgers["town"].carried(place.chain, place.seq)} == {net.city["county1"].id, net.city["city"].id}


@pytest.mark.row("B2")
def test_entries_of_a_cut_line_arrive_exactly_once(net: Net) -> None:
    """Written on both sides while the line is cut, everything arrives after it heals, in order and once."""
    net.line.cut()
    wait(lambda: net.link("town", "county1").get("state") != "up")
    up = net.write("town", *(f"上{n}" for n in range(30)))
    down = net.write("city", *(f"下{n}" for n in range(30)), audience=DOWN, lane=Lane.URGENT)
    wait(lambda: net.has("county1", down[-1]))
    assert not net.has("county1", up[0])
    began = time.monotonic()
    net.line.heal()
    wait(lambda: net.has("city", up[0]) and net.has("town", down[0]), why="the first document is late")
    first = time.monotonic() - began
    wait(lambda: net.has("city", up[-1]) and net.has("town", down[-1]))
    assert first < 3.0
    assert net.count("city", up[-1]) == net.count("town", up[-1])
    assert net.count("town", down[-1]) == net.count("city", down[-1])


@pytest.mark.row("B2")
def test_a_line_that_resets_all_the_time_loses_nothing(net: Net) -> None:
    """Under dozens of resets at random bytes, every entry arrives, and none differs."""
    net.line.set(cut=0.05, chunk=2048)
    written = [w for n in range(15) for w in net.write("town", *(f"{n} {k} " + "文" * 300 for k in range(10)))]
    wait(lambda: net.has("city", written[-1]), why=f"stuck: {net.city['town'].links()}")
    assert net.line.stats.cuts > 0
    place = written[0].places[0]
    stop = net.count("town", written[0])
    ours = [(f.seq, f.hash) for f in net.ledgers["town"].found(place.chain, 0, stop)]
    theirs = [(f.seq, f.hash) for f in net.ledgers["city"].found(place.chain, 0, stop)]
    assert ours == theirs


def test_flipped_bits_change_nothing(net: Net) -> None:
    """CURVE drops what was altered; the entries come again and are right."""
    net.line.set(flip=0.02)
    written = net.write("town", *("字" * 200 for _ in range(40)))
    time_out = time.monotonic() + 20
    while net.line.stats.flips == 0 and time.monotonic() < time_out:
        written += net.write("town", "再")
    net.line.heal()
    wait(lambda: net.has("city", written[-1]))
    assert net.line.stats.flips > 0
    assert "forged" not in net.counters("county1")["refused"]


def test_a_stalled_line_is_noticed_and_comes_back(net: Net) -> None:
    """A line that stays open and moves nothing counts as down within seconds, and carries on afterwards."""
    net.line.set(stall=True)
    wait(lambda: not net.up("town", "county1") and not net.up("county1", "town"), why="nobody noticed")
    written = net.write("town", "停")[0]
    net.line.heal()
    net.line.reset()
    wait(lambda: net.has("city", written))


@pytest.mark.row("B2")
def test_an_attachment_resumes_where_it_was_cut(net: Net) -> None:
    """Cut again and again in the middle, a blob arrives whole at carrier and city; each cut costs at most a chunk or so."""
    data = os.urandom(1_500_000)
    sha, size = Blobs(net.city["town"].settings).put([data])
    net.line.reset()
    wait(lambda: net.up("county1", "town"))
    before, cuts = net.line.stats.bytes, net.line.stats.cuts
    net.line.set(cut_after=400_000, chunk=8192)
    written = net.write("town", "附", attachments=(Attachment(sha, size),))[0]
    shelves = [Blobs(net.city[name].settings) for name in ("county1", "city")]
    wait(lambda: net.has("city", written))
    wait(lambda: all(shelf.has(sha) for shelf in shelves), why="the attachment does not arrive")
    assert b"".join(shelves[1].open(sha)) == data
    cuts = net.line.stats.cuts - cuts
    assert cuts >= 3
    assert net.line.stats.bytes - before < size + cuts * (frames.CHUNK + 40_000) + 200_000
    wait(lambda: not net.ledgers["city"].wanted() and not net.ledgers["county1"].wanted())


@pytest.mark.promise("P9")
def test_a_sealed_log_passes_the_carrier(net: Net) -> None:
    """What is for the city alone goes through the county, which holds it and cannot read it."""
    written = net.write("town", "密", audience=to_node(net.city["city"].id))[0]
    wait(lambda: net.has("city", written) and net.has("county1", written))
    place = written.places[0]
    assert "密".encode() in net.ledgers["city"].body(place.chain, place.seq)
    with pytest.raises(NodeError):
        net.ledgers["county1"].body(place.chain, place.seq)


def test_a_killed_courier_or_ledger_loses_nothing(net: Net) -> None:
    """SIGKILL of the county's courier, then of its ledger, under load: everything arrives when they are back."""
    written = net.write("town", *(f"杀{n}" for n in range(10)))
    county = net.city["county1"]
    county.stop("courier", how=signal.SIGKILL)
    written += net.write("town", *(f"杀二{n}" for n in range(10)))
    county.start("courier")
    wait(lambda: net.has("city", written[-1]))
    county.stop("ledger", how=signal.SIGKILL)
    written += net.write("town", *(f"杀三{n}" for n in range(10)))
    county.start("ledger")
    wait(lambda: net.has("city", written[-1]), why="the courier does not find its ledger again")
    assert net.count("city", written[-1]) == net.count("town", written[-1])


def test_strangers_and_noise_do_not_stop_the_others(net: Net) -> None:
    """Without a token an unknown key is not let in; noise over TCP and a child's nonsense are counted; entries pass meanwhile."""
    host = net.city["county1"].settings.listen
    context = zmq.Context()
    try:
        public, secret = zmq.curve_keypair()
        stranger = context.socket(zmq.DEALER)
        stranger.linger, stranger.curve_publickey, stranger.curve_secretkey = 0, public, secret
        stranger.curve_serverkey = enrol.curve_public(net.city["county1"].settings).encode()
        tokens = net.city["county1"].settings.path("keys", "tokens.json")
        tokens.rename(tokens.with_suffix(".away"))
        stranger.connect(host)
        stranger.send(frames.seal(frames.NO_SESSION, 0, b"\x92\x01\x01"))
        wait(lambda: net.counters("county1")["refused"].get("unknown_key"))  # type: ignore[union-attr, attr-defined]
        tokens.with_suffix(".away").rename(tokens)
    finally:
        context.destroy(linger=0)
    written = net.write("town", "仍")[0]
    wait(lambda: net.has("city", written))


@pytest.mark.row("H4")
def test_a_guest_may_only_ask_to_join(net: Net, tmp_path: Path) -> None:
    """With a token a new township is admitted over the line, its place in the tree reaches everybody, and its line stands;
    a guest that says anything else, or brings a wrong token, is refused."""
    county = net.city["county1"]
    newcomer: list[Home] = []

    def join(folder: Path, name: str, code: str, token: str) -> Home:
        from tests.city import _wish

        wish = _wish("township", name, code, 0)
        asked = enrol.request(folder, wish, token)
        secret = (folder / "keys" / "curve.key").read_bytes().strip()
        answer = knock(county.settings.listen, token, asked, secret=secret, timeout=10)
        return Home(enrol.finish(folder, wish, token, county.settings.listen, answer, enrol.dt.datetime.now(enrol.dt.UTC)))

    now = enrol.dt.datetime.now(enrol.dt.UTC)
    token = enrol.new_token(county.settings, "township", "新镇", "330101777", now, enrol.dt.timedelta(hours=1))
    with pytest.raises(Refused):
        join(tmp_path / "wrong", "错镇", "330101778", token)
    newcomer.append(join(tmp_path / "new", "新镇", "330101777", token))
    home = newcomer[0]
    net.city.homes["new"] = home
    home.start("ledger", "courier")
    with Ledger(home.settings, timeout=20) as ledger:
        wait(lambda: net.up("county1", "new"), why="the new node's line does not stand")
        wait(lambda: len(ledger.nodes()) == 4 and len(net.ledgers["city"].nodes()) == 4)
        net.ledgers["new"] = ledger
        written = net.write("new", "新")[0]
        wait(lambda: net.has("city", written), why=f"{home.links()} {county.links()} {net.city['city'].links()}")
        del net.ledgers["new"]
    home.stop()
    del net.city.homes["new"]


def test_everybody_knows_when_the_others_were_heard(net: Net) -> None:
    """The city's courier says when the township was last heard, and the township's when the city was."""
    town, city = net.city["town"], net.city["city"]
    for watcher, watched in ((city, town), (town, city)):
        heard = wait(lambda w=watcher, x=watched: w.links().get("heard", {}).get(x.id))  # type: ignore[misc, union-attr]
        assert time.time() * 1000 - heard < 15_000  # type: ignore[operator]


def test_a_signal_crosses_the_tree_and_is_signed(net: Net) -> None:
    """What a process of the township posts is heard at the city in the moment, and the city can tell who spoke."""
    town, city = net.city["town"], net.city["city"]
    chain = net.write("town", "醒")[0]
    wait(lambda: net.has("city", chain))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        heard, post = signals.listen(city.settings, context), signals.post(town.settings, context)
        made = signals.make(net.ledgers["town"], town.id, city.id, b"ring", chain=chain.places[0].chain)
        poller = zmq.Poller()
        poller.register(heard, zmq.POLLIN)

        def rung() -> bool:
            again = msgspec.structs.replace(made, nonce=os.urandom(16))  # the listener may not be joined yet: ring until it is heard
            signed = net.ledgers["town"].ask("signal", signals.unsigned(again))
            signals.send(post, msgspec.structs.replace(again, signature=signed))
            return bool(poller.poll(100))

        wait(rung)
        signal_ = signals.read(heard.recv())
        assert signal_ is not None and signal_.payload == b"ring"
        signals.check(net.ledgers["city"], signal_)
        with pytest.raises(NodeError):
            signals.check(net.ledgers["city"], msgspec.structs.replace(signal_, payload=b"other"))
    finally:
        context.destroy(linger=0)


def test_a_courier_stops_within_two_seconds(net: Net) -> None:
    """SIGTERM ends a courier in order and at once, and its links.json says that its lines are down."""
    town = net.city["town"]
    began = time.monotonic()
    process = town.running["courier"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert time.monotonic() - began < 2
    assert all(link["state"] == "down" for link in town.links()["links"])  # type: ignore[union-attr, attr-defined]
    town.running.pop("courier")
    town.start("courier")


def test_the_courier_brings_no_database_along() -> None:
    """The courier's process imports no SQLAlchemy, so that it stays small."""
    import subprocess
    import sys

    code = "import sys, sync.courier; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.row("B9")
def test_urgent_passes_a_backlog_and_an_attachment_on_a_thin_line(net: Net) -> None:
    """At 2 Mbit/s behind hundreds of documents and a large blob, an urgent entry takes less than two seconds."""
    sha, size = Blobs(net.city["town"].settings).put([os.urandom(2_000_000)])
    net.line.set(rate_kbs=250, chunk=4096)
    net.write("town", "大", attachments=(Attachment(sha, size),))
    bulk: list[Written] = []
    writer = threading.Thread(target=lambda: bulk.extend(net.write("town", *(os.urandom(600).hex() for _ in range(200)))))
    writer.start()
    writer.join()
    began = time.monotonic()
    urgent = net.write("town", "急", lane=Lane.URGENT)[0]
    wait(lambda: net.has("county1", urgent))
    took = time.monotonic() - began
    assert not Blobs(net.city["county1"].settings).has(sha), "the line was not busy"
    assert took < 2.0, took
    net.line.heal()
    wait(lambda: Blobs(net.city["county1"].settings).has(sha))

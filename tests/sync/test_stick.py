"""Sticks between the ledgers of nodes that no line joins (M13)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from node import clock
from node.blobs import Blobs
from node.client import Ledger
from node.codec import pack, unpack
from node.directory.entries import Node
from node.entry import ALL, DOWN, UP, Attachment, Lane, to_node
from node.errors import Conflict, Corrupt, Missing, NodeError, Refused, Untrusted
from node.requests import Written
from sync.frames import Position
from sync.parcel import AHEAD, MOST_TOLD, Heard, Parcel, Unpacked
from sync.stick import LENGTH, MAGIC, Cover, Signed
from tests.city import City, build, running
from tests.sync.test_courier import card, say

TOWN, COUNTY, CITY = "county1-town1", "county1", "city"
WAY = (TOWN, COUNTY, CITY)


@dataclass
class Islands:
    """A city, a county and a township whose ledgers run; no courier does."""

    city: City
    ledgers: dict[str, Ledger]
    folder: Path
    made: int = 0

    def pack(self, name: str, to: str, **how: int) -> Path:
        """A new stick from one node for another."""
        self.made += 1
        out = self.folder / f"{self.made}.stick"
        packer = Parcel(self.city[name].settings, self.ledgers[name])
        packer.pack(packer.neighbour(self.city[to].id), out, **how)
        return out

    def unpack(self, name: str, file: Path) -> Unpacked:
        """A node reads a stick."""
        return Parcel(self.city[name].settings, self.ledgers[name]).unpack(file)

    def bring(self, name: str, to: str, **how: int) -> Unpacked:
        """What one node has for another, brought and read."""
        return self.unpack(to, self.pack(name, to, **how))

    def round(self) -> None:
        """Somebody walks from the township to the city and back with a stick."""
        for one, other in ((TOWN, COUNTY), (COUNTY, CITY), (CITY, COUNTY), (COUNTY, TOWN)):
            self.bring(one, other)


@pytest.fixture(scope="module")
def islands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Islands]:
    """Three nodes that know each other, by sticks alone."""
    folder = tmp_path_factory.mktemp("islands")
    ledgers: dict[str, Ledger] = {}
    with running(build(folder)) as city:
        try:
            for name, home in city.homes.items():
                home.start("ledger")
                ledgers[name] = Ledger(home.settings, timeout=60)
                if name == CITY:
                    ledgers[name].confirm()
            made = Islands(city, ledgers, folder)
            for name, home in city.homes.items():
                for about in home.says:
                    say(home, ledgers[name], about)
            for one, other in ((CITY, COUNTY), (COUNTY, TOWN)):  # whoever was just admitted knows only itself and who stands above
                made.bring(one, other)
            made.round()
            yield made
        finally:
            for ledger in ledgers.values():
                ledger.close()


def wrote(islands: Islands, name: str, text: str, **how: object) -> Written:
    """A node writes a card."""
    return say(islands.city[name], islands.ledgers[name], card(text), **how)  # type: ignore[arg-type]


def holders(islands: Islands, name: str, written: Written) -> set[str]:
    """Names of the nodes of which a node knows that they hold what was written."""
    names = {home.id: name for name, home in islands.city.homes.items()}
    place = written.places[0]
    return {names[holder] for holder, _ in islands.ledgers[name].carried(place.chain, place.seq)}


def has(islands: Islands, name: str, written: Written) -> bool:
    """Whether a node holds what was written."""
    place = written.places[0]
    return any(c.id == place.chain and c.count > place.seq for c in islands.ledgers[name].chains())


@pytest.mark.row("B12")
@pytest.mark.row("M13")
def test_what_a_line_does_a_stick_does(islands: Islands) -> None:
    """Entries upward, downward, for all and sealed, and an attachment go by stick, and the same nodes sign that they hold them as on a line."""
    blob = b"".join(random.Random(4).randbytes(4096) for _ in range(100))
    sha, size = Blobs(islands.city[TOWN].settings).put([blob])
    up = wrote(islands, TOWN, "up", audience=UP, lane=Lane.URGENT, attachments=(Attachment(sha, size),))
    down, all_ = wrote(islands, CITY, "down", audience=DOWN, lane=Lane.ORDINARY), wrote(islands, CITY, "all")
    sealed = wrote(islands, TOWN, "sealed", audience=to_node(islands.city[CITY].id), lane=Lane.ORDINARY)
    islands.round()
    islands.round()
    for written in (up, down, all_, sealed):
        assert all(has(islands, name, written) for name in WAY)
    assert Blobs(islands.city[CITY].settings).read(sha, 0, size) == blob
    for name, written, others in ((TOWN, up, {COUNTY, CITY}), (TOWN, sealed, {COUNTY, CITY}), (CITY, down, {COUNTY, TOWN})):
        assert holders(islands, name, written) == others
    plain = islands.ledgers[CITY].body(sealed.places[0].chain, sealed.places[0].seq)
    assert b"sealed" in plain


def test_a_stick_read_again_or_late_changes_nothing(islands: Islands) -> None:
    """The same stick twice, and an older one after a newer one, bring nothing twice and lose nothing."""
    wrote(islands, TOWN, "one", audience=UP)
    first = islands.pack(TOWN, COUNTY)
    wrote(islands, TOWN, "two", audience=UP)
    second = islands.pack(TOWN, COUNTY)
    new = islands.unpack(COUNTY, second).entries
    again, old = islands.unpack(COUNTY, second), islands.unpack(COUNTY, first)
    assert new >= 2 and (again.entries, again.known, old.entries, old.known, old.snags) == (0, new, 0, new - 1, {})


def test_what_was_acknowledged_is_not_sent_again(islands: Islands) -> None:
    """After a stick came back, the next one carries only what is new; with little room it says that more is left, and nothing is passed over."""
    islands.round()
    assert Parcel(islands.city[TOWN].settings, islands.ledgers[TOWN]).pack(_county(islands), islands.folder / "none.stick").entries == 0
    many = [wrote(islands, TOWN, random.Random(n).randbytes(1500).hex(), audience=UP) for n in range(100)]
    packer = Parcel(islands.city[TOWN].settings, islands.ledgers[TOWN])
    load = packer.pack(_county(islands), islands.folder / "small.stick", 1)
    assert load.more
    rounds = 0
    while not has(islands, COUNTY, many[-1]):
        islands.bring(TOWN, COUNTY, most=50_000)
        islands.bring(COUNTY, TOWN)
        rounds += 1
        assert rounds < 10
    assert rounds > 1


def _county(islands: Islands) -> Node:
    return Parcel(islands.city[TOWN].settings, islands.ledgers[TOWN]).neighbour()


def test_a_lost_stick_is_a_gap_and_stops_its_chain_only(islands: Islands) -> None:
    """When a stick is lost on the way, the next one says what does not fit and brings the rest; packed anew after an answer, all fits."""
    islands.round()
    lost = wrote(islands, TOWN, "lost", audience=UP)
    islands.pack(TOWN, COUNTY)
    county = islands.city[COUNTY]
    heard = Heard(clock.ms() + 1000, tuple(Position(line.id, line.count, line.hash) for line in islands.ledgers[TOWN].chains()), ())
    Parcel(islands.city[TOWN].settings, islands.ledgers[TOWN])._keep(county.id, heard)  # as if the lost one had been answered
    later, other = wrote(islands, TOWN, "later", audience=UP), wrote(islands, TOWN, "other", audience=ALL)
    came = islands.bring(TOWN, COUNTY)
    assert [error.code for error in came.snags.values()] == ["gap"] and has(islands, COUNTY, other) and not has(islands, COUNTY, later)
    islands.city[TOWN].settings.path("sticks", county.id).unlink()
    islands.bring(TOWN, COUNTY)
    assert has(islands, COUNTY, lost) and has(islands, COUNTY, later)


def test_only_its_reader_opens_it_and_it_shows_nothing(islands: Islands) -> None:
    """A stick for another node is refused, no text of an entry can be found in it, and it writes over no file."""
    wrote(islands, TOWN, "canary-of-the-stick", audience=UP)
    file = islands.pack(TOWN, COUNTY)
    assert b"canary-of-the-stick" not in file.read_bytes() and file.stat().st_mode & 0o077 == 0
    with pytest.raises(Refused):
        islands.unpack(CITY, file)
    with pytest.raises(Conflict):
        stick = Parcel(islands.city[TOWN].settings, islands.ledgers[TOWN])
        stick.pack(_county(islands), file)
    with pytest.raises(Missing):
        stick.neighbour(islands.city[CITY].id)


def test_a_damaged_stick_is_told_and_what_came_before_stays(islands: Islands) -> None:
    """Any byte changed, and any end cut off, is an error; a whole stick afterwards brings everything."""
    written = wrote(islands, TOWN, "after damage", audience=UP)
    good, dice = islands.pack(TOWN, COUNTY).read_bytes(), random.Random(7)
    bad = islands.folder / "bad.stick"
    for place in [0, len(MAGIC), *(dice.randrange(len(good)) for _ in range(30)), len(good) - 1]:
        data = bytearray(good)
        data[place] ^= 1 << dice.randrange(8)
        bad.write_bytes(data)
        with pytest.raises(NodeError):
            islands.unpack(COUNTY, bad)
    for end in (0, 5, len(MAGIC) + LENGTH + 10, len(good) // 2, len(good) - 1):
        bad.write_bytes(good[:end])
        with pytest.raises(Corrupt):
            islands.unpack(COUNTY, bad)
    bad.write_bytes(good)
    islands.unpack(COUNTY, bad)
    assert has(islands, COUNTY, written)


def test_nobody_packs_in_anothers_name(islands: Islands) -> None:
    """A cover that names another sender than the one that signed it is refused, and so is one whose signature is another's."""
    good = islands.pack(TOWN, COUNTY).read_bytes()
    start = len(MAGIC) + LENGTH
    length = int.from_bytes(good[len(MAGIC) : start], "big")
    signed = unpack(good[start : start + length], Signed)
    cover = unpack(signed.cover, Cover)
    for wrong in (msgspec.structs.replace(cover, sender=islands.city[CITY].id), msgspec.structs.replace(cover, at=cover.at + 1)):
        forged = pack(Signed(pack(wrong), signed.signature))
        bad = islands.folder / "forged.stick"
        bad.write_bytes(MAGIC + len(forged).to_bytes(LENGTH, "big") + forged + good[start + length :])
        with pytest.raises(Untrusted):
            islands.unpack(COUNTY, bad)


def _parcel(islands: Islands, name: str) -> Parcel:
    return Parcel(islands.city[name].settings, islands.ledgers[name])


def _packed(islands: Islands, heard: Heard) -> int:
    """Entries that the township packs for its county when this was the county's last word."""
    county, parcel = _county(islands), _parcel(islands, TOWN)
    last = parcel.settings.path("sticks", county.id)
    last.write_bytes(pack(heard))
    load = parcel.pack(county, islands.folder / f"word{heard.at}.stick")
    last.unlink()
    return load.entries


def test_what_a_neighbour_says_it_holds_is_believed_where_it_can_be_so(islands: Islands) -> None:
    """A word from the future, one of another history, and one of more than there is leave nothing out; a true one does."""
    islands.round()
    wrote(islands, TOWN, "to be left out", audience=UP)
    own = [chain for chain in islands.ledgers[TOWN].chains() if chain.author == islands.city[TOWN].id]
    true = tuple(Position(chain.id, chain.count, chain.hash) for chain in own)
    now = clock.ms()
    everything = _packed(islands, Heard(now, (), ()))
    assert _packed(islands, Heard(now + 10, true, ())) < everything
    assert _packed(islands, Heard(now + 20, tuple(Position(p.chain, p.count, bytes(32)) for p in true), ())) == everything
    assert _packed(islands, Heard(now + 30, tuple(Position(p.chain, p.count + 1000, p.hash) for p in true), ())) == everything
    ahead, none = Heard(now + 30 * AHEAD, true, ()), _packed(islands, Heard(now + 30 * AHEAD + 1, (), ()))
    assert _packed(islands, ahead) == none


def test_a_stick_from_the_future_brings_what_it_has_and_is_not_the_last_word(islands: Islands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stick packed under a clock a month ahead is read; the right one after it counts."""
    wrote(islands, TOWN, "from the future", audience=UP)
    ms = clock.ms
    monkeypatch.setattr(clock, "ms", lambda: ms() + 30 * AHEAD)
    ahead = islands.pack(TOWN, COUNTY)
    monkeypatch.undo()
    assert islands.unpack(COUNTY, ahead).entries > 0
    right = islands.bring(TOWN, COUNTY)
    heard = _parcel(islands, COUNTY)._heard(islands.city[TOWN].id)
    assert heard is not None and heard.at == right.at


def test_what_was_not_taken_is_named_without_being_kept() -> None:
    """What is told of a refused frame does not hold the frame, and no stick makes a list without end."""
    done = Unpacked("node", 0)

    def refuse(frame: bytearray) -> None:
        raise Refused(f"{len(frame)} bytes", code="out_of_span")

    for no in range(MOST_TOLD):
        try:
            refuse(bytearray(10))
        except NodeError as error:
            done.snag(no.to_bytes(4, "big"), error)
    assert all(error.__traceback__ is None and error.__context__ is None for error in done.snags.values())
    with pytest.raises(Refused):
        done.snag(b"one more", Refused("too many", code="out_of_span"))


def test_a_wrong_attachment_is_named_and_the_rest_is_taken(islands: Islands, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attachment that comes as other bytes stops itself only: what follows it is taken, and it is whole from the next stick."""
    islands.round()
    blobs = Blobs(islands.city[TOWN].settings)
    named = [blobs.put([random.Random(n).randbytes(3000)]) for n in (11, 12)]
    wrote(islands, TOWN, "two files", audience=UP, attachments=tuple(Attachment(sha, size) for sha, size in named))
    parcel = _parcel(islands, TOWN)
    read = Blobs.read
    monkeypatch.setattr(parcel.blobs, "read", lambda sha, start, most: bytes(3000) if sha == named[0][0] else read(parcel.blobs, sha, start, most))
    wrong = islands.folder / "wrong.stick"
    parcel.pack(_county(islands), wrong)
    done = islands.unpack(COUNTY, wrong)
    there = Blobs(islands.city[COUNTY].settings)
    assert list(done.snags) == [named[0][0]] and there.has(named[1][0]) and not there.has(named[0][0])
    islands.bring(COUNTY, TOWN)
    islands.bring(TOWN, COUNTY)
    assert there.has(named[0][0])


def test_a_stick_of_a_closed_node_is_refused(islands: Islands, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a node packed that was closed since is refused, as its line is."""
    file = islands.pack(TOWN, COUNTY)
    parcel = _parcel(islands, COUNTY)
    town = islands.city[TOWN].id
    monkeypatch.setitem(parcel.nodes, town, msgspec.structs.replace(parcel.nodes[town], closed=True))
    with pytest.raises(Refused) as refused:
        parcel.unpack(file)
    assert refused.value.code == "closed"

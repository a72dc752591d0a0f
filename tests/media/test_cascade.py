"""Relays along the tree: who is far is heard and seen, each stream crosses each line once, and a cut line leaves islands that go on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import pytest

from media.crowd import Guest
from media.sink import Sink
from node.errors import Invalid, Refused
from tests.media.cascades import Tree, growing, until

COUNTY = {"county": "city", "town1": "county", "town2": "county"}


def told(story: Callable[[Tree], Awaitable[None]], **above: str) -> None:
    """Play a story on a tree of relays."""

    async def played() -> None:
        async with growing(**(above or COUNTY)) as tree:
            await story(tree)

    asyncio.run(played())


@pytest.mark.row("G8")
@pytest.mark.row("M4")
def test_each_stream_crosses_each_line_once_whatever_the_audience() -> None:
    """Three viewers behind each of two lines see and hear a speaker in another township: every line carries each packet once."""

    async def story(tree: Tree) -> None:
        speaker = tree.guest("town1", "speaker")
        await speaker.publish(("f",))
        viewers = [tree.guest(place, f"{place}.{n}") for place in ("town2", "county", "city") for n in range(3)]
        for one in viewers:
            await tree.sees(one, "speaker")
        sent = {"audio": speaker._layers[0], "video": speaker._layers[1]}
        before = {line: tree.crossed(*line) for line in (("town1", "county"), ("county", "town2"), ("county", "city"))}
        start = {kind: layer.number for kind, layer in sent.items()}
        await until(lambda: all(sent[kind].number - start[kind] > 150 for kind in sent))
        for line, held in before.items():
            for (_person, kind), packets in tree.crossed(*line).items():
                passed, made = packets - held["speaker", kind], sent[kind].number - start[kind]
                assert abs(passed - made) <= 20, (line, kind, passed, made)
        assert not any(one.gaps.total() for one in viewers)
        names = {one["person"]: one["name"] for one in (await viewers[0].ask("state"))["members"]}
        assert names["speaker"] == "SPEAKER" and names.keys() == {"speaker", *(one.person for one in viewers)}
        assert (await viewers[0].ask("state"))["speaking"] == ["speaker"]

    told(story)


def test_what_nobody_wants_stays_at_home_and_no_room_goes_where_nobody_was_asked() -> None:
    """A call within a township costs its lines nothing; one within a county is unknown to the city; a stream that is seen no more stops."""

    async def story(tree: Tree) -> None:
        near = [tree.guest("town1", name, home="town1", room="near") for name in "ab"]
        await near[0].publish(("f",))
        await tree.sees(near[1], "a")
        wide = tree.guest("town1", "c", home="county", room="wide"), tree.guest("town2", "d", home="county", room="wide")
        await wide[0].publish(("f",))
        await tree.sees(wide[1], "c")
        assert not tree.relays["city"].rooms and set(tree.relays["county"].rooms) == {"wide"}
        await wide[1].ask("leave")
        await until(lambda: not any(sink.source for link in tree.relays["town1"].cascade.links.values() for sink in link.sinks.values()))
        await wide[0].ask("leave")
        await until(lambda: not tree.relays["county"].rooms["wide"].members)
        asked_later = tree.guest("town1", "a", home="county", room="near"), tree.guest("town2", "e", home="county", room="near")
        await asked_later[0].ask("state")
        await tree.sees(asked_later[1], "a")
        assert not tree.relays["city"].rooms, "a room that grew to its county goes no higher"

    told(story)


@pytest.mark.row("G8")
def test_a_line_carries_the_largest_layer_that_somebody_behind_it_wants() -> None:
    """Of three layers one crosses the line: the small one while all want it small, the large one as soon as one wants it large."""

    async def story(tree: Tree) -> None:
        speaker, one, other = tree.guest("city", "speaker"), tree.guest("town1", "one"), tree.guest("town1", "other")
        await speaker.publish(("q", "h", "f"))
        for viewer in (one, other):
            await tree.sees(viewer, "speaker")
        stream = next(s["id"] for s in (await one.ask("state"))["streams"] if s["kind"] == "video")

        def going() -> list[Sink]:
            return [sink for sink in tree.relays["city"].cascade.links["county"].sinks.values() if len(sink.layers) == 3]

        for wishes, layer in ((("q", "q"), "q"), (("q", "f"), "f"), (("h", "q"), "h")):
            for viewer, wish in zip((one, other), wishes, strict=True):
                await viewer.ask("want", stream=stream, layer=wish)
            await until(lambda layer=layer: [sink.source.layer for sink in going() if sink.source] == [layer])
        assert not one.gaps.total() and not other.gaps.total()

    told(story)


@pytest.mark.row("G9")
@pytest.mark.row("M5")
def test_a_cut_line_leaves_two_islands_which_merge_when_it_is_back() -> None:
    """With the county's line to the city cut its townships speak on without a gap; back again, the city is heard and seen anew."""

    async def story(tree: Tree) -> None:
        people = {place: tree.guest(place, place) for place in ("city", "town1", "town2")}
        for one in people.values():
            await one.publish(("q", "h", "f"))
        for place, one in people.items():
            await tree.sees(one, *(people.keys() - {place}))
        heard, gap = people["town2"], 0.0
        tree.cut.add(frozenset(("city", "county")))
        began = time.monotonic()
        while {one["person"] for one in (await heard.ask("state"))["members"]} != {"town1", "town2"} or time.monotonic() - began < 3.0:
            gap = max(gap, time.monotonic() - heard.last["town1", "audio"])
            assert time.monotonic() - began < 60
            await asyncio.sleep(0.02)
        assert gap < 1.0, "the island spoke on"
        while {one["person"] for one in (await people["city"].ask("state"))["members"]} != {"city"}:
            assert time.monotonic() - began < 60, "each end of the line notices by its own clock, and this one never did"
            await asyncio.sleep(0.02)
        tree.cut.clear()
        for place, one in people.items():
            one.got.clear()
            await tree.sees(one, *(people.keys() - {place}))

    told(story)


def test_a_relay_that_died_in_the_middle_is_found_again() -> None:
    """The county's relay is killed and started anew: its neighbours call again by themselves and everybody is heard as before."""

    async def story(tree: Tree) -> None:
        one, other = tree.guest("town1", "one"), tree.guest("town2", "other")
        await one.publish(("f",))
        await tree.sees(other, "one")
        await tree.kill("county")
        await until(lambda: "one" not in {m.person for m in tree.relays["town2"].rooms["room"].members.values()})
        tree.start("county")
        other.got.clear()
        await tree.sees(other, "one")
        await tree.kill("town2")
        tree.start("town2")  # before the county has noticed
        other.got.clear()
        await tree.sees(other, "one")

    told(story)


def test_more_than_three_voices_cross_no_line() -> None:
    """Of five who speak in one township the loudest three are heard in the other, and when one of them falls silent the next is."""

    async def story(tree: Tree) -> None:
        speakers = [tree.guest("town1", f"s{n}") for n in range(5)]
        for n, one in enumerate(speakers):
            await one.publish()
            one._layers[0].head = bytes([0xBE, 0xDE, 0, 1, 5 << 4, 10 + 10 * n, 0, 0])
        hearer = tree.guest("town2", "hearer")
        await hearer.ask("state")
        await until(lambda: len(tree.relays["town2"].rooms["room"].streams) == len(speakers))
        await hearer.view()

        def heard() -> set[str]:
            return {person for (person, _kind), at in hearer.last.items() if time.monotonic() - at < 0.5}

        await until(lambda: heard() == {"s0", "s1", "s2"})
        speakers[1].silent = True
        await until(lambda: heard() == {"s0", "s2", "s3"})
        speakers[1].silent = False
        await until(lambda: heard() == {"s0", "s1", "s2"})
        assert not hearer.gaps.total(), "who paused goes on under numbers that follow"

    told(story)


def test_what_a_line_loses_is_asked_for_again() -> None:
    """With three of a hundred packets lost on both lines between two townships, voice and picture arrive whole but for what is just on its way."""

    async def story(tree: Tree) -> None:
        tree.loss = 0.03
        one, other = tree.guest("town1", "one"), tree.guest("town2", "other")
        await one.publish(("f",))
        await tree.sees(other, "one")
        await until(lambda: other.got["one", "video"] > 1_000)
        lost = sum(tree.relays[name].counts["dropped"] for name in tree.relays)
        assert lost > 30
        assert other.gaps["one", "audio"] <= 2 and other.gaps["one", "video"] <= 4

    told(story)


@pytest.mark.row("G6")
def test_the_chair_leads_people_of_every_tier() -> None:
    """Silence for all but who has the floor, hands, a roll call, a vote and a banner go through the tiers; only chair and deputies lead."""

    async def story(tree: Tree) -> None:
        chair, one, other = tree.guest("city", "chair", chairs=True), tree.guest("town1", "one"), tree.guest("town2", "other")
        for each in (chair, one, other):
            await each.publish(("q", "h", "f"))
        await tree.sees(other, "chair", "one")

        async def told(guest: Guest, name: str, value: object) -> None:
            while (await guest.ask("state"))["control"][name] != value:
                await asyncio.sleep(0.05)

        def hears(person: str) -> bool:
            return time.monotonic() - other.last[person, "audio"] < 0.5

        async with asyncio.timeout(60):
            await chair.ask("lead", wish=json.dumps({"quiet": True, "banner": "请保持安静", "main": "one"}))
            await told(other, "banner", "请保持安静")
            await until(lambda: hears("chair") and not hears("one"))
            await one.ask("show", hand="up")
            while "one" not in [m["person"] for m in (await chair.ask("state"))["members"] if m["hand"]]:
                await asyncio.sleep(0.05)
            await chair.ask("lead", wish=json.dumps({"floor": ["one"], "roll": True, "question": "是否同意？"}))
            await told(one, "roll", 1)
            await until(lambda: hears("one"))
            for guest, vote in ((one, "yes"), (other, "no")):
                await told(guest, "poll", 1)
                await guest.ask("show", here="1", vote=vote)
            while sorted(m["vote"] for m in (await chair.ask("state"))["members"] if m["here"] == 1 == m["poll"]) != ["no", "yes"]:
                await asyncio.sleep(0.05)
            for wish in ("", "[]", '{"quiet":1}', '{"number":9}', json.dumps({"banner": "长" * 101}), '{"roll":"x"}'):
                with pytest.raises(Invalid):
                    await chair.ask("lead", wish=wish)
            with pytest.raises(Invalid):
                await one.ask("show", vote="perhaps")
            with pytest.raises(Refused):
                await one.ask("lead", wish="{}")
            await chair.ask("lead", wish=json.dumps({"deputies": ["one"]}))
            await told(one, "deputies", ("one",))
            await one.ask("lead", wish=json.dumps({"quiet": False}))
            await told(chair, "quiet", False)

    told(story)


@pytest.mark.row("G7")
def test_a_county_takes_the_chair_of_its_subtree_and_gives_it_back() -> None:
    """套开: with nobody rejoining, the county's people hear each other only, under the county's word; given back, all are together as before."""

    async def story(tree: Tree) -> None:
        chair = tree.guest("city", "chair", chairs=True)
        people = {"chair": chair, **{place: tree.guest(place, place) for place in ("county", "town1", "town2")}}
        for one in people.values():
            await one.publish(("q", "h", "f"))
        for name, one in people.items():
            await tree.sees(one, *(people.keys() - {name}))
        await chair.ask("lead", wish=json.dumps({"deputies": ["county"], "banner": "市里"}))

        async def shown(name: str, banner: str, members: set[str]) -> None:
            async with asyncio.timeout(60):
                while (found := await people[name].ask("state")) and (found["control"]["banner"], {m["person"] for m in found["members"]}) != (
                    banner,
                    members,
                ):
                    await asyncio.sleep(0.05)

        below, everybody = {"county", "town1", "town2"}, set(people)
        for name in everybody:
            await shown(name, "市里", everybody)
        with pytest.raises(Refused):
            await people["town1"].ask("nest", on="1")
        before = people["town2"].got["town1", "audio"]
        await people["county"].ask("nest", on="1")
        await people["county"].ask("lead", wish=json.dumps({"banner": "县里", "quiet": True, "floor": ["town1"]}))
        for name in below:
            await shown(name, "县里", below)
        await shown("chair", "市里", {"chair"})
        await chair.ask("lead", wish=json.dumps({"banner": "市里又说"}))
        await until(lambda: people["town2"].got["town1", "audio"] > before + 50)
        assert time.monotonic() - people["town2"].last["town1", "audio"] < 0.5, "nobody rejoined"
        await people["county"].ask("nest", on="")
        for name in everybody:
            await shown(name, "市里又说", everybody)
        for name, one in people.items():
            one.got.clear()
            await tree.sees(one, *(everybody - {name}))

    told(story)


def test_nonsense_from_a_neighbour_is_counted_and_nobody_is_disturbed() -> None:
    """Words that are none, of strangers, or that name impossible streams leave a talk as it was."""

    async def story(tree: Tree) -> None:
        one, other = tree.guest("town1", "one"), tree.guest("county", "other")
        await one.publish(("f",))
        await tree.sees(other, "one")
        county = tree.relays["county"].cascade
        wrong = [b"", b"{", b"[]", b'{"word":"sing"}', b'{"word":"room"}', b'{"word":"hello"}', b"\xff" * 50, b'{"word":"room","room":1}']
        track = b'{"id":"x","person":"p","what":"camera","kind":"smell","ssrc":1}'
        wrong += [b'{"word":"room","room":"r","tracks":[%s]}' % track, b'{"word":"room","room":"r","wants":{"s1":"huge"}}']
        twice = track.replace(b"smell", b"video")
        wrong += [b'{"word":"room","room":"r","tracks":[%s,%s]}' % (twice, twice), b'{"word":"room","room":"r","control":{"number":-1}}']
        for data in wrong:
            county.take("town1", data)
        county.take("nobody", b'{"word":"alive"}')
        assert (county.counts["malformed"], county.counts["strangers"]) == (len(wrong), 1)
        assert set(tree.relays["county"].rooms) == {"room"}
        people = b'"people":[["other","x",{}],["ghost","y",{}]]'
        forged = [track.replace(b"smell", b"audio").replace(b'"p"', who).replace(b'"x"', who) for who in (b'"other"', b'"nobody"')]
        county.take("town2", b'{"word":"room","room":"room",%s,"tracks":[%s,%s]}' % (people, forged[0], forged[1].replace(b":1}", b":2}")))
        state = await other.ask("state")
        assert {one["person"] for one in state["streams"]} == {"one"}, "nobody sends in another's name"
        assert {one["person"]: one["name"] for one in state["members"]} == {"one": "ONE", "other": "OTHER", "ghost": "y"}
        before = other.got["one", "video"]
        await until(lambda: other.got["one", "video"] > before + 30)

    told(story)

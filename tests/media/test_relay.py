"""The relay with real peers over real UDP, DTLS and SRTP: what one sends the others get, and what is refused."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from media.relay import Relay
from media.transport import Port
from node import tickets
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from node.tickets import Gate

SECRET = secrets.token_bytes(32)
PATIENCE = 60.0


def ticket(person: str, room: str = "room", **may: bool) -> str:
    """A ticket of the node."""
    return tickets.issue(SECRET, room, person, person.upper(), **may)


@asynccontextmanager
async def running() -> AsyncIterator[Relay]:
    """A relay on a free port of the loopback."""
    relay = Relay(Port("127.0.0.1", 0), Gate(SECRET))
    work = asyncio.ensure_future(relay.run())
    try:
        yield relay
    finally:
        work.cancel()
        await relay.close()


async def until(holds: Callable[[], Any]) -> Any:
    """What a question answers, once it is true."""
    async with asyncio.timeout(PATIENCE):
        while not (found := holds()):
            await asyncio.sleep(0.02)
    return found


async def sends(relay: Relay, person: str, **may: bool) -> RTCPeerConnection:
    """Somebody sends a tone and a moving picture."""
    pc = RTCPeerConnection()
    for track in (AudioStreamTrack(), VideoStreamTrack()):
        pc.addTransceiver(track, direction="sendonly")
    await pc.setLocalDescription(await pc.createOffer())
    told = await relay.publish(ticket(person, **may), "camera", pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(told["sdp"], "answer"))
    await until(lambda: {one.kind for one in relay.rooms["room"].streams.values() if one.person == person} == {"audio", "video"})
    return pc


async def sees(relay: Relay, person: str) -> tuple[RTCPeerConnection, list[Any], list[dict[str, Any]]]:
    """Somebody has what the others send: the connection, its tracks, and what they are said to be."""
    pc, tracks = RTCPeerConnection(), list[Any]()
    pc.on("track", tracks.append)
    offered = await relay.view(ticket(person))
    await pc.setRemoteDescription(RTCSessionDescription(offered["sdp"], "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    await relay.answer(ticket(person), offered["view"], pc.localDescription.sdp)
    return pc, tracks, offered["tracks"]


def live(story: Callable[[Relay], Awaitable[None]]) -> None:
    """Run a story on a relay."""

    async def told() -> None:
        async with running() as relay:
            await story(relay)

    asyncio.run(told())


@pytest.mark.row("G1")
def test_what_one_sends_the_others_hear_and_see() -> None:
    """Two send, two receive: decoded pictures and voices arrive, nobody gets their own, and each packet comes in once however many see it."""

    async def story(relay: Relay) -> None:
        one, other = await sends(relay, "a"), await sends(relay, "b")
        views = [await sees(relay, who) for who in ("a", "c")]
        for (_pc, tracks, told), own in zip(views, ("a", "c"), strict=True):
            assert {(one["person"], one["kind"]) for one in told} == {(p, k) for p in ("a", "b") if p != own for k in ("audio", "video")}
            assert len(tracks) == len(told)
            for track in tracks if own == "a" else ():  # aiortc takes one picture of a kind at a time; browsers take all (tests/browser)
                async with asyncio.timeout(PATIENCE):
                    frame = await track.recv()
                assert (track.kind, frame.width if track.kind == "video" else frame.sample_rate) in (("video", 640), ("audio", 48000))
        state = await relay.state(ticket("c"))
        assert [m["person"] for m in state["members"]] == ["a", "b", "c"] and len(state["streams"]) == 4
        sources = list(relay.rooms["room"].sources())
        await until(lambda: all(sink.sent > 20 for sinks in relay.rooms["room"].views.values() for sink in sinks.values()))
        assert all(source.counts["packets"] > 20 for source in sources) and relay.port.counts["srtp"] == 0
        version = state["version"]
        await relay.leave(ticket("a"))
        after = await relay.state(ticket("c"))
        assert after["version"] != version and {one["person"] for one in after["streams"]} == {"b"}
        for pc in (one, other, *(view[0] for view in views)):
            await pc.close()

    live(story)


def test_somebody_who_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that ends without a word leaves its streams no longer than its checks are awaited."""

    async def story(relay: Relay) -> None:
        pc = await sends(relay, "a")
        monkeypatch.setattr("media.transport.SILENCE", 1.0)
        await pc.close()
        await until(lambda: not relay.sending)
        assert not relay.rooms["room"].streams and not relay.port.by_address

    live(story)


def test_a_room_that_was_ended_is_over_for_all() -> None:
    """Only the chair ends a room; then nobody sends, sees or enters any more."""

    async def story(relay: Relay) -> None:
        pc = await sends(relay, "a")
        with pytest.raises(Refused):
            await relay.end(ticket("a"))
        assert sorted((await relay.end(ticket("b", chairs=True)))["people"]) == ["a", "b"]
        with pytest.raises(Conflict):
            await relay.state(ticket("a"))
        assert not relay.sending and not relay.viewing
        await pc.close()

    live(story)


@pytest.mark.row("G9")
def test_tickets_let_in_whom_they_name_once_and_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket that is forged, over, for another room or used before is refused; one of a watcher sends nothing; no room tells of another."""

    async def story(relay: Relay) -> None:
        good = ticket("a")
        assert [(one["person"], one["name"]) for one in (await relay.state(good))["members"]] == [("a", "A")]
        bad = tickets.issue(secrets.token_bytes(32), "room", "a", "A")
        flipped = good[:60] + ("A" if good[60] != "A" else "B") + good[61:]
        for text, code in (
            (good, "ticket_used"),
            (bad, "ticket_forged"),
            (flipped, "ticket_forged"),
            ("", "ticket_forged"),
            ("é" * 9, "ticket_forged"),
        ):
            with pytest.raises(Refused) as refused:
                await relay.state(text)
            assert refused.value.code == code
        with pytest.raises(Refused) as refused:
            Gate(SECRET).take(ticket("a", room="other"), "room")
        assert refused.value.code == "ticket_room"
        with pytest.raises(Refused) as refused:
            await relay.publish(ticket("a", speaks=False), "camera", "v=0")
        assert refused.value.code == "watcher"
        old = ticket("a")
        monkeypatch.setattr("node.tickets.LIFE", 0)
        with pytest.raises(Refused) as refused:
            await relay.state(old)
        assert refused.value.code == "ticket_expired"

    live(story)


def test_nonsense_from_a_browser_is_refused_and_nobody_is_disturbed() -> None:
    """Descriptions that are none, other codecs, answers to nothing and datagrams of every kind leave those who talk as they were."""

    async def story(relay: Relay) -> None:
        pc = await sends(relay, "a")
        good = pc.localDescription.sdp
        wrong = [
            "",
            "v=0",
            "v=0\r\n" * 9,
            good.replace("VP8", "AV1"),
            good.replace("a=fingerprint", "a=nothing"),
            good[: len(good) // 2],
            "v=0" + "x" * 10**5,
        ]
        for text in [*wrong, good.replace("sendonly", "recvonly"), good.replace("a=ssrc", "a=none")]:
            with pytest.raises(NodeError) as refused:
                await relay.publish(ticket("b"), "camera", text)
            assert isinstance(refused.value, Invalid), text[:80]
        with pytest.raises(Invalid):
            await relay.publish(ticket("b"), "elsewhere", good)
        with pytest.raises(Missing):
            await relay.answer(ticket("b"), "nothing", good)
        packets = next(iter(relay.rooms["room"].sources())).counts
        for datagram in (b"", b"\0", b"\1" * 30, b"\x16" * 300, b"\x80" * 1200, secrets.token_bytes(1500)):
            relay.port.take(datagram, ("127.0.0.1", 9))
            if relay.sending:
                relay.port.take(datagram, next(iter(relay.port.by_address)))
        before = packets["packets"]
        await until(lambda: packets["packets"] > before + 20)
        await pc.close()

    live(story)

"""Bad traffic: it is closed in time, and nobody else is held up by it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable

import pytest

from city_node import TIER
from node.errors import Unreachable
from office.frame.office import Office
from office.frame.trail import MOST, Did, Trail
from office.portal.pace import Pace
from tests.portal.house import Browser, House

SLOW = 500


def secured(house: House) -> ssl.SSLSocket:
    """A connection that has shaken hands and said nothing."""
    return ssl._create_unverified_context().wrap_socket(plain(house))


def plain(house: House) -> socket.socket:
    """A connection that has said nothing."""
    return socket.create_connection(("127.0.0.1", house.port), timeout=20)


def reset(line: socket.socket) -> None:
    """End a connection the hard way."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


REQUEST = b"POST /signin HTTP/1.1\r\nHost: x\r\n"
ABUSES: dict[str, Callable[[House], None]] = {
    "garbage instead of a handshake": lambda h: plain(h).sendall(os.urandom(4000)),
    "reset at once": lambda h: reset(plain(h)),
    "plain HTTP": lambda h: plain(h).sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "reset after the request": lambda h: _then_reset(h, b"GET /signin HTTP/1.1\r\nHost: x\r\n\r\n"),
    "reset in the body": lambda h: _then_reset(h, REQUEST + b"Content-Length: 99999\r\n\r\nabc"),
    "a bad chunk": lambda h: secured(h).sendall(REQUEST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc"),
    "two lengths": lambda h: secured(h).sendall(REQUEST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a huge header": lambda h: secured(h).sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n"),
    "a negative length": lambda h: secured(h).sendall(REQUEST + b"Content-Length: -5\r\n\r\n"),
    "an impossible host": lambda h: secured(h).sendall(b"GET /signin HTTP/1.1\r\nHost: \xff\xfe:99999999\r\n\r\n"),
    "a path that is no text": lambda h: secured(h).sendall(b"GET /%ff%fe\x80 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a broken form": lambda h: secured(h).sendall(REQUEST + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n\r\nabcde"),
    "a cookie that is no text": lambda h: secured(h).sendall(b"GET / HTTP/1.1\r\nHost: x\r\nCookie: __Host-yw=\xff\xfe\x00; ;=;\r\n\r\n"),
}


def _then_reset(house: House, data: bytes) -> None:
    line = secured(house)
    line.sendall(data)
    reset(line)


@pytest.mark.parametrize("abuse", ABUSES)
def test_the_portal_outlives(house: House, abuse: str) -> None:
    """The same process answers the next request."""
    before = house.home.running["portal"].pid
    for _ in range(3):
        with contextlib.suppress(OSError):
            ABUSES[abuse](house)
    assert house.browser().get("/healthz").status == 200
    assert house.home.running["portal"].poll() is None
    assert house.home.running["portal"].pid == before


def test_slow_headers_hold_up_nobody_and_are_closed_in_time(house: House) -> None:
    """With 500 connections that never finish their headers a page comes within two seconds; all are closed within 15."""
    begun = time.monotonic()
    lines = []
    for _ in range(SLOW):
        line = plain(house)
        line.sendall(b"\x16\x03\x01")
        lines.append(line)
    slow = secured(house)
    slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA:")
    asked = time.monotonic()
    assert house.browser().get("/signin").status == 200
    assert time.monotonic() - asked < 2
    last = time.monotonic()
    slow.settimeout(1)
    closed = False
    while not closed and time.monotonic() - last < 18:
        with contextlib.suppress(TimeoutError):
            slow.sendall(b"a")  # a byte now and then does not buy more time
            closed = not slow.recv(100)
    assert closed
    assert time.monotonic() - last < 16
    for line in lines:
        line.settimeout(max(0.1, begun + 20 - time.monotonic()))
        with contextlib.suppress(ConnectionError):
            while line.recv(1000):
                pass
        line.close()


def test_a_slow_body_holds_no_worker(house: House) -> None:
    """More bodies that never come than there are workers, and pages still come at once."""
    stalled = []
    for _ in range(210):
        line = secured(house)
        line.sendall(REQUEST + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nlogin=")
        stalled.append(line)
    asked = time.monotonic()
    assert house.browser().get("/signin").status == 200
    assert time.monotonic() - asked < 3
    for line in stalled:
        reset(line)


def test_a_live_stream_tells_that_something_was_written(house: House) -> None:
    """An entry rings at every open page, and a browser that comes back late is told at once that it missed something."""
    one = house.enter("zhoulixin")
    stream = _stream(one)
    assert stream.readline().startswith(b"retry")
    house.password("zhaoming")
    event = _next(stream)
    assert event["event"] == "entries"
    mark = int(event["id"])
    late = _stream(one, Last_Event_ID=str(mark - 1))
    assert _next(late)["id"] >= str(mark)


def test_streams_of_pages_that_were_left_make_room(house: House) -> None:
    """Going from page to page quickly never runs out of streams."""
    one = house.enter("zhoulixin")
    kept = [_stream(one) for _ in range(12)]
    assert all(stream.status == 200 for stream in kept)


def _stream(one: Browser, **headers: str):  # type: ignore[no-untyped-def]
    line = one.connect()
    cookie = "; ".join(f"{k}={v}" for k, v in one.cookies.items())
    line.request("GET", "/api/v1/events", headers={"Cookie": cookie, **{k.replace("_", "-"): v for k, v in headers.items()}})
    answer = line.getresponse()
    assert answer.status == 200
    return answer


def _next(stream) -> dict[str, str]:  # type: ignore[no-untyped-def]
    found: dict[str, str] = {}
    while True:
        name, _colon, value = stream.readline().decode().strip().partition(": ")
        if not name and "event" in found:
            return found
        if name in ("id", "event"):
            found[name] = value


def test_who_is_wrong_too_often_waits_and_nobody_else_does(house: House) -> None:
    """A machine that gives a wrong signature under another name each time soon hears 429 and writes no more into the trail; others sign in."""
    trust = ssl.create_default_context(cafile=str(house.settings.path("certs", "root.pem")))
    line = http.client.HTTPSConnection("127.0.0.1", house.port, context=trust, timeout=60, source_address=("127.0.0.2", 0))
    found, waits = 0, ""
    for n in range(400):
        proof = json.dumps({"user": f"nobody{n}", "nonce": "x.1.y", "signature": "AAAA"})
        line.request("POST", "/api/v1/session", body=proof, headers={"Content-Type": "application/json"})
        answer = line.getresponse()
        answer.read()
        found, waits = answer.status, answer.headers.get("Retry-After", "")
        if found != 403:
            break
    line.close()
    assert (found, waits) == (429, "1")
    assert house.browser().enter("zhoulixin", house.people["zhoulixin"]).status == 303


def test_the_measure_of_an_address_fills_again_and_is_that_of_its_whole_network() -> None:
    """What held costs nothing; a second later one attempt is back; an IPv6 machine has no other measure under another of its addresses."""
    at = [0.0]
    pace = Pace(lambda: at[0])
    for n in range(100):
        assert not pace.late(f"2001:db8::{n:x}")
        pace.spend(f"2001:db8::{n:x}")
    assert pace.late("2001:db8::ffff") == 1 and not pace.late("2001:db8:0:1::1") and not pace.late("::ffff:192.0.2.1")
    at[0] = 1.0
    assert not pace.late("2001:db8::1")
    pace.spend("2001:db8::1")
    assert pace.late("2001:db8::1") == 1
    pace.give_back("2001:db8::1")
    assert not pace.late("2001:db8::1")


def test_a_trail_that_others_have_filled_keeps_nobody_out(house: House) -> None:
    """When as many failures wait as may wait, whoever signs in by right has them written and goes on."""
    office = Office(house.settings, TIER)
    try:
        trail = Trail(office)
        for n in range(MOST):
            trail.note(Did.WRONG, name=f"nobody{n}", object="/signin")
        with pytest.raises(Unreachable):
            trail.note(Did.WRONG, name="one more", object="/signin")
        trail.write(Did.SIGNED_IN, person="somebody", object="/signin")
        trail.note(Did.WRONG, name="and another", object="/signin")
    finally:
        office.close()


def test_one_form_names_no_more_files_than_one_person_may_have_under_way(house: House) -> None:
    """Thousands of lines that name uploads open nothing: a form that names too many is refused, one that repeats itself names one."""
    line = "0" * 64 + " text/plain 附件.txt"
    clerk = house.enter("zhoulixin")
    clerk.get("/me")
    many = clerk.post("/documents", files_sent=[f"{n:064x} text/plain a.txt" for n in range(65)])
    same = clerk.post("/documents", files_sent=[line] * 5000)
    assert (many.status, same.status) == (422, 404) and "64" in many.text

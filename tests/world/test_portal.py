"""A portal of the living city under bad traffic, bad input, and the eyes of people who should not see."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ops import supervise
from tests.city import Home
from tests.portal.house import Browser, House, Reply
from tests.world.net import CITY, COUNTY, FIRST, World, acting

MEGABYTE = 1 << 20
NOWHERE = "018f0000-0000-7000-8000-00000000dead"
LOUD = {"/signout", "/api/v1/session", "/api/v1/events"}
"Routes that end the session or never end."


@pytest.fixture(scope="module")
def house(world: World) -> House:
    """The city's portal, as the portal's own tests see one."""
    place = world.place(CITY)
    return House(Home(world.settings(CITY)), place.web, {user.login: user.password for user in world.network.users if user.node == CITY})


@pytest.fixture(scope="module")
def clerk(house: House) -> Browser:
    """The clerk of the city's government."""
    one = house.enter("lixiaoyan")
    one.get("/me")
    return one


@pytest.fixture(scope="module")
def stranger(house: House) -> Browser:
    """The clerk of another organ at the same node."""
    one = house.enter("lujing")
    one.get("/me")
    return one


@pytest.fixture(scope="module")
def routes(clerk: Browser) -> dict[str, dict[str, Any]]:
    """What the portal says of itself."""
    found: dict[str, dict[str, Any]] = clerk.get("/openapi.json").json["paths"]
    return {path: ways for path, ways in found.items() if path not in LOUD}


@pytest.fixture(scope="module")
def records(world: World, clerk: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A document of the city's government, and one that came in for it."""
    text = tmp_path_factory.mktemp("portal") / "text.txt"
    text.write_text("请予支持。", encoding="utf-8")
    about = ("--kind", "letter", "--title", "关于调阅资料的函", "--body", str(text), "--attach", str(text))
    doc = world.ask(CITY, "send", *acting(world.who(CITY, "signer")), "--to", world.organ(COUNTY), *about)["doc"]
    world.ask(FIRST, "send", *acting(world.who(FIRST, "signer")), "--to", world.organ(CITY), *about, "--ack", "delivered", timeout=60)
    row = clerk.get("/incoming.json").json["rows"][0]
    return {"doc": str(doc), "id": row["id"]}


def test_what_is_another_unit_s_is_as_if_it_did_not_exist(
    clerk: Browser, stranger: Browser, routes: dict[str, dict[str, Any]], records: dict[str, str]
) -> None:
    """For each route with a record in it: who may see it is answered, and to another unit's clerk it is what nothing at all would be."""
    told, seen = [], 0
    for method, path in _with_records(routes):
        real, unreal = (_fill(path, one) for one in (records, {"doc": NOWHERE, "id": NOWHERE}))
        ours = clerk.get(real) if method == "GET" else None
        seen += ours is not None and ours.status == 200
        for _turn in range(3):  # the lamp of the lines may change between two answers; what tells of a record does so each time
            theirs, nothing = _try(stranger, method, real), _try(stranger, method, unreal)
            if _comparable(theirs) == _comparable(nothing):
                break
        if _comparable(theirs) != _comparable(nothing) or theirs.status not in (404, 422):
            told.append(f"{method} {path}: {theirs.status} and {nothing.status}")
    assert told == []
    assert seen >= 5


def _with_records(routes: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for path, ways in routes.items():
        if re.match(r"^/(documents|incoming|api/v1/docs)/.*\{", path):
            yield from ((method.upper(), path) for method in ways)


def _fill(path: str, values: dict[str, str]) -> str:
    more = {"place": "0", "act": "00" * 32, "move": "submit" if path.startswith("/documents") else "sign_for"}
    return re.sub(r"\{(\w+)\}", lambda found: (values | more).get(found[1], "1"), path)


def _try(one: Browser, method: str, path: str) -> Reply:
    return one.get(path) if method == "GET" else one.ask(method, path, {"csrf": one.csrf, "action": "sign"})


def _comparable(reply: Reply) -> tuple[int, str]:
    """An answer without what must differ: the address that was asked for, the number of the report, the lamp of the lines."""
    text = re.sub(r'<a id="light".*?</a>', "", reply.text, flags=re.DOTALL)
    text = re.sub(r"018f0000-0000-7000-8000-00000000dead|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    return reply.status, re.sub(r'"(reference|instance)":"[^"]*"|data-csrf="[^"]*"|name="csrf" value="[^"]*"', "", text)


NONSENSE: tuple[dict[str, Any], ...] = (
    {},
    {"title": "<script>alert(1)</script>" * 40, "body": "x" * 40_000, "kind": "no-such-kind", "organ": "no-such-organ", "to": "no-such-organ"},
    {"title": "\x00\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "due": "yesterday", "version": "-1", "text": "y" * 9000,
     "prefix": "滨政发'--"},
    {"login": "a" * 5000, "old": "", "new": "短", "again": "别的", "name": "z" * 3000, "since": "2026-13-45", "reason": "no-such-reason"},
)  # fmt: skip


AGAIN = ("drafts", "signin", "messages/new", "calls/new")
"Addresses that keep anything, or show the same form again."


@pytest.mark.promise("P18")
def test_nonsense_is_refused_and_leaves_nothing(world: World, clerk: Browser, routes: dict[str, dict[str, Any]], records: dict[str, str]) -> None:
    """Forms with nothing, too much, wrong types or script in them: never an error of ours, a sentence for the person, nothing written."""
    before = _documents(clerk)
    faults = []
    for path, ways in routes.items():
        for method in (one for one in ways if one not in ("get", "head")):
            for fields in NONSENSE:
                filled = _fill(path, {"doc": NOWHERE, "id": NOWHERE})
                reply = clerk.ask(method.upper(), filled, {"csrf": clerk.csrf, **fields}, X_CSRF_Token=clerk.csrf)
                if reply.status >= 500 or (reply.status < 300 and not any(one in path for one in AGAIN)) or "<script>alert" in reply.text:
                    faults.append(f"{method} {path} {list(fields)}: {reply.status} {reply.text[:300]}")
    assert faults == []
    assert clerk.get("/me").status == 200
    assert _documents(clerk) == before


def _documents(clerk: Browser) -> list[Any]:
    found = [clerk.get(f"/documents.json?tab={tab}").json["rows"] for tab in ("drafts", "review", "sign", "issued", "returned", "ended")]
    return [[row["id"] for row in rows] for rows in found]


def test_a_form_that_is_wrong_says_what_is_wrong(clerk: Browser) -> None:
    """A draft without a title or a recipient comes back with a sentence, and with what was typed."""
    reply = clerk.ask("POST", "/documents", {"csrf": clerk.csrf, "organ": "bz-zf", "kind": "no-such-kind", "title": "关于测试的函", "body": "正文。"})
    assert 400 <= reply.status < 500
    assert re.search(r"文种|种类|填写", reply.text)


def test_every_answer_is_guarded(clerk: Browser, routes: dict[str, dict[str, Any]]) -> None:
    """Strict policy, no sniffing, no referrer, nothing kept: on every route, found or not, and none answers with an error of ours."""
    for path, ways in routes.items():
        if "get" not in ways or path.startswith("/static"):
            continue
        reply = clerk.get(_fill(path, {"doc": NOWHERE, "id": NOWHERE}))
        assert reply.status < 500, path
        said = reply.headers
        assert "default-src 'self'" in said["content-security-policy"], path
        assert "unsafe" not in said["content-security-policy"], path
        assert (said["x-content-type-options"], said["cache-control"]) == ("nosniff", "no-store"), path
        assert said["referrer-policy"] in ("no-referrer", "same-origin"), path


def test_posts_without_token_or_from_elsewhere_change_nothing(clerk: Browser, routes: dict[str, dict[str, Any]]) -> None:
    """Each route that changes something refuses a request without the token, and one that another site sent with it."""
    for path, ways in routes.items():
        for method in (one.upper() for one in ways if one not in ("get", "head")):
            filled = _fill(path, {"doc": NOWHERE, "id": NOWHERE})
            assert clerk.ask(method, filled, {"x": "1"}).status == 403, path
            assert clerk.ask(method, filled, {"csrf": clerk.csrf}, X_CSRF_Token=clerk.csrf, Sec_Fetch_Site="cross-site").status == 403, path


def test_a_great_upload_holds_neither_memory_nor_others(world: World, house: House, clerk: Browser) -> None:
    """300 MB stream through the portal in parts while it answers others; its memory grows by less than 64 MB."""
    pid = next(row["pid"] for row in supervise.Supervisor(world.home(CITY)).processes() if row["name"] == "portal")
    size, before, slowest, peak = 300 * MEGABYTE, _resident(pid), 0.0, 0
    made = clerk.ask("POST", "/api/v1/blobs", Upload_Length=str(size), X_CSRF_Token=clerk.csrf)
    assert made.status == 201, made.text
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_stream, clerk, made.headers["location"], size)
        while not sending.done():
            asked = time.monotonic()
            assert house.browser().get("/healthz").status == 200
            slowest, peak = max(slowest, time.monotonic() - asked), max(peak, _resident(pid))
            time.sleep(0.05)
        assert sending.result() == 204
    clerk.ask("DELETE", made.headers["location"], X_CSRF_Token=clerk.csrf)
    assert peak - before < 64 * MEGABYTE, f"grew by {(peak - before) // MEGABYTE} MB"
    assert slowest < 2


def _stream(one: Browser, where: str, size: int) -> int:
    """Send so many bytes in one request without having them in memory."""
    line, part = one.connect(), bytes(MEGABYTE)
    line.timeout = 120
    cookie = "; ".join(f"{name}={value}" for name, value in one.cookies.items())
    headers = {"Cookie": cookie, "X-CSRF-Token": one.csrf, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    with contextlib.closing(line):
        line.request("PATCH", where, body=(part for _ in range(size // MEGABYTE)), headers=headers | {"Content-Length": str(size)})
        return line.getresponse().status


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.promise("P17")
def test_slow_headers_hold_up_nobody(house: House) -> None:
    """With 500 connections that never finish their headers a page comes within a second, and within 15 seconds all are closed."""
    trust = ssl.create_default_context(cafile=str(house.settings.path("certs", "root.pem")))
    trust.check_hostname = False
    begun, lines = time.monotonic(), []
    for at in range(500):
        line = socket.create_connection(("127.0.0.1", house.port), timeout=20)
        if at % 10 == 0:
            line = trust.wrap_socket(line)
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA:")
        else:
            line.sendall(b"\x16\x03\x01")
        lines.append(line)
    opened = time.monotonic()
    assert house.browser().get("/signin").status == 200
    assert time.monotonic() - opened < 1
    for line in lines:
        line.settimeout(max(0.1, opened + 16 - time.monotonic()))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while line.recv(1000):
                pass
        line.close()
    assert time.monotonic() - begun < 30


def test_names_are_locked_one_by_one(house: House) -> None:
    """Five wrong passwords lock a name for a while, the right one included; others come in as before."""
    one = house.browser()
    assert [one.enter("wuguilan", "not the password").status for _ in range(5)] == [403] * 5
    locked = one.enter("wuguilan", house.people["wuguilan"])
    assert (locked.status, "锁定" in locked.text) == (429, True)
    assert house.browser().enter("renxiaotong", house.people["renxiaotong"]).status == 303
    assert json.loads(house.browser().get("/healthz").text) == {"ok": True}

"""What the portal promises to programs: nothing missing from its description, errors of one form, a stream that goes on where it broke off."""

from __future__ import annotations

import ast
import http.client
import re
import ssl
from itertools import islice

import pytest

from node import errors
from node.client import Ledger
from office.frame.local import Local
from office.frame.memo import Memo
from office.portal.live import Live
from tests.city import ROOT, wait
from tests.portal.house import Browser, House, answers


@pytest.fixture(scope="module")
def clerk(house: House) -> Browser:
    """Somebody who is signed in."""
    one = house.enter("zhoulixin")
    one.get("/me")
    return one


def marked() -> set[tuple[str, str]]:
    """(method, path) of every ``@page`` in the sources of rooms that a city has, read as text."""
    found = set()
    for file in (ROOT / "office").rglob("*.py"):
        for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "page" and len(one.args) >= 2:
                method, path = (arg.value for arg in one.args[:2] if isinstance(arg, ast.Constant))
                found.add((str(method).lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(path))))
    return found


def test_nothing_is_missing_from_the_description(clerk: Browser) -> None:
    """Every page that a source marks stands in ``openapi.json`` with its method, and nothing stands there that no source marks."""
    paths = clerk.get("/openapi.json").json["paths"]
    described = {(method, path) for path, operations in paths.items() for method in operations}
    assert marked() <= described
    assert described - marked() <= {("get", "/static/{tag}/{file}"), ("head", "/api/v1/blobs/{name}")}


def test_what_may_be_given_is_described(clerk: Browser) -> None:
    """Query and headers of the calls for programs stand in the description, each with its meaning."""
    paths = clerk.get("/openapi.json").json["paths"]

    def given(path: str, method: str) -> set[str]:
        rows = paths[path][method]["parameters"]
        assert all(row["in"] == "path" or row["description"] for row in rows)
        return {row["name"] for row in rows}

    assert {"ack", "wait", "Idempotency-Key"} <= given("/api/v1/docs", "post")
    assert {"cursor", "limit"} <= given("/api/v1/inbox", "get")
    assert "Last-Event-ID" in given("/api/v1/events", "get")
    assert "Upload-Offset" in given("/api/v1/blobs/{name}", "patch")


@pytest.mark.parametrize("error", [one for one in errors.BY_CODE.values() if one.exit_code in (3, 4, 5, 6, 7)], ids=lambda one: one.code)
def test_an_errors_status_follows_its_exit_code(error: type[errors.NodeError]) -> None:
    """3 is 404, 4 is 403, 413 or 422, 5 and 7 are 503, 6 is 409: commands and HTTP say the same."""
    assert error.http in {3: (404,), 4: (403, 413, 422), 5: (503,), 6: (409,), 7: (503,)}[error.exit_code]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/api/v1/docs/none", 404, "missing"), ("POST", "/api/v1/docs", 422, "malformed"), ("PUT", "/api/v1/inbox", 405, "method")],
)
def test_errors_are_problems(clerk: Browser, method: str, path: str, status: int, code: str) -> None:
    """An error for a program is a problem document (RFC 9457) with a code of the closed list and what to do about it."""
    reply = clerk.ask(method, path, "{}", Content_Type="application/json", X_CSRF_Token=clerk.csrf)
    assert (reply.status, reply.json["code"], reply.headers["content-type"]) == (status, code, "application/problem+json")
    assert reply.json["status"] == status and reply.json["title"] and reply.json["instance"] == path


def heard(clerk: Browser, house: House, last: str) -> dict[str, str]:
    """The first event of a new stream, beginning after ``last``."""
    trust = ssl.create_default_context(cafile=str(house.settings.path("certs", "root.pem")))
    line = http.client.HTTPSConnection("127.0.0.1", house.port, context=trust, timeout=10)
    cookie = "; ".join(f"{name}={value}" for name, value in clerk.cookies.items())
    line.request("GET", "/api/v1/events", headers={"Cookie": cookie, **({"Last-Event-ID": last} if last else {})})
    answer = line.getresponse()
    rows: dict[str, str] = {}
    while (text := answer.readline().decode().strip()) or not rows.get("event"):
        name, _colon, value = text.partition(": ")
        rows[name] = value
    line.close()
    return rows


def test_what_came_while_a_page_was_on_its_way_is_heard(house: House) -> None:
    """A page whose stream stands later than it was asked for hears at once that something has come meanwhile; a newer page waits for the next."""
    local = Local(house.settings)
    live = Live(house.settings, local, Memo())
    try:
        live.entries(0)
        old = live.stream("zhou", None, lambda: False, age=600)
        assert old is not None and "event: entries" in [*islice(old, 2)][1]
        new = live.stream("li", None, lambda: False)
        assert new is not None and "retry" in next(new)
        live.tell("lines")
        assert "event: lines" in next(new)
    finally:
        local.close()


def test_a_stream_goes_on_where_it_broke_off(clerk: Browser, house: House) -> None:
    """Whoever comes back with the id of the last event hears at once that something was missed, also after the portal was started again."""
    with Ledger(house.settings) as ledger:
        mark = ledger.changed(0)[0]
    first = heard(clerk, house, str(mark - 1))
    assert first["event"] == "entries"
    house.home.stop("portal")
    house.home.start("portal")
    wait(lambda: answers(house))
    assert heard(clerk, house, str(mark))["event"] == "entries"

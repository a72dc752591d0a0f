"""What every page promises: headers, languages, twins, errors, health, the description, uploads."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
from urllib.parse import quote

import pytest

from node.client import Ledger
from node.directory import model, writing
from node.directory.entries import Appointed, Organ, Person, Post
from node.directory.view import Directory
from node.fold import Tables
from tests.portal.house import Browser, House


@pytest.fixture(scope="module")
def clerk(house: House) -> Browser:
    """Somebody who is signed in."""
    one = house.enter("zhoulixin")
    one.get("/me")
    return one


@pytest.mark.parametrize("path", ["/", "/me", "/help", "/trust", "/signin", "/nothing", "/healthz", "/openapi.json"])
def test_every_answer_is_guarded(clerk: Browser, path: str) -> None:
    """No answer may run foreign or inline script, be framed, be sniffed, or be kept where others may read it."""
    headers = clerk.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "referrer-policy" in headers


@pytest.mark.promise("P18")
@pytest.mark.parametrize("path", ["/", "/me", "/help", "/trust", "/signin", "/nothing"])
def test_pages_have_no_inline_script_or_style(clerk: Browser, path: str) -> None:
    """What the policy forbids is not there to begin with."""
    text = clerk.get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


def test_static_files_are_kept_for_a_year_under_their_hash(clerk: Browser) -> None:
    """A static file's address changes with its content, so it may be kept; asked again it costs nothing."""
    address = re.search(r'href="(/static/[^"]+app\.css)"', clerk.get("/me").text)
    assert address
    first = clerk.get(address[1])
    assert "immutable" in first.headers["cache-control"]
    assert clerk.get(address[1], If_None_Match=first.headers["etag"]).status == 304
    assert clerk.get("/static/x/../../keys/identity.key").status == 404


def test_pages_speak_the_language_of_the_browser_or_the_one_chosen(house: House) -> None:
    """English for an English browser; a choice outlasts it."""
    one = house.browser(language="en-GB,en;q=0.8")
    assert "Sign in" in one.get("/signin").text
    one.get("/language/zh?next=/signin")
    assert "用户名" in one.get("/signin").text


def test_a_page_has_its_twin(clerk: Browser) -> None:
    """The same page asked as JSON gives its data, by its name or by what the asker accepts."""
    by_name, by_wish = clerk.get("/me.json"), clerk.get("/me", Accept="application/json")
    assert by_name.json["person"]["name"] == by_wish.json["person"]["name"] == "周立新"


def test_what_is_not_there_and_what_may_not_be_seen_look_the_same(clerk: Browser) -> None:
    """A wrong address and a matter that is not for this person give the same page, menu and all."""
    paths = ("/nothing", "/documents/018f0000-0000-7000-8000-000000000000")
    pages = [clerk.get(path) for path in paths]
    assert [page.status for page in pages] == [404, 404]
    first, second = (re.sub(r"next=[^\"]*", "", page.text) for page in pages)
    assert first.replace(' aria-current="page"', "") == second.replace(' aria-current="page"', "")
    assert "周立新" in first


def test_health_tells_no_secrets_and_readiness_gives_reasons(house: House) -> None:
    """Anybody may ask whether the node works; nobody learns more."""
    one = house.browser()
    assert one.get("/healthz").json == {"ok": True}
    assert one.get("/readyz").json == {"ready": True, "reasons": []}


def test_the_description_names_every_route(clerk: Browser) -> None:
    """The API's description is made from the route table and refuses to be shorter."""
    paths = clerk.get("/openapi.json").json["paths"]
    for path in ("/signin", "/api/v1/session", "/api/v1/events", "/api/v1/blobs", "/api/v1/blobs/{name}", "/healthz", "/metrics", "/me"):
        assert path in paths
    assert set(paths["/api/v1/session"]) == {"get", "post", "delete"}
    assert all(op["security"] for path in paths.values() for op in path.values())


def test_everything_but_the_public_pages_asks_who_you_are(house: House) -> None:
    """Each address of the description that is not public turns a stranger away."""
    one = house.browser()
    paths = one.get("/openapi.json").json["paths"]
    for path, operations in paths.items():
        if "get" in operations and operations["get"]["security"] != [{}]:
            reply = one.get(re.sub(r"\{\w+\}", "1", path), Accept="application/json")
            assert reply.status == 401, path


def test_an_upload_goes_on_where_it_broke_off(clerk: Browser, house: House) -> None:
    """Bytes that arrived stay; the rest follows; the hash is that of the whole; another person sees nothing of it."""
    data = os.urandom(300_000)
    token = {"X_CSRF_Token": clerk.csrf}
    made = clerk.ask("POST", "/api/v1/blobs", Upload_Length=str(len(data)), **token)
    assert made.status == 201
    where = made.headers["location"]
    kind = {"Content_Type": "application/offset+octet-stream"}
    assert clerk.ask("PATCH", where, data[:100_000], Upload_Offset="0", **kind, **token).headers["upload-offset"] == "100000"
    assert clerk.ask("PATCH", where, data[100_000:], Upload_Offset="0", **kind, **token).status == 409
    assert clerk.ask("HEAD", where).headers["upload-offset"] == "100000"
    done = clerk.ask("PATCH", where, data[100_000:], Upload_Offset="100000", **kind, **token)
    assert (done.status, done.headers["etag"]) == (204, f'"{hashlib.sha256(data).hexdigest()}"')
    part = clerk.ask("GET", where, Range="bytes=1000-1999")
    assert (part.status, part.body) == (206, data[1000:2000])
    assert clerk.get(f"/api/v1/blobs/{hashlib.sha256(data).hexdigest()}").body == data
    house.password("lujing")
    assert house.enter("lujing").get(where).status == 404


def test_a_body_that_is_too_large_is_refused_before_it_is_read(clerk: Browser) -> None:
    """A huge form is answered at once, whether its length is told or not."""
    line = clerk.connect()
    cookie = "; ".join(f"{k}={v}" for k, v in clerk.cookies.items())
    line.putrequest("POST", "/me/password")
    for name, value in (("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(1 << 30))):
        line.putheader(name, value)
    line.endheaders()
    try:
        assert line.getresponse().status == 413
    except http.client.RemoteDisconnected:  # pragma: no cover - the refusal must arrive
        pytest.fail("hung up without an answer")
    finally:
        line.close()


def test_what_is_typed_is_kept_until_it_is_sent(clerk: Browser) -> None:
    """A form's unsent content is there again, for its writer only, until it is dropped."""
    kind = {"Content_Type": "application/json", "X_CSRF_Token": clerk.csrf}
    assert clerk.ask("PUT", "/api/v1/drafts/test:form", {"content": '{"title":["关于"]}'}, **kind).status == 200
    assert clerk.get("/api/v1/drafts/test:form").json["content"] == '{"title":["关于"]}'
    assert clerk.ask("DELETE", "/api/v1/drafts/test:form", X_CSRF_Token=clerk.csrf).status == 200
    assert clerk.get("/api/v1/drafts/test:form").json is None


@pytest.mark.parametrize("body", ["[" * 200_000, '{"content":' * 50_000, '{"content":' + "9" * 100_000 + "}", '{"content":"\\ud800"}', "[]"])
def test_no_json_ends_in_an_error_of_ours(clerk: Browser, body: str) -> None:
    """JSON that is too deep, too large a number or no text at all is refused as the sender's mistake."""
    found = clerk.ask("PUT", "/api/v1/drafts/x", body, Content_Type="application/json", X_CSRF_Token=clerk.csrf)
    assert found.status == 422


def test_a_page_beyond_the_last_is_empty(clerk: Browser) -> None:
    """A number of a page that no list has, however large, shows an empty page."""
    for path in ("/documents", "/incoming"):
        assert clerk.get(f"{path}?page={10**30}").status == 200


@pytest.mark.promise("P18")
@pytest.mark.promise("P16")
def test_a_word_of_another_build_or_a_hostile_node_is_shown(clerk: Browser, house: House) -> None:
    """Kinds, tiers and states that this build does not know stop no screen of the address book."""
    odd = Organ("odd", "", "怪单位", "怪单位", "strange", "strange", "", "odd", "nobody", "", house.settings.id, True, (), "", 2**62)
    with Ledger(house.settings) as ledger:
        tables = Tables(house.settings, [model.ROOM])
        directory = Directory.of(house.settings, lambda: tables.session(model.ROOM))
        post = Post("odd-post", "odd", "怪岗位", "", ("nobody",), 2**62, "nobody", ("strange",))
        person = Person("odd-person", "怪人", "odd", "", 2**62, "strange", "")
        held = Appointed("odd-held", "odd-person", "odd-post", True, None, None, "")
        writing.write(ledger, house.settings, directory, [odd, post, person, held])
        tables.close()
    for path in ("/people?q=怪", "/people?organ=odd", "/people/organ/odd", "/people/odd-person", "/people"):
        assert clerk.get(quote(path, safe="/?=")).status == 200, path

"""Signing in and out, tokens, origins, locks."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

import pytest

from node import health, keys, persons
from node.settings import Settings
from office.frame.local import Local
from office.portal.guard import FREE, WIDE, Guard, Locked, Noticed
from office.portal.session import challenge
from tests.portal.house import House


def test_a_stranger_is_led_to_the_door_and_back(house: House) -> None:
    """Somebody who is not signed in is asked to sign in, and then sees the page that was wanted."""
    one = house.browser()
    sent = one.get("/me")
    assert (sent.status, sent.headers["location"]) == (303, "/signin?next=%2Fme")
    one.get(sent.headers["location"])
    assert one.post("/signin", login="zhoulixin", password=house.people["zhoulixin"], next="/me").headers["location"] == "/me"
    assert "周立新" in one.get("/me").text


def test_programs_are_told_in_json(house: House) -> None:
    """A program that is not signed in gets a problem document, not a page."""
    reply = house.browser().get("/me.json")
    assert (reply.status, reply.headers["content-type"], reply.json["code"]) == (401, "application/problem+json", "signed_out")


@pytest.mark.parametrize("onward", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/\r\nX: y"])
def test_the_door_leads_nowhere_else(house: House, onward: str) -> None:
    """Whatever address a link to the door carries, signing in ends on this node."""
    one = house.browser()
    one.get("/signin")
    assert one.post("/signin", login="zhoulixin", password=house.people["zhoulixin"], next=onward).headers["location"] == "/"


@pytest.mark.promise("P19")
def test_the_cookie_is_of_this_node_and_hidden_from_scripts(house: House) -> None:
    """The session's cookie carries the node's code, is new after signing in, and is Secure, HttpOnly and SameSite=Strict."""
    one = house.browser()
    one.get("/signin")
    name = f"__Host-yw-{house.settings.id[:8]}"
    before = one.cookies[name]
    sent = one.post("/signin", login="zhoulixin", password=house.people["zhoulixin"], next="/")
    assert one.cookies[name] != before
    for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict"):
        assert word in sent.headers["set-cookie"]
    assert "Domain" not in sent.headers["set-cookie"]


@pytest.mark.promise("P19")
def test_a_cookie_from_before_signing_in_opens_nothing(house: House) -> None:
    """Nobody can plant a session: the value given before is not the session's."""
    one = house.browser()
    one.get("/signin")
    planted = dict(one.cookies)
    one.post("/signin", login="zhoulixin", password=house.people["zhoulixin"], next="/")
    other = house.browser()
    other.cookies = planted
    assert other.get("/me").status == 303


@pytest.mark.promise("P19")
def test_a_post_without_its_token_does_nothing(house: House) -> None:
    """A form without the token is refused, and the session lives on."""
    one = house.enter("zhoulixin")
    assert one.ask("POST", "/signout", {}).status == 403
    assert one.get("/me").status == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_a_post_from_elsewhere_does_nothing(house: House, headers: dict[str, str]) -> None:
    """Even with the right token a request from another site is refused."""
    one = house.enter("zhoulixin")
    one.get("/me")
    assert one.ask("POST", "/signout", {"csrf": one.csrf}, **headers).status == 403
    assert one.get("/me").status == 200


def test_a_certificate_that_soon_ends_is_renewed_at_sign_in(house: House) -> None:
    """Nearly three years after it was given: signing in gives another one behind the same password, and the clerk goes on."""
    person = house.password("zhoulixin", ago=dt.timedelta(days=3 * 365 - 30))
    before = persons.fingerprint_of(house.settings, person)
    one = house.enter("zhoulixin")
    renewed = persons.fingerprint_of(house.settings, person)
    assert renewed != before and one.get("/me").status == 200
    house.enter("zhoulixin")
    assert persons.fingerprint_of(house.settings, person) == renewed, "once is enough"


def test_signing_out_ends_the_session_itself(house: House) -> None:
    """After signing out the old cookie opens nothing, wherever it is kept."""
    one = house.enter("zhoulixin")
    one.get("/me")
    kept = dict(one.cookies)
    assert one.post("/signout").status == 303
    other = house.browser()
    other.cookies = kept
    assert other.get("/me").status == 303


@pytest.mark.promise("P19")
def test_five_wrong_passwords_lock_the_name_however_it_is_spelt(house: House) -> None:
    """After five wrong passwords the right one does not open either, in whatever spelling of the name."""
    right = house.password("hanyumei") and house.people["hanyumei"]
    one = house.browser()
    for login in ("hanyumei", "HANYUMEI", " hanyumei ", "ｈanyumei", "hanyumei"):
        assert one.enter(login, "wrong-wrong-wrong").status == 403
    locked = one.enter("HanYuMei", right)
    assert locked.status == 429
    assert "锁定" in locked.text


def test_a_lock_from_one_machine_shuts_nobody_else_out(tmp_path: Path) -> None:
    """Five wrong from one address lock the name there alone; fifty from everywhere lock it for strangers, not for machines that opened it before."""
    settings = Settings(id="a" * 26, tier="county", name="县", code="1", city="b" * 26, home=tmp_path)
    for name in ("run", "keys"):
        (tmp_path / name).mkdir()
    guard = Guard(Local(settings), Noticed(settings))
    guard.opened("li", "10.0.0.5")
    for _ in range(FREE):
        guard.check("li", "10.0.0.9")
        guard.failed("li", "10.0.0.9")
    with pytest.raises(Locked):
        guard.check("li", "10.0.0.9")
    for address in ("10.0.0.5", "10.0.0.8"):
        guard.check("li", address)
    [alarm] = json.loads((tmp_path / "run/door.json").read_bytes())["alarms"]
    assert (alarm["kind"], alarm["subject"]) == ("login_attack", "10.0.0.9") and alarm["until"] > 0
    for n in range(WIDE):
        guard.failed("li", f"2001:db8:{n}::1")
    assert len(json.loads((tmp_path / "run/door.json").read_bytes())["alarms"]) > 1, "many machines, each of them once"
    told = json.loads((tmp_path / "run/door.json").read_bytes())
    (tmp_path / "run/door.json").write_text(json.dumps(told | {"alarms": [one | {"until": 1} for one in told["alarms"]]}))
    assert list(health._office_alarms(settings)) == [], "after an hour nothing is said of it any more"
    with pytest.raises(Locked):
        guard.check("li", "10.0.0.8")
    guard.check("li", "10.0.0.5")
    guard.check("wang", "10.0.0.8")


def test_guessing_raises_the_alarm(house: House) -> None:
    """Five wrong passwords stand where the status finds them, as login_attack."""
    one = house.browser()
    for _ in range(FREE):
        one.enter("caoweiguo", "wrong-wrong-wrong")
    assert "login_attack" in [alarm["kind"] for alarm in health._office_alarms(house.settings)]


def test_what_is_marked_secret_raises_the_alarm(house: House) -> None:
    """Somebody wants to keep a text marked as a state secret: it is refused, and the operator hears of it."""
    one = house.enter("zhoulixin")
    one.get("/me")
    reply = one.ask("PUT", "/api/v1/drafts/test:form", {"content": "机密★10年 关于某事"}, X_CSRF_Token=one.csrf, Accept="application/json")
    assert reply.status == 403 and reply.json["code"] == "label_refused"
    assert "label_refused" in [alarm["kind"] for alarm in health._office_alarms(house.settings)]


def test_an_unknown_name_is_refused_like_a_known_one(house: House) -> None:
    """The door does not tell whether a name exists."""
    one = house.browser()
    unknown = one.enter("nobody-of-this-name", "wrong-wrong-wrong")
    assert unknown.status == 403
    assert "用户名或口令不正确。" in unknown.text


def test_a_first_password_must_be_changed_before_anything_else(house: House) -> None:
    """With a first password only the page for changing it opens; afterwards the new one signs in and the old does not."""
    house.password("guohaitao", first=True)
    one, fresh = house.browser(), "春天的柳树和风筝很多"
    assert one.enter("guohaitao", house.people["guohaitao"]).headers["location"] == "/me/password"
    assert one.get("/").headers["location"] == "/me/password"
    assert one.get("/api/v1/status").json["code"] == "first_password"
    one.get("/me/password")
    assert one.post("/me/password", old=house.people["guohaitao"], new="short", again="short").status == 422
    changed = one.post("/me/password", old=house.people["guohaitao"], new=fresh, again=fresh)
    assert (changed.status, changed.headers["location"]) == (303, "/")
    assert one.get("/").status == 200
    assert house.browser().enter("guohaitao", fresh).status == 303
    assert house.browser().enter("guohaitao", house.people["guohaitao"]).status == 403


def test_a_new_key_by_the_administrator_ends_all_sessions(house: House) -> None:
    """When a person's key is issued anew, whoever is signed in as that person is not any more."""
    house.password("xuzhiyuan")
    one = house.enter("xuzhiyuan")
    assert one.get("/me").status == 200
    house.password("xuzhiyuan")
    assert one.get("/me").status == 303


def test_a_key_of_ones_own_signs_in_once_per_challenge(house: House) -> None:
    """The signature of a challenge opens a session; the same answer a second time, or another's signature, does not."""

    person = house.password("humin")
    door = persons.open_person_key(house.settings, person, house.people["humin"])
    one = house.browser()
    asked = one.get("/api/v1/session").json

    def proof(key: keys.PrivateKey, nonce: str) -> dict[str, str]:
        signature = keys.sign(key, challenge(asked["node"], person, nonce))
        return {"user": person, "nonce": nonce, "signature": base64.b64encode(signature).decode()}

    right = proof(door.key, asked["nonce"])
    wrong = proof(keys.new_ed25519(), one.get("/api/v1/session").json["nonce"])
    assert one.ask("POST", "/api/v1/session", wrong, Content_Type="application/json").status == 403
    opened = one.ask("POST", "/api/v1/session", right, Content_Type="application/json")
    assert opened.status == 200
    assert one.get("/api/v1/session").json["person"] == person
    assert house.browser().ask("POST", "/api/v1/session", right, Content_Type="application/json").status == 403
    token = opened.json["csrf"]
    assert one.ask("DELETE", "/api/v1/session", X_CSRF_Token=token).status == 204
    assert one.get("/me").status == 303

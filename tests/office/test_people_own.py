"""What is one's own and what stands for all: phrases, absences, delegations, lists, the calendar; verbs and pages on a running portal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from node.directory.view import today
from office.people.boards import days, written
from tests.portal.house import Browser, House, administrator, opened, seated

PARTS = {"head": "majun", "clerk": "chengxue", "other": "dinghui", "keeper": administrator("sysadmin")}
"By part: a head of office, his clerk, a clerk of another organ, the system administrator."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node whose clerks and administrator can sign in."""
    with opened(tmp_path_factory.mktemp("o"), *PARTS.values()) as made:
        yield made


@pytest.fixture(scope="module")
def sit(house: House) -> dict[str, Browser]:
    """Everybody by part."""
    people = seated(house, PARTS.values(), "/me")
    return {part: people[login] for part, login in PARTS.items()}


def test_phrases_are_ones_own(sit: dict[str, Browser]) -> None:
    """Phrases are kept in the order given, repeated ones once, and nobody else sees them."""
    one = sit["clerk"]
    one.get("/me")
    assert one.post("/me/phrases", phrases="拟同意，请领导审示。\n\n请按程序办理。\n请按程序办理。").status == 303
    assert one.get("/me.json").json["phrases"] == ["拟同意，请领导审示。", "请按程序办理。"]
    assert sit["other"].get("/me.json").json["phrases"] == []
    assert one.get("/me/phrases.json").json == ["拟同意，请领导审示。", "请按程序办理。"]
    assert one.post("/me/phrases", phrases="长" * 201).status == 422
    assert one.get("/me.json").json["phrases"] != []


def test_an_absence_is_seen_by_all_and_taken_back(sit: dict[str, Browser]) -> None:
    """An absence shows in the address book with whom to ask, and no more once one is back."""
    one, other = sit["clerk"], sit["other"]
    me = one.get("/me.json").json["person"]["id"]
    until = (today() + dt.timedelta(days=2)).isoformat()
    assert one.post("/me/away", since=today().isoformat(), until=until, words="参加培训").status == 303
    assert "参加培训" in other.get(f"/people/{me}").text
    assert one.post("/me/away", since=until, until=today().isoformat()).status == 422
    assert one.post("/me/back").status == 303
    assert "参加培训" not in other.get(f"/people/{me}").text


@pytest.mark.row("C6")
def test_a_delegation_needs_a_post_an_end_and_a_basis(sit: dict[str, Browser]) -> None:
    """The holder of a post lends roles of it, never others', never without basis or end; it shows to both and can be ended by the lender alone."""
    head, clerk, other = sit["head"], sit["clerk"], sit["other"]
    post = next(p for p in head.get("/me.json").json["posts"] if "signer" in p["roles"])
    borrower = clerk.get("/me.json").json["posts"][0]["id"]
    until = (today() + dt.timedelta(days=3)).isoformat()
    form = {"post": post["id"], "borrower": borrower, "scope": ["signer"], "since": today().isoformat(), "until": until, "basis": "授权书第3号"}
    head.get("/me/lend")
    for wrong in ({"basis": ""}, {"until": ""}, {"scope": ["sysadmin"]}, {"borrower": post["id"]}, {"until": "2040-01-01"}):
        assert head.post("/me/lend", **{**form, **wrong}).status == 422, wrong
    assert other.post("/me/lend", **form).status == 403
    assert head.post("/me/lend", **form).status == 303
    seen = clerk.get("/people/delegations.json").json
    assert [one["basis"] for one in seen] == ["授权书第3号"] and seen[0]["live"] and not seen[0]["mine"]
    assert other.get("/people/delegations.json").json == []
    assert clerk.post(f"/people/delegations/{seen[0]['id']}/end").status == 403
    assert head.post(f"/people/delegations/{seen[0]['id']}/end").status == 303
    assert not clerk.get("/people/delegations.json").json[0]["live"]
    assert "授权书第3号" in clerk.get("/people/delegations").text


def test_a_person_asks_that_own_data_be_put_right(sit: dict[str, Browser]) -> None:
    """By forms: the person asks on the own page, the administrator sees old and new side by side and accepts, both see the result; nobody else
    sees the list or may decide, and a refusal tells its reason."""
    one, keeper, other = sit["other"], sit["keeper"], sit["clerk"]
    card = one.get("/me.json").json["person"]
    form = {"name": card["name"], "office_phone": "0543-0000777", "mobile": one.get(f"/people/{card['id']}.json").json["file"]["mobile"]}
    assert "申请更正" in one.get("/me").text
    made = one.post("/me/corrections", **form, words="电话已换。")
    assert made.status == 303, made.text
    assert one.post("/me/corrections", **form).status == 409
    assert "待处理" in one.get("/me").text and "个人信息更正申请" in keeper.get("/").text
    (row,) = keeper.get("/people/corrections.json").json["rows"]
    assert row["changes"] == [["办公电话", card["office_phone"], "0543-0000777"]]
    assert other.get("/people/corrections").status == 403 and other.post(f"/people/corrections/{row['id']}/accept").status == 404
    assert "0543-0000777" in keeper.get("/people/corrections").text
    assert keeper.post(f"/people/corrections/{row['id']}/accept").status == 303
    assert "0543-0000777" in other.get(f"/people/{card['id']}").text and "已更正" in one.get("/me").text
    assert one.post("/me/corrections", **form | {"name": "别名"}).status == 303
    (row,) = keeper.get("/people/corrections.json").json["rows"]
    assert keeper.post(f"/people/corrections/{row['id']}/refuse", text="请附证明。").status == 303
    assert "请附证明。" in one.get("/me").text and keeper.get("/people/corrections.json").json["rows"] == []


def test_a_list_has_versions(sit: dict[str, Browser]) -> None:
    """The administrator founds a list and changes it: a new version each time, refused over a stale form; clerks read it."""
    keeper, clerk = sit["keeper"], sit["clerk"]
    keeper.get("/people/lists/new")
    reply = keeper.post("/people/lists/new", name="市直经济部门", organs=["bz-fgw", "bz-czj"])
    assert reply.status == 303, reply.text
    url = reply.headers["location"]
    assert clerk.get(url + ".json").json["list"]["version"] == 1
    assert clerk.get(url + "/edit").status == 403
    form = keeper.get(url + "/edit").text
    seen = form.split('name="seen" value="')[1].split('"')[0]
    assert keeper.post(url + "/edit", name="市直经济部门", organs=["bz-fgw", "bz-czj", "bz-jyj"], seen=seen).status == 303
    assert keeper.post(url + "/edit", name="别的名字", organs=["bz-fgw"], seen=seen).status == 409
    found = clerk.get(url + ".json").json
    assert found["list"]["version"] == 2 and len(found["members"]) == 3
    assert keeper.post("/people/lists/new", name="空", organs=[]).status == 422


def test_the_city_signs_the_calendar(sit: dict[str, Browser]) -> None:
    """Days are entered as in the notice and counted at once; a weekday worked, another year's day or a missing basis is refused."""
    keeper, clerk = sit["keeper"], sit["clerk"]
    keeper.get("/people/calendar?year=2027")
    basis = "测试用放假通知"
    for wrong in ({"worked": "03-01"}, {"off": "13-01"}, {"off": "10-07..10-01"}, {"basis": ""}):
        assert keeper.post("/people/calendar/2027", **{"off": "10-01..10-07", "worked": "10-09", "basis": basis, **wrong}).status == 422, wrong
    assert clerk.post("/people/calendar/2027", off="10-01", worked="", basis=basis).status == 403
    before = clerk.get("/people/calendar.json?year=2027").json
    assert before["signed"] is None
    assert keeper.post("/people/calendar/2027", off="10-01..10-07", worked="10-09", basis=basis).status == 303
    after = clerk.get("/people/calendar.json?year=2027").json
    assert after["signed"]["version"] == 1 and after["signed"]["worked"] == ["2027-10-09"]
    assert keeper.post("/people/calendar/2027", off="10-01..10-08", worked="", basis=basis).status == 303
    assert clerk.get("/people/calendar.json?year=2027").json["signed"]["version"] == 2
    assert clerk.get("/people/calendar?year=20x7").status == 404


def test_days_read_back() -> None:
    """What is written for a form is read as the same days."""
    given = [dt.date(2026, 10, n) for n in (1, 2, 3, 7)] + [dt.date(2026, 12, 31)]
    assert written(given) == "10-01..10-03 10-07 12-31"
    assert days(written(given), 2026) == given
    assert days("10-01至10-03，10-07、12-31", 2026) == given

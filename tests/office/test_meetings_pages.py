"""The meetings pages on a running portal: the whole way by forms, and what strangers are told."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator

import pytest

from office.frame.calendar import SHANGHAI
from office.meetings.pages import MeetingsPages
from office.portal.page import routes
from tests.office.looks import chromium, faults
from tests.portal.house import Browser, House, opened, seated

LOGINS = ("lixiaoyan", "xuzhiyuan", "xuegang", "fanxiaohong", "shilei")
"Clerk and signer of the city's government; clerk of the education bureau; clerk of the finance bureau; an officer on duty."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with five people who can sign in."""
    with opened(tmp_path_factory.mktemp("m"), *LOGINS) as made:
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, LOGINS, "/meetings")


def moment(**ahead: float) -> str:
    """A moment from now as forms say it."""
    return (dt.datetime.now(SHANGHAI) + dt.timedelta(**ahead)).strftime("%Y-%m-%d %H:%M")


def planned(person: Browser, **more: object) -> str:
    """The id of a new meeting."""
    person.get("/meetings/new")
    form = {"organ": "bz-zf", "kind": "special", "title": "教育工作专题会议", "begins": moment(days=2), "ends": moment(days=2, hours=2)}
    form |= {"venues": "第一会议室", "organs": ["bz-jyj"], "agenda": "汇报情况，20\n讨论", "podium": "甲\n乙", "principals": "1"}
    reply = person.post("/meetings", **(form | more))
    assert reply.status == 303, reply.text
    return reply.headers["location"].rsplit("/", 1)[-1]


def noticed(people: dict[str, Browser], **more: object) -> str:
    """A meeting whose notice went out."""
    meeting = planned(people["lixiaoyan"], **more)
    assert people["xuzhiyuan"].post(f"/meetings/{meeting}/approve", text="同意").status == 303
    assert people["lixiaoyan"].post(f"/meetings/{meeting}/notify").status == 303
    return meeting


@pytest.mark.row("D3")
def test_a_meeting_is_planned_noticed_answered_and_held_by_forms_alone(people: dict[str, Browser]) -> None:
    """Without any script: plan, notice, reply with leave and substitute, sign-in by code, minutes, decision."""
    clerk, called = people["lixiaoyan"], people["xuegang"]
    meeting = noticed(people)
    url = f"/meetings/{meeting}"
    assert "教育工作专题会议" in called.get("/").text and "待签收" in called.get("/").text
    assert "汇报情况" in called.get(url).text
    assert called.post(f"{url}/sign_for", organ="bz-jyj").status == 303
    page = called.get(f"{url}/reply/bz-jyj").text
    staff = re.findall(r'name="come" value="([^"]+)"', page)
    answer = {"come": staff[:1], "others": "王老师，教师，0543-1", "leave": staff[1], "reason": "出差", "substitute": staff[0]}
    assert called.post(f"{url}/reply/bz-jyj", **answer).status == 303
    shown = clerk.get(url).text
    assert "王老师" in shown and "出差" in shown and "替会" in shown
    name = re.search(r'name="name" value="([^"]+)"', shown)
    assert name
    assert people["xuzhiyuan"].post(f"{url}/excuse", organ="bz-jyj", name=name[1], granted="1").status == 303
    codes = {one["name"]: one["code"] for one in called.get(f"{url}.json").json["codes"]}
    assert len(codes) == 2 and codes["王老师"] in called.get(url).text
    assert clerk.post(f"{url}/door", code=codes["王老师"]).status == 303
    assert clerk.get(f"{url}/door.json").json == {"there": 1, "expected": 2}
    seats = clerk.get(f"{url}/seats").text
    assert seats.count("<rect") == 1 + 2 + 2 and seats.rindex("甲") < seats.rindex("王老师")
    assert clerk.post(f"{url}/end", begun=moment(hours=-2), ended=moment(hours=-1)).status == 303
    assert clerk.post(f"{url}/minute", text="会议议定如下。").status == 303
    doc = re.search(r'href="(/documents/[0-9a-f-]{36})"', clerk.get(url).text)
    assert doc and "教育工作专题会议纪要" in clerk.get(doc[1]).text
    assert clerk.post(f"{url}/decide", text="改造校舍。", organ="bz-jyj", due=moment(days=30)).status == 303
    decision = re.search(r"/meetings/decisions/([^/]+)/done", called.get("/meetings/decisions").text)
    assert decision
    assert called.post(f"/meetings/decisions/{decision[1]}/done", text="校舍已改造。").status == 303
    assert "校舍已改造。" in clerk.get(url).text
    assert clerk.post(f"{url}/close").status == 303
    assert "已办结" in clerk.get(url).text
    assert clerk.get("/meetings/burden.json").json["organ"].startswith("bz-zf")


def test_topics_are_put_forward_and_vetted_by_forms(people: dict[str, Browser]) -> None:
    """A bureau puts a topic forward, the office gives it back with a reason, another is let in and stands ready for an agenda."""
    bureau, office = people["xuegang"], people["lixiaoyan"]
    form = {"organ": "bz-jyj", "to": "bz-zf", "presenter": "局长", "minutes": "15", "text": "请审议。"}
    for title in ("关于校车的议题", "关于食堂的议题"):
        assert bureau.post("/meetings/topics", title=title, **form).status == 303
    topics = {one["title"]: one["id"] for one in office.get("/meetings/topics.json").json["topics"]}
    assert office.post(f"/meetings/topics/{topics['关于校车的议题']}/vet", passed="0", text=" ").status == 422
    assert office.post(f"/meetings/topics/{topics['关于校车的议题']}/vet", passed="0", text="材料不全。").status == 303
    assert office.post(f"/meetings/topics/{topics['关于食堂的议题']}/vet", passed="1").status == 303
    assert "材料不全。" in bureau.get("/meetings/topics").text
    page = office.get("/meetings/new").text
    assert "关于食堂的议题" in page or "关于食堂的议题" in office.get(f"/meetings/{planned(office)}/edit").text
    assert "关于校车的议题" not in people["fanxiaohong"].get("/meetings/topics").text


def test_strangers_are_told_what_they_are_told_of_nothing(people: dict[str, Browser]) -> None:
    """Every page and act of a meeting, topic and decision answers another organ and another post as it answers for an invented id."""
    meeting = noticed(people, title="canary-4412 会议")
    people["xuegang"].post(f"/meetings/{meeting}/sign_for", organ="bz-jyj")
    named = {"meeting": meeting, "organ": "bz-jyj", "topic": meeting, "decision": f"{meeting}.1", "move": "sign_for"}
    invented = named | {"meeting": str(uuid.uuid4()), "topic": str(uuid.uuid4()), "decision": f"{uuid.uuid4()}.1"}
    fields = {"organ": "bz-jyj", "text": "x", "code": "000000", "come": "nobody"}
    tried = 0
    for route in routes((MeetingsPages,)):
        if "<" not in route.path:
            continue
        real, none = (re.sub(r"<(\w+)>", lambda found, ids=ids: ids[found[1]], route.path) for ids in (named, invented))
        for stranger in (people["fanxiaohong"], people["shilei"]):
            for twin in ("", ".json") if route.method == "GET" else ("",):
                answers = [stranger.get(path + twin) if route.method == "GET" else stranger.post(path, **fields) for path in (real, none)]
                assert [one.status for one in answers] == [404, 404], (route.method, real, twin)
                assert "canary" not in answers[0].text and len(answers[0].body) == len(answers[1].body), real
                tried += 1
    assert tried > 20
    for path in ("/meetings", "/meetings.json", "/meetings/topics", "/meetings/decisions.json", "/"):
        for stranger in (people["fanxiaohong"], people["shilei"]):
            assert "canary" not in stranger.get(path).text


BAD = [
    {"title": ""},
    {"begins": "tomorrow"},
    {"begins": moment(days=3), "ends": moment(days=2)},
    {"venues": " "},
    {"organs": []},
    {"kind": "poem"},
    {"organs": ["no-such"]},
]


@pytest.mark.parametrize("wrong", BAD[:6], ids=[next(iter(one)) + str(n) for n, one in enumerate(BAD[:6])])
def test_bad_forms_are_refused_in_words(people: dict[str, Browser], wrong: dict[str, object]) -> None:
    """What is missing or impossible comes back with the form as it was filled in, and is never an error of the server."""
    form = {"organ": "bz-zf", "kind": "special", "title": "保留这个名称", "begins": moment(days=2), "ends": moment(days=2, hours=1)}
    reply = people["lixiaoyan"].post("/meetings", **(form | {"venues": "一楼", "organs": ["bz-jyj"]} | wrong))
    assert reply.status == 422
    assert "title" in wrong or "begins" in wrong or "保留这个名称" in reply.text


def test_a_form_that_is_behind_is_told_so(people: dict[str, Browser]) -> None:
    """Who saves a plan that somebody changed meanwhile is told, and nothing is lost."""
    clerk = people["lixiaoyan"]
    meeting = planned(clerk)
    version = clerk.get(f"/meetings/{meeting}/edit.json").json["version"]
    form = {"organ": "bz-zf", "kind": "special", "title": "改过", "begins": moment(days=2), "ends": moment(days=2, hours=1)}
    form |= {"venues": "一楼", "organs": ["bz-jyj"], "version": version}
    assert clerk.post(f"/meetings/{meeting}/edit", **form).status == 303
    assert clerk.post(f"/meetings/{meeting}/edit", **(form | {"title": "再改"})).status == 409


def test_script_in_a_meeting_is_text(people: dict[str, Browser]) -> None:
    """Markup in a title or name is shown as it was typed, in the drawing of the hall too."""
    meeting = noticed(people, title="<script>alert(1)</script>", podium="<b>甲</b>")
    for path in ("", "/seats", "/door"):
        text = people["lixiaoyan"].get(f"/meetings/{meeting}{path}").text
        assert "<script>alert" not in text and "<b>甲" not in text


@pytest.mark.parametrize("tongue", ["zh", "en"])
def test_every_screen_is_for_everybody(people: dict[str, Browser], tongue: str) -> None:
    """No serious fault for people who use other means than eyes and mouse, nothing wider than a telephone, English pages in English."""
    clerk, called = people["lixiaoyan"], people["xuegang"]
    meeting = noticed(people, title="安全生产会议", kind="general", chair="zhoulixin.bz")
    url = f"/meetings/{meeting}"
    called.post(f"{url}/sign_for", organ="bz-jyj")
    staff = re.findall(r'name="come" value="([^"]+)"', called.get(f"{url}/reply/bz-jyj").text)
    called.post(f"{url}/reply/bz-jyj", come=staff[:2], others="李工程师，工程师，0543-2", leave=staff[0], reason="学习", substitute=staff[1])
    called.post(
        "/meetings/topics", organ="bz-jyj", to="bz-zf", presenter="局长", minutes="15", title="关于操场的议题", text="请审议。", attend="财政局"
    )
    draft, held = planned(clerk, title="拟办的会议"), noticed(people, title="开过的会议")
    clerk.post(f"/meetings/{held}/end", begun=moment(hours=-2), ended=moment(hours=-1))
    clerk.post(f"/meetings/{held}/decide", text="修操场。", organ="bz-jyj", due=moment(days=9))
    paths = ("", "/new", "/topics", "/decisions", "/burden", "?tab=held", f"/{draft}", f"/{held}", f"/{meeting}")
    of_clerk = [*(f"/meetings{path}" for path in paths), f"/meetings/{draft}/edit", f"{url}/edit", f"{url}/door", f"{url}/seats"]
    with chromium() as window:
        found = faults(window, clerk, of_clerk, tongue=tongue, name="meetings", source=__file__)
        of_called = ("/", "/meetings", url, f"{url}/reply/bz-jyj", "/meetings/decisions", "/meetings/topics")
        found += faults(window, called, of_called, tongue=tongue, name="called", source=__file__)
    assert found == [], "\n".join(found)

"""The duty pages on a running portal: a report by few fields on a telephone, orders by forms, the timer, and what strangers are told."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from office.duty.pages import DutyPages
from office.portal.page import routes
from tests.city import wait
from tests.office.looks import chromium, faults
from tests.office.test_meetings_pages import moment
from tests.portal.house import Browser, House, opened, seated

LOGINS = ("shilei", "hanyumei", "niudawei", "lixiaoyan")
"Officer on duty of the government and its office; leader on duty of the government; officer of the emergency bureau; a clerk."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with its clerk running."""
    with opened(tmp_path_factory.mktemp("duty"), *LOGINS) as made:
        made.home.start("clerk")
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in, with a page before them from which to post."""
    return seated(house, LOGINS, "/")


def reported(person: Browser, **more: object) -> str:
    """The id of a new incident, by the fields that must be filled in and no others."""
    page = person.get("/duty/report").text
    organ = re.search(r'name="organ" value="([^"]+)"', page) or re.search(r'<option value="([^"]+)" selected', page)
    assert organ
    reply = person.post("/duty/incidents", **({"organ": organ[1], "category": "nature", "place": "黄河大堤", "text": "管涌一处。"} | more))
    assert reply.status == 303, reply.text
    return reply.headers["location"].rsplit("/", 1)[-1]


@pytest.mark.row("D5")
def test_a_first_report_needs_four_answers_and_no_approval(people: dict[str, Browser]) -> None:
    """Kind, place and text are all that the form insists on; it is there at once, is in time, and is followed to its end by forms."""
    officer = people["niudawei"]
    page = officer.get("/duty/report").text
    assert set(re.findall(r'name="(\w+)"[^>]*? required', page)) == {"category", "place", "text"}
    incident = reported(officer)
    url = f"/duty/incidents/{incident}"
    twin = officer.get(f"{url}.json").json
    assert (twin["late"], twin["report"]["number"], twin["state"]) == (False, 1, "open")
    assert officer.post(f"{url}/report", stage="follow", category="nature", place="黄河大堤", text="已封堵。", injured="2", level="3").status == 303
    assert officer.post(f"{url}/report", stage="final", category="nature", place="黄河大堤", text="险情解除。", injured="2").status == 303
    text = officer.get(url).text
    assert "已终报" in text and "受伤 2" in text and "续报 2" in text and "按时" in text
    late = reported(officer, learned=moment(hours=-2))
    assert "迟报" in officer.get(f"/duty/incidents/{late}").text and officer.get(f"/duty/incidents/{late}.json").json["late"] is True


@pytest.mark.row("D6")
def test_an_order_nobody_confirms_goes_on_by_itself(people: dict[str, Browser], house: House) -> None:
    """The clerk's timer takes the next ways within the term; the duty room is told whom to call, and what was said is noted."""
    leader = people["hanyumei"]
    reply = leader.post("/duty/orders", organ="bz-zf", to=["bz-yjj", "bz-zfb-zb"], text="立即上岗。")
    assert reply.status == 303, reply.text
    url = reply.headers["location"]
    order = url.rsplit("/", 1)[-1]
    assert "立即上岗" in people["niudawei"].get("/").text
    assert people["niudawei"].post(f"{url}/confirm", organ="bz-yjj", text="到岗。").status == 303

    def steps() -> dict[str, str]:
        return {one["organ"]: one["steps"] for one in leader.get(f"{url}.json").json["organs"]}

    wait(lambda: steps()["bz-zfb-zb"] == "call message", why=lambda: house.home.output("clerk"))
    assert steps()["bz-yjj"] == ""
    page = leader.get(url).text
    assert "转电话" in page and "0543-0000999" in page
    assert leader.post(f"{url}/call", organ="bz-zfb-zb", text="石磊接听。").status == 303
    assert "石磊接听。" in leader.get(url).text and order in url


def test_strangers_are_told_what_they_are_told_of_nothing(people: dict[str, Browser]) -> None:
    """Every page and act of duty answers another unit's officer and a clerk as it answers for an invented id."""
    incident = reported(people["hanyumei"], place="canary-9917")
    url = people["hanyumei"].post("/duty/orders", organ="bz-zf", to=["bz-zfb-zb"], text="canary-9917").headers["location"]
    named = {"incident": incident, "order": url.rsplit("/", 1)[-1]}
    moves = {"incident": ("report", "receive", "pass_on", "merge"), "order": ("confirm", "call")}
    fields = {"organ": "bz-yjj", "text": "x", "stage": "follow", "category": "nature", "place": "x", "into": str(uuid.uuid4())}
    tried = 0
    for route in routes((DutyPages,)):
        found = re.search(r"<(incident|order)>", route.path)
        if not found:
            continue
        for move in moves[found[1]] if "<move>" in route.path else ("",):
            paths = [route.path.replace(found[0], id).replace("<move>", move) for id in (named[found[1]], str(uuid.uuid4()))]
            for stranger in (people["niudawei"], people["lixiaoyan"]):
                for twin in ("", ".json") if route.method == "GET" else ("",):
                    answers = [stranger.get(path + twin) if route.method == "GET" else stranger.post(path, **fields) for path in paths]
                    assert [one.status for one in answers] == [404, 404], (route.method, paths[0], twin)
                    assert "canary" not in answers[0].text and len(answers[0].body) == len(answers[1].body)
                    tried += 1
    assert tried == 2 * (2 + 2 + 4 + 2)
    for path in ("/duty", "/duty/incidents", "/duty/orders.json", "/duty/report", "/duty/roster", "/duty/log.json"):
        assert people["lixiaoyan"].get(path).status == 404, path
        assert "canary" not in people["niudawei"].get(path).text
    assert 'href="/duty"' not in people["lixiaoyan"].get("/").text and 'href="/duty"' in people["shilei"].get("/").text


@pytest.mark.parametrize("wrong", [{"category": "war"}, {"place": ""}, {"text": " "}, {"dead": "many"}, {"learned": moment(hours=2)}, {"level": "9"}])
def test_bad_forms_are_refused_in_words(people: dict[str, Browser], wrong: dict[str, object]) -> None:
    """What is missing or impossible is refused, and is never an error of the server."""
    form = {"organ": "bz-yjj", "category": "nature", "place": "某地", "text": "某事"}
    assert people["niudawei"].post("/duty/incidents", **(form | wrong)).status == 422


@pytest.mark.parametrize("tongue", ["zh", "en"])
def test_every_screen_is_for_everybody(people: dict[str, Browser], tongue: str) -> None:
    """No serious fault for people who use other means than eyes and mouse, nothing wider than a telephone, English pages in English."""
    officer, leader = people["niudawei"], people["hanyumei"]
    for form in ({"category": "accident", "place": "化工园区", "text": "储罐泄漏。", "dead": "1", "level": "2"}, {"learned": moment(hours=-2)}):
        incident = reported(officer, **form)
    officer.post(f"/duty/incidents/{incident}/report", stage="follow", category="nature", place="黄河大堤", text="已封堵。", injured="2", level="3")
    day = moment()[:10]
    for person, organ in ((officer, "bz-yjj"), (leader, "bz-zf")):
        person.post("/duty/roster", organ=organ, day=day, leader="韩局长", officer="牛大伟", standin="马科员", phone="0543-0000911")
        person.post("/duty/log", organ=organ, text="夜间巡查一次。")
    order = leader.post("/duty/orders", organ="bz-zf", to=["bz-yjj", "bz-zfb-zb"], text="加强巡查。").headers["location"]
    paths = ["/", "/duty", "/duty/report", "/duty/incidents", f"/duty/incidents/{incident}", "/duty/orders", order, "/duty/roster", "/duty/log"]
    with chromium() as window:
        found = faults(window, officer, paths, tongue=tongue, name="duty", source=__file__)
        found += faults(window, leader, ["/duty", order, "/duty/orders"], tongue=tongue, name="leader", source=__file__)
    assert found == [], "\n".join(found)

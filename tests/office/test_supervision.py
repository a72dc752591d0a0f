"""Supervision: every verb over a city, a county and its townships; who answers for what was split; lamps; the pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.directory.view import today
from node.errors import Conflict, Invalid, Missing, Refused
from office.documents import service as documents
from office.documents.entries import Paper
from office.frame.calendar import Workdays
from office.supervision import service, workflow
from office.supervision.entries import Milestone, Opened
from office.supervision.model import Item
from office.supervision.workflow import Lamp, State
from tests.office.desks import Town, opened
from tests.office.looks import chromium, faults
from tests.portal import house

TOWN, OTHER = "county1-town1", "county1-town2"
STAFF = (("head", "领导", ("signer",)), ("clerk", "文书", ("registry_clerk",)), ("watch", "督查", ("supervisor",)), ("plain", "科员", ()))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city, a county and its two townships."""
    with opened(tmp_path_factory.mktemp("supervision"), townships=2, only=("documents", "supervision"), staff=STAFF) as found:
        yield found


def task(lead: str = "county1", **more: Any) -> Opened:
    """What the city wants done in sixty days."""
    end = today() + dt.timedelta(days=60)
    values: dict[str, Any] = {
        "organ": "city",
        "title": "危旧桥梁改造",
        "text": "完成三座危桥改造。",
        "basis": "市政府第3次常务会议纪要",
        "lead": lead,
        "node": "",
    }
    return Opened(**(values | {"deadline": end.isoformat(), "milestones": (Milestone(end.isoformat(), "完工"),)} | more))


def state(town: Town, person: str, item: str) -> State:
    """Where the item stands for a person."""
    return town.desk(person).get(Item, item).state


@pytest.mark.row("D2")
def test_an_item_is_opened_signed_for_reported_returned_accepted_and_struck_off(town: Town) -> None:
    """Every verb leaves tables that a rebuild of each node reproduces, and both sides know after each where the item stands."""
    desk, watch, clerk = town.desk, "watch.city", "clerk.county1"
    item = town.verify(lambda: service.open_item(desk(watch), task()))
    assert [(one.url, one.column) for one in service.todo(desk(clerk))] == [(f"/supervision/{item}", "todo")]
    assert [one.column for one in service.todo(desk(watch))] == ["hand"]
    with pytest.raises(Conflict):
        service.report(desk(clerk), item, text="还没有签收。")
    town.verify(lambda: service.sign(desk(clerk), item))
    town.verify(lambda: service.report(desk(clerk), item, text="已完成勘察。"))
    assert state(town, watch, item) is State.HAND
    with pytest.raises(Conflict):
        service.strike_off(desk(watch), item, way="site", finding="没有办结。")
    town.verify(lambda: service.finish(desk(clerk), item, text="全部完工。"))
    assert state(town, watch, item) is State.REVIEW and service.waiting(desk(watch)) == 1
    town.verify(lambda: service.send_back(desk(watch), item, reason="缺验收资料。"))
    assert state(town, clerk, item) is State.HAND
    town.verify(lambda: service.finish(desk(clerk), item, text="已补验收资料。"))
    town.verify(lambda: service.accept(desk("head.city"), item, text="同意。"))
    with pytest.raises(Invalid):
        service.strike_off(desk(watch), item, way="guess", finding="看过。")
    town.verify(lambda: service.strike_off(desk(watch), item, way="site", finding="现场查看，三座桥均已通车。"))
    assert state(town, clerk, item) is state(town, watch, item) is State.STRUCK
    assert service.lamp(desk(clerk), desk(clerk).get(Item, item)) is Lamp.OFF


@pytest.mark.row("D2")
def test_who_split_an_item_goes_on_answering_for_it(town: Town) -> None:
    """The city sees how the county split; neither is the whole reported done nor struck off over an open part unless somebody says why."""
    desk, watch, middle = town.desk, "watch.city", "head.county1"
    item = service.open_item(desk(watch), task(title="防汛物资储备"))
    town.carry()
    service.sign(desk(middle), item)
    first = town.verify(lambda: service.split(desk(middle), item, task(TOWN, title="编织袋")))
    second = town.verify(lambda: service.split(desk(middle), item, task(OTHER, title="救生衣")))
    assert {one.id for one in service.children(desk(watch), desk(watch).get(Item, item))} == {first, second}
    assert desk(f"clerk.{TOWN}").get(Item, first).organ == "county1"
    for hidden in (item, second):
        with pytest.raises(Missing):
            desk(f"clerk.{TOWN}").get(Item, hidden)
    with pytest.raises(Refused):
        service.sign(desk(watch), first)
    town.verify(lambda: service.sign(desk(f"clerk.{TOWN}"), first))
    town.verify(lambda: service.sign(desk(f"clerk.{OTHER}"), second))
    service.finish(desk(f"clerk.{TOWN}"), first, text="已储备。")
    town.carry()
    service.accept(desk(middle), first)
    town.verify(lambda: service.strike_off(desk(middle), first, way="papers", finding="清单齐全。"))
    assert state(town, watch, first) is State.STRUCK, "the city hears that a part is over"
    with pytest.raises(Invalid, match="1"):
        service.finish(desk(middle), item, text="全县完成。")
    town.verify(lambda: service.finish(desk(middle), item, text="全县完成。", despite="救生衣由县级代储。"))
    service.accept(desk(watch), item)
    with pytest.raises(Invalid, match="1"):
        service.strike_off(desk(watch), item, way="site", finding="抽查。")
    town.verify(lambda: service.strike_off(desk(watch), item, way="site", finding="抽查。", despite="县级代储属实。"))
    assert state(town, middle, item) is State.STRUCK and state(town, f"clerk.{OTHER}", second) is State.HAND


@pytest.mark.row("C7")
def test_the_third_urging_of_a_document_becomes_an_item(town: Town) -> None:
    """A recipient urged three times in vain and handed over waits for the issuer's supervisor alone, who opens one item, led by that organ."""
    desk = town.desk
    paper = Paper("city", "letter", "关于报送桥梁台账的函", "请报送。", ("county1",))
    doc = documents.send(desk("head.city"), paper).doc
    town.carry()
    for _step in range(3):
        documents.urge(desk("clerk.city"), doc, organ="county1", channel="phone", text="请抓紧。")
    assert service.referred(desk("watch.city")) == []
    town.verify(lambda: documents.supervise(desk("clerk.city"), doc, organ="county1", text="三次未复。"))
    (row,) = service.referred(desk("watch.city"))
    assert (row.lead, row.title, row.text) == ("county1", "关于报送桥梁台账的函", "三次未复。")
    assert f"/supervision/new?referred={row.id}" in {one.url for one in service.todo(desk("watch.city"))}
    assert all(service.referred(desk(person)) == [] for person in ("head.city", "clerk.city", "watch.county1", "clerk.dep.city"))
    with pytest.raises(Invalid):
        service.open_item(desk("watch.city"), task(TOWN, source=row.id))
    with pytest.raises(Missing):
        service.open_item(desk("watch.county1"), task(TOWN, organ="county1", source=row.id, milestones=()))
    item = town.verify(lambda: service.open_item(desk("watch.city"), task(source=row.id)))
    assert service.referred(desk("watch.city")) == [] and state(town, "clerk.county1", item) is State.SENT
    with pytest.raises(Conflict):
        service.open_item(desk("watch.city"), task(source=row.id))


def test_only_those_concerned_see_it_and_act(town: Town) -> None:
    """Supervisors open, downward only; a clerk without a part, a colleague and other organs find nothing."""
    desk = town.desk
    item = service.open_item(desk("watch.city"), task())
    town.carry()
    for person in ("plain.city", "plain.county1", "clerk.dep.county1", f"head.{TOWN}"):
        with pytest.raises(Missing):
            desk(person).get(Item, item)
        assert service.todo(desk(person)) == []
    with pytest.raises(Refused):
        service.open_item(desk("head.city"), task())
    with pytest.raises(Refused):
        service.open_item(desk("watch.county1"), task(TOWN))
    with pytest.raises(Invalid):
        service.open_item(desk("watch.county1"), task("city", organ="county1"))
    with pytest.raises(Refused):
        service.accept(desk("clerk.county1"), item)
    service.sign(desk("clerk.county1"), item)
    with pytest.raises(Invalid):
        service.split(desk("clerk.county1"), item, task(TOWN, deadline=(today() + dt.timedelta(days=61)).isoformat(), milestones=()))


@pytest.mark.row("D2")
def test_a_lead_organ_is_urged_and_may_ask_for_longer(town: Town) -> None:
    """Urgings are counted on both sides; a later deadline is asked for once at a time, refused with a reason or granted on both sides."""
    desk, watch, clerk = town.desk, "watch.city", "clerk.county1"
    item = service.open_item(desk(watch), task())
    town.carry()
    town.verify(lambda: service.urge(desk(watch), item, text="请尽快签收。"))
    service.sign(desk(clerk), item)
    town.carry()
    before = desk(clerk).get(Item, item)
    later = (dt.date.fromisoformat(before.deadline) + dt.timedelta(days=30)).isoformat()
    assert before.urges == 1 and "decide" not in service.moves(desk(watch), desk(watch).get(Item, item))
    with pytest.raises(Conflict):
        service.decide_extension(desk(watch), item, granted=True)
    with pytest.raises(Invalid):
        service.ask_extension(desk(clerk), item, until=before.deadline, reason="汛期。")
    town.verify(lambda: service.ask_extension(desk(clerk), item, until=later, reason="汛期停工。"))
    with pytest.raises(Conflict):
        service.ask_extension(desk(clerk), item, until=later, reason="再申请。")
    with pytest.raises(Invalid):
        service.decide_extension(desk(watch), item, granted=False)
    town.verify(lambda: service.decide_extension(desk(watch), item, granted=False, text="理由不足。"))
    assert desk(clerk).get(Item, item).deadline == before.deadline
    service.ask_extension(desk(clerk), item, until=later, reason="附停工令。")
    town.carry()
    town.verify(lambda: service.decide_extension(desk(watch), item, granted=True))
    assert desk(clerk).get(Item, item).deadline == desk(watch).get(Item, item).deadline == later


WRONG: list[dict[str, Any]] = [
    {"title": " "},
    {"basis": ""},
    {"deadline": "soon"},
    {"deadline": "2020-01-01", "milestones": ()},
    {"milestones": (Milestone("2999-01-01", "太晚"),)},
    {"milestones": (Milestone("2026-01-01", " "),)},
]


@pytest.mark.parametrize("more", WRONG)
def test_what_is_no_item_is_refused(town: Town, more: dict[str, Any]) -> None:
    """It has a name, a basis, an end to come, and milestones before that."""
    with pytest.raises(Invalid):
        service.open_item(town.desk("watch.city"), task(**more))


LAMPS = [("2026-09-30", Lamp.RED), ("2026-10-08", Lamp.YELLOW), ("2026-10-13", Lamp.YELLOW), ("2026-10-14", Lamp.GREEN), ("2027-06-30", Lamp.GREEN)]


@pytest.mark.parametrize(("end", "shown"), LAMPS)
def test_lamps_count_working_days(end: str, shown: Lamp) -> None:
    """After the national holiday, with the Saturday worked in exchange, five working days are near and six are not; struck off has no lamp."""
    days, now = Workdays.published(), dt.date(2026, 10, 1)
    assert workflow.lamp(State.HAND, dt.date.fromisoformat(end), now, days) is shown
    assert workflow.lamp(State.STRUCK, dt.date.fromisoformat(end), now, days) is Lamp.OFF


@pytest.mark.row("D2")
def test_by_forms(tmp_path: Path) -> None:
    """On a running portal an item is opened by its form, signed for, reported done, accepted and struck off; a stranger finds nothing."""
    with house.opened(tmp_path, "zhaoming", "xuegang", "shilei") as made:
        people = house.seated(made, ("zhaoming", "xuegang", "shilei"), "/")
        watch, lead, stranger = people["zhaoming"], people["xuegang"], people["shilei"]
        end = (today() + dt.timedelta(days=90)).isoformat()
        organ, bureau = "bz-zf", "bz-jyj"
        page = watch.get("/supervision/new").text
        assert f'value="{organ}"' in page and f'value="{bureau}"' in page
        given = {"organ": organ, "lead": bureau, "title": "危旧桥梁改造", "basis": "常务会议纪要", "deadline": end}
        assert watch.post("/supervision", **given, milestones="明天 开工").status == 422
        url = watch.post("/supervision", **given, milestones=f"{end} 完工").headers["location"]
        assert "危旧桥梁改造" in lead.get("/").text and lead.get(f"{url}.json").json["moves"] == ["sign"]
        assert stranger.get(url).status == stranger.get(f"{url}.json").status == stranger.get("/supervision").status == 404
        assert watch.post(f"{url}/sign").status == 403
        for person, move, said in (
            (lead, "sign", {}),
            (lead, "report", {"text": "已开工。"}),
            (lead, "finish", {"text": "已完工。"}),
            (watch, "accept", {}),
            (watch, "strike", {"way": "site", "text": "现场查看属实。"}),
        ):
            assert person.post(f"{url}/{move}", **said).status == 303, move
        shown = lead.get(url).text
        assert "现场查看属实。" in shown and "已销号" in shown and lead.get(f"{url}.json").json["moves"] == []
        assert [each for tongue in ("zh", "en") for each in looked(watch, lead, url, tongue)] == []


def looked(watch: house.Browser, lead: house.Browser, url: str, tongue: str) -> list[str]:
    """What is wrong with the pages of the room in a language."""
    organ, end = "bz-zf", (today() + dt.timedelta(days=20)).isoformat()
    given = {"organ": organ, "lead": "bz-jyj", "title": "校舍安全排查", "basis": "市长批示", "deadline": end}
    fresh = watch.post("/supervision", **given, milestones=f"{end} 全部查完").headers["location"]
    with chromium() as window:
        found = faults(window, watch, ["/supervision", "/supervision/new", url], tongue=tongue, name="watch", source=__file__)
        return found + faults(window, lead, ["/supervision", fresh], tongue=tongue, name="lead", source=__file__)

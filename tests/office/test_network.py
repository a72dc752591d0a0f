"""The network as administrators see it: the map, alarms with cause and mend, and forks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from node import alarms, certs, clock
from node import entry as said
from node.errors import Fork, Invalid, Missing, NodeError, Refused
from office.network import service, views
from office.network.labels import ALARMS
from tests.node.test_book import mended
from tests.office.desks import STAFF, Town, opened
from tests.verifier.program import check

TOWN, COUNTY, CITY = "county1-town1", "county1", "city"
ADMINS = (("sys", "系统管理员", ("sysadmin",)), ("sec", "安全管理员", ("secadmin",)))
QUIET = {"links": [], "alarms": []}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city, two counties and a township under each, with administrators."""
    with opened(tmp_path_factory.mktemp("n"), counties=2, staff=(*STAFF, *ADMINS), only=("desk", "people", "network")) as made:
        yield made


def linked(town: Town, name: str, *, links: list[dict[str, object]], heard: dict[str, int]) -> None:
    """What a courier would write of its lines."""
    found = {"at": clock.ms(), "links": links, "heard": heard}
    town.homes[name].settings.path("run").mkdir(exist_ok=True)
    town.homes[name].settings.path("run", "links.json").write_text(json.dumps(found))


def line(town: Town, name: str, state: str, **lanes: int) -> dict[str, object]:
    """A line as ``status`` has it."""
    about = {"peer": town.homes[name].id, "side": "child", "state": state, "since": "2026-01-01T00:00:00+00:00", "rtt_ms": 12, "skew_ms": 3}
    return {**about, "out_backlog": {"entries": sum(lanes.values()), "bytes": 2048, "lanes": lanes}}


def test_every_kind_of_alarm_is_explained() -> None:
    """Each kind there is has a name, a cause and a way to mend it."""
    assert set(ALARMS) == alarms.KINDS
    assert all(str(text) for one in ALARMS.values() for text in (one.name, one.cause, one.mend))


@pytest.mark.row("B7")
def test_the_map_says_what_is_known_and_nothing_more(town: Town) -> None:
    """The city sees each line's state, what waits on it by lane, and of nodes behind it when they were last heard; who was never heard is unknown."""
    desk, id_of = town.desk("sys.city"), {name: home.id for name, home in town.homes.items()}
    links = [line(town, COUNTY, "up", urgent=2, ordinary=5), line(town, "county2", "down")]
    linked(town, CITY, links=links, heard={id_of[COUNTY]: clock.ms(), id_of[TOWN]: clock.ms() - 1000, id_of["county2"]: clock.ms() - 600_000})
    found = {one.node.id: one for one in service.spots(desk, {"links": links})}
    state = {name: found[id].state for name, id in id_of.items()}
    assert state == {CITY: "here", COUNTY: "up", TOWN: "heard", "county2": "down", "county2-town1": "silent"}
    assert found[id_of["county2-town1"]].heard is None and found[id_of[COUNTY]].waiting == 7
    assert dict(views.tally(list(found.values()))[i][:2] for i in range(3)) == {"有消息": 2, "线路中断": 1, "情况不明": 1}
    assert "紧急 2，普通 5" in str(dict(views.line(found[id_of[COUNTY]]))["待发"])
    linked(town, TOWN, links=[], heard={})
    below = {one.node.id for one in service.spots(town.desk(f"sys.{TOWN}"), QUIET)}
    assert below == {id_of[TOWN], id_of[COUNTY], id_of[CITY]}
    with pytest.raises(Missing):
        service.spot(town.desk(f"sys.{TOWN}"), QUIET, id_of["county2"])


def test_alarms_name_where_why_and_what_to_do(town: Town) -> None:
    """The gravest comes first, the node is named, and a kind from another version is shown all the same."""
    here = town.homes[COUNTY].id
    told = [
        alarms.alarm("repaired", "info", here, clock.ms(), "1 entry"),
        alarms.alarm("withheld", "critical", here, clock.ms(), "x"),
        alarms.alarm("disk_low", "warn", "abc", clock.ms(), "63 bytes") | {"kind": "of tomorrow"},
    ]
    rows = views.alarms(town.desk("sys.city"), {"alarms": told})
    assert [row["kind"] for row in rows] == ["withheld", "of tomorrow", "repaired"]
    assert rows[0]["where"] == town.homes[COUNTY].settings.name and "courier pack" in str(rows[0]["mend"])


def forked(town: Town) -> str:
    """The township signs two histories, of which the county sees both; the name of the fork."""
    book, county = town.offices[TOWN].ledger.book, town.offices[COUNTY].ledger  # type: ignore[attr-defined]
    own = next(s for s in book.journal.chains.values() if s.author == book.here and s.audience == said.ALL and s.count > 1)
    batch = book.read(own.id, 0, 10**6)
    with pytest.raises(Fork):
        county.take(mended(book, batch, [batch.entries[0], (batch.entries[1][0], b"another")]))
    return service.name_of(next(one for one in county.forks() if one.chain == own.id))


@pytest.mark.promise("P6")
def test_a_fork_is_proved_and_settled_by_the_security_administrator(town: Town) -> None:
    """The proof holds against the stand-alone verifier; only the security administrator says that it was dealt with, once and with words."""
    name = forked(town)
    guard = town.desk(f"sec.{COUNTY}")
    root = certs.load(town.homes[CITY].settings.path("certs", "root.pem").read_bytes())
    assert "fork" in {one["kind"] for one in check(service.proof(guard, service.fork(guard, name)), root)["problems"]}
    for who, note, code in ((f"sys.{COUNTY}", "查清", "not_yours"), (f"sec.{COUNTY}", " ", "reason"), (f"sec.{COUNTY}", "长" * 2000, "reason")):
        with pytest.raises(NodeError) as refused:
            service.settle(town.desk(who), name, note)
        assert refused.value.code == code and isinstance(refused.value, Refused | Invalid)
    assert [row["settled"] for row in views.forks(guard)] == [None]
    service.settle(guard, name, "机器恢复过快照，已停用旧的一份")
    assert [row["settled"] is not None for row in views.forks(town.desk(f"sec.{COUNTY}"))] == [True]
    with pytest.raises(Refused):
        service.settle(town.desk(f"sec.{COUNTY}"), name, "再说一次")
    with pytest.raises(Missing):
        service.fork(guard, "a" * 26)


def test_how_far_a_snapshot_is_checked(town: Town) -> None:
    """Administrators read how many entries of a snapshot were checked, that all hold, or how many were false; without one there is no such line."""
    found: dict[str, object] = {"disk": {"free_bytes": 0}, "checkpoint": {"age_s": None}, "trust": {"age_s": None}, "queues": {}, "version": "1"}
    found |= {"clock": {"skew_ms": 0}}
    about = {"state": "checking", "entries": 500, "checked": 200, "false": []}

    def told(**changes: object) -> str:
        return str({str(name): value for name, value in views.own(found | {"verification": about | changes})}.get("快照核验"))

    assert "快照核验" not in {str(name) for name, _ in views.own(found)}
    assert told() == "正在核验：200 / 500 条"
    assert told(state="taking") == "正在接收"
    assert told(state="checked") == "500 条全部核验，签名属实"
    assert told(state="checked", false=["x", "y"]) == "发现 2 条不实，已撤回"

"""Reactions: once each and in order after the fold, over failures, kills and lost files; and those of the documents room."""

from __future__ import annotations

import datetime as dt
import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.client import Ledger
from node.entry import DOWN
from node.errors import Unreachable
from node.settings import Settings
from office.documents import service
from tests import books
from tests import city as cities
from tests.city import ROOT, wait
from tests.node.test_ledger import organ, ready
from tests.office import test_documents as papers
from tests.portal.house import Browser, House, build

world = papers.world


# --- what the ledger tells ------------------------------------------------------------------------------------------------------


def test_the_ledger_tells_what_it_folded_and_in_that_order(tmp_path: Path) -> None:
    """Where entries come out of order, readers of ``released`` get the very values that folds got, in the order in which they were folded."""
    seen = {}
    with books.opened(tmp_path, townships=0) as held:
        city, county = held["city"], held["county1"]
        first = books.draft(city, books.Noted("one"), to=DOWN)
        one = books.write(city, first)[0]
        books.write(city, books.draft(city, books.Noted("two"), to=DOWN, after=(one.id,)))
        books.write(county, books.draft(county, books.Noted("three")))
        keep = books.NOTES.kinds["notes.written"]
        books.NOTES.kinds["notes.written"] = lambda session, entry: (seen.update({entry.id: entry}), keep(session, entry))[1]
        try:
            start, _none = county.released(2**60, 0)
            books.exchange(held.values())
            books.write(county, books.draft(county, books.Noted("raise")))
        finally:
            books.NOTES.kinds["notes.written"] = keep
        end, told = county.released(start, 100)
        again = [one.entry() for one in told]
        assert [e for e in again if e is not None and e.kind == "notes.written"] == list(seen.values())
        assert [e.body.text for e in again if e is not None and e.kind == "notes.written"] == ["one", "two", "raise"]
        assert [one.at for one in told] == sorted(one.at for one in told) and told[-1].at == end
        assert county.released(end, 100) == (end, ())
        assert [one.at for one in county.released(start, 1)[1]] == [told[0].at]


# --- the entrypoint -------------------------------------------------------------------------------------------------------------


class Clerk:
    """The probe's process, and what it has said so far."""

    def __init__(self, home: cities.Home) -> None:
        self.home, self.said = home, queue.SimpleQueue[str]()
        command = [sys.executable, "-m", "tests.office.probe", str(home.path)]
        with (home.path / "log" / "probe.out").open("ab") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=out, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line.strip())

    def hears(self, *wanted: str, method: str = "hears") -> list[str]:
        """What a method says until all the wanted lines were said; the order is that of the saying."""
        found: list[str] = []
        until = time.monotonic() + 20
        while not set(wanted) <= set(found):
            try:
                line = self.said.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{found} and not {wanted}\n{self.home.output('probe')}") from None
            if line.startswith(method + " "):
                found.append(line.removeprefix(method + " "))
        return found

    def end(self, how: int = signal.SIGTERM) -> float:
        """End it; seconds that took."""
        begun = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(10)
        return time.monotonic() - begun


def named(settings: Settings, *names: str, first: int) -> list[object]:
    """Drafts of organs with these short names, whose ids count on from ``first``."""
    import msgspec

    from node.codec import pack
    from node.directory.entries import Organ
    from node.kinds import decode
    from node.requests import Draft, statement

    made = []
    for number, name in enumerate(names, first):
        content = decode("directory.organ", organ(settings, number).content)
        assert isinstance(content, Organ)
        stated, salt, data = statement(settings.city, msgspec.structs.replace(content, short_name=name), record=content.id, home=settings.id)
        made.append(Draft(pack(stated), b"", salt, data, organ(settings, number).audiences, organ(settings, number).lane))
    return made


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[cities.Home, Ledger]]:
    """A city's home whose ledger runs."""
    made = cities.build(tmp_path, townships=0)["city"]
    with cities.running(cities.City({"city": made})):
        made.start("ledger")
        ledger = ready(made.settings)
        yield made, ledger
        ledger.close()


def test_reactions_run_once_each_in_order_and_failures_stand_aside(town: tuple[cities.Home, Ledger]) -> None:
    """A new clerk begins with the present; a failing entry is tried again, a poisoned one kept aside with an alarm, and the line goes on."""
    home, ledger = town
    ledger.write(named(home.settings, "old", first=0))
    clerk = Clerk(home)
    try:
        assert clerk.hears("old 1", method="knows") == ["old 1"]
        wait(lambda: _cursors(home).get("probe.hears"))
        ledger.write(named(home.settings, "a", "fails", "b", first=1))
        assert clerk.hears("b 1") == ["a 1", "fails 2", "b 1"]
        ledger.write(named(home.settings, "poison", "c", first=4))
        assert clerk.hears("c 1") == ["c 1"]
        alarms = wait(lambda: json.loads(home.settings.path("run", "reactions.json").read_text())["alarms"])
        assert [(a["kind"], a["subject"]) for a in alarms] == [("backlog", "probe.hears")]
        assert "reaction.failed" in home.output("probe") and "timer.failed" in home.output("probe")
        assert clerk.end() < 3
        ledger.write(named(home.settings, "d", first=6))
        home.settings.path("cure").touch()
        clerk = Clerk(home)
        assert clerk.hears("d 1", "poison 1") == ["poison 1", "d 1"]
        wait(lambda: json.loads(home.settings.path("run", "reactions.json").read_text())["alarms"] == [])
    finally:
        clerk.end(signal.SIGKILL)


def test_a_killed_clerk_misses_nothing_and_a_lost_file_begins_with_the_present(town: tuple[cities.Home, Ledger]) -> None:
    """kill -9 between entries: each is reacted to, the last perhaps twice; without ``local.db`` the past stays past."""
    home, ledger = town
    clerk = Clerk(home)
    try:
        wait(lambda: "probe.hears" in _cursors(home))
        names = [f"n{i}" for i in range(60)]
        for i, name in enumerate(names):
            ledger.write(named(home.settings, name, first=i))
            if i == 30:
                clerk.hears("n3 1")
                clerk.end(signal.SIGKILL)
                heard = _drain(clerk)
                clerk = Clerk(home)
        heard += [line.split()[0] for line in clerk.hears("n59 1")]
        assert set(names[4:]) <= set(heard) and list(dict.fromkeys(heard)) == sorted(dict.fromkeys(heard), key=names.index)
        assert len(heard) <= len(set(heard)) + 1
        clerk.end(signal.SIGKILL)
        for file in home.path.glob("local.db*"):
            file.unlink()
        clerk = Clerk(home)
        wait(lambda: "probe.hears" in _cursors(home))
        ledger.write(named(home.settings, "new", first=90))
        assert clerk.hears("new 1") == ["new 1"]
    finally:
        clerk.end(signal.SIGKILL)


def test_a_clerk_waits_for_its_ledger(town: tuple[cities.Home, Ledger]) -> None:
    """The ledger goes and comes back under a running clerk: nothing counts as a failure, nothing is missed, and no bell is needed for it."""
    home, ledger = town
    clerk = Clerk(home)
    try:
        wait(lambda: "probe.hears" in _cursors(home))
        home.stop("ledger")
        with pytest.raises(Unreachable):
            Ledger(home.settings, timeout=0.2).status()
        home.start("ledger")
        fresh = ready(home.settings)
        fresh.write(named(home.settings, "a", first=0))
        assert clerk.hears("a 1") == ["a 1"]
        fresh.close()
        assert "reaction.failed" not in home.output("probe")
    finally:
        clerk.end(signal.SIGKILL)


def _drain(clerk: Clerk) -> list[str]:
    found = []
    while True:
        try:
            line = clerk.said.get(timeout=0.3)
        except queue.Empty:
            return found
        if line.startswith("hears "):
            found.append(line.split()[1])


def _cursors(home: cities.Home) -> dict[str, int]:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{home.path / 'local.db'}?mode=ro", uri=True) as db:
            return dict(db.execute("select name, at from cursors"))
    except sqlite3.OperationalError:
        return {}


# --- documents ------------------------------------------------------------------------------------------------------------------


def test_a_silent_recall_is_confirmed_by_the_node(world: papers.World) -> None:
    """Nobody signed: the recipient's node itself says R5, also for a recall that came while its clerk was down or before its document."""
    county = world.city["county1"]
    missed, heard = papers.issued(world), papers.issued(world)
    service.recall(world.desk("li"), missed, reason="有误。")
    world.carry()
    county.start("clerk")
    try:
        wait(lambda: _confirmed(world, missed), why=lambda: county.output("clerk"))
        wait(lambda: _cursors(county).get("documents.confirm_silent_recall"))
        service.recall(world.desk("li"), heard, reason="有误。")
        wait(lambda: _confirmed(world, heard), why=lambda: county.output("clerk"))
    finally:
        county.stop("clerk")
    for doc in (missed, heard):
        (line,) = service.matrix(world.desk("li"), doc)
        assert (line.receipts["R5"].reason, line.receipts["R5"].person) == ("automatic", "")
    for office in world.offices.values():
        assert all(living == rebuilt for living, rebuilt in office.ledger.refold().values())


def _confirmed(world: papers.World, doc: str) -> bool:
    world.carry()
    (line,) = service.matrix(world.desk("li"), doc)
    return "R5" in line.receipts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with ledger, portal and clerk."""
    made = build(tmp_path_factory.mktemp("r"))
    try:
        made.password("zhoulixin")
        made.password("chengxue")
        made.home.start("clerk")
        wait(lambda: len(_cursors(made.home)) > 1, why=lambda: made.home.output("clerk"))  # it begins with the present
        yield made
    finally:
        made.home.stop()


class Stream:
    """Somebody's open page: the topics its stream brings."""

    def __init__(self, browser: Browser) -> None:
        self.line = browser.connect()
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        self.line.request("GET", "/api/v1/events", headers={"Cookie": cookie})
        self.answer = self.line.getresponse()
        assert self.answer.status == 200
        self.answer.readline()

    def until(self, topic: str) -> dict[str, Any]:
        """The data of the first event with this topic."""
        until = time.monotonic() + 20
        while (line := self.answer.readline().decode()) and time.monotonic() < until:
            if line.strip() == f"event: {topic}":
                return dict(json.loads(self.answer.readline().decode().removeprefix("data: ")))
        raise AssertionError(f"the stream ended without {topic}")


def _send(browser: Browser, **more: str) -> str:
    asked = {"to": ["bz-fgw"], "title": "关于立即上报水情的通知", "kind": "notice", "text": "请立即上报。", **more}
    browser.get("/")
    answer = browser.ask("POST", "/api/v1/docs", asked, Content_Type="application/json", X_CSRF_Token=browser.csrf)
    assert answer.status == 201, answer.text
    return str(answer.json["doc"])


def test_an_urgent_document_rings_where_it_may_be_seen(house: House) -> None:
    """特急 sends its own event to open pages, with its urgency; only who may see the document finds it among the urgent matters."""
    clerk, mayor = house.enter("chengxue"), house.enter("zhoulixin")
    stream = Stream(clerk)
    doc = _send(mayor, urgency="flash", urgency_reason="汛情紧急")
    assert stream.until("urgent")["urgency"] == "flash"
    stream.line.close()
    urgent = clerk.get("/todo.json").json["urgent"]
    assert [one["title"] for one in urgent] == ["关于立即上报水情的通知"]
    assert mayor.get("/todo.json").json["urgent"] == []
    assert doc


def test_a_term_that_ends_is_told_once_and_stands_on_the_first_page(house: House) -> None:
    """A document in hand whose answer is due within half an hour rings once and stands under what is due soon, until it is answered."""
    clerk, mayor = house.enter("chengxue"), house.enter("zhoulixin")
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20)
    _send(mayor, title="关于尽快答复的通知", deadline=soon.isoformat(timespec="seconds"))
    stream = Stream(clerk)
    row = next(one for one in clerk.get("/todo.json").json["alerts"] + _todo(clerk) if one["title"] == "关于尽快答复的通知")
    clerk.get(row["url"])
    assert clerk.post(row["url"] + "/sign_for").status == 303
    assert clerk.post(row["url"] + "/register", to_handle="1").status == 303
    assert stream.until("deadline")["topic"] == "deadline"
    stream.line.close()
    assert [(one["url"], one["why"]) for one in clerk.get("/todo.json").json["alerts"]] == [(row["url"], "near")]
    assert "即将到期" in clerk.get("/").text
    said = wait(lambda: json.loads(house.settings.path("run", "deadlines.json").read_text())["alarms"])
    assert ("deadline_near", "bz-fgw") in [(one["kind"], one["subject"]) for one in said]
    assert clerk.post(row["url"] + "/answer", text="已办。").status == 303
    assert clerk.get("/todo.json").json["alerts"] == []
    assert "yiwang_reactions_failed" in clerk.get("/metrics").text


def _todo(browser: Browser) -> list[dict[str, Any]]:
    return list(browser.get("/", Accept="application/json").json["board"]["todo"])

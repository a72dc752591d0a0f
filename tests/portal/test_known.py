"""What is remembered between requests: never older than the tables, never somebody else's, and not without end."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator

import pytest

from city_node import TIER
from office.documents.model import Incoming
from office.frame.desk import Desk
from office.frame.memo import Known, Memo
from office.frame.office import Office
from office.frame.words import _, speaking
from tests.portal.house import Browser, House

NOON = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)
READER, WRITER = "xuegang", "zhoulixin"
"Clerk of the education bureau; drafter elsewhere."


@pytest.fixture(scope="module")
def office(house: House) -> Iterator[Office]:
    """A process of the office beside the portal."""
    made = Office(house.settings, TIER)
    yield made
    made.close()


@pytest.fixture(scope="module")
def reader(house: House) -> Browser:
    """The clerk, signed in."""
    house.password(READER)
    return house.enter(READER)


@pytest.fixture(scope="module")
def writer(house: House) -> Browser:
    """The drafter, signed in."""
    one = house.enter(WRITER)
    one.get("/me")
    return one


def send(writer: Browser, title: str) -> None:
    """A document to the education bureau."""
    headers = {"Content_Type": "application/json", "X_CSRF_Token": writer.csrf, "Idempotency_Key": str(uuid.uuid4())}
    asked = {"kind": "letter", "title": title, "text": "请予支持为盼。", "to": ["bz-jyj"]}
    assert writer.ask("POST", "/api/v1/docs?ack=local", asked, **headers).status in (200, 201)


def counted(office: Office, calls: list[int], *, now: dt.datetime = NOON) -> int:
    """How many incoming documents the clerk sees; notes each time that they are really counted."""
    desk = Desk(office, person=f"{READER}.bz", tracks=False)
    desk.now = now

    def count() -> int:
        calls.append(1)
        return desk.count(Incoming)

    return desk.known("test", count)


def waits(page: str) -> int:
    """The number beside 收文 in the menu."""
    found = re.search(r'href="/incoming"(?:(?!</a>).)*?<b class="count"[^>]*>(\d+)', page, re.S)
    return int(found[1]) if found else 0


def test_an_answer_is_worked_out_again_only_when_something_changed(office: Office, reader: Browser, writer: Browser) -> None:
    """Asked twice it is counted once; a document, the directory or the minute makes it new."""
    calls: list[int] = []
    before = counted(office, calls)
    assert (counted(office, calls), len(calls)) == (before, 1)
    send(writer, "关于计数一次的函")
    assert (counted(office, calls), len(calls)) == (before + 1, 2)
    counted(office, calls, now=NOON + dt.timedelta(minutes=1))
    assert len(calls) == 3
    reader.house.password("lujing")
    counted(office, calls, now=NOON + dt.timedelta(minutes=1))
    assert len(calls) == 4


def test_what_an_answer_was_made_of_counts_through_other_answers(office: Office, writer: Browser) -> None:
    """An answer made of a remembered one is new when the tables under that one have changed."""

    def outer() -> int:
        desk = Desk(office, person=f"{READER}.bz", tracks=False)
        desk.now = NOON
        return desk.known("outer", lambda: desk.known("inner", lambda: desk.count(Incoming)))

    before = outer()
    assert outer() == before
    send(writer, "关于层层更新的函")
    assert outer() == before + 1


def test_answers_are_each_person_s_own(office: Office) -> None:
    """The same question of two persons has two answers."""
    names = [Desk(office, person=person, tracks=False).known("who", lambda person=person: person) for person in (f"{READER}.bz", f"{WRITER}.bz")]
    assert names == [f"{READER}.bz", f"{WRITER}.bz"]


def test_answers_are_each_language_s_own(office: Office) -> None:
    """A sentence that was filled in while Chinese was spoken is not shown to whoever reads English."""
    said = set()
    for tongue in ("zh", "en"):
        with speaking(tongue):
            said.add(Desk(office, person=f"{READER}.bz", tracks=False).known("sentence", lambda: _("共 %(n)s 件") % {"n": 3}))
    assert len(said) == 2


def test_a_page_asked_again_shows_what_has_just_come(reader: Browser, writer: Browser) -> None:
    """The register and the number in the menu are never older than the tables, however often the page was asked for."""
    title = "关于刚刚到达的函"
    before = [reader.get("/incoming").text for _ in range(3)][-1]
    assert title not in before
    send(writer, title)
    after = reader.get("/incoming").text
    assert title in after
    assert waits(after) == waits(before) + 1
    assert title in reader.get("/").text
    assert title in reader.get("/incoming", Accept="application/json").text


def test_one_sees_at_once_what_one_has_done(reader: Browser, writer: Browser) -> None:
    """Having signed for a document, the clerk finds it on the other tab and no more on this one; the note stands there once."""
    send(writer, "关于即刻签收的函")
    page = reader.get("/incoming?tab=arrived").text
    link = re.search(r'href="(/incoming/[0-9a-f-]{36})"', page)
    assert link
    assert reader.post(f"{link[1]}/sign_for").status == 303
    first, again = reader.get("/incoming?tab=arrived").text, reader.get("/incoming?tab=arrived").text
    assert 'id="menu"' in reader.get(link[1]).text
    assert link[1] not in first
    assert 'class="note good"' in first
    assert 'class="note good"' not in again
    assert link[1] in reader.get("/incoming?tab=hand").text


def test_a_remembered_page_belongs_to_its_session_and_language(house: House, reader: Browser) -> None:
    """Another session of the same person has a token of its own; a change of language shows at once."""
    other = house.enter(READER)
    tokens = {re.search(r'data-csrf="([^"]+)"', one.get("/incoming").text)[1] for one in (reader, other) for _ in range(2)}  # type: ignore[index]
    assert len(tokens) == 2
    other.get("/language/en?next=/incoming")
    assert "Incoming" in other.get("/incoming").text
    assert "收文" in reader.get("/incoming").text


def test_who_may_not_see_a_document_does_not_get_another_s_page(house: House, reader: Browser, writer: Browser) -> None:
    """The address is the same, the rows are not."""
    send(writer, "关于只给教育局的函")
    assert "关于只给教育局的函" in reader.get("/incoming").text
    house.password("fanxiaohong")
    assert "关于只给教育局的函" not in house.enter("fanxiaohong").get("/incoming").text


def test_memory_has_an_end() -> None:
    """What was not asked for longest goes first, by number and by bytes."""
    memo = Memo(many=3, most=100)
    for name in "abc":
        memo.put(name, Known(name, None, ()))
    memo.find("a")
    memo.put("d", Known("d", None, ()))
    assert [memo.find(name) is not None for name in "abcd"] == [True, False, True, True]
    memo.put("page", Known(b"x" * 90, None, ()))
    memo.put("other", Known(b"x" * 60, None, ()))
    assert memo.find("page") is None
    assert memo.bytes == 60
    memo.clear()
    assert (len(memo), memo.bytes) == (0, 0)


def test_tabs_count_what_stands_there(office: Office, reader: Browser, writer: Browser) -> None:
    """Numbers of tabs are those of the rows behind them, for what is under way and for what has ended; counting ends where it tells nobody more."""
    send(writer, "关于数一数的函")
    desk = Desk(office, person=f"{READER}.bz", tracks=False)
    states = [row.state for row in desk.list(Incoming)]
    for state in set(states):
        assert desk.stands(Incoming, Incoming.state, [state], ended=()) == states.count(state)
        assert desk.stands(Incoming, Incoming.state, [state], ended=[state]) == states.count(state)
    assert desk.count(Incoming, most=1) == 1
    assert desk.stands(Incoming, Incoming.state, ["none"], ended=["none"]) == 0

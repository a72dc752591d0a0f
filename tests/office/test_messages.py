"""Messages: every verb over a city, a county and a township; rosters, recall, and what stands after a line was cut."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

import pytest

from node import clock
from node.blobs import Blobs
from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.annex import Annex
from office.frame.calendar import SHANGHAI
from office.frame.reach import everybody
from office.messages import service, workflow
from office.messages.entries import pair_id
from office.messages.tables import Conversation, Mark, Matter, Message
from tests.office.desks import Town, opened

TOWN = "county1-town1"
CITY, COUNTY, LOW = "plain.city", "plain.county1", f"plain.{TOWN}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Three tiers with this room alone."""
    with opened(tmp_path_factory.mktemp("messages"), only=("messages",)) as found:
        yield found


def group(town: Town, name: str) -> str:
    """A group of three tiers that the city's worker owns, known everywhere."""
    found = service.gather(town.desk(CITY), name, [COUNTY, LOW])
    town.carry()
    return found


def texts(town: Town, person: str, conversation: str) -> list[str]:
    """What a person sees of a conversation."""
    return [one.text for one in service.messages(town.desk(person), conversation)]


def unread(town: Town, person: str, conversation: str) -> int:
    """How many messages somebody has not read."""
    return service.waiting(town.desk(person)).get(conversation, 0)


def last(town: Town, person: str, conversation: str) -> Message:
    """The newest message that somebody sees."""
    return service.messages(town.desk(person), conversation)[-1]


@pytest.mark.row("G1")
def test_a_group_of_three_tiers_talks_and_knows_who_has_read(town: Town) -> None:
    """What one says the others see unread, in order; reading is told to the author; who is no member sees neither group nor message."""
    made = town.verify(lambda: service.gather(town.desk(CITY), "防汛联络", [COUNTY, LOW]))
    town.verify(lambda: service.say(town.desk(CITY), made, "今晚有雨。"))
    message = town.verify(lambda: service.say(town.desk(LOW), made, "收到。"))
    assert [texts(town, who, made) for who in (CITY, COUNTY, LOW)] == [["今晚有雨。", "收到。"]] * 3
    assert [unread(town, who, made) for who in (CITY, COUNTY, LOW)] == [1, 2, 1]
    town.verify(lambda: service.read(town.desk(COUNTY), made))
    row = town.desk(LOW).get(Message, message)
    assert service.readers(town.desk(LOW), made, [row]) == {message: [COUNTY]}
    assert unread(town, COUNTY, made) == 0
    assert town.desk("head.county1").list(Conversation) == []
    with pytest.raises(Missing):
        town.desk("head.county1").get(Message, message)


def test_two_who_begin_at_once_have_one_conversation(town: Town) -> None:
    """Whoever of the two opens it, and both at once: one conversation with what each said."""
    town.offices["county1"].directory.refresh()
    one = service.begin(town.desk(COUNTY), LOW)
    assert service.begin(town.desk(LOW), COUNTY) == one == pair_id(LOW, COUNTY)
    service.say(town.desk(COUNTY), one, "在吗？")
    town.verify(lambda: service.begin(town.desk(COUNTY), LOW))
    town.verify(lambda: service.say(town.desk(LOW), one, "在。"))
    assert texts(town, COUNTY, one) == texts(town, LOW, one) == ["在吗？", "在。"]
    with pytest.raises(Invalid):
        service.begin(town.desk(LOW), LOW)


def test_who_left_sees_nothing_and_who_came_sees_what_is_said_since(town: Town) -> None:
    """Rosters count: a message is read by those of its roster who are still there; the owner alone changes it, and a closed group is silent."""
    made = group(town, "专班")
    service.say(town.desk(CITY), made, "第一条")
    town.verify(lambda: service.change(town.desk(CITY), made, name="专班", people=[COUNTY, "head.county1"]))
    service.say(town.desk(CITY), made, "第二条")
    town.carry()
    assert texts(town, "head.county1", made) == ["第二条"]
    with pytest.raises(Missing):
        town.desk(LOW).get(Conversation, made)
    with pytest.raises(Refused):
        service.change(town.desk(COUNTY), made, name="我的", people=[LOW])
    town.verify(lambda: service.change(town.desk(CITY), made, name="专班", people=[COUNTY, LOW]))
    service.say(town.desk(LOW), made, "回来了")
    town.verify(lambda: service.close(town.desk(CITY), made))
    assert texts(town, LOW, made) == ["回来了"]
    with pytest.raises((Refused, Conflict)):
        service.say(town.desk(COUNTY), made, "还在？")


def test_a_group_ends_on_its_day_and_shows_messages_for_as_long_as_it_says(town: Town) -> None:
    """A last day before today is refused; retention hides what is older, and numbering goes on all the same."""
    today = dt.datetime.now(SHANGHAI).date()
    with pytest.raises(Invalid):
        service.gather(town.desk(CITY), "旧群", [COUNTY], ends=(today - dt.timedelta(days=1)).isoformat())
    assert workflow.state(False, today.isoformat(), today) is workflow.State.OPEN
    assert workflow.state(False, today.isoformat(), today + dt.timedelta(days=1)) is workflow.State.ENDED
    made = service.gather(town.desk(CITY), "短期", [COUNTY], ends=today.isoformat(), days=1)
    service.say(town.desk(CITY), made, "只留一天")
    later = town.desk(CITY)
    later.now += dt.timedelta(days=2)
    assert texts(town, CITY, made) == ["只留一天"]
    assert service.messages(later, made) == []
    assert service.standing(later, later.get(Conversation, made)) is workflow.State.ENDED


def test_what_is_recalled_in_time_leaves_its_trace_only(town: Town) -> None:
    """The text is gone on every node, that there was one stays; others cannot, nor can the author twice or after two minutes."""
    made = group(town, "撤回")
    message = service.say(town.desk(CITY), made, "发错了")
    town.carry()
    with pytest.raises(Refused):
        service.recall(town.desk(COUNTY), message)
    late = town.desk(CITY)
    late.now = clock.now() + workflow.RECALL + dt.timedelta(seconds=5)
    with pytest.raises(Refused):
        service.recall(late, message)
    town.verify(lambda: service.recall(town.desk(CITY), message))
    found = town.desk(LOW).get(Message, message)
    assert (found.text, found.recalled_at > 0, unread(town, LOW, made)) == ("", True, 0)
    with pytest.raises(Conflict):
        service.recall(town.desk(CITY), message)


@pytest.mark.row("G2")
def test_a_message_becomes_a_matter_in_one_act(town: Town) -> None:
    """It waits on one's own home page with what was said and the id of the signed statement, until it is settled; it is nobody else's."""
    made = group(town, "转办")
    message = service.say(town.desk(LOW), made, "桥面有裂缝，请派人。")
    town.carry()
    matter = town.verify(lambda: service.keep(town.desk(COUNTY), message, due="2026-12-31"))
    row = town.desk(COUNTY).get(Matter, matter)
    assert (row.text, row.author, row.statement) == ("桥面有裂缝，请派人。", LOW, town.desk(LOW).get(Message, message).said)
    assert [one.title for one in service.todo(town.desk(COUNTY))] == [row.text]
    assert service.todo(town.desk(CITY)) == []
    town.verify(lambda: service.settle(town.desk(COUNTY), matter))
    assert service.todo(town.desk(COUNTY)) == []
    with pytest.raises(Conflict):
        service.settle(town.desk(COUNTY), matter)


@pytest.mark.row("G3")
def test_an_island_comes_back_in_order_and_nothing_late_counts_as_read(town: Town) -> None:
    """Both sides of a cut line go on and read; joined again all show one order, answers after what they answer, and what came late is unread."""
    made = group(town, "孤岛")
    service.say(town.desk(CITY), made, "断线之前")
    town.carry()
    for n in range(3):
        service.say(town.desk(LOW), made, f"镇里{n}")
        service.say(town.desk(CITY), made, f"市里{n}")
        town.carry("city", "county1")
        service.say(town.desk(COUNTY), made, f"答{n}")
        town.carry("city", "county1")
    service.read(town.desk(COUNTY), made)
    service.read(town.desk(LOW), made)
    assert unread(town, COUNTY, made) == 0
    town.carry()
    seen = [texts(town, who, made) for who in (CITY, COUNTY, LOW)]
    assert seen[0] == seen[1] == seen[2]
    assert all(seen[0].index(f"市里{n}") < seen[0].index(f"答{n}") for n in range(3))
    assert [text for text in seen[0] if text.startswith("镇里")] == ["镇里0", "镇里1", "镇里2"]
    assert unread(town, COUNTY, made) == 3, "said on the island, though later ones have been read"
    assert unread(town, LOW, made) == 6
    marks = [{(m.reader, m.author): m.number for m in town.desk(who).list(Mark, Mark.conversation == made)} for who in (CITY, COUNTY, LOW)]
    assert marks[0] == marks[1] == marks[2]


def test_an_answer_stands_after_what_it_answers_though_its_clock_is_slow(town: Town) -> None:
    """A node whose clock is an hour behind answers, and is answered: everywhere the three stand in the order in which they were said."""
    made = group(town, "慢钟")
    service.say(town.desk(CITY), made, "问")
    town.carry()
    slow = town.desk(LOW)
    slow.now -= dt.timedelta(hours=1)
    town.verify(lambda: service.say(slow, made, "答"))
    town.verify(lambda: service.say(town.desk(CITY), made, "再问"))
    assert [texts(town, who, made) for who in (CITY, COUNTY, LOW)] == [["问", "答", "再问"]] * 3


def carried(town: Town, annex: Annex, *names: str) -> None:
    """The stored bytes of a file brought from the city to other nodes, as the courier does."""
    held = Blobs(town.offices["city"].settings)
    for name in names:
        Blobs(town.offices[name].settings).write(annex.sha, annex.stored, 0, held.read(annex.sha, 0, annex.stored))


@pytest.mark.row("G1")
def test_files_travel_with_a_message_and_are_gone_with_it(town: Town) -> None:
    """Members get the file byte for byte once it has come, and are told before; taken back it is hidden, but not from a matter made of it."""
    made, desk = group(town, "文件"), town.desk(CITY)
    annex = service.attach(desk, "../桥.png", "image/png", io.BytesIO(b"\x89PNG" + bytes(9000)))
    message = town.verify(lambda: service.say(desk, made, "", files=(annex,)))
    row = town.desk(LOW).get(Message, message)
    assert (row.files, service.blob_state(town.desk(LOW), annex)) == ((annex,), "waiting")
    carried(town, annex, "county1", TOWN)
    assert b"".join(service.open_annex(town.desk(LOW), row.files[0])) == b"\x89PNG" + bytes(9000)
    matter = town.verify(lambda: service.keep(town.desk(LOW), message))
    assert [one.title for one in service.todo(town.desk(LOW))] == ["桥.png"]
    town.verify(lambda: service.recall(town.desk(CITY), message))
    assert town.desk(LOW).get(Message, message).files == ()
    assert town.desk(LOW).get(Matter, matter).files == (annex,)
    town.verify(lambda: service.settle(town.desk(LOW), matter))


def test_what_a_message_may_carry(town: Town) -> None:
    """Words or files there must be, nine files at most; a voice clip is one sound of two minutes at most; a file with a secret's mark is refused."""
    made, desk = group(town, "限量"), town.desk(CITY)
    sound, other = (service.attach(desk, name, mime, io.BytesIO(b"x")) for name, mime in (("v.webm", "audio/webm"), ("x.bin", "")))
    with pytest.raises(Refused):
        service.attach(desk, "表.txt", "text/plain", io.BytesIO("机密★10年".encode()))
    for files, seconds in (((), 0), ((other,) * 10, 0), ((sound, other), 5), ((sound,), 121), ((other,), 5)):
        with pytest.raises(Invalid):
            service.say(desk, made, "", files=files, seconds=seconds)
    town.verify(lambda: service.say(desk, made, "", files=(sound,), seconds=120))
    assert last(town, CITY, made).seconds == 120


def test_a_state_secret_is_not_said(town: Town) -> None:
    """The gate of secrecy stands before messages as before everything else."""
    made = group(town, "保密")
    with pytest.raises(Refused):
        service.say(town.desk(CITY), made, "机密★10年")
    assert texts(town, CITY, made) == []


def test_older_messages_are_asked_for(town: Town) -> None:
    """The newest fifty are shown; those before a place follow without a gap and without any twice."""
    made = group(town, "很多")
    for n in range(service.PIECE + 5):
        service.say(town.desk(CITY), made, str(n))
    new = service.messages(town.desk(CITY), made)
    old = service.messages(town.desk(CITY), made, before=(new[0].moment, new[0].id))
    assert [one.text for one in (*old, *new)] == [str(n) for n in range(service.PIECE + 5)]
    assert last(town, CITY, made).text == str(service.PIECE + 4)


@pytest.mark.row("G1")
def test_only_ones_own_messages_are_found(town: Town) -> None:
    """By words in any case and by the names of files, the newest first; not by others, not once taken back, not after leaving the group."""
    made = group(town, "查找群")
    for text in ("水位 100% 了", "Dam at 88 水位", "无关"):
        service.say(town.desk(CITY), made, text)
    annex = service.attach(town.desk(CITY), "水位表.xlsx", "", io.BytesIO(b"x"))
    gone = town.verify(lambda: service.say(town.desk(CITY), made, "", files=(annex,)))

    def found(person: str, asked: str) -> list[str]:
        return [one.text for one in service.search(town.desk(person), asked)]

    assert found(LOW, "水位") == ["", "Dam at 88 水位", "水位 100% 了"]
    assert (found(LOW, "dam 水位"), found(LOW, "0%"), found(LOW, "%"), found(LOW, " ")) == (
        ["Dam at 88 水位"],
        ["水位 100% 了"],
        ["水位 100% 了"],
        [],
    )
    assert found("head.county1", "水位") == []
    assert [one.id for one in service.called(town.desk(COUNTY), "查找")] == [made]
    assert service.called(town.desk("head.county1"), "查找") == []
    town.verify(lambda: service.recall(town.desk(CITY), gone))
    assert found(LOW, "水位表") == []
    service.change(town.desk(CITY), made, name="查找群", people=[COUNTY])
    town.carry()
    assert (found(LOW, "水位"), len(found(COUNTY, "水位"))) == ([], 2)


def test_a_whole_organ_is_everybody_in_it_and_under_it(town: Town) -> None:
    """The people of an organ and of those under it, each once; an organ of nobody gives none."""
    desk = town.desk(CITY)
    assert set(everybody(desk, ["dep.city", "dep.city"])) == {"clerk.dep.city"}
    below = set(everybody(desk, ["county1"]))
    assert {COUNTY, LOW, "clerk.dep.county1", f"clerk.dep.{TOWN}"} <= below
    assert CITY not in below
    assert everybody(desk, ["nothing"]) == []


def test_quiet_hours_keep_the_number_down_but_for_what_cannot_wait(town: Town) -> None:
    """All arrive unread; in one's hours the menu counts only those that say why, and these stand on the home page; hours may cross midnight."""
    made = group(town, "夜里")
    service.read(town.desk(LOW), made)
    before = service.ringing(town.desk(LOW))
    for text, why in (("明天再看", ""), ("水过警戒线", "险情")):
        town.verify(lambda text=text, why=why: service.say(town.desk(CITY), made, text, urgent=why))
    assert service.ringing(town.desk(LOW)) == before + 2
    now = town.desk(LOW).now.astimezone(SHANGHAI)
    begins, ends = ((now + dt.timedelta(hours=hours)).strftime("%H:%M") for hours in (-2, 2))
    town.verify(lambda: service.hush(town.desk(LOW), begins, ends))
    assert (service.quiet(town.desk(LOW)), service.quiet(town.desk(COUNTY))) == (True, False)
    assert (service.ringing(town.desk(LOW)), unread(town, LOW, made)) == (1, 2)
    assert [(one.title, one.about, one.urgency) for one in service.todo(town.desk(LOW)) if one.about] == [("水过警戒线", "险情", "urgent")]
    service.read(town.desk(LOW), made)
    assert (service.ringing(town.desk(LOW)), [one for one in service.todo(town.desk(LOW)) if one.about]) == (0, [])
    service.hush(town.desk(LOW), "", "")
    assert not service.quiet(town.desk(LOW))
    night = [workflow.hushed(22 * 60, 7 * 60, minute) for minute in (23 * 60, 0, 6 * 60 + 59, 7 * 60, 12 * 60)]
    assert night == [True, True, True, False, False]
    with pytest.raises(Invalid):
        service.hush(town.desk(LOW), "25:00", "")
    with pytest.raises(Invalid):
        service.say(town.desk(CITY), made, "x", urgent="长" * 61)

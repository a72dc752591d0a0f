"""Search: one spelling, exact hits, the rights of the rooms, an index that may be lost at any time; the same on both stores."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from node.errors import Missing
from office.documents import service as documents
from office.documents.model import Incoming
from office.frame.desk import Desk
from office.frame.find import Validity
from office.frame.office import Office
from office.search import service
from office.search.follower import Follower, sources
from office.search.index import FINDS, SPOTS, Place, wanted
from office.search.service import Found, Wish
from office.search.spelling import marks, snippet, spelled, terms, tokens
from ops.seat import Operator
from tests.office import test_documents
from tests.office.test_documents import World, issued

pytestmark = pytest.mark.row("F5")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county."""
    with test_documents.started(tmp_path_factory.mktemp("search"), "sqlite") as found:
        yield found


def follow(world: World, node: str = "city") -> None:
    """What the clerk does when the journal has grown."""
    office = world.offices[node]
    follower = Follower(office)
    try:
        follower.follow(Desk(office))
    finally:
        follower.close()


def ask(world: World, person: str, words: str = "", **fields: object) -> Found:
    """What somebody finds, after the index has followed."""
    follow(world, world.where[person])
    return service.search(world.desk(person), Wish(words=words, **fields))  # type: ignore[arg-type]


def found(world: World, person: str, words: str = "", **fields: object) -> list[str]:
    """Ids of what somebody finds."""
    return [hit.id for hit in ask(world, person, words, **fields).hits]


def rows(office: Office) -> list[tuple[object, ...]]:
    """Everything an index says, in one order."""
    place = Place(office.settings)
    held = place.open(place.current())
    with held.engine.connect() as connection:
        said = [tuple(row) for row in connection.execute(select(FINDS).order_by(FINDS.c.id))]
        said += [tuple(row) for row in connection.execute(select(SPOTS).order_by(SPOTS.c.find, SPOTS.c.place))]
    held.engine.dispose()
    return said


def said(parts: list[tuple[str, bool]]) -> list[str]:
    """The marked parts."""
    return [text for text, marked in parts if marked]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("滨政发〔2026〕1号", "滨政发[2026]1号"),
        ("滨政发〔2026〕1号", "滨政发（２０２６）１号"),
        ("滨政发[2026]1号", "滨政发【2026】1号"),
        ("國務院關於資料庫的規定", "国务院关于资料库的规定"),
        ("关于发展的通知", "關於發展"),
        ("ＡＢＣ系统", "abc系统"),
        ("固定资产投资", "资产"),
        ("会", "会"),
    ],
)
def test_one_spelling_for_what_is_written_and_asked(written: str, asked: str) -> None:
    """Brackets, width, case and the two scripts do not hide a word, and it is marked where it stands."""
    (term,) = terms(asked)
    filed = tokens(spelled(written))
    assert set(term.whole) <= filed and all(any(token.startswith(one) for token in filed) for one in term.begun)
    assert term.plain in spelled(written)
    assert len(said(marks(written, [term]))) == 1


def test_a_word_of_digits_is_not_found_within_another() -> None:
    """1号 is not 11号, and what only stands on both sides of a full stop is no word."""
    (term,) = terms("1号")
    assert term.plain not in spelled("滨政发〔2026〕11号") and not said(marks("滨政发〔2026〕11号", [term]))
    (word,) = terms("会议")
    assert not set(word.whole) & tokens(spelled("开会。议程如下"))


def test_a_snippet_shows_the_place() -> None:
    """A long text is cut around the word, which is marked; the rest is only hinted at."""
    text = "甲" * 500 + "请做好防汛工作。" + "乙" * 500
    parts = snippet(text, terms("防汛"))
    assert said(parts) == ["防汛"] and parts[0] == parts[-1] == ("…", False)
    assert sum(len(part) for part, _ in parts) < 120


def test_two_characters_numbers_and_traditional_find(world: World) -> None:
    """A two-character word of the text, the number in any brackets and traditional characters find the document at both ends of the line."""
    doc = issued(world, title="关于数据库建设的通知", text="一、总体要求\n请抓好固定资产投资项目。")
    number = ask(world, "li", "固定资产投资").hits[0].number
    plain = "".join(text for text, _ in number)
    for words in (
        "投资",
        "固定资产投资",
        "數據庫",
        plain,
        plain.replace("〔", "[").replace("〕", "]"),
        plain.replace("〔", "(").replace("〕", ")"),
        "资",
    ):
        for person in ("li", "zhou"):
            assert doc in found(world, person, words), (words, person)
    assert doc not in found(world, "li", "投资 防洪堤坝")
    hit = next(hit for hit in ask(world, "li", "投资").hits if hit.id == doc)
    assert said(hit.snippet) == ["投资"] and hit.url == f"/documents/{doc}"


def test_longer_words_are_exact(world: World) -> None:
    """A text with all pairs of a word, but not the word, is no hit."""
    right = issued(world, title="甲件", text="人民政府办公室")
    wrong = issued(world, title="乙件", text="人民 民政 政府")
    hits = found(world, "li", "人民政府办公室")
    assert right in hits and wrong not in hits


def test_who_may_not_see_gets_the_answer_for_nothing(world: World) -> None:
    """Whatever stranger asks for a hidden document, by word or by number, gets the very answer that an invented word gets."""
    asked: tuple[tuple[str, dict[str, str]], ...] = (("canary7788", {}), ("", {"number": "gov政发"}), ("内部事项", {"organ": "市政府"}))
    before = [ask(world, "fin-gov", words, **fields) for words, fields in asked]
    assert before[0] == ask(world, "fin-gov", "查无此词甲乙丙")
    issued(world, title="关于canary7788的通知", text="canary7788 内部事项")
    assert [ask(world, "fin-gov", words, **fields) for words, fields in asked] == before
    assert found(world, "li", "canary7788") and found(world, "qian", "canary7788")
    assert not found(world, "zheng", "canary7788")


def test_whoever_is_given_a_document_finds_it(world: World) -> None:
    """A handler finds what was assigned and not before."""
    doc = issued(world, text="绿化带补种方案")
    (row,) = world.desk("zhou").list(Incoming, Incoming.doc == doc)
    documents.sign_for(world.desk("zhou"), row.id)
    documents.register(world.desk("zhou"), row.id)
    assert doc not in found(world, "zheng", "绿化带")
    documents.assign(world.desk("wu"), row.id, lead="zheng", opinion="请办。")
    assert doc in found(world, "zheng", "绿化带")


def test_a_work_secret_is_found_by_its_title_only(world: World) -> None:
    """No word of a work secret's text stands in the index."""
    doc = issued(world, title="关于某项安排的通知", text="canary3456 不得外传", label="work_secret")
    assert doc not in found(world, "li", "canary3456") and doc in found(world, "li", "某项安排")
    assert not any("canary3456" in str(value) for row in rows(world.offices["city"]) for value in row)


def test_the_same_document_is_shown_once(world: World) -> None:
    """A document that two organs of a node got is one find with two addresses."""
    doc = issued(world, title="关于一件两收的通知", to=("cgov", "cgov-fin"))
    follow(world, "county1")
    (hit,) = service.search(Operator(world.offices["county1"], tracks=False), Wish(words="一件两收")).hits
    assert hit.id == doc and len(hit.also) == 1


def test_fields_narrow_and_validity_follows(world: World) -> None:
    """Kind, organ, direction, days and validity narrow; a recall and a void are shown as such at once."""
    doc = issued(world, title="关于字段的通知")
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    inside: list[dict[str, object]] = [
        {"kind": "notice"},
        {"organ": "市政府"},
        {"organ": "gov"},
        {"direction": "out"},
        {"validity": "force"},
        {"since": today, "until": today},
    ]
    outside: list[dict[str, object]] = [
        {"kind": "reply"},
        {"organ": "县政府"},
        {"direction": "in"},
        {"validity": "void"},
        {"until": today - dt.timedelta(days=1)},
        {"since": today + dt.timedelta(days=1)},
    ]
    assert all(doc in found(world, "li", "字段", **fields) for fields in inside)
    assert not any(doc in found(world, "li", "字段", **fields) for fields in outside)
    documents.recall(world.desk("li"), doc, reason="有误。")
    world.carry()
    for person in ("li", "zhou"):
        assert next(hit for hit in ask(world, person, "字段").hits if hit.id == doc).validity == Validity.RECALLED
    documents.void(world.desk("li"), doc, reason="作废。")
    assert found(world, "li", "字段", validity="void") == [doc] and doc not in found(world, "li", "字段", validity="force")


def test_what_was_repealed_is_shown_as_such_at_both_ends(world: World) -> None:
    """A repealed document stays findable, marked so at its issuer and wherever it was sent."""
    doc = issued(world, title="关于有效性的通知")
    documents.lapse(world.desk("zhao"), doc, change="repealed", reason="已有新规定。")
    world.carry()
    for person in ("li", "zhou"):
        assert found(world, person, "有效性", validity="repealed") == [doc]
        assert not found(world, person, "有效性", validity="force")


def test_newest_first_page_by_page(world: World) -> None:
    """Pages follow each other without a gap or a double, the newest document first."""
    docs = [issued(world, title=f"关于翻页第{n}件的通知") for n in range(5)]
    follow(world)
    pages = [service.search(world.desk("li"), Wish(words="翻页"), limit=2, offset=at) for at in (0, 2, 4)]
    assert [hit.id for page in pages for hit in page.hits] == docs[::-1]
    assert [page.more for page in pages] == [True, True, False]


def test_a_changed_draft_is_found_by_its_new_words_only(world: World) -> None:
    """The words that were taken out find nothing any more."""
    doc = documents.draft(world.desk("qian"), test_documents.paper(text="旧词语若干"))
    assert doc in found(world, "qian", "旧词语")
    documents.revise(world.desk("qian"), doc, test_documents.paper(text="新说法若干"))
    assert doc not in found(world, "qian", "旧词语") and doc in found(world, "qian", "新说法")


def test_losing_the_index_loses_nothing(world: World) -> None:
    """An index built again from the first entry says what the one said that grew with the journal."""
    follow(world)
    office = world.offices["city"]
    before = rows(office)
    place = Place(office.settings)
    with place.open(place.current(), write=True).engine.begin() as connection:
        for table in (FINDS, SPOTS):
            connection.execute(table.delete().where(table.c[table.primary_key.columns.keys()[0]] > 0))
        connection.exec_driver_sql("DROP TABLE words")
        connection.exec_driver_sql("UPDATE state SET at = 0")
    follow(world)
    assert rows(office) == before and before


def test_doing_it_twice_is_doing_it_once(world: World) -> None:
    """After a crash before the cursor moved the same entries come again; nothing changes, and no word is filed twice."""
    office = world.offices["city"]
    follow(world)
    before, hits = rows(office), found(world, "li", "通知")
    place = Place(office.settings)
    place.open(place.current(), write=True).move(0, whole=True)
    follow(world)
    assert rows(office) == before and found(world, "li", "通知") == hits


def test_an_index_ahead_of_the_journal_is_made_again(world: World) -> None:
    """After a restore the journal may be shorter than what the index has followed: a new generation is built and says the same."""
    office = world.offices["city"]
    follow(world)
    before, place = rows(office), Place(office.settings)
    name = place.current()
    place.open(name, write=True).move(10**9, whole=True)
    follow(world)
    assert place.current() != name and rows(office) == before and found(world, "li", "通知")


def test_the_old_index_answers_while_a_new_one_is_built(world: World) -> None:
    """An index of another version answers, and says that it is not the whole; when the new one has caught up it takes over."""
    office = world.offices["county1"]
    doc = issued(world, text="换代期间可查")
    follow(world, "county1")
    place = Place(office.settings)
    new, old = place.current(), "s1-v0-00000000-g1"
    if place.files:
        for tail in ("", "-wal", "-shm"):
            shutil.move(office.settings.path("search", f"{new}.db{tail}"), office.settings.path("search", f"{old}.db{tail}"))
    else:
        with place.open(new).engine.begin() as connection:
            connection.exec_driver_sql(f'ALTER SCHEMA "{place.schema(new)}" RENAME TO "{place.schema(old)}"')
    place.pointer.write_text(old)
    answer = service.search(world.desk("zhou"), Wish(words="换代"))
    assert [hit.id for hit in answer.hits] == [doc] and not answer.whole
    follow(world, "county1")
    assert place.current().startswith(wanted(sources(office))) and place.current().endswith("-g2")
    answer = service.search(world.desk("zhou"), Wish(words="换代"))
    assert [hit.id for hit in answer.hits] == [doc] and answer.whole


def test_without_an_index_it_says_so(world: World) -> None:
    """Before the first index there is an error that says what is missing, not an empty answer."""
    office = world.offices["county1"]
    follow(world, "county1")
    pointer = Place(office.settings).pointer
    name = pointer.read_text()
    pointer.unlink()
    with pytest.raises(Missing):
        service.search(world.desk("zhou"), Wish(words="通知"))
    pointer.write_text(name)

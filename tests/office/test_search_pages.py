"""Search on a running portal, its index kept by a running clerk: the box, the page, the face for programs and the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.city import ROOT, wait
from tests.office import test_documents_pages
from tests.office.test_documents_pages import issued
from tests.portal.house import Browser, House, opened, seated

pytestmark = pytest.mark.row("F5")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with its clerk at work."""
    with opened(tmp_path_factory.mktemp("s"), *test_documents_pages.LOGINS) as made:
        made.home.start("clerk")
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, test_documents_pages.LOGINS, "/search")


def items(person: Browser, words: str, **fields: str) -> list[dict[str, object]]:
    """What the face for programs answers."""
    more = "".join(f"&{name}={quote(value)}" for name, value in fields.items())
    reply = person.get(f"/api/v1/search?q={quote(words)}{more}")
    assert reply.status == 200, reply.text
    return list(reply.json["items"])


def test_what_was_issued_is_found_without_anybody_asking_for_an_index(people: dict[str, Browser]) -> None:
    """A document that was just issued is soon found by its issuer and its recipient, and by nobody else."""
    doc = issued(people, title="关于查询演示的函", body="请提供水利设施资料。")
    wait(lambda: items(people["chengxue"], "水利"), why="the clerk did not index it")
    (hit,) = items(people["chengxue"], "水利设施")
    assert (hit["doc"], hit["url"], hit["directions"]) == (doc, f"/documents/{doc}", ["out"])
    assert {"text": "水利设施", "mark": True} in hit["snippet"]  # type: ignore[operator]
    wait(lambda: items(people["xuegang"], "水利"))
    assert items(people["xuegang"], "水利")[0]["directions"] == ["in"]
    nothing = people["fanxiaohong"].get("/api/v1/search?q=" + quote("查无此词")).json
    assert people["fanxiaohong"].get("/api/v1/search?q=" + quote("水利")).json | {"query": ""} == nothing | {"query": ""}


def test_the_page_marks_words_and_says_what_to_try(people: dict[str, Browser]) -> None:
    """The box stands on every page; finds are marked and lead to the document; an empty answer says what to try, in both languages."""
    doc = issued(people, title="关于页面标记的函", body="城市更新行动。")
    wait(lambda: items(people["chengxue"], "城市更新"))
    assert 'class="top-search"' in people["chengxue"].get("/").text
    page = people["chengxue"].get("/search?q=" + quote("城市")).text
    assert "<mark>城市</mark>" in page and f'href="/documents/{doc}"' in page
    empty = people["chengxue"].get("/search?q=" + quote("查无此词") + "&kind=letter").text
    assert "换一个更短的词" in empty and "去掉范围限制再查" in empty
    assert "Try a shorter word" in people["chengxue"].get("/search?q=zzzz", Accept_Language="en").text
    assert "<script>" not in people["chengxue"].get("/search?q=" + quote("<script>alert(1)</script>城市")).text


def test_bad_questions_are_told_so(people: dict[str, Browser]) -> None:
    """A day or a choice that is none is named; a program that asks for nothing is refused; strange characters break nothing."""
    person = people["chengxue"]
    for query in ("q=a&from=2026-99-99", "q=a&direction=sideways", ""):
        assert person.get(f"/api/v1/search?{query}").status == 422, query
    assert "日期应写成" in person.get("/search?q=a&from=x").text
    for words in ('"', "'", "AND OR NOT", "*", "a" * 5000, "会" * 500, "\ue000h", "𠮷", "〔〕", "%00", "城市 \\ ' | &"):
        reply = person.get("/api/v1/search?q=" + quote(words))
        assert reply.status == 200, (words, reply.text)
        assert person.get("/search?q=" + quote(words)).status == 200


def test_the_command_finds_the_same(house: House, people: dict[str, Browser]) -> None:
    """yiwang search answers what the page answers, as a person and for whoever runs the machine."""
    doc = issued(people, title="关于命令查询的函", body="河道清淤。")
    wait(lambda: items(people["chengxue"], "河道清淤"))
    command = [sys.executable, "-m", "ops.cli", "--home", str(house.settings.home), "--json", "search", "河道清淤"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    said = json.loads(done.stdout)
    assert done.returncode == 0 and said["ok"] and [item["doc"] for item in said["items"]] == [doc], done.stderr

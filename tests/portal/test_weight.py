"""What a browser has to fetch before somebody on a thin line can work."""

from __future__ import annotations

import re

import pytest

from tests.portal.house import Browser, House

FIRST = 300_000
"Bytes of a first visit, docs/capabilities.md H7."


def weight(one: Browser, path: str) -> int:
    """Bytes of a page and of every file it fetches, as they travel."""
    page = one.get(path, Accept_Encoding="gzip")
    total, todo, seen = len(page.body), re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text), set[str]()
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        seen.add(file)
        total += len(one.get(file, Accept_Encoding="gzip").body)
        if file.endswith(".js"):
            todo += [file.rsplit("/", 1)[0] + "/" + name for name in re.findall(r'from "\./([\w.]+)"', one.get(file).text)]
    assert any(file.endswith(".css") for file in seen)
    assert sum(file.endswith(".js") for file in seen) > 3
    return total


@pytest.mark.row("H7")
@pytest.mark.parametrize("path", ["/", "/incoming", "/documents", "/documents/new", "/people"])
def test_a_first_visit_is_light(house: House, path: str) -> None:
    """Any page with all it needs weighs less than 300 kB for a browser that has nothing yet."""
    one = house.enter("zhoulixin")
    assert one.get(path).status == 200
    total = weight(one, path)
    assert total < FIRST, f"{path} weighs {total} bytes"


@pytest.mark.row("H7")
def test_files_travel_packed_and_once(house: House) -> None:
    """Script and style come packed and may be kept for a year under their address."""
    one = house.enter("zhoulixin")
    for file in set(re.findall(r'(?:href|src)="(/static/[^"#]+\.(?:css|js))', one.get("/").text)):
        reply = one.get(file, Accept_Encoding="gzip")
        assert reply.headers["content-encoding"] == "gzip"
        assert "immutable" in reply.headers["cache-control"]
        assert len(reply.body) < len(one.get(file).body)

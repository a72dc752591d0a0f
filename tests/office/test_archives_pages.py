"""The pages of archives on a running portal: filing by forms, who sees what, the package as a download."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import pytest

from tests.office import test_documents_pages
from tests.office.test_documents_pages import issued
from tests.portal.house import Browser, House, opened, seated


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with its people."""
    with opened(tmp_path_factory.mktemp("a"), *test_documents_pages.LOGINS) as made:
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, test_documents_pages.LOGINS, "/me")


@pytest.mark.row("F1")
def test_filing_lending_testing_and_handing_over_by_forms(people: dict[str, Browser]) -> None:
    """What was issued is proposed with its reason, filed under a code, tested and packed; each page says where it stands."""
    clerk = people["chengxue"]
    issued(people, title="关于归档演示的函")
    page = clerk.get("/archives").text
    assert "登记全宗号" in page and "关于归档演示的函" in page and "本机关的一般性通知和函" in page
    assert clerk.post("/archives/fonds", organ="bz-fgw", fonds="Z20", section="BGS").status == 303
    item = re.search(r'name="item" value="([0-9a-f-]{36})"', page)
    assert item
    url = f"/archives/{item[1]}"
    assert clerk.post("/archives/arrange", **{"item": item[1], f"retention-{item[1]}": "D30", "openness": "later"}).status == 303
    page = clerk.get(url).text
    assert re.search(r"Z20-WS·\d{4}-D30-BGS-0001", page) and "已归档" in page and "拟稿" in page
    assert clerk.post(f"{url}/test").status == 303
    assert "通过" in clerk.get(url).text and "Four-property test" in clerk.get(url, Accept_Language="en").text
    assert people["fanxiaohong"].get(url).status == 404
    assert clerk.post(f"{url}/lend", person="majun.bz", purpose="查阅", until="2099-01-01").status == 422
    reply = clerk.post("/archives/package", item=item[1])
    assert reply.status == 200, reply.text
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert {"index.html", "checksums.sha256", "yiwang-verify.py", "root.pem", "清册.csv"} <= set(archive.namelist())
    assert clerk.post(f"{url}/destroy").status == 404 and clerk.post("/archives/lists", item=item[1], reason="x").status == 403
    said = clerk.get("/archives.json?tab=kept").json
    assert (said["filed"], said["accepted"]) == (1, 0)
    for tab in ("proposed", "kept", "expired", "out", "lists"):
        assert clerk.get(f"/archives?tab={tab}").status == 200 == clerk.get(f"/archives.json?tab={tab}").status


@pytest.mark.row("F2")
def test_a_stranger_gets_nothing(people: dict[str, Browser]) -> None:
    """Another organ's clerk sees neither items nor what one may do with them."""
    doc = issued(people, title="关于canary5512的函")
    assert "canary5512" in people["chengxue"].get("/archives").text and doc
    assert "canary5512" not in people["fanxiaohong"].get("/archives").text
    item = re.search(r'name="item" value="([0-9a-f-]{36})"', people["chengxue"].get("/archives").text)
    assert item
    for move in ("test", "leave_out", "hold", "appraise"):
        assert people["fanxiaohong"].post(f"/archives/{item[1]}/{move}", text="x").status == 404
    assert people["fanxiaohong"].post("/archives/package", item=item[1]).status == 404

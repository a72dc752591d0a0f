"""The documents pages on a running portal: the whole way by forms, who sees what, bad input, and the faces for programs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from tests.portal.house import Browser, House, build

LOGINS = ("chengxue", "majun", "xuegang", "dinghui", "fanxiaohong")
"Clerk and head of the development commission; clerk and head of the education bureau; clerk of the finance bureau."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with five people who can sign in."""
    made = build(tmp_path_factory.mktemp("d"))
    try:
        for login in LOGINS:
            made.password(login)
        yield made
    finally:
        made.home.stop()


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    found = {login: house.enter(login) for login in LOGINS}
    for person in found.values():
        assert person.get("/documents").status == 200
    return found


def form(**more: object) -> dict[str, object]:
    """What a drafter fills in."""
    values = {
        "organ": "bz-fgw",
        "kind": "letter",
        "title": "关于商请提供项目资料的函",
        "body": "一、事由\n请提供有关资料。",
        "to": ["bz-jyj"],
        "label": "internal",
        "urgency": "none",
    }
    return values | more


def drafted(person: Browser, **more: object) -> str:
    """The id of a new draft."""
    person.get("/documents/new")
    reply = person.post("/documents", **form(**more))
    assert reply.status == 303, reply.text
    return reply.headers["location"].rsplit("/", 1)[-1]


def act(person: Browser, path: str, **fields: object) -> int:
    """Press a button of a page; the status of the answer."""
    return person.post(path, **fields).status


def issued(people: dict[str, Browser], **more: object) -> str:
    """A document that has been signed and dispatched."""
    doc = drafted(people["chengxue"], **more)
    assert act(people["chengxue"], f"/documents/{doc}/submit") == 303
    assert act(people["chengxue"], f"/documents/{doc}/review", text="可发。") == 303
    assert act(people["majun"], f"/documents/{doc}/sign", text="同意。") == 303
    assert act(people["chengxue"], f"/documents/{doc}/issue", prefix=prefix(people["chengxue"], doc)) == 303
    return doc


def prefix(person: Browser, doc: str) -> str:
    """The first number series that the page offers."""
    found = re.search(r'<option value="([^"]+)"[^>]*>[^<]*〔', person.get(f"/documents/{doc}").text)
    assert found
    return found[1]


def test_a_document_goes_out_and_comes_in_by_forms_alone(people: dict[str, Browser]) -> None:
    """Without any script a document is drafted, signed, sent, signed for, assigned, answered and closed; every page shows where it stands."""
    doc = issued(people)
    page = people["chengxue"].get(f"/documents/{doc}").text
    assert "已核发" in page and "〕1号" in page and "送达和办理情况" in page and "市教育局" in page
    register = people["xuegang"].get("/incoming").text
    link = re.search(r'href="(/incoming/[0-9a-f-]{36})"[^>]*>关于商请提供项目资料的函', register)
    assert link, register
    url = link[1]
    assert "签收" in people["xuegang"].get(url).text
    assert act(people["xuegang"], f"{url}/sign_for") == 303
    assert act(people["xuegang"], f"{url}/register", to_handle="1") == 303
    assert act(people["xuegang"], f"{url}/assign", lead="dinghui.bz", text="请办。") == 303
    assert act(people["dinghui"], f"{url}/answer", text="资料已备齐。", close_too="1") == 303
    assert "办结" in people["dinghui"].get(url).text
    page = people["majun"].get(f"/documents/{doc}").text
    assert "资料已备齐" in page and "办理反馈" in page


def test_foreign_ids_look_missing_on_every_page(people: dict[str, Browser]) -> None:
    """A clerk of another organ gets for a document that exists the very answer that an invented id gets."""
    doc = issued(people, title="关于内部事项的函", body="canary-7731")
    stranger = people["fanxiaohong"]
    paths = (
        "/documents/{}",
        "/documents/{}/edit",
        "/documents/{}/matrix",
        "/documents/{}/print",
        "/documents/{}/annexes/0",
        "/documents/{}/correct",
        "/incoming/{}",
    )
    for path in (*paths, "/api/v1/docs/{}", "/api/v1/docs/{}/receipts"):
        real, invented = stranger.get(path.format(doc)), stranger.get(path.format(uuid.uuid4()))
        assert real.status == invented.status == 404, path
        assert "canary" not in real.text and len(real.body) == len(invented.body), path
    for move in ("submit", "sign", "recall", "void", "issue", "edit"):
        assert stranger.post(f"/documents/{doc}/{move}", text="x", **form()).status == 404
    for path in ("/documents?tab=issued", "/incoming", "/api/v1/inbox", "/documents?tab=issued&q=%E5%86%85%E9%83%A8"):
        assert "canary" not in stranger.get(path).text and doc not in stranger.get(path).text


BAD = [
    ({"title": ""}, 303, "submit"),
    ({"title": "长" * 201}, 413, ""),
    ({"body": "长" * 30_001}, 413, ""),
    ({"kind": "poem"}, 422, ""),
    ({"label": "secret"}, 422, ""),
    ({"urgency": "lightning"}, 422, ""),
    ({"due": "tomorrow"}, 422, ""),
    ({"body": "机密★1年\n某事。"}, 403, ""),
    ({"organ": "bz-zf"}, 403, ""),
    ({"organ": ""}, 403, ""),
]


@pytest.mark.parametrize(("wrong", "status", "then"), BAD)
def test_bad_forms_are_refused_in_words(people: dict[str, Browser], wrong: dict[str, object], status: int, then: str) -> None:
    """What is missing, too long, of a wrong type or not allowed never gets past the form, and never is an error of the server."""
    people["chengxue"].get("/documents/new")
    reply = people["chengxue"].post("/documents", **form(**wrong))
    assert reply.status == status, reply.text[:2000]
    if then:
        doc = reply.headers["location"].rsplit("/", 1)[-1]
        assert people["chengxue"].post(f"/documents/{doc}/{then}").status == 422


def test_script_in_a_document_is_text(people: dict[str, Browser]) -> None:
    """Markup in a title, text or reason is shown as it was typed and never becomes part of the page."""
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    doc = drafted(people["chengxue"], title=evil, body=evil)
    for path in (f"/documents/{doc}", f"/documents/{doc}/edit", f"/documents/{doc}/edit?preview=1", f"/documents/{doc}/print", "/documents"):
        page = people["chengxue"].get(path)
        assert page.status == 200 and "<script>alert" not in page.text and "<img src=x" not in page.text, path
        assert "&lt;script&gt;" in page.text, path


def test_a_form_that_is_behind_is_told_so(people: dict[str, Browser]) -> None:
    """Who saves over a draft that somebody changed meanwhile is told, and nothing is lost."""
    doc = drafted(people["chengxue"])
    seen = re.search(r'name="version" value="(\d+)"', people["chengxue"].get(f"/documents/{doc}/edit").text)
    assert seen
    assert people["chengxue"].post(f"/documents/{doc}/edit", **form(title="先改的", version=seen[1])).status == 303
    assert people["chengxue"].post(f"/documents/{doc}/edit", **form(title="后改的", version=seen[1])).status == 409
    assert "先改的" in people["chengxue"].get(f"/documents/{doc}").text


def test_files_go_in_and_come_out_byte_for_byte(people: dict[str, Browser]) -> None:
    """An uploaded file is attached, downloaded by the recipient as it was, and never shown as a page."""
    content = bytes(range(256)) * 1000
    boundary = uuid.uuid4().hex
    person = people["chengxue"]
    person.get("/documents/new")
    parts = [("csrf", person.csrf), *((k, v) for k, v in form(title="关于附件的函").items() if k != "to"), ("to", "bz-jyj")]
    body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in parts)
    body += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="../../表 <b>.html"\r\nContent-Type: text/html\r\n\r\n'.encode()
        + content
    )
    body += f"\r\n--{boundary}--\r\n".encode()
    reply = person.ask("POST", "/documents", body, Content_Type=f"multipart/form-data; boundary={boundary}")
    assert reply.status == 303, reply.text
    doc = reply.headers["location"].rsplit("/", 1)[-1]
    for move, who, fields in (("submit", "chengxue", {}), ("review", "chengxue", {}), ("sign", "majun", {}), ("dispatch", "chengxue", {})):
        assert act(people[who], f"/documents/{doc}/{move}", **fields) == 303, move
    got = people["xuegang"].get(f"/documents/{doc}/annexes/0")
    assert got.status == 200 and got.body == content
    assert got.headers["content-disposition"].startswith("attachment") and "nosniff" in got.headers["x-content-type-options"]
    assert people["fanxiaohong"].get(f"/documents/{doc}/annexes/0").status == 404


def test_programs_send_read_and_receipt(people: dict[str, Browser]) -> None:
    """The API issues in one step, once for one key, lists the inbox, and takes receipts."""
    key = str(uuid.uuid4())
    head, clerk = people["majun"], people["xuegang"]
    asked = {"to": ["bz-jyj"], "kind": "letter", "title": "关于接口的函", "text": "正文", "attachments": []}
    head.get("/documents")

    def post(person: Browser, path: str, body: dict[str, object], key: str) -> tuple[int, dict[str, object]]:
        reply = person.ask("POST", path, body, Content_Type="application/json", X_CSRF_Token=person.csrf, Idempotency_Key=key)
        return reply.status, reply.json

    status, first = post(head, "/api/v1/docs", asked, key)
    assert status == 201 and first["doc"] == key
    assert post(head, "/api/v1/docs", asked, key)[1]["ref"] == first["ref"]
    assert post(head, "/api/v1/docs", asked | {"title": "另一件的函"}, key)[0] == 409
    assert post(people["chengxue"], "/api/v1/docs", asked, str(uuid.uuid4()))[0] == 403
    status, problem = post(head, "/api/v1/docs", asked | {"label": "secret"}, str(uuid.uuid4()))
    assert status == 403 and problem["code"] == "label_refused"
    rows = clerk.get("/api/v1/inbox").json["items"]
    assert key in [row["doc"] for row in rows]
    clerk.get("/incoming")
    act_key = str(uuid.uuid4())
    assert post(clerk, f"/api/v1/docs/{key}/receipts", {"action": "finish"}, act_key)[0] == 409
    status, signed = post(clerk, f"/api/v1/docs/{key}/receipts", {"action": "sign"}, act_key)
    assert status == 201
    assert post(clerk, f"/api/v1/docs/{key}/receipts", {"action": "sign"}, act_key)[1]["ref"] == signed["ref"]
    (row,) = head.get(f"/api/v1/docs/{key}/receipts").json["by_recipient"]
    assert row["signed"] == signed["ref"] and row["delivered"] and row["answered"] is None


def test_every_page_speaks_english(house: House) -> None:
    """With English asked for, no Chinese word of the program is left on a page of documents."""
    one = house.browser(language="en")
    assert one.enter("chengxue", house.people["chengxue"]).status == 303
    for path in ("/documents", "/incoming", "/documents?tab=issued"):
        text = re.sub(r"<[^>]+>", " ", one.get(path).text)
        assert "Outgoing" in text or "Incoming" in text
        assert "发文登记簿" not in text and "收文登记簿" not in text

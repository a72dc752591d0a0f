"""The documents pages on a running portal: the whole way by forms, who sees what, bad input, and the faces for programs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from tests.portal.house import Browser, House, Reply, opened, seated

LOGINS = ("chengxue", "majun", "xuegang", "dinghui", "fanxiaohong")
"Clerk and head of the development commission; clerk and head of the education bureau; clerk of the finance bureau."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with five people who can sign in."""
    with opened(tmp_path_factory.mktemp("d"), *LOGINS) as made:
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, LOGINS, "/documents")


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


def act(browser: Browser, path: str, **fields: object) -> int:
    """Press a button of a page; the status of the answer."""
    return browser.ask("POST", path, {"csrf": browser.csrf, **fields}).status


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


def sent_with(person: Browser, path: str, name: str, content: bytes, under: str = "files", **fields: object) -> Reply:
    """The answer to a form that was sent with a file."""
    boundary = uuid.uuid4().hex
    person.get("/documents/new")
    given = [(k, one) for k, v in fields.items() for one in (v if isinstance(v, list) else [v])]
    parts = [("csrf", person.csrf), *given]
    body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in parts)
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="{under}"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'.encode()
    body += content + f"\r\n--{boundary}--\r\n".encode()
    return person.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={boundary}")


@pytest.mark.parametrize("wrong", [{"title": "长" * 201}, {"due": "tomorrow"}, {"kind": "poem"}])
def test_a_file_chosen_before_a_refused_save_is_not_asked_for_again(people: dict[str, Browser], wrong: dict[str, object]) -> None:
    """The form comes back with what was typed and the file that was sent; saved with nothing but the mended field, the draft has the file."""
    person = people["chengxue"]
    refused = sent_with(person, "/documents", "附表.txt", b"kept", **form(**wrong))
    assert refused.status in (413, 422) and "刚才上传的附件" in refused.text and "请提供有关资料" in refused.text
    held = re.search(r'name="held" value="([0-9a-f]{64})"', refused.text)
    assert held
    reply = person.post("/documents", held=held[1], **form(title="关于留住附件的函"))
    assert reply.status == 303, reply.text
    doc = reply.headers["location"].rsplit("/", 1)[-1]
    assert person.get(f"/documents/{doc}/annexes/0").body == b"kept"
    stolen = people["xuegang"]
    stolen.get("/documents/new")
    other = stolen.post("/documents", held=held[1], **form(organ="bz-jyj", to=["bz-fgw"]))
    assert other.status == 303 and stolen.get(other.headers["location"] + "/annexes/0").status == 404


def test_the_seven_steps_by_forms(people: dict[str, Browser]) -> None:
    """Each step of the incoming sheet is offered in its time, done by its form, and named in the account in either language."""
    doc = issued(people, title="关于七步的函", due="2099-01-01", reply_required="1")
    clerk, head = people["xuegang"], people["dinghui"]
    link = re.search(r'href="(/incoming/[0-9a-f-]{36})"[^>]*>关于七步的函', clerk.get("/incoming").text)
    assert link
    url = link[1]
    for move, word in (("sign_for", "签收"), ("register", "登记为"), ("examine", "初审意见"), ("propose", "拟办意见")):
        assert word in clerk.get(url).text, move
        assert act(clerk, f"{url}/{move}", text="拟请办理。", leader="dinghui.bz", to_handle="1") == 303
    assert "批示" in head.get(url).text and act(head, f"{url}/instruct", text="同意。") == 303
    assert act(clerk, f"{url}/circulate", readers=["dinghui.bz"], in_turn="1") == 303
    assert "现在在：" in clerk.get(url).text and act(head, f"{url}/read", text="已阅。") == 303
    assert act(clerk, f"{url}/assign", lead="dinghui.bz", due="5wd") == 303
    assert act(clerk, f"{url}/urge", person="dinghui.bz", channel="phone", text="请抓紧。") == 303
    urge = re.search(r'name="urge" value="([0-9a-f]+)"', head.get(url).text)
    assert urge and act(head, f"{url}/answer_urge", urge=urge[1], text="今日办完。") == 303
    assert act(clerk, f"{url}/extend", until="2099-02-01", text="材料不齐。") == 303
    issuer = people["chengxue"].get(f"/documents/{doc}").text
    asked = re.search(r'name="asked" value="([0-9a-f]+)"', issuer)
    assert asked and act(people["chengxue"], f"/documents/{doc}/decide", asked=asked[1], granted="1") == 303
    assert act(people["chengxue"], f"/documents/{doc}/urge", organ="bz-jyj", channel="sms") == 303
    assert act(clerk, f"{url}/paper", copies="2", numbers="000001", place="柜一") == 303
    assert act(head, f"{url}/answer", text="已办。", close_too="1") == 303
    page = clerk.get(url).text
    for word in (
        "签收",
        "登记",
        "初审",
        "拟办",
        "批示",
        "传阅",
        "已阅",
        "分办",
        "催办",
        "答复催办",
        "申请延期",
        "答复延期",
        "纸质件到",
        "办理反馈",
        "办结",
    ):
        assert f"<b>{word}</b>" in page, word
    assert page.count("2099-02-01 23:59") >= 2


def test_files_go_in_and_come_out_byte_for_byte(people: dict[str, Browser]) -> None:
    """An uploaded file is attached, downloaded by the recipient as it was, and never shown as a page."""
    content = bytes(range(256)) * 1000
    reply = sent_with(people["chengxue"], "/documents", "../../表 <b>.html", content, **form(title="关于附件的函"))
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

"""The designer over a real portal: drawn, checked, tried, published, compared, exported, imported."""

from __future__ import annotations

import re
from typing import Any

import pytest

from office.frame.flow import bpmn
from office.frame.flow.template import digest_of
from tests.flow.play import shipped_for
from tests.portal.house import Browser, House

OUTGOING = digest_of(shipped_for("documents.outgoing")).hex()


@pytest.fixture(scope="module")
def clerk(house: House) -> Browser:
    """The clerk who draws flows."""
    one = house.enter("lixiaoyan")
    one.get("/me")
    return one


def begin(clerk: Browser) -> str:
    """A draft of the next version of the outgoing flow; its address."""
    return clerk.post(f"/flows/versions/{OUTGOING}/draft").headers["location"]


def form(clerk: Browser, draft: str, step: str, **changed: Any) -> dict[str, Any]:
    """The fields of a step as its page shows them, some of them changed."""
    page = clerk.get(f"{draft}?step={step}").text
    part = page[page.index('id="edit"') : page.index("保存环节")]
    fields: dict[str, Any] = {name: value for name, value in re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', part) if name != "when"}
    for name, body in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', part, re.DOTALL):
        if name != "to":
            fields[name] = re.findall(r'<option value="([^"]*)" selected', body) or ""
    fields["when"] = re.findall(r'<input name="when" value="([^"]*)"', part)
    fields["to"] = [re.search(r'<option value="([^"]*)" selected', row)[1] if " selected" in row else "-" for row in part.split('name="to"')[1:]]  # type: ignore[index]
    return {name: value for name, value in (fields | changed).items() if name != "csrf"}


@pytest.mark.row("C1")
def test_a_clerk_changes_a_flow_checks_it_and_publishes_a_version(clerk: Browser) -> None:
    """A step is added and filled in, a mistake is found in words and mended, the version is in use and says what changed."""
    draft = begin(clerk)
    added = clerk.post(f"{draft}/steps", after="review").headers["location"]
    step = re.search(r"step=(\w+)", added)[1]  # type: ignore[index]
    assert clerk.post(f"{draft}/steps/{step}", **form(clerk, draft, step, zh="分管副秘书长审阅", who=[])).status == 303
    page = clerk.get(draft)
    assert "“分管副秘书长审阅”没有办理人" in page.text and "还有 1 处要改" in page.text
    assert clerk.post(f"{draft}/publish", text="加一道审阅").status == 403
    clerk.post(f"{draft}/steps/{step}", **form(clerk, draft, step, zh="分管副秘书长审阅", who=["post:bz-zf-msz"]))
    assert "可以发布" in clerk.get(draft).text
    assert clerk.post(f"{draft}/publish", text="加一道审阅").status == 303
    shown = clerk.get("/flows/documents.outgoing.json").json
    assert [one["note"] for one in shown["versions"]] == ["加一道审阅", "随程序提供"]
    latest = shown["versions"][0]["digest"]
    assert clerk.get(f"/flows/versions/{latest}.json").json["changes"] == [
        "环节“办公室审核”的走向由“签发”改为“分管副秘书长审阅”。",
        "新增环节“分管副秘书长审阅”。",
    ]
    assert clerk.get(draft).status == 404


def test_saving_a_step_unchanged_changes_nothing(clerk: Browser) -> None:
    """Every step's form, sent as it is shown, leaves the draft as it was."""
    draft = begin(clerk)
    before = clerk.get(draft + ".json").json["template"]
    for step in before["steps"]:
        assert clerk.post(f"{draft}/steps/{step['id']}", **form(clerk, draft, step["id"])).status == 303
    assert clerk.get(draft + ".json").json["template"] == before
    clerk.post(f"{draft}/drop")


def test_a_draft_is_tried_on_a_matter_that_is_not_there(clerk: Browser) -> None:
    """Step by step it is seen who would have it and until when; the fact chosen decides the way; nothing is kept."""
    draft = begin(clerk)
    page = clerk.get(f"{draft}/trial?f_normative=1&organ=bz-zf&acts=p:draft.1.0")
    assert "合法性审核" in page.text and "规范性文件合法性审核（15wd）" in page.text and "公平竞争审查" in page.text
    page = clerk.get(f"{draft}/trial?organ=bz-zf&acts=p:draft.1.0,p:review.1.0")
    assert "周立新" in page.text and "签发人" in page.text
    again = clerk.get(f"{draft}/trial?organ=bz-zf&acts=p:draft.1.0,p:review.1.0,b:sign.1.0.json", Accept="application/json")
    assert again.status == 200
    wrong = clerk.get(f"{draft}/trial?organ=bz-zf&acts=p:sign.1.0")
    assert wrong.status == 200 and "从头再走" in wrong.text
    clerk.post(f"{draft}/drop")


def test_a_flow_goes_out_as_bpmn_and_comes_back(clerk: Browser) -> None:
    """What is exported is imported as a draft that differs in nothing; what does not belong is refused in words."""
    file = clerk.get(f"/flows/versions/{OUTGOING}/file")
    assert "attachment" in file.headers["content-disposition"]
    assert bpmn.read(file.body) == shipped_for("documents.outgoing")
    taken = upload(clerk, file.body)
    assert taken.status == 303
    draft = taken.headers["location"]
    assert bpmn.read(clerk.get(f"{draft}/file").body) == shipped_for("documents.outgoing")
    clerk.post(f"{draft}/drop")
    refused = upload(clerk, file.body.replace(b"bpmn:userTask", b"bpmn:scriptTask"))
    assert refused.status == 422 and "scriptTask" in refused.text


def upload(clerk: Browser, data: bytes) -> Any:
    """Send a file to be imported."""
    edge = "----edge"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{clerk.csrf}\r\n--{edge}\r\n'
    head += 'Content-Disposition: form-data; name="file"; filename="flow.bpmn"\r\nContent-Type: application/xml\r\n\r\n'
    return clerk.ask(
        "POST", "/flows/import", head.encode() + data + f"\r\n--{edge}--\r\n".encode(), Content_Type=f"multipart/form-data; boundary={edge}"
    )


def test_whoever_does_not_keep_the_flows_only_looks(house: House) -> None:
    """The mayor sees the flows; drafting, importing and publishing are refused, drafts are not there."""
    clerk, mayor = house.enter("lixiaoyan"), house.enter("zhoulixin")
    clerk.get("/me")
    mayor.get("/me")
    draft = begin(clerk)
    assert "改一版" not in mayor.get("/flows/documents.outgoing").text
    assert mayor.get(f"/flows/versions/{OUTGOING}").status == 200
    assert mayor.post(f"/flows/versions/{OUTGOING}/draft").status == 403
    assert upload(mayor, b"<a/>").status in (403, 422)
    assert [mayor.get(draft).status, mayor.post(f"{draft}/publish", text="x").status] == [404, 404]
    clerk.post(f"{draft}/drop")


def test_a_flow_from_nothing_and_its_end(clerk: Browser) -> None:
    """A new flow of two steps is published and retired again; running matters would go on."""
    draft = clerk.post("/flows/new", use="general", name="借用会议室").headers["location"]
    fact = {"fact_id": ["days"], "fact_zh": ["天数"], "fact_en": ["Days"], "fact_shape": ["number"]}
    clerk.post(f"{draft}/general", zh="借用会议室", use="general", first="s1", **fact)
    assert clerk.post(f"{draft}/publish", text="第一版").status == 303
    rows = {one["name"]["zh"]: one for one in clerk.get("/flows.json").json["templates"]}
    id = rows["借用会议室"]["id"]
    assert clerk.post(f"/flows/{id}/retire", text="不再需要").status == 303
    assert "已停用" in clerk.get(f"/flows/{id}").text
    assert clerk.post(f"/flows/{id}/retire", text="不再需要").status == 409

"""The writing rules of §14–17 as a table: what is right passes, what is wrong is named, and every refusal offers the lawful way."""

from __future__ import annotations

import pytest

from node.directory.entries import Organ
from office.documents import routing
from office.documents.entries import Annex, Cited, Paper
from office.documents.rules import Route, check
from office.frame.words import speaking

TREE = {
    "gov": ("government", "city", "市政府", ""),
    "office": ("department", "city", "市政府办公室", "gov"),
    "fin": ("department", "city", "市财政局", "gov"),
    "edu": ("department", "city", "市教育局", "gov"),
    "sec": ("section", "city", "市财政局预算科", "fin"),
    "npc": ("congress", "city", "市人大常委会", ""),
    "party": ("party", "city", "市委", ""),
    "cgov": ("government", "county", "县政府", "gov"),
    "cfin": ("department", "county", "县财政局", "cgov"),
    "cgov2": ("government", "county", "二县政府", "gov"),
    "town": ("government", "township", "镇政府", "cgov"),
}


def organ(id: str) -> Organ:
    """An organ of the table."""
    kind, tier, name, above = TREE[id]
    return Organ(id, "", name, name, kind, tier, "", above, "", "", "n", kind != "section", (), "", 0)


def above(id: str) -> tuple[str, ...]:
    """The organs over one, nearest first."""
    found, at = [], TREE[id][3]
    while at:
        found.append(at)
        at = TREE[at][3]
    return tuple(found)


def found(issuer: str, kind: str, to: str, cc: str = "", **more: object) -> set[str]:
    """Codes of what the rules refuse or warn of."""
    named, copies = tuple(to.split()), tuple(cc.split())
    values = {"title": "关于某事的文", "text": "正文。", "in_reply_to": "x" if kind == "reply" else ""} | more
    paper = Paper(issuer, kind, to=named, cc=copies, **values)  # type: ignore[arg-type]
    chains = {id: above(id) for id in (issuer, *named, *copies)}
    route = Route(issuer=organ(issuer), to=tuple(map(organ, named)), cc=tuple(map(organ, copies)), above=chains, joint=tuple(map(organ, paper.joint)))
    findings = check(paper, route)
    for finding in findings:
        for tongue in ("zh", "en"):
            with speaking(tongue):
                assert routing.sentence(finding) and (routing.way(finding) or not finding.refuses)
    return {finding.code for finding in findings}


ASKED = {"text": "妥否，请批示。"}
OWN = {"forwards": "d", "text": "经研究，我局建议同意。\n————————\n原文"}
FILE = (Annex("表.xlsx", 1, "x/y", bytes(32), bytes(32), bytes(32), 1),)
RIGHT: list[tuple[str, str, str, str, dict[str, object]]] = [
    ("gov", "notice", "cgov cgov2", "", {}),
    ("gov", "notice", "fin edu", "", {}),
    ("gov", "decision", "cgov", "", {}),
    ("gov", "order", "cgov", "", {}),
    ("gov", "circular", "cgov", "fin", {}),
    ("gov", "opinion", "cgov", "", {}),
    ("gov", "reply", "cgov", "", {}),
    ("gov", "reply", "fin", "edu", {}),
    ("gov", "bill", "npc", "", {}),
    ("gov", "letter", "npc", "", {}),
    ("gov", "letter", "party", "", {}),
    ("gov", "minutes", "fin edu", "", {}),
    ("office", "notice", "cgov cgov2", "", {}),
    ("office", "letter", "cgov", "", {}),
    ("office", "notice", "fin", "", {}),
    ("office", "report", "gov", "", {}),
    ("fin", "letter", "edu", "", {}),
    ("fin", "letter", "cgov", "", {}),
    ("fin", "notice", "cfin", "", {}),
    ("fin", "request", "gov", "", ASKED),
    ("fin", "request", "gov", "edu", ASKED),
    ("fin", "report", "gov", "", {"text": "现将有关情况报告如下。"}),
    ("fin", "opinion", "gov", "", {}),
    ("fin", "notice", "cgov", "", {"text": "经市政府同意，现通知如下。"}),
    ("fin", "letter", "npc", "", {}),
    ("fin", "minutes", "edu", "", {}),
    ("fin", "notice", "cfin", "", {"joint": ("edu", "cgov")}),
    ("gov", "notice", "cgov", "", {"joint": ("npc",)}),
    ("cgov", "request", "gov", "", ASKED),
    ("cgov", "request", "gov", "fin", ASKED),
    ("cgov", "report", "gov", "", {}),
    ("cgov", "letter", "cgov2", "", {}),
    ("cgov", "letter", "edu", "", {}),
    ("cgov", "notice", "town cfin", "", {}),
    ("cgov", "reply", "town", "", {}),
    ("cgov", "request", "gov", "", OWN | ASKED | OWN),
    ("cfin", "request", "cgov", "", ASKED),
    ("cfin", "report", "gov", "cgov", {}),
    ("cfin", "letter", "fin", "", {}),
    ("town", "request", "cgov", "", ASKED),
    ("town", "report", "cgov", "", {}),
    ("town", "report", "gov", "cgov", {}),
    ("town", "letter", "cfin", "", {}),
    ("sec", "report", "fin", "", {}),
    ("gov", "notice", "cgov", "", {"text": "", "annexes": FILE}),
    ("gov", "notice", "cgov", "", {"urgency": "flash", "urgency_reason": "汛情紧急"}),
    ("gov", "notice", "cgov", "", {"openness": "proactive", "label": "public"}),
    ("gov", "notice", "cgov", "", {"openness": "withheld", "openness_reason": "内部管理"}),
    ("gov", "notice", "", "", {"lists": (Cited("all", 1, "to"),)}),
    ("gov", "notice", "cgov", "", {"text": "做好商业秘密保护工作。"}),
    ("gov", "announcement", "", "", {}),
    ("gov", "communique", "", "", {"openness": "proactive", "label": "public"}),
    ("fin", "public_notice", "", "", {}),
    ("gov", "order", "", "", {}),
    ("gov", "resolution", "", "", {}),
    ("gov", "minutes", "", "", {}),
    ("cgov", "request", "gov", "", ASKED | {"reply_required": True, "due": 1}),
]
WRONG: list[tuple[str, str, str, str, dict[str, object], str]] = [
    ("gov", "notice", "cgov", "", {"openness": "proactive"}, "inner_open"),
    ("fin", "request", "gov edu", "", ASKED, "request_one"),
    ("cgov", "request", "gov fin", "", ASKED, "request_one"),
    ("town", "request", "cgov cfin", "", ASKED, "request_one"),
    ("cgov", "request", "gov", "town", ASKED, "request_cc_down"),
    ("fin", "request", "gov", "cfin", ASKED, "request_cc_down"),
    ("gov", "request", "cgov", "", ASKED, "request_up"),
    ("fin", "request", "cgov", "", ASKED, "request_up"),
    ("cgov", "request", "town", "", ASKED, "request_up"),
    ("cfin", "request", "gov", "", ASKED, "skips_level"),
    ("town", "request", "gov", "", ASKED, "skips_level"),
    ("town", "report", "gov", "", {}, "skips_level"),
    ("cfin", "opinion", "gov", "", {}, "skips_level"),
    ("cfin", "report", "gov", "fin", {}, "skips_level"),
    ("cgov", "report", "gov", "town", {}, "report_cc_down"),
    ("fin", "report", "gov", "cgov", {}, "report_cc_down"),
    ("cgov", "report", "gov", "", ASKED, "report_asks"),
    ("fin", "report", "gov", "", {"text": "请予批准。"}, "report_asks"),
    ("fin", "report", "gov", "", {"title": "关于经费请示的报告"}, "report_asks"),
    ("fin", "request", "gov", "", {"text": "王市长：\n请批示。"}, "leader_named"),
    ("cgov", "report", "gov", "", {"text": "尊敬的李书记：\n报告如下。"}, "leader_named"),
    ("town", "report", "cgov", "", {"text": "县长同志：\n报告。"}, "leader_named"),
    ("cgov", "request", "gov", "", {"forwards": "d", "text": "现将来文转报。\n————————\n原文"}, "raw_forward"),
    ("fin", "request", "gov", "", {"forwards": "d", "text": "————————\n我局建议"}, "raw_forward"),
    ("fin", "notice", "cgov", "", {}, "department_orders"),
    ("edu", "decision", "town", "", {}, "department_orders"),
    ("fin", "circular", "cgov cgov2", "", {}, "department_orders"),
    ("fin", "reply", "cgov", "", {}, "department_orders"),
    ("cfin", "notice", "town", "", {}, "department_orders"),
    ("sec", "letter", "edu", "", {}, "section_issues"),
    ("sec", "notice", "cfin", "", {}, "section_issues"),
    ("fin", "order", "cfin", "", {}, "order_who"),
    ("office", "order", "cgov", "", {}, "order_who"),
    ("fin", "bill", "npc", "", {}, "bill_to"),
    ("gov", "bill", "party", "", {}, "bill_to"),
    ("fin", "reply", "edu", "", {}, "reply_sideways"),
    ("cgov", "reply", "cgov2", "", {}, "reply_sideways"),
    ("cgov", "order", "gov", "", {}, "down_kind_up"),
    ("cgov", "decision", "gov", "", {}, "down_kind_up"),
    ("cgov", "notice", "gov", "", {}, "down_kind_up"),
    ("cgov", "notice", "cgov2", "", {}, "use_letter"),
    ("gov", "notice", "gov", "", {}, "to_itself"),
    ("gov", "notice", "", "", {}, "recipients_missing"),
    ("gov", "notice", "cgov", "", {"title": " "}, "title_missing"),
    ("gov", "notice", "cgov", "", {"text": ""}, "text_missing"),
    ("gov", "notice", "cgov", "", {"urgency": "flash"}, "flash_reason"),
    ("gov", "notice", "cgov", "", {"text": "机密★5年\n某事"}, "graded"),
    ("gov", "notice", "cgov", "", {"openness": "withheld"}, "openness_reason"),
    ("gov", "reply", "cgov", "", {"in_reply_to": ""}, "reply_answers"),
    ("gov", "notice", "cgov", "", {"text": "长" * 5001}, "burden"),
    ("gov", "notice", "cgov", "", {"text": "请每周报送进展。"}, "asks_reports"),
    ("cgov", "report", "gov", "", {"reply_required": True}, "no_answer"),
    ("gov", "announcement", "", "", {"due": 1}, "no_answer"),
    ("gov", "public_notice", "", "", {"label": "work_secret"}, "public_closed"),
    ("gov", "announcement", "", "", {"openness": "withheld", "openness_reason": "内部"}, "public_closed"),
    ("gov", "communique", "cgov", "", {}, "public_addressed"),
    ("gov", "report", "cgov", "", {}, "report_up"),
    ("gov", "letter", "", "", {}, "recipients_missing"),
    ("fin", "notice", "cfin", "", {"joint": ("edu",) * 12}, "joint_many"),
    ("fin", "notice", "cfin", "", {"joint": ("edu", "edu")}, "joint_twice"),
    ("fin", "notice", "cfin", "", {"joint": ("fin",)}, "joint_twice"),
    ("fin", "notice", "cfin", "", {"joint": ("sec",)}, "joint_section"),
    ("fin", "notice", "cfin", "", {"joint": ("cfin",)}, "joint_addressed"),
    ("fin", "notice", "cfin", "", {"joint": ("gov",)}, "joint_level"),
    ("gov", "notice", "cgov", "", {"joint": ("party",)}, "joint_powers"),
    ("cgov", "report", "", "", {}, "recipients_missing"),
    ("gov", "notice", "cgov", "", {"annexes": (Annex("照片.jpg", 1, "x/y", bytes(32), bytes(32), bytes(32), 1),)}, "unread"),
]


@pytest.mark.row("A4")
@pytest.mark.parametrize(("issuer", "kind", "to", "cc", "more"), RIGHT)
def test_what_is_right_passes(issuer: str, kind: str, to: str, cc: str, more: dict[str, object]) -> None:
    """A lawful document meets no objection."""
    assert found(issuer, kind, to, cc, **more) == set()


@pytest.mark.row("A4")
@pytest.mark.row("M20")
@pytest.mark.parametrize(("issuer", "kind", "to", "cc", "more", "code"), WRONG)
def test_what_is_wrong_is_named(issuer: str, kind: str, to: str, cc: str, more: dict[str, object], code: str) -> None:
    """The rule that is broken is found, told in both languages, and a refusal comes with the lawful way."""
    assert code in found(issuer, kind, to, cc, **more)


def test_the_table_is_large_enough_and_every_refusal_has_its_way() -> None:
    """At least forty right and forty wrong cases; no refusal without the lawful way."""
    assert len(RIGHT) >= 40 and len(WRONG) >= 40
    assert set(routing.WAYS) <= set(routing.SENTENCES)

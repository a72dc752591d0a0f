"""What the screens of archives show: words and rows, no HTML and no rights of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node import clock
from office.archives import service, workflow
from office.archives.entries import Finding
from office.archives.model import Act, Item, Roll, Step
from office.archives.workflow import Disposal, State
from office.frame.desk import Desk
from office.frame.words import _

STATES = {
    State.PROPOSED: _("预归档"),
    State.LEFT_OUT: _("不归档"),
    State.KEPT: _("已归档"),
    State.DOOMED: _("鉴定可销毁"),
    State.LISTED: _("已列入销毁清册"),
    State.DESTROYED: _("已销毁"),
    State.TRANSFERRED: _("已移交"),
}
TONES = {State.PROPOSED: "warn", State.KEPT: "good", State.TRANSFERRED: "good", State.DOOMED: "warn", State.LISTED: "bad", State.DESTROYED: "bad"}
ROLLS = {Disposal.PROPOSED: _("待批准"), Disposal.APPROVED: _("待监销"), Disposal.REJECTED: _("未批准"), Disposal.DONE: _("已销毁")}
RETENTION = {"Y": _("永久"), "D30": _("30年"), "D10": _("10年")}
OPENNESS = {"open": _("可开放"), "later": _("延期开放"), "never": _("不开放")}
REASONS = {
    "ended": _("已撤回或作废，不归档"),
    "lasting": _("任免、印章、规划、年度总结一类，长期有用"),
    "own_decision": _("本机关的决议、决定、命令"),
    "own_minutes": _("本机关的会议纪要"),
    "own_business": _("本机关的请示、报告、批复、意见"),
    "own_routine": _("本机关的一般性通知和函"),
    "their_reply": _("上级对本机关的批复"),
    "handled": _("来文由本机关承办"),
    "for_information": _("来文只供阅知"),
}
PROPERTIES = {"authentic": _("真实性"), "complete": _("完整性"), "usable": _("可用性"), "safe": _("安全性")}
FAULTS = {
    "text_missing": _("正文不在本节点"),
    "text_changed": _("正文与归档时的摘要不符"),
    "journal": _("日志中的原件不能核对"),
    "table_changed": _("数据表与日志不符"),
    "seal": _("印章不能核对"),
    "metadata": _("缺少著录项"),
    "sheet_missing": _("缺少稿纸或处理单"),
    "text_empty": _("没有正文，也没有附件"),
    "gap": _("同类件号不连续"),
    "file_missing": _("附件不在本节点"),
    "file_changed": _("附件与原件不符"),
    "form": _("附件格式不宜长期保存"),
    "harmful": _("附件含有程序、宏或病毒特征"),
    "open_to_others": _("附件文件的权限过宽"),
}
ACTS = {
    "archives.arranged": _("归档"),
    "archives.left_out": _("不归档"),
    "archives.tested": _("四性检测"),
    "archives.lent": _("借出"),
    "archives.given_back": _("归还"),
    "archives.held": _("冻结或解冻"),
    "archives.appraised": _("鉴定"),
    "archives.list_proposed": _("提出销毁清册"),
    "archives.list_approved": _("批准销毁"),
    "archives.list_rejected": _("未批准"),
    "archives.supervised": _("监销签字"),
    "archives.destroyed": _("销毁"),
}
STEPS = {
    "drafted": _("拟稿"),
    "submitted": _("送核"),
    "returned": _("退回"),
    "reviewed": _("核稿"),
    "signed": _("签发"),
    "numbered": _("编号"),
    "sealed": _("用印"),
    "dispatched": _("核发"),
    "corrected": _("更正"),
    "resent": _("补发"),
    "signed_for": _("签收"),
    "registered": _("登记"),
    "examined": _("初审"),
    "proposed": _("拟办"),
    "instructed": _("批示"),
    "assigned": _("分办"),
    "circulated": _("传阅"),
    "read": _("阅知"),
    "seen": _("阅知"),
    "answered": _("办理反馈"),
    "closed": _("办结"),
}


def line(desk: Desk, item: Item) -> dict[str, Any]:
    """A row of a list."""
    organ = desk.directory.organ(item.organ)
    return {
        "id": item.id,
        "url": f"/archives/{item.id}",
        "organ": organ.short_name if organ is not None else item.organ,
        "title": item.title,
        "creator": item.creator,
        "doc_no": item.doc_no,
        "doc_date": item.doc_date,
        "year": item.year,
        "code": item.code,
        "pages": item.pages or service.pages_of(desk, item) if item.state == State.PROPOSED else item.pages,
        "guess": item.guess,
        "retention": RETENTION.get(item.kept_for or item.guess, _("不归档")),
        "why": REASONS.get(item.why, item.why),
        "state": STATES[State(item.state)],
        "tone": TONES.get(State(item.state), ""),
        "tested": clock.from_ms(item.tested_at) if item.tested_at else None,
        "faults": item.faults,
        "lent": service.loan(item),
        "expires": workflow.expires(item.year, item.kept_for) if item.kept_for else 0,
        "fit": item.state == State.DOOMED and not item.hold and not item.borrower,
    }


def facts(desk: Desk, item: Item) -> list[tuple[str, Any]]:
    """Labels and values of an item."""
    organ, borrower = desk.directory.organ(item.organ), desk.directory.person(item.borrower) if item.borrower else None
    expires = workflow.expires(item.year, item.kept_for) if item.kept_for else 0
    return [
        (_("档号"), item.code),
        (_("立档单位"), organ.full_name if organ is not None else item.organ),
        (_("责任者"), item.creator),
        (_("文号"), item.doc_no),
        (_("成文日期"), item.doc_date),
        (_("年度"), str(item.year)),
        (_("建议保管期限"), f"{RETENTION.get(item.guess, _('不归档'))}（{REASONS.get(item.why, item.why)}）"),
        (_("保管期限"), RETENTION.get(item.kept_for, "")),
        (_("期满"), _("{year} 年起可鉴定").format(year=expires) if expires else ""),
        (_("页数"), str(item.pages) if item.pages else ""),
        (_("开放意见"), OPENNESS.get(item.openness, "")),
        (_("借阅人"), borrower.name if borrower is not None else item.borrower),
        (_("冻结原因"), item.hold),
        (_("接收单位"), item.archive),
    ]


def finding(one: Finding) -> dict[str, Any]:
    """One fault in words."""
    return {"property": PROPERTIES.get(one.property, one.property), "words": FAULTS.get(one.code, one.code), "about": one.about}


def tests(item: Item) -> list[tuple[Any, bool, list[dict[str, Any]]]]:
    """(property, whether it holds, faults) of the last test."""
    found = item.findings
    return [(words, not (bad := [finding(one) for one in found if one.property == key]), bad) for key, words in PROPERTIES.items()]


def process(desk: Desk, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What was done before the matter was closed."""
    return [_told(desk, step, STEPS.get(step.kind.partition(".")[2], step.kind), step.text) for step in steps]


def account(desk: Desk, acts: Sequence[Act]) -> list[dict[str, Any]]:
    """What happened in the archive."""
    return [_told(desk, act, ACTS.get(act.kind, act.kind), "" if act.kind == "archives.tested" else act.text) for act in acts]


def _told(desk: Desk, done: Any, what: Any, text: str) -> dict[str, Any]:
    person, post = desk.directory.person(done.person), desk.directory.post(done.post)
    who = person.name if person is not None else str(_("本节点自动"))
    return {"at": clock.from_ms(done.at), "who": who, "post": post.title if post is not None else "", "what": what, "text": text, "tone": ""}


def roll(desk: Desk, found: Roll) -> dict[str, Any]:
    """A destruction list."""
    names = [person.name for id in (found.first, found.second) if (person := desk.directory.person(id)) is not None]
    proposer, approver = desk.directory.person(found.proposer), desk.directory.person(found.approver)
    return {
        "id": found.id,
        "url": f"/archives/lists/{found.id}",
        "reason": found.reason,
        "state": ROLLS[Disposal(found.state)],
        "at": clock.from_ms(found.proposed_at),
        "proposer": proposer.name if proposer is not None else "",
        "approver": approver.name if approver is not None else "",
        "supervisors": "、".join(names),
    }

"""Words of the designer's screens."""

from __future__ import annotations

from node.errors import Missing
from office.frame import clocks
from office.frame.words import _

ROLE_WORDS = {
    "registry_clerk": _("收发员"), "confidential_clerk": _("机要员"), "reviewer": _("核稿人"), "signer": _("签发人"), "seal_keeper": _("印章管理员"),
    "supervisor": _("督查员"), "information_officer": _("信息员"), "duty_officer": _("值班员"), "duty_leader": _("带班领导"),
    "archivist": _("档案员"), "petition_officer": _("信访专员"), "hotline_handler": _("热线承办员"), "disclosure_reviewer": _("公开审查员"),
    "counter_clerk": _("窗口受理员"), "meeting_clerk": _("会务员"), "sysadmin": _("系统管理员"), "secadmin": _("安全管理员"),
    "auditor": _("审计管理员"),
}  # fmt: skip
KIND_WORDS = {"task": _("有人办理"), "choice": _("按条件选择"), "fork": _("并行分支"), "join": _("汇合")}
MANY_WORDS = {"one": _("其中一人办理"), "parallel": _("每人都办，同时"), "serial": _("每人都办，依次")}
ASKS_WORDS = {"pass": _("办结"), "countersign": _("会签（同意、修改后同意、不同意）"), "sign": _("签批")}
STAGE_WORDS = {
    "draft": _("草稿"), "submitted": _("已提交"), "registered": _("已登记"), "assigned": _("已分办"), "in_hand": _("在办"), "answered": _("已答复"),
    "reviewed": _("已审核"), "closed": _("已办结"), "archived": _("已归档"), "returned": _("已退回"), "suspended": _("已挂起"), "void": _("已作废"),
    "transferred": _("已并入"),
}  # fmt: skip
SHAPE_WORDS = {"bool": _("是或否"), "number": _("数"), "text": _("文字")}
HOW_WORDS = {
    "pass": _("办结"), "countersign": _("会签"), "settle": _("裁定"), "return": _("退回"), "cancelled": _("取消"), "skipped": _("跳过"),
    "recalled": _("被撤回"), "ended": _("终止"), "sign_for": _("代签"), "transcribe": _("代录"), "forward": _("转办"), "assign": _("交办"),
    "drop_signer": _("减签"), "jump": _("转到环节"),
}  # fmt: skip
OPINION_WORDS = {"agree": _("同意"), "change": _("修改后同意"), "disagree": _("不同意"), "": ""}


def term(rule: str) -> str:
    """A term by its name and length; an id that this program does not know, as it is."""
    try:
        found = clocks.rules().rule(rule)
    except Missing:
        return rule
    return f"{found.name}（{found.limit}）"

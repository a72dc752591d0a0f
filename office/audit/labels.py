"""The words for events."""

from __future__ import annotations

from office.audit.entries import Did
from office.frame.words import _

DID_WORDS = {
    Did.SIGNED_IN: _("登录"),
    Did.SIGNED_OUT: _("退出"),
    Did.WRONG: _("口令或签名不对"),
    Did.LOCKED: _("锁定中又来登录"),
    Did.PASSWORD: _("修改口令"),
    Did.LOOKED: _("查阅"),
    Did.TOOK: _("导出或下载"),
    Did.REFUSED: _("无权，被拒绝"),
}
THINGS = {
    "documents": _("公文"),
    "incoming": _("收文"),
    "joint": _("联合行文"),
    "meetings": _("会议"),
    "duty": _("值班"),
    "supervision": _("督查"),
    "messages": _("消息"),
    "archives": _("档案"),
    "flows": _("流程"),
    "people": _("人员和机构"),
    "me": _("个人页面"),
    "audit": _("审计"),
    "network": _("网络运行"),
    "search": _("查询"),
    "downloads": _("下载中心"),
    "api": _("程序接口"),
}
"What lies under an address, by its first part."
DID_TONES = {Did.WRONG: "warn", Did.LOCKED: "bad", Did.REFUSED: "warn", Did.TOOK: "info", Did.PASSWORD: "info"}

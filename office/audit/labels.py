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
DID_TONES = {Did.WRONG: "warn", Did.LOCKED: "bad", Did.REFUSED: "warn", Did.TOOK: "info", Did.PASSWORD: "info"}

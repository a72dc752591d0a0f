"""What was taken over from a Word file, as values that travel as JSON; nothing of it is saved before a person has looked at it."""

from __future__ import annotations

import msgspec

from office.frame.words import _


class Lost(msgspec.Struct, frozen=True):
    """Something that stands in the file and not, or not as it was, in what was taken over."""

    kind: str
    "One of :data:`KINDS`."
    count: int
    said: str = ""
    "How it begins, where that helps to find it."


class Taken(msgspec.Struct, frozen=True):
    """Title, 主送 as it is written, text with a paragraph a line, and what was left behind."""

    title: str
    to: str
    text: str
    lost: tuple[Lost, ...]


KINDS = {
    "title": _("没有认出标题，请自己填写。"),
    "head": _("版头（发文机关标志、发文字号等）不取，由本网按要素排印。"),
    "recipients": _("主送机关没有认出，请自己选定。"),
    "annexes": _("附件说明和附件正文不取，请把附件作为文件添加。"),
    "issued": _("落款、日期、附注不取，签发、用印时由本网写上。"),
    "record": _("版记不取，由本网按抄送、印发写上。"),
    "tables": _("表格已改为文字，一行一段，各格以空格隔开。"),
    "pictures": _("图片没有取。"),
    "boxes": _("文本框没有取。"),
    "objects": _("嵌入的对象没有取。"),
    "equations": _("公式没有取。"),
    "symbols": _("字体符号没有取。"),
    "notes": _("脚注、尾注没有取。"),
    "comments": _("批注没有取。"),
    "deleted": _("修订中删去的文字没有取。"),
    "inserted": _("修订中加入的文字按已接受取了。"),
    "hidden": _("隐藏的文字没有取。"),
    "links": _("链接只取了文字。"),
    "margins": _("页眉、页脚没有取。"),
    "bullets": _("项目符号没有取，文字取了。"),
    "numbered": _("标题原无序号，已按级别补上。"),
    "emphasis": _("加粗、下划线等没有取。"),
}
"What a person is told of each, in the order in which it is told."

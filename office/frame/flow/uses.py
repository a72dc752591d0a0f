"""What templates are for: the uses that rooms know, what a room does at a step of each, and what must be done on every way to the end."""

from __future__ import annotations

from dataclasses import dataclass

from office.frame.flow.template import END, Template
from office.frame.words import _


@dataclass(frozen=True)
class Use:
    """Something that templates are for."""

    id: str
    name: str
    does: dict[str, str]
    "What the room can do at a step, with the word for it."
    must: tuple[str, ...] = ()
    "What no way to the end may leave out."


USES = (
    Use(
        "documents.outgoing",
        _("发文"),
        {
            "draft": _("拟稿"), "review": _("审核"), "sign": _("签发"), "recheck": _("复核"), "number": _("登记编号"), "typeset": _("排版校对"),
            "seal": _("用印"), "dispatch": _("核发"), "file": _("归档"),
        },
        ("draft", "sign", "dispatch"),
    ),
    Use(
        "documents.incoming",
        _("收文"),
        {
            "sign_for": _("签收"), "register": _("登记"), "examine": _("初审"), "instruct": _("批示"), "handle": _("承办"), "answer": _("答复"),
            "circulate": _("分送"), "read": _("阅知"), "file": _("归档"),
        },
        ("sign_for", "register"),
    ),
    Use("general", _("其他事项"), {}),
)  # fmt: skip


def use_of(id: str) -> Use | None:
    """The use of an id."""
    return next((one for one in USES if one.id == id), None)


def avoided(template: Template) -> list[str]:
    """What must be done and can be left out on some way from the first step to the end."""
    use = use_of(template.use)
    return [does for does in (use.must if use is not None else ()) if _around(template, does)]


def _around(template: Template, does: str) -> bool:
    """Whether the end can be reached without coming through a step that does something."""
    ahead = {step.id: {way.to for way in step.ways} for step in template.steps if step.does != does}
    edge, seen = [template.first], {template.first}
    while edge:
        for to in ahead.get(edge.pop(), ()):
            if to == END:
                return True
            if to not in seen:
                seen.add(to)
                edge.append(to)
    return False

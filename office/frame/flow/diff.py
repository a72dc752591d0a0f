"""What changed from one version of a template to another, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from office.frame.flow.template import Step, Template, Way, Who, index
from office.frame.words import _

FIELDS = {
    "name": _("名称"), "kind": _("类型"), "who": _("办理人"), "many": _("多人办理"), "asks": _("办理方式"), "dispute": _("裁定人"),
    "term": _("期限"), "stage": _("阶段"), "does": _("业务操作"), "ways": _("走向"),
}  # fmt: skip
"What a step has, in words."


def differences(old: Template, new: Template) -> list[str]:
    """One sentence for each change; none for two versions that are alike."""
    return [*_whole(old, new), *_steps(old, new)]


def _whole(old: Template, new: Template) -> Iterator[str]:
    if old.name != new.name:
        yield _("流程名称由“{old}”改为“{new}”。").format(old=old.name, new=new.name)
    if old.first != new.first:
        yield _("第一个环节改为“{step}”。").format(step=new.step(new.first).name)
    if old.organs != new.organs:
        yield _("适用机构有变化。")
    if old.term != new.term:
        yield _("整个流程的期限由“{old}”改为“{new}”。").format(old=old.term or _("无"), new=new.term or _("无"))
    if old.parts != new.parts:
        yield _("角色表有变化：{words}。").format(words=_told(old.parts, new.parts))
    if old.facts != new.facts:
        yield _("事实表有变化：{words}。").format(words=_told(old.facts, new.facts))


def _told(old: tuple[object, ...], new: tuple[object, ...]) -> str:
    gone = [f"-{getattr(one, 'name', one)}" for one in old if one not in new]
    come = [f"+{getattr(one, 'name', one)}" for one in new if one not in old]
    return " ".join((*gone, *come))


def _steps(old: Template, new: Template) -> Iterator[str]:
    former, present = index(old), index(new)
    for id, step in former.items():
        if id not in present:
            yield _("删去环节“{step}”。").format(step=step.name)
    for id, step in present.items():
        if id not in former:
            yield _("新增环节“{step}”。").format(step=step.name)
        else:
            for field, word in FIELDS.items():
                before, after = getattr(former[id], field), getattr(step, field)
                if before != after:
                    text = _("环节“{step}”的{field}由“{old}”改为“{new}”。")
                    yield text.format(step=step.name, field=word, old=_said(before, old), new=_said(after, new))


def _said(value: object, template: Template) -> str:
    if isinstance(value, tuple):
        return "、".join(_one(one, template) for one in value) or str(_("无"))
    return str(value) or str(_("无"))


def _one(one: object, template: Template) -> str:
    if isinstance(one, Way):
        to: Step | None = index(template).get(one.to)
        name = str(to.name) if to is not None else str(_("结束"))
        return f"{one.when} → {name}" if one.when else name
    return f"{one.how}:{one.id}" if isinstance(one, Who) else str(one)

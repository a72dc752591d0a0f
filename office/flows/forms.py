"""Forms of the designer: a template as fields of a page, and fields as a template. A form that is half filled is a template that is half right."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from node.errors import Invalid
from office.flows.labels import ROLE_WORDS, term
from office.frame import clocks
from office.frame.desk import Desk
from office.frame.flow.template import DRAFTER, END, FactOf, How, Kind, Many, Name, Part, Step, Template, Way, Who, index
from office.frame.words import _
from office.portal.page import Request

change = msgspec.structs.replace
Options = list[Any]


def who_options(desk: Desk, template: Template) -> Options:
    """Everybody a step may name: parts, roles, and the posts and organs of this node, grouped for a list."""
    parts = [(f"part:{DRAFTER}", _("拟稿人（发起人）")), *((f"part:{one.id}", str(one.name)) for one in template.parts)]
    roles = [(f"role:{id}", word) for id, word in ROLE_WORDS.items()]
    organs = desk.directory.organs_at(desk.node)
    posts = [(o.short_name, [(f"post:{p.id}", p.title) for p in desk.directory.posts_of(o.id)]) for o in organs]
    return [
        (_("角色（随事项指定）"), parts), (_("职能（本机关）"), roles), (_("机构"), [(f"organ:{o.id}", o.short_name) for o in organs]),
        *((_("岗位：{organ}").format(organ=name), rows) for name, rows in posts if rows),
    ]  # fmt: skip


def who_words(desk: Desk, template: Template, who: Who) -> str:
    """A template's word for somebody, as people say it."""
    if who.how == How.PART:
        known = {part.id: str(part.name) for part in template.parts} | {DRAFTER: str(_("拟稿人（发起人）"))}
        return known.get(who.id, who.id)
    if who.how == How.ROLE:
        organ = desk.directory.organ(who.organ) if who.organ else None
        word = str(ROLE_WORDS.get(who.id, who.id))
        return f"{organ.short_name} {word}" if organ is not None else word
    if who.how == How.POST:
        post = desk.directory.post(who.id)
        return post.title if post is not None else who.id
    found = desk.directory.organ(who.id)
    return found.short_name if found is not None else who.id


def coded(who: Who) -> str:
    """Somebody as a value of a list."""
    return f"{who.how}:{who.id}" + (f"@{who.organ}" if who.organ else "")


def _who(text: str) -> Who:
    how, _colon, rest = text.partition(":")
    if how not in (How.PART, How.ROLE, How.POST, How.ORGAN) or not rest:
        raise Invalid(_("请从列表里选择办理人。"), code="who")
    id, _at, organ = rest.partition("@")
    return Who(how, id, organ)


def _chosen(former: Step, texts: list[str]) -> tuple[Who, ...]:
    """Who was chosen, in the order in which they stood before; a list gives them in its own."""
    found = list(map(_who, texts))
    return tuple(sorted(found, key=lambda who: former.who.index(who) if who in former.who else len(former.who)))


def term_options() -> Options:
    """The rules that a step may have as its term."""
    return [(rule.id, term(rule.id)) for rule in clocks.rules().rules if not rule.before]


def step_options(template: Template) -> Options:
    """Where a way may lead."""
    return [(END, _("结束")), *((step.id, f"{step.name}（{step.id}）") for step in template.steps)]


def general(template: Template, request: Request) -> Template:
    """The template with what its first form says: names, first step, organs, parts and facts."""
    parts = zip(request.all("part_id"), request.all("part_zh"), request.all("part_en"), strict=False)
    facts = zip(request.all("fact_id"), request.all("fact_zh"), request.all("fact_en"), request.all("fact_shape"), strict=False)
    return change(
        template,
        name=Name(request.text("zh") or template.name.zh, request.text("en")),
        use=request.text("use") or template.use,
        first=request.text("first") or template.first,
        organs=tuple(request.all("organs")),
        term=request.text("term"),
        parts=tuple(Part(id.strip(), Name(zh.strip() or id.strip(), en.strip())) for id, zh, en in parts if id.strip()),
        facts=tuple(FactOf(id.strip(), Name(zh.strip() or id.strip(), en.strip()), shape) for id, zh, en, shape in facts if id.strip()),
    )


def step(template: Template, id: str, request: Request) -> Template:
    """The template with what the form of one step says."""
    former = template.step(id)
    kind = request.text("kind", former.kind)
    task = kind == Kind.TASK
    to, when = request.all("to"), request.all("when")
    chosen = [way for way in zip(to, [*when, *[""] * len(to)], strict=False) if way[0] != "-"]
    ways = tuple(Way(one, condition.strip() if kind != Kind.FORK else "") for one, condition in chosen)
    now = change(
        former,
        kind=kind,
        name=Name(request.text("zh"), request.text("en")),
        ways=(*(way for way in ways if way.when), *(way for way in ways if not way.when)),
        who=_chosen(former, request.all("who")) if task else (),
        many=request.text("many", former.many) if task else Many.ONE,
        asks=request.text("asks", former.asks),
        dispute=(_who(request.text("dispute")),) if task and request.text("dispute") else (),
        term=request.text("term") if task else "",
        stage=request.text("stage", former.stage),
        does=request.text("does") if task else "",
    )
    return change(template, steps=tuple(now if one.id == id else one for one in template.steps))


def added(template: Template, after: str) -> tuple[Template, str]:
    """The template with one more step behind another, which leads where that one led; its id."""
    numbers = [int(found[1]) for one in template.steps if (found := re.fullmatch(r"s(\d{1,6})", one.id))]
    id = f"s{max(numbers, default=0) + 1}"
    former = index(template).get(after)
    ways = former.ways if former is not None and former.kind != Kind.FORK else (Way(former.ways[0].to if former is not None else END),)
    fresh = Step(id, Kind.TASK, Name(str(_("新环节"))), ways or (Way(END),), (Who(How.PART, DRAFTER),))
    steps: list[Step] = []
    for one in template.steps:
        led = (Way(id),) if one.kind != Kind.FORK else (Way(id), *one.ways[1:])
        steps += [change(one, ways=led), fresh] if one.id == after else [one]
    return change(template, steps=tuple(steps if former is not None else [*steps, fresh])), id


def removed(template: Template, id: str) -> Template:
    """The template without a step; what led to it leads on where it led."""
    gone = template.step(id)
    on = gone.ways[-1].to if gone.ways and gone.ways[-1].to != id else END
    kept = [change(one, ways=_once(Way(on if way.to == id else way.to, way.when) for way in one.ways)) for one in template.steps if one.id != id]
    return change(template, steps=tuple(kept), first=on if template.first == id and on != END else template.first)


def _once(ways: Any) -> tuple[Way, ...]:
    return tuple(dict.fromkeys(ways))


def turned(template: Template, id: str, by: int) -> Template:
    """The template with a step earlier or later in the list; the ways stay."""
    steps = list(template.steps)
    place = next(n for n, one in enumerate(steps) if one.id == template.step(id).id)
    to = min(max(place + by, 0), len(steps) - 1)
    steps.insert(to, steps.pop(place))
    return change(template, steps=tuple(steps))

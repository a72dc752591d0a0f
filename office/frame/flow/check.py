"""What is wrong with a template before anybody uses it, in words, with what to do about it.

No dead end, no step that is never reached, nobody who goes round in circles, a lead for every step, terms that the rule table
knows, conditions that can be compared, and somebody in the directory for each step. What only may go wrong is said, too, and refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from node.codec import pack
from node.directory.entries import ROLES
from node.errors import Invalid, Missing
from office.frame import clocks
from office.frame.flow import condition
from office.frame.flow.template import DRAFTER, END, NAME, STAGES, STEPS, Asks, How, Kind, Many, Step, Template, Who, index
from office.frame.flow.uses import avoided, use_of
from office.frame.words import _

Fits = Callable[[Who], bool]
"Whether the directory has somebody for a template's word, in every organ that uses the template."
LARGEST = 100_000
"Bytes of a template, so that it fits into an entry."
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or may be."""

    code: str
    text: str
    "The sentence, with what to do."
    step: str = ""
    refuses: bool = True
    "Else it only warns."


def check(template: Template, fits: Fits | None = None) -> list[Finding]:
    """Everything that is wrong with a template, refusals first; without ``fits`` the directory is not asked."""
    found = list(_shape(template))
    if not found:
        found = [*_use(template), *_graph(template), *(one for step in template.steps for one in _step(template, step)), *_facts(template)]
        if fits is not None:
            found += _people(template, fits)
        found += _rule(template.term, "", _("整个流程"))
    return sorted(found, key=lambda one: not one.refuses)


def refusals(found: Iterable[Finding]) -> list[Finding]:
    """Those that stand in the way of publishing."""
    return [one for one in found if one.refuses]


def _shape(template: Template) -> Iterator[Finding]:
    """What must hold before a template can be walked at all."""
    if not template.name.zh.strip():
        yield Finding("name", _("请给流程起名。"))
    if not template.steps:
        yield Finding("empty", _("流程还没有环节，请至少加一个。"))
    if len(template.steps) > STEPS or len(pack(template)) > LARGEST:
        yield Finding("large", _("流程太大，最多 {n} 个环节，请拆成几个流程。").format(n=STEPS))
    ids = [step.id for step in template.steps]
    for id in sorted({id for id in ids if ids.count(id) > 1}):
        yield Finding("twice", _("两个环节的编号都是“{id}”，请改一个。").format(id=id), id)
    for id in (*ids, *(part.id for part in template.parts), *(fact.id for fact in template.facts)):
        if not _ID.fullmatch(id):
            yield Finding("id", _("编号“{id}”只能用小写字母、数字和下划线，并以字母开头。").format(id=id[:40]), id)
    yield from _words(template)
    for step in template.steps:
        for way in step.ways:
            if way.to != END and way.to not in ids:
                yield Finding("nowhere", _("“{step}”通向不存在的环节“{to}”，请改走向。").format(step=step.name, to=way.to[:40]), step.id)
    if template.steps and template.first not in ids:
        yield Finding("first", _("请选定第一个环节。"))


def _words(template: Template) -> Iterator[Finding]:
    for step in template.steps:
        if not step.name.zh.strip() or max(len(step.name.zh), len(step.name.en)) > NAME:
            yield Finding("step_name", _("环节“{id}”要有名称，不超过 {n} 字。").format(id=step.id, n=NAME), step.id)
        known = (step.kind in list(Kind), step.many in list(Many), step.asks in list(Asks), step.stage in STAGES)
        hows = {who.how for who in (*step.who, *step.dispute)}
        if not all(known) or not hows <= set(How):
            yield Finding("word", _("环节“{step}”用了本系统不认识的设置，请重新选择。").format(step=step.name), step.id)
    for fact in template.facts:
        if fact.shape not in ("bool", "number", "text") or fact.id in condition.COUNTS:
            yield Finding("fact", _("事实“{id}”的类型或者编号不能用，请改。").format(id=fact.id))


def _use(template: Template) -> Iterator[Finding]:
    use = use_of(template.use)
    if use is None:
        yield Finding("use", _("请选择流程的用途。"))
        return
    for does in avoided(template):
        yield Finding("avoided", _("可以不经过“{does}”就走到结束，请让每条走向都经过它。").format(does=use.does[does]))
    for step in template.steps:
        if step.does and step.does not in use.does:
            yield Finding("does", _("“{step}”对应的业务操作不属于这种用途，请重新选择。").format(step=step.name), step.id)


# the graph


def _graph(template: Template) -> Iterator[Finding]:
    steps = index(template)
    ahead = {step.id: {way.to for way in step.ways} for step in template.steps}
    reached = _closure({template.first}, ahead)
    for id in steps:
        if id not in reached:
            yield Finding("unreached", _("没有任何走向通到“{step}”，请补上走向或者删去这个环节。").format(step=steps[id].name), id)
    behind: dict[str, set[str]] = {}
    for id, ways in ahead.items():
        for to in ways:
            behind.setdefault(to, set()).add(id)
    ending = _closure({END}, behind)
    for id in steps:
        if id not in ending:
            yield Finding("dead_end", _("到了“{step}”就再也走不到结束，请给它补一条走向。").format(step=steps[id].name), id)
    yield from _circles(template)
    yield from _branches(template)


def _closure(start: set[str], ahead: dict[str, set[str]]) -> set[str]:
    found, edge = set(start), list(start)
    while edge:
        for to in ahead.get(edge.pop(), ()):
            if to not in found:
                found.add(to)
                edge.append(to)
    return found


def _passes(step: Step) -> bool:
    """Whether a token may go through a step without anybody being asked."""
    return step.kind != Kind.TASK or (step.many != Many.ONE and all(who.how == How.PART and who.id != DRAFTER for who in step.who))


def _circles(template: Template) -> Iterator[Finding]:
    silent = {step.id: {way.to for way in step.ways if way.to != END} for step in template.steps if _passes(step)}
    for id in silent:
        if id in _closure(silent[id] & set(silent), {one: ways & set(silent) for one, ways in silent.items()}):
            text = _("从“{step}”出发可以不经任何人办理又绕回来，请在圈里加一个有人办理的环节。")
            yield Finding("circle", text.format(step=index(template)[id].name), id)


def _branches(template: Template) -> Iterator[Finding]:
    steps = index(template)
    for fork in (step for step in template.steps if step.kind == Kind.FORK):
        ahead = {step.id: ({way.to for way in step.ways} if step.kind != Kind.JOIN else set()) for step in template.steps}
        inside = _closure({way.to for way in fork.ways}, ahead)
        if END in inside or fork.id in inside:
            text = _("“{step}”的分支没有全部汇合，请让每个分支都通到汇合环节。")
            yield Finding("unjoined", text.format(step=fork.name), fork.id, refuses=fork.id in inside)
        joins = {id for id in inside if id in steps and steps[id].kind == Kind.JOIN}
        if len(joins) > 1:
            yield Finding("joins", _("“{step}”的分支通到不同的汇合环节，请汇到同一个。").format(step=fork.name), fork.id, refuses=False)


# steps


def _step(template: Template, step: Step) -> Iterator[Finding]:
    yield from _ways(step)
    if step.kind != Kind.TASK:
        return
    if not step.who:
        yield Finding("nobody", _("“{step}”没有办理人，请选择岗位、职能、机构或者角色。").format(step=step.name), step.id)
    if step.asks == Asks.COUNTERSIGN and not step.dispute:
        text = _("“{step}”有人不同意时没有人裁定，请选择牵头单位的上级。")
        yield Finding("no_superior", text.format(step=step.name), step.id)
    yield from _parts(template, step)
    yield from _rule(step.term, step.id, step.name)


def _ways(step: Step) -> Iterator[Finding]:
    if step.kind == Kind.FORK:
        if len(step.ways) < 2 or any(way.when for way in step.ways):
            yield Finding("fork", _("并行分支“{step}”要有两条以上走向，而且不带条件，请补上。").format(step=step.name), step.id)
        return
    if not step.ways or step.ways[-1].when:
        text = _("“{step}”的条件都不满足时无路可走，请在最后加一条不带条件的走向。")
        yield Finding("otherwise", text.format(step=step.name), step.id)
    elif any(not way.when for way in step.ways[:-1]):
        text = _("“{step}”有走向排在不带条件的走向之后，永远不会走到，请调整顺序。")
        yield Finding("order", text.format(step=step.name), step.id)


def _parts(template: Template, step: Step) -> Iterator[Finding]:
    known = {part.id for part in template.parts} | {DRAFTER}
    named = {who.id for who in (*step.who, *step.dispute) if who.how == How.PART}
    for id in sorted(named - known):
        yield Finding("part", _("“{step}”的角色“{part}”没有定义，请先加到角色表。").format(step=step.name, part=id[:40]), step.id)
    if step.many == Many.ONE and named - {DRAFTER} and len(named) == len(step.who):
        text = _("“{step}”的角色如果没有指定人，就由发起人办理。")
        yield Finding("lead_unnamed", text.format(step=step.name), step.id, refuses=False)


def _rule(term: str, step: str, name: object) -> Iterator[Finding]:
    if not term:
        return
    try:
        rule = clocks.rules().rule(term)
    except Missing as e:
        hint = _("，可用：{ids}").format(ids=e.hint) if e.hint else ""
        yield Finding("term", _("“{step}”的期限“{rule}”不在期限规则表里，请另选{hint}。").format(step=name, rule=term[:40], hint=hint), step)
        return
    if rule.before:
        yield Finding("term", _("“{step}”的期限“{rule}”是往前倒算的，不能用在环节上，请另选。").format(step=name, rule=rule.name), step)


def _facts(template: Template) -> Iterator[Finding]:
    sample = {fact.id: fact.plain for fact in template.facts} | dict.fromkeys(condition.COUNTS, 0)
    for step in template.steps:
        for way in (way for way in step.ways if way.when):
            try:
                unknown = condition.names(way.when) - set(sample)
                if unknown:
                    text = _("“{step}”的条件提到没有定义的事实“{fact}”，请先加到事实表。")
                    yield Finding("unknown_fact", text.format(step=step.name, fact=sorted(unknown)[0]), step.id)
                else:
                    condition.holds(way.when, sample)
            except Invalid as e:
                yield Finding("condition", _("“{step}”：{why}请改条件。").format(step=step.name, why=e.message), step.id)


def _people(template: Template, fits: Fits) -> Iterator[Finding]:
    for step in template.tasks():
        for who in (*step.who, *step.dispute):
            if who.how == How.ROLE and who.id not in ROLES:
                yield Finding("role", _("“{step}”用了没有的职能“{role}”，请另选。").format(step=step.name, role=who.id[:40]), step.id)
        asked = [who for who in step.who if who.how != How.PART]
        if asked and len(asked) == len(step.who) and not any(fits(who) for who in asked):
            text = _("通信录里没有人能办“{step}”，请换办理人，或者先任命。")
            yield Finding("no_one", text.format(step=step.name), step.id)
        if step.dispute and not any(who.how == How.PART or fits(who) for who in step.dispute):
            yield Finding("no_one", _("通信录里没有人能裁定“{step}”的分歧，请换人。").format(step=step.name), step.id)

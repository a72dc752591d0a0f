"""BPMN 2.0 files of templates: written so that ordinary editors draw them, read so that what was written comes back.

The subset: one process with a start event, end events, user tasks (with potential owners, multi-instance, a timer boundary event), exclusive
and parallel gateways, sequence flows with conditions. Annotations are passed over; everything else is refused, saying what and where. What
BPMN has no word for (both languages, what the room does, terms by rule id) stands in attributes of a name space of our own, which
editors keep. A task with several ways has an exclusive gateway of its own, named after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring  # noqa: S405  only for writing

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from node.errors import Invalid, Missing
from office.frame import clocks
from office.frame.calendar import dated
from office.frame.flow.drawing import GATE, HIGH, ROUND, START, STOP, WIDE, Box, draw
from office.frame.flow.template import END, FactOf, How, Kind, Many, Name, Part, Step, Template, Way, Who
from office.frame.words import _

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI, DC, OURS = "{http://www.omg.org/spec/BPMN/20100524/DI}", "{http://www.omg.org/spec/DD/20100524/DC}", "{urn:yiwang:flow:1}"
LINES, TYPE = "{http://www.omg.org/spec/DD/20100524/DI}", "{http://www.w3.org/2001/XMLSchema-instance}type"
LARGEST = 1 << 20
"Bytes of a file."
WAYS, TERM, LATE, OPEN, CLOSE = "_ways", "_term", "_late", "start", "end"
"Ids of what a step brings along: its gateway, its timer, where the timer leads; ids of start and end."
_SHAPES = {"bpmn": MODEL, "bpmndi": DI, "dc": DC, "di": LINES, "yiwang": OURS}
_PASSED = ("documentation", "textAnnotation", "association", "incoming", "outgoing", "extensionElements")


# writing


def write(template: Template) -> bytes:
    """A template as a BPMN file with shapes."""
    for prefix, space in _SHAPES.items():
        register_namespace(prefix, space[1:-1])
    root = Element(MODEL + "definitions", {"id": "definitions", "targetNamespace": "urn:yiwang:flow:1", "exporter": "yiwang"})
    process = SubElement(root, MODEL + "process", _process(template))
    _extras(process, template)
    SubElement(process, MODEL + "startEvent", {"id": OPEN})
    SubElement(process, MODEL + "endEvent", {"id": CLOSE})
    for step in template.steps:
        _node(process, step)
    flows = _flows(template)
    for id, start, end, when in flows:
        flow = SubElement(process, MODEL + "sequenceFlow", {"id": id, "sourceRef": start, "targetRef": end})
        if when:
            SubElement(flow, MODEL + "conditionExpression", {TYPE: "bpmn:tFormalExpression"}).text = when
    _shapes(root, template, flows)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _process(template: Template) -> dict[str, str]:
    about = {"id": "process", "name": template.name.zh, "isExecutable": "false", OURS + "template": template.id, OURS + "use": template.use}
    more = {"en": template.name.en, "version": str(template.version), "organs": " ".join(template.organs), "term": template.term}
    return about | {OURS + name: value for name, value in more.items() if value}


def _extras(process: Element, template: Template) -> None:
    extras = SubElement(process, MODEL + "extensionElements")
    for fact in template.facts:
        about = {"word": fact.id, "zh": fact.name.zh, "en": fact.name.en, "shape": fact.shape, "choices": "|".join(fact.choices)}
        SubElement(extras, OURS + "fact", {name: value for name, value in about.items() if value})
    for part in template.parts:
        about = {"word": part.id, "zh": part.name.zh, "en": part.name.en}
        SubElement(extras, OURS + "part", {name: value for name, value in about.items() if value})
    if not len(extras):
        process.remove(extras)


def _node(process: Element, step: Step) -> None:
    about = {"id": step.id, "name": step.name.zh} | ({OURS + "en": step.name.en} if step.name.en else {})
    if step.kind != Kind.TASK:
        tag = "exclusiveGateway" if step.kind == Kind.CHOICE else "parallelGateway"
        SubElement(process, MODEL + tag, about | _default(step))
        return
    more = {"asks": step.asks, "stage": step.stage, "does": step.does, "dispute": " ".join(map(_owner, step.dispute))}
    task = SubElement(process, MODEL + "userTask", about | {OURS + name: value for name, value in more.items() if value})
    for who in step.who:
        owner = SubElement(SubElement(task, MODEL + "potentialOwner"), MODEL + "resourceAssignmentExpression")
        SubElement(owner, MODEL + "formalExpression").text = _owner(who)
    if step.many != Many.ONE:
        serial = "true" if step.many == Many.SERIAL else "false"
        SubElement(task, MODEL + "multiInstanceLoopCharacteristics", {"isSequential": serial})
    if len(step.ways) > 1:
        SubElement(process, MODEL + "exclusiveGateway", {"id": step.id + WAYS} | _default(step))
    if step.term:
        _timer(process, step)


def _default(step: Step) -> dict[str, str]:
    last = len(step.ways) - 1
    single = step.kind == Kind.CHOICE or (step.kind == Kind.TASK and last > 0)
    return {"default": f"f_{step.id}_{last}"} if single and step.ways and not step.ways[-1].when else {}


def _timer(process: Element, step: Step) -> None:
    about = {"id": step.id + TERM, "attachedToRef": step.id, "cancelActivity": "false", OURS + "rule": step.term}
    timer = SubElement(SubElement(process, MODEL + "boundaryEvent", about), MODEL + "timerEventDefinition", {"id": step.id + TERM + "_on"})
    tag, text = _duration(step.term)
    SubElement(timer, MODEL + tag, {TYPE: "bpmn:tFormalExpression"}).text = text
    SubElement(process, MODEL + "endEvent", {"id": step.id + LATE, "name": "催办"})


def _duration(rule: str) -> tuple[str, str]:
    """A term for editors; what counts is the rule."""
    try:
        limit = clocks.rules().rule(rule).limit
    except Missing:
        return "timeDuration", "P1D"
    if dated(limit):
        return "timeDate", f"--{limit}"
    count, unit = re.match(r"\d+", limit)[0], re.sub(r"\d+", "", limit)  # type: ignore[index]
    return "timeDuration", {"h": f"PT{count}H", "min": f"PT{count}M", "mo": f"P{count}M", "y": f"P{count}Y"}.get(unit, f"P{count}D")


def _owner(who: Who) -> str:
    return f"{who.how}:{who.id}" + (f"@{who.organ}" if who.organ else "")


Flow = tuple[str, str, str, str]


def _flows(template: Template) -> list[Flow]:
    """Every sequence flow: (id, from, to, condition)."""
    found: list[Flow] = [("f_start", OPEN, template.first, "")]
    for step in template.steps:
        own = step.kind == Kind.TASK and len(step.ways) > 1
        if own:
            found.append((f"f_{step.id}", step.id, step.id + WAYS, ""))
        found += [(f"f_{step.id}_{n}", step.id + WAYS if own else step.id, way.to or CLOSE, way.when) for n, way in enumerate(step.ways)]
        if step.term:
            found.append((f"f_{step.id}{LATE}", step.id + TERM, step.id + LATE, ""))
    return found


def _shapes(root: Element, template: Template, flows: Iterable[Flow]) -> None:
    drawing = draw(template, across=True)
    boxes = {{START: OPEN, STOP: CLOSE}.get(id, id): box for id, box in drawing.boxes.items()}
    for step in template.tasks():
        box = boxes[step.id]
        if len(step.ways) > 1:
            boxes[step.id + WAYS] = Box("", box.x + WIDE // 2 + 6, box.y, GATE // 2, GATE // 2)
        if step.term:
            boxes[step.id + TERM] = Box("", box.x - 40, box.y + HIGH // 2, ROUND, ROUND)
            boxes[step.id + LATE] = Box("", box.x - 40, box.y + HIGH // 2 + 38, ROUND, ROUND)
    plane = SubElement(SubElement(root, DI + "BPMNDiagram", {"id": "diagram"}), DI + "BPMNPlane", {"id": "plane", "bpmnElement": "process"})
    for id, box in boxes.items():
        shape = SubElement(plane, DI + "BPMNShape", {"id": f"{id}_shape", "bpmnElement": id})
        corner = {"x": str(box.x - box.wide // 2), "y": str(box.y - box.high // 2), "width": str(box.wide), "height": str(box.high)}
        SubElement(shape, DC + "Bounds", corner)
    drawn = {(line.start, line.end, line.when): line.points for line in drawing.lines}
    back = {OPEN: START, CLOSE: STOP}
    for id, start, end, when in flows:
        stem = start.removesuffix(WAYS)
        points = drawn.get((back.get(stem, stem), back.get(end, end), when)) or ((boxes[start].x, boxes[start].y), (boxes[end].x, boxes[end].y))
        edge = SubElement(plane, DI + "BPMNEdge", {"id": f"{id}_edge", "bpmnElement": id})
        for x, y in points:
            SubElement(edge, LINES + "waypoint", {"x": str(x), "y": str(y)})


# reading


def read(data: bytes) -> Template:
    """The template of a BPMN file; :class:`Invalid` says what does not belong to the subset and where it stands."""
    if len(data) > LARGEST:
        raise Invalid(_("文件太大，流程文件不超过 1 MB。"), code="bpmn")
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as e:
        raise Invalid(_("不是可以读取的 BPMN 文件：{why}").format(why=str(e)[:200]), code="bpmn") from None
    if root.tag != MODEL + "definitions":
        raise _no(root, _("根元素应为 BPMN 2.0 的 definitions"))
    for one in root:
        if one.tag not in (MODEL + "process", DI + "BPMNDiagram"):
            raise _no(one, _("只支持一个单独的流程"))
    found = root.findall(MODEL + "process")
    if len(found) != 1:
        raise _no(root, _("文件里要有、也只能有一个流程"))
    return _Reading(found[0]).template()


def _no(one: Any, why: str) -> Invalid:
    """A refusal that names the element and where it stands."""
    tag = re.sub(r"\{.*\}", "", str(one.tag))
    where = one.get("name") or one.get("id") or ""
    return Invalid(
        _("“{tag}”{where}：{why}。请在编辑器里改好再导入。").format(tag=tag, where=f"（{where[:60]}）" if where else "", why=why), code="bpmn"
    )


class _Reading:
    """A process that is being read."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.nodes: dict[str, Any] = {}
        self.flows: list[Any] = []
        self.terms: dict[str, str] = {}
        self.late: set[str] = set()
        for one in process:
            self._sort(one)
        self.names = self._ids()
        self.out: dict[str, list[Any]] = {}
        self.into: dict[str, int] = {}
        for flow in self.flows:
            self._join(flow)

    def _sort(self, one: Any) -> None:
        tag = str(one.tag).removeprefix(MODEL)
        known = ("startEvent", "endEvent", "userTask", "task", "exclusiveGateway", "parallelGateway")
        if tag == "sequenceFlow":
            self.flows.append(one)
        elif tag == "boundaryEvent":
            self._boundary(one)
        elif tag in known:
            self._plain(one, tag)
            if not one.get("id") or one.get("id") in self.nodes:
                raise _no(one, _("没有编号，或者编号重复"))
            self.nodes[one.get("id")] = one
        elif tag not in _PASSED:
            raise _no(one, _("不在支持的范围内（用户任务、顺序流、排他网关、并行网关、多实例、定时边界事件）"))

    def _plain(self, one: Any, tag: str) -> None:
        """Nothing inside an element that would change what it means."""
        allowed = {"userTask": ("potentialOwner", "multiInstanceLoopCharacteristics"), "task": ("multiInstanceLoopCharacteristics",)}.get(tag, ())
        for child in one:
            inner = str(child.tag).removeprefix(MODEL)
            if inner not in (*_PASSED, *allowed) or (inner == "extensionElements" and len(child)):
                raise _no(child if inner != "extensionElements" else one, _("带有不支持的内容“{tag}”").format(tag=re.sub(r"\{.*\}", "", inner)))
            if inner == "multiInstanceLoopCharacteristics" and len(child):
                raise _no(one, _("多实例的对象由办理人决定，不能另设数量或条件"))

    def _boundary(self, one: Any) -> None:
        if one.find(MODEL + "timerEventDefinition") is None or len(one.findall("*")) - len(one.findall(MODEL + "outgoing")) != 1:
            raise _no(one, _("边界事件只支持定时"))
        if not one.get(OURS + "rule"):
            raise _no(one, _("定时没有期限规则编号；本系统的期限只能按规则计算，请删去定时，导入后再选期限"))
        self.terms[one.get("attachedToRef", "")] = one.get(OURS + "rule")
        self.late.add(one.get("id", ""))

    def _ids(self) -> dict[str, str]:
        """Ids as ours are written; editors write others."""
        taken: dict[str, str] = {}
        for id, one in self.nodes.items():
            if not str(one.tag).endswith("Event"):
                plain = re.sub(r"[^a-z0-9_]", "_", id.lower())[:36]
                plain = plain if re.match(r"[a-z]", plain) else "s_" + plain
                while plain in taken.values():
                    plain += "_"
                taken[id] = plain
        return taken

    def _join(self, flow: Any) -> None:
        start, end = flow.get("sourceRef", ""), flow.get("targetRef", "")
        if start in self.late:
            if not str(getattr(self.nodes.get(end), "tag", "")).endswith("endEvent"):
                raise _no(flow, _("定时到期后只能通到一个结束事件（到期即提醒）"))
            return
        for id in (start, end):
            if id not in self.nodes:
                raise _no(flow, _("连到不存在的元素“{id}”").format(id=id[:60]))
        if flow.find(MODEL + "conditionExpression") is not None and not str(self.nodes[start].tag).endswith("exclusiveGateway"):
            raise _no(flow, _("条件只能放在排他网关之后"))
        self.out.setdefault(start, []).append(flow)
        self.into[end] = self.into.get(end, 0) + 1

    def template(self) -> Template:
        """All of it."""
        about, steps = self.process, [self._step(id, one) for id, one in self.nodes.items() if id in self.names and not self._folded(id)]
        return Template(
            id=about.get(OURS + "template") or "flow",
            use=about.get(OURS + "use") or "general",
            name=Name(about.get("name") or about.get("id") or "", about.get(OURS + "en") or ""),
            steps=tuple(steps),
            first=self._first(),
            parts=tuple(Part(one.get("word", ""), _name(one)) for one in about.iter(OURS + "part")),
            facts=tuple(self._fact(one) for one in about.iter(OURS + "fact")),
            organs=tuple((about.get(OURS + "organs") or "").split()),
            term=about.get(OURS + "term") or "",
            version=_number(about.get(OURS + "version")),
        )

    def _fact(self, one: Any) -> FactOf:
        choices = tuple(filter(None, (one.get("choices") or "").split("|")))
        return FactOf(one.get("word", ""), _name(one), one.get("shape") or "bool", choices)

    def _first(self) -> str:
        starts = [id for id, one in self.nodes.items() if str(one.tag).endswith("startEvent")]
        if len(starts) != 1 or len(self.out.get(starts[0], ())) != 1 or self.into.get(starts[0]):
            raise _no(self.process, _("要有一个开始事件，从它只出一条走向"))
        return self._to(self.out[starts[0]][0])

    def _to(self, flow: Any) -> str:
        return self.names.get(flow.get("targetRef"), END)

    def _folded(self, id: str) -> bool:
        """Whether a gateway is the own one of a task."""
        return id.endswith(WAYS) and self._own(id.removesuffix(WAYS)) == id

    def _own(self, task: str) -> str:
        """The gateway that a task brought along, or empty."""
        gate, out = task + WAYS, self.out.get(task, [])
        return gate if gate in self.nodes and [f.get("targetRef") for f in out] == [gate] and self.into.get(gate) == 1 else ""

    def _step(self, id: str, one: Any) -> Step:
        tag = str(one.tag).removeprefix(MODEL)
        gate = self._own(id)
        ways = self._ways(self.nodes[gate] if gate else one, self.out.get(gate or id, []))
        name = Name(one.get("name") or id, one.get(OURS + "en") or "")
        if tag.endswith("Gateway"):
            return Step(self.names[id], self._gate(id, one, tag), name, ways)
        if len(ways) != 1 and not gate:
            raise _no(one, _("任务只能出一条走向；要分岔请接排他网关或并行网关"))
        multi = one.find(MODEL + "multiInstanceLoopCharacteristics")
        many = Many.ONE if multi is None else Many.SERIAL if multi.get("isSequential") == "true" else Many.PARALLEL
        owners = (text for part in one.findall(MODEL + "potentialOwner") for text in part.itertext() if text.strip())
        about = {name: one.get(OURS + name) for name in ("asks", "stage", "does") if one.get(OURS + name)}
        dispute = tuple(_who(one, text) for text in (one.get(OURS + "dispute") or "").split())
        who = tuple(_who(one, text) for text in owners)
        return Step(self.names[id], Kind.TASK, name, ways, who, many, dispute=dispute, term=self.terms.get(id, ""), **about)

    def _gate(self, id: str, one: Any, tag: str) -> Kind:
        if tag == "exclusiveGateway":
            return Kind.CHOICE
        many_in, many_out = self.into.get(id, 0) > 1, len(self.out.get(id, ())) > 1
        if many_in == many_out:
            raise _no(one, _("并行网关要么分开、要么汇合，请拆成两个"))
        return Kind.FORK if many_out else Kind.JOIN

    def _ways(self, one: Any, flows: list[Any]) -> tuple[Way, ...]:
        """The ways out, the one without a condition last, as it is asked last."""
        found = []
        for flow in flows:
            text = "".join(flow.find(MODEL + "conditionExpression").itertext()) if flow.find(MODEL + "conditionExpression") is not None else ""
            found.append((flow.get("id") == one.get("default") or not text.strip(), Way(self._to(flow), text.strip())))
        if str(one.tag).endswith("exclusiveGateway"):
            found.sort(key=lambda pair: pair[0])
        return tuple(way for _last, way in found)


def _name(one: Any) -> Name:
    return Name(one.get("zh", ""), one.get("en") or "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 1


def _who(task: Any, text: str) -> Who:
    how, _colon, rest = text.strip().partition(":")
    if how not in (How.ROLE, How.POST, How.ORGAN, How.PART) or not rest:
        raise _no(task, _("办理人“{who}”应写成 role:、post:、organ: 或 part: 加编号").format(who=text.strip()[:60]))
    id, _at, organ = rest.partition("@")
    return Who(how, id, organ)

"""A template drawn: where its steps stand and how its ways run, the same for the picture on the page and for the shapes of a BPMN file.

Steps stand in ranks: each one below (or right of) all that lead to it, ways back left out. Steps of one rank stand side by side. A way to the
next rank is straight; a longer one and a way back run beside the steps, each in a lane of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape

from office.frame.flow.template import Asks, Kind, Many, Step, Template, index
from office.frame.words import _

START, STOP = "-start", "-end"
"Ids of the beginning and the end in a drawing."
WIDE, HIGH, GATE, ROUND = 156, 58, 40, 30
"Pixels: a task's width and height, a gateway, an event."
RANK, ASIDE, LANE = 92, 170, 14
"Pixels from rank to rank, from step to step aside, from lane to lane."
Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A step in its place; ``x`` and ``y`` are its middle."""

    id: str
    x: int
    y: int
    wide: int
    high: int


@dataclass(frozen=True)
class Line:
    """A way."""

    start: str
    end: str
    points: tuple[Point, ...]
    when: str = ""


@dataclass(frozen=True)
class Drawing:
    """A template drawn downwards; :meth:`across` turns it to the right, as BPMN is drawn by custom."""

    boxes: dict[str, Box]
    lines: tuple[Line, ...]
    wide: int
    high: int


def draw(template: Template, *, across: bool = False) -> Drawing:
    """Put every step and way of a template in its place, downwards or to the right."""
    ranks = _ranks(template)
    rows: dict[int, list[str]] = {}
    for id in [START, *index(template), STOP]:
        if id in ranks:
            rows.setdefault(ranks[id], []).append(id)
    widest = max(len(row) for row in rows.values())
    ways = [(START, template.first, ""), *((step.id, way.to or STOP, way.when) for step in template.steps for way in step.ways)]
    ways = [(start, end, when) for start, end, when in ways if start in ranks and end in ranks]
    beside = [way for way in ways if ranks[way[1]] - ranks[way[0]] != 1]
    left = LANE * (1 + sum(ranks[end] <= ranks[start] for start, end, _when in beside))
    middle = left + widest * ASIDE // 2
    boxes = {}
    for rank, row in rows.items():
        for place, id in enumerate(row):
            at = (middle + (2 * place - len(row) + 1) * ASIDE // 2, 40 + rank * RANK)
            boxes[id] = Box(id, *(at[::-1] if across else at), *_size(template, id))
    lines = _lines(ways, ranks, boxes, (left, left + widest * ASIDE), across)
    breadth, length = left + widest * ASIDE + LANE * (1 + len(beside)), 40 + max(rows) * RANK + 50
    return Drawing(boxes, lines, *((length, breadth) if across else (breadth, length)))


def _size(template: Template, id: str) -> tuple[int, int]:
    if id in (START, STOP):
        return ROUND, ROUND
    return (WIDE, HIGH) if template.step(id).kind == Kind.TASK else (GATE, GATE)


def _ranks(template: Template) -> dict[str, int]:
    """The longest way from the beginning to each step that can be reached, ways back left out."""
    steps = index(template)
    ahead: dict[str, list[str]] = {START: [template.first]}
    order: list[str] = []
    state: dict[str, int] = {}

    def visit(id: str) -> None:
        state[id] = 1
        for to in dict.fromkeys([template.first] if id == START else [way.to or STOP for way in steps[id].ways] if id in steps else []):
            if to not in steps and to != STOP:
                continue
            if state.get(to) != 1:
                ahead.setdefault(id, []).append(to) if id != START else None
                if to not in state:
                    visit(to)
        state[id] = 2
        order.append(id)

    visit(START)
    ranks = dict.fromkeys(order, 0)
    for id in reversed(order):
        for to in ahead.get(id, ()):
            if to in ranks:
                ranks[to] = max(ranks[to], ranks[id] + 1)
    ranks[STOP] = max(ranks.values()) + (STOP not in ranks)
    lost = [id for id in steps if id not in ranks]
    return ranks | {id: ranks[STOP] + 1 + n // 3 for n, id in enumerate(lost)}


def _lines(ways: list[tuple[str, str, str]], ranks: Mapping[str, int], boxes: Mapping[str, Box], sides: Point, across: bool) -> tuple[Line, ...]:
    found, left, right = [], sides[0], sides[1]
    for start, end, when in ways:
        a, b = _upright(boxes[start], across), _upright(boxes[end], across)
        if ranks[end] - ranks[start] == 1:
            half = (a.y + a.high // 2 + b.y - b.high // 2) // 2
            points = [(a.x, a.y + a.high // 2), (a.x, half), (b.x, half), (b.x, b.y - b.high // 2)]
            points = points[:1] + points[3:] if a.x == b.x else points
        elif ranks[end] <= ranks[start]:
            left -= LANE
            points = [(a.x - a.wide // 2, a.y), (left, a.y), (left, b.y), (b.x - b.wide // 2, b.y)]
        else:
            right += LANE
            points = [(a.x + a.wide // 2, a.y), (right, a.y), (right, b.y - 8), (b.x + b.wide // 2, b.y - 8)]
        found.append(Line(start, end, tuple(p[::-1] if across else p for p in points), when))
    return tuple(found)


def _upright(box: Box, across: bool) -> Box:
    return Box(box.id, box.y, box.x, box.high, box.wide) if across else box


# the picture


def svg(
    template: Template,
    *,
    here: Collection[str] = (),
    done: Collection[str] = (),
    chosen: str = "",
    link: str = "",
    words: Mapping[str, str] | None = None,
) -> str:
    """The picture as SVG for a page, coloured by the page's sheet.

    ``link`` is where a step leads, with ``{}`` for its id; ``words`` say who does a step.
    """
    drawing, words = draw(template), words or {}
    parts = [
        f'<svg class="flow-picture" viewBox="0 0 {drawing.wide} {drawing.high}" width="{drawing.wide}" height="{drawing.high}" role="group"'
        f' aria-label="{escape(str(template.name))}"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
    ]
    parts += [_way(line) for line in drawing.lines]
    for box in drawing.boxes.values():
        if box.id in (START, STOP):
            word = _("开始") if box.id == START else _("结束")
            parts.append(f'<g class="event {box.id[1:]}"><circle cx="{box.x}" cy="{box.y}" r="{ROUND // 2}"/><title>{escape(str(word))}</title></g>')
            continue
        step = template.step(box.id)
        stand = "here" if step.id in here else "done" if step.id in done else ""
        shape = _task(step, box, words.get(step.id, "")) if step.kind == Kind.TASK else _gate(step, box)
        body = f'<g class="step {step.kind} {stand} {"chosen" if step.id == chosen else ""}"><title>{escape(str(step.name))}</title>{shape}</g>'
        parts.append(f'<a href="{escape(link.replace("{}", step.id))}" aria-label="{escape(str(step.name))}">{body}</a>' if link else body)
    return "".join(parts) + "</svg>"


def _way(line: Line) -> str:
    path = " ".join(f"{x},{y}" for x, y in line.points)
    text = ""
    if line.when:
        (x, y), (x2, _y) = line.points[:2]
        at = (x + 4, y + 14) if x == x2 else (min(x, x2) + 6, y - 4)
        text = f'<text class="when" x="{at[0]}" y="{at[1]}">{escape(_short(line.when, 18))}</text>'
    return f'<polyline class="way" points="{path}" marker-end="url(#tip)"/>{text}'


def _task(step: Step, box: Box, who: str) -> str:
    x, y = box.x - box.wide // 2, box.y - box.high // 2
    marks = {Many.PARALLEL: "≡", Many.SERIAL: "⇉"}.get(Many(step.many), "") + {Asks.COUNTERSIGN: "✎", Asks.SIGN: "✍"}.get(Asks(step.asks), "")
    clock = f'<circle class="clock" cx="{x + box.wide - 4}" cy="{y + 4}" r="7"/>' if step.term else ""
    name = escape(_short(str(step.name), 22 if str(step.name).isascii() else 11))
    lines = f'<text x="{box.x}" y="{box.y - (5 if who else -4)}">{name}</text>'
    lines += f'<text class="who" x="{box.x}" y="{box.y + 15}">{escape(_short(who, 26 if who.isascii() else 13))}</text>' if who else ""
    sign = f'<text class="marks" x="{x + 6}" y="{y + box.high - 6}">{marks}</text>' if marks else ""
    return f'<rect x="{x}" y="{y}" width="{box.wide}" height="{box.high}" rx="8"/>{clock}{lines}{sign}'


def _gate(step: Step, box: Box) -> str:
    r = GATE // 2
    mark = "×" if step.kind == Kind.CHOICE else "+"
    corners = f"{box.x},{box.y - r} {box.x + r},{box.y} {box.x},{box.y + r} {box.x - r},{box.y}"
    return f'<polygon points="{corners}"/><text x="{box.x}" y="{box.y + 6}">{mark}</text>'


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"

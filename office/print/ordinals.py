"""Numbers that Word counts by itself: they stand in no paragraph, and a text without them has lost its order."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from docx.oxml.ns import qn

from office.print.sheet import level_of

BULLET = "\N{BULLET}"
_DIGITS = "零一二三四五六七八九"
_CHINESE = ("chineseCounting", "chineseCountingThousand", "ideographDigital", "japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand")
_LEVELS = ("{}、", "（{}）", "{}.", "（{}）")


def chinese(number: int) -> str:
    """A number below 100 in Chinese, a larger one in digits."""
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return ("" if not tens else "十" if tens == 1 else f"{_DIGITS[tens]}十") + (_DIGITS[ones] if ones else "")


class Ordinals:
    """The lists of one file and how far each has counted."""

    def __init__(self, numbering: Any) -> None:
        self.lists: dict[str, Any] = {}
        abstract = {one.get(qn("w:abstractNumId")): one for one in numbering.findall(qn("w:abstractNum"))} if numbering is not None else {}
        for num in numbering.findall(qn("w:num")) if numbering is not None else ():
            named = num.find(qn("w:abstractNumId"))
            self.lists[num.get(qn("w:numId"))] = abstract.get(named.get(qn("w:val"))) if named is not None else None
        self.counted: dict[Any, dict[int, int]] = defaultdict(dict)

    def next(self, properties: Any) -> str:
        """What Word would write before a paragraph with this ``numPr``; nothing when its list does not exist."""
        found = {name: _value(properties.find(qn(f"w:{name}"))) for name in ("numId", "ilvl")}
        level, body = int(found["ilvl"] or 0), self.lists.get(found["numId"])
        shapes = {int(one.get(qn("w:ilvl"))): one for one in body.findall(qn("w:lvl"))} if body is not None else {}
        if level not in shapes:
            return ""
        counts = self.counted[id(body)]
        for at in [at for at in counts if at > level]:
            del counts[at]
        for at in range(level + 1):
            if at == level or at not in counts:
                counts[at] = counts[at] + 1 if at in counts else int(_value(shapes[at].find(qn("w:start"))) or 1) if at in shapes else 1
        if _value(shapes[level].find(qn("w:numFmt"))) == "bullet":
            return BULLET
        text = _value(shapes[level].find(qn("w:lvlText")))
        return re.sub(r"%([1-9])", lambda place: _figure(counts.get(int(place[1]) - 1, 1), shapes.get(int(place[1]) - 1)), text)


class Headings:
    """Numbers for headings that have a level and none of their own."""

    def __init__(self) -> None:
        self.counts = [0, 0, 0, 0]

    def seen(self, level: int) -> str:
        """One more heading of this level (1 to 4): its number, should it need one."""
        self.counts[level - 1] += 1
        self.counts[level:] = [0] * (4 - level)
        count = self.counts[level - 1]
        return _LEVELS[level - 1].format(chinese(count) if level < 3 else count)


def numbered(line: str) -> bool:
    """Whether a paragraph says its own level."""
    return level_of(line) > 0


def _figure(count: int, shape: Any) -> str:
    return chinese(count) if shape is not None and _value(shape.find(qn("w:numFmt"))) in _CHINESE else str(count)


def _value(element: Any) -> str:
    return "" if element is None else element.get(qn("w:val"), "")

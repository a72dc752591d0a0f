"""Titles break at sense: no word, number or book title is torn, and the lines make a trapezoid or a diamond (section 7.3.1).

Every way of breaking into as few lines as the width allows (or one more) is weighed: what a break costs by the characters
around it, and what the outline costs. The words known (``data/words.txt``) are those that titles of official documents are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from office.print.lines import CLOSING, OPENING, wide

KINDS = ("决议", "决定", "命令", "公报", "公告", "通告", "意见", "通知", "通报", "报告", "请示", "批复", "议案", "函", "纪要")
WORDS = frozenset(Path(__file__).with_name("data").joinpath("words.txt").read_text(encoding="utf-8").split())
_TORN, _PLAIN, _GOOD = 40.0, 6.0, 0.0
_SHAPE, _MORE = 1.0, 9.0


def broken(title: str, *, organs: Sequence[str], columns: int) -> list[str]:
    """The lines of a title at most ``columns`` full-width characters wide; the drafter's own line feeds are kept."""
    given = [line.strip() for line in title.splitlines() if line.strip()]
    if len(given) > 1:
        return [part for line in given for part in broken(line, organs=organs, columns=columns)]
    text = given[0] if given else ""
    if width(text) <= columns:
        return [text] if text else []
    least = int(-(-width(text) // columns))
    return min((_best(text, count, organs, columns) for count in (least, least + 1)), key=lambda found: found[0])[1]


def width(text: str) -> float:
    """Places a text takes."""
    return sum(1.0 if wide(char) else 0.5 for char in text)


def _best(text: str, count: int, organs: Sequence[str], columns: int) -> tuple[float, list[str]]:
    costs = {at: _cost(text, at, organs) for at in range(1, len(text))}
    places = sorted(costs, key=lambda at: costs[at])[: max(24 - 4 * count, 10)]
    best: tuple[float, list[str]] = (float("inf"), [])
    for cuts in combinations(sorted(places), count - 1):
        parts = [text[a:b] for a, b in zip((0, *cuts), (*cuts, len(text)), strict=True)]
        widths = [width(part) for part in parts]
        if max(widths) > columns:
            continue
        cost = sum(costs[at] for at in cuts) + _SHAPE * _outline(widths) + _MORE * count
        best = min(best, (cost, parts))
    if best[1] or count >= len(text):
        return best if best[1] else (float("inf"), [text])
    return _best(text, count + 1, organs, columns) if count < 12 else (float("inf"), _chopped(text, columns))


def _chopped(text: str, columns: int) -> list[str]:
    return [text[at : at + columns] for at in range(0, len(text), columns)]


def _cost(text: str, at: int, organs: Sequence[str]) -> float:
    """What it costs to break before character ``at``."""
    before, after = text[:at], text[at:]
    if after[0] in CLOSING or before[-1] in OPENING or after[0] in "的之" or not (wide(before[-1]) or wide(after[0])):
        return _TORN * 3
    if _inside(text, at) or before.count("《") > before.count("》") and len(after.partition("》")[0]) < 12:
        return _TORN
    if before.endswith("关于") or before.endswith("的") and after in KINDS:
        return _TORN / 2
    if before in organs or after.startswith("关于"):
        return _GOOD
    if before[-1] in "、》，　 " or after[0] in "《和及与暨":
        return _GOOD + 1
    known = any(before.endswith(word) for word in WORDS) + any(after.startswith(word) for word in WORDS)
    return _PLAIN - 2 * known


def _inside(text: str, at: int) -> bool:
    """Whether a known word spans the place."""
    for length in range(2, 8):
        for start in range(max(0, at - length + 1), at):
            if text[start : start + length] in WORDS and start + length > at:
                return True
    return text[at - 1].isdigit() and text[at] in "年月日号届次期％%" or text[at - 1] == "第"


def _outline(widths: list[float]) -> float:
    """Growing, shrinking or a diamond is good; an hourglass, a block or a very short line is not."""
    if len(widths) < 2:
        return 0.0
    steps = [b - a for a, b in zip(widths, widths[1:], strict=False)]
    turns = [a < 0 < b for a, b in zip(steps, steps[1:], strict=False)]
    spread = max(widths) - min(widths)
    return 12.0 * sum(turns) + (3.0 if spread < 1 else 0.0) + max(0.0, spread - 6) * 1.0 + max(0.0, 5 - min(widths)) * 3

"""What a prefecture writes in a year, decided by a seed: who sends what to whom on which day and hour, and what breaks meanwhile.

The shape is that of an office network: nearly everything on working days between eight and half past five, most of it inside a
node or between neighbours, some of it for everybody below. Every line is cut now and then, mostly for under an hour and a few
times for days; every process dies now and then; now and then a disk is put back to an older copy.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync.homes import tier

DAY = 86_400
HOURS = (*[0.1] * 7, 1, 9, 14, 13, 8, 2, 5, 12, 13, 11, 5, 1, 0.5, 0.3, 0.2, *[0.1] * 2)
"How much is written in each hour of a working day, as shares."
WEEKEND = 0.03
"What is written on a day without work, against a working day."
INSIDE, UP, BELOW, ASIDE, SINGLE = "inside", "up", "below", "aside", "single"
SHARES: Mapping[str, Mapping[str, int]] = {
    "city": {INSIDE: 50, BELOW: 20, SINGLE: 30},
    "county": {INSIDE: 45, UP: 20, BELOW: 15, SINGLE: 12, ASIDE: 8},
    "township": {INSIDE: 40, UP: 45, ASIDE: 15},
}
"Out of a hundred documents of a tier: kept inside, to the one above, to all below, to one neighbour of the same tier, to one below."
WEIGHT = {"city": 30, "county": 12, "township": 3}
"How much a node of each tier writes, against the others."
FILES = ((2_000, 12), (20_000, 6), (120_000, 2))
"Bytes of an attachment, and how many documents of a hundred have one."
PHRASES = (
    "各县（市、区）人民政府，各镇人民政府、街道办事处：为切实做好当前工作，现将有关事项通知如下。",
    "一是压实责任，明确分工，逐级落实到岗到人，做到有部署、有检查、有反馈。",
    "二是加强值班值守，严格执行领导带班和二十四小时值班制度，遇有重大情况及时报告。",
    "三是对照任务清单逐项排查，建立台账，限期整改，整改结果按时报送。",
    "经研究，原则同意你单位所报方案，请按照有关规定认真组织实施，并做好资料归档。",
    "现将我镇本月防汛物资储备、隐患排查和转移避险准备情况报告如下，请审阅。",
    "联系人及联系电话附后，附件为统计表，请于规定时限前通过本系统反馈。",
)
CUTS = {"county": 3.0, "township": 9.0}
"How often a node's line upward is cut in a year."
KINDS = ("cut", "crash", "restore")
CRASHES, RESTORES = 6.0, 0.15
"How often a node's process dies, and how often its disk is put back, in a year."


@dataclass(frozen=True)
class Paper:
    """One document to be written."""

    number: int
    at: float
    "Seconds after the year's beginning."
    author: str
    way: str
    to: tuple[str, ...]
    "Names of nodes."
    text: str
    file: int
    "Bytes of its attachment, 0 for none."


@dataclass(frozen=True)
class Mishap:
    """Something that breaks."""

    at: float
    kind: str
    "``cut``, ``crash`` or ``restore``."
    node: str
    lasts: float
    "Seconds a line stays cut, or how old the disk is that is put back."


def tree(counties: int, townships: int) -> dict[str, str]:
    """Names of nodes and of the one above each: one city, its counties, the townships dealt out among them."""
    found = {"city": ""} | {f"c{c}": "city" for c in range(1, counties + 1)}
    for t in range(townships):
        county = t % counties + 1
        found[f"c{county}t{t // counties + 1}"] = f"c{county}"
    return found


def papers(above: Mapping[str, str], seed: int, count: int, days: int) -> Iterator[Paper]:
    """``count`` documents in the order of their moments."""
    rng = random.Random(f"papers {seed}")  # noqa: S311 - a load, not keys
    names = list(above)
    weights = [WEIGHT[tier(above, name)] for name in names]
    for number, at in enumerate(_moments(rng, count, days)):
        author = rng.choices(names, weights)[0]
        way, to = _way(rng, above, author)
        text = f"{number}·" + "".join(rng.choices(PHRASES, k=rng.randrange(3, 14)))
        file = rng.choices([*(size for size, _share in FILES), 0], [*(share for _size, share in FILES), 80])[0]
        yield Paper(number, at, author, way, to, text, file)


def _moments(rng: random.Random, count: int, days: int) -> list[float]:
    shares = [WEEKEND if day % 7 >= 5 else 1.0 for day in range(days)]
    days_of = rng.choices(range(days), shares, k=count)
    hours_of = rng.choices(range(24), HOURS, k=count)
    return sorted(day * DAY + hour * 3600 + rng.random() * 3600 for day, hour in zip(days_of, hours_of, strict=True))


def _way(rng: random.Random, above: Mapping[str, str], author: str) -> tuple[str, tuple[str, ...]]:
    shares = SHARES[tier(above, author)]
    way = rng.choices(list(shares), list(shares.values()))[0]
    below = [name for name in above if _under(above, name, author)]
    same = [name for name in above if name != author and above[name] == above[author]]
    if way == UP and above[author]:
        return way, (above[author],)
    if way == BELOW and below:
        return way, tuple(below)
    if way == SINGLE and below:
        return way, (rng.choice(below),)
    if way == ASIDE and same:
        return way, (rng.choice(same),)
    return INSIDE, (author,)


def _under(above: Mapping[str, str], name: str, top: str) -> bool:
    while above[name]:
        name = above[name]
        if name == top:
            return True
    return False


def mishaps(above: Mapping[str, str], seed: int, days: int, kinds: Sequence[str] = KINDS) -> list[Mishap]:
    """What breaks in so many days, in order."""
    rng = random.Random(f"mishaps {seed}")  # noqa: S311
    found = []
    for name in above:
        often = {"cut": CUTS.get(tier(above, name), 0.0), "crash": CRASHES, "restore": RESTORES}
        for kind, rate in often.items():
            for at in _poisson(rng, rate * days / 365, days):
                lasts = min(rng.lognormvariate(7.5, 1.5), 30.0 * DAY) if kind == "cut" else rng.uniform(600, 3 * DAY)
                found.append(Mishap(at, kind, name, lasts))
    return sorted((one for one in found if one.kind in kinds), key=lambda one: one.at)


def _poisson(rng: random.Random, expected: float, days: int) -> Iterator[float]:
    at = rng.expovariate(expected) if expected else 2.0
    while at < 1.0:
        yield at * days * DAY
        at += rng.expovariate(expected)


def reading(seed: int, number: int, node: str, at: float) -> float:
    """When somebody at a node signs for a document that came at a moment: within the hour, or on the next working morning."""
    rng = random.Random(f"{seed} {number} {node}")  # noqa: S311
    moment = at + rng.expovariate(1 / 1500)
    day, hour = divmod(moment, DAY)
    while not (8 * 3600 <= hour < 17.5 * 3600 and day % 7 < 5):
        day, hour = (day, 8 * 3600.0) if hour < 8 * 3600 and day % 7 < 5 else (day + 1, 8 * 3600.0)
        moment = day * DAY + hour + rng.random() * 3600
    return moment

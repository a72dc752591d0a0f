"""A year of a whole prefecture in one process: real peers and real books on thin lines, under the load of :mod:`sync.load`.

Every document is an entry of its author's node, carried hop by hop; at every node it was for, somebody signs for it during
working hours, and the receipt travels back. Lines take as long as their width says and keep their order; a cut ends what was
under way. Idle stretches pass in no time: between two events nothing is simulated, beats neither, and once a week every line
calls anew. The clerk's program offers again what a dying process had not yet answered, as it does in life, and the same
document stands once.

One seed and one build give one ``digest`` of what everybody has folded.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from node.directory.entries import Organ, Person
from node.entry import ALL, DOWN, SELF, UP, Audience, Lane, to_node
from node.errors import NodeError
from node.requests import Draft, Written
from sync import load
from sync.actor import Actor, Answered, Image, Noted
from sync.homes import tier, workplace
from sync.load import DAY, KINDS, Mishap, Paper
from sync.sim import World

WIDTH = {"county": 10e6 / 8, "township": 2e6 / 8}
"Bytes a second of a node's line upward, each way."
DELAY = {"county": 0.01, "township": 0.02}
GRAIN = 1024
"Messages count as whole kibibytes on a line: keys and salts are never twice the same, and their few bytes shall not decide who comes first."
WEEK = 7 * DAY
UNITS, PEOPLE = 1428, 26_925
"Organs and persons of the prefecture the system was first made for (Binzhou)."


@dataclass
class Journey:
    """A document, or the receipt of one, on its way."""

    name: str
    way: str
    author: str
    begun: float
    waiting: set[str]
    "Nodes it has not reached."
    arrived: Callable[[Actor], None]
    "What follows at a node that it has reached."
    id: bytes = b""
    "Statement id; empty until the ledger has answered."
    places: tuple[tuple[bytes, int], ...] = ()


class Year(World):
    """The tree, its lines with their width, and the account of every document."""

    def __init__(self, seed: int, folder: Path, above: Mapping[str, str], *, faults: Collection[str], days: int) -> None:
        self.touched: set[str] = set()
        self.lines = {name: [name, *(other for other in above if above[other] == name)] for name in above}
        "Of each node the children whose lines end at it: its own and those of the nodes below."
        self.free: dict[tuple[str, str], float] = {}
        "When a line is free for the next message."
        self.bytes: Counter[str] = Counter()
        "Carried by each child's line, both ways."
        self.cut: dict[str, float] = {}
        "Children whose line is cut, and until when."
        self.marks: dict[str, int] = defaultdict(int)
        self.seen: dict[tuple[str, bytes], int] = {}
        self.at_place: dict[tuple[bytes, int], Journey] = {}
        self.unanswered: dict[str, list[tuple[Journey, Draft]]] = defaultdict(list)
        self.journeys: list[Journey] = []
        self.times: dict[str, list[float]] = defaultdict(list)
        "Seconds from writing to every arrival, by way."
        self.backlog: list[tuple[float, int]] = []
        self.under_way = 0
        self.days = days
        super().__init__(seed, folder, tree=above, faults=faults)

    # --- lines --------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Put on the lines what those have to say to whom something has happened."""
        for name in sorted(self.touched):
            for child in self.lines[name]:
                if child in self.connection:
                    self._speak(child)
        self.touched.clear()

    def _put(self, a: str, b: str, line: int, message: bytes) -> None:
        child = a if self.above[a] == b else b
        kind = tier(self.above, child)
        start = max(self.free.get((a, b), 0.0), self.time)
        self.free[a, b] = start + -(-len(message) // GRAIN) * GRAIN / WIDTH[kind]
        self.bytes[child] += len(message)
        self.later(self.free[a, b] + DELAY[kind] - self.time, lambda: self._deliver(a, b, line, message))

    def _deliver(self, a: str, b: str, line: int, message: bytes) -> None:
        self.touched.update((a, b))
        super()._deliver(a, b, line, message)

    def dial(self, child: str) -> None:
        """A new connection, unless the line is cut."""
        if child not in self.cut:
            self.touched.update((child, self.above[child]))
            self.free.pop((child, self.above[child]), None)
            self.free.pop((self.above[child], child), None)
            super().dial(child)

    def _tick(self, seconds: float) -> None:
        super()._tick(seconds)
        self.touched.update(self.names)

    # --- documents ----------------------------------------------------------------------------------------------

    def say(self, one: Journey, draft: Draft) -> None:
        """Have something written, again after a death until it is answered."""
        self.journeys.append(one)
        self.under_way += len(one.waiting)
        self.unanswered[one.author].append((one, draft))
        self._offer(one, draft)

    def _offer(self, one: Journey, draft: Draft) -> None:
        actor = self.actors[one.author]

        def answered(result: Any) -> None:
            if isinstance(result, NodeError):
                self.violations.append(f"{one.author} refused {one.name}: {result.code}")
            elif (one, draft) in self.unanswered[one.author]:
                self.unanswered[one.author].remove((one, draft))
                self._written(one, result[0])

        actor.ask("write", ([draft],), answered)

    def _written(self, one: Journey, said: Written) -> None:
        one.id, one.places = said.id, tuple((place.chain, place.seq) for place in said.places)
        for place in one.places:
            self.at_place[place] = one
        for name in sorted(one.waiting):  # it may have left before its author had an answer
            if _holds(self.actors[name], one):
                self._reached(one, self.actors[name])

    def issue(self, paper: Paper) -> None:
        """Somebody writes a document; at every node it reaches somebody will sign for it."""
        actor, name = self.actors[paper.author], f"d{paper.number}"
        files = (actor.put(random.Random(name).randbytes(paper.file)),) if paper.file else ()  # noqa: S311
        to = self._open_to(paper)
        label = "+".join(paper.to) if to[0].node else str(to[0].scope)
        draft = actor.draft(Noted(paper.text, label), record=name, to=to, lane=Lane.ORDINARY, attachments=files)
        one = Journey(name, paper.way, paper.author, self.time, set(paper.to) - {paper.author}, lambda there: self._read(one, paper, there))
        self.say(one, draft)

    def _read(self, one: Journey, paper: Paper, there: Actor) -> None:
        moment = load.reading(self.seed, paper.number, there.name, self.time)
        if moment < self.days * DAY:
            self.later(moment - self.time, lambda: self._sign(one, paper, there))

    def _sign(self, one: Journey, paper: Paper, there: Actor) -> None:
        author, name = self.actors[one.author], f"r{paper.number} {there.name}"
        to = (to_node(author.id),)
        draft = there.draft(Answered(name, author.name, one.id), record=name, to=to, lane=Lane.ORDINARY, after=(one.id,))
        self.say(Journey(name, "receipt", there.name, self.time, {author.name}, lambda _author: None), draft)

    def _open_to(self, paper: Paper) -> tuple[Audience, ...]:
        if paper.way == load.INSIDE:
            return (SELF,)
        if paper.way == load.BELOW:
            return (DOWN,)
        if paper.way == load.UP and paper.number % 2:
            return (UP,)
        return tuple(to_node(self.actors[name].id) for name in paper.to)

    def committed(self, actor: Actor) -> None:
        """See what a transaction has brought."""
        super().committed(actor)
        self.touched.add(actor.name)
        self.marks[actor.name], chains = actor.book.journal.changed(self.marks[actor.name])
        for chain in chains:
            start = self.seen.get((actor.name, chain.id), 0)
            self.seen[actor.name, chain.id] = max(start, chain.count)
            for seq in range(start, chain.count):
                one = self.at_place.get((chain.id, seq))
                if one is not None:
                    self._reached(one, actor)

    def _reached(self, one: Journey, actor: Actor) -> None:
        if actor.name in one.waiting:
            one.waiting.discard(actor.name)
            self.under_way -= 1
            self.times[one.way].append(self.time - one.begun)
            one.arrived(actor)

    # --- what breaks --------------------------------------------------------------------------------------------

    def restart(self, actor: Actor, image: Image | None = None) -> None:
        """A process dies and starts again; lines are called anew, and programs offer again what was not answered."""
        super().restart(actor, image)
        self.marks[actor.name] = 0
        for child in self.children():
            if actor.name in (child, self.above[child]):
                self.dial(child)
        for one, draft in self.unanswered[actor.name]:
            self._offer(one, draft)

    def happen(self, one: Mishap) -> None:
        """Something breaks."""
        actor = self.actors[one.node]
        self.counts[one.kind] += 1
        if one.kind == "cut":
            self.hang_up(one.node)
            until = max(self.cut.get(one.node, 0.0), self.time + one.lasts)
            self.cut[one.node] = until
            self.later(one.lasts, lambda: self._mend(one.node))
        elif one.kind == "crash":
            actor.doomed = ("before", "between", "after")[int(one.lasts) % 3]
        else:
            actor.images = []
            actor.back_up()
            image = actor.images.pop()
            self.later(one.lasts, lambda: self.restart(actor, image))

    def _mend(self, child: str) -> None:
        if self.cut.get(child, 0.0) <= self.time:
            self.cut.pop(child, None)
            self.dial(child)

    # --- the year -----------------------------------------------------------------------------------------------

    def people(self, units: int, people: int) -> None:
        """Every node says which organs and persons it has."""
        names = list(self.above)
        for number, name in enumerate(names):
            actor = self.actors[name]
            said: list[Organ | Person] = [_organ(actor, n) for n in range(number, units, len(names))]
            said += [Person(f"p{n}", f"人员{n}", f"o{n % units}", "", 1, "active", "ren yuan") for n in range(number, people, len(names))]
            drafts = [actor.draft(one, record=one.id, to=(ALL,), lane=Lane.TRUST) for one in said]
            for start in range(0, len(drafts), 200):
                actor.ask("write", (drafts[start : start + 200],), lambda _: None)

    def live(self, papers: Iterator[Paper], mishaps: list[Mishap], tell: Callable[[int], None]) -> None:
        """Let the year pass: its documents, its mishaps, a call of every line each week, a look at what is under way each hour."""
        for one in mishaps:
            self.later(one.at - self.time, partial(self.happen, one))
        for week in range(1, self.days // 7 + 1):
            self.later(week * WEEK - self.time, self._call)
        self._next(papers)
        day = 0
        while self.queue and self.time < self.days * DAY:
            self.step()
            if self.time >= day * DAY:
                self.backlog.append((self.time, self.under_way))
                tell(self.counts["documents"])
                day = int(self.time // DAY) + 1

    def _next(self, papers: Iterator[Paper]) -> None:
        paper = next(papers, None)
        if paper is None:
            return

        def write() -> None:
            self.counts["documents"] += 1
            self.issue(paper)
            self._next(papers)

        self.later(max(0.0, paper.at - self.time), write)

    def _call(self) -> None:
        for child in self.children():
            self.dial(child)

    def heal(self) -> None:
        """The year is over: lines are mended, nothing more is written, and everybody calls."""
        self.cut.clear()
        super().heal()

    def lost(self) -> list[str]:
        """Documents and receipts that somebody has not got, though neither author nor carrier was ever put back to an older disk."""
        found = [one for one in self.journeys if one.waiting]
        gone = [one for one in found if not any(_holds(actor, one) for actor in self.actors.values())]
        self.counts["gone_with_a_disk"] = len([one for one in gone if self.actors[one.author].restored])
        return [one.name for one in found if one not in gone or not self.actors[one.author].restored]

    def doubled(self) -> int:
        """Entries that stand twice in somebody's tables."""
        many = 0
        for actor in self.actors.values():
            texts = [note.text for note in actor.notes()]
            many += len(texts) - len(set(texts))
        return many


def _holds(actor: Actor, one: Journey) -> bool:
    chains = actor.book.journal.chains
    return any(chain in chains and chains[chain].count > seq for chain, seq in one.places)


def _organ(actor: Actor, number: int) -> Organ:
    name = f"机构{number}"
    return Organ(f"o{number}", f"{number}", name, name, "department", actor.settings.tier, "", "", "", "", actor.id, False, (), "", number)


@dataclass(frozen=True)
class Plan:
    """What to live through."""

    seed: int = 1
    scale: float = 0.01
    "Share of a year's documents, organs and people."
    tree: Mapping[str, str] = field(default_factory=lambda: load.tree(10, 91))
    days: int = 365
    documents: int = 500_000
    "Of a whole year."
    faults: Collection[str] = KINDS
    also: tuple[Mishap, ...] = ()
    "Mishaps beside those of the seed."


def run(plan: Plan, tell: Callable[[str, int, int], None] = lambda _what, _done, _of: None) -> dict[str, Any]:
    """Live through a year and judge it; ``tell`` hears what is going on, how much of it is done and of how much."""
    began = time.perf_counter()
    above = plan.tree
    count = max(1, round(plan.documents * plan.scale * plan.days / 365))
    folder = Path(tempfile.mkdtemp(prefix="year-", dir=workplace().name))
    tell("founding", 0, len(above))
    world = Year(plan.seed, folder, above, faults=plan.faults, days=plan.days)
    try:
        world.people(max(len(above), round(UNITS * plan.scale)), round(PEOPLE * plan.scale))
        world.live(
            load.papers(above, plan.seed, count, plan.days),
            [*load.mishaps(above, plan.seed, plan.days, tuple(plan.faults)), *plan.also],
            lambda n: tell("living", n, count),
        )
        tell("healing", 0, 1)
        world.heal()
        tell("judging", 0, 1)
        lost, doubled = world.lost(), world.doubled()
        violations = [*world.judge(), *(f"{name} was lost" for name in lost[:20])]
        return {
            "seed": plan.seed,
            "options": {
                "scale": plan.scale,
                "days": plan.days,
                "faults": sorted(plan.faults),
            },
            "nodes": len(above),
            "steps": world.number,
            "documents": world.counts["documents"],
            "deliveries": sum(len(times) for way, times in world.times.items() if way != "receipt"),
            "receipts": len(world.times["receipt"]),
            "lost": len(lost),
            "doubled": doubled,
            "digest": world.digest(),
            "violations": violations,
            "counts": dict(world.counts),
            "times": {way: quantiles(times) for way, times in sorted(world.times.items())},
            "bytes": dict(world.bytes),
            "backlog": [(round(at / DAY, 2), n) for at, n in world.backlog],
            "s": round(time.perf_counter() - began, 1),
        }
    finally:
        world.close()
        shutil.rmtree(folder)


def quantiles(seconds: list[float]) -> dict[str, float]:
    """How many, and the times within which a half, 95 and 99 of a hundred and all of them came, in seconds."""
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {"count": len(ordered)} | {name: round(ordered[min(len(ordered) - 1, int(len(ordered) * q))], 3) for name, q in at.items() if ordered}

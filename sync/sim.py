"""A whole tree of nodes in one process, the real peers and the real books, in a world that does its worst.

One seed decides everything: what is written where, how long messages take, which lines break or swallow what is on them, who
dies at which point of its work, and whose disk is put back to an older state. After the last step everything heals, and
then what :mod:`sync.verdict` lists must hold.

``python -m sync.sim --seed 7`` runs one seed, ``--seeds 200`` the first two hundred; a failure prints its seed, and the same
seed does the same again. ``digest`` is of what everybody has folded, so two runs of one seed agree in it although signatures
do not.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from node import enrol, schema
from node.codec import base32, pack
from node.directory.tree import Tree
from node.entry import ALL, DOWN, SELF, UP, Audience, Hold, Lane, Scope, to_node
from node.settings import Settings
from sync import verdict
from sync.actor import Actor, Answered, Image, Note, Noted
from sync.homes import START, TREE, founded, workplace
from sync.peer import Now

LOSS = 0.002
"Share of messages that a line swallows."
PATIENT = 60
"Times four seconds, shorter than a silence that ends a session, in which attachments are asked of one neighbour after the other."
SIZES = (1, 40, 3000, 70_000, 300_000)
"Bytes of attachments."
FAULTS = ("cut", "deaf", "crash", "restore")
"What a seed may do to the world: end a connection, let a line swallow everything, kill a process, put a disk back."
EVENTS = (
    (0.15, "write", ""),
    (0.19, "dial", ""),
    (0.205, "hang up", "cut"),
    (0.215, "deafen", "deaf"),
    (0.25, "back up", ""),
    (0.28, "doom", "crash"),
    (0.29, "restart", "crash"),
    (0.32, "put back", "restore"),
    (0.36, "tick", ""),
    (1.0, "on", ""),
)
"What happens next: the dice below which it does, and the fault that it is; a fault that is left out lets the world go on instead."


class World:
    """Nodes, lines, events under way, and the accounts by which the end is judged."""

    def __init__(self, seed: int, folder: Path, *, tree: Mapping[str, str] = TREE, faults: Collection[str] = FAULTS) -> None:
        self.seed, self.above, self.faults = seed, tree, faults
        self.rng = random.Random(seed)  # noqa: S311 - the world's dice, not keys
        self.time = 0.0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.number = 0
        self.connection: dict[str, int] = {}
        "Child to the number of its living connection."
        self.deaf: set[str] = set()
        "Children whose line swallows everything."
        self.arrival: dict[tuple[str, str], float] = {}
        self.dice: dict[tuple[str, str], random.Random] = {}
        self.places: dict[tuple[bytes, int], bytes] = {}
        self.accounted: dict[tuple[str, bytes], int] = {}
        self.acknowledged: dict[bytes, int] = {}
        "Own chain of somebody to how many entries of it the parent said to hold."
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.calm = False
        homes = {name: _moved(folder / name, settings) for name, settings in founded(tree).items()}
        self.tree = Tree({settings.id: settings.parent.id if settings.parent else None for settings in homes.values()})
        self.actors = {name: Actor(self, name, settings) for name, settings in homes.items()}
        self.names = list(self.actors)
        self._admit()
        for child in self.children():
            self.dial(child)

    def close(self) -> None:
        """End every process."""
        for actor in self.actors.values():
            actor.end()

    @property
    def now(self) -> Now:
        """The moment in the simulation."""
        return Now(self.time, int((START.timestamp() + self.time) * 1000))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Put an event on the calendar."""
        self.number += 1
        heapq.heappush(self.queue, (self.time + seconds, self.number, act))

    def _admit(self) -> None:
        """Whoever looks after a node admits those below it that its directory does not show, the city itself too."""
        for actor in self.actors.values():
            below = [other for other in self.actors.values() if (self.above[other.name] or other.name) == actor.name]
            if said := [enrol.own(other.settings) for other in below if not actor.shows(other.id)]:
                self.counts["admitted"] += len(said)
                actor.admit(said)

    # --- accounts -----------------------------------------------------------------------------------------------

    def committed(self, actor: Actor) -> None:
        """Account for every place that was ever signed."""
        book = actor.book.journal
        with book.engine.connect() as c:
            for state in [s for s in book.chains.values() if s.author == actor.id]:
                start = self.accounted.get((actor.name, state.id), 0)
                for seq, hash in schema.HASHES(c, state.no, start, state.count) if start < state.count else ():
                    if self.places.setdefault((state.id, seq), hash) != hash:
                        self.violations.append(f"place {seq} of {base32(state.id)} was signed twice")
                self.accounted[actor.name, state.id] = state.count

    def told(self, actor: Actor, hold: Hold) -> None:
        """Remember what a parent has acknowledged."""
        if actor.settings.parent is not None and hold.holder == actor.settings.parent.id:
            self.acknowledged[hold.chain] = max(self.acknowledged.get(hold.chain, 0), hold.seq + 1)

    def _excuse(self) -> None:
        """What every holder has lost because its disk was put back, nobody can bring again."""
        for chain, count in list(self.acknowledged.items()):
            most = max((a.book.journal.chains[chain].count for a in self.actors.values() if chain in a.book.journal.chains), default=0)
            if most < count:
                self.counts["rolled_back_everywhere"] += count - most
                self.acknowledged[chain] = most
                if not most:
                    del self.acknowledged[chain]

    # --- lines --------------------------------------------------------------------------------------------------

    def children(self) -> list[str]:
        """Everybody who dials."""
        return [name for name, above in self.above.items() if above]

    def dial(self, child: str) -> None:
        """A new connection; what was under way on the old one is lost."""
        self.hang_up(child)
        self.number += 1
        self.connection[child] = self.number
        self.deaf.discard(child)
        self.arrival.pop((child, self.above[child]), None)
        self.arrival.pop((self.above[child], child), None)
        self.actors[child].exchange.connected(self.actors[self.above[child]].id, self.now)

    def hang_up(self, child: str) -> None:
        """The connection ends on both sides."""
        if self.connection.pop(child, None) is not None:
            self.actors[child].exchange.lost(self.actors[self.above[child]].id, self.now)
            self.actors[self.above[child]].exchange.lost(self.actors[child].id, self.now)

    def flush(self) -> None:
        """Put on the lines what peers have to say; now and then the line swallows a message."""
        for child in self.connection:
            self._speak(child)

    def _speak(self, child: str) -> None:
        """Put on one line what both its ends have to say."""
        for a, b in ((child, self.above[child]), (self.above[child], child)):
            one = self.actors[a].exchange.peers.get(self.actors[b].id)
            while one and (message := one.pop()) is not None:
                self._put(a, b, self.connection[child], message)

    def _put(self, a: str, b: str, line: int, message: bytes) -> None:
        dice = self.dice.setdefault((a, b), random.Random(f"{self.seed} {a} {b}"))  # noqa: S311
        delay, lost = (0.01, False) if self.calm else (dice.expovariate(20.0), dice.random() < LOSS)
        child = a if self.above[a] == b else b
        if lost or child in self.deaf:
            self.counts["swallowed"] += 1
            return
        at = max(self.arrival.get((a, b), 0.0), self.time + delay)
        self.arrival[a, b] = at
        self.later(at - self.time, partial(self._deliver, a, b, line, message))

    def _deliver(self, a: str, b: str, line: int, message: bytes) -> None:
        if self.connection.get(a if self.above[a] == b else b) == line:
            self.counts["messages"] += 1
            self.actors[b].exchange.receive(self.actors[a].id, message, self.now)

    def step(self) -> bool:
        """Let the next event happen."""
        self.flush()
        if not self.queue:
            return False
        at, _, act = heapq.heappop(self.queue)
        self.time = max(self.time, at)
        act()
        return True

    # --- a life -------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Something happens."""
        rng = self.rng
        roll, name, child = rng.random(), rng.choice(self.names), rng.choice(self.children())
        event, fault = next((event, fault) for upto, event, fault in EVENTS if roll < upto)
        match event if fault in ("", *self.faults) else "on":
            case "write":
                self.write(self.actors[name])
            case "dial":
                self.dial(child)
            case "hang up":
                self.hang_up(child)
            case "deafen":
                self.deaf.add(child)
            case "back up":
                self.actors[name].back_up()
            case "doom":
                self.actors[name].doomed = rng.choice(["before", "between", "after"])
            case "restart":
                self.restart(self.actors[name])
            case "put back":
                self._put_back()
            case "tick":
                self._tick(rng.random())
            case _:
                for _ in range(rng.randrange(40)):
                    self.step()

    def _put_back(self) -> None:
        """Somebody who has a backup is put back to it."""
        saved = [actor for actor in self.actors.values() if actor.images]
        if saved:
            actor = self.rng.choice(saved)
            self.restart(actor, self.rng.choice(actor.images))

    def _tick(self, seconds: float) -> None:
        self.time += seconds
        for actor in self.actors.values():
            actor.exchange.tick(self.now)

    def write(self, actor: Actor) -> None:
        """A node says something: notes for somebody, or an answer to what it has folded."""
        rng = self.rng
        self.counts["writes"] += 1
        notes = actor.notes()
        lane = rng.choices(list(Lane), [1, 2, 7])[0]
        text = f"{self.counts['writes']} {actor.name}"
        if notes and rng.random() < 0.4:
            about = rng.choice(notes)
            to, label = self._reply(actor, about)
            drafts = [actor.draft(Answered(text, label, about.id), record=text, to=to, lane=lane, after=(about.id,))]
        else:
            to, label = self._audience(actor)
            files = (actor.put(rng.randbytes(rng.choice(SIZES))),) if rng.random() < 0.25 else ()
            many = rng.choice([1, 1, 1, 2, 5, 20])
            drafts = [actor.draft(Noted(f"{text} {n}", label), record=f"{text} {n}", to=to, lane=lane, attachments=files) for n in range(many)]
        self.counts["entries"] += len(drafts)
        actor.ask("write", (drafts,), lambda _: None)

    def _audience(self, actor: Actor) -> tuple[tuple[Audience, ...], str]:
        known = [name for name in self.names if name != actor.name and actor.knows(self.actors[name].id)]
        open_ = [((audience,), str(audience.scope)) for audience in (UP, DOWN, ALL, SELF)]
        if not known:
            return self.rng.choice(open_)
        one, other = self.rng.choice(known), self.rng.choice(known)
        sealed = (to_node(self.actors[one].id),), one
        several = (to_node(self.actors[one].id), UP if other == one else to_node(self.actors[other].id)), f"{one}+{'up' if other == one else other}"
        return self.rng.choice([*open_, sealed, sealed, several])

    def _reply(self, actor: Actor, about: Note) -> tuple[tuple[Audience, ...], str]:
        """An audience that has also seen what is answered."""
        if about.to == str(Scope.ALL) and self.rng.random() < 0.5:
            return (ALL,), str(Scope.ALL)
        author = next(other for other in self.actors.values() if other.id == about.author)
        if author is actor or not actor.knows(author.id):
            return (SELF,), str(Scope.SELF)
        return (to_node(author.id),), author.name

    # --- disasters ----------------------------------------------------------------------------------------------

    def died(self, actor: Actor) -> None:
        """A process ended in the middle of its work, and is started again."""
        self.counts["deaths"] += 1
        self.restart(actor)

    def restart(self, actor: Actor, image: Image | None = None) -> None:
        """A process dies and starts again; with an image, on the disk of an earlier day."""
        self.counts["crashes" if image is None else "restores"] += 1
        for child in self.children():
            if actor.name in (child, self.above[child]):
                self.hang_up(child)
        answered = actor.answered
        actor.end()
        if image is not None:
            actor.put_back(image)
            self.accounted = {place: count for place, count in self.accounted.items() if place[0] != actor.name}
        actor.boot("start" if image is None else "restore")
        if image is not None:
            self._excuse()
        elif any(actor.book.journal.chains[chain].count < count for chain, count in answered.items()):
            self.violations.append(f"{actor.name} had answered what is not on its disk")

    def heal(self) -> None:
        """Everything works again, and everybody calls until nobody has anything left to say."""
        self.calm = True
        for actor in self.actors.values():
            actor.doomed = ""
        for _ in range(3):
            self._tick(1000)
            for child in self.children():
                self.dial(child)
            self._drain()
            self._admit()
            self._tick(1)
            self._drain()
        for _ in range(PATIENT):
            if not any(actor.exchange.fetcher.needs for actor in self.actors.values()):
                break
            self._tick(4)
            self._drain()

    def _drain(self) -> None:
        for _ in range(200_000):
            if not self.step():
                return
        self.violations.append("the nodes never stop talking")

    # --- the end ------------------------------------------------------------------------------------------------

    def judge(self) -> list[str]:
        """What does not hold."""
        self.violations += verdict.judge(self.actors, self.tree, self.acknowledged)
        return self.violations

    def digest(self) -> str:
        """A hash of what everybody has folded, the same for the same seed."""
        names = {actor.id: name for name, actor in self.actors.items()}
        h = hashlib.sha256()
        for name, actor in self.actors.items():
            for note in actor.notes():
                h.update(pack((name, note.text, names[note.author], note.to, note.depth)))
        return h.hexdigest()


def _moved(home: Path, settings: Settings) -> Settings:
    """A copy of a founded home."""
    shutil.copytree(settings.home, home)
    return msgspec.structs.replace(settings, home=home)


@contextmanager
def living(seed: int, *, tree: Mapping[str, str] | None = None, faults: Collection[str] = FAULTS) -> Iterator[World]:
    """A world whose processes and disks are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"{seed}-", dir=workplace().name))
    world = World(seed, folder, tree=tree or TREE, faults=faults)
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(folder)


def run(seed: int, steps: int, *, tree: Mapping[str, str] | None = None, faults: Collection[str] = FAULTS) -> dict[str, Any]:
    """Live through one seed, heal and judge; ``violations`` are what went wrong."""
    began = time.perf_counter()
    with living(seed, tree=tree, faults=faults) as world:
        for _ in range(steps):
            world.act()
        world.heal()
        world.judge()
        options = {"nodes": len(world.names), "faults": sorted(faults)}
        found = {"seed": seed, "options": options, "steps": steps, "digest": world.digest(), "violations": world.violations, **world.counts}
    return found | {"s": round(time.perf_counter() - began, 2)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run seeds; 1 when one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m sync.sim", description="Simulate a tree of nodes under faults.")
    parser.add_argument("--seed", type=int, help="run this one seed")
    parser.add_argument("--seeds", type=int, default=20, help="run the first so many seeds")
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args(argv)
    seeds = [given.seed] if given.seed is not None else range(1, given.seeds + 1)
    failed = []
    for seed in seeds:
        found = run(seed, given.steps)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        failed += [seed] if found["violations"] else []
    if failed:
        sys.stderr.write(f"failing seeds: {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

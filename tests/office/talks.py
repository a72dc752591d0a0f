"""Everybody of a prefecture talks for a day on which some lines are cut: the folds of every node, and what stands when the lines are back.

Nodes are shelves with the tables of the room; people say and read by the rules of the room's verbs, and lines carry what is said: at once where they
are up, the next morning where they are not, each node's log in its own order and the logs mixed by the seed. What each person had before their
eyes when they read is kept beside, and compared with what the tables of their node count as unread.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from node.fold import Released, Shelf
from node.kinds import Content, Entry, name_of
from office.messages import model as folds
from office.messages.entries import Gathered, Member, Read, Said, Seen, group_id, message_id, own_id
from office.messages.tables import ROOM, Mark, Message, unread

MORNING, MINUTE = 1_800_000_000_000, 60_000
COUNTIES, TOWNSHIPS, GROUP = 10, 91, 12
PER_PIECE = 2_000
"Entries folded in one transaction."


@dataclass
class Node:
    """One node: its tables, and what waits on the lines to it."""

    name: str
    engine: Engine
    shelf: Shelf
    taken: int = 0
    waiting: list[Entry[Content]] = field(default_factory=list)
    "Came over a line and is not folded yet."
    held: dict[str, list[Entry[Content]]] = field(default_factory=lambda: defaultdict(list))
    "Kept back by a cut line, by who said it."

    def fold(self) -> None:
        """Fold what has come."""
        for start in range(0, len(self.waiting), PER_PIECE):
            piece: list[Released] = [(self.taken + n + 1, entry) for n, entry in enumerate(self.waiting[start : start + PER_PIECE])]
            self.shelf.fold(piece)
            self.taken += len(piece)
        self.waiting.clear()


@dataclass
class Talk:
    """A conversation as the day goes on."""

    id: str
    roster: bytes
    members: tuple[Member, ...]
    last: dict[str, int] = field(default_factory=dict)
    "Newest moment, by node."
    said: dict[str, list[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(list))
    "What has come to a node: (author, number, message)."
    seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    "What a person has had before their eyes when they read."
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Prefecture:
    """A hundred and two nodes, and so many people in groups over three tiers."""

    def __init__(self, people: int, *, seed: int) -> None:
        self.chance, self.number = random.Random(seed), 0
        self.above = {"city": ""} | {f"county{n}": "city" for n in range(COUNTIES)}
        self.above |= {f"town{n}": f"county{n % COUNTIES}" for n in range(TOWNSHIPS)}
        self.nodes = {name: Node(name, engine, Shelf(ROOM, engine, name)) for name in self.above for engine in (_tables(),)}
        self.cut: set[str] = set()
        "Nodes whose line to the one above is down."
        names = sorted(self.above)
        self.people = [Member(f"p{n}", names[n % len(names)]) for n in range(people)]
        self.talks = [self._gather(n) for n in range(0, people, GROUP)]
        self.answers: list[tuple[str, str]] = []
        "(answer, what its author had seen before)."

    def _gather(self, first: int) -> Talk:
        """Twelve who follow each other, and so are of twelve nodes; a few of them with a second group's."""
        members = tuple(self.people[first : first + GROUP]) or self.people[:1]
        owner, seed = members[0], first.to_bytes(16)
        made = group_id(owner.person, owner.node, seed)
        entry = self._sign(owner, Gathered(made, 1, owner.person, f"第{first}组", tuple(members), seed=seed), made, MORNING)
        talk = Talk(made, entry.id, tuple(members))
        self._carry(entry, members)
        return talk

    # --- the day

    def day(self, said: int) -> None:
        """So many messages, each after somebody read what had come; then all lines are up again and everything comes."""
        for node in self.nodes.values():
            node.fold()
        for turn in range(said):
            talk = self.talks[turn % len(self.talks)]
            now = MORNING + (turn // len(self.talks)) * 97 * MINUTE + self.chance.randrange(MINUTE)
            if self.chance.random() < 0.5:
                self._read(talk, self.chance.choice(talk.members), now)
            self._say(talk, self.chance.choice(talk.members), now)
        self.cut.clear()
        for node in self.nodes.values():
            node.waiting += _mixed(node.held, self.chance)
            node.held.clear()
            node.fold()

    def _say(self, talk: Talk, author: Member, now: int) -> None:
        talk.counts[author.person] += 1
        number, here = talk.counts[author.person], talk.said[author.node]
        moment = max(now, talk.last.get(author.node, 0) + 1)
        record = message_id(talk.id, author.person, number)
        if here:
            self.answers.append((record, here[-1][2]))
        content = Said(talk.id, 1, number, moment, f"{author.person}说{number}")
        entry = self._sign(author, content, record, now, talk.roster)
        for node in self._carry(entry, talk.members):
            talk.last[node] = max(talk.last.get(node, 0), moment)
            talk.said[node].append((author.person, number, record))

    def _read(self, talk: Talk, reader: Member, now: int) -> None:
        most: dict[str, int] = {}
        for author, number, record in talk.said[reader.node]:
            most[author] = max(most.get(author, 0), number)
            talk.seen[reader.person].add(record)
        if most:
            content = Read(talk.id, tuple(Seen(author, number) for author, number in sorted(most.items())))
            self._carry(self._sign(reader, content, own_id(talk.id, reader.person, "read"), now, talk.roster), talk.members)

    def _sign(self, who: Member, content: Content, record: str, at: int, *after: bytes) -> Entry[Content]:
        self.number += 1
        id_ = hashlib.sha256(str(self.number).encode()).digest()
        place = {"number": self.number, "chain": b"", "seq": self.number, "hash": id_, "recipients": (), "signer": b"", "post": ""}
        return Entry(
            id=id_, kind=name_of(content), record=record, home=who.node, author=who.node, person=who.person, at=at, after=after, body=content, **place
        )

    def _carry(self, entry: Entry[Content], members: Iterable[Member]) -> Iterator[str]:
        """To each node of the members, now or when the line is back; gives those that have it now."""
        reached = []
        for name in sorted({entry.author, *(one.node for one in members)}):
            node = self.nodes[name]
            if self._island(name) == self._island(entry.author):
                node.waiting.append(entry)
                reached.append(name)
            else:
                node.held[entry.author].append(entry)
        return iter(reached)

    def _island(self, name: str) -> str:
        """The node at the top of what a node can reach."""
        while self.above[name] and name not in self.cut:
            name = self.above[name]
        return name

    # --- what stands

    def whole(self) -> int:
        """How many messages there are; every node must have the same of a conversation, nothing refused, answers after what they answer."""
        assert [name for name, node in self.nodes.items() if node.shelf.unfolded] == []
        found: dict[str, dict[str, tuple[object, ...]]] = {}
        marks: dict[str, dict[str, set[tuple[object, ...]]]] = defaultdict(lambda: defaultdict(set))
        for node in self.nodes.values():
            with Session(node.engine) as session:
                columns = Message.id, Message.conversation, Message.author, Message.number, Message.moment, Message.text, Message.late
                for row in session.execute(select(*columns)):
                    assert found.setdefault(row.id, {}).setdefault("row", tuple(row)) == tuple(row)
                    found[row.id][node.name] = ()
                for mark in session.execute(select(Mark.conversation, Mark.reader, Mark.author, Mark.number)):
                    marks[mark.conversation][node.name].add(tuple(mark))
        for talk in self.talks:
            nodes = {one.node for one in talk.members}
            ids = {message_id(talk.id, person, n + 1) for person, count in talk.counts.items() for n in range(count)}
            assert all(found[one].keys() == nodes | {"row"} for one in ids)
            assert len({frozenset(marks[talk.id][name]) for name in nodes}) == 1
        order = {one: (row["row"][4], one) for one, row in found.items()}
        assert all(order[answer] > order[before] for answer, before in self.answers)  # type: ignore[operator]
        return len(found)

    def late(self, readers: int) -> int:
        """Of so many people what is unread: all they had not before their eyes, not one more or less. How many messages that are."""
        total = 0
        for talk in self.talks:
            for one in talk.members[: max(1, readers // len(self.talks))]:
                every = {message_id(talk.id, who, n + 1) for who, count in talk.counts.items() if who != one.person for n in range(count)}
                with Session(self.nodes[one.node].engine) as session:
                    left = set(session.scalars(select(Message.id).where(Message.conversation == talk.id, unread(one.person))))
                assert left == every - talk.seen[one.person], (talk.id, one)
                total += len(left)
        return total


def _tables() -> Engine:
    assert folds.ROOM is ROOM
    return create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


def _mixed(held: dict[str, list[Entry[Content]]], chance: random.Random) -> Iterator[Entry[Content]]:
    """Each author's log in its order, the logs in any."""
    logs = {author: iter(entries) for author, entries in held.items()}
    turns = [author for author, entries in held.items() for _one in entries]
    chance.shuffle(turns)
    return (next(logs[author]) for author in turns)

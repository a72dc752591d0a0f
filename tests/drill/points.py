"""A ledger that is killed exactly when it asks the disk to keep something: at the n-th call of a scripted run, for every n.

strace delivers the signal. With ``--seccomp-bpf`` it would never fire, so every call is traced and a run takes a few seconds.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from node import entry as said
from node import settings as setting
from node.book import Book
from node.client import Line
from node.codec import pack
from node.directory.entries import Person
from node.errors import NodeError
from node.requests import Draft, statement
from node.settings import Settings
from node.tier import load
from tests import city

MISSING = "strace is not installed: apt-get install strace"
WRITES = 8


@dataclass
class Run:
    """What one run of the script came to."""

    reached: bool
    "Whether the ledger lived until the call at which it was to be killed."
    acknowledged: list[Draft] = field(default_factory=list)
    pending: tuple[Draft, ...] = ()
    "The write that got no answer."


def script(settings: Settings) -> list[tuple[Draft, ...]]:
    """The same writes each time: one to three drafts in each, some to all and some for the node alone."""
    chance = random.Random(5)
    return [tuple(draft(settings, f"{number}-{part}", chance) for part in range(chance.randint(1, 3))) for number in range(WRITES)]


def draft(settings: Settings, name: str, chance: random.Random) -> Draft:
    """A person's card."""
    content = Person(name, f"张{name}", "organ", "", 1, "active", "zhang")
    stated, salt, data = statement(settings.city, content, record=name, home=settings.id)
    return Draft(pack(stated), b"", salt, data, (chance.choice((said.ALL, said.SELF)),), said.Lane.TRUST)


def prepare(folder: Path) -> Path:
    """A home whose tables are built, to be copied for each run."""
    home = city.build(folder, townships=0)["city"]
    open_book(home.settings).close()
    return home.path


def open_book(settings: Settings) -> Book:
    """The home's book in this process."""
    return Book(settings, [module.ROOM for module in load(settings.tier).models()])


def run(home: Path, call: str, when: int) -> Run:
    """Start the ledger, write the script, and kill the ledger at its ``when``-th ``call``."""
    settings = setting.load(home)
    trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}"]
    command = [*trace, sys.executable, "-m", "city_node", "ledger", "--home", str(home)]
    with (home / "log" / "ledger.out").open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=city.ROOT, env=os.environ | {"PYTHONPATH": str(city.ROOT)})
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    line, result = Line(settings, context), Run(reached=False)
    try:
        for drafts in script(settings):
            result.pending = drafts
            line.ask("write", drafts)
            answer = _answer(line, process)
            if answer is None:
                result.reached = True
                return result
            assert not isinstance(answer, NodeError), answer
            result.acknowledged += drafts
        result.pending = ()
        line.ask("stop")
        result.reached = process.wait(20) != 0  # it may be killed while it closes
        return result
    finally:
        context.destroy(0)
        if process.poll() is None:
            process.kill()
        process.wait()


def _answer(line: Line, process: subprocess.Popen[bytes]) -> object:
    """The answer, or None when the ledger is dead without one; what it sent before it died still counts."""
    while True:
        alive = process.poll() is None
        line.socket.poll(50 if alive else 200)
        for _, answer in line.answers():
            return answer
        if not alive:
            return None


def verify(home: Path, done: Run) -> None:
    """What was acknowledged is there once; what was not is there wholly or not at all, and can be written again; tables equal a refold."""
    settings = setting.load(home)
    book = open_book(settings)
    try:
        assert all(_places(book, one) == 1 for one in done.acknowledged)
        found = {_places(book, one) for one in done.pending}
        assert found <= {0} or found == {1}, f"half a write: {found}"
        if done.pending:
            result = book.commit([("write", (done.pending,))])[0]
            assert not isinstance(result, NodeError), result
            assert {_places(book, one) for one in done.pending} == {1}
            assert {written.repeated for written in result} == {found == {1}}
        for chain in book.chains():
            with book.journal.engine.connect() as c:
                seqs = [one.seq for one in book.journal.found(c, book.journal.chain(chain.id), 0, chain.count)]
            assert seqs == list(range(chain.count))
        assert all(a == b for a, b in book.refold().values())
    finally:
        book.close()


def _places(book: Book, one: Draft) -> int:
    """In how many places a draft stands; the ledger signed it, so its nonce names it."""
    from sqlalchemy import select

    from node import schema
    from node.codec import unpack

    nonce = unpack(one.statement, said.Statement).nonce
    with book.journal.engine.connect() as c:
        ids = c.scalars(select(schema.NONCES.c.sid).where(schema.NONCES.c.nonce == nonce)).all()
        return sum(len(book.journal.places(c, id_)) for id_ in ids)


def at(prepared: Path, folder: Path, call: str, when: int) -> bool:
    """Run and verify one point on a copy of a home; False when the script ended before the point was reached."""
    home = folder / f"{call}-{when}"
    shutil.copytree(prepared, home)
    done = run(home, call, when)
    verify(home, done)
    shutil.rmtree(home)
    return done.reached

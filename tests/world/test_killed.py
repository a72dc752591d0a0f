"""Processes are killed one after the other while people work; afterwards everything that was answered is there, once."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.client import Ledger
from node.errors import NodeError
from ops import supervise
from ops.caller import Shell
from ops.commands.chains import VERIFIER
from tests.city import wait
from tests.world.net import CITY, COUNTY, FIRST, SECOND, World, acting

PAUSE = 1.2
"Seconds between two kills: less than a process needs to come back and another to notice."
ROUTES = ((CITY, (COUNTY, FIRST, SECOND)), (COUNTY, (CITY, SECOND)), (FIRST, (CITY,)), (SECOND, (COUNTY, FIRST)))
GIVE_UP = 60.0


@dataclass
class Office:
    """Somebody at a node who sends documents as fast as they are taken, and signs for what comes in."""

    world: World
    node: str
    to: tuple[str, ...]
    text: Path
    sent: dict[str, str] = field(default_factory=dict)
    "Documents that were answered with exit 0, with their numbers."
    signed: dict[str, str] = field(default_factory=dict)
    "Incoming documents whose signing was answered with exit 0, with the reference of the act."
    again: list[str] = field(default_factory=list)
    "What was said to calls that had to be repeated."

    def work(self, over: threading.Event) -> None:
        """Send and sign until it is over; every call is repeated under its own id until it is answered."""
        with contextlib.closing(self.world.shell(self.node)) as shell:
            clerk, signer = self.world.who(self.node, "registry_clerk"), self.world.who(self.node, "signer")
            organs = ",".join(self.world.organ(one) for one in self.to)
            while not over.is_set():
                doc = str(uuid.uuid4())
                about = ("--kind", "letter", "--title", f"关于第{len(self.sent) + 1}次联系的函", "--body", str(self.text), "--id", doc)
                self.sent[doc] = self._until(shell, "send", *acting(signer), "--to", organs, *about)["number"]
                self._sign_one(shell, clerk)

    def _sign_one(self, shell: Shell, clerk: Any) -> None:
        try:
            waiting = [row["doc"] for row in shell.lines("inbox", *acting(clerk)) if row["state"] == "delivered" and row["doc"] not in self.signed]
        except NodeError:
            return
        for doc in waiting[:1]:
            said = self._until(shell, "receipt", doc, *acting(clerk), "--action", "sign", "--id", str(uuid.uuid4()))
            self.signed[doc] = said["ref"]

    def _until(self, shell: Shell, *words: str) -> dict[str, Any]:
        until = time.monotonic() + GIVE_UP
        while True:
            try:
                return shell.ask(*words, timeout=20)
            except NodeError as e:
                assert e.retry != "never", f"{self.node}: {words[0]} was refused for good: {e}"
                assert time.monotonic() < until, f"{self.node} answers nothing: {e}"
                self.again.append(f"{words[0]}: {e}")
                time.sleep(0.1)


@pytest.mark.promise("P25")
def test_every_process_is_killed_while_documents_are_sent(world: World, tmp_path: Path) -> None:
    """What was answered is delivered once, receipts add up, numbers have no gap, the logs verify, and tables equal a refold."""
    seed = int(os.environ.get("YIWANG_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed}: YIWANG_SEED={seed} repeats the order", file=sys.stderr)
    text = tmp_path / "text.txt"
    text.write_text("请予支持。", encoding="utf-8")
    offices = [Office(world, node, to, text) for node, to in ROUTES]
    over = threading.Event()
    with ThreadPoolExecutor(len(offices)) as pool:
        working = [pool.submit(office.work, over) for office in offices]
        try:
            killed = _kill_each(world, random.Random(seed))
        finally:
            over.set()
        for one in working:
            one.result()
    world.settle()
    assert len(killed) >= 4 * 4
    counts = {office.node: (len(office.sent), office.again) for office in offices}
    assert all(office.sent for office in offices) and sum(len(office.sent) for office in offices) >= 12, counts
    _check_arrival(world, offices)
    _check_receipts(world, offices)
    _check_numbers(world, offices)


def test_a_question_that_died_with_its_ledger_is_answered_by_the_next(world: World) -> None:
    """Whoever asked a ledger that is killed before it answers has the answer as soon as another one lives."""
    boss = supervise.Supervisor(world.home(SECOND))
    pid = _pid(boss, SECOND, "ledger")
    os.kill(pid, signal.SIGSTOP)
    try:
        with Ledger(world.settings(SECOND), timeout=60) as ledger, ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ledger.chains)
            time.sleep(0.2)
            assert not asked.done()
            os.kill(pid, signal.SIGKILL)
            assert asked.result(timeout=20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("node", [CITY, COUNTY, FIRST, SECOND])
def test_tables_equal_a_refold(world: World, node: str) -> None:
    """Whatever happened, every table is what the journal says."""
    with Ledger(world.settings(node), timeout=60) as ledger:
        found = ledger.refold()
    assert found
    assert [room for room, (kept, rebuilt) in found.items() if kept != rebuilt] == []


def test_the_logs_of_all_homes_verify_and_agree(world: World, tmp_path: Path) -> None:
    """Each home's exported log is accepted by the stand-alone verifier, and all of them together show no fork."""
    files = [tmp_path / f"{at}.jsonl" for at in range(len(world.network.nodes))]
    root = str(world.home(CITY) / "certs/root.pem")
    for place, file in zip(world.network.nodes, files, strict=True):
        assert world.ask(place.name, "log", "export", "--out", str(file))["entries"]
        _verify([file], root)
    _verify(files, root)


def _verify(files: list[Path], root: str) -> None:
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), "--json", "--root", root, *map(str, files)], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def _kill_each(world: World, luck: random.Random) -> list[tuple[str, str]]:
    """Kill each process of each node once with SIGKILL, in an order that the seed gives."""
    bosses = {one.name: supervise.Supervisor(one.path) for one in world.network.nodes}
    wanted = [(name, row["name"]) for name, boss in bosses.items() for row in boss.processes() if row["statename"] != "STOPPED"]  # nobody calls
    luck.shuffle(wanted)
    for name, role in wanted:
        os.kill(_pid(bosses[name], name, role), signal.SIGKILL)
        time.sleep(PAUSE * luck.random() * 2)
    return wanted


def _pid(boss: supervise.Supervisor, name: str, role: str) -> int:
    """The process that plays a role; waits for one that is just being started again."""

    def look() -> Any:
        return next((row["pid"] for row in boss.processes() if row["name"] == role and row["statename"] == "RUNNING"), 0)

    return int(str(wait(look, why=f"{role} of {name} does not come back")))


def _check_arrival(world: World, offices: list[Office]) -> None:
    """Each document lies in each recipient's register exactly once."""
    for node in (CITY, COUNTY, FIRST, SECOND):
        seen = Counter(row["doc"] for row in world.at(node).lines("inbox", *acting(world.who(node, "registry_clerk"))))
        meant = [doc for office in offices if node in office.to for doc in office.sent]
        assert [doc for doc in meant if seen[doc] != 1] == [], node


def _check_receipts(world: World, offices: list[Office]) -> None:
    """The author's node shows every recipient as delivered, and signed for exactly where somebody was told so."""
    signed = {(office.node, doc): ref for office in offices for doc, ref in office.signed.items()}
    assert signed
    for office, doc in ((one, doc) for one in offices for doc in one.sent):
        rows = world.ask(office.node, "receipts", doc)["by_recipient"]
        assert sorted(row["recipient"] for row in rows) == sorted(world.organ(node) for node in office.to)
        assert all(row["delivered"] for row in rows)
        assert {row["recipient"] for row in rows if row["signed"]} == {world.organ(node) for node in office.to if (node, doc) in signed}
        told = world.ask(office.node, "doc", "get", doc, *acting(world.who(office.node, "registry_clerk")))["receipts"]
        assert max(Counter(one["recipient"] for one in told if one["receipt"] == "R2").values(), default=0) <= 1


def _check_numbers(world: World, offices: list[Office]) -> None:
    """Numbers of one organ follow each other without gap or repeat."""
    for office in offices:
        numbers = sorted(_place(number) for number in office.sent.values())
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (office.node, numbers)


def _place(number: str) -> int:
    found = re.search(r"〕(\d+)号$", number)
    assert found, number
    return int(found[1])

"""``send``, ``inbox``, ``receipt``, ``receipts``, ``log export`` and ``selfcheck`` in the living city."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from ops.caller import Failed
from ops.commands.chains import VERIFIER
from tests.city import wait
from tests.world.net import CITY, COUNTY, FIRST, World


def paper(world: World, *more: str, title: str = "关于汛情的报告", id: str) -> list[str]:
    """The words of a call that sends a report from the township to its county."""
    who = world.who(FIRST, "signer")
    text = world.folder / "report.txt"
    text.write_text("现将今日汛情报告如下。", encoding="utf-8")
    given = ["send", "--as", who.person, "--key", who.key, "--to", world.organ(COUNTY), "--kind", "report", "--title", title]
    return [*given, "--body", str(text), "--id", id, *more]


def test_a_document_goes_up_and_its_receipts_come_back(world: World) -> None:
    """Sent, delivered, in the inbox, signed for; the sender sees who and when; the same act with the same id is answered alike."""
    id, act = str(uuid.uuid4()), str(uuid.uuid4())
    sent = world.ask(FIRST, *paper(world, "--ack", "delivered", id=id), timeout=60)
    assert (sent["doc"], sent["ack"], sent["recipients"]) == (id, "delivered", 1) and sent["copies"] >= 2
    again = world.ask(FIRST, *paper(world, id=id))
    assert again["repeated"] and again["ref"] == sent["ref"]
    clerk = world.who(COUNTY, "registry_clerk")
    key = ["--as", clerk.person, "--key", clerk.key]
    rows = world.at(COUNTY).lines("inbox", *key)
    assert [row["title"] for row in rows if row["doc"] == id] == ["关于汛情的报告"]
    first = world.ask(COUNTY, "receipt", id, *key, "--action", "sign", "--id", act)
    assert world.ask(COUNTY, "receipt", id, *key, "--action", "sign", "--id", act)["ref"] == first["ref"]

    def signed() -> dict[str, Any] | None:
        row = world.ask(FIRST, "receipts", id)["by_recipient"][0]
        return row if row["signed"] else None

    row = wait(signed)
    assert isinstance(row, dict) and row["delivered"] and row["recipient"] == world.organ(COUNTY)


def test_another_content_under_a_used_id_is_a_conflict(world: World) -> None:
    """The id of a document stands for its content: with another title it is refused with exit 6 and nothing is sent."""
    id = str(uuid.uuid4())
    world.ask(FIRST, *paper(world, id=id))
    with pytest.raises(Failed) as refused:
        world.ask(FIRST, *paper(world, id=id, title="另一件"))
    assert refused.value.exit_code == 6


def test_a_relative_deadline_is_the_same_when_sent_again(world: World) -> None:
    """A call repeated a moment later, with a deadline counted from now, gets the first answer."""
    id = str(uuid.uuid4())
    first = world.ask(FIRST, *paper(world, "--deadline", "24h", id=id))
    assert world.ask(FIRST, *paper(world, "--deadline", "24h", id=id))["ref"] == first["ref"]


def test_an_exported_log_stands_alone(world: World, tmp_path: Path) -> None:
    """A whole export is accepted by the stand-alone verifier with no code of the node; with one byte changed it is not."""
    out = tmp_path / "all.jsonl"
    told = world.ask(FIRST, "log", "export", "--out", str(out), timeout=60)
    assert told["entries"] > 100 and told["bytes"] == out.stat().st_size
    root = world.home(CITY) / "certs/root.pem"

    def verified(file: Path) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-I", str(VERIFIER), "--json", str(file), "--root", str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    code, found = verified(out)
    assert (code, found["problems"]) == (0, [])
    data = out.read_bytes()
    place = data.index(b'"body"', len(data) // 2) + 20
    (tmp_path / "bad.jsonl").write_bytes(data[:place] + (b"A" if data[place : place + 1] != b"A" else b"B") + data[place + 1 :])
    code, found = verified(tmp_path / "bad.jsonl")
    assert code == 1 and found["problems"]


def test_every_node_checks_itself_and_agrees(world: World) -> None:
    """Chains, attachments and rebuilt tables of every node are whole, and all four have the same state of the logs for all."""
    digests = set()
    for place in world.network.nodes:
        found = world.ask(place.name, "selfcheck", "--refold", timeout=100)
        assert (found["ok"], found["bad"], found["index_ok"]) == (True, [], True), place.name
        status = world.ask(place.name, "status", "--wait", "synced,idle", timeout=60)
        digests.add((tuple(sorted(status["state_digest"]["at"].items())), status["state_digest"]["sha256"]))
        assert status["trust"]["head"] and status["trust"]["stale"] is False and status["calendar"]["version"]
    assert len(digests) == 1

"""Trust by commands on a living ledger: a fork made with the hostile tools is proved and settled, a county is revoked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node import enrol, keys
from node.client import Ledger
from node.codec import pack, unpack
from node.entry import ALL, Head, Lane
from node.errors import NodeError
from node.requests import Batch
from node.settings import Settings
from ops import notation
from ops.caller import command
from sync import frames as wire
from tests import schema
from tests.city import City, build, wait
from tests.ops.conftest import call
from tests.sync.test_courier import say


@pytest.fixture(scope="module")
def branch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city whose ledger runs, and a county of which only the home is there: its keys are in other hands."""
    city = build(tmp_path_factory.mktemp("trust"), counties=1, townships=0)
    try:
        city["city"].start("ledger")
        with Ledger(city["city"].settings, timeout=60) as ledger:
            for one in city["city"].says:
                say(city["city"], ledger, one)
        yield city
    finally:
        city.stop()


def signed(folder: Path, key: Path, what: dict[str, Any], *more: str) -> dict[str, Any]:
    """What ``entry sign`` makes of something."""
    (folder / "in.json").write_text(json.dumps(what))
    return call(None, "entry", "sign", "--key", str(key), "--in", str(folder / "in.json"), *more).json


def hexed(text: str) -> dict[str, str]:
    """Bytes in notation."""
    return {"$hex": text}


def histories(county: Settings, folder: Path, *, identity: Path | None = None, cert: Path | None = None) -> list[Batch]:
    """Two histories of one chain, made with a node's stolen identity key and the published tools alone."""
    epoch = keys.new_ed25519()
    (folder / "epoch.key").write_bytes(keys.pem(epoch))
    identity, cert = identity or county.path("keys/identity.key"), cert or county.path("certs/node.pem")
    audience = {"$": "audience", "scope": str(ALL.scope), "node": ""}
    opening = {"$": "opening", "city": county.city, "author": county.id, "audience": audience, "lane": str(Lane.ORDINARY)}
    first = signed(folder, identity, opening | {"epoch_key": hexed(keys.raw_public(epoch.public_key()).hex())})
    chain, batches = first["hash"], []
    for text in ("one", "two"):
        statement = {"city": county.city, "kind": "notes.unknown", "record": text, "home": county.id}
        body = {"statement": statement, "content": {"$pack": [text]}}
        header = {"chain": hexed(chain), "seq": 1, "prev": hexed(chain)}
        entry = signed(folder, identity, {"$": "entry", "header": header, "body": body}, "--cert", str(cert))
        head = signed(folder, folder / "epoch.key", {"$": "head", "chain": hexed(chain), "seq": 1, "hash": hexed(entry["hash"])})
        pairs = tuple((bytes.fromhex(one["header"]), bytes.fromhex(one["body"])) for one in (first, entry))
        batches.append(Batch(bytes.fromhex(chain), 0, pairs, unpack(bytes.fromhex(head["hex"]), Head)))
    assert notation.write(notation.read(pack(batches[0]), "batch")[1]) == pack(batches[0])
    return batches


def line_of(branch: City) -> list[str]:
    """The call that plays the county on its line to the city."""
    city, county = branch["city"].settings, branch["county1"].settings
    keyed = ["--curve-key", str(county.path("keys/curve.key")), "--cert", str(county.path("certs/node.pem"))]
    return command(None, "wire", "connect", "--to", city.listen, *keyed, "--server-key", enrol.curve_public(city), timeout=60)


def frames(said: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The lines that the tool printed, each as its schema says, in their short form."""
    for told in map(json.loads, said):
        assert not schema.wrong(told), schema.wrong(told)
        yield told


@pytest.mark.promise("P6")
@pytest.mark.promise("P10")
def test_a_hostile_county_is_played_on_a_living_line(branch: City, tmp_path: Path) -> None:
    """With the county's keys the tool opens a session; one history is taken, the other is not, and the proof comes down the same line."""
    branch["city"].start("courier")
    wait(lambda: branch["city"].links().get("at"))
    one, other = histories(branch["county1"].settings, tmp_path)
    batches = [{"batch": pack(batch).hex()} for batch in (one, other)]
    orders = [{"$": "Have", "chains": [], "last": True}, *batches, {"$": "Nothing"}]
    with subprocess.Popen(line_of(branch), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as tool:
        assert tool.stdin is not None and tool.stdout is not None
        tool.stdin.write("".join(json.dumps(order) + "\n" for order in orders))
        tool.stdin.flush()
        seen: list[dict[str, Any]] = []
        for told in frames(tool.stdout):
            seen.append(told)
            if told["event"] == "received" and any(b"directory.forked" in body for body in bodies(told)):
                break
        tool.kill()
    assert seen[0]["event"] == "up" and [told["event"] for told in seen].count("sent") == 3
    assert [told["error"]["code"] for told in seen if told["event"] == "refused"] == ["notation"]
    acks = [told["frame"] for told in seen if told["event"] == "received" and told["frame"]["$"] == "Ack"]
    assert {"$hex": one.chain.hex()} in [ack["chain"] for ack in acks] and any(ack["stop"] for ack in acks)
    with Ledger(branch["city"].settings) as ledger:
        assert one.chain in [fork.chain for fork in ledger.forks()]
        assert {chain.id: chain.frozen for chain in ledger.chains()}[one.chain] == "fork"


def bodies(told: dict[str, Any]) -> list[bytes]:
    """The stored bodies in a frame that was received."""
    frame = wire.read(wire.open_(bytes.fromhex(told["hex"]))[2])
    return [body for _, body in unpack(wire.batch_of(frame), Batch).entries] if isinstance(frame, wire.Entries) else []


@pytest.mark.promise("P6")
def test_a_fork_by_tools_is_proved_checked_and_settled(branch: City, tmp_path: Path) -> None:
    """The ledger keeps the proof; the command writes it, the verifier believes it without the node, the operator settles it."""
    home, honest, other = branch["city"].path, *histories(branch["county1"].settings, tmp_path)
    before = {fork["epoch"] for fork in call(home, "trust", "forks").json["forks"]}
    with Ledger(branch["city"].settings) as ledger:
        ledger.take(honest)
        with pytest.raises(NodeError) as refused:
            ledger.take(other)
        assert refused.value.code == "fork"
        [alarm] = [one for one in ledger.status()["alarms"] if one["kind"] == "fork"]
        assert alarm["subject"] == branch["county1"].id
        listed = call(home, "trust", "forks", "--out", str(tmp_path / "proofs")).json["forks"]
        [fork] = [one for one in listed if one["epoch"] not in before]
        assert (fork["origin"], fork["seq"], fork["settled"]) == (branch["county1"].id, 1, None)
        found = call(None, "proof", "check", fork["file"], "--root", str(branch["city"].settings.path("certs/root.pem"))).json
        assert (found["origin"], found["epoch"], found["seq"]) == (fork["origin"], fork["epoch"], 1)
        assert call(home, "trust", "settle", "a" * 26, "--note", "x").code == 3
        assert call(home, "trust", "settle", fork["epoch"], "--note", "钥匙被盗，已吊销").code == 0
        assert not [one for one in ledger.status()["alarms"] if one["kind"] == "fork"]
    assert {one["by"] for one in call(home, "trust", "forks").json["forks"]} == {branch["city"].id}


@pytest.mark.row("H4")
@pytest.mark.promise("P11")
def test_a_county_is_revoked_by_command(branch: City, tmp_path: Path) -> None:
    """The county's certificate is listed as valid, then as revoked; a new chain of its own is refused from then on, and nobody revokes oneself."""
    home, county = branch["city"].path, branch["county1"].id
    listed = {row["id"]: row for row in call(home, "trust", "list").json["certs"]}
    assert listed[county]["state"] == "valid"
    said = call(home, "trust", "revoke", "--node", county, "--reason", "stolen").json
    assert said["certs"] == [listed[county]["fpr"]] and all(cut["origin"] == county for cut in said["cut"])
    assert {row["id"]: row["state"] for row in call(home, "trust", "list").json["certs"]}[county] == "revoked"
    with Ledger(branch["city"].settings) as ledger, pytest.raises(NodeError) as refused:
        ledger.take(histories(branch["county1"].settings, tmp_path)[0])
    assert refused.value.code == "revoked"
    assert call(home, "trust", "revoke", "--node", branch["city"].id, "--reason", "lost").code == 4
    assert call(home, "trust", "revoke", "--node", "nobody", "--reason", "lost").code == 3

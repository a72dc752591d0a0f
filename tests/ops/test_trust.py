"""Trust by commands on a living ledger: a fork made with the hostile tools is proved and settled, a county is revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import keys
from node.client import Ledger
from node.codec import pack, unpack
from node.entry import ALL, Head, Lane
from node.errors import NodeError
from node.requests import Batch
from ops import notation
from tests.city import City, build
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


def histories(branch: City, folder: Path) -> list[Batch]:
    """Two histories of one chain, made with the county's stolen identity key and the published tools alone."""
    county = branch["county1"].settings
    epoch = keys.new_ed25519()
    (folder / "epoch.key").write_bytes(keys.pem(epoch))
    identity, cert = county.path("keys/identity.key"), county.path("certs/node.pem")
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


@pytest.mark.promise("P6")
def test_a_fork_by_tools_is_proved_checked_and_settled(branch: City, tmp_path: Path) -> None:
    """The ledger keeps the proof; the command writes it, the verifier believes it without the node, the operator settles it."""
    home, honest, other = branch["city"].path, *histories(branch, tmp_path)
    assert call(home, "trust", "forks").json["forks"] == []
    with Ledger(branch["city"].settings) as ledger:
        ledger.take(honest)
        with pytest.raises(NodeError) as refused:
            ledger.take(other)
        assert refused.value.code == "fork"
        [alarm] = [one for one in ledger.status()["alarms"] if one["kind"] == "fork"]
        assert alarm["subject"] == branch["county1"].id
        [fork] = call(home, "trust", "forks", "--out", str(tmp_path / "proofs")).json["forks"]
        assert (fork["origin"], fork["seq"], fork["settled"]) == (branch["county1"].id, 1, None)
        found = call(None, "proof", "check", fork["file"], "--root", str(branch["city"].settings.path("certs/root.pem"))).json
        assert (found["origin"], found["epoch"], found["seq"]) == (fork["origin"], fork["epoch"], 1)
        assert call(home, "trust", "settle", "a" * 26, "--note", "x").code == 3
        assert call(home, "trust", "settle", fork["epoch"], "--note", "钥匙被盗，已吊销").code == 0
        assert not [one for one in ledger.status()["alarms"] if one["kind"] == "fork"]
    assert call(home, "trust", "forks").json["forks"][0]["by"] == branch["city"].id


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
        ledger.take(histories(branch, tmp_path)[0])
    assert refused.value.code == "revoked"
    assert call(home, "trust", "revoke", "--node", branch["city"].id, "--reason", "lost").code == 4
    assert call(home, "trust", "revoke", "--node", "nobody", "--reason", "lost").code == 3

"""Keys are changed on a living tree: a township's, a county's, the city's and the root; what was signed before stays valid (P11)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import certs, identity
from node.client import Ledger
from node.errors import NodeError
from tests.city import ROOT, City, Home, admit, build, free_port, wait
from tests.ops.conftest import call
from tests.ops.test_sticks import begin
from tests.ops.test_trust import histories
from tests.sync.test_courier import card, say

CITY, COUNTY, TOWN = "city", "county1", "county1-town1"
ROLES = "ledger", "courier"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One branch at work; each test leaves it at work."""
    city = build(tmp_path_factory.mktemp("tree"), counties=1, townships=1)
    try:
        begin(city)
        for home in city:
            home.start("courier")
        for home in city:
            reaches(city, home)
        yield city
    finally:
        city.stop()


def reaches(city: City, writer: Home) -> None:
    """Something a node says to all arrives at every node and is believed there."""
    with Ledger(writer.settings, timeout=60) as ledger:
        sid = say(writer, ledger, card("someone")).id
    for home in city:
        with Ledger(home.settings, timeout=60) as ledger:
            wait(lambda known=ledger: known.places(sid), why=lambda at=home: f"{at.settings.name} has not got it")


def chain(home: Home) -> list[bytes]:
    """A node's certificates as they lie on its disk."""
    return [certs.der(one) for one in identity.own_chain(home.settings)]


def rotate(home: Home, *what: str) -> dict[str, Any]:
    """``yiwang trust rotate``, which must be done at once."""
    said = call(home.path, "--json", "trust", "rotate", *what, timeout=90)
    assert said.code == 0, said.out + said.err
    return said.json


@pytest.mark.promise("P11")
@pytest.mark.parametrize("name", [TOWN, COUNTY, CITY])
def test_a_node_gets_another_key_and_goes_on(tree: City, name: str) -> None:
    """The id stays, the key is another, those below hang under the new certificate, and what anybody writes reaches all, also after a restart."""
    home = tree[name]
    before = identity.load(home.settings)
    told = rotate(home, "--node", "self")
    after = identity.load(home.settings)
    assert told["rotated"] == "node" and told["fpr"] == f"sha256:{certs.fingerprint(after.certificate).hex()}"
    assert after.key.public_key() != before.key.public_key() and certs.subject(after.certificate) == certs.subject(before.certificate)
    assert identity.waiting(home.settings) is None
    below = {CITY: COUNTY, COUNTY: TOWN}.get(name)
    while below is not None:
        wait(lambda one=tree[below]: chain(one)[-len(chain(home)) :] == chain(home), why=f"{below} has not got its new certificate")
        below = {COUNTY: TOWN}.get(below)
    for one in tree:
        reaches(tree, one)
    home.stop()
    home.start(*ROLES)
    if name == CITY:
        with Ledger(home.settings, timeout=60) as ledger:
            ledger.confirm()
    for one in tree:
        reaches(tree, one)


@pytest.mark.promise("P11")
def test_a_root_follows_a_root(tree: City, tmp_path: Path) -> None:
    """Every node takes the new root, the city keeps its id; who holds the former root only can still check what is exported; a new county joins."""
    city = tree[CITY]
    former = city.settings.path("certs/root.pem").read_bytes()
    rotate(city, "--root", "new")
    assert certs.city_id(identity.root_of(city.settings)) == city.settings.city
    for home in tree:
        wait(lambda one=home: identity.root_of(one.settings) == identity.root_of(city.settings), why=f"{home.settings.name} has the former root")
        wait(lambda one=home: chain(one)[-1:] == chain(city), why=f"{home.settings.name} hangs under the former root")
        reaches(tree, home)
    joined = admit(tmp_path / "county2", city, "county", "云2县", "330102", free_port())
    tree.homes["county2"] = joined
    with Ledger(city.settings, timeout=60) as ledger:
        say(city, ledger, city.says[-1])
    joined.start("ledger", "courier")
    reaches(tree, joined)
    (tmp_path / "former.pem").write_bytes(former)
    for home in (tree[TOWN], joined):
        out = tmp_path / f"{home.id}.jsonl"
        assert call(home.path, "--json", "log", "export", "--out", str(out)).code == 0
        assert verified(out, tmp_path / "former.pem") and verified(out, city.settings.path("certs/root.pem"))


def verified(file: Path, root: Path) -> bool:
    """What the stand-alone verifier makes of an export."""
    command = [sys.executable, "-I", str(ROOT / "ops/yiwang-verify.py"), "--json", "--root", str(root), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return bool(json.loads(done.stdout)["ok"])


@pytest.mark.promise("P11")
def test_nothing_is_lost_while_keys_change(tree: City) -> None:
    """A township and a county write without a pause while every key above and below them changes: all of it arrives at the city."""
    writers = {name: Writer(tree[name]) for name in (TOWN, COUNTY)}
    for one in writers.values():
        one.start()
    try:
        for name in (TOWN, COUNTY, CITY):
            rotate(tree[name], "--node", "self")
        rotate(tree[CITY], "--root", "new")
    finally:
        for one in writers.values():
            one.going = False
            one.join()
    for name, one in writers.items():
        print(f"longest pause of {name}: {1000 * one.longest:.0f} ms")
        assert one.error is None and len(one.written) > 10
        with Ledger(tree[CITY].settings, timeout=60) as ledger:
            wait(lambda known=ledger, last=one.written[-1]: known.places(last), why=f"the last of {name} has not come")
            missing = [sid for sid in one.written if not ledger.places(sid)]
        assert missing == []


class Writer(threading.Thread):
    """Says one thing after the other until it is told to stop."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.home, self.going = home, True
        self.error: Exception | None = None
        self.written: list[bytes] = []
        self.longest = 0.0

    def run(self) -> None:
        """Each is awaited before the next is said."""
        try:
            with Ledger(self.home.settings, timeout=60) as ledger:
                while self.going:
                    began = time.monotonic()
                    self.written.append(say(self.home, ledger, card("someone")).id)
                    self.longest = max(self.longest, time.monotonic() - began)
                    time.sleep(0.02)
        except Exception as error:
            self.error = error


@pytest.mark.promise("P11")
def test_a_stolen_former_key_opens_nothing_more(tree: City, tmp_path: Path) -> None:
    """After a rotation the former certificate is revoked: a chain opened with its key is refused, those it opened before stay."""
    town, county = tree[TOWN], tree[COUNTY]
    shutil.copy(town.settings.path("keys/identity.key"), tmp_path / "stolen.key")
    shutil.copy(town.settings.path("certs/node.pem"), tmp_path / "stolen.pem")
    stolen = identity.own_chain(town.settings)[0]
    rotate(town, "--node", "self")
    reaches(tree, town)
    given = {"identity": tmp_path / "stolen.key", "cert": tmp_path / "stolen.pem"}
    earlier, later = (histories(town.settings, folder(tmp_path, name), **given)[0] for name in ("earlier", "later"))
    with Ledger(county.settings, timeout=60) as ledger:
        ledger.take(earlier)
        before = {one.id for one in ledger.chains() if one.author == town.id}
        revoked = call(county.path, "--json", "trust", "revoke", "--cert", f"sha256:{certs.fingerprint(stolen).hex()}", "--reason", "stolen")
        assert revoked.code == 0 and revoked.json["cut"]
        with pytest.raises(NodeError) as refused:
            ledger.take(later)
        assert refused.value.code == "revoked" and {one.id for one in ledger.chains() if one.author == town.id} == before
    reaches(tree, town)
    town.stop()
    town.start(*ROLES)
    reaches(tree, town)


def folder(under: Path, name: str) -> Path:
    """A new folder."""
    (under / name).mkdir()
    return under / name


def test_nonsense_changes_nothing(tree: City, tmp_path: Path) -> None:
    """Only a city has a root; a file that is no key, a key that was a root's before, both wishes or none are refused."""
    city, before = tree[CITY], chain(tree[CITY])
    assert call(tree[TOWN].path, "--json", "trust", "rotate", "--root", "new").code == 4
    (tmp_path / "noise").write_text("noise")
    (tmp_path / "noise").chmod(0o600)
    for wish in (["--root", str(tmp_path / "noise")], ["--root", str(tmp_path / "none")], ["--root", str(city.settings.path("keys/root.key"))]):
        assert call(city.path, "--json", "trust", "rotate", *wish).code in (2, 3, 4), wish
    assert call(city.path, "--json", "trust", "rotate").code == 2
    assert call(city.path, "--json", "trust", "rotate", "--root", "new", "--node", "self").code == 2
    assert chain(city) == before and not city.settings.path("keys/root.next").exists()

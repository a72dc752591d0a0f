"""Homes and words of earlier releases: this build opens the homes and goes on with the conversation."""

from __future__ import annotations

import json
import random
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from node import settings
from node.book import Book
from sync.actor import Image
from tests.kept.make import MIDDLE, SPEAKERS, TREE, Constant, counted, heads, rooms_of, set_down
from tests.kept.make import branch as at_peace

RELEASES = sorted(Path(__file__).parent.glob("*.tar.xz"))
pytestmark = pytest.mark.row("P24")


@pytest.fixture(params=RELEASES, ids=[path.name.removesuffix(".tar.xz") for path in RELEASES], scope="module")
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a release left, unpacked."""
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(request.param) as source:
        source.extractall(folder)  # noqa: S202 - our own
    yield folder


def test_homes_open_and_everything_in_them_is_understood(kept: Path) -> None:
    """Every node's ledger opens its old journal, folds every entry, has at least the rows it had, writes on, and finds nothing rotten."""
    about = json.loads((kept / "offices/about.json").read_bytes())
    assert len({name.split(".")[0] for one in about.values() for name in one["tables"]}) >= 8
    for name, was in about.items():
        home = settings.load(kept / "offices" / name)
        rooms = rooms_of(home.tier)
        book = Book(home, rooms)
        try:
            assert book.here == was["id"] and {room: shelf.unfolded for room, shelf in book.shelves.living.items()} == dict.fromkeys(
                book.shelves.living, 0
            )
            now = counted(book, rooms)
            assert {table: count for table, count in was["tables"].items() if now.get(table, 0) < count} == {}
            assert all(living == again for living, again in book.refold().values())
            assert book.status()["state"] in ("ready", "recovering") and not [one for one in book.status()["alarms"] if one["severity"] == "critical"]
        finally:
            book.close()


def test_a_neighbour_of_an_earlier_release_is_understood(kept: Path) -> None:
    """What neighbours said to a node of their release is said to one of this: it takes every entry, and refuses nothing."""
    said = json.loads((kept / "line/said.json").read_bytes())
    with at_peace() as world:
        world.rng = Constant()
        for name in TREE:
            actor = world.actors[name]
            actor.settings = msgspec.structs.replace(actor.settings, city=said["city"])
            shutil.copytree(kept / "line" / name / "certs", actor.settings.path("certs"), dirs_exist_ok=True)
            set_down(world, actor, _image(kept / "line" / name))
        node = world.actors[MIDDLE]
        assert len(said["said"]) > 50 and {chain: tuple(head) for chain, head in said["held"].items()} != heads(node)
        node.exchange.connected(world.actors[TREE[MIDDLE]].id, world.now)
        for at, who, message in said["said"]:
            while world.queue and world.queue[0][0] <= at:
                _turn(world)
            world.time = max(world.time, at)
            node.exchange.receive(world.actors[who].id, bytes.fromhex(message), world.now)
            for other in SPEAKERS:
                while node.exchange.peers.get(world.actors[other].id) and node.exchange.peers[world.actors[other].id].pop() is not None:
                    pass  # whoever should hear it spoke long ago
        while world.queue:
            _turn(world)
        held = heads(node)
        assert {chain: tuple(head) for chain, head in said["held"].items()} == {chain: held.get(chain) for chain in said["held"]}
        assert node.exchange.counters()["refused"] == {}
        world.rng = random.Random(1)  # noqa: S311 - dice


def _turn(world: object) -> None:
    import heapq

    at, _number, act = heapq.heappop(world.queue)  # type: ignore[attr-defined]
    world.time = max(world.time, at)  # type: ignore[attr-defined]
    act()


def _image(folder: Path) -> Image:
    files = {str(path.relative_to(folder / "files")): path.read_bytes() for path in (folder / "files").rglob("*") if path.is_file()}
    return Image(files, {path.name: path.read_bytes() for path in (folder / "blobs").glob("*")})

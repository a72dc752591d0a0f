"""What an earlier release left behind: homes with entries of every room, and a conversation on the lines; later releases must go on with both.

``python -m tests.kept.make FILE`` makes one of the present build, to be kept under the name of its release; a kept file is never made again.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from node import tier
from node.book import Book
from node.fold import Room
from sync.actor import Actor, Image
from sync.sim import World, living

TREE = {"city": "", "c1": "city", "c1t1": "c1"}
MIDDLE = "c1"
"Whose neighbours' words are kept: they are said again to a build that stands in its place."
SPEAKERS = ("city", "c1t1")
Said = list[tuple[float, str, bytes]]
"(seconds, who said it, the message)."


class Constant(random.Random):
    """Always the same numbers, so that a session goes by the name it had."""

    def random(self) -> float:
        return 0.25


class Talk(World):
    """A branch at peace, whose middle's neighbours are written down."""

    heard: Said

    def speak_of(self, images: dict[str, Image]) -> None:
        """Go on from kept disks, and remember what is said to the middle."""
        self.heard, self.rng = [], Constant()
        for name, image in images.items():
            set_down(self, self.actors[name], image)

    def _deliver(self, a: str, b: str, line: int, message: bytes) -> None:
        if b == MIDDLE and hasattr(self, "heard"):
            self.heard.append((self.time, a, message))
        super()._deliver(a, b, line, message)


def set_down(world: World, actor: Actor, image: Image) -> None:
    """Make a node what its kept disk says, and start it as on any morning."""
    actor.end()
    actor.put_back(image)
    actor.boot("start")


@contextmanager
def branch() -> Iterator[World]:
    """A branch of three without faults."""
    with living(1, tree=TREE, faults=("write",)) as world:
        world.calm = True
        yield world


def heads(actor: Actor) -> dict[str, tuple[int, str]]:
    """Chain to its length and last hash."""
    return {id.hex(): (state.count, state.hash.hex()) for id, state in sorted(actor.book.journal.chains.items())}


# --- making one -----------------------------------------------------------------------------------------------------


def _disks(out: tarfile.TarFile) -> tuple[str, dict[str, Image]]:
    """The city's id and the disks of the three; their certificates go into the file."""
    with branch() as world:
        for _ in range(150):
            world.act()
        world.heal()
        assert not world.judge()
        for actor in world.actors.values():
            actor.back_up()
            for path in actor.settings.home.glob("certs/*"):
                out.add(path, f"line/{actor.name}/certs/{path.name}")
        return world.actors[MIDDLE].settings.city, {name: actor.images[-1] for name, actor in world.actors.items()}


def _conversation(images: dict[str, Image]) -> tuple[Said, dict[str, Any]]:
    """What the neighbours of the middle say while they write, and what it then holds."""
    with tempfile.TemporaryDirectory() as folder:
        world = Talk(1, Path(folder), tree=TREE, faults=())
        world.calm = True
        world.speak_of(images)
        for child in world.children():
            world.dial(child)
        dice = random.Random(7)  # noqa: S311
        for _ in range(25):
            world.rng = dice
            world.write(world.actors[dice.choice(SPEAKERS)])
            for _step in range(30):
                world.step()
            world._tick(0.5)
        world._drain()
        world._tick(1)
        world._drain()
        assert not world.violations
        held = {chain: head for chain, head in heads(world.actors[MIDDLE]).items() if _spoken(world, chain)}
        world.close()
        return world.heard, held


def _spoken(world: World, chain: str) -> bool:
    state = world.actors[MIDDLE].book.journal.chains[bytes.fromhex(chain)]
    return state.author in {world.actors[name].id for name in SPEAKERS}


def counted(book: Book, rooms: Sequence[Room]) -> dict[str, int]:
    """Rows of every table that has any, by room."""
    found = {}
    for room in rooms:
        with book.shelves.session(room) as session:
            for table in room.Base.metadata.sorted_tables:
                found[f"{room.name}.{table.name}"] = session.execute(select(func.count()).select_from(table)).scalar_one()
    return {name: count for name, count in sorted(found.items()) if count}


def rooms_of(tier_name: str) -> list[Room]:
    """The rooms with tables of a tier."""
    return [module.ROOM for module in tier.load(tier_name).models()]


def _offices(folder: Path, out: tarfile.TarFile) -> None:
    """Homes in which every kind of thing was done: those of the matrix of rights."""
    from tests.portal import scene as scenes

    with scenes.staged(folder) as scene:
        for build in (scenes.of_the_department, scenes.of_the_government, scenes.of_both):
            build(scene)
        scene.index()
        about = {}
        for name, office in scene.town.offices.items():
            book = office.ledger.book  # type: ignore[attr-defined]
            about[name] = {"id": office.settings.id, "tier": office.settings.tier, "tables": counted(book, rooms_of(office.settings.tier))}
    for name in about:
        for path in sorted((folder / name).rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and (inside.parts[1] in ("keys", "certs", "blobs", "node.toml") or inside.name.startswith("journal.db")):
                out.add(path, f"offices/{inside}")
    _add(out, "offices/about.json", json.dumps(about, ensure_ascii=False, indent=1).encode())


def _add(out: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    out.addfile(entry, io.BytesIO(data))


def make(file: Path) -> None:
    """Write what this build leaves behind."""
    with tarfile.open(file, "x:xz") as out, tempfile.TemporaryDirectory() as folder:
        city, images = _disks(out)
        for name, image in images.items():
            for kind, files in (("files", image.files), ("blobs", image.blobs)):
                for path, data in files.items():
                    if "tables" not in path:
                        _add(out, f"line/{name}/{kind}/{path}", data)
        heard, held = _conversation(images)
        said = [[at, who, message.hex()] for at, who, message in heard]
        _add(out, "line/said.json", json.dumps({"city": city, "said": said, "held": held}).encode())
        _offices(Path(folder), out)


def main(argv: Sequence[str]) -> None:
    """Make the file that is named."""
    make(Path(argv[0]))


if __name__ == "__main__":
    main(sys.argv[1:])

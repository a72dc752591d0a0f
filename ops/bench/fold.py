"""Tables from the journal: how many entries a second a room folds when it is built anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from node.book import Book
from node.codec import uuid7
from node.directory.entries import Person
from node.directory.writing import draft
from node.entry import UP
from node.kinds import Content
from node.tier import load
from ops.bench import chain, fleet, meter
from ops.bench.fleet import Fleet
from ops.bench.papers import Author, documents


def run(count: int) -> None:
    """Rebuild the directory of ``count`` persons and the documents of ``count`` letters at the city, both from zero."""
    meter.note("fold")
    with TemporaryDirectory(prefix="yw-bench-") as folder:
        with fleet.running(Path(folder)) as world:
            author = world.person(chain.TOWN)
            _people(world, count)
            _letters(world, author, count)
        _rebuild(world, "directory", count)
        _rebuild(world, "documents", count)


def _people(world: Fleet, count: int) -> None:
    member = world["city"]
    with fleet.directory(member.settings) as known:
        for some in fleet.each([str(number) for number in range(count)], 500):
            people = [Person(uuid7(), f"张{number}", "organ-330000", f"88{number:>06}", int(number), "active", "zhang san") for number in some]
            member.book.write([draft(member.settings, known, one) for one in people])


def _letters(world: Fleet, author: Author, count: int) -> None:
    with fleet.Watch(world["city"], author.node, UP) as city:
        for some in fleet.each(documents(count), chain.BULK):
            world[chain.TOWN].book.write([_letter(world, author, text) for text in some])
        city.until(count)


def _letter(world: Fleet, author: Author, text: str) -> Any:
    from office.documents.entries import Dispatched, Envelope, Paper, Recipient, Role

    paper = Paper(author.organ, "report", "关于防汛工作的报告", text, ("organ-330000",))
    to = (Recipient("organ-330000", world["city"].id, Role.TO),)
    content: Content = Dispatched(Envelope(paper, "云镇政〔2026〕1号", "云镇人民政府", "测试员", "2026-11-20", to))
    return author.draft(content, UP)


def _rebuild(world: Fleet, name: str, count: int) -> None:
    settings = world["city"].settings
    rooms: Sequence[Any] = [module.ROOM for module in load(settings.tier).models()]
    book = Book(settings, rooms)
    try:
        room = next(room for room in rooms if room.name == name)
        used, start = time.process_time(), time.perf_counter()
        shelf = book.shelves.build(room, "bench")
        took = time.perf_counter() - start
        shelf.engine.dispose()
        entries = book.journal.released
        meter.emit(
            "yiwang.fold",
            room=name,
            entries=count,
            passed_over=entries - count,
            total_s=round(took, 3),
            entries_per_s=round(count / took),
            cpu_s_per_1000_entries=round((time.process_time() - used) / count * 1000, 3),
        )
    finally:
        book.close()

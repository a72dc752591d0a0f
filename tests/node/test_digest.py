"""The state digest: what the logs for all have made is the same wherever the same prefixes are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from node import entry as said
from node.book import Book
from node.directory.entries import Listing, Organ
from node.entry import Lane
from ops.supervise import wait_for
from tests import books
from tests.books import Noted, draft, exchange, write

Books = dict[str, Book]


def organ(book: Book, id: str, name: str, *, after: tuple[bytes, ...] = (), to: said.Audience = said.ALL) -> Any:
    """An organ, said to all if not told otherwise; its statement id."""
    body = Organ(id, "11371600", name, name, "government", book.settings.tier, "371600", "", "", "", book.here, True, ("滨政",), "", 1)
    return write(book, draft(book, body, record=id, lane=Lane.TRUST, to=to, after=after))[0].id


def fresh(book: Book) -> dict[str, Any]:
    """The digest of this moment: asked until it is of what the journal holds now."""
    found: list[dict[str, Any]] = []

    def now() -> bool:
        found.append(book.state_digest() or {"at": {}})
        chains = [s for s in book.journal.chains.values() if s.audience.scope is said.Scope.ALL]
        return bool(found[-1]["at"]) and sum(found[-1]["at"].values()) == sum(s.count for s in chains)

    assert wait_for(now, 60)
    return found[-1]


def test_equal_prefixes_have_equal_digests(branch: Books) -> None:
    """Three nodes that hold the same logs for all agree, whatever else each of them holds; one that is behind says so in its places."""
    city, county = branch["city"], branch["county1"]
    first = organ(county, "wd-zf", "县政府")
    exchange(branch.values())
    write(city, draft(city, Noted("for nobody else")))
    before = [fresh(book) for book in branch.values()]
    assert before[0] == before[1] == before[2]
    organ(county, "wd-zf", "县人民政府", after=(first,))
    ahead = fresh(county)
    assert ahead["at"] != before[0]["at"] and ahead["sha256"] != before[0]["sha256"] and fresh(city) == before[0]
    exchange(branch.values())
    assert fresh(city) == fresh(branch["county1-town1"]) == ahead


def test_what_waits_is_part_of_the_state(tmp_path: Path) -> None:
    """Two nodes with the same places of which one has not folded an entry yet do not claim the same state."""
    with books.opened(tmp_path) as world:
        city, county = world["city"], world["county1"]
        early = organ(city, "bz-zf", "市政府")
        kept = write(city, draft(city, Noted("here"), to=said.SELF))[0].id
        write(city, draft(city, Listing("all", "各县", ("bz-zf",), 1), record="all", lane=Lane.TRUST, to=said.ALL, after=(early, kept)))
        exchange(world.values())
        assert fresh(city)["at"] == fresh(county)["at"]
        assert fresh(city)["sha256"] != fresh(county)["sha256"]
        assert county.status()["queues"]["parked"] == 1


def test_a_restart_finds_the_same_digest(tmp_path: Path) -> None:
    """The digest comes from what is stored: opened again, a book has the digest it had, but for the chain of the new start."""
    with books.opened(tmp_path) as world:
        county = world["county1"]
        organ(county, "wd-zf", "县政府")
        before, settings, rooms = fresh(county), county.settings, county.rooms
    again = Book(settings, rooms)
    try:
        assert fresh(again) == before
    finally:
        again.close()


def test_a_directory_told_to_some_is_refused(tmp_path: Path) -> None:
    """An organ that a node announces to its superior alone is believed by nobody: the directory is one for all."""
    with books.opened(tmp_path) as world:
        city, county = world["city"], world["county1"]
        before = fresh(city)
        organ(county, "wd-x", "影子机关", to=said.to_node(city.here))
        exchange(world.values())
        assert fresh(city) == before
        assert city.status()["queues"]["quarantined_entries"] == 1

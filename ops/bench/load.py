"""A working day at one node: two hundred people at its portal, twenty-seven thousand in its address book, a hundred thousand documents.

Everything is there as in life: people, posts and documents are entries that went through the ledger; tables, search index and reminders are made
of them by the node's own processes. The people sign in by password and then do what offices do (:mod:`ops.bench.crowd`): look at their lists, open
matters, search, sign for what came in, draft; between two steps each thinks for five seconds. The pages they wait for are counted, whatever else the
node does meanwhile.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from node import certs, clock, enrol, persons, tier
from node.codec import uuid7
from node.directory.entries import Appointed, Certified, File, Organ, Person, Post
from node.directory.writing import draft
from node.entry import SELF
from node.kinds import Content
from node.requests import Draft
from ops.bench import fleet, meter, portal
from ops.bench.fleet import Member
from ops.bench.papers import Author, documents

BUSY, ORGANS = 50, 600
"Organs whose people work at the portal, and organs in all."
STAFF = (("clerk", "收发员", ("registry_clerk", "archivist")), ("head", "局长", ("signer",)), ("check", "核稿", ("reviewer",)), ("plain", "科员", ()))
"Who works in each of them; every other person of the address book holds a post without functions."
MEMBERS = 27_000
LOADED, AT_ONCE = 2, 300
"Processes from which the people ask, and documents written at a time."
OPEN = 20
"Of so many documents one is still to be signed for; the others are done with."
FAMILY, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华"


def run(count: int, seconds: float, *, people: int = BUSY * len(STAFF), members: int = MEMBERS) -> None:
    """Furnish the node, let people work for some seconds, and say how long they waited for their pages."""
    meter.note("load")
    with TemporaryDirectory(prefix="yw-bench-") as folder:
        member = portal.founded(Path(folder) / "city")
        try:
            member.start("ledger")
            fleet.until(lambda: fleet.answers(member), "the ledger")
            made = _timed(lambda: _furnish(member, members))
            author = _author(member)
            wrote = _timed(lambda: _write(member, author, count))
            member.start("portal", "clerk")
            fleet.until(lambda: portal.alive(member), "the portal")
            found = _timed(lambda: fleet.until(lambda: _indexed(member), "the search index", 1800))
            _work(member, seconds, people, members=members, documents=count, directory_s=made, documents_s=wrote, index_s=found)
        finally:
            member.end()


def _timed(act: object) -> float:
    begun = time.perf_counter()
    act()  # type: ignore[operator]
    return round(time.perf_counter() - begun, 1)


def _furnish(member: Member, members: int) -> None:
    """The address book, and keys of those who work here."""
    with fleet.directory(member.settings) as known:
        book = _book(member, members)
        while some := list(islice(book, 2 * AT_ONCE)):
            member.book.write([draft(member.settings, known, one) for one in some])


def _book(member: Member, members: int) -> Iterator[Content]:
    yield enrol.own(member.settings)
    chance = random.Random(7)
    for n in range(ORGANS):
        names, above = (f"云市第{n}局", f"{n}局"), "" if n == 0 else "o0"
        yield Organ(
            f"o{n}", "330000", *names, "department" if n else "government", "city", "330000", above, "", "", member.id, True, (f"云{n}",), "", n
        )
        yield Post(f"p{n}", f"o{n}", "科员", "", (), 9, "", ())
    for n in range(BUSY):
        for place, (who, title, roles) in enumerate(STAFF):
            id = f"{who}{n}"
            yield Post(f"post-{id}", f"o{n}", title, "", (), place, "", roles)
            yield from _person(chance, id, f"o{n}", f"post-{id}")
            yield File(id, id, "", "", "", "", "")
            cert = persons.new_person_key(member.settings, id, id, portal.PASSWORD, clock.now(), first=False)
            yield Certified(id, certs.der(cert), "")
    for n in range(members - BUSY * len(STAFF)):
        yield from _person(chance, f"m{n}", f"o{n % ORGANS}", f"p{n % ORGANS}")


def _person(chance: random.Random, id: str, organ: str, post: str) -> Iterator[Content]:
    name = chance.choice(FAMILY) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
    yield Person(id, name, organ, "88000000", 1, "active", "")
    yield Appointed(f"held-{id}", id, post, True, None, None, "")


def _author(member: Member) -> Author:
    door = persons.open_person_key(member.settings, "clerk0", portal.PASSWORD)
    return Author(member.settings.city, member.id, "o0", door.key, door.fingerprint)


def _write(member: Member, author: Author, count: int) -> None:
    """Documents between organs of the node: half of them from and to the government, most done with, each as three entries."""
    texts = iter(documents(count, size=1200))
    number = 0
    while some := list(islice(texts, AT_ONCE)):
        drafts = [one for place, text in enumerate(some, number) for one in _life(author, place, json.loads(text))]
        member.book.write(drafts)
        number += len(some)


def _life(author: Author, number: int, said: dict[str, str]) -> Iterator[Draft]:
    from office.documents.entries import Closed, Dispatched, Drafted, Envelope, Paper, Recipient, Role, incoming_id

    doc, sender, reader = uuid7(), 0 if number % 2 else number % BUSY, 0 if number % 2 == 0 else (number // 2) % BUSY
    paper = Paper(f"o{sender}", "notice", said["title"], said["body"], (f"o{reader}",))
    prefix = f"云政〔2026〕{number + 1}号"
    envelope = Envelope(paper, prefix, f"云市第{sender}局", "李文", "2026-11-20", (Recipient(f"o{reader}", author.node, Role.TO),))
    yield author.draft(Drafted(paper), SELF, record=doc)
    yield author.draft(Dispatched(envelope), SELF, record=doc)
    if number % OPEN:
        yield author.draft(Closed(doc, f"o{reader}", ""), SELF, record=incoming_id(doc, f"o{reader}"))


def _indexed(member: Member) -> bool:
    """Whether the search has followed the journal to its end."""
    from office.frame.office import Office
    from office.search.follower import sources
    from office.search.index import Place

    office = Office(member.settings, tier.load(member.settings.tier))
    try:
        place = Place(member.settings)
        name = place.current()
        at = place.open(name).state() if name else (0, False)
        time.sleep(0.5)
        return bool(sources(office)) and at[1] and office.ledger.released(at[0], 1)[0] <= at[0]
    finally:
        office.close()


def _work(member: Member, seconds: float, people: int, **about: object) -> None:
    meter.note(f"load: {people} people, {seconds:g} s")
    logins = [f"{who}{n}" for n in range(BUSY) for who, _title, _roles in STAFF][:people]
    parts = [logins[place::LOADED] for place in range(LOADED)]
    span = meter.Span(member.pids())
    given = (str(member.settings.path("certs", "root.pem")), str(seconds))
    asking = [subprocess.Popen([sys.executable, "-m", "ops.bench.crowd", *given, *some], stdout=subprocess.PIPE, cwd=fleet.ROOT) for some in parts]
    lines = [json.loads(line) for one in asking for line in one.communicate()[0].splitlines()]
    pages: dict[str, list[float]] = defaultdict(list)
    wrong: dict[str, int] = defaultdict(int)
    for page, took, status in lines:
        pages[page].append(took)
        if status >= 400 and status != 409:
            wrong[f"{page} {status}"] += 1
    every = [took for times in pages.values() for took in times]
    slow = {
        page: [len(times), round(meter.percentile(times, 50) * 1e3), round(meter.percentile(times, 95) * 1e3)]
        for page, times in sorted(pages.items())
    }
    used = {role: round(meter.pss(member.pids(role)), 1) for role in member.processes}
    meter.emit(
        "yiwang.load",
        people=people,
        seconds=seconds,
        **about,
        requests=len(every),
        errors=dict(wrong),
        **meter.spread(every),
        pages_n_p50_p95=slow,
        cpu_s=round(span.used(), 1),
        pss_mib=used,
        **span.figures(),
    )

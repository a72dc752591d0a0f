"""Search in many documents: how long a clerk waits for a page of finds, on SQLite and on PostgreSQL, rights applied.

The rows of the documents room are laid down as its folds would leave them, without signing each; the index is made of them by the room's
own hook, and asked by the verb that the page calls. What HTTP and the template take comes on top (``yiwang.portal``).
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert
from sqlalchemy.orm import Session

from node import clock, enrol, settings, tier
from node.codec import pack, uuid7
from node.directory.entries import Appointed, Organ, Person, Post
from node.directory.writing import draft
from node.fold import Place as Tables
from node.settings import Settings
from office.documents.entries import Envelope, Paper, Recipient, Role, incoming_id
from office.documents.finding import FINDS
from office.documents.model import ROOM, Incoming, Letter
from office.frame.desk import Desk
from office.frame.office import Office
from office.search import service
from office.search.follower import sources
from office.search.index import Generation, Place
from office.search.service import Wish
from ops.bench import fleet, meter, peers
from ops.bench.fleet import Member
from ops.bench.papers import documents

TWO = ("会议", "通知", "经济", "审批", "土地", "督导", "信访", "医疗", "养老", "防汛")
FOUR = ("基层治理", "乡村振兴", "义务教育", "工作专班")
LONG = ("安全隐患排查", "农村人居环境", "高标准农田")
ORGANS, ROUNDS, CHUNK = 20, 10, 500
"Organs that share the documents, questions of each word, documents laid down at a time."


def run(count: int) -> None:
    """Measure both stores; where PostgreSQL is not installed one line says so."""
    _one("sqlite", "sqlite", count)
    binaries = peers.binaries_of()
    if binaries is None:
        meter.emit("yiwang.search", storage="postgresql", skipped="the server is not installed: apt-get install postgresql")
        return
    with TemporaryDirectory(prefix="yw-bench-pg-") as folder, peers.serving(binaries, Path(folder) / "s", peers.PORT + 9) as server:
        _one("postgresql", f"postgresql://bench@127.0.0.1:{server.port}/postgres", count)


def _one(name: str, storage: str, count: int) -> None:
    meter.note(f"search {name}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="yw-bench-")))
        member = _home(folder / "city", storage)
        stack.callback(member.end)
        member.start("ledger")
        fleet.until(lambda: fleet.answers(member), "the ledger")
        _furnish(member)
        office = Office(member.settings, tier.load("city"))
        stack.callback(office.close)
        start, used = time.perf_counter(), time.process_time()
        _lay_down(member.settings, count)
        laid = time.perf_counter() - start
        start, used = time.perf_counter(), time.process_time()
        index = _index(office, count)
        built = {"rows_s": round(laid, 1), "index_s": round(time.perf_counter() - start, 1), "index_cpu_s": round(time.process_time() - used, 1)}
        _ask(name, office, index, count, built)


def _home(home: Path, storage: str) -> Member:
    wish = Settings(id="", tier="city", name="云市", code="330000", city="", storage=storage, profile="acceptance")
    return Member(settings.load(enrol.found_city(home, wish, dt.datetime.now(dt.UTC)).home))


def _furnish(member: Member) -> None:
    """Organs with a clerk each: one who looks after all of them, one of a single organ, one of none."""
    contents: list[object] = [enrol.own(member.settings)]
    for number in range(ORGANS):
        names = f"云市第{number}局", f"{number}局"
        contents.append(
            Organ(f"o{number}", "330000", *names, "department", "city", "330000", "", "", "", member.id, True, (f"云{number}",), "", number)
        )
    everything = tuple(f"o{number}" for number in range(ORGANS))
    for person, organ, serves, roles in (
        ("all", "o0", everything, ("registry_clerk",)),
        ("one", "o7", (), ("registry_clerk",)),
        ("none", "o8", (), ()),
    ):
        contents.append(Post(f"post-{person}", organ, "文书", "", (), 1, "", roles, serves=serves))
        contents.append(Person(person, "李文", organ, "88000000", 1, "active", "li wen"))
        contents.append(Appointed(f"held-{person}", person, f"post-{person}", True, None, None, ""))
    with fleet.directory(member.settings) as known:
        member.book.write([draft(member.settings, known, one) for one in contents])  # type: ignore[arg-type]


def _letters(here: str, count: int) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """(letter, incoming) of documents, a minute between two."""
    first = clock.ms() - count * 60_000
    for number, text in enumerate(documents(count)):
        said, organ, doc, at = json.loads(text), f"o{number % ORGANS}", uuid7(), first + number * 60_000
        paper = Paper("o1", "notice", said["title"], said["body"], (organ,))
        envelope = Envelope(paper, f"云政发〔2026〕{number}号", "云市第1局", "李文", "2026-11-20", (Recipient(organ, here, Role.TO),))
        letter = {
            "id": doc,
            "home": here,
            "organ": "o1",
            "envelope_bytes": pack(envelope),
            "issue": 1,
            "note": "",
            "at": at,
            "said": b"x",
            "place": "",
        }
        came = {"id": incoming_id(doc, organ), "doc": doc, "organ": organ, "role": "to", "home": here, "issuer": "o1", "issuer_name": "云市第1局"}
        page: dict[str, object] = {
            "number": envelope.number,
            "title": paper.title,
            "kind": "notice",
            "urgency": "none",
            "label": "internal",
            "due": 0,
        }
        yield letter, came | page | {"reply_required": False, "sent_at": at, "order": number, "said": b"x"}


def _lay_down(found: Settings, count: int) -> None:
    place = Tables(found)
    engine = place.engine(ROOM, place.current(ROOM))
    some: list[tuple[dict[str, object], dict[str, object]]] = []
    with Session(engine) as session:
        for pair in _letters(found.id, count):
            some.append(pair)
            if len(some) == CHUNK:
                _write(session, some)
                some = []
        _write(session, some)
    engine.dispose()


def _write(session: Session, some: list[tuple[dict[str, object], dict[str, object]]]) -> None:
    if some:
        session.execute(insert(Letter), [letter for letter, _ in some])
        session.execute(insert(Incoming), [came for _, came in some])
        session.commit()


def _index(office: Office, count: int) -> Generation:
    place, desk = Place(office.settings), Desk(office)
    name = place.fresh(sources(office))
    index = place.open(name, write=True)
    with office.tables.session(ROOM) as session:
        ids = [row[0] for row in session.query(Letter.id)]
    for some in fleet.each(ids, CHUNK):
        index.put(FINDS.room, some, FINDS.pieces(desk, some))
    index.settle()
    index.move(0, whole=True)
    place.swap(name)
    return index


def _ask(name: str, office: Office, index: Generation, count: int, built: dict[str, float]) -> None:
    questions = {
        "two": [Wish(words=word) for word in TWO],
        "four": [Wish(words=word) for word in FOUR],
        "long": [Wish(words=word) for word in LONG],
        "number": [Wish(number=f"云政发[2026]{count - number}号") for number in (1, count // 2, count // 3)],
        "fields": [Wish(words=word, kind="notice", direction="in", organ="1局", validity="force") for word in TWO[:5]],
        "nothing": [Wish(words="𠮷囍鑫")],
    }
    for person in ("all", "one", "none"):
        for what, wishes in questions.items():
            service.search(Desk(office, person=person, tracks=False), wishes[0])
            times, hits, span = [], 0, meter.Span([])
            for _ in range(ROUNDS):
                for wish in wishes:
                    start = time.perf_counter()
                    found = service.search(Desk(office, person=person, tracks=False), wish)
                    times.append(time.perf_counter() - start)
                    hits += len(found.hits)
            cpu = round(span.client() / len(times) * 1000, 3)
            figures = {"cpu_ms": cpu, "hits_a_page": round(hits / len(times), 1), **meter.spread(times), **span.figures(), **built}
            meter.emit("yiwang.search", storage=name, documents=count, asked=what, person=person, **figures)

"""The one verb of the room: search, for whoever asks, over what that person may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from node import clock
from node.errors import Missing
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk
from office.frame.find import Direction, Source, Validity
from office.frame.office import Office
from office.search.follower import sources
from office.search.index import LAST, Generation, Place, Question, mark, wanted
from office.search.spelling import ASKED, Term, marks, snippet, spelled, terms

Part = tuple[str, bool]
"Words, and whether they are to be marked."
FIRST, MORE = 120, 1000
"Candidates looked at in the first turn and in each further one."
WIDE = 8
"Keys beyond which the first turn does not compare them: who holds so many sees much of what matches, and comparing costs more than it saves."
DEEP = 3000
"Finds that may be leafed through; who has not found it by then asks more closely."


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody looks for; empty fields ask for nothing."""

    words: str = ""
    number: str = ""
    organ: str = ""
    "Id, name or part of the name of the organ that issued it."
    kind: str = ""
    direction: str = ""
    validity: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    "The last day, included; days of Asia/Shanghai."

    def __bool__(self) -> bool:
        return any((self.words.strip(), self.number.strip(), self.organ, self.kind, self.direction, self.validity, self.since, self.until))


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A matter that was found."""

    id: str
    room: str
    url: str
    title: list[Part]
    number: list[Part]
    issuer: str
    kind: str
    at: dt.datetime
    validity: Validity
    note: str
    directions: tuple[Direction, ...]
    also: tuple[str, ...]
    "Further addresses at which the same matter can be seen."
    snippet: list[Part]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of finds. How many there are in all is not said, to nobody: what one may not see must not show as a number."""

    hits: list[Hit]
    more: bool
    whole: bool
    "Whether the index has followed the journal to its end since it was begun."
    missing: tuple[str, ...] = ()
    "Rooms whose tables are being built, so that nothing of theirs can be shown."


def search(desk: Desk, wish: Wish, *, limit: int = 20, offset: int = 0) -> Found:
    """The newest matters that match and that the person may see, each once; :class:`Missing` before there is an index."""
    known = {source.room: source for source in sources(desk.office)}
    index = opened(desk.office)
    offset = min(offset, DEEP)
    asked, missing = _question(desk, wish, list(known.values())), set[str]()
    need, seen = offset + limit + 1, list[tuple[Any, list[Any]]]()
    for rows in _candidates(index, asked, wish):
        seen += _visible(desk, index, rows, wish, known, missing)
        if len(seen) >= need:
            break
    shown = seen[offset : offset + limit]
    texts = index.texts([row.id for row, _ in shown])
    _at, whole = index.state()
    hits = [_hit(row, spots, texts.get(row.id, ""), asked.terms, known[row.room]) for row, spots in shown]
    fresh = index.name.startswith(wanted(list(known.values())))
    return Found(hits=hits, more=len(seen) > offset + limit, whole=whole and fresh, missing=tuple(sorted(missing)))


_open: WeakKeyDictionary[Office, Generation] = WeakKeyDictionary()
"The generation that each office of the process has open for reading."


def opened(office: Office) -> Generation:
    """The index that answers now."""
    place, held = Place(office.settings), _open.get(office)
    name = place.current()
    if not name:
        raise Missing("the search index is being built", hint="the clerk builds it; wait a moment and try again")
    if held is None or held.name != name:
        if held is not None:
            held.engine.dispose()
        held = _open[office] = place.open(name)
    return held


def _question(desk: Desk, wish: Wish, known: Sequence[Source]) -> Question:
    holds = [mark("h", f"{source.room}:{key}") for source in known for key in source.keys(desk)]
    fields = (("t", wish.kind), ("v", wish.validity), ("d", wish.direction))
    groups = [holds or [mark("h", "")], *([mark(what, value)] for what, value in fields if value)]
    if wish.organ:
        groups.append([mark("o", id) for id in _called(desk, wish.organ)] or [mark("o", "")])
    return Question(
        terms=[*terms(wish.words), *terms(wish.number)],
        groups=groups,
        since=_midnight(wish.since) if wish.since else 0,
        until=_midnight(wish.until + dt.timedelta(days=1)) if wish.until else LAST // 1024,
    )


def _called(desk: Desk, name: str) -> list[str]:
    """The organs of a name: the one that is called so, else those whose name has it."""
    organs = desk.directory.organs()
    exact = [organ.id for organ in organs if name in (organ.id, organ.full_name, organ.short_name)]
    return exact or [organ.id for organ in organs if name in organ.full_name or name in organ.short_name]


def _midnight(day: dt.date) -> int:
    return clock.to_ms(dt.datetime.combine(day, dt.time(), SHANGHAI))


def _candidates(index: Generation, asked: Question, wish: Wish) -> Iterator[list[Any]]:
    """Finds that match, some at a time, the newest first; where nothing that can be found was asked for, none."""
    if (wish.words.strip() or wish.number.strip()) and not asked.terms:
        return
    before, limit = LAST, FIRST
    turn = replace(asked, groups=asked.groups[1:]) if len(asked.groups[0]) > WIDE and (asked.terms or asked.groups[1:]) else asked
    number = [term.plain for term in terms(wish.number)]
    while before:
        rows, before = index.match(turn, before, limit)
        turn, limit = asked, MORE
        yield [row for row in rows if all(plain in spelled(row.number) for plain in number)] if number else rows


def _visible(
    desk: Desk, index: Generation, rows: Sequence[Any], wish: Wish, known: dict[str, Source], missing: set[str]
) -> list[tuple[Any, list[Any]]]:
    """Those of the finds that the desk may see, with the spots at which it may."""
    held = {row.id: row for row in rows if row.room in known}
    places = [spot for spot in index.spots(list(held)) if wish.direction in ("", spot.direction)]
    may: dict[tuple[str, str], set[Any]] = {}
    for room, model in {(held[spot.find].room, spot.model) for spot in places}:
        keys = [spot.key for spot in places if (held[spot.find].room, spot.model) == (room, model)]
        try:
            may[room, model] = desk.among(known[room].models[model], keys)
        except Missing:
            missing.add(room)
    found: dict[int, list[Any]] = {}
    for spot in places:
        if spot.key in may.get((held[spot.find].room, spot.model), ()):
            found.setdefault(spot.find, []).append(spot)
    return [(row, found[row.id]) for row in rows if row.id in found]


def _hit(row: Any, spots: Sequence[Any], text: str, asked: Sequence[Term], source: Source) -> Hit:
    return Hit(
        id=row.matter,
        room=row.room,
        url=spots[0].url,
        title=marks(row.title, asked),
        number=marks(row.number, asked),
        issuer=row.issuer,
        kind=source.kind_words.get(row.kind, row.kind),
        at=clock.from_ms(row.id // 1024),
        validity=Validity(row.validity),
        note=row.note,
        directions=tuple(Direction(one) for one in dict.fromkeys(spot.direction for spot in spots)),
        also=tuple(spot.url for spot in spots[1:]),
        snippet=snippet(text, asked),
    )


def cut(words: str) -> bool:
    """Whether a question is longer than what is looked at."""
    return len(words) > ASKED

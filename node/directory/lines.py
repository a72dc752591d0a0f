"""The directory as JSON Lines: what ``yiwang dir import`` reads and ``yiwang dir export`` writes (``docs/directory.md``).

Each line is one object with a ``type``. Nodes are named by their codes. A line belongs to the node that keeps the record:
where it is read elsewhere it only serves others as reference, so that one file can be given to every node of a city.
:func:`plan` compares a file with the directory and writes nothing; whoever asked then writes what the plan found new.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from node.codec import base32, digest
from node.directory import entries as said
from node.directory.spelling import spell, spell_name
from node.directory.view import Directory
from node.errors import Invalid, NodeError
from node.kinds import Content

LONGEST = 64 * 1024
"Bytes of a line."
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGITS = re.compile(r"[0-9+()# -]{0,40}")


class _Line(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all lines have."""


class OrganLine(_Line, tag="organ"):
    """An organ; ``node`` is the code of its home node, this node when left out."""

    id: str
    full_name: str
    short_name: str = ""
    kind: str = "department"
    node: str = ""
    code: str = ""
    tier: str = ""
    region_code: str = ""
    parent_id: str = ""
    line_parent_id: str = ""
    managed_by_id: str = ""
    may_issue: bool = False
    doc_prefixes: tuple[str, ...] = ()
    duty_phone: str = ""
    sort_no: int = 0
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    successor_id: str = ""
    pinyin: str = ""


class PostLine(_Line, tag="post"):
    """A post of an organ."""

    id: str
    organ: str
    title: str
    rank: str = ""
    portfolio: tuple[str, ...] = ()
    sort_no: int = 0
    backup_post_id: str = ""
    roles: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    valid_to: dt.date | None = None


class PersonLine(_Line, tag="person"):
    """A person: card and file in one; ``posts`` are appointments without dates, the first the main one."""

    id: str
    name: str
    organ: str
    office_phone: str = ""
    sort_no: int = 0
    status: str = "active"
    pinyin: str = ""
    login: str = ""
    staff_no: str = ""
    sex: str = ""
    mobile: str = ""
    staffing_type: str = ""
    clearance: str = ""
    posts: tuple[str, ...] = ()


class AppointmentLine(_Line, tag="appointment"):
    """A person in a post."""

    person: str
    post: str
    id: str = ""
    primary: bool = False
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    basis_doc_no: str = ""


class DelegationLine(_Line, tag="delegation"):
    """A power lent from post to post."""

    id: str
    grantor_post: str
    grantee_post: str
    scope: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date
    basis: str = ""


class ListLine(_Line, tag="list"):
    """A standing distribution list kept by ``node``."""

    id: str
    name: str
    organs: tuple[str, ...]
    version: int = 1
    node: str = ""


class CalendarLine(_Line, tag="calendar"):
    """Days of a year that differ from the plain week, kept by the city."""

    year: int
    off: tuple[dt.date, ...]
    worked: tuple[dt.date, ...]
    basis: str
    version: int = 1
    node: str = ""


Line = OrganLine | PostLine | PersonLine | AppointmentLine | DelegationLine | ListLine | CalendarLine
L = TypeVar("L", bound=_Line)
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


@dataclass(frozen=True)
class Refusal:
    """A line that was not taken, and why."""

    line: int
    code: str
    detail: str = ""


@dataclass
class Plan:
    """What a file would change here."""

    created: list[Content] = field(default_factory=list)
    changed: list[Content] = field(default_factory=list)
    same: int = 0
    elsewhere: int = 0
    "Lines that another node keeps."
    refused: list[Refusal] = field(default_factory=list)

    @property
    def contents(self) -> list[Content]:
        """All to be written, in an order in which nothing names what comes later."""
        return [*self.created, *self.changed]


class _No(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def plan(directory: Directory, text: Iterable[str | bytes]) -> Plan:
    """Compare lines with the directory; nothing is written."""
    with directory.steady():
        return _Reading(directory).read(text)


def dump(directory: Directory, *, node: str = "") -> Iterator[str]:
    """The directory as lines that :func:`plan` reads back: all that is known, or what one node keeps."""
    with directory.steady():
        lines = _all_lines(directory, node)
    for line in lines:
        yield msgspec.json.encode(_sparse(line)).decode()


def _all_lines(directory: Directory, node: str) -> list[_Line]:
    codes = {n.id: n.code for n in directory.nodes()}
    organs = [o for o in directory.organs() if node in ("", o.node)]
    lines: list[_Line] = [_organ_line(o, codes) for o in organs]
    for organ in organs:
        lines += [_like(PostLine, post) for post in directory.posts_of(organ.id)]
    people: dict[str, None] = {}
    for organ in organs:
        people.update(dict.fromkeys(f.person.id for f in directory.people_of(organ.id)))
    for person in people:
        lines += _person_lines(directory, person, node)
    lines += [ListLine(id=x.id, name=x.name, organs=x.organs, version=x.version, node=codes.get(home, "")) for x, home in _lists(directory, node)]
    for calendar in directory.calendars():
        lines.append(_like(CalendarLine, calendar, node=codes.get(directory.tree().root, "")))
    return lines


def _lists(directory: Directory, node: str) -> Iterator[tuple[said.Listing, str]]:
    for listing in directory.lists():
        record = directory.record(said.Listing, listing.id)
        if record is not None and node in ("", record.home):
            yield listing, record.home


def _organ_line(organ: said.Organ, codes: dict[str, str]) -> OrganLine:
    return _like(OrganLine, organ, node=codes.get(organ.node, ""))


def _person_lines(directory: Directory, person: str, node: str) -> Iterator[_Line]:
    card, file = directory.person(person), directory.file(person)
    if card is not None and node in ("", directory.person_home(person)):
        private = {f: getattr(file, f) for f in ("login", "staff_no", "sex", "mobile", "staffing_type", "clearance")} if file else {}
        yield _like(PersonLine, card, **private)
    for held in directory.appointments_of(person):
        if node in ("", held.organ.node):
            yield _like(AppointmentLine, held.appointed)


def _like(cls: type[L], value: Any, **more: Any) -> L:
    """A line with those fields of a content that it has."""
    return cls(**{f: getattr(value, f) for f in cls.__struct_fields__ if f not in more and hasattr(value, f)}, **more)


def _sparse(line: _Line) -> dict[str, Any]:
    """A line as an object without its empty fields."""
    plain = msgspec.to_builtins(line)
    return {k: v for k, v in plain.items() if v not in ("", None, [], 0, False) or k == "type"}


class _Reading:
    """One file being read: lines by kind, what they define, and the plan that grows."""

    def __init__(self, directory: Directory) -> None:
        self.directory, self.plan = directory, Plan()
        self.codes = {n.code: n.id for n in directory.nodes()}
        self.organs: dict[str, said.Organ] = {}
        self.posts: dict[str, said.Post] = {}
        self.persons: dict[str, said.Person] = {}
        self.logins: dict[str, str] = {}
        self.roles: dict[str, set[str]] = {}
        self.mine = False
        "Whether the line being read is this node's to keep."

    def read(self, text: Iterable[str | bytes]) -> Plan:
        lines, seen = [], set()
        for number, raw in enumerate(text, 1):
            if not raw.strip():
                continue
            try:
                line = _parse(raw)
                key = (type(line), getattr(line, "id", "") or (getattr(line, "person", ""), getattr(line, "post", ""), getattr(line, "year", 0)))
                if key in seen:
                    raise _No("duplicate", str(key[1]))
                seen.add(key)
                lines.append((number, line))
            except _No as no:
                self.plan.refused.append(Refusal(number, no.code, no.detail))
        self._register_organs(lines)
        for cls, take in (
            (OrganLine, self._organ),
            (PostLine, self._post),
            (PersonLine, self._person),
            (AppointmentLine, self._appointment),
            (DelegationLine, self._delegation),
            (ListLine, self._list),
            (CalendarLine, self._calendar),
        ):
            for number, line in lines:
                if isinstance(line, cls):
                    self._try(number, take, line)
        self.plan.refused.sort(key=lambda r: r.line)
        return self.plan

    def _try(self, number: int, take: Any, line: _Line) -> None:
        self.mine = False
        try:
            take(line)
            self.plan.elsewhere += not self.mine
        except _No as no:
            self.plan.refused.append(Refusal(number, no.code, no.detail))
        except NodeError as error:
            self.plan.refused.append(Refusal(number, error.code, error.message))

    def _register_organs(self, lines: list[tuple[int, Line]]) -> None:
        """Organs may name each other in any order, so all are known before the first is judged."""
        for _, line in lines:
            if isinstance(line, OrganLine):
                home = self.codes.get(line.node) if line.node else self.directory.here
                self.organs[line.id] = _organ_of(line, home or "", line.pinyin)

    def _organ_known(self, id: str) -> said.Organ:
        found = self.organs.get(id) or self.directory.organ(id)
        if found is None:
            raise _No("unknown_organ", id)
        return found

    def _post_known(self, id: str) -> said.Post:
        found = self.posts.get(id) or self.directory.post(id)
        if found is None:
            raise _No("unknown_post", id)
        return found

    def _home(self, code: str) -> str:
        if not code:
            return self.directory.here
        if code not in self.codes:
            raise _No("unknown_node", code)
        return self.codes[code]

    def _organ(self, line: OrganLine) -> None:
        home = self._home(line.node)
        _one_of(line.kind, said.ORGAN_KINDS, "unknown_kind")
        _one_of(line.tier or "city", said.TIERS, "unknown_tier")
        _text(line.full_name, line.short_name)
        _term(line.valid_from, line.valid_to)
        for other in filter(None, (line.parent_id, line.line_parent_id, line.managed_by_id, line.successor_id)):
            self._organ_known(other)
        self._no_loop(line)
        held = self.directory.record(said.Organ, line.id)
        short = line.short_name or line.full_name
        pinyin = line.pinyin or (held.body.pinyin if held and held.body.short_name == short else "")
        if home != self.directory.here:
            return
        self._offer(_organ_of(line, home, pinyin or spell(short)), line.id)

    def _no_loop(self, line: OrganLine) -> None:
        seen, above = {line.id}, line.parent_id
        while above:
            if above in seen:
                raise _No("loop", above)
            seen.add(above)
            above = self._organ_known(above).parent_id

    def _post(self, line: PostLine) -> None:
        organ = self._organ_known(line.organ)
        for role in line.roles:
            _one_of(role, said.ROLES, "unknown_role")
        for served in line.serves:
            if self._organ_known(served).node != organ.node:
                raise _No("serves_elsewhere", served)
        _text(line.title)
        post = said.Post(**{f: getattr(line, f) for f in said.Post.__struct_fields__})
        self.posts[line.id] = post
        self._offer(post, line.id, organ.node)

    def _person(self, line: PersonLine) -> None:
        organ = self._organ_known(line.organ)
        _one_of(line.status, said.STATUSES, "unknown_status")
        _text(line.name, line.login or "-")
        if not _DIGITS.fullmatch(line.office_phone) or not _DIGITS.fullmatch(line.mobile):
            raise _No("bad_phone")
        if line.login and organ.node == self.directory.here:
            self._login_free(line.login.lower(), line.id)
        self._take_roles(line.id, line.posts)
        held = self.directory.record(said.Person, line.id)
        pinyin = line.pinyin or (held.body.pinyin if held and held.body.name == line.name else "")
        here = organ.node == self.directory.here
        card = said.Person(
            line.id, line.name, line.organ, line.office_phone, line.sort_no, line.status, pinyin or (spell_name(line.name) if here else "")
        )
        self.persons[line.id] = card
        self._offer(card, line.id, organ.node)
        if here:
            self._offer(said.File(line.id, line.login.lower(), line.staff_no, line.sex, line.mobile, line.staffing_type, line.clearance), line.id)
        for n, post in enumerate(line.posts):
            self._appoint(line.id, post, primary=n == 0)

    def _login_free(self, login: str, person: str) -> None:
        holder = self.logins.setdefault(login, person)
        if holder != person or self.directory.login(login) not in (None, person):
            raise _No("login_taken", login)

    def _take_roles(self, person: str, posts: Iterable[str]) -> None:
        """Refuse appointments by which one person would be two of the three administrators."""
        roles = self.roles.get(person, set(self.directory.roles_of(person))) | {r for p in posts for r in self._post_known(p).roles}
        if len(roles.intersection(said.ADMINISTRATORS)) > 1:
            raise _No("three_administrators", person)
        self.roles[person] = roles

    def _appoint(self, person: str, post: str, *, primary: bool) -> None:
        key = f"{person}--{post}"
        one = key if len(key) <= 64 else base32(digest("appointment", key.encode()))
        held = self.directory.record(said.Appointed, one)
        kept = held.body if held is not None else said.Appointed(one, person, post, primary, None, None, "")
        self._offer(msgspec.structs.replace(kept, primary=primary), one, self._organ_known(self._post_known(post).organ).node)

    def _appointment(self, line: AppointmentLine) -> None:
        if line.person not in self.persons and self.directory.person(line.person) is None:
            raise _No("unknown_person", line.person)
        _term(line.valid_from, line.valid_to)
        home = self._organ_known(self._post_known(line.post).organ).node
        self._take_roles(line.person, (line.post,))
        one = line.id or f"{line.person}--{line.post}"
        content = said.Appointed(one, line.person, line.post, line.primary, line.valid_from, line.valid_to, line.basis_doc_no)
        self._offer(content, one, home)

    def _delegation(self, line: DelegationLine) -> None:
        home = self._organ_known(self._post_known(line.grantor_post).organ).node
        self._post_known(line.grantee_post)
        for role in line.scope:
            _one_of(role, said.ROLES, "unknown_role")
        _term(line.valid_from, line.valid_to)
        self._offer(said.Delegated(**{f: getattr(line, f) for f in said.Delegated.__struct_fields__}), line.id, home)

    def _list(self, line: ListLine) -> None:
        _text(line.name)
        for organ in line.organs:
            self._organ_known(organ)
        self._offer(said.Listing(line.id, line.name, line.organs, line.version), line.id, self._home(line.node))

    def _calendar(self, line: CalendarLine) -> None:
        home = self._home(line.node)
        check_calendar(line.year, line.off, line.worked)
        if home != self.directory.here:
            return
        calendar = said.Calendar(line.year, line.off, line.worked, line.basis, line.version)
        held = self.directory.calendar(line.year)
        self._sort(calendar, held)

    def _offer(self, content: Content, id: str, home: str = "") -> None:
        """Put a content among the new, the changed or the known ones, if this node keeps it."""
        if not _ID.fullmatch(id):
            raise _No("bad_id", id[:80])
        if home and home != self.directory.here:
            return
        held = self.directory.record(type(content), id)
        if held is not None and held.home != self.directory.here:
            raise _No("foreign_record", id)
        self._sort(content, held.body if held else None)

    def _sort(self, content: Content, held: Content | None) -> None:
        self.mine = True
        if held is None:
            self.plan.created.append(content)
        elif held != content:
            self.plan.changed.append(content)
        else:
            self.plan.same += 1


def check_calendar(year: int, off: tuple[dt.date, ...], worked: tuple[dt.date, ...]) -> None:
    """Refuse days of another year, days named twice, and working days that are worked anyway."""
    days = [*off, *worked]
    if any(day.year != year for day in days) or len(set(days)) != len(days):
        raise Invalid("a day stands in another year or twice", code="bad_day")
    if any(day.weekday() < 5 for day in worked):
        raise Invalid("only Saturdays and Sundays can be worked instead", code="bad_day")


def _organ_of(line: OrganLine, home: str, pinyin: str) -> said.Organ:
    values = {f: getattr(line, f) for f in said.Organ.__struct_fields__ if f not in ("node", "pinyin", "short_name")}
    return said.Organ(**values, node=home, pinyin=pinyin, short_name=line.short_name or line.full_name)


def _parse(raw: str | bytes) -> Line:
    if len(raw) > LONGEST:
        raise _No("too_large")
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError) as error:
        raise _No("malformed", str(error)) from None


def _one_of(value: str, allowed: tuple[str, ...], code: str) -> None:
    if value not in allowed:
        raise _No(code, value)


def _text(*values: str) -> None:
    for value in values:
        if not value.strip() and value != "" or len(value) > 200 or not value.isprintable():
            raise _No("bad_text", value[:40])
    if not values[0].strip():
        raise _No("bad_text")


def _term(first: dt.date | None, end: dt.date | None) -> None:
    if first is not None and end is not None and end <= first:
        raise _No("bad_term", f"{first} – {end}")

"""What everybody asks of the directory: who is who, who stands where, whose key this is.

One :class:`Directory` serves a process for its whole life. It keeps what it has read and reads a table again only when
the table's pulse has moved. By default each question first looks at the pulses (one small query); a server that calls
:meth:`Directory.refresh` at the beginning of each request passes ``auto=False`` and pays for that once.

Trust is judged here, from records of several authors: a node counts when its certificates lead to the city root, a
person or a seal when the identity of the node that keeps the person's card or the seal's organ issued the certificate, a post when
the node that keeps the organ wrote it, and for organs of that node only, an appointment when the node that keeps the post did, a
revocation when the issuing node or one above it spoke. Expiry is left to the caller, who knows the moment that matters.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from cryptography import x509
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from node import certs, clock
from node.codec import unpack
from node.directory import entries as said
from node.directory import model
from node.directory.tree import Tree
from node.errors import NodeError
from node.keys import PublicKey
from node.kinds import Content
from node.lineage import keys_of
from node.settings import Settings

C = TypeVar("C", bound=Content)
CHINA = ZoneInfo("Asia/Shanghai")
MANY = 20_000
"Records of one kind that are remembered one by one before memory is given back."


@dataclass(frozen=True)
class Record:
    """A directory record with what is needed to write its next value."""

    body: Any
    home: str
    said: bytes
    "Statement id of this value."
    at: int


@dataclass(frozen=True)
class Holding:
    """A person in a post."""

    appointed: said.Appointed
    post: said.Post
    organ: said.Organ

    @property
    def roles(self) -> tuple[str, ...]:
        """Functions that go with the post."""
        return self.post.roles


@dataclass(frozen=True)
class Signer:
    """Whose certificate a fingerprint names."""

    kind: str
    "node, person or seal."
    id: str
    organ: str
    "The organ whose seal it is; empty for others."
    node: str
    "The node that issued it; a node's own id for nodes."
    certificate: x509.Certificate
    revoked: said.Revoked | None = None

    @cached_property
    def key(self) -> Any:
        """The public key that signatures are checked with."""
        return self.certificate.public_key()

    @cached_property
    def _term(self) -> tuple[dt.datetime, dt.datetime]:
        return self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc

    def valid_at(self, moment: dt.datetime) -> bool:
        """Whether the certificate's term includes the moment; says nothing about revocation."""
        first, last = self._term
        return first <= moment <= last


@dataclass(frozen=True)
class Found:
    """One line of an answer to a search."""

    person: said.Person
    holdings: tuple[Holding, ...]


def today() -> dt.date:
    """The day in the offices."""
    return clock.now().astimezone(CHINA).date()


def in_term(day: dt.date, first: dt.date | None, end: dt.date | None) -> bool:
    """Whether a day lies in a term; ``end`` is the first day outside."""
    return (first is None or first <= day) and (end is None or day < end)


class Directory:
    """The directory as this node knows it."""

    def __init__(
        self,
        opens: Callable[[], AbstractContextManager[Session]],
        *,
        here: str = "",
        anchors: Sequence[x509.Certificate] = (),
        root: x509.Certificate | None = None,
        auto: bool = True,
        stamp: Callable[[], Hashable] | None = None,
    ) -> None:
        """``opens`` yields a session of the directory's tables; ``anchors`` is this node's own chain, believed before any entry has come.

        ``stamp`` is a quicker look: while it gives the same value, nothing in the tables has changed.
        """
        self._opens, self.here, self._root, self._auto, self._stamp = opens, here, root, auto, stamp
        self._seen: Hashable = None
        self._anchors = {certs.subject(c).id: c for c in anchors}
        self._believed = {certs.fingerprint(c): Signer("node", id, "", id, c) for id, a in self._anchors.items() for c in certs.identities(a)}
        "By fingerprint, those before them too: what they signed comes before anything that tells of them."
        self._chain = tuple(certs.subject(c).id for c in anchors)
        self._pulses: dict[str, int] = {}
        self._version: tuple[tuple[str, int], ...] = ()
        self._parts: dict[str, tuple[tuple[int, ...], Any]] = {}

    @classmethod
    def of(
        cls,
        settings: Settings,
        opens: Callable[[], AbstractContextManager[Session]],
        *,
        auto: bool = True,
        stamp: Callable[[], Hashable] | None = None,
    ) -> Directory:
        """The directory of a home, anchored in its own certificates."""
        chain = certs.load_chain(settings.path("certs", "node.pem").read_bytes())
        root = certs.load(settings.path("certs", "root.pem").read_bytes())
        return cls(opens, here=settings.id, anchors=chain, root=root, auto=auto, stamp=stamp)

    def refresh(self) -> None:
        """Look whether anything has changed since last time; before the first look everything counts as unread."""
        stamp = self._stamp() if self._stamp is not None else None
        if stamp is not None and stamp == self._seen:
            return
        with self._opens() as session:
            self._pulses = {row.name: row.count for row in session.scalars(select(model.Pulse))}
        self._seen = stamp
        self._version = tuple(sorted(self._pulses.items()))

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Look once and not again inside, for questions that come by the thousand; nothing new where looking is the server's."""
        if not self._auto:
            yield
            return
        self.refresh()
        self._auto = False
        try:
            yield
        finally:
            self._auto = True

    @property
    def version(self) -> tuple[tuple[str, int], ...]:
        """Equal as long as nothing in the directory has changed."""
        self._look()
        return self._version

    # nodes

    def node(self, id: str) -> said.Node | None:
        """The node of this id, if its certificates lead to the root."""
        found = self._nodes().get(id)
        return found if found is not None and self._trusted(found) else None

    def nodes(self) -> tuple[said.Node, ...]:
        """All living nodes: the city, then tier by tier in the order of their codes."""
        depth = {"city": 0, "county": 1, "township": 2, "outside": 3}
        living = (n for n in self._nodes().values() if not n.closed and self._trusted(n))
        return tuple(sorted(living, key=lambda n: (depth.get(n.tier, 9), n.sort_no, n.code)))

    def tree(self) -> Tree:
        """Who stands under whom, this node's own line included even before the directory has come."""
        return self._part("tree", ("nodes", "roots"), self._grow)  # type: ignore[no-any-return]

    def path(self, a: str, b: str) -> tuple[str, ...]:
        """The nodes from one to another, both included."""
        return self.tree().path(a, b)

    def subtree(self, node: str) -> frozenset[str]:
        """A node and all below it."""
        return self.tree().subtree(node)

    @property
    def root(self) -> x509.Certificate | None:
        """The city's newest root that follows the one trusted here."""
        return self._part("root", ("roots",), self._newest_root)  # type: ignore[no-any-return]

    def identities(self, node: str) -> tuple[PublicKey, ...]:
        """The keys that have signed for a node, the present one first; empty when it is not known or not to be believed."""
        read: dict[str, tuple[PublicKey, ...]] = self._part("identities", ("nodes", "roots"), dict)
        if node not in read:
            cert = self.certificate(node)
            read[node] = keys_of(certs.identities(cert)) if cert is not None else ()
        return read[node]

    def wish(self, node: str) -> said.Rekeyed | None:
        """The key that a node has last asked to have certified."""
        known: dict[str, said.Rekeyed] = self._part("wishes", ("wishes",), self._wishes)
        return known.get(node)

    def revoked_keys(self, node: str) -> tuple[tuple[PublicKey, said.Revoked], ...]:
        """Former identity keys of a node that were revoked, each with the word that says so."""
        former = self.identities(node)[1:]
        if not former:  # nearly always, and then nothing more is asked
            return ()
        found = ((one.key, one.revoked) for one in self.certificates_of(node))
        return tuple((key, word) for key, word in found if word is not None and key in former)

    def certificate(self, node: str) -> x509.Certificate | None:
        """A node's own certificate."""
        found = self.node(node)
        if found is None:
            return self._anchors.get(node)
        read: dict[str, x509.Certificate] = self._part("certificates", ("nodes", "roots"), dict)
        if node not in read:
            read[node] = certs.load(found.chain[0])
        return read[node]

    def storage_key(self, node: str) -> bytes | None:
        """The key to which matters for a node are sealed."""
        found = self.node(node)
        return found.storage_key if found is not None else None

    # organs

    def organ(self, id: str) -> said.Organ | None:
        """An organ, closed ones included."""
        return self._organs().get(id)

    def organs(self, *, on: dt.date | None = None) -> tuple[said.Organ, ...]:
        """Organs in being on a day (today), in protocol order: each followed by those under it."""
        day = on or today()
        return tuple(o for o in self._walk() if in_term(day, o.valid_from, o.valid_to))

    def organs_at(self, node: str, *, on: dt.date | None = None) -> tuple[said.Organ, ...]:
        """The organs whose records a node keeps, in protocol order."""
        return tuple(o for o in self.organs(on=on) if o.node == node)

    def children(self, organ: str, *, on: dt.date | None = None) -> tuple[said.Organ, ...]:
        """Organs directly under one (块), in protocol order; under the empty id stand those under nobody."""
        return tuple(o for o in self.organs(on=on) if self._above(o) == organ)

    def line(self, organ: str) -> tuple[said.Organ, ...]:
        """Organs that this one guides (条)."""
        return tuple(o for o in self.organs() if o.line_parent_id == organ)

    def above(self, organ: str) -> tuple[said.Organ, ...]:
        """The organs over one, nearest first."""
        way: list[said.Organ] = []
        found = self.organ(organ)
        while found is not None and (found := self.organ(found.parent_id)) is not None and found not in way:
            way.append(found)
        return tuple(way)

    def successor(self, organ: str) -> said.Organ | None:
        """The organ to which a closed one's matters go; the organ itself while it lives."""
        found, seen = self.organ(organ), {organ}
        while found is not None and found.valid_to is not None and found.successor_id and found.successor_id not in seen:
            seen.add(found.successor_id)
            found = self.organ(found.successor_id)
        return found

    def lists(self) -> tuple[said.Listing, ...]:
        """Standing distribution lists by name."""
        return tuple(sorted(self._all("lists", model.ListingRow, said.Listing).values(), key=lambda x: (x.name, x.id)))

    def list_members(self, id: str) -> tuple[said.Organ, ...]:
        """The organs of a list in its own order, closed ones replaced by their successors."""
        listing = self._all("lists", model.ListingRow, said.Listing).get(id)
        found = (self.successor(organ) for organ in (listing.organs if listing else ()))
        return tuple(dict.fromkeys(o for o in found if o is not None))

    # posts and persons

    def post(self, id: str) -> said.Post | None:
        """A post, if the node that keeps its organ wrote it; it serves organs of that node and no others."""
        record = self._one("posts", model.PostRow, said.Post, id)
        if record is None or not self._keeps(record.home, record.body.organ):
            return None
        post: said.Post = record.body
        serves = tuple(organ for organ in post.serves if self._keeps(record.home, organ))
        return post if len(serves) == len(post.serves) else msgspec.structs.replace(post, serves=serves)

    def posts_of(self, organ: str, *, on: dt.date | None = None) -> tuple[said.Post, ...]:
        """The posts of an organ in protocol order."""
        day = on or today()
        ids = self._ids(
            "posts", organ, select(model.PostRow.id).where(model.PostRow.organ == organ).order_by(model.PostRow.sort_no, model.PostRow.id)
        )
        return tuple(p for p in map(self.post, ids) if p is not None and in_term(day, None, p.valid_to))

    def person(self, id: str) -> said.Person | None:
        """A person's card."""
        record = self._one("persons", model.PersonRow, said.Person, id)
        return record.body if record is not None else None

    def person_home(self, id: str) -> str:
        """The node that keeps a person's card, or empty."""
        record = self._one("persons", model.PersonRow, said.Person, id)
        return record.home if record is not None else ""

    def file(self, id: str) -> said.File | None:
        """A person's file, where this node may know it."""
        record = self._one("files", model.FileRow, said.File, id)
        return record.body if record is not None and record.home == self.person_home(id) else None

    def login(self, name: str) -> str | None:
        """The person who signs in here under this name."""
        where = (model.FileRow.login == name.strip().lower(), model.FileRow.home == self.here)
        with self._opens() as session:
            return session.scalars(select(model.FileRow.id).where(*where).order_by(model.FileRow.id)).first()

    def people_of(self, organ: str, *, on: dt.date | None = None) -> tuple[Found, ...]:
        """Who works in an organ, in protocol order of posts, then of persons; each once."""
        with self.steady():
            return self._people_of(organ, on)

    def _people_of(self, organ: str, on: dt.date | None) -> tuple[Found, ...]:
        people: dict[str, None] = {}
        for post in self.posts_of(organ, on=on):
            people.update(dict.fromkeys(p.id for p in self._holders_of(post, on or today())))
        query = select(model.PersonRow.id).where(model.PersonRow.organ == organ).order_by(model.PersonRow.sort_no, model.PersonRow.id)
        people.update(dict.fromkeys(self._ids("persons", organ, query)))
        found = (self._found(one, on) for one in people)
        return tuple(f for f in found if f is not None and f.person.status != "retired")

    def appointments_of(self, person: str, *, on: dt.date | None = None, here: bool = False) -> tuple[Holding, ...]:
        """The posts a person holds on a day (today), the main one first; ``here``: those of this node, the only ones by which to act at it."""
        day = on or today()
        held = [h for h in self._holdings("person", person) if in_term(day, h.appointed.valid_from, h.appointed.valid_to)]
        held = [h for h in held if h.organ.node == self.here] if here else held
        return tuple(sorted(held, key=lambda h: (not h.appointed.primary, h.post.sort_no, h.appointed.id)))

    def holders(self, role: str, organ: str = "", *, on: dt.date | None = None) -> tuple[said.Person, ...]:
        """Who has a role in an organ (or in the office that serves it), or anywhere at this node when none is named; in protocol order."""
        day = on or today()
        with self.steady():
            posts = self.posts_for(organ, on=day) if organ else self._posts_with(role, day)
            people = [p for post in posts if role in post.roles for p in self._holders_of(post, day)]
        return tuple({p.id: p for p in people}.values())

    def _posts_with(self, role: str, day: dt.date) -> list[said.Post]:
        """The posts of this node that have a role, in protocol order of their organs."""
        posts: list[said.Post] = self._part("here:posts", ("posts", "organs"), self._own_posts)
        return [p for p in posts if role in p.roles and in_term(day, None, p.valid_to)]

    def _own_posts(self) -> list[said.Post]:
        """This node's posts that have a role or serve other organs."""
        row = model.PostRow
        with self._opens() as session:
            contents = session.scalars(select(row.content).where(row.home == self.here)).all()
        posts = [p for p in (unpack(content, said.Post) for content in contents) if p.roles or p.serves]
        kept = [p for p in posts if (organ := self.organ(p.organ)) is not None and organ.node == self.here]
        return sorted(kept, key=lambda p: (self._place(p.organ), p.sort_no, p.id))

    def holders_of(self, post: said.Post) -> tuple[said.Person, ...]:
        """Who holds a post today, in protocol order."""
        return tuple(self._holders_of(post, today()))

    def posts_for(self, organ: str, *, on: dt.date | None = None) -> tuple[said.Post, ...]:
        """The posts that act for an organ: its own, then those of offices at the same node that serve it."""
        found = self.organ(organ)
        if found is None:
            return ()
        if found.node == self.here:
            posts: list[said.Post] = self._part("here:posts", ("posts", "organs"), self._own_posts)
            serving = [p for p in posts if in_term(on or today(), None, p.valid_to)]
        else:
            serving = [p for o in self.organs_at(found.node, on=on) for p in self.posts_of(o.id, on=on)]
        return (*self.posts_of(organ, on=on), *(p for p in serving if p.organ != organ and organ in p.serves))

    def acts_for(self, person: str, *, on: dt.date | None = None) -> tuple[said.Organ, ...]:
        """The organs of this node in whose name a person may act: those of the posts held, then those these posts serve."""
        held = self.appointments_of(person, on=on, here=True)
        ids = dict.fromkeys([*(h.organ.id for h in held), *(organ for h in held for organ in h.post.serves)])
        return tuple(o for o in map(self.organ, ids) if o is not None)

    def roles_of(self, person: str, *, on: dt.date | None = None) -> frozenset[str]:
        """Every role a person has by the posts held at this node."""
        return frozenset(role for h in self.appointments_of(person, on=on, here=True) for role in h.post.roles)

    def delegations_to(self, post: str, *, on: dt.date | None = None) -> tuple[said.Delegated, ...]:
        """Powers lent to a post on a day (today), as far as the node that keeps the lending post wrote them."""
        day = on or today()
        ids = self._ids("delegations", "to:" + post, select(model.DelegatedRow.id).where(model.DelegatedRow.grantee == post))
        return tuple(one for one in map(self._lent, ids) if one is not None and in_term(day, one.valid_from, one.valid_to))

    def delegations(self) -> tuple[said.Delegated, ...]:
        """All delegations, past ones too, as far as the node that keeps the lending post wrote them."""
        found = (self._lent(id) for id in self._all("delegations", model.DelegatedRow, said.Delegated))
        return tuple(one for one in found if one is not None)

    def _lent(self, id: str) -> said.Delegated | None:
        record = self._one("delegations", model.DelegatedRow, said.Delegated, id)
        lender = self.post(record.body.grantor_post) if record else None
        return record.body if record and lender and self._keeps(record.home, lender.organ) else None

    # keys

    def signer(self, fingerprint: bytes) -> Signer | None:
        """Whose certificate this is, when its issuer is to be believed; revocation is told, not judged."""
        known: dict[bytes, Signer | None] = self._part("signers", ("certificates", "nodes", "roots", "revocations", "persons", "organs"), dict)
        if fingerprint not in known:
            if len(known) >= MANY:
                known.clear()
            known[fingerprint] = self._signer(fingerprint)
        return known[fingerprint] or self._believed.get(fingerprint)

    def bar(self, node: str) -> said.Revoked | None:
        """Why and from where on nothing more counts that stands in a node's logs; None while its certificate holds, or was only superseded."""
        known: dict[str, said.Revoked | None] = self._part("bars", ("certificates", "nodes", "roots", "revocations"), dict)
        if node not in known:
            held = self.certificate(node)
            found = self._revoked(certs.fingerprint(held), node) if held is not None else None
            known[node] = found if found is not None and found.reason != "superseded" else None
        return known[node]

    def fingerprints(self) -> set[bytes]:
        """Of every certificate that may be somebody's, believed or not."""
        with self._opens() as session:
            told = set(session.scalars(select(model.CertificateRow.fingerprint)))
        return told | self._believed.keys()

    def newly_signing(self, contents: Iterable[Content]) -> set[bytes]:
        """Fingerprints of certificates that these entries may have made believable: told by them, or waiting for their node, person or organ."""
        row, found = model.CertificateRow, set()
        with self._opens() as session:
            for content in contents:
                match content:
                    case said.Certified():
                        found.add(hashlib.sha256(content.certificate).digest())
                    case said.Node():
                        found.update(session.scalars(select(row.fingerprint).where(or_(row.home == content.id, row.subject == content.id))))
                    case said.Person():
                        found.update(session.scalars(select(row.fingerprint).where(row.subject == content.id)))
                    case said.Organ():
                        found.update(session.scalars(select(row.fingerprint).where(row.organ == content.id)))
        return found

    def certificates_of(self, id: str) -> tuple[Signer, ...]:
        """All certificates ever issued to a person, seal or node, in the order they came."""
        query = (
            select(model.CertificateRow.fingerprint)
            .where(model.CertificateRow.subject == id)
            .order_by(model.CertificateRow.at, model.CertificateRow.fingerprint)
        )
        found = (self.signer(f) for f in self._ids("certificates", id, query))
        return tuple(s for s in found if s is not None)

    def seals_of(self, organ: str) -> tuple[Signer, ...]:
        """Seals of an organ that are in force, oldest first."""
        return tuple(s for s in self.seals_issued(organ) if s.revoked is None)

    def seals_issued(self, organ: str) -> tuple[Signer, ...]:
        """Every seal that an organ was ever given by the node that keeps it, oldest first."""
        query = (
            select(model.CertificateRow.fingerprint)
            .where(model.CertificateRow.organ == organ)
            .order_by(model.CertificateRow.at, model.CertificateRow.fingerprint)
        )
        found = (self.signer(f) for f in self._ids("certificates", "organ:" + organ, query))
        home = getattr(self.organ(organ), "node", "")
        return tuple(s for s in found if s is not None and s.kind == "seal" and s.node == home)

    # calendar, records, search

    def calendar(self, year: int) -> said.Calendar | None:
        """The city's calendar of a year."""
        return next((one for one in self.calendars() if one.year == year), None)

    def calendars(self) -> tuple[said.Calendar, ...]:
        """The city's calendars, by year."""
        return tuple({one.year: one for one in self.every_calendar()}.values())

    def every_calendar(self) -> tuple[said.Calendar, ...]:
        """Every version of the city's calendars, by year, the present one last."""
        return self._part("calendars", ("calendars", "nodes", "roots"), lambda: self._citys(model.CalendarRow, said.Calendar, "year"))  # type: ignore[no-any-return]

    def rulings(self) -> tuple[said.Ruled, ...]:
        """Every version of the terms that the city has said, by rule, the newest last."""
        return self._part("rules", ("rules", "nodes", "roots"), lambda: self._citys(model.RuleRow, said.Ruled, "id"))  # type: ignore[no-any-return]

    def record(self, cls: type[C], id: str) -> Record | None:
        """The present value of a record of any kind but the calendar, with what its next value must name."""
        row = ROWS[cls]
        return self._one(row.__tablename__, row, cls, id)

    def calendar_said(self, year: int, home: str) -> bytes | None:
        """Statement id of a node's calendar of a year."""
        with self._opens() as session:
            row = model.CalendarRow
            return session.scalar(select(row.said).where(row.year == year, row.home == home).order_by(row.version.desc()).limit(1))

    def search(self, text: str, *, limit: int = 50, on: dt.date | None = None) -> tuple[Found, ...]:
        """People by name, pinyin (whole or initials), telephone, title of a post, or name of an organ; protocol order."""
        words = text.strip().lower()
        if not words:
            return ()
        with self.steady():
            return self._search(words, limit, on)

    def _search(self, words: str, limit: int, on: dt.date | None) -> tuple[Found, ...]:
        people = dict.fromkeys(self._search_people(words))
        people.update(dict.fromkeys(self._search_posts(words, on or today())))
        found = [f for f in (self._found(one, on) for one in people) if f is not None and f.person.status != "retired"]
        return tuple(sorted(found, key=self._order)[:limit])

    def search_organs(self, text: str, *, limit: int = 20) -> tuple[said.Organ, ...]:
        """Organs by full or short name, code, or pinyin of the short name."""
        words = text.strip().lower()
        if not words:
            return ()
        return tuple(o for o in self.organs() if _names(o, words))[:limit]

    # inside

    def _look(self) -> None:
        if self._auto:
            self.refresh()

    def _part(self, name: str, tables: tuple[str, ...], load: Callable[[], Any]) -> Any:
        """A remembered answer that stands until one of the tables changes."""
        self._look()
        pulse = tuple(self._pulses.get(table, 0) for table in tables)
        held = self._parts.get(name)
        if held is None or held[0] != pulse:
            held = self._parts[name] = (pulse, load())
        return held[1]

    def _all(self, table: str, row: type[model.Kept], cls: type[C]) -> dict[str, C]:
        def load() -> dict[str, C]:
            with self._opens() as session:
                return {one: unpack(content, cls) for one, content in session.execute(select(row.id, row.content))}

        return self._part("all:" + table, (table,), load)  # type: ignore[no-any-return]

    def _one(self, table: str, row: type[model.Kept], cls: type[C], id: str) -> Record | None:
        known: dict[str, Record | None] = self._part("one:" + table, (table,), dict)
        if id not in known:
            if len(known) >= MANY:
                known.clear()
            with self._opens() as session:
                found = session.execute(select(row.content, row.home, row.said, row.at).where(row.id == id)).first()
            known[id] = Record(unpack(found[0], cls), found[1], found[2], found[3]) if found else None
        return known[id]

    def _ids(self, table: str, key: str, query: Any) -> tuple[Any, ...]:
        known: dict[str, tuple[Any, ...]] = self._part("ids:" + table, (table,), dict)
        if key not in known:
            if len(known) >= MANY:
                known.clear()
            with self._opens() as session:
                known[key] = tuple(session.scalars(query))
        return known[key]

    def _nodes(self) -> dict[str, said.Node]:
        return self._all("nodes", model.NodeRow, said.Node)

    def _trusted(self, node: said.Node) -> bool:
        known: dict[str, bool] = self._part("trusted", ("nodes", "roots"), dict)
        if node.id not in known:
            known[node.id] = self._root is None or _leads(node, self.root or self._root)
        return known[node.id]

    def _grow(self) -> Tree:
        parents: dict[str, str | None] = dict(zip(self._chain, (*self._chain[1:], None), strict=False))
        parents.update({n.id: n.parent or None for n in self._nodes().values() if not n.closed and self._trusted(n)})
        return Tree(parents)

    def _organs(self) -> dict[str, said.Organ]:
        return self._all("organs", model.OrganRow, said.Organ)

    def _above(self, organ: said.Organ) -> str:
        return organ.parent_id if organ.parent_id in self._organs() else ""

    def _walk(self) -> tuple[said.Organ, ...]:
        def load() -> tuple[said.Organ, ...]:
            below: dict[str, list[said.Organ]] = {}
            for organ in self._organs().values():
                below.setdefault(self._above(organ), []).append(organ)
            return tuple(_descend(below, "", set()))

        return self._part("walk", ("organs",), load)  # type: ignore[no-any-return]

    def _place(self, organ: str) -> int:
        places: dict[str, int] = self._part("places", ("organs",), lambda: {o.id: n for n, o in enumerate(self._walk())})
        return places.get(organ, len(places))

    def _holdings(self, column: str, id: str) -> list[Holding]:
        held = []
        where = getattr(model.AppointedRow, column) == id
        for one in self._ids("appointments", f"{column}:{id}", select(model.AppointedRow.id).where(where).order_by(model.AppointedRow.id)):
            record = self._one("appointments", model.AppointedRow, said.Appointed, one)
            post = self.post(record.body.post) if record else None
            organ = self.organ(post.organ) if post else None
            if record and post and organ and organ.node == record.home:
                held.append(Holding(record.body, post, organ))
        return held

    def _holders_of(self, post: said.Post, day: dt.date) -> list[said.Person]:
        held = (h.appointed for h in self._holdings("post", post.id) if in_term(day, h.appointed.valid_from, h.appointed.valid_to))
        people = [p for p in (self.person(a.person) for a in held) if p is not None and p.status not in ("retired", "suspended")]
        return sorted(people, key=lambda p: (p.sort_no, p.id))

    def _found(self, person: str, on: dt.date | None) -> Found | None:
        card = self.person(person)
        return Found(card, self.appointments_of(person, on=on)) if card is not None else None

    def _order(self, found: Found) -> tuple[int, int, int, str]:
        first = found.holdings[0] if found.holdings else None
        place = self._place(first.organ.id if first else found.person.organ)
        return place, first.post.sort_no if first else 1 << 20, found.person.sort_no, found.person.id

    def _search_people(self, words: str) -> list[str]:
        row, plain = model.PersonRow, words.replace(" ", "")
        where = [row.name.contains(words, autoescape=True)]
        if plain.isascii():
            where += [row.syllables.startswith(plain, autoescape=True), row.initials.startswith(plain, autoescape=True)]
        if len(plain) >= 3:
            where.append(row.phone.contains(plain, autoescape=True))
        with self._opens() as session:
            return list(session.scalars(select(row.id).where(or_(*where)).order_by(row.sort_no, row.id).limit(500)))

    def _search_posts(self, words: str, day: dt.date) -> Iterator[str]:
        with self._opens() as session:
            query = select(model.PostRow.id).where(model.PostRow.title.contains(words, autoescape=True)).order_by(model.PostRow.id).limit(300)
            ids = session.scalars(query).all()
        posts = [post for post in map(self.post, ids) if post is not None]
        for organ in self.search_organs(words, limit=10):
            posts.extend(self.posts_of(organ.id, on=day))
        for post in posts:
            yield from (p.id for p in self._holders_of(post, day))

    def _citys(self, row: type[model.CalendarRow | model.RuleRow], cls: type[C], name: str) -> tuple[C, ...]:
        """What the city said of something that has versions, by its name, versions in their order."""
        query = select(row.content).where(row.home == self.tree().root).order_by(getattr(row, name), row.version)
        with self._opens() as session:
            return tuple(unpack(content, cls) for content in session.scalars(query))

    def _signer(self, fingerprint: bytes) -> Signer | None:
        with self._opens() as session:
            row = session.get(model.CertificateRow, fingerprint)
            if row is None:
                return None
            kind, subject, organ, home, raw = row.kind, row.subject, row.organ, row.home, row.certificate
        cert = certs.load(raw)
        if kind == "node":
            return Signer(kind, subject, "", subject, cert, self._revoked(fingerprint, home)) if self.node(subject) is not None else None
        if not self._entitled(kind, subject, organ, home) or not any(certs.issued(cert, issuer) for issuer in self._identities(home)):
            return None
        return Signer(kind, subject, organ, home, cert, self._revoked(fingerprint, home))

    def _entitled(self, kind: str, subject: str, organ: str, home: str) -> bool:
        """Whether a node may certify a person (whose card it keeps) or a seal (whose organ it keeps)."""
        return self.person_home(subject) == home if kind == "person" else self._keeps(home, organ)

    def _keeps(self, node: str, organ: str) -> bool:
        """Whether an organ is at home at a node."""
        found = self.organ(organ)
        return found is not None and found.node == node

    def _identities(self, node: str) -> Iterable[x509.Certificate]:
        """The certificates that a node's identity has had, under every key of its lineage; the present one first."""
        present = self.certificate(node)
        if present is not None:
            yield present
            query = select(model.CertificateRow.certificate).where(model.CertificateRow.subject == node, model.CertificateRow.kind == "node")
            with self._opens() as session:
                former = [certs.load(raw) for raw in session.scalars(query).all()]
            known = self.identities(node)
            yield from (c for c in former if c.public_key() in known)

    def _wishes(self) -> dict[str, said.Rekeyed]:
        with self._opens() as session:
            rows = session.execute(select(model.WishRow.node, model.WishRow.content))
            return {node: unpack(content, said.Rekeyed) for node, content in rows}

    def _newest_root(self) -> x509.Certificate | None:
        with self._opens() as session:
            told = [certs.load(raw) for raw in session.scalars(select(model.RootRow.certificate)).all()]
        following = [one for one in told if self._root in certs.roots(one)]
        return max(following, key=lambda one: (len(certs.roots(one)), certs.fingerprint(one)), default=self._root)

    def _revoked(self, fingerprint: bytes, home: str) -> said.Revoked | None:
        entitled = self.tree().ancestors(home)
        with self._opens() as session:
            row = model.RevokedRow
            said_by = {found.home: found.content for found in session.scalars(select(row).where(row.fingerprint == fingerprint))}
        return next((unpack(said_by[node], said.Revoked) for node in reversed(entitled) if node in said_by), None)


ROWS: dict[type[Any], type[model.Kept]] = {
    said.Node: model.NodeRow,
    said.Organ: model.OrganRow,
    said.Post: model.PostRow,
    said.Person: model.PersonRow,
    said.File: model.FileRow,
    said.Appointed: model.AppointedRow,
    said.Delegated: model.DelegatedRow,
    said.Listing: model.ListingRow,
}


def _descend(below: dict[str, list[said.Organ]], organ: str, seen: set[str]) -> Iterator[said.Organ]:
    for child in sorted(below.get(organ, ()), key=lambda o: (o.region_code, o.sort_no, o.code, o.id) if not organ else ("", o.sort_no, o.code, o.id)):
        if child.id not in seen:
            seen.add(child.id)
            yield child
            yield from _descend(below, child.id, seen)


def _names(organ: said.Organ, words: str) -> bool:
    whole, initials = model.syllables(organ.pinyin)
    plain = words.replace(" ", "")
    if words in organ.full_name.lower() or words in organ.short_name.lower() or words == organ.code.lower():
        return True
    return plain.isascii() and (whole.startswith(plain) or initials == plain)


def _leads(node: said.Node, root: x509.Certificate) -> bool:
    """Whether a node's certificates lead to the root, at a moment when all of them are in force."""
    try:
        chain = [certs.load(raw) for raw in node.chain]
        certs.check_chain(chain, root, max(c.not_valid_before_utc for c in chain))
    except (NodeError, ValueError):
        return False
    return True

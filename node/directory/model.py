"""Tables of the directory: one row a record, the content as it was signed and beside it what is asked for.

A fold checks what the entry itself can prove: that the writer is the one who may write such a record, that a certificate
names its record and its issuer, that a node's certificates follow each other. What depends on other records (is the issuer's key the home
node's, does the appointing node keep the post's organ) is judged when it is asked, in ``view``, because entries of several
authors arrive in any order. No clock: whether a certificate or an appointment is in force is asked with a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.x509.oid import NameOID
from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from node import certs
from node.codec import pack
from node.directory import entries as said
from node.errors import Forged, Invalid, Refused
from node.fold import Room
from node.kinds import Entry

ROOM = Room("directory", version=2)
"The version rises whenever a kind in ``entries`` grows: rows hold contents in the shape this build gives them."
if TYPE_CHECKING:  # the room makes its base when it is made, which type checkers cannot follow
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    Base = ROOM.Base
ID = String()  # no length: PostgreSQL would refuse what SQLite takes, and two nodes would fold one entry differently


class Pulse(Base):
    """How often each table has changed; a view reads on only when this has moved."""

    __tablename__ = "pulse"
    name: Mapped[str] = mapped_column(ID, primary_key=True)
    count: Mapped[int]


class Kept(Base):
    """What all records have."""

    __abstract__ = True
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID, index=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the present value; the next one names it in ``after``."
    at: Mapped[int]
    "Claimed time of the present value, milliseconds since 1970 UTC."
    content: Mapped[bytes] = mapped_column(LargeBinary)
    "Canonical bytes of the entry's content."


class NodeRow(Kept):
    """A node in the tree."""

    __tablename__ = "nodes"
    parent: Mapped[str] = mapped_column(ID)


class OrganRow(Kept):
    """An organ."""

    __tablename__ = "organs"
    parent: Mapped[str] = mapped_column(ID, index=True)
    sort_no: Mapped[int]


class PostRow(Kept):
    """A post of an organ."""

    __tablename__ = "posts"
    organ: Mapped[str] = mapped_column(ID, index=True)
    title: Mapped[str]
    sort_no: Mapped[int]


class PersonRow(Kept):
    """A person's card."""

    __tablename__ = "persons"
    organ: Mapped[str] = mapped_column(ID, index=True)
    name: Mapped[str] = mapped_column(index=True)
    syllables: Mapped[str]
    "Pinyin without spaces."
    initials: Mapped[str]
    phone: Mapped[str]
    sort_no: Mapped[int]


class FileRow(Kept):
    """A person's file, where it may be known."""

    __tablename__ = "files"
    login: Mapped[str] = mapped_column(index=True)


class AppointedRow(Kept):
    """A person in a post."""

    __tablename__ = "appointments"
    person: Mapped[str] = mapped_column(ID, index=True)
    post: Mapped[str] = mapped_column(ID, index=True)


class DelegatedRow(Kept):
    """A power lent from post to post."""

    __tablename__ = "delegations"
    grantor: Mapped[str] = mapped_column(ID, index=True)
    grantee: Mapped[str] = mapped_column(ID, index=True)


class ListingRow(Kept):
    """A standing distribution list."""

    __tablename__ = "lists"


class CalendarRow(Base):
    """A version of a year's calendar as one node keeps it; the city's newest counts, former ones tell how was counted."""

    __tablename__ = "calendars"
    year: Mapped[int] = mapped_column(primary_key=True)
    home: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RuleRow(Base):
    """A version of a rule's term as one node says it; the city's count."""

    __tablename__ = "rules"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class CertificateRow(Base):
    """A certificate that was issued to a node, a person or a seal."""

    __tablename__ = "certificates"
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(ID, index=True)
    organ: Mapped[str] = mapped_column(ID, index=True)
    home: Mapped[str] = mapped_column(ID)
    "The node that announced it."
    at: Mapped[int]
    "Claimed time of the entry, milliseconds since 1970 UTC."
    certificate: Mapped[bytes] = mapped_column(LargeBinary)


class RootRow(Base):
    """A root of the city that followed another; whether it follows the one trusted here is judged in ``view``."""

    __tablename__ = "roots"
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    home: Mapped[str] = mapped_column(ID)
    at: Mapped[int]
    certificate: Mapped[bytes] = mapped_column(LargeBinary)


class WishRow(Base):
    """The key that a node last asked to have certified."""

    __tablename__ = "wishes"
    node: Mapped[str] = mapped_column(ID, primary_key=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RevokedRow(Base):
    """One node's word that a certificate is no longer to be believed; whether that node may say so is judged in ``view``."""

    __tablename__ = "revocations"
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    home: Mapped[str] = mapped_column(ID, primary_key=True)
    at: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


R = TypeVar("R", bound=Kept)


def syllables(pinyin: str) -> tuple[str, str]:
    """(pinyin without spaces, initials) of spaced syllables."""
    parts = pinyin.lower().split()
    return "".join(parts), "".join(part[0] for part in parts)


@ROOM.folds(said.Node)
def node(session: Session, entry: Entry[said.Node]) -> None:
    """A node stands in the tree: said by the node above it, or by the city of itself."""
    body = entry.body
    if entry.author != (body.parent or body.id):
        raise Refused(f"node {body.id} is announced by {entry.author}, which is not above it", code="wrong_writer")
    check_node(body)
    _put(session, entry, NodeRow, parent=body.parent)
    _certificate(session, entry, "node", body.id, "", body.chain[0])


@ROOM.folds(said.Organ)
def organ(session: Session, entry: Entry[said.Organ]) -> None:
    """An organ's present value, by its home node."""
    if entry.body.node != entry.author:
        raise Refused("an organ is written by its home node", code="wrong_writer")
    _put(session, entry, OrganRow, parent=entry.body.parent_id, sort_no=entry.body.sort_no)


@ROOM.folds(said.Post)
def post(session: Session, entry: Entry[said.Post]) -> None:
    """A post's present value."""
    _put(session, entry, PostRow, organ=entry.body.organ, title=entry.body.title, sort_no=entry.body.sort_no)


@ROOM.folds(said.Person)
def person(session: Session, entry: Entry[said.Person]) -> None:
    """A card's present value."""
    body = entry.body
    whole, initials = syllables(body.pinyin)
    _put(
        session,
        entry,
        PersonRow,
        organ=body.organ,
        name=body.name,
        syllables=whole,
        initials=initials,
        phone=body.office_phone,
        sort_no=body.sort_no,
    )


@ROOM.folds(said.File)
def file(session: Session, entry: Entry[said.File]) -> None:
    """A file's present value."""
    _put(session, entry, FileRow, login=entry.body.login.lower())


@ROOM.folds(said.Appointed)
def appointed(session: Session, entry: Entry[said.Appointed]) -> None:
    """An appointment's present value."""
    _put(session, entry, AppointedRow, person=entry.body.person, post=entry.body.post)


@ROOM.folds(said.Delegated)
def delegated(session: Session, entry: Entry[said.Delegated]) -> None:
    """A delegation's present value."""
    _put(session, entry, DelegatedRow, grantor=entry.body.grantor_post, grantee=entry.body.grantee_post)


@ROOM.folds(said.Listing)
def listing(session: Session, entry: Entry[said.Listing]) -> None:
    """A standing list's present value."""
    _put(session, entry, ListingRow)


@ROOM.folds(said.Calendar)
def calendar(session: Session, entry: Entry[said.Calendar]) -> None:
    """A year's days; of two that call themselves the same version one stands, whatever the order of arrival."""
    _version(session, entry, CalendarRow, year=entry.body.year)


@ROOM.folds(said.Ruled)
def ruled(session: Session, entry: Entry[said.Ruled]) -> None:
    """Another length of a term; versions stand beside each other as calendars do."""
    body = entry.body
    if not body.id or body.version < 1:
        raise Invalid("a version of a rule has an id and a number from 1", code="malformed")
    _version(session, entry, RuleRow, id=body.id)


@ROOM.folds(said.Certified)
def certified(session: Session, entry: Entry[said.Certified]) -> None:
    """A person's or seal's certificate; whether the issuer's signature holds is checked when the signer is first asked for."""
    body = entry.body
    about = certs.subject(certs.load(body.certificate))
    if about.kind not in ("person", "seal") or about.id != body.id:
        raise Forged("the certificate is about somebody else", code="bad_certificate")
    _certificate(session, entry, about.kind, body.id, body.organ, body.certificate)


@ROOM.folds(said.Rooted)
def rooted(session: Session, entry: Entry[said.Rooted]) -> None:
    """The city has another root."""
    cert = certs.load(entry.body.certificate)
    if certs.subject(cert).kind != "root" or len(certs.roots(cert)) < 2:
        raise Forged("no root that follows another", code="bad_certificate")
    if session.get(RootRow, certs.fingerprint(cert)) is None:
        session.add(RootRow(fingerprint=certs.fingerprint(cert), home=entry.author, at=entry.at, certificate=entry.body.certificate))
    _beat(session, RootRow)


@ROOM.folds(said.Rekeyed)
def rekeyed(session: Session, entry: Entry[said.Rekeyed]) -> None:
    """A node asks for the certificate of a new key; the last wish counts, whatever the order of arrival."""
    held = session.get(WishRow, entry.author)
    if held is None or (held.at, held.said) < (entry.at, entry.id):
        session.merge(WishRow(node=entry.author, said=entry.id, at=entry.at, content=pack(entry.body)))
    _beat(session, WishRow)


@ROOM.folds(said.Revoked)
def revoked(session: Session, entry: Entry[said.Revoked]) -> None:
    """A certificate is revoked; the first word of each node stands."""
    key = (entry.body.fingerprint, entry.author)
    if session.get(RevokedRow, key) is None:
        session.add(RevokedRow(fingerprint=key[0], home=key[1], at=entry.at, content=pack(entry.body)))
    _beat(session, RevokedRow)


def check_node(body: said.Node) -> None:
    """Refuse a node whose certificates do not name it, do not follow each other or do not name its parent."""
    chain = [certs.load(raw) for raw in body.chain]
    if not 1 <= len(chain) <= 4:
        raise Forged("a node has one to four certificates", code="bad_certificate")
    for cert in chain:
        about = certs.subject(cert)
        if about.kind != "node":
            raise Forged("a node has the certificate of a node", code="bad_certificate")
        certs.identities(cert)
    if certs.subject(chain[0]).id != body.id:
        raise Forged("the node's certificate names another node", code="bad_certificate")
    if (certs.subject(chain[1]).id if len(chain) > 1 else "") != body.parent:
        raise Forged("the node was certified by another than its parent", code="bad_certificate")
    for cert, issuer in zip(chain, chain[1:], strict=False):
        if not certs.issued(cert, issuer):
            raise Forged("the node's certificates do not follow each other", code="bad_certificate")
    if len(body.curve) != 40 or len(body.storage_key) != 1216:
        raise Invalid("a node has a line key and a storage key", code="malformed")


def _put(session: Session, entry: Entry[Any], row: type[R], **columns: object) -> None:
    """Write the present value of a record, which only the node that first wrote it may change."""
    record: str = entry.body.id
    if not record or entry.record != record:
        raise Invalid("the entry's record is not the id inside it", code="wrong_record")
    held = session.get(row, record)
    if held is not None and held.home != entry.author:
        raise Refused(f"{record} belongs to node {held.home}", code="wrong_writer")
    columns |= {"home": entry.author, "said": entry.id, "at": entry.at, "content": pack(entry.body)}
    if held is None:
        session.add(row(id=record, **columns))
    else:
        for name, value in columns.items():
            setattr(held, name, value)
    _beat(session, row)


def _version(session: Session, entry: Entry[Any], row: type[CalendarRow | RuleRow], **name: object) -> None:
    """Keep a version beside the others of its name; of two with one number that with the larger id stands, whatever the order of arrival."""
    key = name | {"home": entry.author, "version": entry.body.version}
    held: Any = session.get(row, tuple(key.values()))
    if held is None or held.said < entry.id:
        session.merge(row(**key, said=entry.id, content=pack(entry.body)))
    _beat(session, row)


def _certificate(session: Session, entry: Entry[Any], kind: str, subject: str, organ: str, raw: bytes) -> None:
    cert = certs.load(raw)
    fingerprint = certs.fingerprint(cert)
    issuer = cert.issuer.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if kind != "node" and (not issuer or issuer[0].value != entry.author):
        raise Forged("the certificate was issued by another node", code="bad_certificate")
    if session.get(CertificateRow, fingerprint) is None:
        session.add(CertificateRow(fingerprint=fingerprint, kind=kind, subject=subject, organ=organ, home=entry.author, at=entry.at, certificate=raw))
    _beat(session, CertificateRow)


def _beat(session: Session, row: type[Base]) -> None:
    pulse = session.get(Pulse, row.__tablename__)
    if pulse is None:
        session.add(Pulse(name=row.__tablename__, count=1))
    else:
        pulse.count += 1

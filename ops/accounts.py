"""Keys and passwords given out at the machine, by the node itself: how a node's first people come to act.

Later ones are given by the unit's administrator over the portal. A certificate is in the directory before its key is of
any use, and a key that replaces another revokes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import certs, clock, keys, persons
from node.directory import entries as said
from node.directory import writing
from node.errors import Conflict, Invalid, Missing, Refused
from node.kinds import Content
from office.frame.office import Office


def enroll(office: Office, person: str, out: Path) -> dict[str, Any]:
    """A key file of the person's own, certified; refuses to write over a file."""
    card = _card(office, person)
    if out.exists():
        raise Conflict(f"{out} exists already")
    out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    cert = persons.certify(office.settings, "person", card.id, card.name, key.public_key(), clock.now())
    try:
        keys.write_secret(out, persons.keyfile(key, cert))
    except OSError as e:
        raise Invalid(f"cannot write {out}: {e.strerror}") from None
    _write(office, said.Certified(card.id, certs.der(cert), ""))
    return {"user": card.id, "cert_fpr": "sha256:" + certs.fingerprint(cert).hex(), "key": str(out)}


def password(office: Office, person: str, *, first: bool) -> dict[str, Any]:
    """A password for the portal, shown once; ``first`` asks for another at the first sign-in."""
    card = _card(office, person)
    file = office.directory.file(person)
    former = persons.fingerprint_of(office.settings, person)
    given = persons.new_password()
    door, cert = persons.make_person_key(office.settings, card.id, card.name, clock.now(), first=first)
    _write(office, said.Certified(card.id, certs.der(cert), ""))
    persons.store(office.settings, door, given)
    if former is not None:
        _write(office, said.Revoked(former, "superseded", _reached(office)))
    return {"user": card.id, "login": file.login if file else "", "name": card.name, "password": given}


def _reached(office: Office) -> tuple[tuple[bytes, int, bytes], ...]:
    """Up to where this node's own logs go: what stands there stays good."""
    own = sorted((c for c in office.ledger.chains() if c.author == office.settings.id and c.count), key=lambda c: c.opened, reverse=True)
    return tuple((c.id, c.count - 1, c.hash) for c in own[:500])


def _card(office: Office, person: str) -> said.Person:
    office.directory.refresh()
    card = office.directory.person(person)
    if card is None:
        raise Missing(f"nobody here is called {person}")
    if office.directory.person_home(person) != office.settings.id:
        raise Refused(f"{person} is kept by another node", code="foreign_record")
    if card.status in ("retired", "suspended"):
        raise Refused(f"{person} is {card.status}", code="not_active")
    return card


def _write(office: Office, content: Content) -> None:
    writing.write(office.ledger, office.settings, office.directory, [content])
    office.directory.refresh()

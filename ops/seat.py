"""A desk for the command line: the verbs of the rooms, in this process, over the ledger's socket.

A person sits down with a key file of their own (``--key``) or with the password that opens the one at the node
(``--password-file``). Whoever holds the home may also look without being a person: such an operator sees what the clerks of the
node's organs see, and has no pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from node import certs, persons, tier
from node.directory.entries import Post
from node.errors import Misconfigured, Missing, Refused
from node.settings import Settings
from office.frame.desk import Desk
from office.frame.office import Office

LOOKS = ("registry_clerk", "reviewer", "signer", "seal_keeper")


class Operator(Desk):
    """The desk of whoever runs the machine: reads, never signs."""

    @cached_property
    def posts(self) -> tuple[Post, ...]:
        """One post that looks after every organ of this node."""
        organs = self.directory.organs_at(self.node)
        return tuple(Post(f"operator.{o.id}"[:64], o.id, "", "", (), 0, "", LOOKS) for o in organs)


@contextmanager
def office(settings: Settings) -> Iterator[Office]:
    """The office of a home for the length of a command."""
    found = Office(settings, tier.load(settings.tier))
    try:
        yield found
    finally:
        found.close()


def operator(where: Office) -> Desk:
    """A desk that sees what any clerk of this node sees."""
    return Operator(where, tracks=False)


def person_of(where: Office, user: str) -> str:
    """The person's id for an id or a sign-in name; :class:`Missing` when this node does not keep them."""
    directory = where.directory
    directory.refresh()
    found = user if directory.person(user) is not None else directory.login(user)
    if found is None:
        raise Missing(f"nobody here is called {user}")
    return found


def sit(where: Office, user: str, *, key: Path | None, password: Path | None) -> Desk:
    """The desk of a person with an opened key; refuses a key that is another's."""
    person = person_of(where, user)
    door = _by_file(where.settings, person, key) if key else _by_password(where.settings, person, password)
    return Desk(where, person=person, door=lambda: door)


def _by_file(settings: Settings, person: str, file: Path) -> persons.Door:
    try:
        data = file.read_bytes()
    except OSError as e:
        raise Misconfigured(f"cannot read the key {file}: {e.strerror}", code="usage") from None
    key, cert = persons.read_keyfile(data)
    if certs.subject(cert).id != person:
        raise Refused(f"the key in {file} is not {person}'s", code="wrong_key")
    return persons.Door(person=person, key=key, fingerprint=certs.fingerprint(cert), first=False)


def _by_password(settings: Settings, person: str, file: Path | None) -> persons.Door:
    if file is None:
        raise Misconfigured("a person signs with --key or --password-file", code="usage")
    try:
        password = file.read_text(encoding="utf-8").strip()
    except OSError as e:
        raise Misconfigured(f"cannot read {file}: {e.strerror}", code="usage") from None
    return persons.open_person_key(settings, person, password)

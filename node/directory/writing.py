"""Directory contents as drafts for the ledger: which record, for whom, after what. Signed by the node unless a person signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from node import enrol, requests
from node.client import Ledger
from node.codec import base32
from node.directory import entries as said
from node.directory.view import ROWS, Directory
from node.entry import ALL, UP, Audience
from node.kinds import Content
from node.requests import Draft
from node.settings import Settings

AT_ONCE = 200
"Entries in one write of a long import; each write is all or nothing."


def record_of(content: Content) -> str:
    """The record a directory content belongs to."""
    if isinstance(content, said.Calendar):
        return f"calendar.{content.year}"
    if isinstance(content, said.Ruled):
        return f"rule.{content.id}"
    if isinstance(content, said.Revoked):
        return f"revoked.{base32(content.fingerprint)}"
    if isinstance(content, said.Rooted):
        return "root"
    if isinstance(content, said.Rekeyed):
        return "identity"
    if isinstance(content, said.Certified):
        return f"{content.id}.certificate"
    return content.id  # type: ignore[attr-defined, no-any-return]


def audience_of(content: Content) -> Audience:
    """For whom it is: a person's file and a node's wish for those above only, everything else for all."""
    return UP if isinstance(content, said.File | said.Rekeyed) else ALL


def former(directory: Directory, content: Content) -> tuple[bytes, ...]:
    """What a new value must come after: the statement of the present one."""
    if isinstance(content, said.Calendar):
        before = directory.calendar_said(content.year, directory.here)
        return (before,) if before else ()
    if type(content) not in ROWS:
        return ()
    held = directory.record(type(content), content.id)  # type: ignore[attr-defined]
    return (held.said,) if held is not None and held.home == directory.here else ()


def draft(settings: Settings, directory: Directory, content: Content) -> Draft:
    """A draft that the ledger signs as the node."""
    to, after = audience_of(content), former(directory, content)
    return requests.of_node(settings.city, settings.id, content, record=record_of(content), to=to, after=after)


def write(ledger: Ledger, settings: Settings, directory: Directory, contents: Iterable[Content]) -> int:
    """Write contents in their order, signed by the node; how many there were."""
    written = 0
    for some in _portions(contents):
        written += len(ledger.write([draft(settings, directory, content) for content in some]))
    return written


def introduce(ledger: Ledger, settings: Settings, directory: Directory) -> bool:
    """The city says of itself who it is, once; called whenever a city node starts. Whether anything was said."""
    if settings.tier != "city" or directory.record(said.Node, settings.id) is not None:
        return False
    write(ledger, settings, directory, [enrol.own(settings)])
    return True


def _portions(contents: Iterable[Content]) -> Iterator[list[Content]]:
    rest = iter(contents)
    while some := list(islice(rest, AT_ONCE)):
        yield some

"""The signed kinds of this room: drafts of templates, and batches in which matters were moved. Published templates are the frame's."""

from __future__ import annotations

from node.codec import Hash
from node.kinds import kind
from office.frame.flow.entries import Inner
from office.frame.flow.template import Template


@kind("flows.drafted")
class Drafted(Inner, frozen=True):
    """A draft says this now; the whole of it."""

    template: Template
    base: str = ""
    "Hex digest of the version that it changes, or empty."


@kind("flows.dropped")
class Dropped(Inner, frozen=True):
    """A draft is not needed any more."""

    reason: str


@kind("flows.moved")
class Moved(Inner, frozen=True):
    """A batch of matters was moved to another version."""

    template: str
    old: Hash
    new: Hash
    matters: tuple[tuple[str, Hash], ...]
    "(record, statement id of its act)."
    reason: str


@kind("flows.undone")
class Undone(Inner, frozen=True):
    """A batch was taken back, as far as nothing else had happened."""

    batch: str
    matters: tuple[str, ...]
    reason: str

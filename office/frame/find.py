"""What of a room can be found: the small hook by which a room's matters come into the search, and by whom they may be seen.

A room's ``service`` module has ``FINDS``, one :class:`Source`. The search follows the journal; after an entry of one of the
source's kinds it asks which matters that concerns, and then what they say now. Asking twice is asking once.

Rights stay with the room: a spot is shown only to a desk that ``visible`` of its model lets see it. ``holders`` and ``keys`` merely make
the search quick: whoever can see a spot must share one key with it, and whoever shares one is still asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from node.kinds import Content, Entry
from office.frame.desk import Desk


class Direction(StrEnum):
    """How a matter stands to the organ at whose spot it is found: 发文, 收文 or its own (内部)."""

    OUT = "out"
    IN = "in"
    OWN = "own"


class Validity(StrEnum):
    """Whether what a matter says counts."""

    PENDING = "pending"
    FORCE = "force"
    RECALLED = "recalled"
    VOID = "void"
    AMENDED = "amended"
    REPEALED = "repealed"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One row of a room at which a matter can be seen."""

    model: str
    "Key in :attr:`Source.models`."
    id: str
    url: str
    direction: Direction
    holders: tuple[str, ...]
    "Organs and persons of whom one at least must be among a desk's keys before it can see this."


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One matter as it can be found, the same however many organs of the node have it."""

    id: str
    "Permanent id of the matter; it is shown once."
    at: int
    "Milliseconds by which the newest stands first."
    title: str
    number: str = ""
    organ: str = ""
    "Id of the organ that issued it."
    issuer: str = ""
    kind: str = ""
    validity: Validity = Validity.FORCE
    note: str = ""
    "What an asker should know of the validity, such as by what it was repealed."
    text: str = ""
    "Empty for what must not stand in an index: a work secret is found by its title only."
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the search needs to know of a room."""

    room: str
    version: int
    "Rises when pieces are made otherwise; the index is then built again."
    kinds: tuple[type[Content], ...]
    "Entries after which something else can be found."
    matters: Callable[[Entry[Any]], Iterable[str]]
    "Ids of the matters that an entry concerns."
    pieces: Callable[[Desk, Sequence[str]], Iterable[Piece]]
    "What these matters are now, asked by the node's own desk; one that is missing from the answer can be found no more."
    keys: Callable[[Desk], Iterable[str]]
    "What a desk holds; see :attr:`Spot.holders`."
    models: Mapping[str, type[Any]]
    "Tables whose ``visible`` says who may see a spot."
    kind_words: Mapping[str, str]
    "The room's kinds with their words, for the choice on the page."

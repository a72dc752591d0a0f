"""How far a node has taken over a snapshot of the node above, as ``snapshot.json`` keeps it: for the ledger, and for pages that show it."""

from __future__ import annotations

import msgspec

TAKING, CHECKING, CHECKED = "taking", "checking", "checked"


class Progress(msgspec.Struct, kw_only=True):
    """How far a snapshot is taken and checked."""

    state: str
    "taking, checking or checked."
    maker: str
    sha: str
    "Hash of the packed list, as 64 hexadecimal digits."
    since: int
    "Milliseconds since 1970 UTC."
    first: int
    "Local number after which entries have come by it."
    last: int = 0
    "Local number of the last one; 0 while it is being taken."
    at: int = 0
    "Local number up to which signatures were checked in the present round."
    false: list[str] = []
    "Places that the maker vouched for and that do not hold."
    ended: int = 0

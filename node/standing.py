"""Whether this node may write, kept beside the journal rather than in it: a home that was put back, or copied, must not say so by what it kept.

``standing.json`` is written when a backup is restored (*recovering*: nothing is written until the node above has given back what
this disk does not know, or the operator says so) and when another living copy of this home was met (*fenced*: only the operator
ends that). It is no part of a backup.
"""

from __future__ import annotations

import msgspec

from node import keys
from node.errors import Corrupt, Operator
from node.settings import Settings

READY, RECOVERING, FENCED = "ready", "recovering", "fenced"
_HINT = "yiwang node confirm-restore"


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this node write, and why not."""

    state: str = READY
    "ready, recovering or fenced."
    reason: str = "start"
    "What the next opening says: start, restore or takeover."
    since: int = 0
    "Milliseconds since 1970 UTC."
    detail: str = ""

    def check(self) -> None:
        """:class:`~node.errors.Operator` unless this node may write."""
        if self.state == RECOVERING:
            raise Operator("this node is getting back what its disk does not know", code="recovering", hint=f"wait for the node above, or {_HINT}")
        if self.state == FENCED:
            raise Operator("another copy of this node is at work", code="fenced", hint=f"stop one of them; then {_HINT} on the one that is to stay")


def load(settings: Settings) -> Standing:
    """How this node stands; one that nothing was written of is ready."""
    file = settings.path("standing.json")
    if not file.exists():
        return Standing()
    try:
        return msgspec.json.decode(keys.read_secret(file), type=Standing)
    except msgspec.DecodeError as error:
        raise Corrupt(f"standing.json: {error}", hint="restore it, or remove it if this home was never restored or copied") from None


def save(settings: Settings, standing: Standing) -> None:
    """Keep it durably; a node that is ready for no particular reason keeps nothing."""
    file = settings.path("standing.json")
    if standing == Standing():
        file.unlink(missing_ok=True)
        keys.sync_folder(settings.home)
        return
    keys.write_secret(file, msgspec.json.encode(standing))


def confirmed(standing: Standing) -> Standing:
    """The operator's word: whatever held this node back, it may write now."""
    if standing.state == READY:
        return standing
    return Standing(reason="takeover" if standing.state == FENCED else "restore")

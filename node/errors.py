"""What can go wrong, as one shallow tree; each class says what it is about and how a caller should react.

``code`` is the closed word that commands, HTTP problems and counters share; ``exit_code`` is the process status of
the command line; ``retry`` is ``never``, ``later`` or ``after_operator``.
"""

from __future__ import annotations


class NodeError(Exception):
    """Anything the node refuses or cannot do; never a bug."""

    code = "error"
    exit_code = 70
    http = 500
    retry = "never"

    def __init__(self, message: str = "", *, hint: str = "", code: str | None = None, **about: object) -> None:
        super().__init__(message or type(self).__doc__)
        self.message = message or (type(self).__doc__ or "")
        self.hint = hint
        self.about = about
        if code:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Refused(NodeError):
    """A rule or a right says no."""

    code, exit_code, http = "refused", 4, 403


class Invalid(Refused):
    """What was given is malformed, too long or of the wrong type."""

    code, http = "invalid", 422


class TooLarge(Refused):
    """More bytes than the limit for this kind of thing."""

    code, http = "too_large", 413


class Missing(NodeError):
    """No such thing, or none that the asker may know of."""

    code, exit_code, http = "missing", 3, 404


class Conflict(NodeError):
    """Someone has just changed this; read it again."""

    code, exit_code, http = "conflict", 6, 409


class Gap(NodeError):
    """Entries before these are missing here; they must be asked for again."""

    code, exit_code, http, retry = "gap", 5, 503, "later"


class Untrusted(NodeError):
    """Something signed does not hold."""

    code, exit_code, http = "untrusted", 4, 403


class Fork(Untrusted):
    """Two different entries signed for one place."""

    code = "fork"


class Forged(Untrusted):
    """A signature, hash or certificate that is wrong: the peer that brought it is dropped."""

    code = "forged"


class Unreachable(NodeError):
    """The ledger, a peer or the disk cannot be had just now."""

    code, exit_code, http, retry = "unreachable", 5, 503, "later"


class Full(Unreachable):
    """The disk is full; reading goes on."""

    code = "disk_full"


class Operator(NodeError):
    """The node waits for a person: recovering, fenced or quarantined."""

    code, exit_code, http, retry = "operator", 7, 503, "after_operator"


class Corrupt(NodeError):
    """Bytes on this disk are not what was written."""

    code, exit_code, retry = "corrupt", 8, "after_operator"


class Incompatible(NodeError):
    """A version or suite this build does not speak."""

    code, exit_code, retry = "incompatible", 9, "after_operator"


class Misconfigured(NodeError):
    """A setting is wrong; the message names the key and what it should be."""

    code, exit_code, retry = "misconfigured", 2, "after_operator"


BY_CODE: dict[str, type[NodeError]] = {
    c.code: c
    for c in (NodeError, Refused, Invalid, TooLarge, Missing, Conflict, Gap, Untrusted, Fork, Forged)
    + (Unreachable, Full, Operator, Corrupt, Incompatible, Misconfigured)
}


def revive(kind: str, message: str, code: str = "") -> NodeError:
    """The error that another process described, as the same class here: ``kind`` is its class's word, ``code`` its own."""
    return BY_CODE.get(kind, NodeError)(message, code=code or kind)

"""Signing with a key that the node does not hold.

Somebody who signed in by a key of their own sends a request like anybody else. Where the verb would sign, what is to be signed is
made and :class:`Unsigned` goes back with it and a *ticket*; nothing is written. The client looks at it, signs, and sends the same request again with
the header ``Yiwang-Signed: TICKET SIGNATURE …``. The verb runs again, checks everything again, and makes the same statements to the byte,
because all that is random in them comes from the ticket and the time is the ticket's; the signatures are taken where they
hold. If anything has changed meanwhile (a number was given to another document), they do not hold, and there is something new to sign.

The ticket is nothing but a time, some random bytes and the portal's seal over them and the person, so any portal of the node can go on.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

from node import clock, keys
from node.codec import pack
from node.directory.view import Signer
from node.entry import statement_signed
from node.errors import Refused
from office.frame.words import _

LIFE = 10 * 60 * 1000
"Milliseconds for which a ticket is good."
MOST = 64
"Signatures of one request."


class Unsigned(Refused):
    """There is something to sign first."""

    code = "unsigned"


class Away:
    """The pen of somebody whose key is elsewhere, for the length of one request."""

    def __init__(self, person: str, signer: Signer, fingerprint: bytes, secret: bytes, header: str = "") -> None:
        """``header`` is what came as ``Yiwang-Signed``; a ticket that is not ours or too old counts as none."""
        self.fingerprint, self._key = fingerprint, signer.key
        self._secret = hmac.digest(secret, b"away\0" + pack((person, fingerprint)), "sha256")
        ticket, *given = header.split()[: MOST + 1] or [""]
        self.at, self._seed = self._open(ticket) or (clock.ms(), secrets.token_bytes(16))
        self._given: Sequence[bytes] = [_bytes(one) for one in given]
        self._asked: list[dict[str, Any]] = []
        self._missing = False

    @property
    def ticket(self) -> str:
        """What the client sends back."""
        body = self.at.to_bytes(8, "big") + self._seed
        return base64.urlsafe_b64encode(body + self._stamp(body)).decode()

    def _open(self, ticket: str) -> tuple[int, bytes] | None:
        raw = _bytes(ticket)
        body, stamp = raw[:24], raw[24:]
        if len(body) != 24 or not hmac.compare_digest(stamp, self._stamp(body)):
            return None
        at = int.from_bytes(body[:8], "big")
        return (at, body[8:]) if 0 <= clock.ms() - at < LIFE else None

    def _stamp(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, b"ticket\0" + body, "sha256")[:16]

    def random(self, what: str, *about: Any) -> bytes:
        """32 bytes that nobody can guess and that are the same whenever the ticket is."""
        return hmac.digest(self._secret, pack((self._seed, self.at, what, *about)), "sha256")

    def sign(self, statement: bytes, salt: bytes, content: bytes, kind: str) -> bytes:
        """The signature that came for this statement; empty when none came that holds, and then it is asked for."""
        named = {"statement": statement, "salt": salt, "content": content}
        self._asked.append({"kind": kind} | {name: base64.b64encode(data).decode() for name, data in named.items()})
        found = next((one for one in self._given if self._holds(one, statement)), b"")
        self._missing |= not found
        return found

    def _holds(self, signature: bytes, statement: bytes) -> bool:
        return keys.holds([self._key], signature, statement_signed(statement))

    def check(self) -> None:
        """Go on only when everything made since the last look is signed; :class:`Unsigned` says what there is to sign."""
        if self._missing:
            raise Unsigned(_("请用本人的钥匙签名后再提交。"), ticket=self.ticket, sign=self._asked)
        self._asked = []


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""

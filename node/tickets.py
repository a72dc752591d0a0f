"""Tickets of the media relay: the portal says in one what a person may do in a room, and the relay believes nothing else.

A ticket is good for one request within seconds. Portal and relay of a node share the key, ``keys/media.key``; whichever comes first makes it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from dataclasses import dataclass, field

from node import clock, keys
from node.codec import Natural, Value, pack, unpack
from node.errors import NodeError, Refused
from node.settings import Settings

LIFE = 30_000
"Milliseconds for which a ticket is good."
MAC = 32
"Bytes of its authentication (HMAC-SHA-256, RFC 2104)."


class Ticket(Value, frozen=True):
    """What a person may do."""

    room: str
    person: str
    name: str
    speaks: bool
    "Whether the person may send voice and pictures; else only receive."
    chairs: bool
    "Whether the person may end the room."
    until: Natural
    "Milliseconds since 1970 UTC."
    nonce: bytes
    home: str = ""
    "Id of the lowest node under which everybody who was asked is; empty for this one: streams go no higher."


def key(settings: Settings) -> bytes:
    """The node's key of tickets, made by whoever asks first."""
    path = settings.path("keys", "media.key")
    if not path.exists():
        made = path.with_name(f"media.key.{secrets.token_hex(4)}")
        keys.write_secret(made, secrets.token_bytes(32))
        try:
            os.link(made, path)  # the first one stands
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return keys.read_secret(path)


def issue(secret: bytes, room: str, person: str, name: str, *, speaks: bool = True, chairs: bool = False, home: str = "") -> str:
    """A ticket as text."""
    data = pack(Ticket(room, person, name, speaks, chairs, clock.ms() + LIFE, secrets.token_bytes(16), home))
    return base64.urlsafe_b64encode(hmac.digest(secret, data, "sha256") + data).decode()


@dataclass
class Gate:
    """Whoever takes tickets: each once."""

    secret: bytes
    used: dict[bytes, int] = field(default_factory=dict)
    "Nonce of a ticket that was taken to when it ends."

    def take(self, text: str, room: str = "") -> Ticket:
        """What a ticket allows; :class:`Refused` when it is forged, over, of another room, or was used before."""
        now = clock.ms()
        ticket = self._read(text)
        if not now < ticket.until <= now + 2 * LIFE:
            raise Refused("the ticket is over", code="ticket_expired")
        if room and ticket.room != room:
            raise Refused("the ticket is for another room", code="ticket_room")
        self.used = {nonce: until for nonce, until in self.used.items() if until > now}
        if ticket.nonce in self.used:
            raise Refused("the ticket was used before", code="ticket_used")
        self.used[ticket.nonce] = ticket.until
        return ticket

    def _read(self, text: str) -> Ticket:
        try:
            data = base64.urlsafe_b64decode(text.encode("ascii"))
        except (ValueError, binascii.Error):
            raise Refused("this is no ticket", code="ticket_forged") from None
        if not hmac.compare_digest(hmac.digest(self.secret, data[MAC:], "sha256"), data[:MAC]):
            raise Refused("the ticket was not made here", code="ticket_forged")
        try:
            return unpack(data[MAC:], Ticket)
        except NodeError:
            raise Refused("this is no ticket", code="ticket_forged") from None

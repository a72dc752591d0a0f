"""What neighbouring relays say to each other: JSON over their line (:mod:`media.line`). Everything is said as it stands, so a word may be lost.

The one below calls (:class:`Hello`) and is answered in kind; then each says of every room that concerns the other who is behind it, what they
send, and what it wants (:class:`Told`), and that it lives (:class:`Alive`). Unknown fields are ignored, so that a later release may say more.
"""

from __future__ import annotations

import msgspec

from media.control import Control, Sign
from media.room import LOWEST_FIRST
from node.errors import Invalid

VERSION = 1
MOST = 512 * 1024
"Bytes of a word."


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="word"):
    """The way to a relay's media and the keys of its packets."""

    version: int
    session: str
    "Chosen by the one that calls; a new one begins everything anew."
    name: str
    "ICE user name (RFC 8445)."
    secret: str
    fingerprint: str
    "Algorithm and value of its certificate, with a space between."
    ip: str
    port: int


class Who(msgspec.Struct, frozen=True, tag="who", tag_field="word"):
    """A word came from one who has not said hello: it is to call again."""


class Alive(msgspec.Struct, frozen=True, tag="alive", tag_field="word"):
    """Nothing new."""


class Track(msgspec.Struct, frozen=True):
    """A stream that may be wanted."""

    id: str
    person: str
    what: str
    kind: str
    ssrc: int
    "Under which it will come on this line."
    sizes: tuple[str, ...] = ()
    held: str = ""
    "Why less of it is sent than is wanted."


class Told(msgspec.Struct, frozen=True, tag="room", tag_field="word"):
    """How a room stands on this side; with nobody and nothing in it this side has left it."""

    room: str
    homes: tuple[str, ...] = ()
    people: tuple[tuple[str, str, Sign], ...] = ()
    "Person, name and what they show, of everybody on this side."
    control: Control = Control()
    tracks: tuple[Track, ...] = ()
    wants: dict[str, str] = {}
    "Id of a stream of the other side to the layer that is wanted of it."


Word = Hello | Who | Alive | Told
_READ = msgspec.json.Decoder(Word)
_WRITE = msgspec.json.Encoder()


def read(data: bytes) -> Word:
    """A word; :class:`Invalid` for what is none."""
    try:
        word: Word = _READ.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"a neighbouring relay said nothing that is understood: {error}", code="malformed") from None
    if isinstance(word, Told):
        _check(word)
    elif isinstance(word, Hello) and (word.version != VERSION or word.fingerprint.count(" ") != 1 or not 0 < word.port < 65_536):
        raise Invalid("a neighbouring relay speaks another version, or says no way to it", code="malformed")
    return word


def _check(told: Told) -> None:
    told.control.check()
    for _person, _name, sign in told.people:
        sign.check()
    wrong = [one for one in told.tracks if one.kind not in ("audio", "video") or not 0 < one.ssrc < 1 << 32 or len(one.sizes) > len(LOWEST_FIRST)]
    doubled = len({one.id for one in told.tracks}) < len(told.tracks) or len({one.ssrc for one in told.tracks}) < len(told.tracks)
    if wrong or doubled or any(layer not in LOWEST_FIRST for layer in told.wants.values()):
        raise Invalid("a neighbouring relay names streams or layers that cannot be", code="malformed")


def write(word: Word) -> bytes:
    """The word as it goes."""
    return _WRITE.encode(word)

"""What neighbours say to each other: one struct a frame, canonical bytes, hard limits before anything is parsed.

On the line a message is eight bytes naming the session (zeros until there is one), four that number the messages of one
side in it, and then one frame: an array whose first element is the frame's kind. A frame of an unknown kind is ignored
and counted, so that a newer neighbour may say more than an older one understands; one of a known kind that is malformed
is :class:`~node.errors.Invalid`. Entries travel compressed; the compressed bytes are passed on as they came, so a
carrier compresses nothing twice.
"""

from __future__ import annotations

import zstandard

from node import signals
from node.codec import Value, digest, pack, unpack
from node.entry import Hold, Lane
from node.errors import Invalid, TooLarge

LOW, HIGH = 1, 2
"Oldest and newest protocol version this build speaks."
SNAPSHOTS = 2
"The version from which on a neighbour knows of snapshots."
SESSION = 8
NO_SESSION = bytes(SESSION)
NUMBER = 4
"A session ends before its messages outnumber four bytes: at 1,000 a second after seven weeks."
MAX_FRAME = 8 * 1024 * 1024
MAX_PLAIN = 16 * 1024 * 1024
"Bytes of a batch once decompressed."
MAX_RATIO = 16
"A batch may be at most this many times longer than its compressed form."
MAX_WINDOW = 8 * 1024 * 1024
"Memory a compressed batch may ask of its reader (RFC 8878 §3.1.1.1.2)."
CHUNK = 64 * 1024
"Bytes of a blob in one frame: 52 ms at 10 Mbit/s, which is what an urgent entry may have to wait."
MAX_POSITIONS = 4096
MAX_HOLDS = 1024
MAX_HEARD = 4096
PLAIN, ZSTD = 0, 1


class Frame(Value, frozen=True):
    """Base of all frames."""


class Hello(Frame, frozen=True, tag=1):
    """First words, three in a row: the caller's, the answer, the caller's answer to that; both nonces make the session."""

    low: int
    high: int
    node: str
    certs: tuple[bytes, ...]
    "The sender's certificate chain (DER), leaf first, without the root."
    nonce: bytes
    "16 bytes, new for every connection."
    answer: bytes
    "The other's nonce, or empty when it is not known yet: an old Hello answers nothing."
    software: str


class Position(Value, frozen=True):
    """How far a node holds a chain."""

    chain: bytes
    count: int
    "Entries held, so the number of the next one."
    hash: bytes
    "Header hash of the last one held."


class Have(Frame, frozen=True, tag=2):
    """What the sender holds of the chains the receiver may have; sent on both sides when a session begins."""

    chains: tuple[Position, ...]
    last: bool
    "Whether all has been told; sending starts then."


class Entries(Frame, frozen=True, tag=3):
    """A stretch of one chain, as :class:`node.requests.Batch` in canonical bytes."""

    chain: bytes
    start: int
    count: int
    lane: Lane
    coding: int
    size: int
    "Bytes of the batch before compression."
    data: bytes


class Ack(Frame, frozen=True, tag=4):
    """The sender of this holds the chain to ``count`` on its disk; the transport's word, not a receipt."""

    chain: bytes
    count: int
    again: bool
    "What came last did not fit: go on from ``count``."
    stop: bool = False
    "No more of this chain on this line (frozen, or not for this node)."


class Holds(Frame, frozen=True, tag=5):
    """Range statements on their way to the author of the chains."""

    holds: tuple[Hold, ...]


class Want(Frame, frozen=True, tag=6):
    """Asks for a part of a blob."""

    sha: bytes
    offset: int
    length: int


class Chunk(Frame, frozen=True, tag=7):
    """A part of a blob; empty when the sender does not have it yet: it remembers the question."""

    sha: bytes
    offset: int
    data: bytes


class Beat(Frame, frozen=True, tag=8):
    """A sign of life with the sender's clock, and how long ago the nodes behind it were heard."""

    at: int
    "Sender's clock, milliseconds since 1970 UTC."
    echo: int
    "``at`` of the last beat the sender received, 0 for none."
    kept: int
    "Milliseconds between receiving that and sending this."
    heard: tuple[tuple[str, int], ...] = ()
    "(node id, milliseconds since it was last heard)."


class Signal(Frame, frozen=True, tag=9):
    """Something of the moment for one node: never stored, gone when it expires."""

    signal: signals.Signal


class Enrol(Frame, frozen=True, tag=10):
    """A machine that has a token asks to become a node here; the only frame a guest may send."""

    token: str
    request: bytes


class Admitted(Frame, frozen=True, tag=11):
    """The answer to Enrol: what the new node needs to begin."""

    answer: bytes


class Refuse(Frame, frozen=True, tag=12):
    """Why the sender will not go on, in a word of the error tree and a sentence."""

    code: str
    text: str


class Checkpoint(Frame, frozen=True, tag=13):
    """The city's signed root over all heads, with the receiver's own proof; a last value, passed down."""

    data: bytes


class Living(Frame, frozen=True, tag=14):
    """The epoch in which the sender's ledger lives; said when a session begins, and again when a new one begins."""

    epoch: bytes


class Double(Frame, frozen=True, tag=15):
    """To the node below: an older copy of it has called and was refused."""

    epoch: bytes
    at: int
    "When it called, milliseconds since 1970 by the sender's clock."


class Begin(Frame, frozen=True, tag=16):
    """To the node above, in the place of Have: the sender has next to nothing. Is there a snapshot? Have follows when it was taken."""

    held: int
    "Entries held."


class Offer(Frame, frozen=True, tag=17):
    """To the node below: the file that lists the parts of a snapshot (:class:`node.snapshot.Snapshot`), to be wanted like a blob."""

    sha: bytes
    "Empty when there is none."
    size: int
    entries: int


_FIRST: tuple[type[Frame], ...] = (Hello, Have, Entries, Ack, Holds, Want, Chunk, Beat, Signal, Enrol, Admitted, Refuse, Checkpoint)
_ALL: tuple[type[Frame], ...] = (*_FIRST, Living, Double, Begin, Offer)
FRAMES: dict[int, type[Frame]] = dict(enumerate(_ALL, 1))


def write(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return pack(frame)


def read(data: bytes) -> Frame | None:
    """The frame of some bytes, None when its number is unknown; whatever else is wrong is refused before it is used."""
    if len(data) > MAX_FRAME:
        raise TooLarge(f"a frame of {len(data)} bytes")
    shape = FRAMES.get(_number(data))
    if shape is None:
        return None
    frame = unpack(data, shape)
    _check(frame)
    return frame


def _number(data: bytes) -> int:
    """The number of a frame without parsing the rest: a short array whose first element is below 128."""
    if len(data) < 2 or not 0x91 <= data[0] <= 0x9F or data[1] > 0x7F:
        raise Invalid("not a frame", code="malformed")
    return data[1]


def _check(frame: Frame) -> None:
    match frame:
        case Hello():
            _length(frame.nonce, 16)
            if len(frame.certs) > 5 or len(frame.answer) not in (0, 16) or not 0 < frame.low <= frame.high:
                raise Invalid("not a hello", code="malformed")
        case Have():
            _few(frame.chains, MAX_POSITIONS)
            for position in frame.chains:
                _length(position.chain, 32)
                _number_of(position.count)
        case Entries():
            _length(frame.chain, 32)
            _number_of(frame.start, frame.count - 1, frame.size)
        case Ack():
            _length(frame.chain, 32)
            _number_of(frame.count)
        case Holds():
            _few(frame.holds, MAX_HOLDS)
        case Want():
            _length(frame.sha, 32)
            _number_of(frame.offset, frame.length)
            if frame.length > CHUNK:
                raise TooLarge("more than one chunk at a time")
        case Chunk():
            _length(frame.sha, 32)
            _number_of(frame.offset)
            if len(frame.data) > CHUNK:
                raise TooLarge("a chunk is too long")
        case Beat():
            _few(frame.heard, MAX_HEARD)
            _number_of(*(age for _, age in frame.heard))
        case Living():
            _length(frame.epoch, 32)
        case Double():
            _length(frame.epoch, 32)
            _number_of(frame.at)
        case Begin():
            _number_of(frame.held)
        case Offer():
            if frame.sha:
                _length(frame.sha, 32)
            _number_of(frame.size, frame.entries)
        case Signal():
            if len(frame.signal.payload) > signals.MOST:
                raise TooLarge("a signal is too long")


def _length(value: bytes, length: int) -> None:
    if len(value) != length:
        raise Invalid(f"{length} bytes expected, {len(value)} came", code="malformed")


def _few(values: tuple[object, ...], most: int) -> None:
    if len(values) > most:
        raise TooLarge(f"{len(values)} at once, at most {most}")


def _number_of(*values: int) -> None:
    if any(not 0 <= value < 1 << 62 for value in values):
        raise Invalid("a number out of range", code="malformed")


def seal(session: bytes, number: int, frame: bytes) -> bytes:
    """The message that carries a frame."""
    return session + number.to_bytes(NUMBER, "big") + frame


def open_(message: bytes) -> tuple[bytes, int, bytes]:
    """(session, number, frame) of a message."""
    return message[:SESSION], int.from_bytes(message[SESSION : SESSION + NUMBER], "big"), message[SESSION + NUMBER :]


def session(caller: bytes, called: bytes) -> bytes:
    """The name of the session that two nonces make; a frame that bears another is of an older connection and void."""
    return digest("session.1", caller, called)[:SESSION]


_squeeze = zstandard.ZstdCompressor(level=3, write_content_size=True)


def entries(chain: bytes, start: int, count: int, lane: Lane, batch: bytes) -> bytes:
    """The frame that carries a batch, compressed where that helps and a receiver may accept it."""
    packed, coding = _squeeze.compress(batch), ZSTD
    if len(packed) >= len(batch) or len(batch) > MAX_RATIO * len(packed):
        packed, coding = batch, PLAIN
    return write(Entries(chain, start, count, lane, coding, len(batch), packed))


def batch_of(frame: Entries) -> bytes:
    """The bytes of the batch inside, never more than the limits whatever the compressed bytes claim."""
    if frame.coding == PLAIN:
        plain = frame.data
    elif frame.coding == ZSTD:
        plain = _expand(frame.data)
    else:
        raise Invalid(f"unknown coding {frame.coding}", code="unknown_suite")
    if len(plain) != frame.size:
        raise Invalid("a batch is not as long as it says", code="malformed")
    return plain


def _expand(data: bytes) -> bytes:
    most = min(MAX_PLAIN, MAX_RATIO * len(data))
    try:
        with zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(data) as reader:
            plain = reader.read(most + 1)
    except (zstandard.ZstdError, MemoryError) as e:
        raise Invalid(f"a batch does not decompress: {e}", code="malformed") from None
    if len(plain) > most:
        raise TooLarge("a batch is larger than it may be once decompressed")
    return plain

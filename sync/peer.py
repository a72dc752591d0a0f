"""One neighbour, as a pure state machine: frames and events go in, frames and wishes come out; no socket, no clock.

**Beginning.** The caller (the node below) says Hello with a new nonce; the called node answers with its own and the
caller's; the caller answers that. Both nonces name the session, every later frame bears its name, and what bears another
name is void: an old connection's frames and a recorded Hello change nothing. A Hello brings the certificate chain, which
must lead to the city root and name the node whose key opened the line.

**Telling.** Each side says with Have how far it holds every chain the other may see. From then on each sends what the
other lacks, oldest first in every chain, the lanes in their order, so both end with the union of their prefixes; that
also gives a restored node its own past back.

**Sending.** The journal is the outbox: the peer wishes for a stretch of a chain, sends it, and counts it as under way
until the other acknowledges it after its own commit. A bounded number of bytes is under way in each lane.

**When something is wrong.** A *gap* is asked for again. A *fork* stops that chain and nothing else. A *forgery*, or
bytes that are no frame, end the session with Refuse, and the neighbour must wait longer each time. When the line drops,
nothing is remembered but the journal: the next session begins with Have.

Invariants: nothing is acknowledged that is not committed; what is queued is bounded by the credits; no frame of one
session has an effect in another; only the neighbour that erred is dropped.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography import x509

from node import certs, clock
from node.codec import base32
from node.directory.tree import Tree
from node.entry import LANES, SELF, Audience, Hold, Lane
from node.errors import Forged, Incompatible, NodeError, TooLarge, Untrusted
from node.signals import Signal
from sync import flow, frames, span
from sync.frames import Frame
from sync.wishes import Anchor, Asked, Drop, Fence, Fetch, Heard, Held, Level, Met, Offered, Pass, Read, Review, Store, Take, Twin, Vouch, Wish


class Now(NamedTuple):
    """The moment, twice: for periods and for what is claimed."""

    mono: float
    "Seconds of a clock that never jumps."
    ms: int
    "Milliseconds since 1970 UTC."


@dataclass(frozen=True, slots=True)
class Line:
    """A chain as the lines need to know it."""

    id: bytes
    author: str
    audience: Audience
    lane: Lane
    count: int
    hash: bytes
    "Header hash of the last entry held."
    frozen: str = ""
    "Why nothing more is taken (fork, closed, revoked), or empty. What is held still goes out, but for a fork."
    closed: int = -1
    "Entries it may have since a later opening of its log; below 0 while it is open."


@dataclass(frozen=True, slots=True)
class Look:
    """What a batch claims to be."""

    chain: bytes
    start: int
    count: int
    author: str = ""
    "Author and audience, where the opening is inside."
    audience: Audience = SELF


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ledger said of a batch: how much it holds now, and the error's code if it took none."""

    count: int
    code: str = ""


@dataclass(kw_only=True)
class Self:
    """Who is speaking on this side of a line; certificates and root change while lines stand."""

    node: str
    certs: tuple[bytes, ...]
    "Own certificate chain (DER), leaf first, without the root."
    root: x509.Certificate
    software: str = ""


BATCH = 128 * 1024
"About how many bytes of journal go into one batch."
BEAT, SILENCE, GREETING, STALL = 1.0, 5.0, 5.0, 15.0
"Seconds: between beats; without a word until the neighbour counts as gone; for a greeting; without acknowledgement until sending again."
REPORT = 5.0
"Seconds between beats that tell of other nodes."
FENCED = "fenced"
"Code of a Refuse that means: you are a copy, and a newer one is at work."
VOUCHED = 0.3
"Seconds after range statements for a chain that was closed until it is asked for once more."
AGAIN = "again"
"Code of a Refuse that only means: begin a new session at once."
PENANCE, LONGEST = 2.0, 300.0
"Seconds a neighbour that erred must wait, first and at most."
MOST_ELSEWHERE = 100_000
"Chains not known here that are remembered to be at a neighbour; what lies beyond may reach it twice. Told without end, they fill no memory."
MOST_TAKING, EACH = 64 * 1024 * 1024, 4096
"Bytes of batches of one neighbour that may wait for the ledger, and what each counts besides; credits keep an honest one far below."
WAITING = 256
"Wants for blobs that are not here yet, remembered for each neighbour; of more than these the oldest is forgotten."
STOP = ("fork", "revoked", "out_of_span", "closed", "frozen", "unknown_author", "unknown_version", "unknown_suite")
"Codes by which the ledger says: nothing more of this chain."
LATER = ("unreachable", "disk_full", "operator", "error")
"Codes by which it says: not now."
_CONTROL, _BLOBS = 0, 6
_RANK = {Lane.TRUST: 1, Lane.URGENT: 2, Lane.ORDINARY: 5}
_HOLDS = 3


@dataclass
class Peer:
    """The line to one neighbour, seen from one side."""

    me: Self
    neighbour: str
    up: bool
    "Whether the neighbour is the parent, and this side the caller."
    lines: Mapping[bytes, Line]
    "The journal's chains; the owner keeps it up to date."
    tree: Tree
    rng: random.Random
    look: Callable[[bytes], Look]
    "What a batch claims to be."
    beat: float = BEAT

    state: str = "down"
    "down, connecting, up or refused."
    since: int = 0
    "Milliseconds since 1970 when the state began."
    reason: str = ""
    "Why the last session ended, or none came to be; kept until one stands."
    heard_ms: int = 0
    "When the neighbour last said something, by our clock."
    rtt: int = 0
    skew: int = 0
    "Milliseconds the neighbour's clock is ahead."
    software: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wishes: deque[Wish] = field(default_factory=deque)

    _out: list[deque[tuple[bool, bytes]]] = field(default_factory=lambda: [deque() for _ in range(_BLOBS + 1)])
    "(whether it is said outside the session, frame)."
    owed: int = 0
    "Range statements that came while there was no session to pass them on."
    _said: int = 0
    "Messages sent in this session."
    _got: int = 0
    _session: bytes = frames.NO_SESSION
    _nonce: bytes = b""
    _told: bool = False
    "Whether the neighbour has told all it holds."
    _passages: dict[bytes, flow.Passage] = field(default_factory=dict)
    _elsewhere: dict[bytes, int] = field(default_factory=dict)
    "Entries the neighbour holds of chains that are not known here."
    _before: dict[bytes, int] = field(default_factory=dict)  # what it was known to hold when the line last ended
    _taking: int = 0
    "Bytes of batches that are with the ledger."
    _ready: dict[Lane, dict[bytes, None]] = field(default_factory=lambda: {lane: {} for lane in LANES})
    _credit: dict[Lane, flow.Credit] = field(default_factory=flow.fresh)
    _coming: dict[bytes, int] = field(default_factory=dict)
    "Chain to the number after what was given to the ledger in this session."
    _asked: dict[bytes, int] = field(default_factory=dict)
    _declined: set[bytes] = field(default_factory=set)
    _goals: dict[bytes, int] = field(default_factory=dict)
    "Entries the neighbour told at the beginning that are not here yet."
    level: bool = False
    "Whether there are none left."
    begins: Callable[[], bool] = lambda: False
    "Whether this side holds so little that it asks the node above for a snapshot before it tells what it holds."
    _owes_have: bool = False
    "Whether it has asked, and not told yet."
    epoch: bytes = b""
    "The living epoch of this side's ledger; empty while it is not known."
    _shut: set[bytes] = field(default_factory=set)
    "Chains refused because they are closed, until somebody vouches for what came."
    _retry: dict[bytes, float] = field(default_factory=dict)
    _wanted: dict[tuple[bytes, int], int] = field(default_factory=dict)
    "Parts of blobs the neighbour waits for."
    _last: float = 0.0
    _began: float = 0.0
    _beaten: float = 0.0
    _reported: float = 0.0
    _their_beat: tuple[int, int] = (0, 0)
    _shown: bytes = b""
    "The checkpoint that was said last in this session."
    _errors: int = 0
    _banned: float = 0.0

    # --- connecting ---------------------------------------------------------------------------------------------

    def connected(self, now: Now) -> None:
        """The caller's connection stands: begin a session. Nothing of an earlier one counts any more."""
        if self._banned > now.mono:
            return
        self._forget()
        self._nonce = self.rng.randbytes(16)
        self._began = self._last = now.mono
        self._become("connecting", now)
        self._say(self._hello(b""))

    def lost(self, now: Now, reason: str = "") -> None:
        """The connection is gone."""
        self._forget()
        if self.state != "refused":
            self._become("down", now, reason)

    def tick(self, now: Now, heard: Mapping[str, int] | None = None) -> None:
        """Let time pass: beats, silence, stalls, and what was to be tried again. ``heard`` is what to tell of other nodes."""
        if self.state == "refused" and self._banned <= now.mono:
            self._become("down", now)
        if self.state == "connecting" and now.mono - self._began > GREETING:
            self._end(now, "silent")
        if self.state != "up":
            return
        if now.mono - self._last > SILENCE:
            self._end(now, "silent")
            return
        if now.mono - self._beaten >= self.beat:
            self._send_beat(now, heard or {})
        for chain in [chain for chain, at in self._retry.items() if at <= now.mono]:
            del self._retry[chain]
            self._ask(chain)
        self._unstall(now)
        self._reach()
        self._pump()

    def due(self, now: Now) -> float:
        """Seconds until :meth:`tick` has something to do."""
        return max(0.0, self._beaten + self.beat - now.mono) if self.state == "up" else 1.0

    def _become(self, state: str, now: Now, reason: str = "") -> None:
        if state != self.state:
            self.state, self.since = state, now.ms
        self.reason = "" if state == "up" else reason or self.reason

    def _forget(self) -> None:
        self._before = {chain: self._theirs(chain) for chain in self.lines}
        self._session, self._nonce, self._told = frames.NO_SESSION, b"", False
        self._said = self._got = 0
        for queue in self._out:
            queue.clear()
        self._passages, self._elsewhere, self._ready = {}, {}, {lane: {} for lane in LANES}
        self._coming, self._asked, self._declined, self._retry, self._wanted = {}, {}, set(), {}, {}
        self._goals, self.level, self._shut, self._shown, self._owes_have = {}, False, set(), b"", False
        self._credit, self._their_beat = flow.fresh(), (0, 0)

    def _end(self, now: Now, code: str, text: str = "") -> None:
        self._forget()
        self._become("down", now, code)
        self.wishes.append(Drop(code, text))

    def _hello(self, answer: bytes) -> frames.Hello:
        return frames.Hello(frames.LOW, frames.HIGH, self.me.node, self.me.certs, self._nonce, answer, self.me.software)

    # --- frames out ---------------------------------------------------------------------------------------------

    def pop(self) -> bytes | None:
        """The next message for the line, most urgent first; None when there is nothing to say."""
        for queue in self._out:
            if queue:
                free, frame = queue.popleft()
                self._said += not free
                message = frames.seal(frames.NO_SESSION, 0, frame) if free else frames.seal(self._session, self._said, frame)
                self.counts["bytes_out"] += len(message)
                return message
        return None

    def _say(self, frame: Frame, rank: int = _CONTROL) -> None:
        self._post(frames.write(frame), rank, hello=isinstance(frame, frames.Hello | frames.Refuse))

    def _post(self, data: bytes, rank: int, *, hello: bool = False) -> None:
        self._out[rank].append((hello, data))

    # --- frames in ----------------------------------------------------------------------------------------------

    def receive(self, message: bytes, now: Now) -> None:
        """Take one message from the line; whatever is wrong with it harms this neighbour's session only."""
        self.counts["bytes_in"] += len(message)
        if self._banned > now.mono:
            self.refused["banned"] += 1
            return
        try:
            self._receive(message, now)
        except NodeError as error:
            self.refuse(error, now)
        self._pump()

    def refuse(self, error: NodeError, now: Now) -> None:
        """Tell the neighbour why, end the session, and do not listen for a while."""
        self.refused[error.code] += 1
        self._forget()
        self._say(frames.Refuse(error.code, error.message[:200]))
        self._errors += 1
        wait = min(LONGEST, PENANCE * 2 ** min(self._errors - 1, 10)) * (0.75 + self.rng.random() / 2)
        self._banned = now.mono + wait
        self._become("refused", now, error.code)
        self.wishes.append(Drop(error.code, error.message))

    def _receive(self, message: bytes, now: Now) -> None:
        name, number, data = frames.open_(message)
        frame = frames.read(data)
        if frame is None:
            self.refused["unknown_frame"] += 1
            if self.state == "up" and name == self._session and number == self._got + 1:
                self._got = number  # what a newer neighbour says besides is none of the messages that were lost
            return
        if isinstance(frame, frames.Hello):
            self._on_hello(frame, now)
            return
        if isinstance(frame, frames.Refuse) and name == frames.NO_SESSION:
            self._on_refuse(frame, now)
            return
        if self.state != "up" or name != self._session:
            self.refused["void_session"] += 1
            return
        if number <= self._got:
            self.refused["repeated"] += 1
            return
        if number > self._got + 1:
            self._miss(now)
            return
        self._got = number
        self._last, self.heard_ms = now.mono, now.ms
        self._dispatch(frame, data, now)

    def _miss(self, now: Now) -> None:
        """The line has swallowed a message: nothing after it can be trusted to be all, so begin anew."""
        self.refused["lost_message"] += 1
        self._end(now, AGAIN)
        self._say(frames.Refuse(AGAIN, "a message was lost on the way"))

    def _dispatch(self, frame: Frame, data: bytes, now: Now) -> None:
        match frame:
            case frames.Entries():
                self._on_entries(frame, data)
            case frames.Ack():
                self._on_ack(frame, now)
            case frames.Have():
                self._on_have(frame)
            case frames.Holds():
                self._on_holds(frame, now)
            case frames.Living():
                self.wishes.append(Met(frame.epoch, self._session))
            case frames.Double():
                if self.up:
                    self.wishes.append(Twin(frame.epoch, frame.at))
            case frames.Want():
                self._on_want(frame)
            case frames.Chunk():
                self.wishes.append(Store(frame.sha, frame.offset, frame.data))
            case frames.Beat():
                self._on_beat(frame, now)
            case frames.Signal():
                self.wishes.append(Pass(frame.signal))
            case frames.Checkpoint():
                self.wishes.append(Anchor(frame.data))
            case frames.Begin():
                self.wishes.append(Asked())
            case frames.Offer():
                if self.up and self._owes_have:
                    self.wishes.append(Offered(frame.sha, frame.size, frame.entries))
            case _:
                self.refused["unexpected_frame"] += 1

    # --- beginning ----------------------------------------------------------------------------------------------

    def _on_hello(self, hello: frames.Hello, now: Now) -> None:
        if hello.low > frames.HIGH or hello.high < frames.LOW:
            raise Incompatible(f"protocol {hello.low} to {hello.high} is not spoken here, {frames.LOW} to {frames.HIGH} is", code="unknown_version")
        if hello.answer and hello.answer != self._nonce:
            self.refused["old_hello"] += 1
            return
        self._check_certificate(hello, now)
        self.software = hello.software
        if hello.answer:
            self._open(hello, now)
        elif not self.up:
            self._forget()
            self._nonce = self.rng.randbytes(16)
            self._began = self._last = now.mono
            self._become("connecting", now)
            self._say(self._hello(hello.nonce))

    def _check_certificate(self, hello: frames.Hello, now: Now) -> None:
        if hello.node != self.neighbour:
            raise Forged(f"this key is not that of node {hello.node}", code="wrong_node")
        chain = [certs.load(der) for der in hello.certs]
        certs.check_chain(chain, self.me.root, clock.from_ms(now.ms))
        about = certs.subject(chain[0])
        if about.kind != "node" or about.id != hello.node:
            raise Untrusted("the certificate is not this node's", code="cert_scope")

    def _open(self, hello: frames.Hello, now: Now) -> None:
        """The other has answered our nonce: the session stands."""
        if self.state != "connecting":
            self.refused["old_hello"] += 1
            return
        if self.up:
            self._say(self._hello(hello.nonce))
        self._session = frames.session(*((self._nonce, hello.nonce) if self.up else (hello.nonce, self._nonce)))
        self._last, self.heard_ms = now.mono, now.ms
        self._errors = 0
        self._become("up", now)
        self.counts["sessions"] += 1
        self.live(self.epoch)
        self._owes_have = True
        if self.up and hello.high >= frames.SNAPSHOTS and self.begins():
            self._say(frames.Begin(sum(line.count for line in self.lines.values())))
        else:
            self.tell()
        self._beaten = 0.0
        self._reported = 0.0
        self.wishes.append(Review())

    def _on_refuse(self, refuse: frames.Refuse, now: Now) -> None:
        if self.state not in ("connecting", "up"):
            return
        if refuse.code == AGAIN:
            self._end(now, AGAIN)
            return
        if refuse.code == FENCED and self.up:
            self.wishes.append(Fence(refuse.text))
        self.counts["refused_us"] += 1
        self._forget()
        self._errors += 1
        self._banned = now.mono + min(LONGEST, PENANCE * 2 ** min(self._errors - 1, 10)) * (0.75 + self.rng.random() / 2)
        self._become("refused", now, refuse.code)
        self.wishes.append(Drop(refuse.code, refuse.text))

    def tell(self) -> None:
        """Tell what is held here, once in a session; the neighbour sends what is missing from then on."""
        if not self._owes_have or self.state != "up":
            return
        self._owes_have = False
        mine = [frames.Position(line.id, line.count, line.hash) for line in self.lines.values() if self._goes(line)]
        parts = [tuple(mine[i : i + frames.MAX_POSITIONS]) for i in range(0, len(mine), frames.MAX_POSITIONS)] or [()]
        for number, part in enumerate(parts, 1):
            self._say(frames.Have(part, number == len(parts)))

    def offer(self, sha: bytes, size: int, entries: int) -> None:
        """Answer a neighbour that asked: where the snapshot is, or that there is none."""
        if self.state == "up":
            self._say(frames.Offer(sha, size, entries))

    def _goes(self, line: Line) -> bool:
        return line.count > 0 and line.frozen != "fork" and span.goes(self.tree, line, self.neighbour, up=self.up)

    # --- sending ------------------------------------------------------------------------------------------------

    def _on_have(self, have: frames.Have) -> None:
        for position in have.chains:
            line = self.lines.get(position.chain)
            if position.count > (line.count if line else 0) and len(self._goals) < MOST_ELSEWHERE:
                self._goals[position.chain] = position.count
            if line is None:
                if len(self._elsewhere) < MOST_ELSEWHERE:
                    self._elsewhere[position.chain] = position.count
                continue
            passage = self._passage(position.chain)
            passage.theirs = max(passage.theirs, position.count)
            passage.sent = max(passage.sent, position.count)
            if position.count == line.count and position.hash != line.hash:
                passage.theirs = passage.sent = max(0, position.count - 1)  # the same place, two entries: show ours
        if have.last and not self._told:
            self._told = True
            self.news(self.lines)
            self._reach()

    def _reach(self) -> None:
        """Notice when all that the neighbour told at the beginning is here, or will not be taken."""
        if not self._told or self.level:
            return
        held = {chain: line.count for chain in self._goals if (line := self.lines.get(chain)) is not None}
        frozen = {chain for chain in held if self.lines[chain].frozen}
        self._goals = {chain: count for chain, count in self._goals.items() if held.get(chain, 0) < count and chain not in frozen}
        if not self._goals:
            self.level = True
            self.wishes.append(Level())

    # --- lives --------------------------------------------------------------------------------------------------

    def live(self, epoch: bytes) -> None:
        """The ledger of this side lives in an epoch: say so."""
        self.epoch = epoch
        if epoch and self.state == "up":
            self._say(frames.Living(epoch))

    def met(self, wish: Met, *, fenced: bool, twin: bytes, at: int, now: Now) -> None:
        """What the ledger says of the neighbour's epoch: a copy is sent away, the living one told that it has a twin."""
        if wish.session != self._session or self.state != "up":
            return
        if fenced:
            self.refused[FENCED] += 1
            self._forget()
            self._become("down", now, FENCED)
            self._say(frames.Refuse(FENCED, "a newer process with the identity of this node has called"))
            self.wishes.append(Drop(FENCED, "a copy"))
        elif twin:
            self._say(frames.Double(twin, at))

    def _on_holds(self, frame: frames.Holds, now: Now) -> None:
        self.wishes.append(Held(frame.holds))
        for chain in {hold.chain for hold in frame.holds} & self._shut:
            self._shut.discard(chain)
            self._retry[chain] = now.mono + VOUCHED

    def vouch(self, holds: Iterable[Hold]) -> None:
        """Show what others said to hold of an own chain that the neighbour counts as closed."""
        given = tuple(hold for hold in holds if hold.holder not in (self.me.node, self.neighbour))[: frames.MAX_HOLDS]
        if given and self.state == "up":
            self._say(frames.Holds(given))

    def _passage(self, chain: bytes) -> flow.Passage:
        """A chain's way to the neighbour, from where the neighbour said that it holds it."""
        if chain not in self._passages:
            held = self._elsewhere.pop(chain, 0)
            self._passages[chain] = flow.Passage(theirs=held, sent=held)
        return self._passages[chain]

    def news(self, chains: Iterable[bytes]) -> None:
        """These chains have grown, or the tree has: send what the neighbour lacks."""
        if not self._told:
            return
        for chain in chains:
            line = self.lines.get(chain)
            if line is not None and self._goes(line):
                self._make_ready(line)
        self._pump()

    def planted(self, tree: Tree) -> None:
        """The tree has changed: what was out of place may be in place now, on either side."""
        self.tree = tree
        declined, self._declined = self._declined, set()
        for chain in declined:
            self._asked.pop(chain, None)
            self._ask(chain)
        self.news(self.lines)

    def _make_ready(self, line: Line) -> None:
        passage = self._passage(line.id)
        if passage.sent < line.count and not passage.reading and not passage.stopped:
            self._ready[line.lane][line.id] = None

    def _pump(self) -> None:
        """Wish for what there is credit to send, the lanes in their order, the chains of a lane in turn."""
        if not self._told:
            return
        for lane in LANES:
            ready, credit = self._ready[lane], self._credit[lane]
            while ready and credit.left() > 0:
                chain = next(iter(ready))
                del ready[chain]
                passage = self._passages[chain]
                passage.reading = True
                credit.sent(BATCH // 2)  # an estimate, made good when the batch is here
                self.wishes.append(Read(chain, passage.sent, BATCH))

    def batch(self, read: Read, count: int, batch: bytes, now: Now) -> None:
        """The journal's answer to a wish: ``count`` entries in canonical bytes; 0 when it gave none, and :meth:`news` brings the chain up again."""
        passage, line = self._reading(read)
        if passage is None or line is None:
            return
        if count and read.start == passage.sent:
            self._send(passage, line, frames.entries(line.id, read.start, count, line.lane, batch), count, now)
        if count:
            self._make_ready(line)
        self._pump()

    def _reading(self, read: Read) -> tuple[flow.Passage | None, Line | None]:
        passage, line = self._passages.get(read.chain), self.lines.get(read.chain)
        if passage is None or line is None or not passage.reading:
            return None, None
        passage.reading = False
        self._credit[line.lane].lost(BATCH // 2)
        return passage, line

    def relay(self, take: Take, now: Now) -> None:
        """Another neighbour's batch was committed: if it is just what this one lacks, pass the very bytes on."""
        line = self.lines.get(take.chain)
        if line is None or not self._told or not self._goes(line):
            return
        passage = self._passage(take.chain)
        fits = passage.sent == take.start and not passage.reading and not passage.stopped
        if fits and self._credit[line.lane].left() >= len(take.frame) and line.count >= take.start + take.count:
            self._send(passage, line, take.frame, take.count, now)
            self._ready[line.lane].pop(take.chain, None)
            self.counts["relayed"] += take.count
        self._make_ready(line)
        self._pump()

    def _send(self, passage: flow.Passage, line: Line, frame: bytes, count: int, now: Now) -> None:
        passage.sent += count
        passage.flying.append((passage.sent, len(frame), now.mono))
        self._credit[line.lane].sent(len(frame))
        self.counts["entries_out"] += count
        self._post(frame, _RANK[line.lane])

    def _on_ack(self, ack: frames.Ack, now: Now) -> None:
        line = self.lines.get(ack.chain)
        if line is None:
            return
        passage = self._passage(ack.chain)
        credit = self._credit[line.lane]
        if ack.again or ack.stop:
            again = passage.rewind(ack.count, credit)
            self.counts["resent"] += 0 if ack.stop else again
        else:
            passage.acknowledge(ack.count, now.mono, credit)
        if ack.stop and line.author == self.me.node and line.closed >= 0:
            self.wishes.append(Vouch(line.id))
        passage.stopped = ack.stop
        self._make_ready(line)

    def _unstall(self, now: Now) -> None:
        for chain, passage in self._passages.items():
            if passage.flying and now.mono - passage.flying[0][2] > STALL:
                line = self.lines[chain]
                self.counts["resent"] += passage.rewind(passage.theirs, self._credit[line.lane])
                self._make_ready(line)

    def backlog(self) -> tuple[Counter[Lane], int]:
        """(entries by lane, bytes) not acknowledged by the neighbour; the bytes are those under way."""
        going = [line for line in self.lines.values() if self._goes(line)]
        lanes = Counter({at: sum(max(0, one.count - self._theirs(one.id)) for one in going if one.lane is at) for at in LANES})
        return lanes, sum(credit.under_way for credit in self._credit.values())

    def _theirs(self, chain: bytes) -> int:
        past = 0 if self.state == "up" else self._before.get(chain, 0)
        return passage.theirs if (passage := self._passages.get(chain)) else self._elsewhere.get(chain, past)

    # --- receiving ----------------------------------------------------------------------------------------------

    def _on_entries(self, frame: frames.Entries, data: bytes) -> None:
        line = self.lines.get(frame.chain)
        held = line.count if line else 0
        coming = max(held, self._coming.get(frame.chain, 0))
        if frame.start > coming:
            self.refused["gap"] += 1
            self._ask(frame.chain)
            return
        batch = frames.batch_of(frame)
        seen = self.look(batch)
        if (seen.chain, seen.start, seen.count) != (frame.chain, frame.start, frame.count):
            raise Forged("a batch is not what its frame says", code="wrong_place")
        if not self._welcome(line, seen):
            return
        if frame.start + frame.count <= coming:
            self.counts["duplicates"] += frame.count
        self._taking += len(batch) + EACH
        if self._taking > MOST_TAKING:
            raise TooLarge("the neighbour sends more than it has credit for")
        self._asked.pop(frame.chain, None)
        self._coming[frame.chain] = max(coming, frame.start + frame.count)
        self._theirs_too(frame.chain, frame.start + frame.count)
        self.wishes.append(Take(frame.chain, frame.start, frame.count, line.lane if line else frame.lane, batch, data))

    def _theirs_too(self, chain: bytes, count: int) -> None:
        """What a neighbour sends it holds: it is not sent back."""
        passage = self._passage(chain)
        if not passage.flying:
            passage.theirs, passage.sent = max(passage.theirs, count), max(passage.sent, count)

    def _welcome(self, line: Line | None, seen: Look) -> bool:
        if line is not None and line.frozen and seen.start + seen.count > line.count:
            self._decline(seen.chain, line.count, "frozen")
            return False
        if line is None and seen.start:
            return True  # its opening is with the ledger already
        if span.welcome(self.tree, line or seen, self.me.node):
            return True
        self._decline(seen.chain, line.count if line else 0, "out_of_span")
        return False

    def _decline(self, chain: bytes, count: int, code: str) -> None:
        self.refused[code] += 1
        self._coming.pop(chain, None)
        if code in ("out_of_span", "unknown_author"):  # may be in place once the directory has arrived
            self._declined.add(chain)
        if code == "closed":
            self._shut.add(chain)
        self._goals.pop(chain, None)
        self._say(frames.Ack(chain, count, again=False, stop=True))

    def _ask(self, chain: bytes) -> None:
        """Ask once for what follows the last entry held; what was sent behind a gap is not asked for each time."""
        line = self.lines.get(chain)
        held = line.count if line else 0
        self._coming.pop(chain, None)
        if self._asked.get(chain) != held:
            self._asked[chain] = held
            self._say(frames.Ack(chain, held, again=True))

    def anew(self, chain: bytes, start: int) -> None:
        """Ask the neighbour to send what it holds of a chain from a place on, although it is held here: it has rotted."""
        if self.state == "up" and chain in self.lines:
            self._say(frames.Ack(chain, start, again=True))

    def taken(self, take: Take, outcome: Outcome, now: Now) -> None:
        """What the ledger said of a batch: acknowledge it, ask again, stop the chain, or drop the neighbour."""
        self._taking = max(0, self._taking - len(take.batch) - EACH)
        if self.state != "up":
            return
        if not outcome.code:
            self.counts["entries_in"] += take.count
            self._say(frames.Ack(take.chain, outcome.count, again=False))
            self._reach()
            return
        if outcome.code == "gap":
            self.refused["gap"] += 1
            self._asked.pop(take.chain, None)
            self._ask(take.chain)
        elif outcome.code in LATER:
            self._coming.pop(take.chain, None)
            self._asked.pop(take.chain, None)
            self._retry[take.chain] = now.mono + 1.0 + self.rng.random()
        elif outcome.code in STOP:
            self._decline(take.chain, outcome.count, outcome.code)
        else:
            self.refuse(Forged(f"entries of chain {base32(take.chain)} from {take.start} do not hold", code=outcome.code), now)

    # --- range statements, beats, blobs, signals -----------------------------------------------------------------

    def holds(self, holds: Iterable[Hold]) -> None:
        """Pass range statements on if the author of their chain lies that way; a session that begins brings them all."""
        mine = [hold for hold in holds if self._toward(hold)]
        self.owed = 0 if self.state == "up" else self.owed + len(mine)
        if self.state != "up":
            return
        for i in range(0, len(mine), frames.MAX_HOLDS):
            self._say(frames.Holds(tuple(mine[i : i + frames.MAX_HOLDS])), _HOLDS)

    def _toward(self, hold: Hold) -> bool:
        line = self.lines.get(hold.chain)
        if line is None or line.author == self.me.node or hold.holder == self.neighbour:
            return False
        if line.author not in self.tree:
            return self.up
        return self.tree.toward(self.me.node, line.author) == self.neighbour

    def _on_beat(self, beat: frames.Beat, now: Now) -> None:
        self._their_beat = (beat.at, now.ms)
        if beat.echo:
            self.rtt = max(0, now.ms - beat.echo - beat.kept)
            self.skew = beat.at - (now.ms - self.rtt // 2)
        if beat.heard:
            self.wishes.append(Heard(tuple((node, now.ms - age) for node, age in beat.heard)))

    def _send_beat(self, now: Now, heard: Mapping[str, int]) -> None:
        self._beaten = now.mono
        told: tuple[tuple[str, int], ...] = ()
        if now.mono - self._reported >= REPORT * self.beat:
            self._reported = now.mono
            told = tuple((node, max(0, now.ms - at)) for node, at in sorted(heard.items()))[: frames.MAX_HEARD]
        at, received = self._their_beat
        self._say(frames.Beat(now.ms, at, max(0, now.ms - received) if at else 0, told))

    def want(self, sha: bytes, offset: int, length: int) -> None:
        """Ask the neighbour for a part of a blob."""
        self._say(frames.Want(sha, offset, length))

    def _on_want(self, want: frames.Want) -> None:
        if max(len(self._out[_CONTROL]), len(self._out[_BLOBS])) >= WAITING:  # it asks and does not listen: no answer waits in memory for that
            self.refused["too_many_wants"] += 1
            return
        if len(self._wanted) >= WAITING and (want.sha, want.offset) not in self._wanted:
            del self._wanted[next(iter(self._wanted))]
            self.refused["too_many_wants"] += 1
        self._wanted[want.sha, want.offset] = want.length
        self.wishes.append(Fetch(want.sha, want.offset, want.length))

    def part(self, fetch: Fetch, data: bytes) -> None:
        """A part that was wanted; none yet when empty: the neighbour hears so, and the want is remembered."""
        if not data:
            self._say(frames.Chunk(fetch.sha, fetch.offset, b""))
        elif self._wanted.pop((fetch.sha, fetch.offset), None) is not None:
            self._say(frames.Chunk(fetch.sha, fetch.offset, data), _BLOBS)
            self.counts["blob_bytes_out"] += len(data)

    def stocked(self, sha: bytes) -> None:
        """A blob is whole now: give what the neighbour has been waiting for."""
        self.wishes.extend(Fetch(sha, offset, length) for (name, offset), length in self._wanted.items() if name == sha)

    def signal(self, signal: Signal) -> None:
        """Send a signal that goes this way; nothing happens when the line is down, or does not take what waits for it already."""
        if self.state == "up" and len(self._out[_RANK[Lane.URGENT]]) < WAITING:
            self._say(frames.Signal(signal), _RANK[Lane.URGENT])

    def checkpoint(self, data: bytes) -> None:
        """Show the neighbour the last checkpoint, unless it is what was shown before; behind everything else."""
        if data and self.state == "up" and data != self._shown:
            self._shown = data
            self._say(frames.Checkpoint(data), _BLOBS)

    def drain(self) -> Iterator[Wish]:
        """The wishes, each once."""
        while self.wishes:
            yield self.wishes.popleft()

"""Which part of which blob to ask of which neighbour; pure, so that the simulator drives it too.

A blob is fetched from one neighbour at a time, in chunks, a few of them under way; what has been written is never asked
for again, so a cut costs at most what was under way. A neighbour that has the blob only later says so, remembers the
question and answers then; one that stays silent is passed over for the next.

What is waited for takes nothing from what comes: a blob that is nowhere, because it was named and never sent or because it was
lost with a disk, has no share in the pace of a line, and only so many of them are looked for at a time, in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sync.frames import CHUNK

AT_ONCE = 4
"Blobs fetched at a time from one neighbour."
FIRST, MOST = 2.0, 16.0
"Chunks under way from one neighbour, at first and at most."
QUICK, SLOW = 0.06, 0.15
"Seconds a chunk may take for more of them to go at once, and from which on fewer do: urgent entries share the line."
DESPERATE = 3
"Times a neighbour was passed over after which every neighbour is asked."
PATIENCE = 20.0
"Seconds without a chunk until the next neighbour is asked."
LOOKING = 64
"Blobs that are waited for at one neighbour at a time."


@dataclass
class Need:
    """One blob that is named by an entry held here and is not here yet."""

    sha: bytes
    size: int
    have: int
    "Bytes written, so the offset of the next."
    sources: list[str] = field(default_factory=list)
    "Neighbours that may have it, the likeliest first."
    peer: str = ""
    "The neighbour being asked, or empty."
    asked: dict[int, float] = field(default_factory=dict)
    "Offset to when it was asked for."
    last: float = 0.0
    rounds: int = 0
    "How often a neighbour was passed over."
    waiting: bool = False
    "Whether whoever was asked last had nothing to give, by its own word or by silence."


Ask = Callable[[str, bytes, int, int], None]
"Asks a neighbour for (sha, offset, length)."


@dataclass
class Fetcher:
    """Everything this node still has to fetch."""

    ask: Ask
    needs: dict[bytes, Need] = field(default_factory=dict)
    up: set[str] = field(default_factory=set)
    pace: dict[str, float] = field(default_factory=dict)
    "Chunks that may be under way from a neighbour."

    def need(self, sha: bytes, size: int, have: int, sources: Iterable[str]) -> None:
        """A blob is missing here; ``sources`` brought the entry that names it. Without any, every neighbour is asked in turn."""
        need = self.needs.setdefault(sha, Need(sha, size, have))
        need.sources.extend(source for source in sources if source not in need.sources)
        if not need.sources:
            need.rounds = DESPERATE
            need.sources.extend(sorted(self.up))

    def met(self, sha: bytes) -> None:
        """The blob is here, from wherever."""
        self.needs.pop(sha, None)

    def joined(self, peer: str, now: float) -> None:
        """A neighbour can be asked; what waits for a less likely one is asked of it instead."""
        self.up.add(peer)
        self.pace[peer] = FIRST
        for need in self.needs.values():
            if need.rounds >= DESPERATE and peer not in need.sources:
                need.sources.append(peer)
            if need.peer and peer in need.sources[: need.sources.index(need.peer)]:
                need.peer, need.waiting = "", False
                need.asked.clear()
        self.pump(now)

    def left(self, peer: str) -> None:
        """A neighbour cannot be asked any more; what it was asked for is asked again of whoever is there."""
        self.up.discard(peer)
        for need in self.needs.values():
            if need.peer == peer:
                need.peer = ""
                need.asked.clear()

    def pump(self, now: float) -> None:
        """Ask for what may be asked for now: first what may come at once, then what is waited for."""
        for need in [need for need in self.needs.values() if need.asked and now - need.last > PATIENCE]:
            self._pass_over(need)
        for waiting, most in ((False, AT_ONCE), (True, LOOKING)):
            busy = Counter(need.peer for need in self.needs.values() if need.waiting is waiting)
            for need in self.needs.values():
                if need.waiting is waiting and not need.peer:
                    need.peer = next((s for s in need.sources if s in self.up and busy[s] < most), "")
                    need.last = now
                    busy[need.peer] += 1
                if need.waiting is waiting and need.peer:
                    self._ask(need, now)

    def waits(self, peer: str, sha: bytes, offset: int, now: float) -> None:
        """A neighbour has nothing of what it was asked for yet, and will remember the question; of too many it is the oldest that makes room."""
        need = self.needs.get(sha)
        if need is None or need.peer != peer or offset not in need.asked:
            return
        need.waiting = True
        others = [other for other in self.needs.values() if other.waiting and other.peer == peer and other is not need]
        if len(others) >= LOOKING:
            self._put_off(others[0])
        self.pump(now)

    def expects(self, peer: str, sha: bytes, offset: int, size: int) -> bool:
        """Whether this very chunk was asked of this neighbour and is the next one to write."""
        need = self.needs.get(sha)
        return need is not None and need.peer == peer and offset in need.asked and offset == need.have and size == min(CHUNK, need.size - offset)

    def wrote(self, sha: bytes, offset: int, size: int, now: float) -> None:
        """A chunk is on the disk."""
        need = self.needs[sha]
        took = now - need.asked.pop(offset, now)
        if not need.waiting:
            pace = self.pace[need.peer]
            self.pace[need.peer] = min(MOST, pace + 0.5) if took < QUICK else max(1.0, pace * 0.7) if took > SLOW else pace
        need.have, need.last, need.rounds, need.waiting = offset + size, now, 0, False
        self._ask(need, now)

    def again(self, sha: bytes, now: float) -> None:
        """The whole did not have the hash it should have: begin anew, with somebody else if there is anybody."""
        need = self.needs[sha]
        need.have = 0
        self._pass_over(need)
        need.last = now

    def _pass_over(self, need: Need) -> None:
        need.rounds += 1
        if need.rounds >= DESPERATE:
            need.sources.extend(peer for peer in sorted(self.up) if peer not in need.sources)
        if need.peer in need.sources:
            need.sources.remove(need.peer)
            need.sources.append(need.peer)
        need.waiting = True
        self._put_off(need)

    def _put_off(self, need: Need) -> None:
        """Everything else is asked for before this is asked for again."""
        need.peer = ""
        need.asked.clear()
        self.needs[need.sha] = self.needs.pop(need.sha)

    def _ask(self, need: Need, now: float) -> None:
        if need.waiting and need.asked:
            return
        offset = max([need.have, *(start + CHUNK for start in need.asked)])
        under_way = sum(len(other.asked) for other in self.needs.values() if other.peer == need.peer and not other.waiting)
        while offset < need.size and (need.waiting or under_way < max(1, int(self.pace[need.peer]))):
            under_way += 1
            need.asked[offset] = now
            self.ask(need.peer, need.sha, offset, min(CHUNK, need.size - offset))
            offset += CHUNK
            if need.waiting:
                return

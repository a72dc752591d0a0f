"""A TCP proxy that hurts: delay, jitter, thin lines, flipped bits, resets, stalls, one-way silence. Needs no root.

In a test it is a context manager that runs in a thread of its own::

    with Chaos("127.0.0.1:22001") as line:      # clients dial line.port
        line.set(delay_ms=50)
        line.cut()                              # resets what is open and refuses what comes
        line.heal()

From the command line: ``python -m tests.tcpchaos LISTEN_PORT HOST:PORT FAULTS.json``; the file is read again when it changes
and numbers go to ``FAULTS.json.stats``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import struct
import threading
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What the line does to what passes."""

    delay_ms: float = 0
    jitter_ms: float = 0
    rate_kbs: float = 0
    "Kilobytes a second each way; 0 for no limit."
    flip: float = 0
    "Probability for each kilobyte that one bit of it flips."
    cut_after: int = 0
    "Reset a connection after so many bytes one way."
    cut: float = 0
    "Probability for each piece that the connection is reset instead."
    stall: bool = False
    "Keep connections open and move nothing."
    refuse: bool = False
    "Reset whoever connects."
    half: bool = False
    "Pass only from client to server."
    chunk: int = 16384
    "Bytes read at once."


@dataclass
class Stats:
    """What has happened so far."""

    conns: int = 0
    flips: int = 0
    cuts: int = 0
    bytes: int = 0
    down_bytes: int = 0
    "Bytes from server to client."


@dataclass
class Chaos:
    """One proxied line; thread-safe to command, see the module's text."""

    target: str
    port: int = 0
    "Where to listen; chosen when 0."
    seed: int = 1
    faults: Faults = field(default_factory=Faults)
    stats: Stats = field(default_factory=Stats)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._changed: asyncio.Event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event = asyncio.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Chaos:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the proxy did not start")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._call(self._stop.set)
        if self._thread:
            self._thread.join(10)

    @property
    def endpoint(self) -> str:
        """Where to dial, as the courier's settings write it."""
        return f"tcp://127.0.0.1:{self.port}"

    def set(self, **changes: object) -> None:
        """Change some faults from now on."""
        self.faults = replace(self.faults, **changes)  # type: ignore[arg-type]
        self._call(self._wake)

    def reset(self) -> None:
        """Reset every open connection now."""
        self._call(self._abort)

    def cut(self) -> None:
        """The line is dead: what is open is reset, what dials is refused."""
        self.set(refuse=True)
        self.reset()

    def heal(self) -> None:
        """No faults any more."""
        self.faults = Faults()
        self._call(self._wake)

    def _call(self, what: object) -> None:
        if self._loop and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(what)  # type: ignore[arg-type]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _abort(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def serve(self, ready: threading.Event | None = None) -> None:
        """Listen until stopped."""
        self._loop, self._stop, self._changed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        if ready:
            ready.set()
        await self._stop.wait()
        server.close()
        self._abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stats.conns += 1
        host, port = self.target.removeprefix("tcp://").rsplit(":", 1)
        if self.faults.refuse:
            _reset(writer)
            return
        try:
            reader2, writer2 = await asyncio.open_connection(host, int(port))
        except OSError:
            _reset(writer)
            return
        self._open |= {writer, writer2}
        pumps = [asyncio.ensure_future(self._pump(reader, writer2, up=True)), asyncio.ensure_future(self._pump(reader2, writer, up=False))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for each in (writer, writer2):
            _reset(each)
        self._open -= {writer, writer2}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while True:
                await self._unblocked(up)
                data = await reader.read(self.faults.chunk)
                if not data:
                    return
                await self._unblocked(up)
                data = self._flip(data)
                await self._wait(len(data))
                room = self.faults.cut_after - passed
                if self.faults.cut_after and len(data) > room:
                    data = data[: max(0, room)]
                    writer.write(data)
                    await writer.drain()
                    self.stats.bytes += len(data)
                    self.stats.cuts += 1
                    return
                if self._random.random() < self.faults.cut:
                    self.stats.cuts += 1
                    return
                passed += len(data)
                self.stats.bytes += len(data)
                self.stats.down_bytes += 0 if up else len(data)
                writer.write(data)
                await writer.drain()

    async def _unblocked(self, up: bool) -> None:
        while self.faults.stall or (self.faults.half and not up):
            await self._changed.wait()

    async def _wait(self, size: int) -> None:
        faults = self.faults
        wait = faults.delay_ms + self._random.uniform(0, faults.jitter_ms) + (size / faults.rate_kbs if faults.rate_kbs else 0)
        if wait:
            await asyncio.sleep(wait / 1000)

    def _flip(self, data: bytes) -> bytes:
        if not self.faults.flip:
            return data
        out = bytearray(data)
        for start in range(0, len(out), 1024):
            if self._random.random() < self.faults.flip:
                at = self._random.randrange(start, min(start + 1024, len(out)))
                out[at] ^= 1 << self._random.randrange(8)
                self.stats.flips += 1
        return bytes(out)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a broken line does, not with FIN."""
    with contextlib.suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _follow(line: Chaos, file: Path) -> None:
    names = {f.name for f in fields(Faults)}
    seen = 0
    while True:
        with contextlib.suppress(OSError, ValueError):
            changed = file.stat().st_mtime_ns
            if changed != seen:
                seen = changed
                line.faults = Faults(**{k: v for k, v in json.loads(file.read_text()).items() if k in names})
                line._wake()
        temporary = file.with_name(file.name + ".stats.tmp")
        temporary.write_text(json.dumps(vars(line.stats)))
        temporary.replace(file.with_name(file.name + ".stats"))
        await asyncio.sleep(0.2)


async def _main(line: Chaos, file: Path) -> None:
    await asyncio.gather(line.serve(), _follow(line, file))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("target")
    parser.add_argument("faults", type=Path)
    given = parser.parse_args()
    asyncio.run(_main(Chaos(given.target, given.port), given.faults))

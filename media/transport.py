"""One UDP port for everybody, and the encrypted transport of one of them: the only file that touches private names of aiortc.

``RTCDtlsTransport`` of aiortc asks its ICE transport for ``_recv``, ``_send`` and ``role`` and nothing else; :class:`Ice` gives it those as an
ICE-lite agent (RFC 8445, 2.5) behind a socket that all share: a browser takes the controlling role and is learnt from its checks; between two
relays the one that calls has it, and sends the checks (:meth:`Ice.call`). Decrypted packets are taken before aiortc would route and decode
them. ``tests/media/test_transport.py`` fails when a version of aiortc moves one of these names.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from aioice import stun
from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80
from aiortc.rtp import is_rtcp
from pylibsrtp import Error as SrtpError

Address = tuple[str, int]
Handler = Callable[[bytes], None]
AT_ONCE = 64
"Datagrams read in one turn; asyncio's own transport reads one."
BUFFER = 4 << 20
"Bytes of the socket's buffers: a burst of key frames of twenty people."
SILENCE = 15.0
"Seconds without a check after which somebody is gone (RFC 7675: browsers check every 5 s)."
UNANSWERED = 1_000
"Checks of our own of which an answer may still come."
QUEUED = 64
"Datagrams of a handshake that may wait."


class Ice:
    """What aiortc's DTLS needs of ICE, for one neighbour on the shared port."""

    def __init__(self, port: Port) -> None:
        self.port, self.ufrag, self.pwd = port, secrets.token_hex(4), secrets.token_hex(16)
        self.role, self.state = "controlled", "new"
        self.address: Address | None = None
        self.heard = time.monotonic()
        self.media: Handler = lambda data: None
        self.called: tuple[str, str, Address] | None = None
        "Name, secret and address of a side that only answers, where this one checks the way."
        self._ready, self._queue = asyncio.Event(), asyncio.Queue[bytes | None](QUEUED)
        port.by_name[self.ufrag] = self

    async def _recv(self) -> bytes:
        data = await self._queue.get()
        if data is None:
            raise ConnectionError("closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self.address is not None:
            self.port.send(data, self.address)

    def handshake(self, data: bytes) -> None:
        """A datagram of DTLS; what comes faster than it is read is lost, as on any line."""
        if not self._queue.full():
            self._queue.put_nowait(data)

    def call(self, name: str, secret: str, address: Address) -> None:
        """Be the controlling side towards one that only answers; :meth:`check` again every few seconds keeps the way open."""
        self.role, self.called = "controlling", (name, secret, address)
        self.check()

    def check(self) -> None:
        """Ask the called side whether it hears us (RFC 8445, 7.2.2)."""
        if self.called is None:
            return
        name, secret, address = self.called
        asked = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        asked.attributes |= {"USERNAME": f"{name}:{self.ufrag}", "PRIORITY": 1, "ICE-CONTROLLING": secrets.randbits(64), "USE-CANDIDATE": None}
        asked.add_message_integrity(secret.encode())
        self.port.asked[asked.transaction_id] = self
        self.port.send(bytes(asked), address)

    def selected(self, address: Address) -> None:
        """The other side is at this address."""
        if self.address is not None:
            self.port.by_address.pop(self.address, None)
        self.address, self.state = address, "completed"
        self.port.by_address[address] = self
        self._ready.set()

    async def ready(self) -> None:
        """Until the other side was heard."""
        await self._ready.wait()

    def close(self) -> None:
        """Forget the other side."""
        self.state = "closed"
        self.port.by_name.pop(self.ufrag, None)
        self.called = None
        if self.address is not None and self.port.by_address.get(self.address) is self:
            del self.port.by_address[self.address]
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class Port:
    """The node's UDP port of media: who sent a datagram is told by its address, and by its name before that is known."""

    def __init__(self, ip: str, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.socket.bind((ip, port))
        self.socket.setblocking(False)
        self.ip, self.number = self.socket.getsockname()
        self.by_name: dict[str, Ice] = {}
        self.by_address: dict[Address, Ice] = {}
        self.asked: dict[bytes, Ice] = {}
        "Our own checks that were not answered yet, the latest ones."
        self.counts: Counter[str] = Counter()
        "What came, what went, and what was dropped and why."
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable)

    def close(self) -> None:
        """Give the port back."""
        asyncio.get_running_loop().remove_reader(self.socket.fileno())
        self.socket.close()

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram; a full queue is a lost packet, never a wait."""
        try:
            self.socket.sendto(data, address)
        except OSError:
            self.counts["unsent"] += 1

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, address = self.socket.recvfrom(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            self.take(data, address)

    def take(self, data: bytes, address: Address) -> None:
        """One datagram: STUN, DTLS or SRTP by its first byte (RFC 7983)."""
        first = data[0] if data else 255
        if first < 4:
            self._check(data, address)
        elif (ice := self.by_address.get(address)) is None:
            self.counts["stranger"] += 1
        elif 127 < first < 192:
            ice.media(data)
        elif 19 < first < 64:
            ice.handshake(data)
        else:
            self.counts["unknown"] += 1

    def _check(self, data: bytes, address: Address) -> None:
        try:
            asked = stun.parse_message(data)
            if asked.message_class == stun.Class.RESPONSE:
                self._answered(asked, address)
                return
            ice = self.by_name.get(str(asked.attributes.get("USERNAME", "")).split(":")[0])
            if ice is None or asked.message_class != stun.Class.REQUEST or not asked.check_message_integrity(ice.pwd.encode()):
                raise ValueError("a check by nobody who is known")
        except (ValueError, IndexError, KeyError, struct.error):
            self.counts["stun"] += 1
            return
        answer = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.RESPONSE, transaction_id=asked.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = address
        answer.add_message_integrity(ice.pwd.encode())
        self.send(bytes(answer), address)
        ice.heard = time.monotonic()
        if ice.address != address and ("USE-CANDIDATE" in asked.attributes or ice.address is None):
            ice.selected(address)

    def _answered(self, answer: stun.Message, address: Address) -> None:
        """An answer to a check of ours: the way is open."""
        ice = self.asked.pop(answer.transaction_id, None)
        while len(self.asked) > UNANSWERED:
            del self.asked[next(iter(self.asked))]
        if ice is None or ice.called is None or not answer.check_message_integrity(ice.called[1].encode()):
            raise ValueError("an answer to nothing")
        ice.heard = time.monotonic()
        if ice.address != address:
            ice.selected(address)


class _Dtls(RTCDtlsTransport):
    """aiortc's DTLS with AES-GCM preferred, and without its router of packets."""

    def __init__(self, ice: Ice, certificate: RTCCertificate) -> None:
        super().__init__(ice, [certificate])  # type: ignore[arg-type]  # it asks for three names only, see above
        self._srtp_profiles = [SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80]


class Peer:
    """One browser: its way to us and the keys of its packets."""

    def __init__(self, port: Port, certificate: RTCCertificate) -> None:
        self.ice = Ice(port)
        self._dtls = _Dtls(self.ice, certificate)
        self.on_rtp: Handler = lambda data: None
        self.on_rtcp: Handler = lambda data: None

    @property
    def fingerprint(self) -> tuple[str, str]:
        """(algorithm, value) of our certificate, for the description."""
        found = self._dtls.getLocalParameters().fingerprints[0]
        return found.algorithm, found.value

    @property
    def connected(self) -> bool:
        """Whether packets can go."""
        return bool(self._dtls.state == "connected")

    @property
    def gone(self) -> bool:
        """Whether it has ended, or was not heard for long."""
        return self._dtls.state in ("closed", "failed") or time.monotonic() - self.ice.heard > SILENCE

    async def start(self, parameters: RTCDtlsParameters, *, server: bool) -> bool:
        """Shake hands once the other side is heard; whether it went well."""
        await self.ice.ready()
        self._dtls._set_role("server" if server else "client")
        await self._dtls.start(parameters)
        if not self.connected:
            return False
        self._protect, self._protect_rtcp = self._dtls._tx_srtp.protect, self._dtls._tx_srtp.protect_rtcp
        self._open, self._open_rtcp = self._dtls._rx_srtp.unprotect, self._dtls._rx_srtp.unprotect_rtcp
        self.ice.media = self._media
        return True

    def _media(self, data: bytes) -> None:
        counts = self.ice.port.counts
        try:
            if is_rtcp(data):
                self.on_rtcp(self._open_rtcp(data))
            else:
                counts["in"] += 1
                self.on_rtp(self._open(data))
        except SrtpError:
            counts["srtp"] += 1

    def send(self, data: bytes) -> None:
        """Send an RTP packet."""
        self._go(self._protect, data)

    def send_rtcp(self, data: bytes) -> None:
        """Send an RTCP packet."""
        self._go(self._protect_rtcp, data)

    def _go(self, protect: Callable[[bytes], Any], data: bytes) -> None:
        if not self.connected or self.ice.address is None:
            return
        try:
            self.ice.port.send(protect(data), self.ice.address)
            self.ice.port.counts["out"] += 1
        except SrtpError:
            self.ice.port.counts["unsent"] += 1

    async def close(self) -> None:
        """Say goodbye and forget it."""
        await self._dtls.stop()
        self.ice.close()

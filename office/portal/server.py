"""The sockets of the portal: TLS in this process, deadlines, and a crowd at the door that stops nobody else.

Each connection is a greenlet. Until its request line and headers are read it is *half open*: it gets 14 seconds, and when there are
too many of them the oldest goes. A body must keep coming. Nothing a client does (a reset in the middle of the handshake, garbage, a full
table of files) ends the process: an error that left a managed thread would stop the whole container.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import resource
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import eventlet
from eventlet import wsgi
from eventlet.green import socket
from nameko.web.server import HttpOnlyProtocol, WebServer

from node import logs

HEADERS, STALL = 14.0, 30.0
"Seconds for handshake and headers together (of a kept connection: until the next headers are read), and for a write that does not move."
LINGER = 2.0
"Seconds for which a connection is heard out whose body nobody wants."
HALF_OPEN, OPEN = 512, 3000
"Connections whose headers are not read yet, and connections at all (less where the system allows fewer files)."
SLOWEST = 1024
"Bytes a second below which a body counts as stalled, after a grace of 15 seconds."
PIECE = 16 * 1024
log = logs.named("portal")


class Body:
    """A request's body: read in small pieces, each with its deadline, giving the others a turn in between."""

    def __init__(self, raw: Any) -> None:
        self._raw, self._read = raw, 0
        self._begun = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; all of them when negative."""
        if size is None or size < 0:
            return b"".join(iter(partial(self.read, PIECE), b""))
        return self._piece(self._raw.read, min(size, PIECE))

    def readline(self, size: int = -1) -> bytes:
        """A line, or a piece of one."""
        return self._piece(self._raw.readline, PIECE if size is None or size < 0 else min(size, PIECE))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _piece(self, read: Callable[[int], bytes], size: int) -> bytes:
        eventlet.sleep(0)  # a fast sender's socket is always readable, so nobody else would ever run
        allowed = HEADERS + (self._read + size) / SLOWEST - (time.monotonic() - self._begun)
        with eventlet.Timeout(max(0.001, allowed), TimeoutError("the body stalls")):
            data = read(size)
        self._read += len(data)
        return data


class Pieces:
    """``wsgi.file_wrapper`` that gives the others a turn at each piece."""

    def __init__(self, file: BinaryIO, size: int = 64 * 1024, *, most: int = -1) -> None:
        self._file, self._size, self._most = file, max(size, 64 * 1024), most

    def __iter__(self) -> Iterator[bytes]:
        left = self._most
        while data := self._file.read(self._size if left < 0 else min(self._size, left)):
            left -= len(data) if left >= 0 else 0
            yield data
            eventlet.sleep(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Protocol(HttpOnlyProtocol):  # type: ignore[misc]
    """HTTP/1.1 with a deadline for each request line and its headers."""

    wbufsize = 64 * 1024
    connection: Any
    "The client's socket, plain or under TLS."
    _lingers = False

    def handle_one_request(self) -> None:
        """Read a request within its time, then answer it without that limit."""
        crowd: Crowd = self.server.crowd
        self._deadline = eventlet.Timeout(crowd.left(self.connection), TimeoutError("the headers stall"))
        try:
            super().handle_one_request()
        finally:
            self._deadline.cancel()

    def parse_request(self) -> bool:
        """Headers read: the connection is not half open any more."""
        good: bool = super().parse_request()
        self._deadline.cancel()
        self.server.crowd.opened(self.connection)
        return good

    def get_environ(self) -> dict[str, Any]:
        """What the application gets, with this connection's way to say that it ends after the answer."""
        environ: dict[str, Any] = super().get_environ()
        environ["yiwang.hang_up"] = self._ends
        if self.server.tls and not isinstance(self.connection, ssl.SSLSocket):
            environ["yiwang.plain"], environ["wsgi.url_scheme"] = True, "http"
            environ.pop("HTTPS", None)
        return environ

    def _ends(self) -> None:
        self.close_connection, self._lingers = True, True

    def finish(self) -> None:
        """Close; where the client is still sending, only after it had time to read the answer, which a reset would destroy."""
        if self._lingers:
            with contextlib.suppress(OSError), eventlet.Timeout(LINGER, False):
                self.wfile.flush()
                _socket.socket.shutdown(getattr(self.connection, "fd", self.connection), _socket.SHUT_WR)
                while self.connection.recv(64 * 1024):
                    eventlet.sleep(0)
        super().finish()

    def version_string(self) -> str:
        """Nothing about versions."""
        return "yiwang"


class Crowd:
    """Who stands at the door: all connections, and those half open in the order they came."""

    def __init__(self, most: int) -> None:
        self.most, self.half, self.count = most, OrderedDict[Any, float](), 0

    def enters(self, sock: Any) -> None:
        """A connection came; when there are too many half open ones, the oldest is shown out."""
        self.count += 1
        self.half[sock] = time.monotonic() + HEADERS
        if len(self.half) > HALF_OPEN or self.count > self.most:
            oldest = next(iter(self.half))
            self.half.pop(oldest)
            _hang_up(oldest)

    def becomes(self, plain: Any, secured: Any) -> None:
        """The same connection, now under TLS."""
        until = self.half.pop(plain, None)
        if until is not None:
            self.half[secured] = until
            self.half.move_to_end(secured)

    def left(self, sock: Any) -> float:
        """Seconds that a connection has for its headers."""
        until = self.half.get(sock)
        return max(0.001, until - time.monotonic()) if until is not None else HEADERS

    def opened(self, sock: Any) -> None:
        """Its headers are read."""
        self.half.pop(sock, None)

    def leaves(self, *socks: Any) -> None:
        """The connection is gone."""
        self.count -= 1
        for sock in socks:
            self.half.pop(sock, None)


def _hang_up(sock: Any) -> None:
    with contextlib.suppress(OSError):
        _socket.socket.shutdown(getattr(sock, "fd", sock), _socket.SHUT_RDWR)  # wakes whoever reads from it


class Server(WebServer):  # type: ignore[misc]
    """nameko's web server with TLS, deadlines and a bounded crowd; ``config`` says where and for whom."""

    _starting: bool

    def start(self) -> None:
        """Listen; the port belongs to this process alone."""
        if self._starting:
            return
        self._starting = True
        config = self.container.config
        self._tls = Tls(*config["tls"]) if config.get("tls") else None
        self.crowd = Crowd(_most())
        host, port = config["address"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sock = eventlet.listen((host, port), family=family, backlog=1024, reuse_port=False)
        self._sock.settimeout(None)
        self._serv = self.get_wsgi_server(self._sock, config["app"](self), protocol=Protocol)
        self._gt = self.container.spawn_managed_thread(self.run)

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = Protocol, debug: bool = False) -> Any:
        """eventlet's server, silent, with our limits."""
        server = wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=protocol,
            debug=False,
            log_output=False,
            keepalive=True,
            socket_timeout=STALL,
            url_length_limit=8192,
        )
        server.crowd, server.tls = self.crowd, self._tls is not None
        if self._tls:
            server.environ = {"wsgi.url_scheme": "https", "HTTPS": "on"}
        return server

    def run(self) -> None:
        """Take connections; a full table of files is waited out."""
        while self._is_accepting:
            try:
                sock, address = self._sock.accept()
            except OSError as e:
                if not self._is_accepting:
                    return
                if e.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    log.warning("accept.failed", error=errno.errorcode[e.errno], open=self.crowd.count)
                    self._make_room()
                eventlet.sleep(0.05)
                continue
            sock.settimeout(STALL)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the end of a long page waits 40 ms for the browser's word
            self.crowd.enters(sock)
            self.container.spawn_managed_thread(partial(self.process_request, sock, address))

    def _make_room(self) -> None:
        for _one in range(min(32, len(self.crowd.half))):
            oldest, _until = self.crowd.half.popitem(last=False)
            _hang_up(oldest)

    def process_request(self, sock: Any, address: Any) -> None:
        """One connection from the handshake to its end; whatever happens stays here."""
        secured = sock
        try:
            if self._tls:
                with eventlet.Timeout(self.crowd.left(sock), TimeoutError("the handshake stalls")):
                    if _speaks_plainly(sock):  # somebody typed the address without https: the doorstep answers
                        self._serv.process_request([address, sock, wsgi.STATE_IDLE])
                        return
                    secured = self._tls.fresh().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                    self.crowd.becomes(sock, secured)
                    secured.do_handshake()
            self._serv.process_request([address, secured, wsgi.STATE_IDLE])
        except (OSError, eventlet.Timeout):  # resets, stalls, TLS errors: the client's affair
            pass
        except Exception as e:
            log.error("connection.failed", trace=True, error=type(e).__name__)
        finally:
            self.crowd.leaves(sock, secured)
            for one in (secured, sock):
                with contextlib.suppress(OSError, ValueError):
                    one.close()

    def stop(self) -> None:
        """Stop listening; what is under way is ended with the container."""
        self._is_accepting = False
        self._gt.kill()
        self._sock.close()
        super(WebServer, self).stop()


def _speaks_plainly(sock: Any) -> bool:
    """Whether a connection begins like an HTTP request and not like TLS, whose first byte is no letter."""
    first = sock.recv(1, _socket.MSG_PEEK)
    return first.isalpha()  # type: ignore[no-any-return]


class Tls:
    """TLS 1.2 or later with the node's certificate, which is renewed while connections stand."""

    def __init__(self, certificate: str, key: str) -> None:
        from eventlet.green import ssl as green

        self._files, self._loaded = (certificate, key), 0
        self._context: ssl.SSLContext = green.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self.fresh()

    def fresh(self) -> ssl.SSLContext:
        """What the next connection is secured with."""
        written = Path(self._files[0]).stat().st_mtime_ns
        if written != self._loaded:
            self._context.load_cert_chain(*self._files)
            self._loaded = written
        return self._context


def _most() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > soft:
        soft = min(hard if hard != resource.RLIM_INFINITY else 65536, 65536)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(16, min(OPEN, soft - 128))


def pairs(headers: Iterable[tuple[str, str]], *more: tuple[str, str]) -> list[tuple[str, str]]:
    """Headers with more of them, where they are not there already."""
    found = list(headers)
    names = {name.lower() for name, _ in found}
    return found + [(name, value) for name, value in more if name.lower() not in names]

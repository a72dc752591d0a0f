"""The names of aiortc that the transport relies on: a version that moves one of them must not go in unnoticed."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import pylibsrtp
from aioice import stun
from aiortc import RTCCertificate, RTCDtlsTransport

import media


def test_aiortc_is_the_one_that_was_read() -> None:
    """The transport was written against these versions; another one is read first, then named here."""
    assert version("aiortc").startswith("1.16.") and version("aioice").startswith("0.13.")


def test_the_private_names_are_where_they_were() -> None:
    """Roles, profiles, sessions, and the two calls of the ICE transport."""
    source = inspect.getsource(RTCDtlsTransport)
    for name in (
        "def _set_role(self, role",
        "self._srtp_profiles",
        "self._tx_srtp",
        "self._rx_srtp",
        "self.transport._recv()",
        "self.transport._send(",
    ):
        assert name in source, name
    assert set(inspect.signature(RTCDtlsTransport.__init__).parameters) == {"self", "transport", "certificates"}
    assert {"protect", "protect_rtcp", "unprotect", "unprotect_rtcp"} <= set(dir(pylibsrtp.Session))
    assert callable(stun.parse_message) and hasattr(stun.Message, "check_message_integrity") and callable(RTCCertificate.generateCertificate)


def test_private_names_stand_in_one_file() -> None:
    """No other module of the relay reaches into another's underscores."""
    for file in Path(media.__file__).parent.glob("*.py"):
        for found in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(found, ast.Attribute) and found.attr.startswith("_") and not found.attr.startswith("__"):
                own = isinstance(found.value, ast.Name) and found.value.id in ("self", "cls")
                assert own or file.name == "transport.py", (file.name, found.attr)

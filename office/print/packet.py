"""What a package (数据包) of a document holds, as values; ``office.print.packing`` writes and reads it in the process beside."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

WHOLE, ANNEXES = 32 * 2**20, 50
"Bytes of a package, packed and unpacked; annexes."
_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
"What XML 1.0 cannot say, and the carriage return; the line feed and the tab it can."


class File(msgspec.Struct, frozen=True):
    """An annex."""

    name: str
    mime: str
    data: bytes


class Packet(msgspec.Struct, frozen=True):
    """What a package holds."""

    elements: tuple[tuple[str, str], ...]
    "(name after GB/T 33480, value); those that a document has several of stand several times."
    text: tuple[str, ...]
    "A paragraph a line."
    page: bytes
    "PDF/A."
    annexes: Annotated[tuple[File, ...], msgspec.Meta(max_length=ANNEXES)] = ()
    envelope: bytes = b""
    "JSON."

    def all(self, name: str) -> tuple[str, ...]:
        """The values of an element."""
        return tuple(value for one, value in self.elements if one == name)

    def one(self, name: str) -> str:
        """The first value of an element; empty for none."""
        return next(iter(self.all(name)), "")


def clean(text: str) -> str:
    """A text without the characters that XML cannot carry."""
    return _ILLEGAL.sub("", text)

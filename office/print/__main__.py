"""The process that prints, signs or checks: ``python -m office.print render``, ``picture``, ``word``, ``take``, ``pack`` or ``unpack``, and with
``--home DIR`` ``sign``, ``seal`` or ``check``.

Input comes on stdin; a PDF or Word file goes to stdout, pictures as JSON, of a check its verdict, of a file taken over its words as JSON.

It limits itself in memory and processor time. What is refused goes to stderr as one line of JSON (``kind``, ``code``, ``message``)
and the exit status of its error.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from node import clock, identity, settings
from node.errors import Invalid, Misconfigured, NodeError
from node.settings import Settings

if TYPE_CHECKING:
    from office.print.sheet import Sheet

MEMORY, PROCESSOR = 2 * 2**30, 60
"Bytes of address space and seconds of processor time."
LIMITS = {"check": (512 * 2**20, 10), "take": (768 * 2**20, 6), "unpack": (512 * 2**20, 10), "picture": (MEMORY, 20)}
"The same for acts that read what strangers made or are only looked at; all of them give way to printing."


def main(argv: list[str] | None = None) -> int:
    """Do what was asked, once."""
    parser = argparse.ArgumentParser(prog="python -m office.print")
    parser.add_argument("act", choices=(*PURE, *ACTS))
    parser.add_argument("--home", type=Path)
    given = parser.parse_args(argv)
    memory, seconds = LIMITS.get(given.act, (MEMORY, PROCESSOR))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    if given.act in LIMITS:
        os.nice(10)  # what is printed meanwhile goes first
    try:
        data = sys.stdin.buffer.read()
        made = PURE[given.act](data) if given.act in PURE else ACTS[given.act](data, _home(given.home))
    except MemoryError:
        return _say(NodeError("the document is too large to print", code="too_large"))
    except NodeError as e:
        return _say(e)
    sys.stdout.buffer.write(made)
    return 0


def _say(e: NodeError) -> int:
    sys.stderr.write(json.dumps({"kind": type(e).code, "code": e.code, "message": e.message, "hint": e.hint}) + "\n")
    return e.exit_code


def _sheet(data: bytes) -> Sheet:
    from office.print.sheet import Sheet

    try:
        sheet = msgspec.json.decode(data, type=Sheet)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as e:
        raise Invalid(f"not a sheet: {e}", code="malformed") from None
    if sheet.seals and len(sheet.seals) != len(sheet.organs):
        raise Invalid("a sheet has no seal, or one for each organ", code="malformed")
    return sheet


def _word(data: bytes) -> bytes:
    from office.print import word

    return word.docx(_sheet(data))


def _take(data: bytes) -> bytes:
    from office.print import takeover

    return msgspec.json.encode(takeover.taken(data))


def _pack(data: bytes) -> bytes:
    from office.print.packet import Packet
    from office.print.packing import packed

    return packed(msgspec.msgpack.decode(data, type=Packet))


def _unpack(data: bytes) -> bytes:
    from office.print import packing

    return msgspec.msgpack.encode(packing.unpacked(data))


def _render(data: bytes) -> bytes:
    return _drawn(data)[0]


def _drawn(data: bytes, most: int | None = None) -> tuple[bytes, int]:
    """(the PDF, of its first pages only if so asked; how many pages there are)."""
    sheet = _sheet(data)
    try:
        from office.print import draw, fonts, layout

        found = fonts.Fonts()
        pages = layout.pages(sheet, found)
        found.check(pages)
        return draw.pdf(sheet, pages[:most], found), len(pages)
    except (ImportError, OSError) as e:
        raise Misconfigured(str(e).splitlines()[0], hint="ops/setup-debian.sh print", code="no_printer") from None


def _picture(data: bytes) -> bytes:
    from office.print import picture

    return msgspec.json.encode(picture.pictures(*_drawn(data, picture.MOST)))


def _home(home: Path | None) -> Settings:
    if home is None:
        raise Misconfigured("signing and checking need --home")
    return settings.load(home)


def _sign(data: bytes, home: Settings) -> bytes:
    from office.print import signature

    return signature.signed(data, home, clock.now())


def _seal(data: bytes, home: Settings) -> bytes:
    from office.print import signature
    from office.print.sheet import Sealing

    try:
        return signature.sealed(msgspec.msgpack.decode(data, type=Sealing), home)
    except msgspec.DecodeError as e:
        raise Invalid(f"not a page and a seal: {e}", code="malformed") from None


def _check(data: bytes, home: Settings) -> bytes:
    from office.print import check

    root = identity.root_of(home)
    return msgspec.json.encode(check.checked(data, root, clock.now()))


PURE = {"render": _render, "picture": _picture, "word": _word, "take": _take, "pack": _pack, "unpack": _unpack}
"Acts that need no home."
ACTS = {"sign": _sign, "seal": _seal, "check": _check}

if __name__ == "__main__":
    sys.exit(main())

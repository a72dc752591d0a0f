"""The words of an attached file, as far as a program can read them: for the gate of secrecy, not for readers."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

MOST = 64 * 2**20
"Bytes of a file, and of all that is unpacked from it at any depth, that are read."
PARTS, DEPTH, SECONDS = 5_000, 3, 30
"Parts of a package, packages in packages, and seconds for a PDF."
LISTED = 100_000
"Parts that a package may list, those of the packages in it included: each costs memory before anything is read."
# No sign in a tag is looked at twice: where a tag might run over the next "<", a file of nothing else would be searched for ever.
_TAG, _BREAK = re.compile(rb"<[^<>]*>"), re.compile(rb"</(?:w:p|a:p|text:p|text:h|si|row|p|tr|li|h\d|ofd:TextObject)>|<(?:w:br|w:tab|br)[ />]")
_MARKUP = (".xml", ".htm", ".html", ".rels")


@dataclass
class _Left:
    """Bytes that may still be unpacked of one file, by all packages in it together."""

    bytes: int


def words(file: BinaryIO) -> str | None:
    """The text of a file, its names inside included; nothing when it is a picture, a film, encrypted or otherwise not to be read."""
    return _words(file.read(8 + MOST), DEPTH, _Left(MOST))


def _words(data: bytes, depth: int, left: _Left) -> str | None:
    if data.startswith(b"PK\x03\x04"):
        return _package(data, depth, left) if depth and data.count(b"PK\x01\x02") <= LISTED else None
    if data.startswith(b"%PDF"):
        return _pdf(data)
    if data.startswith(b"{\\rtf"):
        return _rtf(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return _compound(data)
    return _plain(data)


def _package(data: bytes, depth: int, left: _Left) -> str | None:
    """docx, xlsx, pptx, odt, ofd and plain archives: the text of their parts; a part that cannot be opened makes the whole unread."""
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            for part in package.infolist()[:PARTS]:
                found.append(part.filename)
                if part.is_dir() or left.bytes <= 0:
                    continue
                with package.open(part) as stream:
                    inner = stream.read(left.bytes)
                left.bytes -= len(inner)
                found.append(_part(part.filename, inner, depth, left) or "")
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError):
        return None
    return "\n".join(found)


def _part(name: str, data: bytes, depth: int, left: _Left) -> str | None:
    return _stripped(data) if name.lower().endswith(_MARKUP) else _words(data, depth - 1, left)


def _stripped(data: bytes) -> str:
    text = _TAG.sub(b"", _BREAK.sub(b"\n", data)).decode("utf-8", "replace")
    return text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


def _rtf(data: bytes) -> str:
    text = re.sub(rb"\\u(-?\d{1,7}) ?\??", lambda m: chr(int(m[1]) % 65536).encode("gb18030", "replace"), data)
    text = re.sub(rb"\\'([0-9a-fA-F]{2})", lambda m: bytes.fromhex(m[1].decode()), text)
    return re.sub(rb"\\[a-z]+-?\d* ?|[{}]", b"", re.sub(rb"\\(?:par|line)\b ?", b"\n", text)).decode("gb18030", "replace")


def _compound(data: bytes) -> str:
    """The old formats of Office: their text lies in them as UTF-16 or as GBK, at an even or an odd place."""
    return "\n".join((data.decode("utf-16-le", "ignore"), data[1:].decode("utf-16-le", "ignore"), data.decode("gb18030", "ignore")))


def _plain(data: bytes) -> str | None:
    """A text in whatever encoding; nothing when it is none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:8192]:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:  # which of the two it is nobody can tell from the bytes
        return "\n".join(data.decode(code, "ignore") for code in ("gb18030", "big5"))
    return _stripped(data) if text.lstrip()[:1] == "<" else text


def _pdf(data: bytes) -> str | None:
    """By Poppler in a process of its own: a hostile file harms nobody. Without it, or when the pages are pictures, nothing is read."""
    program = shutil.which("pdftotext")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "-q", "-enc", "UTF-8", "-", "-"], input=data, capture_output=True, timeout=SECONDS)  # noqa: S603
    except (subprocess.TimeoutExpired, OSError):
        return None
    text = done.stdout.decode("utf-8", "replace")
    return text if text.strip() else None


_ENDINGS = (
    *("txt", "csv", "md", "htm", "html", "xml", "json", "rtf", "eml", "bpmn", "pdf", "ofd", "zip"),
    *("doc", "docx", "wps", "odt", "xls", "xlsx", "et", "ods", "ppt", "pptx", "dps", "odp"),
)
READ = tuple(f".{ending}" for ending in _ENDINGS)
"Endings of files whose words are read; what is in others a person must look at."

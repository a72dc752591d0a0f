"""The outside of a Word file: whether it is one, and safe to open, found before anything of it is parsed.

Zip archives say how large each part becomes, and ``zipfile`` gives no more of it than that: so the sum of what is said bounds the memory. No
part may bring a document type, the only way by which XML reaches for files, addresses or multiplied entities. Nothing that a file points to is
ever fetched; still only links and the name of its template may lie outside it, everything else would be missing from what a person sees.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from lxml import etree

from node.errors import Invalid, TooLarge

PARTS, WHOLE, MARKUP = 3_000, 64 * 2**20, 12 * 2**20
"Parts of a package, bytes of all of them unpacked, and of its XML parts together."
_XML = (".xml", ".rels")
_DECLARED = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_MACROS = (b"macroEnabled", b"vbaProject", b"vbaData")
_ALLOWED = ("/hyperlink", "/attachedTemplate")
"Ends of the types of relations that may lead outside the file."
_OLD = b"\xd0\xcf\x11\xe0"


def check(data: bytes) -> None:
    """Refuse what is no plain Word document: :class:`~node.errors.Invalid` or :class:`~node.errors.TooLarge`, with a code for each reason."""
    if data.startswith(_OLD):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise Invalid("encrypted" if locked else "of Word 97-2003", code="word_locked" if locked else "word_old")
    if not data.startswith(b"PK\x03\x04"):
        raise Invalid("no package", code="not_word")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _parts(package)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, SyntaxError) as e:
        raise Invalid(f"damaged: {e}", code="not_word") from None


def _parts(package: zipfile.ZipFile) -> None:
    parts = package.infolist()
    names = [part.filename for part in parts]
    markup = [part for part in parts if part.filename.lower().endswith(_XML)]
    if any(part.flag_bits & 1 for part in parts):
        raise Invalid("encrypted", code="word_locked")
    if len(parts) > PARTS or sum(part.file_size for part in parts) > WHOLE or sum(part.file_size for part in markup) > MARKUP:
        raise TooLarge("unpacks to more than is read", code="word_large")
    if len(set(names)) != len(names) or "[Content_Types].xml" not in names:
        raise Invalid("no package of Office", code="not_word")
    for part in markup:
        text = package.read(part)
        plain(text)
        if part.filename.lower().endswith(".rels"):
            _inside(text)
    types = package.read("[Content_Types].xml")
    if any(word in types for word in _MACROS) or any("vba" in name.lower() for name in names):
        raise Invalid("with macros", code="word_macros")
    if _MAIN not in types:
        raise Invalid("no Word document", code="not_word")


def plain(part: bytes) -> None:
    """XML in UTF-8 without a document type; in another encoding it could hide one."""
    declared = _DECLARED.match(part)
    if b"\0" in part or (declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii")):
        raise Invalid("a part is not in UTF-8", code="not_word")
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
        raise Invalid("a part brings entities", code="word_outside")


def _inside(relations: bytes) -> None:
    """Relations that do not lead outside, but for those that are harmless."""
    for one in etree.fromstring(relations, etree.XMLParser(resolve_entities=False, no_network=True)):
        if one.get("TargetMode", "").lower() == "external" and not one.get("Type", "").endswith(_ALLOWED):
            raise Invalid("refers to what lies outside it", code="word_outside")

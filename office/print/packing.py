"""A document as a package (数据包): one file in which it leaves this network or comes from another, by disk or by mail.

The parts are those of GB/T 33476-2016 and 33480-2016 as far as these are public: the eighteen core elements by their Chinese names, the text, the
page as PDF/A, the annexes, and a list with length and digest of every part. English names, codes and the XML of the standards were not seen, so
the form of ``document.xml`` and ``manifest.xml`` is our own, under a name of its own, and says so: see ``docs/package.md``.

    manifest.xml        every other part: path, class, name, type, length, SHA-256
    document.xml        the elements and the text, a paragraph each
    document.pdf        the page
    envelope.json       what the sender's system says beside: optional, of use to a system of the same kind only
    annexes/001 …       the annexes, in order

Zip and XML come from strangers. Nothing is unpacked to a disk, no part may be left out of the list or stand beside it, what the archive says of
its sizes bounds the memory, and XML may not bring a document type.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib

from lxml import etree

from node.errors import Invalid, TooLarge
from office.print.package import plain
from office.print.packet import ANNEXES, WHOLE, File, Packet, clean

NAMESPACE = "urn:yiwang:document-package:1"
"Ours, until the standards' own is known."
MARKUP = 2**20
"Bytes of one of its XML and JSON parts."
ELEMENTS, LONG = 4_000, 60_000
"Elements of a document, each of the repeated ones counted, and characters of one."
MANIFEST, DOCUMENT, PAGE, ENVELOPE = "manifest.xml", "document.xml", "document.pdf", "envelope.json"
_ANNEX = re.compile(r"annexes/(\d{3})")
_DAY = (1980, 1, 1, 0, 0, 0)


# --- out


def packed(packet: Packet) -> bytes:
    """The package; the same document gives the same bytes."""
    parts = [(DOCUMENT, "document", "", "application/xml", _document(packet)), (PAGE, "page", "", "application/pdf", packet.page)]
    parts += [(ENVELOPE, "envelope", "", "application/json", packet.envelope)] if packet.envelope else []
    parts += [(f"annexes/{place:03}", "annex", one.name, one.mime, one.data) for place, one in enumerate(packet.annexes, 1)]
    if sum(len(part[4]) for part in parts) > WHOLE:
        raise TooLarge("the parts are too large", code="package_large")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for path, data in ((MANIFEST, _manifest(parts)), *((part[0], part[4]) for part in parts)):
            info = zipfile.ZipInfo(path, _DAY)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            package.writestr(info, data)
    return made.getvalue()


def _document(packet: Packet) -> bytes:
    root = _root("公文")
    elements = etree.SubElement(root, _named("元数据"))
    for name, value in packet.elements:
        etree.SubElement(elements, _named(name)).text = clean(value)
    text = etree.SubElement(root, _named("正文"))
    for line in packet.text:
        etree.SubElement(text, _named("段")).text = clean(line)
    return _bytes(root)


def _manifest(parts: list[tuple[str, str, str, str, bytes]]) -> bytes:
    root = _root("清单")
    for path, group, name, mime, data in parts:
        one = etree.SubElement(root, _named("文件"))
        one.set("路径", path)
        one.set("类别", group)
        one.set("名称", clean(name))
        one.set("类型", mime)
        one.set("长度", str(len(data)))
        one.set("摘要", hashlib.sha256(data).hexdigest())
    return _bytes(root)


def _root(name: str) -> etree._Element:
    root = etree.Element(_named(name), nsmap={None: NAMESPACE})
    root.set("版本", "1")
    return root


def _named(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _bytes(root: etree._Element) -> bytes:
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return made


# --- in


def unpacked(data: bytes) -> Packet:
    """What a package holds; every refusal has a code of its own, and names the part where there is one."""
    if len(data) > WHOLE:
        raise TooLarge("too large", code="package_large")
    if not data.startswith(b"PK\x03\x04"):
        raise Invalid("no zip archive", code="package_not")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = _parts(package)
        return _packet(parts)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError) as e:
        raise Invalid(f"damaged: {e}", code="package_not") from None
    except etree.XMLSyntaxError as e:
        raise Invalid(str(e), code="package_xml") from None


def _parts(package: zipfile.ZipFile) -> dict[str, bytes]:
    found = package.infolist()
    names = [one.filename for one in found]
    if any(one.flag_bits & 1 for one in found):
        raise Invalid("encrypted", code="package_locked")
    if len(found) > ANNEXES + 4 or sum(one.file_size for one in found) > WHOLE:
        raise TooLarge("unpacks to more than is read", code="package_large")
    for name in names:
        if name not in (MANIFEST, DOCUMENT, PAGE, ENVELOPE) and not _ANNEX.fullmatch(name):
            raise Invalid(name[:80], code="package_path")
    if len(set(names)) != len(names):
        raise Invalid("a part stands twice", code="package_path")
    for name in (MANIFEST, DOCUMENT, PAGE):
        if name not in names:
            raise Invalid(name, code="package_missing")
    if any(one.file_size > MARKUP for one in found if one.filename in (MANIFEST, DOCUMENT, ENVELOPE)):
        raise TooLarge("more markup than is read", code="package_large")
    return {name: package.read(name) for name in names}


def _packet(parts: dict[str, bytes]) -> Packet:
    listed = _listed(_parsed(parts[MANIFEST], "清单"))
    for path in listed:
        if path not in parts:
            raise Invalid(path, code="package_missing")
    for path, data in parts.items():
        if path != MANIFEST and path not in listed:
            raise Invalid(path, code="package_path")
        if path != MANIFEST and (len(data), hashlib.sha256(data).hexdigest()) != listed[path][2:]:
            raise Invalid(path, code="package_digest")
    annexes = sorted(path for path in listed if _ANNEX.fullmatch(path))
    files = tuple(File(listed[path][0], listed[path][1], parts[path]) for path in annexes)
    root = _parsed(parts[DOCUMENT], "公文")
    elements = tuple((etree.QName(one).localname, one.text or "") for one in root.iterfind(f"{_named('元数据')}/*"))
    text = tuple(one.text or "" for one in root.iterfind(f"{_named('正文')}/{_named('段')}"))
    if len(elements) > ELEMENTS or any(len(value) > LONG for _name, value in elements):
        raise TooLarge("more elements than are read", code="package_large")
    return Packet(elements, text, parts[PAGE], files, parts.get(ENVELOPE, b""))


def _listed(root: etree._Element) -> dict[str, tuple[str, str, int, str]]:
    """What the list says of every part: name, type, length, digest."""
    found = {}
    for one in root.iterfind(_named("文件")):
        path, length = str(one.get("路径", "")), str(one.get("长度", ""))
        if path in found or not re.fullmatch(r"\d{1,10}", length, re.ASCII):
            raise Invalid(path[:80], code="package_xml")
        found[path] = (str(one.get("名称", ""))[:300], str(one.get("类型", ""))[:100], int(length), str(one.get("摘要", "")))
    return found


def _parsed(data: bytes, name: str) -> etree._Element:
    try:
        plain(data)
    except Invalid as e:
        raise Invalid(e.message, code="package_xml") from None
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True))
    if root.tag != _named(name) or root.get("版本") != "1":
        raise Invalid(str(root.tag)[:80], code="package_strange")
    return root

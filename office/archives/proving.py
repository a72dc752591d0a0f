"""四性检测: is an item still what was filed, is all of it here, can it be read, is it harmless. Looks at the disk, not at what tables remember.

The text is taken from the journal again, its signatures and the seal are checked, each file is read and compared with the hash in the document.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator
from functools import partial

from node import entry as signed
from node import keys, kinds
from node.blobs import Blobs
from node.codec import pack, unpack
from node.errors import Forged, NodeError
from office.archives import entries as said
from office.archives.entries import Finding
from office.archives.filing import step, wish
from office.archives.model import Item, Original, Step, Tally
from office.archives.workflow import State, class_name
from office.documents.entries import Annex, Envelope, rendering_digest, seal_signed
from office.frame.desk import Desk

OCCASIONS = ("filing", "kept", "transfer")
LASTING = ("pdf", "ofd", "txt", "xml", "html", "csv", "png", "jpg", "jpeg", "tif", "tiff", "docx", "xlsx", "pptx", "odt", "ods", "mp3", "mp4", "wav")
"Forms of files that are expected to be readable in thirty years."
HARMFUL = re.compile(rb"\A(MZ|\x7fELF|#!|\xca\xfe\xba\xbe)|X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}|vbaProject\.bin")
"Programs, the test virus, macros: what has no place in an archive. A virus scanner beside the node looks further."
HEAD = 4 * 1024 * 1024
"Bytes of a file that are looked at for harm."


def test(desk: Desk, item: str, *, occasion: str = "kept") -> tuple[Finding, ...]:
    """Test an item and put the result on record; what was found."""
    found = step(desk, item, "test")
    result = tuple(findings(desk, found))
    desk.together([wish(desk, found, said.Tested(found.organ, occasion if occasion in OCCASIONS else "kept", result))])
    return result


def findings(desk: Desk, item: Item) -> Iterator[Finding]:
    """What is wrong with an item, by property."""
    original = next(iter(desk.list(Original, Original.doc == item.doc)), None)
    if original is None:
        yield Finding("complete", "text_missing", item.code)
        return
    yield from _authentic(desk, item, original)
    yield from _complete(desk, item, original.envelope)
    blobs = Blobs(desk.settings)
    for annex in original.envelope.paper.annexes:
        yield from desk.office.aside(partial(_files, blobs, annex))


def _authentic(desk: Desk, item: Item, original: Original) -> Iterator[Finding]:
    envelope = original.envelope
    if item.digest and rendering_digest(envelope) != item.digest:
        yield Finding("authentic", "text_changed", item.code)
    try:
        written = _written(desk, original)
    except NodeError as e:
        yield Finding("authentic", "journal", str(e)[:200])
        return
    if pack(written) != original.envelope_bytes:
        yield Finding("authentic", "table_changed", item.code)
    mark = written.seal
    if mark is None:
        return
    seal = desk.directory.signer(mark.fingerprint)
    try:
        if seal is None or mark.digest != rendering_digest(written):
            raise Forged("the seal is not over this text")
        keys.verify(seal.key, mark.signature, seal_signed(mark.digest))
    except NodeError as e:
        yield Finding("authentic", "seal", str(e)[:200])


def _written(desk: Desk, original: Original) -> Envelope:
    """The envelope as it stands in the journal, its place, digest and signature checked."""
    (place,) = desk.ledger.found(original.chain, original.seq, original.seq + 1) or (None,)
    if place is None or signed.header_hash(place.header) != original.hash:
        raise Forged("the entry is not the one that was filed")
    body = unpack(desk.ledger.body(original.chain, original.seq), signed.Body)
    statement = unpack(body.statement, signed.Statement)
    signer = desk.directory.signer(statement.signer)
    if signed.statement_id(body.statement) != original.said or signed.content_digest(body.salt, body.content) != statement.digest:
        raise Forged("the statement is not the one that was filed")
    if signer is None:
        raise Forged("the signer is not known")
    keys.verify(signer.key, body.signature, signed.statement_signed(body.statement))
    content = kinds.decode(statement.kind, body.content)
    found = getattr(content, "envelope", None)
    if not isinstance(found, Envelope):
        raise Forged("the entry holds no document")
    return found


def _complete(desk: Desk, item: Item, envelope: Envelope) -> Iterator[Finding]:
    missing = [name for name in ("title", "creator", "doc_date", "code") if not getattr(item, name)]
    if missing and item.state != State.PROPOSED:
        yield Finding("complete", "metadata", " ".join(missing))
    if not desk.list(Step, Step.record == item.source, limit=1):
        yield Finding("complete", "sheet_missing", item.code)
    if not envelope.paper.text.strip() and not envelope.paper.annexes:
        yield Finding("usable", "text_empty", item.code)
    name = class_name(item.fonds, item.year, item.retention, item.section)
    where = (Item.fonds == item.fonds, Item.year == item.year, Item.retention == item.retention, Item.section == item.section, Item.number > 0)
    last = next((tally.last for tally in desk.list(Tally, Tally.name == name)), 0)
    if item.number and desk.count(Item, *where) != last:
        yield Finding("complete", "gap", name)


def _files(blobs: Blobs, annex: Annex) -> list[Finding]:
    return list(_file(blobs, annex))


def _file(blobs: Blobs, annex: Annex) -> Iterator[Finding]:
    read, plain, head = 0, hashlib.sha256(), bytearray()
    if not blobs.has(annex.sha):
        yield Finding("complete", "file_missing", annex.name)
        return
    try:
        for part in blobs.open(annex.sha, annex.key):
            plain.update(part)
            read += len(part)
            head += part[: max(0, HEAD - len(head))]
    except NodeError:
        yield Finding("authentic", "file_changed", annex.name)
        return
    if plain.digest() != annex.plain or read != annex.size:
        yield Finding("authentic", "file_changed", annex.name)
    if annex.name.rpartition(".")[2].lower() not in LASTING:
        yield Finding("usable", "form", annex.name)
    if HARMFUL.search(bytes(head)):
        yield Finding("safe", "harmful", annex.name)
    if blobs.path(annex.sha).stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        yield Finding("safe", "open_to_others", annex.name)

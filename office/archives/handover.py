"""移交: a package that needs none of this program to be read and checked: plain pages, text, XML and JSON, files, checksums, proofs and the verifier.

A package is a ZIP with a list (``index.html``, ``清册.csv``), one folder an item, ``checksums.sha256`` for ``sha256sum -c``, the city's root and
``yiwang-verify.py``, which runs on any Python and checks each ``evidence.jsonl``. It is written to disk and hashed before anything is said.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from node import clock, evidence
from node.blobs import Blobs
from node.codec import uuid7
from node.errors import Invalid, Misconfigured, Refused
from office.archives import entries as said
from office.archives import workflow
from office.archives.filing import MANY
from office.archives.model import Item, Original, Step
from office.archives.proving import findings
from office.archives.workflow import FILERS, State
from office.documents.entries import RECEIPTS, rendering
from office.frame.desk import Desk
from office.frame.rights import acting_post, roles
from office.frame.words import _

COLUMNS = ("code", "title", "creator", "doc_no", "doc_date", "year", "retention", "section", "number", "pages", "openness", "label")
STYLE = (
    "body{font:16px/1.7 serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.3em .6em}"
)


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package on disk."""

    file: Path
    "In the temporary folder of the home; whoever asked for it removes it."
    digest: bytes
    items: tuple[str, ...]


def pack(desk: Desk, items: Sequence[str]) -> Package:
    """Write a package of items that are kept; :class:`Refused` names the first that fails the four-property test."""
    found = [desk.get(Item, id) for id in dict.fromkeys(items)]
    organs = {item.organ for item in found}
    if not found or len(found) > MANY or len(organs) != 1:
        raise Invalid(_("请选择同一机关的一至 {n} 件。").format(n=MANY), code="none_chosen")
    if not set(FILERS) & roles(desk, organs.pop()):
        raise Refused(_("您的岗位不能办理这一步。"), code="not_yours")
    for item in found:
        if item.state not in (State.KEPT, State.TRANSFERRED):
            raise Refused(_("只有已归档的才能移交。"), code="not_kept")
        bad = next(iter(findings(desk, item)), None)
        if bad is not None:
            raise Refused(_("{code} 未通过四性检测，不能移交。").format(code=item.code), code="test_failed")
    found.sort(key=lambda item: item.code)
    with tempfile.NamedTemporaryFile(dir=desk.settings.path("blobs", "partial"), suffix=".zip", delete=False) as out:
        file = Path(out.name)
        try:
            _fill(desk, out, found)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    return Package(file=file, digest=_hash(file), items=tuple(item.id for item in found))


def transfer(desk: Desk, package: Package, *, archive: str) -> None:
    """Put on record that a package was handed over to an archive."""
    if not archive.strip() or len(archive) > 100:
        raise Invalid(_("请写明接收的档案馆。"), code="malformed")
    found = [desk.get(Item, id) for id in package.items]
    organ = found[0].organ
    body = said.Transferred(organ, package.items, archive.strip(), package.digest)
    after = tuple(item.said for item in found)
    desk.write(body, record=uuid7(), after=after, touches=package.items, post=acting_post(desk, organ, FILERS))


def _hash(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _fill(desk: Desk, out: Any, items: Sequence[Item]) -> None:
    sums = io.StringIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, parts: Iterable[bytes]) -> None:
            total = hashlib.sha256()
            with archive.open(name, "w", force_zip64=True) as entry:
                for part in parts:
                    total.update(part)
                    entry.write(part)
            sums.write(f"{total.hexdigest()}  {name}\n")

        for item in items:
            for name, parts in _item(desk, item):
                place = f"{_folder(item)}/{name}"
                if name.startswith("files/"):  # large, and nothing but the disk is asked
                    desk.office.aside(partial(add, place, parts))
                else:
                    add(place, parts)
        add("index.html", [_index(desk, items).encode()])
        add("清册.csv", [_listing(items)])
        add("README.txt", [_readme(desk).encode()])
        add("root.pem", [desk.settings.path("certs", "root.pem").read_bytes()])
        add("yiwang-verify.py", [_verifier()])
        archive.writestr("checksums.sha256", sums.getvalue())


def _item(desk: Desk, item: Item) -> Iterator[tuple[str, Iterable[bytes]]]:
    """(name, bytes) of everything in the folder of an item."""
    original = desk.get(Original, item.doc)
    envelope, steps = original.envelope, desk.list(Step, Step.record == item.source, order=(Step.at, Step.id))
    yield "text.txt", [rendering(envelope).encode()]
    yield "index.html", [_page(desk, item, original, steps).encode()]
    about = _metadata(desk, item, original, steps)
    yield "metadata.json", [json.dumps(about, ensure_ascii=False, indent=1).encode()]
    yield "metadata.xml", [_xml(about)]
    for place, annex in enumerate(envelope.paper.annexes, 1):
        yield f"files/{place:02}-{_safe(annex.name)}", Blobs(desk.settings).open(annex.sha, annex.key)
    shown = [original.said, *(step.id for step in steps if step.kind in RECEIPTS)]
    yield "evidence.jsonl", evidence.evidence(desk.ledger, desk.directory, desk.settings, shown, doc=item.doc)


def _folder(item: Item) -> str:
    return f"items/{_safe(item.code)}"


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-._·" else "_" for c in name)[-120:]


def _metadata(desk: Desk, item: Item, original: Original, steps: Sequence[Step]) -> dict[str, Any]:
    fields = {name: getattr(item, name) for name in COLUMNS}
    files = [{"name": a.name, "bytes": a.size, "sha256": a.plain.hex()} for a in original.envelope.paper.annexes]
    done = [{"at": clock.from_ms(step.at).isoformat(), "act": step.kind, "by": _name(desk, step), "words": step.text} for step in steps]
    proof = {"statement": original.said.hex(), "origin": original.author, "chain": original.chain.hex(), "seq": original.seq}
    return {"format": "yiwang archive item 1", "id": item.id, "document": item.doc, **fields, "files": files, "process": done, "signature": proof}


def _name(desk: Desk, step: Step) -> str:
    person, post = desk.directory.person(step.person), desk.directory.post(step.post)
    return (person.name if person is not None else step.person) + (f"（{post.title}）" if post is not None else "")


def _xml(about: dict[str, Any]) -> bytes:
    root = ElementTree.Element("item")

    def put(above: ElementTree.Element, name: str, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            below = ElementTree.SubElement(above, name)
            if isinstance(one, dict):
                for key, inner in one.items():
                    put(below, key, inner)
            else:
                below.text = "".join(c for c in str(one) if c in "\n\t" or ord(c) >= 32)

    for name, value in about.items():
        put(root, name, value)
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _listing(items: Sequence[Item]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("档号", "题名", "责任者", "文号", "日期", "年度", "保管期限", "机构", "件号", "页数", "开放意见", "标识"))
    for item in items:
        table.writerow([getattr(item, name) for name in COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode()  # spreadsheets know UTF-8 by this mark


def _html(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="zh-CN">{head}<h1>{escape(title)}</h1>{body}</html>\n'


def _index(desk: Desk, items: Sequence[Item]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("档号", "题名", "责任者", "文号", "日期", "页数"))
    rows = "".join(
        f'<tr><td><a href="{escape(_folder(item))}/index.html">{escape(item.code)}</a></td>'
        + "".join(f"<td>{escape(str(value))}</td>" for value in (item.title, item.creator, item.doc_no, item.doc_date, item.pages))
        + "</tr>"
        for item in items
    )
    organ = desk.directory.organ(items[0].organ)
    name = organ.full_name if organ is not None else items[0].organ
    about = f"<p>{escape(name)}　{len(items)} 件　{desk.now:%Y-%m-%d}</p><p>核对方法见 <a href='README.txt'>README.txt</a>。</p>"
    return _html("档案移交清册", f"{about}<table><tr>{head}</tr>{rows}</table>")


def _page(desk: Desk, item: Item, original: Original, steps: Sequence[Step]) -> str:
    labels = ("档号", "责任者", "文号", "日期", "保管期限", "标识")
    pairs = zip(labels, (item.code, item.creator, item.doc_no, item.doc_date, item.retention, item.label), strict=True)
    facts = "".join(f"<tr><th>{label}</th><td>{escape(str(value))}</td></tr>" for label, value in pairs)
    paper = original.envelope.paper
    text = "".join(f"<p>{escape(line)}</p>" for line in paper.text.split("\n"))
    names = [(f"files/{place:02}-{_safe(annex.name)}", annex) for place, annex in enumerate(paper.annexes, 1)]
    files = "".join(f'<li><a href="{escape(name)}">{escape(annex.name)}</a>（{annex.size} B）</li>' for name, annex in names)
    done = "".join(
        f"<tr><td>{clock.from_ms(step.at).astimezone(workflow.SHANGHAI):%Y-%m-%d %H:%M}</td><td>{escape(step.kind)}</td>"
        f"<td>{escape(_name(desk, step))}</td><td>{escape(step.text)}</td></tr>"
        for step in steps
    )
    return _html(item.title, f"<table>{facts}</table><h2>正文</h2>{text}<h2>附件</h2><ul>{files}</ul><h2>办理过程</h2><table>{done}</table>")


def _readme(desk: Desk) -> str:
    return (
        "档案移交包 / Archive package\n\n"
        "index.html      清册，用任何浏览器打开 / list, opens in any browser\n"
        "items/*/        每件一个文件夹：index.html、text.txt、metadata.json、metadata.xml、files/、evidence.jsonl\n"
        "checksums.sha256  核对：sha256sum -c checksums.sha256\n"
        "yiwang-verify.py  核对签名：python3 yiwang-verify.py items/*/evidence.jsonl --root root.pem\n\n"
        "不需要安装任何专用软件。签名核对需要 Python 3 和 cryptography。\n"
        "No special software is needed. Checking signatures needs Python 3 with its package cryptography.\n\n"
        f"{desk.settings.name} {workflow.day(desk.now).isoformat()}\n"
    )


def _verifier() -> bytes:
    """The stand-alone verifier, a file that is installed with the program and shares no code with it."""
    found = importlib.util.find_spec("ops")
    for folder in found.submodule_search_locations or () if found is not None else ():
        file = Path(folder) / "yiwang-verify.py"
        if file.exists():
            return file.read_bytes()
    raise Misconfigured("the verifier is not installed: ops/yiwang-verify.py is missing")

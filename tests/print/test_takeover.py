"""Word files of our own and of others taken over into a draft, and those that are refused."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor
from PIL import Image

from node.errors import Invalid, Refused, TooLarge
from office.frame.words import speaking
from office.print import press
from office.print.press import render, take, word
from office.print.sheet import Sheet
from office.print.taken import Taken
from office.print.takeover import taken
from tests.print.sheets import FILE, LETTER, MINUTES, ORDER, UPWARD


def built(*more: Callable[[Any], object], title: bool = True) -> bytes:
    """A file as a stranger writes it: red mark, large title around the middle, recipients, text; and whatever is done to it besides."""
    file = Document()
    mark = file.add_paragraph()
    mark.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = mark.add_run("某某县水利局文件")
    run.font.size, run.font.color.rgb = Pt(36), RGBColor(0xFF, 0, 0)
    if title:
        for line in ("关于报送防汛物资", "储备情况的函"):
            made = file.add_paragraph()
            made.alignment = WD_ALIGN_PARAGRAPH.CENTER
            made.add_run(line).font.size = Pt(22)
    file.add_paragraph("市水利局、市应急管理局：")
    file.add_paragraph("现将有关情况函告如下：")
    for change in more:
        change(file)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """The package with its parts changed and others added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, part in more.items():
            new.writestr(name, part)
    return out.getvalue()


def kinds(found: Taken) -> dict[str, int]:
    """What was lost and how often."""
    return {one.kind: one.count for one in found.lost}


@pytest.mark.parametrize(
    "sheet", [msgspec.structs.replace(FILE, secrecy="内部"), UPWARD, LETTER, ORDER, MINUTES], ids=["file", "upward", "letter", "order", "minutes"]
)
def test_a_file_of_our_own_comes_back_as_it_went(sheet: Sheet) -> None:
    """Title, 主送 and every paragraph come back unchanged, and what the office prints by itself is named as left behind, nothing else."""
    found = taken(word(sheet))
    ordered = sheet is ORDER
    assert found.title == ("" if ordered else sheet.title) and found.to == sheet.to
    assert found.text == "\n".join(paragraph.text for paragraph in sheet.paragraphs)
    assert set(kinds(found)) <= {"head", "issued", "record", "annexes", *(["title"] if ordered else [])}


def test_a_strangers_file_is_understood() -> None:
    """Title of two lines, recipients below it, the red mark above it left behind; numbers that Word counts by itself stand in the text."""

    def counted(file: Any) -> None:
        file.add_heading("基本情况", 1)
        file.add_paragraph("编织袋", style="List Number")
        file.add_paragraph("铁锹", style="List Number")
        file.add_heading("存在问题", 1)

    found = taken(built(counted))
    assert (found.title, found.to) == ("关于报送防汛物资储备情况的函", "市水利局、市应急管理局")
    assert found.text.splitlines() == ["现将有关情况函告如下：", "一、基本情况", "1.编织袋", "2.铁锹", "二、存在问题"]
    assert kinds(found) == {"head": 1, "numbered": 2} and found.lost[0].said == "某某县水利局文件"


def test_without_a_title_nothing_is_guessed() -> None:
    """A file without a title says so, and all its lines are text: no line with a colon becomes recipients."""
    found = taken(built(title=False))
    assert (found.title, found.to, kinds(found)["title"]) == ("", "", 1)
    assert found.text.splitlines() == ["某某县水利局文件", "市水利局、市应急管理局：", "现将有关情况函告如下："]


def revised(file: Any) -> None:
    """A revision, a table, a picture, a bullet, hidden words, a header."""
    line = file.add_paragraph("保留")._p
    line.append(parse_xml(f'<w:del {nsdecls("w")} w:id="1" w:author="a"><w:r><w:delText>删去</w:delText></w:r></w:del>'))
    line.append(parse_xml(f'<w:ins {nsdecls("w")} w:id="2" w:author="a"><w:r><w:t>加入</w:t></w:r></w:ins>'))
    line.append(parse_xml(f"<w:r {nsdecls('w')}><w:rPr><w:vanish/></w:rPr><w:t>隐藏</w:t></w:r>"))
    table = file.add_table(2, 2)
    for place, text in enumerate(("名称", "数量", "沙袋", "300")):
        table.cell(*divmod(place, 2)).text = text
    pixel = io.BytesIO()
    Image.new("L", (1, 1)).save(pixel, "PNG")
    file.add_picture(pixel)
    file.add_paragraph("要点", style="List Bullet")
    file.add_paragraph().add_run("重要").bold = True
    file.sections[0].header.paragraphs[0].text = "内部资料"


def test_what_is_left_behind_is_named() -> None:
    """Struck out, hidden, pictures, bullets, headers, tables: each is counted by its name, and only what is in force is text."""
    found = taken(built(revised))
    assert found.text.splitlines()[1:] == ["保留加入", "名称　数量", "沙袋　300", "要点", "重要"]
    wanted = {"deleted": 1, "inserted": 1, "hidden": 1, "tables": 1, "pictures": 1, "bullets": 1, "emphasis": 1, "margins": 1}
    assert wanted.items() <= kinds(found).items()


def _locked() -> bytes:
    data = bytearray(built())
    for at in (i for i in range(len(data) - 4) if data[i : i + 4] == b"PK\x01\x02"):
        data[at + 8] |= 1
    return bytes(data)


def _lying() -> bytes:
    """A package in which a part says that it unpacks to nearly nothing."""
    data = bytearray(repacked(built(), lambda _name, part: part, bomb=bytes(2**20)))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(data)


def _with(change: Callable[[str, bytes], bytes]) -> bytes:
    return repacked(built(), change)


def _entity(name: str, part: bytes) -> bytes:
    head = b'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/hostname">]>'
    return part.replace(b"<w:document", head + b"<w:document", 1) if name == "word/document.xml" else part


def _outside(kind: str) -> Callable[[str, bytes], bytes]:
    rel = f'<Relationship Id="rX" Type="http://x/relationships/{kind}" Target="http://127.0.0.1:1/x" TargetMode="External"/>'.encode()
    return lambda name, part: part.replace(b"</Relationships>", rel + b"</Relationships>") if name == "word/_rels/document.xml.rels" else part


def _utf16(name: str, part: bytes) -> bytes:
    return part.decode().replace("UTF-8", "UTF-16", 1).encode("utf-16") if name == "word/document.xml" else part


def _cut(name: str, part: bytes) -> bytes:
    return part[: len(part) // 2] if name == "word/document.xml" else part


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not_word"),
    "a text": (lambda: "关于……的函".encode(), "not_word"),
    "a PDF": (lambda: b"%PDF-1.7\n", "not_word"),
    "another archive": (lambda: repacked(built(), lambda name, part: b"x" if name == "[Content_Types].xml" else part), "not_word"),
    "old": (lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "word_old"),
    "encrypted by Word": (lambda: b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "word_locked"),
    "an encrypted archive": (_locked, "word_locked"),
    "macros by type": (lambda: _with(lambda name, part: part.replace(b"document.main+xml", b"document.macroEnabled.main+xml")), "word_macros"),
    "macros by part": (lambda: repacked(built(), lambda _name, part: part, **{"word/vbaProject.bin": b"x"}), "word_macros"),
    "entities": (lambda: _with(_entity), "word_outside"),
    "a picture elsewhere": (lambda: _with(_outside("image")), "word_outside"),
    "an object elsewhere": (lambda: _with(_outside("oleObject")), "word_outside"),
    "another encoding": (lambda: _with(_utf16), "not_word"),
    "cut XML": (lambda: _with(_cut), "not_word"),
    "a cut file": (lambda: built()[:-900], "not_word"),
    "a bomb": (lambda: repacked(built(), lambda _name, part: part, bomb=bytes(80 * 2**20)), "word_large"),
    "a bomb that lies": (_lying, "not_word"),
    "much markup": (lambda: repacked(built(), lambda _name, part: part, **{"word/a.xml": b"<a>" + b" " * (13 * 2**20)}), "word_large"),
    "many parts": (lambda: repacked(built(), lambda _name, part: part, **{f"p{n}": b"" for n in range(3_001)}), "word_large"),
    "a long text": (lambda: built(lambda file: [file.add_paragraph("长" * 3_000) for _n in range(11)]), "word_long"),
    "a mark of a state secret": (lambda: built(lambda file: file.add_paragraph("机密★10年")), "label_refused"),
    "a secret header": (lambda: built(lambda file: setattr(file.sections[0].header.paragraphs[0], "text", "绝密★长期")), "label_refused"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_refused_says_why(name: str) -> None:
    """Each file that is none, is locked, active, hostile or too large is refused under a word of its own, which people are told in both languages."""
    make, code = HOSTILE[name]
    with pytest.raises(Refused) as told:
        taken(make())
    assert told.value.code == code
    if code != "label_refused":
        with speaking("en"):
            assert str(press.MESSAGES[code]).isascii()


def test_links_and_templates_are_no_reason_to_refuse() -> None:
    """A link to a page and the name of a template, which most files have, are allowed; nobody asks for what they point to."""
    assert taken(_with(_outside("hyperlink"))).title and taken(_with(_outside("attachedTemplate"))).title


def test_reading_runs_within_limits_in_a_process_of_its_own() -> None:
    """The press gives what the reader gives, passes refusals on in the reader's language, and takes no more bytes than its limit."""
    data = built(revised)
    assert take(io.BytesIO(data)) == taken(data)
    with pytest.raises(Invalid, match="旧格式") as told:
        take(io.BytesIO(HOSTILE["old"][0]()))
    assert told.value.code == "word_old"
    with pytest.raises(TooLarge):
        take(io.BytesIO(bytes(press.COPY + 1)))


def _headed() -> bytes:
    """Two thousand sections with one header of ten thousand lines: whoever looks at the header of each never comes to an end."""

    def head(file: Any) -> None:
        header = file.sections[0].header
        header.paragraphs[0].text = "页眉"
        for _n in range(10_000):
            header._element.append(parse_xml(f"<w:p {nsdecls('w')}/>"))
        for _n in range(2_000):
            file.element.body.insert(0, parse_xml(f"<w:p {nsdecls('w')}><w:pPr/></w:p>"))
            file.element.body[0].pPr.append(deepcopy(file.element.body.sectPr))

    return built(head)


def test_a_file_that_takes_too_long_is_ended() -> None:
    """A file made to be read for minutes is ended by the limit of its process and refused as too complex."""
    with pytest.raises(TooLarge) as told:
        take(io.BytesIO(_headed()))
    assert told.value.code == "word_slow"


def test_what_strangers_made_holds_up_no_printing() -> None:
    """While a stranger's file is being read, a sheet is printed; while a sheet is being printed, a file is read."""
    with press._strangers:
        assert render(LETTER).startswith(b"%PDF")
    with press._turns:
        assert take(io.BytesIO(built())).title

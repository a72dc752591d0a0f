"""The Word file of a document, read by python-docx and looked at part by part."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from typing import Any

import msgspec
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from office.print.press import word
from office.print.sheet import Paragraph, Sheet
from tests.print.sheets import FILE, LETTER, MINUTES, ORDER, UPWARD

pytestmark = pytest.mark.row("A3")
RED = RGBColor(0xE6, 0, 0x12)


@cache
def made(sheet: Sheet) -> Any:
    """The file of a sheet, opened again."""
    return Document(io.BytesIO(word(sheet)))


def said(file: Any) -> list[tuple[str, str]]:
    """(style, words) of all paragraphs from top to bottom, those of tables where the tables stand."""
    blocks = file.element.body.iter(qn("w:p"))
    names = {style.style_id: style.name for style in file.styles}
    lines = [
        (names.get(one.style, ""), "".join(part.text if part.tag == qn("w:t") else "\t" for part in one.iter(qn("w:t"), qn("w:tab"))))
        for one in blocks
    ]
    return [(style, text.strip()) for style, text in lines if text.strip()]


def red(file: Any) -> str:
    """All that is written in the red of the mark."""
    runs = [run for one in file.element.body.iter(qn("w:r")) if (run := one).find(f"{qn('w:rPr')}/{qn('w:color')}") is not None]
    return "".join(run.text for run in runs if run.find(f"{qn('w:rPr')}/{qn('w:color')}").get(qn("w:val")) == str(RED))


def test_the_elements_stand_in_their_order_in_styles_of_their_own() -> None:
    """版头, title, 主送, text with its headings, 附件说明, 落款, 附注 and 版记 come in the order of the standard, and each is known by its style."""
    lines = said(made(FILE))
    styles = [style for style, _text in lines]
    order = ["公文版头", "Title", "公文主送", "公文正文", "公文附件说明", "公文落款", "公文版记"]
    assert [styles.index(name) for name in order] == sorted(styles.index(name) for name in order)
    words = [text for _style, text in lines]
    for text in (FILE.copy, FILE.secrecy, FILE.urgency, f"{FILE.organs[0]}文件", FILE.number, f"{FILE.to}：", FILE.date, "（此件公开发布）"):
        assert text in words
    assert ("Heading 1", "一、提高认识") in lines
    assert any(text.startswith("附件：1.") for text in words) and any(text.startswith("抄送：市委各部门") and text.endswith("。") for text in words)
    assert f"{FILE.printer}\t{FILE.printed}印发" in words


def test_the_page_and_its_letters_have_the_numbers_of_the_standard() -> None:
    """A4 with 37 mm above and 28 mm to the left, 156 mm of text; text 3号仿宋, title 2号小标宋, headings 黑体 and 楷体; the mark is red."""
    file = made(FILE)
    (section,) = file.sections
    assert abs(section.page_width - Mm(210)) < Mm(0.1) and abs(section.page_height - Mm(297)) < Mm(0.1)
    assert abs(section.top_margin - Mm(37)) < Mm(0.1) and abs(section.left_margin - Mm(28)) < Mm(0.1)
    assert abs(section.page_width - section.left_margin - section.right_margin - Mm(156)) < Mm(0.1)
    fonts = {name: file.styles[name].element.rPr.rFonts.get(qn("w:eastAsia")) for name in ("公文正文", "Title", "Heading 1", "Heading 2")}
    assert fonts == {"公文正文": "仿宋", "Title": "方正小标宋简体", "Heading 1": "黑体", "Heading 2": "楷体"}
    assert (file.styles["公文正文"].font.size, file.styles["Title"].font.size) == (Pt(16), Pt(22))
    assert red(file) == f"{FILE.organs[0]}文件"


@pytest.mark.parametrize(
    ("sheet", "there", "absent"),
    [
        (UPWARD, ("签发人：张三　李四光　王小明", "滨州市财政局", "滨州市自然资源局"), ()),
        (LETTER, ("滨州市人民政府", "滨政函〔2026〕8号", "抄送：市水利局。"), ("滨州市人民政府文件", "印发")),
        (ORDER, ("滨州市人民政府命令", "第12号", "市长　　李某某"), ()),
        (MINUTES, ("滨州市人民政府常务会议纪要", "第3期", "请假：孙某"), ("滨州市人民政府会议纪要",)),
    ],
)
def test_each_format_has_what_it_has(sheet: Sheet, there: tuple[str, ...], absent: tuple[str, ...]) -> None:
    """上行文 with those who sign, letters without 文件 and 印发, orders with post and signature, minutes with who was there."""
    text = "\n".join(words for _style, words in said(made(sheet))).replace("\t", "")
    assert all(one in text for one in there) and not any(one in text for one in absent)


def test_what_is_no_document_in_force_says_so() -> None:
    """The pale words of a draft stand at the head of odd and even pages, of a letter on its first page too."""
    for sheet in (FILE, LETTER):
        section = made(msgspec.structs.replace(sheet, across="草稿")).sections[0]
        heads = [section.header, section.even_page_header, *([section.first_page_header] if sheet is LETTER else [])]
        assert ["".join(line.text for line in head.paragraphs) for head in heads] == ["草稿"] * len(heads)


def test_hidden_signs_and_markup_do_no_harm() -> None:
    """Characters that no XML may hold are left out, markup stays text, and no part of the file points outside it."""
    sheet = msgspec.structs.replace(LETTER, title="关于\x0b甲的函", paragraphs=(Paragraph(text='一\x00二<w:br/>&"\ufffe三'),))
    data = word(sheet)
    lines = said(Document(io.BytesIO(data)))
    assert ("Title", "关于甲的函") in lines and ("公文正文", '一二<w:br/>&"三') in lines
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert not [name for name in parts.namelist() if b'TargetMode="External"' in parts.read(name)]

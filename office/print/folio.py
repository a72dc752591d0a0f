"""A Word file in the making: its page, styles, paragraphs and tables in the numbers of GB/T 9704-2012.

python-docx writes the file; what it has no word for (the grid of characters, indents in characters, rules, floating tables) is written as
the XML of ISO/IEC 29500. Word snaps to the grid by itself, so places are near those of the PDF but not the same to the hair.
"""

from __future__ import annotations

import io
import re
from typing import Any, cast

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.enum.text import WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph as Line
from docx.text.run import Run

from office.print.measures import BODY, LEFT, LINE, PAGE_HEIGHT, PAGE_WIDTH, PT, SMALL, TITLE, TITLE_LINE, TOP, WIDTH
from office.print.styles import BODY_STYLE, FOOT, HEAD, ISSUED, LISTED, RECIPIENTS, RECORD

FACES = {"body": "仿宋", "black": "黑体", "kai": "楷体", "title": "方正小标宋简体", "mark": "方正小标宋简体", "folio": "宋体"}
"Fonts by the names under which offices have them; Word takes its own in place of one that is missing."
ROW = 28.95
"Points from line to line: 22 of them in the height of the type area, with a little to spare for Word's rounding."
RED, PALE = RGBColor(0xE6, 0, 0x12), RGBColor(0xB0, 0xB0, 0xB0)
_TWIPS = 20 / PT
"Twentieths of a point in a millimetre."
_STYLES = (HEAD, RECIPIENTS, BODY_STYLE, LISTED, ISSUED, RECORD, FOOT)
_UNFIT = re.compile("[^\\t\\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"Characters that XML has no way to say: they are left out."
_HEADINGS = {1: "black", 2: "kai", 3: "body", 4: "body"}


class Folio:
    """One file; paragraphs are added from top to bottom."""

    def __init__(self) -> None:
        self.file = Document()
        self._page()
        for name in _STYLES:
            self._dress(self.file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH), "body", SMALL if name in (RECORD, FOOT) else BODY)
        for level, face in _HEADINGS.items():
            self._dress(self.file.styles[f"Heading {level}"], face, BODY)
        self._dress(self.file.styles["Normal"], "body", BODY)
        self._dress(self.file.styles["Title"], "title", TITLE)

    def _page(self) -> None:
        section = self.file.sections[0]
        section.page_width, section.page_height = Mm(PAGE_WIDTH), Mm(PAGE_HEIGHT)
        section.top_margin, section.left_margin = Mm(TOP), Mm(LEFT)
        section.right_margin, section.bottom_margin = Mm(PAGE_WIDTH - LEFT - WIDTH), Mm(35)
        section.header_distance, section.footer_distance = Mm(20), Mm(25)
        self.file.settings.odd_and_even_pages_header_footer = True
        properties = section._sectPr
        for old in properties.findall(qn("w:docGrid")):
            properties.remove(old)
        properties.append(_element("w:docGrid", type="linesAndChars", linePitch=int(LINE * _TWIPS), charSpace=round((WIDTH / 28 / PT - BODY) * 4096)))

    def _dress(self, style: Any, face: str, size: float) -> None:
        """A style in one face: black, upright, on the lines of the grid."""
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.attrib.clear()
        for script in ("ascii", "hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{script}"), FACES[face])
        style.font.size, style.font.bold, style.font.italic, style.font.color.rgb = Pt(size), False, False, RGBColor(0, 0, 0)
        form = style.paragraph_format
        form.space_before = form.space_after = Pt(0)
        form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(TITLE_LINE / PT if size == TITLE else ROW)
        for border in style.element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)

    def say(self, text: str = "", style: str = BODY_STYLE, *, face: str = "", align: Any = None, before: float = 0, after: float = 0) -> Line:
        """A paragraph; ``before`` and ``after`` in points. Line feeds in the text stay lines of the paragraph."""
        made = self.file.add_paragraph(style=style)
        shape(made, align=align, before=before, after=after)
        if text:
            ink(made, text, face=face)
        return made

    def table(self, columns: tuple[float, ...], rows: int, *, floating: bool = False) -> Table:
        """An empty table without rules, ``columns`` wide (mm); a floating one lies at the foot of the type area."""
        place = '<w:tblpPr w:vertAnchor="margin" w:horzAnchor="margin" w:tblpX="1" w:tblpYSpec="bottom"/>' if floating else ""
        widths = [int(column * _TWIPS) for column in columns]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        cells = "".join(f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr><w:p/></w:tc>' for width in widths)
        none = '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar>'
        head = f'<w:tblPr>{place}<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>{none}</w:tblPr>'
        made = parse_xml(f"<w:tbl {nsdecls('w')}>{head}<w:tblGrid>{grid}</w:tblGrid>{f'<w:tr>{cells}</w:tr>' * rows}</w:tbl>")
        self.file.element.body.insert_element_before(cast(Any, made), "w:sectPr")
        return Table(cast(Any, made), self.file._body)

    def bytes(self) -> bytes:
        """The finished file."""
        out = io.BytesIO()
        self.file.save(out)
        return out.getvalue()


def ink(paragraph: Line, text: str, *, face: str = "", size: float = 0, red: bool = False, narrow: float = 1.0) -> Run:
    """Characters at the end of a paragraph, in the face of its style unless another is named; ``narrow`` is their part of the full width."""
    run = paragraph.add_run(fit(text))
    if face:
        fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
        for script in ("ascii", "hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{script}"), FACES[face])
    if red:
        run.font.color.rgb = RED
    if narrow < 1:  # comes before the size in the schema's order
        run._r.get_or_add_rPr().append(_element("w:w", val=int(narrow * 100)))
    if size:
        run.font.size = Pt(size)
    return run


def shape(paragraph: Line, *, align: Any = None, before: float = 0, after: float = 0, line: float = 0) -> None:
    """Where a paragraph stands; measures in points."""
    form = paragraph.paragraph_format
    form.alignment = align
    if before:
        form.space_before = Pt(before)
    if after:
        form.space_after = Pt(after)
    if line:
        form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line)


def indent(paragraph: Line, *, left: float = 0, right: float = 0, first: float = 0, size: float = BODY) -> None:
    """Indents in characters, and in points for programs that count no characters; a negative ``first`` hangs."""
    form = paragraph.paragraph_format
    form.left_indent, form.right_indent, form.first_line_indent = Pt(left * size), Pt(right * size), Pt(first * size)
    element = cast(Any, paragraph._p.pPr).ind
    for name, places in (("leftChars", left), ("rightChars", right), ("firstLineChars" if first >= 0 else "hangingChars", abs(first))):
        if places:
            element.set(qn(f"w:{name}"), str(round(places * 100)))


def stop(paragraph: Line, at: float) -> None:
    """A tab to whose left what follows it ends, ``at`` millimetres from the left."""
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(at), WD_TAB_ALIGNMENT.RIGHT)


def ruled(paragraph: Line, side: str, *, kind: str = "single", eighths: int = 12, space: int = 11, red: bool = True) -> None:
    """A rule above (``top``) or below (``bottom``) a paragraph: its thickness in eighths of a point, its distance in points."""
    borders = OxmlElement("w:pBdr")
    borders.append(_element(f"w:{side}", val=kind, sz=eighths, space=space, color=str(RED) if red else "000000"))
    properties = cast(Any, paragraph._p.get_or_add_pPr())
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr")


def number(paragraph: Line) -> None:
    """— 1 —: the number of the page, as Word counts it."""
    ink(paragraph, "— ", face="folio", size=SMALL)
    field = cast(Any, _element("w:fldSimple", instr="PAGE"))
    paragraph._p.append(field)
    run = ink(paragraph, "1", face="folio", size=SMALL)
    field.append(run._r)
    ink(paragraph, " —", face="folio", size=SMALL)


def edged(table: Table, **sides: int) -> None:
    """Rules of a table, in eighths of a point: ``top``, ``bottom``, ``insideH``."""
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        if side in sides:
            borders.append(_element(f"w:{side}", val="single", sz=sides[side], space=0, color="000000"))
    layout = cast(Any, table._tbl.tblPr).find(qn("w:tblLayout"))
    layout.addprevious(borders)


def fit(text: str) -> str:
    """A text without the characters that no XML may hold."""
    return _UNFIT.sub("", text)


def millimetres(length: float) -> float:
    """Points of a length in millimetres."""
    return float(Mm(length).pt)


def _element(tag: str, **attributes: object) -> Any:
    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), str(value))
    return made


__all__ = ["ALIGN", "FACES", "PALE", "ROW", "Folio", "Line", "edged", "fit", "indent", "ink", "millimetres", "number", "ruled", "shape", "stop"]

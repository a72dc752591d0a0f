"""A sheet as a Word file: the elements of GB/T 9704-2012 as near to their places as Word puts them.

What Word cannot say stays out: seals (a copy to be edited bears none), the even page on which 版记 lies, and the balance by which a closing
block takes lines of text along to its page.
"""

from __future__ import annotations

from docx.enum.table import WD_ALIGN_VERTICAL

from office.print.folio import ALIGN, PALE, ROW, Folio, Line, edged, fit, indent, ink, millimetres, number, ruled, shape, stop
from office.print.measures import BODY, MARK_LEAST, MARK_NARROW, MARK_SIZE, PT, SMALL, TITLE, TITLE_BOX, WIDTH
from office.print.sheet import Annex, Form, Paragraph, Sheet
from office.print.styles import BODY_STYLE, FOOT, HEAD, ISSUED, LISTED, RECIPIENTS, RECORD
from office.print.titles import broken, width

_SUFFIX = {Form.FILE: "文件", Form.ORDER: "命令", Form.LETTER: "", Form.MINUTES: ""}
_DOWN = {Form.FILE: 35.0, Form.MINUTES: 35.0, Form.ORDER: 20.0, Form.LETTER: 0.0}
"Millimetres from the type area's upper edge to the mark; that of a letter begins above it, where Word's text does not reach."
_FACES = {1: "black", 2: "kai"}


def docx(sheet: Sheet) -> bytes:
    """The file."""
    folio = Folio()
    about = folio.file.core_properties
    about.title, about.author, about.comments = fit(sheet.title)[:255], fit(sheet.organs[0])[:255], ""
    _head(sheet, folio)
    if sheet.title and sheet.form != Form.ORDER:
        _title(sheet.title, folio, organs=sheet.organs, before=2 * ROW)
    if sheet.to:
        folio.say(f"{sheet.to}：", RECIPIENTS)
    for paragraph in sheet.paragraphs:
        _paragraph(paragraph, folio)
    _annexes(sheet.annexes, folio)
    _attendance(sheet, folio)
    _closing(sheet, folio)
    for place, annex in enumerate(sheet.annexes, start=1):
        if annex.paragraphs:
            _annex(annex, f"附件{place}" if len(sheet.annexes) > 1 else "附件", folio)
    _record(sheet, folio)
    _margins(sheet, folio)
    return folio.bytes()


def _head(sheet: Sheet, folio: Folio) -> None:
    if sheet.form == Form.LETTER:
        _mark(sheet, folio, before=0)
        ruled(folio.file.paragraphs[-1], "bottom", kind="thickThinSmallGap", eighths=18)
        line = _corner(sheet, folio)
        if sheet.number:
            ink(line, f"\t{sheet.number}")
            stop(line, WIDTH)
        return
    _corner(sheet, folio)
    rows = max(1, sum(map(bool, (sheet.copy, sheet.secrecy, sheet.urgency))))
    _mark(sheet, folio, before=max(0.0, millimetres(_DOWN[sheet.form]) - rows * ROW))
    _numbered(sheet, folio)


def _corner(sheet: Sheet, folio: Folio) -> Line:
    """份号, 密级, 紧急程度, one a line; the first of these lines, empty when there is none of them."""
    found = [(sheet.copy, "body"), (sheet.secrecy, "black"), (sheet.urgency, "black")]
    lines = [folio.say(text, HEAD, face=face) for text, face in found if text]
    return lines[0] if lines else folio.say(style=HEAD)


def _mark(sheet: Sheet, folio: Folio, *, before: float) -> None:
    """发文机关标志: one organ around the middle, several below each other with 文件 at half their height."""
    names = [sheet.mark] if sheet.mark else list(sheet.organs[:1] if sheet.lead_only or sheet.form != Form.FILE else sheet.organs)
    suffix = _SUFFIX[sheet.form] if not (sheet.form == Form.ORDER and sheet.mark.endswith("令")) else ""
    if len(names) > 1:
        return _joint(names, suffix, folio, before)
    text = names[0] + suffix
    size = max(MARK_LEAST, min(MARK_SIZE, WIDTH / PT / (len(text) * MARK_NARROW)))
    made = folio.say(style=HEAD, align=ALIGN.CENTER)
    shape(made, align=ALIGN.CENTER, before=before, line=size * 1.25)
    ink(made, text, face="mark", size=size, red=True, narrow=min(1.0, WIDTH / PT / (len(text) * size)))
    return None


def _joint(names: list[str], suffix: str, folio: Folio, before: float) -> None:
    size = max(18.0, min(36.0, 150.0 / len(names) / 1.3))
    large = min(MARK_SIZE, size * 1.5)
    tail = len(suffix) * large * PT + 4
    longest = min(max(map(len, names)) * size * PT, WIDTH - tail)
    side = (WIDTH - longest - tail) / 2
    folio.say(style=HEAD, before=max(0.0, before - ROW))
    cells = folio.table((side, longest, tail, side), 1).rows[0].cells
    cells[2].vertical_alignment = WD_ALIGN_VERTICAL.CENTER
    for place, name in enumerate(names):
        line = cells[1].paragraphs[0] if not place else cells[1].add_paragraph()
        line.style = HEAD
        shape(line, align=ALIGN.DISTRIBUTE, line=size * 1.3)
        ink(line, name, face="mark", size=size, red=True, narrow=min(1.0, longest / (len(name) * size * PT)))
    last = cells[2].paragraphs[0]
    last.style = HEAD
    shape(last, align=ALIGN.RIGHT, line=large * 1.3)
    ink(last, suffix, face="mark", size=large, red=True)


def _numbered(sheet: Sheet, folio: Folio) -> None:
    """发文字号, on upward documents with 签发人 to its right, and the red rule below it."""
    made = folio.say(style=HEAD, align=None if sheet.signers else ALIGN.CENTER, before=2 * ROW - 7)
    if sheet.signers:
        indent(made, left=1, right=1)
        stop(made, WIDTH - BODY * PT)
        ink(made, f"{sheet.number}\t签发人：")
        ink(made, "　".join(sheet.signers), face="kai")
    else:
        ink(made, sheet.number)
    if sheet.form != Form.ORDER:
        ruled(made, "bottom")


def _title(text: str, folio: Folio, *, organs: tuple[str, ...] = (), before: float) -> None:
    lines = broken(text, organs=organs, columns=int(WIDTH / TITLE_BOX))
    folio.say("\n".join(lines), "Title", align=ALIGN.CENTER, before=before, after=ROW)


def _paragraph(paragraph: Paragraph, folio: Folio) -> None:
    """A paragraph of the text: a heading by itself has Word's style of its level, one that runs into its text has its face alone."""
    heading, stop, rest = paragraph.text.partition("。")
    runs = bool(rest) and paragraph.level in _FACES
    alone = bool(paragraph.level) and not rest
    made = folio.say(style=f"Heading {paragraph.level}" if alone else BODY_STYLE, align=ALIGN.JUSTIFY)
    indent(made, first=2)
    ink(made, heading + stop if runs else paragraph.text, face=_FACES[paragraph.level] if runs else "")
    if runs:
        ink(made, rest)


def _annexes(annexes: tuple[Annex, ...], folio: Folio) -> None:
    """附件说明, one line below the text, names below names."""
    for place, annex in enumerate(annexes, start=1):
        label = f"{place}." if len(annexes) > 1 else ""
        lead = "附件：" if place == 1 else ""
        made = folio.say(f"{lead}{label}{annex.title}", LISTED, before=ROW if place == 1 else 0)
        indent(made, left=5 + width(label), first=-width(lead + label))


def _attendance(sheet: Sheet, folio: Folio) -> None:
    """出席, 请假, 列席 of minutes, one line below the text."""
    for place, one in enumerate(sheet.attendance):
        made = folio.say(f"{one.label}：", ISSUED, face="black", before=0 if place else ROW)
        indent(made, left=3 + width(one.label), first=-1 - width(one.label))
        ink(made, one.names)


def _closing(sheet: Sheet, folio: Folio) -> None:
    """Issuers and date around one middle, the date at least four places from the right; 附注 below them."""
    if sheet.form != Form.MINUTES:
        signed = (f"{sheet.post}　　{sheet.signature}",) if sheet.signature else sheet.organs
        lines = [*signed, sheet.date]
        centre = max(4 + width(sheet.date) / 2, *(width(line) / 2 for line in lines))
        for place, line in enumerate(lines):
            made = folio.say(line, ISSUED, align=ALIGN.RIGHT, before=0 if place else 2 * ROW)
            indent(made, right=centre - width(line) / 2)
    if sheet.note:
        indent(folio.say(f"（{sheet.note}）", ISSUED), first=2)


def _annex(annex: Annex, label: str, folio: Folio) -> None:
    """An annex from a new page on; what stands in it is no text of the document itself."""
    folio.say(label, LISTED, face="black").paragraph_format.page_break_before = True
    made = folio.say(style=LISTED, align=ALIGN.CENTER, before=ROW, after=ROW)
    shape(made, align=ALIGN.CENTER, before=ROW, after=ROW, line=34)
    ink(made, "\n".join(broken(annex.title, organs=(), columns=int(WIDTH / TITLE_BOX))), face="title", size=TITLE)
    for paragraph in annex.paragraphs:
        indent(folio.say(paragraph.text, LISTED, face=_FACES.get(paragraph.level, ""), align=ALIGN.JUSTIFY), first=2)


def _record(sheet: Sheet, folio: Folio) -> None:
    """版记 as a table that lies at the foot of the last page."""
    printed = sheet.form != Form.LETTER and bool(sheet.printer or sheet.printed)
    lines = [f"抄送：{sheet.cc.rstrip('。')}。"] * bool(sheet.cc) + [f"{sheet.printer}\t{sheet.printed}{'印发' if sheet.printed else ''}"] * printed
    if not lines:
        return
    table = folio.table((WIDTH,), len(lines), floating=True)
    if sheet.form != Form.LETTER:
        edged(table, top=8, bottom=8, insideH=6)
    for row, text in zip(table.rows, lines, strict=True):
        made = row.cells[0].paragraphs[0]
        made.style = RECORD
        hang = 3.0 if text.startswith("抄送：") else 0.0
        indent(made, left=1 + hang, right=1, first=-hang, size=SMALL)
        stop(made, WIDTH - SMALL * PT)
        ink(made, text)
    shape(folio.say(style=RECORD), line=1)  # Word wants a paragraph behind a table


def _margins(sheet: Sheet, folio: Folio) -> None:
    """Numbers of pages, right on odd ones and left on even ones, and pale words at the head of what is no document in force."""
    section = folio.file.sections[0]
    for foot, align in ((section.footer, ALIGN.RIGHT), (section.even_page_footer, ALIGN.LEFT)):
        made = foot.paragraphs[0]
        made.style = FOOT
        shape(made, align=align)
        indent(made, left=1, right=1, size=SMALL)
        number(made)
    heads = [section.header, section.even_page_header]
    if sheet.form == Form.LETTER:
        section.different_first_page_header_footer = True
        foot = section.first_page_footer.paragraphs[0]
        foot.style = FOOT
        ruled(foot, "top", kind="thinThickSmallGap", eighths=18, space=1)
        heads.append(section.first_page_header)
    for head in heads if sheet.across else ():
        made = head.paragraphs[0]
        made.style = FOOT
        shape(made, align=ALIGN.CENTER)
        ink(made, sheet.across, face="black", size=22).font.color.rgb = PALE

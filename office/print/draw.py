"""Pages drawn by WeasyPrint: every mark at its place, nothing left for the browser's way of flowing text to decide.

A run of characters hangs from an invisible post that ends on its baseline, so that no font's own idea of ascent moves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import msgspec

from office.print.fonts import Family, Fonts
from office.print.marks import Ink, Mark, Page, Rule
from office.print.measures import ASCENT, PT
from office.print.sheet import Sheet
from office.print.stamp import RED, drawn
from office.print.verdict import SEAL

VARIANT = "pdf/a-3b"
CLOSE = 0.1
"Most space in millimetres between the letters of a word or number."
PALE = "#d9d9d9"
_STYLE = f"""@page{{size:210mm 297mm;margin:0}} html,body{{margin:0}}
.page{{position:relative;width:210mm;height:297mm;overflow:hidden;break-after:page}} .page:last-child{{break-after:auto}}
.page>*{{position:absolute}} .ink{{top:0;white-space:pre;line-height:0;transform-origin:0 0}} .ink i{{display:inline-block;width:0}}
.red{{color:{RED}}} .pale{{color:{PALE}}} .rule{{background:#000}} .rule.red{{background:{RED}}} svg{{display:block}} .seal{{opacity:.78}}
"""


def pdf(sheet: Sheet, pages: Sequence[Page], fonts: Fonts) -> bytes:
    """The PDF/A of laid out pages, with title and author, and the organ's seal over the text as a file inside it."""
    from weasyprint import HTML, Attachment

    data = msgspec.json.encode(sheet.proof).decode()
    proofs = [Attachment(string=data, name=SEAL, relationship="Supplement")] if sheet.proof else []  # type: ignore[no-untyped-call]
    made: bytes = HTML(string=html(sheet, pages, fonts)).write_pdf(pdf_variant=VARIANT, attachments=proofs)  # type: ignore[no-untyped-call]
    return made


def html(sheet: Sheet, pages: Sequence[Page], fonts: Fonts) -> str:
    """The pages as HTML of placed marks."""
    title = " ".join(sheet.title.split()) or sheet.mark or sheet.organs[0]
    head = f'<title>{escape(title)}</title><meta name="author" content="{escape("、".join(sheet.organs))}"><meta name="generator" content="Yiwang">'
    body = "".join(f'<div class="page">{"".join(_mark(mark, fonts) for mark in page.marks)}</div>' for page in pages)
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">{head}<style>{_STYLE}{_faces(fonts)}</style></head><body>{body}</body></html>'
    )


def _faces(fonts: Fonts) -> str:
    """Fonts by their files where they have files of their own: names and weights inside fonts are not to be relied on."""
    rules = []
    for family in sorted({family for stack in fonts.stacks.values() for family in stack if fonts.file(family)}, key=_named):
        rules.append(f'@font-face{{font-family:"{_named(family)}";src:url("{Path(fonts.file(family)).as_uri()}")}}')
    for face, stack in fonts.stacks.items():
        weight = 700 if stack[0].bold and not fonts.file(stack[0]) else 400
        rules.append(f".{face}{{font-family:{families(face, fonts)};font-weight:{weight}}}")
    return "".join(rules)


def families(face: str, fonts: Fonts) -> str:
    """The families of a face as CSS names them."""
    return ",".join(f"'{_named(family) if fonts.file(family) else family.name}'" for family in fonts.stacks[face])


def _named(family: Family) -> str:
    return f"print {family.name}{' bold' * family.bold}"


def _mark(mark: Mark, fonts: Fonts) -> str:
    if isinstance(mark, Ink):
        return _ink(mark, fonts)
    if isinstance(mark, Rule):
        place = f"left:{mark.x:.4f}mm;top:{mark.y - mark.thick / 2:.4f}mm;width:{mark.width:.4f}mm;height:{mark.thick:.4f}mm"
        return f'<div class="rule{" red" * mark.red}" style="{place}"></div>'
    place = f"left:{mark.x - mark.diameter / 2:.4f}mm;top:{mark.y - mark.diameter / 2:.4f}mm"
    return f'<div class="seal" style="{place}">{drawn(mark, families("seal", fonts))}</div>'


def _ink(mark: Ink, fonts: Fonts) -> str:
    """Characters spread evenly, half of what is left before each of them and half after it; words and numbers stay close and to the left."""
    size = mark.size * PT
    each = (mark.width / mark.narrow - fonts.advance(mark.text, mark.face) * size) / max(len(mark.text), 1)
    left = mark.x + each / 2 * mark.narrow
    if mark.text.isascii() and each > CLOSE:
        each, left = CLOSE, mark.x
    style = f"left:{left:.4f}mm;font-size:{mark.size}pt;letter-spacing:{each:.5f}mm"
    if mark.narrow < 1:
        style += f";transform:scaleX({mark.narrow:.5f})"
    post = f'<i style="height:{mark.y + ASCENT * size:.4f}mm"></i>'
    return f'<div class="ink {mark.face}{" red" * mark.red}{" pale" * mark.pale}" style="{style}">{post}{escape(mark.text)}</div>'

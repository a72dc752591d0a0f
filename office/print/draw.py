"""Pages drawn by WeasyPrint: every mark at its place, nothing left for the browser's way of flowing text to decide.

A run of characters hangs from an invisible post that ends on its baseline, so that no font's own idea of ascent moves it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape

from office.print.fonts import Fonts
from office.print.marks import Ink, Mark, Page, Rule
from office.print.measures import ASCENT, PT
from office.print.sheet import Sheet
from office.print.stamp import RED, drawn

VARIANT = "pdf/a-3b"
_STYLE = f"""@page{{size:210mm 297mm;margin:0}} html,body{{margin:0}}
.page{{position:relative;width:210mm;height:297mm;overflow:hidden;break-after:page}} .page:last-child{{break-after:auto}}
.page>*{{position:absolute}} .ink{{top:0;white-space:pre;line-height:0;transform-origin:0 0}} .ink i{{display:inline-block;width:0}}
.red{{color:{RED}}} .rule{{background:#000}} .rule.red{{background:{RED}}} svg{{display:block}} .seal{{opacity:.78}}
"""


def pdf(sheet: Sheet, pages: Sequence[Page], fonts: Fonts) -> bytes:
    """The PDF/A of laid out pages, with title and author; the same sheet and fonts give the same pages."""
    from weasyprint import HTML

    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    return HTML(string=html(sheet, pages, fonts)).write_pdf(pdf_variant=VARIANT)  # type: ignore[no-any-return]


def html(sheet: Sheet, pages: Sequence[Page], fonts: Fonts) -> str:
    """The pages as HTML of placed marks."""
    title = " ".join(sheet.title.split()) or sheet.mark or sheet.organs[0]
    head = f'<title>{escape(title)}</title><meta name="author" content="{escape("、".join(sheet.organs))}"><meta name="generator" content="Yiwang">'
    body = "".join(f'<div class="page">{"".join(_mark(mark, fonts) for mark in page.marks)}</div>' for page in pages)
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">{head}<style>{_STYLE}{_faces(fonts)}</style></head><body>{body}</body></html>'
    )


def _faces(fonts: Fonts) -> str:
    rules = []
    for face, stack in fonts.stacks.items():
        families = ",".join(f'"{family.name}"' for family in stack)
        rules.append(f".{face}{{font-family:{families};font-weight:{700 if stack[0].bold else 400}}}")
    return "".join(rules)


def _mark(mark: Mark, fonts: Fonts) -> str:
    if isinstance(mark, Ink):
        return _ink(mark, fonts)
    if isinstance(mark, Rule):
        place = f"left:{mark.x:.4f}mm;top:{mark.y - mark.thick / 2:.4f}mm;width:{mark.width:.4f}mm;height:{mark.thick:.4f}mm"
        return f'<div class="rule{" red" * mark.red}" style="{place}"></div>'
    place = f"left:{mark.x - mark.diameter / 2:.4f}mm;top:{mark.y - mark.diameter / 2:.4f}mm"
    return f'<div class="seal" style="{place}">{drawn(mark)}</div>'


def _ink(mark: Ink, fonts: Fonts) -> str:
    """Characters spread evenly: what is left of the width is half before each character and half after it."""
    size = mark.size * PT
    each = (mark.width / mark.narrow - fonts.advance(mark.text, mark.face) * size) / max(len(mark.text), 1)
    left = mark.x + each / 2 * mark.narrow
    style = f"left:{left:.4f}mm;font-size:{mark.size}pt;letter-spacing:{each:.5f}mm"
    if mark.narrow < 1:
        style += f";transform:scaleX({mark.narrow:.5f})"
    post = f'<i style="height:{mark.y + ASCENT * size:.4f}mm"></i>'
    return f'<div class="ink {mark.face}{" red" * mark.red}" style="{style}">{post}{escape(mark.text)}</div>'

"""The words of one paragraph of a Word file, and what stands between them that is no words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from docx.oxml.ns import qn

_LOST = {
    **{qn(f"w:{name}"): "deleted" for name in ("del", "moveFrom")},
    **{qn(f"w:{name}"): "notes" for name in ("footnoteReference", "endnoteReference")},
    qn("w:object"): "objects",
    qn("w:commentReference"): "comments",
    qn("w:sym"): "symbols",
    qn("m:oMath"): "equations",
}
_DRAWN = (qn("w:drawing"), qn("w:pict"))
_SIGNS = {qn("w:tab"): " ", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", qn("w:ptab"): " "}
_SILENT = tuple(qn(f"w:{name}") for name in ("pPr", "rPr", "instrText", "delText", "rt", "sdtPr", "rubyPr", "fldData"))
_STRONG = tuple(qn(f"w:{name}") for name in ("b", "i", "u", "strike", "dstrike", "highlight", "em"))
_COMPAT = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_OFF = ("0", "false", "off", "none")


class Prose:
    """``text`` has a line feed where the paragraph has one; ``left`` counts what was left behind, by the words of ``taken.KINDS``."""

    def __init__(self, paragraph: Any) -> None:
        self.left: Counter[str] = Counter()
        self.parts: list[str] = []
        self._walk(paragraph)
        self.text = "".join(self.parts)

    def _walk(self, parent: Any) -> None:
        for child in parent:
            self._take(child)

    def _take(self, child: Any) -> None:
        tag = child.tag
        if tag == qn("w:t"):
            self.parts.append(child.text or "")
        elif tag in _SIGNS:
            self.parts.append(_SIGNS[tag])
        elif tag == qn("w:br"):
            self.parts.append("" if child.get(qn("w:type")) in ("page", "column") else "\n")
        elif tag in _LOST:
            self.left[_LOST[tag]] += 1
        elif tag in _DRAWN:
            self.left["boxes" if next(child.iter(qn("w:txbxContent")), None) is not None else "pictures"] += 1
        elif tag == f"{_COMPAT}AlternateContent":  # the choice and the fallback are the same thing twice
            self._walk(child[:1])
        elif tag == qn("w:r"):
            self._run(child)
        elif isinstance(tag, str) and tag not in _SILENT:
            self._enter(child)

    def _enter(self, child: Any) -> None:
        if child.tag in (qn("w:ins"), qn("w:moveTo")):
            self.left["inserted"] += 1
        if child.tag == qn("w:hyperlink") and child.get(qn("r:id")):
            self.left["links"] += 1
        self._walk(child)

    def _run(self, run: Any) -> None:
        form = run.find(qn("w:rPr"))
        if _on(form, qn("w:vanish")):
            self.left["hidden"] += 1
            return
        if run.find(qn("w:t")) is not None and any(_on(form, tag) for tag in _STRONG):
            self.left["emphasis"] += 1
        self._walk(run)


def _on(form: Any, tag: str) -> bool:
    mark = form.find(tag) if form is not None else None
    return mark is not None and mark.get(qn("w:val"), "1") not in _OFF

"""A Word file taken over: its title, recipients and text, and an honest list of what was left behind.

Files of our own are known by the names of their styles, part by part. In those of others the title is what has the style of one, or the first
large lines around the middle; what stands above it is their head.
"""

from __future__ import annotations

import io
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any
from zipfile import BadZipFile

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import qn

from node.errors import Invalid, TooLarge
from office.frame import secrecy
from office.frame.reading import words
from office.print import package
from office.print.ordinals import BULLET, Headings, Ordinals, numbered
from office.print.prose import Prose
from office.print.styles import APART, RECIPIENTS
from office.print.taken import KINDS, Lost, Taken

TEXT, TITLE = 30_000, 200
"Characters of a text and of a title, as the form of a draft takes them."
EARLY, SHORT, LARGE = 15, 60, 18.0
"A title is among the first so many paragraphs, those above it are short, and its characters have so many points at least."
SAID, BASES = 40, 12
"Characters of what is shown of something lost; styles a style is based on."
_TO = re.compile(r"([^。；：:]{2,1000})[：:]")
_FOLIO = re.compile(r"[\s\d—–―\-·第共页]*")
_WRAPPERS = tuple(qn(f"w:{name}") for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))


def taken(data: bytes) -> Taken:
    """What a draft can have of a file; every refusal has a code of its own, a mark of a state secret anywhere in it is one."""
    package.check(data)
    said = words(io.BytesIO(data))
    if said is None or secrecy.marked(said):
        raise secrecy.refusal() if said else Invalid("not to be read", code="not_word")
    try:
        found = _Reader(Document(io.BytesIO(data))).taken()
    except (SyntaxError, KeyError, ValueError, AttributeError, TypeError, BadZipFile, zlib.error, RecursionError) as e:
        raise Invalid(f"damaged: {e}", code="not_word") from None
    if secrecy.marked(f"{found.title}\n{found.to}\n{found.text}"):
        raise secrecy.refusal()
    return found


class _Reader:
    """One file on its way into a draft."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.styles = {style.style_id: style for style in file.styles}
        self.lost: Counter[str] = Counter()
        self.said: dict[str, str] = {}
        self.headings = Headings()
        self.ordinals = Ordinals(_numbering(file))

    def taken(self) -> Taken:
        blocks = list(_blocks(self.file.element.body))
        title, start = self._title(blocks)
        to, start = self._to(blocks, start)
        lines = list(self._bounded(line for block in blocks[start:] for line in self._lines(block)))
        self._margins()
        lost = tuple(Lost(kind, self.lost[kind], self.said.get(kind, "")) for kind in KINDS if self.lost[kind])
        return Taken(title, to, "\n".join(lines), lost)

    @staticmethod
    def _bounded(lines: Iterable[str]) -> Iterator[str]:
        """The lines up to the one with which they are too many; nobody waits for what is refused anyway."""
        length = 0
        for line in lines:
            yield line
            length += len(line) + 1
            if length > TEXT + 1:
                raise TooLarge(str(TEXT), code="word_long")

    def _to(self, blocks: list[Any], start: int) -> tuple[str, int]:
        """(主送 as it is written, where the text begins): the first words below a title, if they look like recipients."""
        at = next((at for at in range(start, len(blocks)) if _plain(blocks[at])), None) if start else None
        if at is None:
            return "", start
        found = _TO.fullmatch(_plain(blocks[at]))
        known = self._style(blocks[at]) == RECIPIENTS
        return (found[1], at + 1) if found is not None and (known or not numbered(found[1])) else ("", start)

    def _lose(self, kind: str, said: str = "", count: int = 1) -> None:
        self.lost[kind] += count
        if said:
            self.said.setdefault(kind, said.strip()[:SAID])

    def _title(self, blocks: list[Any]) -> tuple[str, int]:
        """(the title, where the text begins); what stands above a title is lost as its head."""
        styled = next((at for at, block in enumerate(blocks) if self._titled(block) and _plain(block)), None)
        at, rule = (self._early(blocks), self._large) if styled is None else (styled, self._titled)
        if at is None:
            self._lose("title")
            return "", 0
        lines = list(takewhile(lambda block: rule(block) and _plain(block) != "", blocks[at:]))
        title = "".join("".join(_plain(line).split("\n")) for line in lines)
        if len(title) > TITLE:
            self._lose("title")
            return "", 0
        for block in blocks[:at]:
            if _plain(block):
                self._lose("head", _plain(block))
        return title, at + len(lines)

    def _titled(self, block: Any) -> bool:
        return self._style(block) == "Title"

    def _early(self, blocks: list[Any]) -> int | None:
        seen = 0
        for at, block in enumerate(blocks):
            text = _plain(block)
            if not text:
                continue
            if self._large(block):
                return at
            seen += 1
            if seen >= EARLY or len(text) > SHORT or block.tag != qn("w:p"):
                return None
        return None

    def _large(self, block: Any) -> bool:
        """Whether a paragraph looks like a title: around the middle, large, and not the red mark of an organ."""
        if block.tag != qn("w:p") or (block.pPr is None or block.pPr.jc is None or block.pPr.jc.get(qn("w:val")) != "center"):
            return False
        sizes = [int(size.get(qn("w:val"), "0")) / 2 for size in block.iter(qn("w:sz"))] or [self._size(block)]
        red = any(re.fullmatch(r"(?i)[c-f][0-9a-f](?:[0-3][0-9a-f]){2}", color.get(qn("w:val"), "")) for color in block.iter(qn("w:color")))
        return max(sizes) >= LARGE and not red

    def _size(self, block: Any) -> float:
        return next((float(style.font.size.pt) for style in self._line(block) if style.font.size is not None), 0.0)

    def _line(self, block: Any) -> Iterator[Any]:
        """The style of a paragraph and those it is based on; a ring of them is left in the end."""
        style = self.styles.get(_named(block))
        for _step in range(BASES):
            if style is None or style.type != WD_STYLE_TYPE.PARAGRAPH:
                return
            yield style
            style = style.base_style

    def _style(self, block: Any) -> str:
        style = self.styles.get(_named(block)) if block.tag == qn("w:p") else None
        return {"标题": "Title", "title": "Title"}.get(style.name or "", style.name or "") if style is not None else ""

    def _lines(self, block: Any) -> Iterator[str]:
        """The lines that a paragraph or table becomes: none when it is empty or no text of the document."""
        if block.tag == qn("w:tbl"):
            yield from self._table(block)
            return
        text = self._prose(block)
        apart = APART.get(self._style(block))
        if apart is not None:
            self.lost[apart] += bool(text)
            self.said.setdefault(apart, text[:SAID])
        elif text:
            yield from self._leveled(block, text).split("\n")

    def _prose(self, block: Any) -> str:
        """The words of a paragraph; what is in it besides is lost."""
        prose = Prose(block)
        for kind, count in prose.left.items():
            self._lose(kind, count=count)
        return "\n".join(line for line in (one.strip() for one in prose.text.split("\n")) if line)

    def _leveled(self, block: Any, text: str) -> str:
        """A paragraph with the number by which a draft knows its level."""
        counted = self._counted(block)
        if counted == BULLET:
            self._lose("bullets", text)
            counted = ""
        text = counted + text
        level = self._level(block)
        if not level:
            return text
        number = self.headings.seen(level)
        if numbered(text):
            return text
        self._lose("numbered", text)
        return number + text

    def _counted(self, block: Any) -> str:
        own = block.pPr.numPr if block.pPr is not None else None
        if own is None:
            inherited = (style.element.find(f"{qn('w:pPr')}/{qn('w:numPr')}") for style in self._line(block))
            own = next((one for one in inherited if one is not None), None)
        return self.ordinals.next(own) if own is not None else ""

    def _level(self, block: Any) -> int:
        """1 to 4 for headings, by the name of their style or their place in the outline."""
        found = re.fullmatch(r"(?i)(?:heading|标题) ?([1-4])", self._style(block))
        if found is not None:
            return int(found[1])
        outline = block.pPr.find(qn("w:outlineLvl")) if block.pPr is not None else None
        level = int(outline.get(qn("w:val"), "9")) + 1 if outline is not None else 0
        return level if level <= 4 else 0

    def _table(self, table: Any) -> Iterator[str]:
        """A row a line; the tables of our own head and 版记 are no text."""
        rows = [[self._cell(cell) for cell in row.iter(qn("w:tc")) if _of(cell, table)] for row in table.iter(qn("w:tr")) if _of(row, table)]
        apart = {APART[name] for block in table.iter(qn("w:p")) if (name := self._style(block)) in APART}
        lines = ["　".join(cell for cell in row if cell) for row in rows]
        said = [line for line in lines if line]
        for kind in apart:
            self._lose(kind, " ".join(said))
        if said and not apart:
            self._lose("tables", said[0])
            yield from said

    def _cell(self, cell: Any) -> str:
        return " ".join(filter(None, (self._prose(block).replace("\n", " ") for block in cell.iter(qn("w:p")))))

    def _margins(self) -> None:
        for section in self.file.sections:
            for name in ("header", "footer", "first_page_header", "first_page_footer", "even_page_header", "even_page_footer"):
                part = getattr(section, name)
                text = "" if part.is_linked_to_previous else " ".join(filter(None, map(_plain, part._element.iter(qn("w:p")))))
                if text and not _FOLIO.fullmatch(text):
                    self._lose("margins", text)


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables from top to bottom, those in content controls too."""
    for child in parent:
        if child.tag in (qn("w:p"), qn("w:tbl")):
            yield child
        elif child.tag in _WRAPPERS:
            yield from _blocks(child)


def _of(part: Any, table: Any) -> bool:
    """Whether a row or cell is of this table and not of one inside it."""
    return next(part.iterancestors(qn("w:tbl"))) is table


def _plain(block: Any) -> str:
    parts: Iterable[Any] = [block] if block.tag == qn("w:p") else block.iter(qn("w:p"))
    return " ".join(Prose(part).text.strip() for part in parts).strip()


def _named(block: Any) -> str:
    return (block.style if block.tag == qn("w:p") else None) or ""


def _numbering(file: Any) -> Any:
    return next((rel.target_part.element for rel in file.part.rels.values() if rel.reltype.endswith("/numbering") and not rel.is_external), None)

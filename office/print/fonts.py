"""Fonts: the families the standard names first, then free ones of the same measures; and no character without a glyph.

The standard's fonts are licensed: an office that has them puts them where fontconfig looks and they are used. Of the free ones
Fandol has 仿宋, 宋体, 黑体 and 楷体 for GB 2312, Noto CJK the rare characters of names.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

from node.errors import Invalid, Misconfigured
from office.print.marks import Ink, Page, Round
from office.print.measures import ASCENT


@dataclass(frozen=True)
class Family:
    """A family by its name, and the weight in which it is the face."""

    name: str
    bold: bool = False


_FANG = tuple(map(Family, ("仿宋_GB2312", "FangSong_GB2312", "方正仿宋_GBK", "FZFangSong-Z02", "仿宋", "FangSong", "FandolFang")))
_SONG = tuple(map(Family, ("宋体", "SimSun", "方正书宋_GBK", "FandolSong")))
_HEI = tuple(map(Family, ("黑体", "SimHei", "方正黑体_GBK", "FZHei-B01", "FandolHei")))
_KAI = tuple(map(Family, ("楷体_GB2312", "KaiTi_GB2312", "方正楷体_GBK", "FZKai-Z03", "楷体", "KaiTi", "FandolKai")))
_BIAO = tuple(map(Family, ("方正小标宋_GBK", "方正小标宋简体", "FZXiaoBiaoSong-B05", "FZXiaoBiaoSong-B05S"))) + (Family("FandolSong", True),)
_SERIF, _SANS = Family("Noto Serif CJK SC"), Family("Noto Sans CJK SC")
_THICK = Family("Noto Serif CJK SC", True)
STACKS: dict[str, tuple[Family, ...]] = {
    "body": (*_FANG, _SERIF, _SANS),
    "black": (*_HEI, _SANS, _SERIF),
    "kai": (*_KAI, _SERIF, _SANS),
    "title": (*_BIAO, _THICK, _SANS),
    "mark": (*_BIAO, _THICK, _SANS),
    "folio": (*_SONG, _SERIF, _SANS),
    "seal": (*_SONG, _SERIF, _SANS),
}
"Families of each face, best first."
HINT = "ops/setup-debian.sh print"
BOX = (ASCENT - 1, ASCENT)
"Edges of a character's box."


class Face:
    """One font file as far as the layout needs it."""

    def __init__(self, file: str, index: int) -> None:
        self._font: Any = TTFont(file, fontNumber=index, lazy=True)

    @cached_property
    def glyphs(self) -> dict[int, str]:
        """Characters to glyphs."""
        return self._font.getBestCmap() or {}

    def width(self, char: str) -> float:
        """Advance of a character, in character heights."""
        return float(self._font["hmtx"][self.glyphs[ord(char)]][0] / self._font["head"].unitsPerEm)

    def ink(self, char: str) -> tuple[float, float]:
        """Lower and upper edge of a character's ink above the baseline, in character heights."""
        drawn = self._font.getGlyphSet()
        pen: Any = BoundsPen(drawn)  # type: ignore[no-untyped-call]
        drawn[self.glyphs[ord(char)]].draw(pen)
        each = self._font["head"].unitsPerEm
        return (float(pen.bounds[1] / each), float(pen.bounds[3] / each)) if pen.bounds else BOX


class Fonts:
    """The fonts of this machine that documents are printed in; :class:`~node.errors.Misconfigured` when there is none for a face."""

    def __init__(self) -> None:
        installed = _installed()
        self.stacks = {face: tuple(one for one in stack if one in installed) for face, stack in STACKS.items()}
        bare = sorted(face for face, stack in self.stacks.items() if not stack)
        if bare:
            raise Misconfigured("no Chinese fonts are installed to print with", hint=HINT, code="no_fonts")
        self._files = installed

    def faces(self, face: str) -> Iterable[Face]:
        """The fonts of a face, best first."""
        return (_face(*self._files[family]) for family in self.stacks[face])

    def advance(self, text: str, face: str) -> float:
        """Natural width of a text, in character heights; a character nobody has counts as one."""
        return sum(self._width(char, face) for char in text)

    def ink(self, text: str, face: str) -> tuple[float, float]:
        """Lower and upper edge of a text's ink above the baseline, in character heights; of the whole box where nobody has a character."""
        edges = [self._ink(char, face) for char in text if not char.isspace()] or [BOX]
        return min(low for low, _high in edges), max(high for _low, high in edges)

    def _ink(self, char: str, face: str) -> tuple[float, float]:
        return next((one.ink(char) for one in self.faces(face) if ord(char) in one.glyphs), BOX)

    def _width(self, char: str, face: str) -> float:
        return next((one.width(char) for one in self.faces(face) if ord(char) in one.glyphs), 1.0)

    def _has(self, char: str, face: str) -> bool:
        return any(ord(char) in one.glyphs for one in self.faces(face))

    def file(self, family: Family) -> str:
        """The file of a family, empty for one in a collection, which is found by its name alone."""
        file, _index = self._files[family]
        return "" if file.endswith((".ttc", ".otc")) else file

    def check(self, pages: Iterable[Page]) -> None:
        """Refuse pages with characters that would come out as empty boxes; ``missing`` names them."""
        wanted = {(char, face) for page in pages for text, face in _texts(page) for char in text if not char.isspace()}
        missing = sorted({char for char, face in wanted if not self._has(char, face)})
        if missing:
            named = "、".join(f"{char}（U+{ord(char):04X}）" for char in missing[:20])
            raise Invalid(named, code="missing_glyph")


def _texts(page: Page) -> list[tuple[str, str]]:
    inks = [(mark.text, mark.face) for mark in page.marks if isinstance(mark, Ink)]
    return inks + [(mark.name + "测试", "seal") for mark in page.marks if isinstance(mark, Round)]


@cache
def _face(file: str, index: int) -> Face:
    return Face(file, index)


def _installed() -> dict[Family, tuple[str, int]]:
    """Families by name and weight, with file and place in it, as fontconfig has them."""
    try:
        listed = subprocess.run(
            ["fc-list", "--format", "%{family}\t%{weight}\t%{style}\t%{file}\t%{index}\n"], capture_output=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise Misconfigured(f"fontconfig does not answer: {e}", hint=HINT, code="no_fonts") from None
    known = {family.name for stack in STACKS.values() for family in stack}
    found: dict[Family, tuple[str, int]] = {}
    for line in sorted(listed.stdout.decode("utf-8", "replace").splitlines()):
        names, weight, style, file, index = line.split("\t")
        bold = weight == "200" or "Bold" in style  # Fandol's bold files call themselves of normal weight
        if not weight.isdigit() or not (bold or 75 <= int(weight) <= 100):
            continue
        for name in known.intersection(names.split(",")):
            found.setdefault(Family(name, bold), (file, int(index)))
    return found

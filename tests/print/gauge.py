"""Measures a PDF from outside: words by their boxes, glyphs by their origins, rules and seals by their pixels; all in millimetres."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from PIL import Image

MM = 25.4 / 72
DPI = 254
"Ten pixels a millimetre."
_WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>')
_USE = re.compile(r'<use xlink:href="#(glyph[\d-]+)" x="([\d.-]+)" y="([\d.-]+)"')


@dataclass(frozen=True)
class Word:
    """A word of a page."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    text: str


@dataclass(frozen=True)
class Band:
    """Neighbouring rows of pixels that have ink."""

    left: float
    top: float
    right: float
    bottom: float


class Gauge:
    """One PDF in a folder of its own."""

    def __init__(self, pdf: bytes, folder: Path) -> None:
        self.pdf, self.folder, self.file = pdf, folder, folder / "sheet.pdf"
        self.file.write_bytes(pdf)
        listed = self._run("pdftotext", "-bbox", self.file, "-").decode().split("<page ")[1:]
        self.words = [
            Word(page, *(float(v) * MM for v in found[:4]), unescape(found[4]))
            for page, part in enumerate(listed, 1)
            for found in _WORD.findall(part)
        ]
        self.pages = len(listed)
        self.size = [tuple(round(float(v) * MM, 1) for v in re.findall(r'="([\d.]+)"', part.split(">")[0])) for part in listed]

    def _run(self, *command: object) -> bytes:
        return subprocess.run([str(part) for part in command], capture_output=True, check=True, cwd=self.folder).stdout

    def text(self) -> str:
        """All words, without what stands between them."""
        return "".join(word.text for word in self.words)

    def metadata(self) -> str:
        """The XMP metadata."""
        return self._run("pdfinfo", "-meta", self.file).decode()

    def find(self, text: str, page: int = 0) -> Word:
        """The one word that holds a text, on a page or anywhere."""
        found = [word for word in self.words if text in word.text and page in (0, word.page)]
        assert found, f"{text} is not there; page {page or 'any'} has {[w.text for w in self.words if page in (0, w.page)]}"
        return found[0]

    def baselines(self, page: int) -> dict[float, list[float]]:
        """Origins of glyphs (x) by the baseline they stand on (y)."""
        svg = self._run("pdftocairo", "-svg", "-noshrink", "-nocenter", "-f", page, "-l", page, self.file, "-").decode()
        rows: dict[float, list[float]] = {}
        for _glyph, x, y in _USE.findall(svg):
            rows.setdefault(round(float(y) * MM, 2), []).append(float(x) * MM)
        return {y: sorted(rows[y]) for y in sorted(rows)}

    def picture(self, page: int) -> Image.Image:
        """A page in colours, ten pixels a millimetre."""
        self._run("pdftoppm", "-r", DPI, "-f", page, "-l", page, "-png", "-singlefile", self.file, f"page{page}")
        return Image.open(self.folder / f"page{page}.png").convert("RGB")

    def red(self, page: int) -> list[Band]:
        """Bands of red ink."""
        return self._bands(page, red=True)

    def black(self, page: int) -> list[Band]:
        """Bands of black ink."""
        return self._bands(page, red=False)

    def _bands(self, page: int, *, red: bool) -> list[Band]:
        picture = self.picture(page)
        r, g, b = picture.split()
        other = g.point(lambda v: 255 if v < 140 else 0)
        strong = r.point(lambda v: 255 if (v >= 170 if red else v < 140) else 0)
        ink = Image.composite(other, Image.new("L", picture.size), strong)
        width, height = ink.size
        rows = [ink.crop((0, y, width, y + 1)).getbbox() for y in range(height)]
        bands, start = [], None
        for y in range(height + 1):
            if y < height and rows[y] is not None:
                start = y if start is None else start
            elif start is not None:
                box = ink.crop((0, start, width, y)).getbbox()
                assert box is not None
                bands.append(Band(box[0] / 10, start / 10, box[2] / 10, y / 10))
                start = None
        return bands

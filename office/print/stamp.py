"""A round seal drawn as SVG: rim, star, name on an arc, and 测试 across it while it is not the seal of the state's seal system."""

from __future__ import annotations

from html import escape
from math import cos, pi, radians, sin

from office.print.marks import Round

RED = "#e60012"


def drawn(mark: Round, families: str) -> str:
    """The seal as an SVG element in millimetres around its middle, its words in the first of the ``families`` that has them."""
    radius = mark.diameter / 2
    parts = [f'<circle r="{radius - 0.6:.3f}" fill="none" stroke="{RED}" stroke-width="1.2"/>', _star(mark.diameter * 0.15), *_arc(mark.name, radius)]
    if mark.test:
        size = mark.diameter * 0.16
        parts.append(f'<text x="{-size:.3f}" y="{radius * 0.72:.3f}" font-size="{size:.3f}" fill="{RED}" letter-spacing="0">测试</text>')
    box = f"{-radius:.3f} {-radius:.3f} {mark.diameter:.3f} {mark.diameter:.3f}"
    extent = f'width="{mark.diameter}mm" height="{mark.diameter}mm"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {extent}><g font-family="{families}">{"".join(parts)}</g></svg>'


def _star(radius: float) -> str:
    points = []
    for corner in range(10):
        length = radius if corner % 2 == 0 else radius * 0.382
        points.append(f"{length * sin(corner * pi / 5):.3f},{-length * cos(corner * pi / 5):.3f}")
    return f'<polygon points="{" ".join(points)}" fill="{RED}"/>'


def _arc(name: str, radius: float) -> list[str]:
    """The letters of a name around the upper part of the rim, upright to it; long names in smaller letters."""
    size = min(radius * 0.30, radius * 4.3 / max(len(name), 1))
    reach = radius - 1.6 - size
    step = min(26.0, 250.0 / max(len(name), 1))
    start = -step * (len(name) - 1) / 2
    letters = []
    for place, letter in enumerate(name):
        angle = start + place * step
        x, y = reach * sin(radians(angle)), -reach * cos(radians(angle))
        turned = f"translate({x:.3f} {y:.3f}) rotate({angle:.3f})"
        letters.append(f'<g transform="{turned}"><text x="{-size / 2:.3f}" y="0" font-size="{size:.3f}" fill="{RED}">{escape(letter)}</text></g>')
    return letters

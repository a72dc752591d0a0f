"""What a line carries when it cannot carry all that is wanted: voices first, then screens, then the face of who speaks, then the rest. Pure.

Shares follow what was measured on lines of 10 Mbit/s: 720p takes 1.1 Mbit/s with its headers, 360p 0.43, 180p 0.16, a voice 0.06.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from media.room import LOWEST_FIRST, place

VOICE, SCREEN = 60, 1_200
"Kilobits a second on the wire."
LAYERS = {"q": 160, "h": 430, "f": 1_100}
VOICES = 3
"Voices that go over a line: the loudest three of the loudest three on each side are the loudest three of all."
LINE = "line"
"Why something is held back: the line is full."
LOSSY, CLEAN = 0.10, 0.02
"Part of lost packets above which a line is given less, and below which it is given more again."
LESS, MORE = 0.7, 1.05
"By what it changes each second."
LOWEST = 64
"Kilobits a second that are never gone below: one voice."


@dataclass(frozen=True)
class Wish:
    """A picture that somebody behind the line wants."""

    id: str
    what: str
    "camera or screen."
    wanted: str
    "The largest layer that is wanted."
    sizes: Sequence[str]
    "Layers there are, the smallest first."
    speaks: bool
    "Whether its person speaks."

    def cost(self, layer: str) -> int:
        """Kilobits a second of a layer."""
        return SCREEN if self.what == "screen" else LAYERS.get(layer, LAYERS["f"])


def allot(wishes: Iterable[Wish], budget: float) -> dict[str, str]:
    """The layer that each picture gets, the empty one for none: first each its smallest, in order of weight, then larger ones as far as it goes."""
    order = sorted(wishes, key=lambda one: (one.what != "screen", not one.speaks, one.id))
    given = dict[str, str]()
    for one in order:
        least = one.sizes[0] if one.sizes else ""
        fits = one.cost(least) <= budget
        given[one.id] = least or "f" if fits else ""
        budget -= one.cost(least) if fits else 0
    for one in order:
        for layer in reversed([size for size in one.sizes if place(size) <= place(one.wanted)]):
            more = one.cost(layer) - one.cost(given[one.id])
            if given[one.id] and 0 < more <= budget:
                given[one.id] = layer
                budget -= more
    return given


def paced(rate: float, configured: float, lost: float) -> float:
    """What a line may carry in the next second, by what was lost on it in the last."""
    changed = rate * LESS if lost > LOSSY else rate * MORE if lost < CLEAN else rate
    return min(configured, max(LOWEST, changed))


assert set(LAYERS) == set(LOWEST_FIRST)

"""Who speaks: the levels that browsers put beside their packets (RFC 6464), evened out so that a cough gives nobody the floor."""

from __future__ import annotations

from dataclasses import dataclass

from media.rtp import SILENT

SPEAKS = 55.0
"Level, in -dBov, below which somebody is heard."
RISE, FALL = 0.3, 0.03
"How much of a new level counts: a voice is noticed at once and forgotten slowly."


@dataclass
class Voice:
    """How loud somebody is."""

    level: float = float(SILENT)
    "Evened out; 0 is loudest, 127 silence."

    def heard(self, level: int) -> None:
        """The level of one packet, 0 to 127."""
        self.level += (RISE if level < self.level else FALL) * (level - self.level)

    @property
    def speaks(self) -> bool:
        """Whether a voice is heard."""
        return self.level < SPEAKS

"""Who speaks: the levels that browsers put beside their packets (RFC 6464), evened out so that a cough gives nobody the floor."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from media.rtp import SILENT

KEEPS = 6.0
"By how many dB another must be louder to take a place among the foremost."
SPEAKS = 55.0
"Level, in -dBov, below which somebody is heard."
RISE, FALL = 0.3, 0.03
"How much of a new level counts: a voice is noticed at once and forgotten slowly."


STALE = 1.0
"Seconds without a packet after which nobody speaks."


@dataclass
class Voice:
    """How loud somebody is."""

    level: float = float(SILENT)
    "Evened out; 0 is loudest, 127 silence."
    at: float = 0.0
    "When it was last heard, monotonic seconds."

    def heard(self, level: int, now: float) -> None:
        """The level of one packet, 0 to 127."""
        self.level += (RISE if level < self.level else FALL) * (level - self.level)
        self.at = now

    def loud(self, now: float) -> float:
        """The level of one who may have fallen silent without a word."""
        return self.level if now - self.at < STALE else float(SILENT)

    def speaks(self, now: float) -> bool:
        """Whether a voice is heard."""
        return self.loud(now) < SPEAKS


def foremost(voices: Mapping[str, Voice], held: Container[str], most: int, now: float) -> set[str]:
    """The loudest ``most``; who has the floor keeps it against one who is hardly louder."""
    order = sorted(voices, key=lambda one: (voices[one].loud(now) - (KEEPS if one in held else 0.0), one))
    return set(order[:most])

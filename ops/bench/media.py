"""The media relay: one who sends a picture of 720p and a voice, and more and more who receive both; what the relay's process takes for each.

A *stream* is one picture (107 packets a second, 1 Mbit/s) and one voice (50 a second) to one viewer; who sends and receives decodes nothing
(:mod:`media.crowd`), so that one processor carries them while the other carries the relay.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from media import crowd
from ops.bench import fleet, meter, portal
from ops.bench.fleet import Member

UDP = fleet.PORT + 900
STEPS = (10, 40, 100)
"Viewers."


def run(seconds: float) -> None:
    """Measure with more and more viewers."""
    meter.note("media")
    with TemporaryDirectory(prefix="yw-bench-") as folder:
        member = portal.founded(Path(folder) / "city")
        member.settings = msgspec.structs.replace(member.settings, media=f"127.0.0.1:{UDP}")
        file = Path(member.settings.home, "node.toml")
        file.write_text(re.sub(r'media = ".*"', f'media = "{member.settings.media}"', file.read_text(encoding="utf-8")), encoding="utf-8")
        try:
            member.start("relay")
            fleet.until(member.settings.path("run", "media.sock").exists, "the relay")
            crowd.play(member.settings, STEPS, seconds, Watch(member, seconds).told)
        finally:
            member.end()


class Watch:
    """What the relay takes while the crowd does this and that."""

    def __init__(self, member: Member, seconds: float) -> None:
        self.member, self.seconds = member, seconds
        self.span = meter.Span(member.pids())
        self.new = self.sent = self.got = 0
        self.joining = 0.0

    def told(self, what: str, count: int, sent: int, got: int) -> None:
        """A moment of the crowd's story."""
        if what == "joining":
            self.new, self.span = count, meter.Span(self.member.pids())
        elif what == "joined":
            self.joining = self.span.used() / self.new
        elif what == "begins":
            self.sent, self.got, self.span = sent, got, meter.Span(self.member.pids())
        else:
            self._emit(count, sent - self.sent, got - self.got)

    def _emit(self, count: int, sent: int, got: int) -> None:
        used = self.span.used()
        meter.emit(
            "yiwang.media",
            viewers=count,
            packets_per_s=round(got / self.seconds),
            lost_share=round(max(0.0, 1 - got / (sent * count)), 4),
            cpu_share=round(used / self.seconds, 3),
            cpu_ms_per_stream_s=round(1000 * used / (self.seconds * count), 2),
            us_per_packet_out=round(1e6 * used / max(1, got), 1),
            streams_per_core=round(self.seconds * count / used) if used else None,
            join_cpu_ms=round(1000 * self.joining, 1),
            pss_mib=round(meter.pss(self.member.pids()), 1),
            **self.span.figures(),
        )

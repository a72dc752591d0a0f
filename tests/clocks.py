"""Wrong wall clocks for single processes: skewed, drifting, frozen or jumping while they run; monotonic time and sleeps stay true."""

from __future__ import annotations

import struct
import subprocess
import time
from pathlib import Path

SOURCE = Path(__file__).with_name("clockshim.c")
DAY = 86_400.0


def build(folder: Path) -> Path:
    """The library that is loaded before all others."""
    made = folder / "clockshim.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl"], check=True)
    return made


class Clock:
    """The wall clock of whatever process is started with :attr:`env`; may be set at any time."""

    def __init__(self, library: Path, file: Path) -> None:
        self.file = file
        self.file.write_bytes(bytes(24))
        self.env = {"LD_PRELOAD": str(library), "CLOCKSHIM": str(file)}

    def set(self, offset: float = 0.0, drift: float = 0.0) -> None:
        """``offset`` seconds ahead from now on, and ``drift`` seconds more each second (-1 is frozen)."""
        with self.file.open("r+b") as f:
            f.write(struct.pack("3d", offset, drift, time.time()))

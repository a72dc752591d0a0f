"""Pages as pictures for a screen: the printed PDF, drawn by Poppler."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from node.errors import Misconfigured
from office.print.sheet import Pictures

DPI, MOST, SECONDS = 84, 6, 20
"Points of a picture per inch, pages that are drawn, seconds for all of them."


def pictures(pdf: bytes, count: int) -> Pictures:
    """The pages of a PDF, of a document that has ``count`` of them."""
    program = shutil.which("pdftoppm")
    if program is None:
        raise Misconfigured("pdftoppm", hint="ops/setup-debian.sh print", code="no_printer")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "-q", "-png", "-r", str(DPI), "-", f"{folder}/page"]
        subprocess.run(command, input=pdf, check=True, timeout=SECONDS)  # noqa: S603
        drawn = tuple(page.read_bytes() for page in sorted(Path(folder).glob("page*.png")))
    return Pictures(count=count, pages=drawn)

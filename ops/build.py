"""What this build is: version, source, formats, protocol, suites and the hash of what it is made of."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from node import entry
from node.keys import ED25519, P256
from sync import frames

HERE = Path(__file__).resolve().parent
LOCK = HERE / "lock/core.lock"


def about() -> dict[str, Any]:
    """The answer of ``yiwang version``."""
    return {
        "version": version("yiwang"),
        "build": source_hash()[:16],
        "schema": entry.VERSION,
        "protocol": {"min": frames.LOW, "max": frames.HIGH},
        "suites": [ED25519, P256],
        "sbom_hash": "sha256:" + hashlib.sha256(LOCK.read_bytes()).hexdigest(),
    }


def source_hash() -> str:
    """SHA-256 over the names and bytes of the program's own modules, so that two machines can compare builds."""
    total = hashlib.sha256()
    for package in ("node", "office", "sync", "media", "ops", "city_node", "county_node", "township_node"):
        for file in sorted((HERE.parent / package).rglob("*.py")):
            total.update(file.relative_to(HERE.parent).as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()

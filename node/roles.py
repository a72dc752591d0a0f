"""The processes of a node: which function runs each role."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from node import settings
from node.tier import Tier

ROLES = {
    "ledger": "node.ledger:main",
    "courier": "sync.courier:main",
    "portal": "office.frame.run:portal",
    "clerk": "office.frame.run:clerk",
    "relay": "media.api:main",
}


def main(tier: Tier) -> None:
    """Run the role named on the command line until it is told to stop."""
    parser = argparse.ArgumentParser(prog=f"{tier.name}_node")
    parser.add_argument("role", choices=[role for role in ROLES if role in tier.roles])
    parser.add_argument("--home", type=Path, default=os.environ.get("YIWANG_HOME"), required="YIWANG_HOME" not in os.environ)
    given = parser.parse_args()
    found = settings.load(Path(given.home))
    os.chdir(found.home)
    module, _, name = ROLES[given.role].partition(":")
    run: Callable[[settings.Settings, Tier], None] = getattr(import_module(module), name)
    run(found, tier)

"""What a tier is made of: the shape of the declarations in ``city_node``, ``county_node`` and ``township_node``.

Modules are named, not imported, so that the ledger loads tables without the web and the command line loads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One tier's rooms and processes."""

    name: str
    "city, county, township or outside."
    rooms: tuple[str, ...]
    "Packages under ``office``, in the order of the menu."
    roles: tuple[str, ...]
    "Processes of a node, ledger first. Supervisor starts them with it, but for the relay, which the first call starts."

    def models(self) -> list[ModuleType]:
        """The modules whose ``ROOM`` the ledger folds, the directory first."""
        names = ["node.directory.model", *(f"office.{room}.model" for room in self.rooms)]
        return [import_module(name) for name in names if _exists(name)]

    def parts(self, module: str) -> list[ModuleType]:
        """A module of every room that has it: ``service`` or ``pages``."""
        return [import_module(name) for room in self.rooms if _exists(name := f"office.{room}.{module}")]


def _exists(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def load(name: str) -> Tier:
    """The declaration of a tier."""
    tier: Tier = import_module(f"{name}_node").TIER
    return tier

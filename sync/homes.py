"""Homes of simulated nodes: founded once in a process and copied for each life.

Their keys are the same in every process, so a seed means the same everywhere.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from zmq.utils import z85

from node import certs, enrol, keys
from node.settings import Parent, Settings

START = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
TREE = {"city": ""} | {f"c{c}": "city" for c in "123"} | {f"c{c}t{t}": f"c{c}" for c in "123" for t in "123"}
"""1 + 3 + 9 nodes."""
MEMORY = Path("/dev/shm")  # noqa: S108 - only the parent of a folder with a name of its own


def tier(tree: Mapping[str, str], name: str) -> str:
    """The tier of a node of a tree (names of nodes, and of the one above each)."""
    return "city" if not tree[name] else "county" if not tree[tree[name]] else "township"


@functools.cache
def workplace() -> tempfile.TemporaryDirectory[str]:
    """Where homes live: in memory where the machine has such a place, since nobody cuts the power of a simulation."""
    return tempfile.TemporaryDirectory(prefix="yiwang-sim-", dir=MEMORY if MEMORY.is_dir() else None)


def founded(tree: Mapping[str, str]) -> dict[str, Settings]:
    """The homes of a tree (names of nodes, and of the one above each) by their names, with keys and certificates."""
    return _founded(tuple(tree.items()))


@functools.cache
def _founded(tree: tuple[tuple[str, str], ...]) -> dict[str, Settings]:
    root = _key("root")
    cert = certs.issue(certs.Subject(kind="root", id="root", name="root"), root.public_key(), None, root, START)
    homes: dict[str, Settings] = {}
    place = Path(tempfile.mkdtemp(prefix="founded-", dir=workplace().name))
    chains: dict[str, list[Any]] = {}
    for name, above in tree:
        level = tier(dict(tree), name)
        own, issuer, issuer_key = _key(name), (chains[above][0] if above else cert), (_key(above) if above else root)
        about = certs.Subject(kind="node", id=certs.node_id(own.public_key()), name=name, code=name)
        chains[name] = [
            certs.issue(about, own.public_key(), issuer, issuer_key, START, path=certs.PATH[level]),
            *chains.get(above, []),
        ]
        parent = Parent(endpoint="tcp://127.0.0.1:1", id=homes[above].id, curve=enrol.curve_public(homes[above])) if above else None
        home = place / name
        made = Settings(id=about.id, tier=level, name=name, code=name, city=certs.city_id(cert), parent=parent, home=home)
        _lay_out(made, own)
        (home / "certs/root.pem").write_bytes(certs.pem(cert))
        (home / "certs/node.pem").write_bytes(certs.pem(*chains[name]))
        homes[name] = made
    return homes


def _lay_out(made: Settings, own: ec.EllipticCurvePrivateKey) -> None:
    for folder in ("keys", "certs"):
        made.path(folder).mkdir(parents=True, mode=0o700)
    keys.write_secret(made.path("keys", "identity.key"), keys.pem(own))
    keys.write_secret(made.path("keys", "storage.key"), b"".join(_seed(f"storage {n} {made.name}") for n in range(3)))
    keys.write_secret(made.path("keys", "curve.key"), z85.encode(_seed(f"curve {made.name}")))


def _seed(of: str) -> bytes:
    return hashlib.sha256(f"sim {of}".encode()).digest()


def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(_seed(name), "big") >> 1, ec.SECP256R1())

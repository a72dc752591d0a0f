"""The sample settings of each tier: complete, explained, loadable once a home's own values are filled in, and packaged."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node import settings, tier

NAMES = ("city", "county", "township")
FILLED = {"id": "a" * 26, "city": "b" * 26}


def sample(name: str) -> str:
    """The text of a tier's sample, where an installed program finds it."""
    return files(f"{name}_node").joinpath("node.toml").read_text(encoding="utf-8")


def filled(name: str) -> dict[str, Any]:
    """A sample as enrolment leaves it."""
    found = tomllib.loads(sample(name)) | FILLED
    if "parent" in found:
        found["parent"] |= {"id": "c" * 26, "curve": "d" * 40}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_loads_and_names_every_key(name: str, tmp_path: Path) -> None:
    """With ids filled in the settings load, and every key there is stands in the file; only a node with a superior names one."""
    (tmp_path / "node.toml").write_bytes(msgspec.toml.encode(filled(name)))
    made = settings.load(tmp_path)
    keys = set(made.__struct_fields__) - {"home"} - ({"parent"} if name == "city" else set())
    assert made.tier == name and set(tomllib.loads(sample(name))) == keys
    assert (made.parent is None) == (name == "city")


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_sample_is_explained(name: str) -> None:
    """Each key, and the table of the superior, has a comment right above it; the one on roles names the tier's processes."""
    lines = sample(name).splitlines()
    for above, line in zip(lines, lines[1:], strict=False):
        if not line.startswith("#") and (" = " in line or line.startswith("[")):
            assert above.startswith("# "), line
        if line.startswith("roles"):
            assert ", ".join(tier.load(name).roles) in above

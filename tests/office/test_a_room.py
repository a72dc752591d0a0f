"""The page that teaches how to build a room is true: its listings, put into a copy of the tree, are a room that passes its tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.city import ROOT

PARTS = ("docs/schemas", "node", "office", "sync", "media", "ops", "city_node", "county_node", "township_node", "tests", "pyproject.toml", "setup.py")
_LISTING = re.compile(r"^```(?:python|jinja|po) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def listings() -> dict[str, str]:
    """Path of each listing to its text."""
    return dict(_LISTING.findall((ROOT / "docs/a-room.md").read_text(encoding="utf-8")))


def test_the_room_of_the_page_works(tmp_path: Path) -> None:
    """A newcomer who types what the page says has a room with verbs, rights, pages and both languages."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / part)
    files = listings()
    assert {Path(name).name for name in files} >= {"__init__.py", "entries.py", "workflow.py", "model.py", "service.py", "pages.py", "en.po"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("city", "county", "township"):
        declared = tmp_path / f"{name}_node" / "__init__.py"
        text = declared.read_text(encoding="utf-8")
        declared.write_text(text.replace('        "people",\n', '        "leave",\n        "people",\n', 1), encoding="utf-8")
        assert '"leave"' in declared.read_text(encoding="utf-8")
    rules = tmp_path / "pyproject.toml"
    rules.write_text(rules.read_text(encoding="utf-8").replace('"office.meetings"', '"office.leave", "office.meetings"', 1), encoding="utf-8")
    asked = [
        "tests/office/test_leave.py",
        "tests/portal/test_words.py",
        "tests/house/test_structure.py",
        "-k",
        "leave or everything or modules or every",
    ]
    chosen = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked]
    env = os.environ | {"PYTHONPATH": str(tmp_path), "YIWANG_SCREENS": str(tmp_path)}
    done = subprocess.run(chosen, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *(n for n in files if n.endswith(".py"))], cwd=tmp_path, env=env, capture_output=True
    )
    assert linted.returncode == 0, linted.stdout.decode()

"""The command line speaks both languages completely."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ops import words
from ops.cli import COMMANDS

OPS = Path(words.__file__).parent


def _chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def _marked(file: Path) -> set[str]:
    found = set()
    for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(one, ast.Call):
            continue
        if getattr(one.func, "id", getattr(one.func, "attr", "")) in ("_", "say") and one.args and isinstance(one.args[0], ast.Constant):
            found.add(str(one.args[0].value))
        found |= {str(k.value.value) for k in one.keywords if k.arg == "help" and isinstance(k.value, ast.Constant)}
    return found


def _all_marked() -> set[str]:
    found = {short for _, short in COMMANDS.values()}
    for file in OPS.rglob("*.py"):
        found |= _marked(file)
    for file in OPS.glob("templates/*.html"):
        found |= set(re.findall(r'_\("([^"]+)"\)', file.read_text(encoding="utf-8")))
        found |= set(re.findall(r"_\('([^']+)'\)", file.read_text(encoding="utf-8")))
    return found


def test_every_text_of_the_command_line_has_its_english() -> None:
    """No help text, answer, message or report of a command lacks an English sentence."""
    missing = sorted(text for text in _all_marked() if _chinese(text) and text not in words.catalogue())
    assert not missing, missing


def test_the_english_catalogue_has_no_dead_entries() -> None:
    """Every English sentence translates a text that still stands in the source."""
    assert not sorted(set(words.catalogue()) - _all_marked())

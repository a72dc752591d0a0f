"""The house rules that a program can check."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.tier import load

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("node", "office", "sync", "media", "ops", "city_node", "county_node", "township_node")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if file.name != "yiwang-verify.py")
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base", "tools", "stuff"}
LONGEST_FUNCTION = 60
LONGEST_MODULE = 900
"Hard end; a module past 400 lines should be asked whether it is still one thing."
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def named(file: Path) -> str:
    """The path as people say it."""
    return file.relative_to(ROOT).as_posix()


def public(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, Definition]]:
    """Public definitions of a module and of its public classes."""
    for one in ast.iter_child_nodes(tree):
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not one.name.startswith("_"):
            yield f"{inside}{one.name}", one
            if isinstance(one, ast.ClassDef) and not _protocol(one):
                yield from public(one, f"{one.name}.")


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_everything_public_says_what_it_is(file: Path) -> None:
    """Every module, public class and public function starts with a docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = [name for name, one in public(tree) if not ast.get_docstring(one) and not _overload(one)]
    assert ast.get_docstring(tree), f"{named(file)} has no docstring"
    assert not silent, f"without a docstring in {named(file)}: {', '.join(silent)}"


def _protocol(one: ast.ClassDef) -> bool:
    """Whether a class only says what others must have; its own docstring speaks for all of it."""
    return any(getattr(base, "id", "") == "Protocol" for base in one.bases)


def _overload(one: Definition) -> bool:
    marks = {getattr(mark, "id", getattr(mark, "attr", "")) for mark in one.decorator_list}
    return bool(marks & {"overload", "setter"})


@pytest.mark.parametrize("file", MODULES, ids=named)
def test_modules_are_one_word_and_one_thing(file: Path) -> None:
    """A module's name is one word that names a thing, and no module or function has outgrown a reader."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    length = len(file.read_text(encoding="utf-8").splitlines())
    assert file.stem in ("__init__", "__main__") or ("_" not in file.stem and file.stem not in NAMELESS)
    assert length <= LONGEST_MODULE, f"{named(file)} has {length} lines"
    long = [
        f"{one.name} ({one.end_lineno - one.lineno})"
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef) and _length(one) > LONGEST_FUNCTION
    ]
    assert not long, f"too long in {named(file)}: {', '.join(long)}"


def _length(one: ast.FunctionDef) -> int:
    return (one.end_lineno or one.lineno) - one.lineno


def test_tests_are_claims() -> None:
    """Every test has a docstring that says what it claims."""
    silent = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        silent += [
            f"{named(file)}:{one.name}"
            for one in ast.walk(tree)
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_") and not ast.get_docstring(one)
        ]
    assert not silent, ", ".join(silent)


def test_the_product_speaks_of_itself_alone() -> None:
    """No file that is kept names a folder outside the project."""
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    strangers = ["../" + "shared", "/work" + "/main", "/work" + "/shared", "/tmp" + "/boot"]
    found = []
    for name in filter(None, kept):
        file = ROOT / name
        if not file.is_file():
            continue
        text = file.read_bytes().decode("utf-8", errors="replace")
        found += [f"{name}: {word}" for word in strangers if word in text]
    assert not found, ", ".join(found)


def test_every_room_is_held_apart_from_the_others() -> None:
    """The rooms that tiers declare are those of which the import rules say that they see of each other the entries alone."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    apart = next(one["modules"] for one in contracts if one["type"] == "independence")
    declared = {room for tier in ("city", "county", "township") for room in load(tier).rooms}
    assert sorted(apart) == sorted(f"office.{room}" for room in declared)


def test_asyncio_and_eventlet_keep_to_their_rooms() -> None:
    """Only media uses asyncio, only office uses nameko and eventlet, and the node uses neither."""
    allowed = {"asyncio": ("media",), "aiortc": ("media",), "eventlet": ("office",), "nameko": ("office",)}
    wrong = []
    for file in MODULES:
        for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in one.names] if isinstance(one, ast.Import) else [one.module or ""] if isinstance(one, ast.ImportFrom) else []
            )
            tops = {name.partition(".")[0] for name in names}
            wrong += [f"{named(file)} imports {top}" for top in tops if top in allowed and file.relative_to(ROOT).parts[0] not in allowed[top]]
    assert not wrong, ", ".join(wrong)

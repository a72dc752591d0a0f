"""Every page says what it is for, and every empty list what comes next: read from the templates, so that a new page without its words fails here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from office.frame.words import OFFICE

TEMPLATES = sorted(OFFICE.glob("*/templates/**/*.html"))
ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)


def uses(file: Path, macro: str) -> Iterator[tuple[nodes.Call, bool]]:
    """Where a template uses a macro of the vocabulary, and whether with a body."""
    tree = ENVIRONMENT.parse(file.read_text(encoding="utf-8"))
    bodies = {id(block.call) for block in tree.find_all(nodes.CallBlock)}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr == macro and isinstance(call.node.node, nodes.Name) and call.node.node.name == "p":
            yield call, id(call) in bodies


def given(call: nodes.Call, name: str, place: int) -> nodes.Expr | None:
    """An argument by name or place, if it says anything."""
    found = next((one.value for one in call.kwargs if one.key == name), call.args[place] if len(call.args) > place else None)
    return None if isinstance(found, nodes.Const) and not found.value else found


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(OFFICE)))
def test_a_page_says_what_it_is_for(file: Path) -> None:
    """Below every heading stands what the page is for, or what the thing on it is."""
    silent = [call.lineno for call, _body in uses(file, "head") if given(call, "sub", 1) is None]
    assert not silent, f"{file}: headings without a sentence in lines {silent}"


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(OFFICE)))
def test_an_empty_list_says_what_comes_next(file: Path) -> None:
    """Where nothing is to be seen the page says what to do, or when there will be something."""
    silent = [call.lineno for call, body in uses(file, "empty") if not body and given(call, "hint", 2) is None]
    assert not silent, f"{file}: empty lists without a next step in lines {silent}"


def test_the_vocabulary_is_read() -> None:
    """The reading finds headings and empty lists in many rooms."""
    assert sum(1 for file in TEMPLATES for _one in uses(file, "head")) > 70 and sum(1 for file in TEMPLATES for _one in uses(file, "empty")) > 40

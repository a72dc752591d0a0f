"""The published schemas of what commands print. Every answer in the tests of ops and of the world is held against them where it is read."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ops.cli import cli
from tests import schema

UNSCHEMED = {"batch", "dir export"}
"Their lines are those of other commands, and the directory's own."


def leaves(group: click.Group, before: str = "") -> Iterator[str]:
    """Every command by its full name."""
    for name in group.list_commands(click.Context(group)):
        one = group.get_command(click.Context(group), name)
        if isinstance(one, click.Group):
            yield from leaves(one, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_has_a_schema() -> None:
    """What is not published cannot be relied upon: each command has its definition, and no definition is of a command that is gone."""
    commands = set(leaves(cli)) - UNSCHEMED
    assert commands <= schema.DEFINED.keys(), commands - schema.DEFINED.keys()
    shared = {name for name in schema.DEFINED if "allOf" not in schema.DEFINED[name]}
    assert schema.DEFINED.keys() - shared == commands


def test_a_wrong_answer_is_seen() -> None:
    """A field of another type, a missing one and a word outside its list are each named."""
    good = {"v": 1, "cmd": "blob put", "ok": True, "node": None, "at": "2026-11-20T08:00:00.000+08:00", "sha": "00" * 32, "bytes": 3}
    assert schema.wrong(good) == []
    assert len(schema.wrong(good | {"bytes": "3"})) == 1
    assert len(schema.wrong({key: value for key, value in good.items() if key != "sha"})) == 1
    assert schema.wrong(good | {"cmd": "proof check", "kind": "rumour"})
    assert schema.wrong(good | {"error": {"code": "x", "message": "", "retry": "soon", "indeterminate": False}})

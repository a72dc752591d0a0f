"""Answers of commands against the published schemas (docs/schemas): as much of JSON Schema 2020-12 as they use, and nothing else passes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "docs/schemas/commands.json"
PUBLISHED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
DEFINED: dict[str, Any] = PUBLISHED["$defs"]
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
UNDERSTOOD = {"$ref", "allOf", "type", "enum", "pattern", "required", "properties", "items"}


def wrong(answer: Mapping[str, Any]) -> list[str]:
    """What of an answer is not as its schema says; a failure need only be in its envelope."""
    name = answer.get("cmd")
    if "error" in answer:
        return list(_wrong(answer, DEFINED["envelope"], str(name)))
    if name not in DEFINED:
        return [f"no schema for {name!r}"]
    return list(_wrong(answer, DEFINED[name], str(name)))


def _wrong(value: Any, rule: Mapping[str, Any], where: str) -> Iterator[str]:
    assert set(rule) <= UNDERSTOOD, set(rule) - UNDERSTOOD
    if "$ref" in rule:
        yield from _wrong(value, DEFINED[rule["$ref"].removeprefix("#/$defs/")], where)
    for one in rule.get("allOf", ()):
        yield from _wrong(value, one, where)
    if "enum" in rule and value not in rule["enum"]:
        yield f"{where}: {value!r} is none of {rule['enum']}"
    if "type" in rule and not _is(value, rule["type"]):
        yield f"{where}: {value!r} is no {rule['type']}"
        return
    if isinstance(value, str) and "pattern" in rule and not re.search(rule["pattern"], value):
        yield f"{where}: {value!r} is not like {rule['pattern']}"
    if isinstance(value, dict):
        yield from (f"{where}: {name} is missing" for name in rule.get("required", ()) if name not in value)
        for name, inner in rule.get("properties", {}).items():
            if name in value:
                yield from _wrong(value[name], inner, f"{where}.{name}")
    if isinstance(value, list) and "items" in rule:
        for at, one in enumerate(value):
            yield from _wrong(one, rule["items"], f"{where}[{at}]")


def _is(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)

"""The places of a demonstration and the directory lines of each: four are written out, further ones follow their example.

``demo.jsonl`` has one city, one county and two townships with their organs, posts and people. A further county is a copy
of 无棣县 and a further township one of 水湾镇, under its own code and name, so that a network of any size can be filled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
COUNTY, TOWNSHIP = ("371623", "wd", "无棣县", "棣"), ("371623101", "sw", "水湾镇", "水")
"Code, id prefix, name and first character of document numbers of the two examples."
Row = dict[str, Any]


def known() -> Row:
    """The city, its counties and their townships, with names and codes."""
    found: Row = json.loads((DATA / "places.json").read_bytes())
    return found


def directory(places: Iterable[tuple[str, str, str, str]]) -> Iterator[Row]:
    """Directory lines for places given as (code, tier, name, code of the county), the standing lists last."""
    rows = [json.loads(line) for line in (DATA / "demo.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    wanted = list(places)
    codes = {code for code, *_ in wanted}
    organs = {row["id"]: row["node"] for row in rows if row["type"] == "organ"}
    lists = [row for row in rows if row["type"] == "list"]
    made: dict[str, list[str]] = {"county": [], "township": []}
    for row in rows:
        if row["type"] != "list" and _home(row, organs) in codes:
            yield row
    for code, tier, name, county in wanted:
        if tier in made and code not in organs.values():
            yield from _copies(rows, organs, tier, _Names(code, name, county))
            made[tier].append(f"{code}-zf")
    for row in lists:
        if row["node"] in codes:
            yield _listed(row, organs, codes, made)


class _Names:
    """What an example's words become in its copy."""

    def __init__(self, code: str, name: str, county: str) -> None:
        self.code, self.name, self.county = code, name, county
        self.names = {row["code"]: row["name"] for row in known()["counties"]}

    def change(self, text: str, example: tuple[str, str, str, str]) -> str:
        """A text of the example, as it stands in the copy."""
        old_code, prefix, old_name, letter = example
        if text.startswith(f"{prefix}-"):
            return f"{self.code}-{text.removeprefix(prefix + '-')}"
        if text.endswith(f".{prefix}"):
            return f"{text.removesuffix(prefix)}{self.code}"
        if example is TOWNSHIP and text.startswith("wd-"):
            return text if self.county == COUNTY[0] else f"{self.county}-{text.removeprefix('wd-')}"
        if len(text) <= 4 and text.startswith(letter) and text != old_name:
            return self.name[:2] + text.removeprefix(letter)
        changed = text.replace(old_code, self.code).replace(old_name, self.name)
        if example is not TOWNSHIP:
            return changed
        changed = changed.replace(COUNTY[2], self.names.get(self.county, COUNTY[2]))
        return changed.replace("街道人民政府", "街道办事处").replace("街道政府", "街道办事处")


def _copies(rows: Iterable[Row], organs: Mapping[str, str], tier: str, names: _Names) -> Iterator[Row]:
    example = COUNTY if tier == "county" else TOWNSHIP
    for row in rows:
        if row["type"] != "list" and _home(row, organs) == example[0]:
            yield {key: _changed(key, value, example, names) for key, value in row.items()}


def _changed(key: str, value: Any, example: tuple[str, str, str, str], names: _Names) -> Any:
    if isinstance(value, list):
        return [_changed(key, one, example, names) for one in value]
    if not isinstance(value, str) or key in ("type", "kind", "tier", "login", "title", "mobile", "office_phone"):
        return value
    return value if key == "name" else names.change(value, example)


def _home(row: Row, organs: Mapping[str, str]) -> str:
    return str(row.get("node") or organs.get(row.get("organ", ""), ""))


def _listed(row: Row, organs: Mapping[str, str], codes: set[str], made: Mapping[str, list[str]]) -> Row:
    """A standing list with the organs that are there, and the copies beside their examples."""
    kept = [organ for organ in row["organs"] if organs.get(organ) in codes]
    if "wd-zf" in row["organs"]:
        kept += made["county"]
    if "sw-zf" in row["organs"]:
        kept += [organ for organ in made["township"] if organ.startswith(COUNTY[0]) or row["node"] != COUNTY[0]]
    return row | {"organs": kept}

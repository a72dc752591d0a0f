"""A demonstration's plan: names, ports and directory of a network of any size."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.errors import Invalid
from ops import demo, places


def plan(folder: Path, counties: int, townships: int) -> demo.Network:
    """A plan that tries ports of the tests' own range."""
    return demo.plan(folder, counties, townships, courier_only=False, web=0, listen=0)


def test_the_default_is_the_four_places_people_know(tmp_path: Path) -> None:
    """One city, one county, two townships, under their names and real codes."""
    found = plan(tmp_path, 1, 2)
    assert [(one.name, one.parent) for one in found.nodes] == [("滨州市", ""), ("无棣县", "滨州市"), ("水湾镇", "无棣县"), ("佘家镇", "无棣县")]


def test_every_node_has_ports_of_its_own(tmp_path: Path) -> None:
    """No port is given twice; townships await nobody; every node but the city has a line."""
    found = plan(tmp_path, 3, 9)
    given = [port for one in found.nodes for port in (one.listen, one.web, one.line) if port]
    assert len(set(given)) == len(given)
    assert all(bool(one.line) == bool(one.parent) and bool(one.listen) == (one.tier != "township") for one in found.nodes)


@pytest.mark.parametrize(("counties", "townships"), [(1, 2), (2, 3), (10, 91)])
def test_the_directory_is_whole_at_any_size(counties: int, townships: int, tmp_path: Path) -> None:
    """Every organ, post and person names an organ or post that is there, and every government has a clerk, a signer and a seal keeper."""
    nodes = demo.plan(tmp_path, counties, townships, courier_only=True, web=0, listen=0).nodes
    codes = {one.name: one.code for one in nodes}
    assert len(nodes) == 1 + counties + townships
    rows = list(places.directory((one.code, one.tier, one.name, codes.get(one.parent, "")) for one in nodes))
    organs = {row["id"] for row in rows if row["type"] == "organ"}
    posts = {row["id"] for row in rows if row["type"] == "post"}
    assert len(organs) + len(posts) + len({row["id"] for row in rows if row["type"] == "person"}) == sum(
        row["type"] in ("organ", "post", "person") for row in rows
    )
    for row in rows:
        assert {row.get("parent_id") or None, row.get("organ") or None, *row.get("organs", ()), *row.get("serves", ())} - {None} <= organs, row
        assert set(row.get("posts", ())) <= posts, row
    governments = [row["id"] for row in rows if row["type"] == "organ" and row["kind"] == "government" and row["id"].endswith("-zf")]
    assert len(governments) == len(nodes)
    for organ in governments:
        roles = {role for row in rows if row["type"] == "post" and organ in (row["organ"], *row.get("serves", ())) for role in row.get("roles", ())}
        assert {"registry_clerk", "signer", "seal_keeper", "reviewer"} <= roles, organ


def test_more_than_there_is_cannot_be_asked_for(tmp_path: Path) -> None:
    """Eleven counties, or more townships than the counties have, are refused with the number there is."""
    with pytest.raises(Invalid, match="10"):
        plan(tmp_path, 11, 0)
    with pytest.raises(Invalid, match="townships"):
        plan(tmp_path, 1, 60)

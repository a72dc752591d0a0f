"""A year of a prefecture, in small: what the load is like, that nothing is lost or doubled, and that a seed is one year."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from sync import homes, load, year
from sync.load import DAY, Mishap

TREE = load.tree(2, 4)


def test_a_tree_has_three_tiers_and_deals_its_townships_out() -> None:
    """Every township stands under a county, every county under the city, and counties differ by one township at most."""
    whole = load.tree(10, 91)
    below = [list(whole.values()).count(f"c{n}") for n in range(1, 11)]
    assert len(whole) == 102 and sum(below) == 91 and max(below) - min(below) <= 1
    assert {homes.tier(whole, name) for name in whole} == {"city", "county", "township"}


def test_documents_are_written_when_offices_are_open() -> None:
    """Nine in ten are written on working days between seven and six; they are in order, and as many as were asked for."""
    papers = list(load.papers(load.tree(10, 91), 7, 2000, 70))
    assert len(papers) == 2000 and all(a.at <= b.at for a, b in pairwise(papers))
    busy = [one for one in papers if one.at // DAY % 7 < 5 and 7 <= one.at % DAY // 3600 < 18]
    assert len(busy) > 0.9 * len(papers)
    assert {one.way for one in papers} == {load.INSIDE, load.UP, load.BELOW, load.ASIDE, load.SINGLE}


@pytest.mark.parametrize("at", [0.0, 4 * DAY + 20 * 3600.0, 5 * DAY + 10 * 3600.0, 11 * DAY + 17.4 * 3600])
def test_somebody_signs_in_working_hours(at: float) -> None:
    """Whenever a document comes, it is signed for afterwards, on a working day and in working hours."""
    for number in range(50):
        moment = load.reading(1, number, "c1t1", at)
        assert moment > at
        assert moment // DAY % 7 < 5 and 8 * 3600 <= moment % DAY < 17.5 * 3600, dt.timedelta(seconds=moment)


@pytest.mark.row("M6")
@pytest.mark.row("H9")
def test_nothing_is_lost_or_doubled_and_a_seed_is_one_year() -> None:
    """With lines cut, processes dying and disks put back, every document reaches everybody it was for, once; the same seed gives the same digest."""
    plan = year.Plan(seed=3, scale=0.002, tree=TREE, days=14, documents=400_000)
    first, second = year.run(plan), year.run(plan)
    assert first["violations"] == [] and first["lost"] == 0 and first["doubled"] == 0
    assert first["documents"] == 31 and 10 < first["receipts"] <= first["deliveries"]
    assert first["digest"] == second["digest"]
    assert year.run(year.Plan(seed=4, scale=0.002, tree=TREE, days=14, documents=400_000))["digest"] != first["digest"]


@pytest.mark.row("M1")
@pytest.mark.row("B4")
@pytest.mark.promise("P26")
@pytest.mark.parametrize("days", [7, 60])
def test_a_long_absence_loses_and_doubles_nothing(days: int) -> None:
    """A township and a whole county, cut off for a week or two months with work on both sides, then have and have given everything, once each."""
    away = tuple(Mishap(DAY, "cut", name, days * DAY) for name in ("c1t1", "c2"))
    found = year.run(year.Plan(seed=days, scale=0.002, tree=TREE, days=days + 4, documents=60 * 182_500 // (days + 4), faults=(), also=away))
    assert found["violations"] == [] and found["lost"] == 0 and found["doubled"] == 0
    assert max(times["max"] for times in found["times"].values() if times["count"]) > (days - 4) * DAY, "nothing waited for the line"


def test_a_tree_names_its_nodes_as_it_likes() -> None:
    """Tiers go by where a node stands, whatever it is called: homes of such a tree have the certificates of their tier."""
    tree = {"滨州市": "", "无棣县": "滨州市", "水湾镇": "无棣县"}
    assert {name: made.tier for name, made in homes.founded(tree).items()} == {"滨州市": "city", "无棣县": "county", "水湾镇": "township"}

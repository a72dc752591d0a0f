"""``yiwang courier`` as its operators call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.client import Ledger
from node.entry import DOWN
from tests.city import City, build, running
from tests.ops.conftest import call
from tests.sync.test_courier import card, say

TOWN, COUNTY, CITY = "county1-town1", "county1", "city"


def begin(city: City) -> None:
    """Start the ledgers, and let the upper ones say who is who."""
    for name, home in city.homes.items():
        home.start("ledger")
        with Ledger(home.settings, timeout=60) as ledger:
            if name == CITY:
                ledger.confirm()
            for about in home.says:
                say(home, ledger, about)


@pytest.mark.row("M13")
def test_a_stick_goes_down_and_an_answer_comes_up(tmp_path: Path) -> None:
    """Packed for a node by its name, unpacked there, answered, unpacked again; a stick for another, a second writing and a missing file are told."""
    with running(build(tmp_path, townships=1)) as city:
        begin(city)
        above, below = city[CITY].path, city[COUNTY].path
        down, up = tmp_path / "down.stick", tmp_path / "up.stick"
        with Ledger(city[CITY].settings, timeout=60) as ledger:
            say(city[CITY], ledger, card("someone"), audience=DOWN)
        nobody = call(below, "--json", "courier", "pack", "--out", str(up))
        assert nobody.code == 3 and "unpack" in nobody.json["error"]["message"], "it does not know the key of the node above yet"
        packed = call(above, "--json", "courier", "pack", "--to", city[COUNTY].settings.name, "--out", str(down)).json
        assert packed["ok"] and packed["to"] == city[COUNTY].id and packed["entries"] > 1 and packed["more"] is False
        assert call(above, "--json", "courier", "pack", "--to", city[COUNTY].id, "--out", str(down)).code == 6
        came = call(below, "--json", "courier", "unpack", str(down)).json
        assert (came["of"], came["entries"], came["refused"]) == (city[CITY].id, packed["entries"], [])
        assert call(below, "--json", "courier", "pack", "--out", str(up)).json["receipts"] > 0
        wrong = call(city[TOWN].path, "--json", "courier", "unpack", str(up))
        assert wrong.code == 4 and city[CITY].id in wrong.json["error"]["message"]
        assert call(above, "--json", "courier", "unpack", str(up)).json["receipts"] > 0
        assert call(above, "--json", "courier", "unpack", str(tmp_path / "none")).code == 3
        (tmp_path / "noise").write_bytes(b"noise" * 100)
        assert call(above, "--json", "courier", "unpack", str(tmp_path / "noise")).code == 8
        told = call(above, "courier", "unpack", str(up))
        assert told.code == 0 and city[COUNTY].settings.name in told.out

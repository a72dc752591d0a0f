"""The first day and the download centre: every page they send to is there, and what is taken away is what stands on the node."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest

from office.portal.guides import GUIDES
from tests.city import ROOT
from tests.portal.house import Browser, House


@pytest.fixture(scope="module")
def sat(house: House) -> Browser:
    """Somebody who is signed in."""
    return house.enter("zhoulixin")


@pytest.mark.parametrize("role", GUIDES)
def test_every_step_opens_a_page(sat: Browser, role: str) -> None:
    """A guide names its steps in order, and each leads to an address that exists, though not everybody may open it."""
    page = sat.get(f"/help/{role}")
    assert page.status == 200
    for step in GUIDES[role].steps:
        assert str(step.title) in page.text and sat.get(step.url).status in (200, 303, 403), step.url


def test_no_other_role_has_a_guide(sat: Browser) -> None:
    """An unknown role is not there."""
    assert sat.get("/help/mayor").status == 404


def test_what_is_offered_is_what_is_fetched(sat: Browser) -> None:
    """Each file of the download centre comes with the SHA-256 that the page tells; the verifier is the one that is shipped."""
    files = sat.get("/downloads.json").json["files"]
    assert len(files) == 4
    for one in files:
        reply = sat.get(one["url"])
        assert reply.status == 200 and "attachment" in reply.headers["content-disposition"], one["url"]
        assert not one["sha"] or hashlib.sha256(reply.body).hexdigest() == one["sha"]
    assert sat.get("/downloads/yiwang-verify.py").body == (ROOT / "ops/yiwang-verify.py").read_bytes()


@pytest.mark.row("D7")
def test_the_address_book_is_kept_in_protocol_order(sat: Browser) -> None:
    """The table and the page name the same people in the order of the book, stand alone, and hold no formula."""
    rows = list(csv.reader(io.StringIO(sat.get("/people/offline.csv").body.decode("utf-8-sig"))))[1:]
    page = sat.get("/people/offline.html").text
    organs = list(dict.fromkeys(row[0] for row in rows))
    places = [page.index(f"<h2>{name}</h2>") for name in organs]
    assert len(rows) > 60 and places == sorted(places)
    assert all(name in page for _organ, name, _posts, _phone in rows) and "<script" not in page and "src=" not in page
    assert not [cell for row in rows for cell in row if cell and cell[0] in "=+-@"]

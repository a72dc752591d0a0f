"""Checking printed copies: whole and trusted, changed, of another city, expired, unsigned, hostile; and the seal that a copy carries."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from node import certs, clock
from node.errors import TooLarge
from node.settings import Settings
from office.print.check import checked
from office.print.press import COPY, check, render, sign
from office.print.verdict import Finding, Sealed
from tests.city import build
from tests.print.sheets import LETTER

pytestmark = pytest.mark.row("A8")

SEAL = Sealed(doc="d", seal="seal-gov", fingerprint="ab" * 32, digest="cd" * 32, signature="ef" * 64)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    """A city with a county and its township."""
    return {name: home.settings for name, home in build(tmp_path_factory.mktemp("city"), counties=1, townships=1).homes.items()}


@pytest.fixture(scope="module")
def plain() -> bytes:
    """A letter as printed, its seal in it, not yet signed."""
    return render(msgspec.structs.replace(LETTER, proof=SEAL))


@pytest.fixture(scope="module")
def copy(plain: bytes, city: dict[str, Settings]) -> bytes:
    """The same, signed by the township."""
    return sign(plain, city["county1-town1"])


def test_every_node_of_the_city_finds_a_copy_good(copy: bytes, city: dict[str, Settings]) -> None:
    """A township's copy is good at the county and the city: who signed, when, the names up to the root, and the organ's seal come out of it."""
    for settings in (city["county1"], city["city"]):
        verdict = check(copy, settings)
        town = city["county1-town1"]
        assert (verdict.finding, verdict.kind, verdict.signer) == (Finding.GOOD, "print", town.id)
        assert verdict.at is not None and abs(verdict.at - clock.now()) < dt.timedelta(hours=1)
        assert len(verdict.chain) == len(verdict.fingerprints) == 4 and verdict.chain[1:] == tuple(
            city[name].name for name in ("county1-town1", "county1", "city")
        )
        assert verdict.sealed == SEAL


def test_a_changed_byte_is_never_good(copy: bytes, city: dict[str, Settings]) -> None:
    """Bytes over the whole file and over the signature's own place with its padding, each changed alone: no copy so made is good.

    But for words of the envelope that the signature does not cover and nobody goes by (RFC 5652, 5.1 and 5.3: which digests are used, versions);
    what is said of such a copy is word for word what is said of the one that was made.
    """
    root = certs.load(city["city"].path("certs", "root.pem").read_bytes())
    own, now = copy.rindex(b"/Contents <"), clock.now()
    envelope, said = range(own, copy.index(b">", own)), checked(copy, root, now)
    for place in (*range(0, len(copy), len(copy) // 40), *range(own, len(copy), 250)):
        wrong = copy[:place] + bytes([copy[place] ^ 1]) + copy[place + 1 :]
        found = checked(wrong, root, now)
        assert found.finding != Finding.GOOD or (place in envelope and found == said), place


def test_what_is_added_behind_the_signature_is_found(copy: bytes, city: dict[str, Settings]) -> None:
    """A second section behind the signed bytes makes a copy changed, not good."""
    assert check(copy + b"\n% more\n", city["city"]).finding != Finding.GOOD


def test_a_certificate_past_its_term_is_expired(copy: bytes, city: dict[str, Settings]) -> None:
    """The very copy that is good today is expired when its signer's certificate has ended, not merely strange."""
    root = certs.load(city["city"].path("certs", "root.pem").read_bytes())
    later = clock.now() + dt.timedelta(days=365 * 3)
    assert checked(copy, root, clock.now()).finding == Finding.GOOD
    assert checked(copy, root, later).finding == Finding.EXPIRED


def test_another_city_is_a_stranger(copy: bytes, tmp_path: Path) -> None:
    """A copy signed under another root is strange, and nothing it says of itself is repeated."""
    other = build(tmp_path, counties=0, townships=0)["city"].settings
    verdict = check(copy, other)
    assert verdict.finding == Finding.STRANGE and not verdict.name and verdict.sealed is None


@pytest.mark.parametrize(
    "data",
    [b"", b"no pdf", b"%PDF-1.7\n", b"%PDF-1.7\nstartxref\n99999999999\n%%EOF", b"%PDF-1.7\n" + b"[" * 200_000 + b"\nstartxref\n9\n%%EOF"],
)
def test_what_is_no_copy_is_broken(data: bytes, city: dict[str, Settings]) -> None:
    """Rubbish, cut and nested files get a verdict, not an error of the server."""
    assert check(data, city["city"]).finding == Finding.BROKEN


def test_an_unsigned_page_says_so_and_a_huge_one_is_refused(plain: bytes, city: dict[str, Settings]) -> None:
    """A page without a signature proves nothing and is told apart from a broken one; too many bytes are not read at all."""
    assert check(plain, city["city"]).finding == Finding.UNSIGNED
    with pytest.raises(TooLarge):
        check(bytes(COPY + 1), city["city"])

"""Nodes are admitted by tokens and chains that standard tools accept; persons' keys open by their password only."""

from __future__ import annotations

import datetime as dt
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest

from node import certs, clock, enrol, keys, persons
from node.errors import Conflict, Forged, Invalid, Misconfigured, Refused, Untrusted
from node.settings import Settings, load

NOW = clock.now()
HOUR = dt.timedelta(hours=1)


def wish(tier: str, name: str, code: str) -> Settings:
    return Settings(id="", tier=tier, name=name, code=code, city="", web="127.0.0.1:23000", profile="acceptance")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return enrol.found_city(tmp_path_factory.mktemp("city"), wish("city", "滨州市", "371600"), NOW)


def join(parent: Settings, home: Path, tier: str, name: str, code: str) -> Settings:
    """Admit a node under a parent, as line and ledger would."""
    token = enrol.new_token(parent, tier, name, code, NOW, HOUR)
    wanted = wish(tier, name, code)
    answer, about = enrol.admit(parent, enrol.request(home, wanted, token), NOW)
    made = enrol.finish(home, wanted, token, "tcp://127.0.0.1:23001", answer, NOW, pin=enrol.own_pin(parent))
    assert about.id == made.id and about.parent == parent.id
    return made


@pytest.fixture(scope="module")
def county(city: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return join(city, tmp_path_factory.mktemp("county"), "county", "无棣县", "371623")


@pytest.fixture(scope="module")
def township(county: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return join(county, tmp_path_factory.mktemp("town"), "township", "水湾镇", "371623100")


def test_openssl_accepts_the_chains(township: Settings, tmp_path: Path) -> None:
    """`openssl verify` accepts a township's person and TLS certificates under the city root."""
    cert = persons.new_person_key(township, "p1", "王建国", "correct-horse-1", NOW)
    (tmp_path / "person.pem").write_bytes(certs.pem(cert))
    tls = certs.load_chain(township.path("certs", "tls.pem").read_bytes())[0]
    (tmp_path / "tls.pem").write_bytes(certs.pem(tls))
    for leaf in ("person.pem", "tls.pem"):
        ran = subprocess.run(
            [
                "openssl",
                "verify",
                "-x509_strict",
                "-CAfile",
                township.path("certs/root.pem"),
                "-untrusted",
                township.path("certs/node.pem"),
                tmp_path / leaf,
            ],
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr


def test_a_home_is_complete_and_private(township: Settings, county: Settings) -> None:
    """A finished home loads, names its parent, and nobody else may read its keys."""
    assert load(township.home) == township
    assert township.parent is not None and township.parent.id == county.id and township.parent.curve == enrol.curve_public(county)
    assert stat.S_IMODE(township.path("keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in township.path("keys").iterdir()} == {0o600}
    about = enrol.own(township)
    assert about.tier == "township" and len(about.chain) == 3 and len(about.storage_key) == 1216


def test_a_token_serves_one_node(city: Settings, tmp_path: Path) -> None:
    """A token admits one node, which may ask again; another node with the same token is refused."""
    token = enrol.new_token(city, "county", "阳信县", "371622", NOW, HOUR)
    mine, other = (enrol.request(tmp_path / home, wish("county", "阳信县", "371622"), token) for home in "ab")
    first, _ = enrol.admit(city, mine, NOW)
    again, _ = enrol.admit(city, mine, NOW + HOUR * 5)
    assert first == again
    with pytest.raises(Refused, match="used"):
        enrol.admit(city, other, NOW)


def test_a_token_binds_tier_name_code_and_time(city: Settings, tmp_path: Path) -> None:
    """A token for one county admits neither another county, nor a late one, nor a taken code; a bent request is forged."""
    token = enrol.new_token(city, "county", "博兴县", "371625", NOW, HOUR)
    with pytest.raises(Refused, match="another node"):
        enrol.admit(city, enrol.request(tmp_path / "a", wish("county", "博兴县", "371681"), token), NOW)
    good = enrol.request(tmp_path / "b", wish("county", "博兴县", "371625"), token)
    with pytest.raises(Refused, match="expired"):
        enrol.admit(city, good, NOW + HOUR)
    with pytest.raises(Forged):
        enrol.admit(city, msgspec.structs.replace(good, name="沾化区"), NOW)
    with pytest.raises(Refused, match="already"):
        enrol.admit(city, good, NOW, known=[msgspec.structs.replace(enrol.own(city), code="371625", id="x")])
    enrol.admit(city, good, NOW)


def test_nobody_admits_beyond_its_tier(city: Settings, township: Settings) -> None:
    """A township admits nobody and a city admits no township."""
    with pytest.raises(Refused):
        enrol.new_token(city, "township", "水湾镇", "1", NOW, HOUR)
    with pytest.raises(Refused):
        enrol.new_token(township, "township", "水湾镇", "1", NOW, HOUR)


def test_a_child_believes_only_the_pinned_parent(city: Settings, county: Settings, tmp_path: Path) -> None:
    """An answer by another parent than the token's, for another key, or with another pin is refused and no home is made."""
    wanted = wish("township", "车王镇", "371623104")
    token = enrol.new_token(county, "township", "车王镇", "371623104", NOW, HOUR)
    answer, _ = enrol.admit(county, enrol.request(tmp_path, wanted, token), NOW)
    with pytest.raises(Untrusted, match="pinned"):
        enrol.finish(tmp_path, wanted, token, "tcp://x:1", answer, NOW, pin=enrol.own_pin(city))
    with pytest.raises(Forged):
        enrol.finish(tmp_path, wish("township", "车王镇", "9"), token, "tcp://x:1", answer, NOW)
    foreign = enrol.new_token(city, "county", "邹平市", "371681", NOW, HOUR)
    with pytest.raises(Untrusted):
        enrol.finish(tmp_path, wanted, foreign, "tcp://x:1", answer, NOW)
    with pytest.raises(Misconfigured):
        load(tmp_path)
    with pytest.raises(Invalid):
        enrol.read_token(token[:-5])


def test_a_home_is_not_overwritten(city: Settings) -> None:
    """A city is not founded where a node already lives."""
    with pytest.raises(Conflict):
        enrol.found_city(city.home, wish("city", "滨州市", "371600"), NOW)


def test_keys_leave_only_in_acceptance(county: Settings, tmp_path: Path) -> None:
    """Keys are exported from an acceptance home and refused elsewhere."""
    assert sorted(enrol.export_keys(county, tmp_path)) == ["curve", "identity", "tls"]
    with pytest.raises(Refused):
        enrol.export_keys(msgspec.structs.replace(county, profile=""), tmp_path)


def test_a_password_opens_its_own_key(township: Settings) -> None:
    """The right password opens the certified key; a wrong one, an unknown person and another's file are refused alike."""
    cert = persons.new_person_key(township, "p2", "李梅", "first-password", NOW)
    door = persons.open_person_key(township, "p2", "first-password")
    assert door.first and door.fingerprint == certs.fingerprint(cert) == persons.fingerprint_of(township, "p2")
    assert door.key.public_key() == cert.public_key()
    township.path("people", "p3.key").write_bytes(township.path("people", "p2.key").read_bytes())
    township.path("people", "p3.key").chmod(0o600)
    said = set()
    for person, password in (("p2", "wrong"), ("nobody", "first-password"), ("p3", "first-password")):
        with pytest.raises(Refused) as refusal:
            persons.open_person_key(township, person, password)
        said.add(str(refusal.value))
    assert len(said) == 1


def test_changing_a_password_keeps_the_key(township: Settings) -> None:
    """After a change the new password opens the same key, the old one nothing, and it is no longer a first password."""
    persons.new_person_key(township, "p4", "赵强", "given-password", NOW)
    before = persons.open_person_key(township, "p4", "given-password")
    with pytest.raises(Invalid):
        persons.change_password(township, "p4", "given-password", "short")
    after = persons.change_password(township, "p4", "given-password", "my own long words")
    assert after.fingerprint == before.fingerprint and not persons.open_person_key(township, "p4", "my own long words").first
    with pytest.raises(Refused):
        persons.open_person_key(township, "p4", "given-password")


def test_a_seal_opens_for_its_keepers(township: Settings) -> None:
    """A seal's key opens with a keeper's key only, and a keeper hands it on to others."""
    for person in ("k1", "k2", "other"):
        persons.new_person_key(township, person, person, "keeper-password", NOW)
    k1, k2, other = (persons.open_person_key(township, p, "keeper-password") for p in ("k1", "k2", "other"))
    cert = persons.new_seal_key(township, "s1", "o1", "水湾镇人民政府", ("k1",), NOW)
    key, fingerprint = persons.open_seal_key(township, "s1", k1)
    assert key.public_key() == cert.public_key() and fingerprint == certs.fingerprint(cert)
    with pytest.raises(Refused):
        persons.open_seal_key(township, "s1", other)
    persons.hand_seal(township, "s1", k1, ("k2",))
    assert persons.keepers_of(township, "s1") == ("k2",)
    persons.open_seal_key(township, "s1", k2)
    with pytest.raises(Refused):
        persons.open_seal_key(township, "s1", k1)


def test_a_key_file_holds_key_and_certificate(township: Settings) -> None:
    """A person's own key file reads back, and one with another's certificate is refused."""
    mine, other = keys.new_ed25519(), keys.new_ed25519()
    cert = persons.certify(township, "person", "p9", "孙丽", mine.public_key(), NOW)
    assert persons.read_keyfile(persons.keyfile(mine, cert))[1] == cert
    with pytest.raises(Misconfigured):
        persons.read_keyfile(persons.keyfile(other, cert))


def test_strangers_are_heard_only_while_a_token_is_good(county: Settings, tmp_path: Path) -> None:
    """A superior awaits strangers from the moment it makes a token until the token's end."""
    far = NOW + HOUR * 1000
    enrol.new_token(county, "township", "柳堡镇", "371623107", far, HOUR)
    assert enrol.awaiting(county, far) and not enrol.awaiting(county, far + HOUR)

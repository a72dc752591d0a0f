"""Certificates: right chains hold here, in the verifier and in openssl; every wrong one is refused for its own reason."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from node import certs, keys
from node.certs import PATH, Subject, issue
from node.errors import NodeError, Untrusted
from tests.verifier.program import verifier
from tests.verifier.world import NOW, City, ed25519, p256

DAY = dt.timedelta(days=1)


UNUSED = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")


@dataclass(frozen=True)
class Shape:
    """Everything a certificate says; tests replace one thing."""

    subject: tuple[tuple[x509.ObjectIdentifier, str], ...]
    issuer: x509.Name
    key: Any
    signed_by: Any
    ca: bool = False
    path: int | None = None
    begins: dt.datetime = NOW - DAY
    ends: dt.datetime = NOW + 300 * DAY
    sign: bool = True
    cert_sign: bool = False
    basic: bool = True
    usage: bool = True
    authority: Any = None
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    hash: Any = hashes.SHA256

    def make(self) -> x509.Certificate:
        """The certificate."""
        b = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(o, v) for o, v in self.subject]))
            .issuer_name(self.issuer)
            .public_key(self.key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
        )
        if self.basic:
            b = b.add_extension(x509.BasicConstraints(ca=self.ca, path_length=self.path if self.ca else None), critical=True)
        if self.usage:
            flags = dict.fromkeys(UNUSED, False)
            b = b.add_extension(
                x509.KeyUsage(digital_signature=self.sign, key_cert_sign=self.cert_sign, crl_sign=self.cert_sign, **flags), critical=True
            )
        if self.authority is not None:
            b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority), critical=False)
        for value, critical in self.extra:
            b = b.add_extension(value, critical=critical)
        return b.sign(self.signed_by, self.hash and self.hash())


def replaced(shape: Shape, **changes: Any) -> Shape:
    """The shape with some fields changed."""
    return Shape(**{**shape.__dict__, **changes})


W, E = City("certs"), City("elsewhere")
KIND, ID, NAME = NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME


def about(kind: str, id: str, name: str = "某某") -> tuple[tuple[x509.ObjectIdentifier, str], ...]:
    """A subject."""
    return ((NAME, name), (ID, id), (KIND, kind), (NameOID.ORGANIZATION_NAME, "Yiwang"))


def person() -> Shape:
    """A person at the township."""
    return Shape(about("person", "p1"), W.town.chain[0].subject, ed25519("p1").public_key(), W.town.key, authority=W.town.key.public_key())


def township() -> Shape:
    """A township under the county."""
    key = p256("new").public_key()
    shape = Shape(about("node", certs.node_id(key)), W.county.chain[0].subject, key, W.county.key, ca=True, path=0, cert_sign=True)
    return replaced(shape, authority=W.county.key.public_key(), extra=((x509.SubjectKeyIdentifier.from_public_key(key), False),))


def below(shape: Shape, above: list[x509.Certificate]) -> list[x509.Certificate]:
    """The certificate of a shape with the chain above it."""
    return [shape.make(), *above]


def wrong() -> Iterator[tuple[str, str, Callable[[], list[x509.Certificate]]]]:
    """(name, code, chain) of everything that is not as it should be."""
    town, county, city, other = W.town.chain, W.county.chain, W.city.chain, W.other.chain
    someone, place = person(), township()

    def p(name: str, code: str, above: list[x509.Certificate] | None = None, **changes: Any) -> tuple[str, str, Callable[[], list[x509.Certificate]]]:
        return f"person: {name}", code, lambda: below(replaced(someone, **changes), town if above is None else above)

    def t(name: str, code: str, above: list[x509.Certificate] | None = None, **changes: Any) -> tuple[str, str, Callable[[], list[x509.Certificate]]]:
        return f"township: {name}", code, lambda: below(replaced(place, **changes), county if above is None else above)

    # time
    yield p("expired", "expired", begins=NOW - 20 * DAY, ends=NOW - DAY)
    yield p("expired a second ago", "expired", ends=NOW - dt.timedelta(seconds=1))
    yield p("from tomorrow", "expired", begins=NOW + DAY)
    yield p("from next year", "expired", begins=NOW + 365 * DAY, ends=NOW + 400 * DAY)
    yield t("expired", "expired", begins=NOW - 20 * DAY, ends=NOW - DAY)
    yield t("from the future", "expired", begins=NOW + DAY)
    # signature and names
    yield p("signed by a stranger", "bad_certificate", signed_by=p256("thief"), authority=None)
    yield p("signed by itself", "unknown_suite", signed_by=ed25519("p1"), hash=None, authority=None)
    yield p("signed by the county in the township's name", "bad_certificate", signed_by=W.county.key, authority=None)
    yield p("another issuer's name", "bad_certificate", issuer=W.other.chain[0].subject)
    yield p("shown under the neighbour", "bad_certificate", above=other)
    yield p("shown under the county", "bad_certificate", above=county)
    yield p("shown under the root", "bad_certificate", above=[])
    yield p("names another issuer's key", "bad_certificate", authority=p256("thief").public_key())
    yield t("signed by a stranger", "bad_certificate", signed_by=p256("thief"))
    yield t("signed by itself", "bad_certificate", signed_by=p256("new"))
    yield t("shown under the city", "bad_certificate", above=city)
    # suites
    yield p("a P-256 key", "unknown_suite", key=p256("p1").public_key())
    yield p("an RSA key", "unknown_suite", key=RSA.public_key())
    yield p("an Ed448 key", "unknown_suite", key=ED448.public_key())
    yield p("a P-384 key", "unknown_suite", key=P384.public_key())
    yield t("an Ed25519 key", "unknown_suite", key=ed25519("x").public_key())
    yield t("an RSA key", "unknown_suite", key=RSA.public_key())
    yield t("a P-384 key", "unknown_suite", key=P384.public_key())
    yield t("a P-521 key", "unknown_suite", key=P521.public_key())
    yield p("SHA-384", "unknown_suite", hash=hashes.SHA384)
    yield p("SHA-512", "unknown_suite", hash=hashes.SHA512)
    yield t("SHA-384", "unknown_suite", hash=hashes.SHA384)
    # powers
    yield p("an authority", "cert_scope", ca=True, cert_sign=True, path=0)
    yield p("the authority bit alone", "cert_scope", ca=True)
    yield p("the certifying usage alone", "cert_scope", cert_sign=True)
    yield p("may not sign", "cert_scope", sign=False)
    yield p("no constraints", "cert_scope", basic=False)
    yield p("no usage", "cert_scope", usage=False)
    yield t("no authority", "cert_scope", ca=False, cert_sign=False)
    yield t("the authority bit without the usage", "cert_scope", cert_sign=False)
    yield t("the usage without the authority bit", "cert_scope", ca=False)
    yield t("no constraints", "cert_scope", basic=False)
    yield t("no usage", "cert_scope", usage=False)
    yield t("may not sign", "cert_scope", sign=False)
    yield t("no limit of its path", "cert_scope", path=None)
    yield t("a path as long as the county's", "cert_scope", path=1)
    yield t("a path longer than the county's", "cert_scope", path=7)
    # subjects
    yield p("about nothing", "cert_scope", subject=about("", "p1")[:2] + ((KIND, "nothing"),))
    yield p("about a county", "cert_scope", subject=about("county", "p1"))
    yield p("about a root", "unknown_suite", subject=about("root", "p1"))
    yield p("about a node", "unknown_suite", subject=about("node", "p1"))
    yield p("two ids", "bad_certificate", subject=(*about("person", "p1"), (ID, "p2")))
    yield p("two kinds", "bad_certificate", subject=(*about("person", "p1"), (KIND, "node")))
    yield p("two names", "bad_certificate", subject=(*about("person", "p1"), (NAME, "书记")))
    yield p("no id", "bad_certificate", subject=tuple(x for x in about("person", "p1") if x[0] != ID))
    yield p("no name", "bad_certificate", subject=tuple(x for x in about("person", "p1") if x[0] != NAME))
    yield p("no kind", "cert_scope", subject=tuple(x for x in about("person", "p1") if x[0] != KIND))
    yield t("the id of another node", "cert_scope", subject=about("node", W.town.id))
    yield t("an id of its own choice", "cert_scope", subject=about("node", "city"))
    yield t("called a root", "cert_scope", subject=about("root", "x"))
    yield t("called a person", "unknown_suite", subject=about("person", "x"))
    yield t("called tls but an authority", "cert_scope", subject=about("tls", "x"))
    # extensions
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    yield p("an unknown critical extension", "cert_scope", extra=((unknown, True),))
    yield t("an unknown critical extension", "cert_scope", extra=((unknown, True),))
    yield t("critical name constraints", "cert_scope", extra=((x509.NameConstraints([x509.DNSName("a.test")], None), True),))
    yield p("critical policies", "cert_scope", extra=((x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("1.2.3"), None)]), True),))
    # who may certify whom
    by_person = {"above": [W.issuer.cert, *city], "issuer": W.issuer.cert.subject, "signed_by": ed25519("certs/city/p-issuer"), "hash": None}
    by_root = {"issuer": W.root.subject, "signed_by": p256("certs/root"), "authority": None}
    yield p("certified by a person", "unknown_suite", **by_person)
    yield (
        "person: certified by the root",
        "cert_scope",
        lambda: [replaced(someone, **by_root).make()],
    )
    yield (
        "tls: certified by the root",
        "cert_scope",
        lambda: [replaced(someone, subject=about("tls", "x"), key=p256("tls").public_key(), **by_root).make()],
    )
    yield t("certified by a township", "cert_scope", above=town, issuer=town[0].subject, signed_by=W.town.key, authority=None)
    yield t("certified by a person", "unknown_suite", **by_person)
    yield (
        "township: certified by itself",
        "cert_scope",
        lambda: [
            replaced(
                place, subject=_pairs(town[0]), key=W.town.key.public_key(), issuer=town[0].subject, signed_by=W.town.key, authority=None
            ).make(),
            *town,
        ],
    )
    # another city
    yield "person of another city", "bad_certificate", lambda: [E.clerk.cert, *E.town.chain]
    yield "node of another city", "bad_certificate", lambda: E.county.chain
    yield "another city's root in the chain", "bad_certificate", lambda: [*E.city.chain, E.root]
    yield "the root inside the chain twice", "cert_scope", lambda: [W.town.chain[0], *county, second_root()]
    # the chain itself
    yield "empty", "bad_certificate", list
    yield "too long", "bad_certificate", lambda: [W.clerk.cert, *town, W.root, W.root]
    yield "reversed", "bad_certificate", lambda: list(reversed([W.clerk.cert, *town]))
    yield "without the county", "bad_certificate", lambda: [W.clerk.cert, town[0], *city]
    yield "without the city", "bad_certificate", lambda: [W.clerk.cert, *town[:2]]
    yield "the leaf twice", "bad_certificate", lambda: [town[0], *town]
    yield "county and city exchanged", "bad_certificate", lambda: [town[0], city[0], county[0]]


def _pairs(cert: x509.Certificate) -> tuple[tuple[x509.ObjectIdentifier, str], ...]:
    return tuple((a.oid, str(a.value)) for a in cert.subject)


def second_root() -> x509.Certificate:
    """A second root by the same key, with which the city might try to shorten its chain."""
    key = p256("certs/root")
    return issue(Subject(kind="root", id="certs", name="滨州市根证书"), key.public_key(), None, key, NOW)


RSA = rsa.generate_private_key(65537, 2048)
ED448, P384, P521 = ed448.Ed448PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP521R1())
WRONG = list(wrong())
ALSO = {code: {code} for code in ("unknown_suite", "expired")} | {"cert_scope": {"scope"}}
ALSO["bad_certificate"] = {"bad_signature", "unknown_signer", "noncanonical", "scope"}
"Code of the node to the kinds the verifier may call it."


def verified(chain: list[x509.Certificate]) -> str:
    """The verifier's judgement of a chain: empty, or the kind of its fault."""
    try:
        trust = verifier.Trust(verifier.Cert(certs.der(W.root)))
        found = [verifier.Cert(certs.der(c)) for c in chain]
        for cert in reversed(found):
            trust.add(cert)
        trust.valid(found[:1], [NOW])
        if [c.print for c in trust.chain(found[0])[:-1]] != [c.print for c in found]:
            return "unknown_signer"
    except verifier.Fault as e:
        return str(e.kind)
    return ""


@pytest.mark.promise("P10")
def test_a_certificate_has_one_encoding() -> None:
    """Bytes that parsers pass over, here how many bits of the signature do not count, make no second certificate out of one."""
    chain = below(person(), W.town.chain)
    certs.check_chain(chain, W.root, NOW)
    data = bytearray(certs.der(chain[0]))
    data[-len(chain[0].signature) - 1] ^= 1
    with pytest.raises(NodeError) as refused:
        certs.check_chain([certs.load(bytes(data)), *chain[1:]], W.root, NOW)
    assert refused.value.code == "bad_certificate"


@pytest.mark.promise("P12")
@pytest.mark.parametrize(("name", "code", "make"), WRONG, ids=[w[0].replace(" ", "-") for w in WRONG])
def test_wrong_chains(name: str, code: str, make: Callable[[], list[x509.Certificate]]) -> None:
    """A wrong chain is refused with the right reason, by the node and by the verifier."""
    chain = make()
    with pytest.raises(NodeError) as refused:
        certs.check_chain(chain, W.root, NOW)
    assert refused.value.code == code, refused.value
    if chain and name not in ("too long", "the leaf twice"):
        assert verified(chain) in ALSO[code], verified(chain)


@pytest.mark.promise("P12")
def test_there_are_enough_wrong_chains() -> None:
    """At least sixty different ways of being wrong are tried, under different names."""
    assert len({w[0] for w in WRONG}) == len(WRONG) >= 60


RIGHT = {
    "person": [W.clerk.cert, *W.town.chain],
    "seal": [W.seal.cert, *W.city.chain],
    "township": W.town.chain,
    "county": W.county.chain,
    "city": W.city.chain,
    "shape of a person": below(person(), W.town.chain),
    "shape of a township": below(township(), W.county.chain),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_chains(name: str, tmp_path: Path) -> None:
    """A right chain holds here, in the verifier, and in ``openssl verify``."""
    chain = RIGHT[name]
    certs.check_chain(chain, W.root, NOW)
    assert verified(chain) == ""
    assert openssl(chain, W.root, tmp_path) == 0


def openssl(chain: list[x509.Certificate], root: x509.Certificate, folder: Path) -> int:
    """Exit code of ``openssl verify`` for a chain at the moment of the tests' city."""
    (folder / "root.pem").write_bytes(certs.pem(root))
    (folder / "leaf.pem").write_bytes(certs.pem(chain[0]))
    (folder / "between.pem").write_bytes(certs.pem(*chain[1:]) or b"\n")
    at = str(int(NOW.timestamp()))
    more = ["-untrusted", str(folder / "between.pem")] if chain[1:] else []
    command = ["openssl", "verify", "-x509_strict", "-attime", at, "-CAfile", str(folder / "root.pem"), *more, str(folder / "leaf.pem")]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_openssl_refuses_what_we_refuse_of_its_rules(tmp_path: Path) -> None:
    """What openssl refuses of our wrong chains we refuse as well; a stranger's signature, a path too long and old age are among them."""
    refused = {name for name, _, make in WRONG if (chain := make()) and openssl(chain, W.root, tmp_path) != 0}
    assert {"person: signed by a stranger", "person: expired", "township: certified by a township", "person of another city"} <= refused


def test_certificates_for_browsers_name_their_hosts(tmp_path: Path) -> None:
    """A node's TLS certificate carries its names and addresses and holds for servers."""
    key = keys.new_p256()
    cert = issue(Subject(kind="tls", id="x", name="portal"), key.public_key(), W.town.chain[0], W.town.key, NOW, hosts=("127.0.0.1", "office.test"))
    certs.check_chain([cert, *W.town.chain], W.root, NOW)
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["office.test"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert openssl([cert, *W.town.chain], W.root, tmp_path) == 0


def test_the_trusted_root_is_looked_at_too() -> None:
    """A root that is none, is expired or is not self-signed is not trusted because it was handed over."""
    for root in (W.city.chain[0], W.clerk.cert):
        with pytest.raises(Untrusted):
            certs.check_chain(W.town.chain, root, NOW)
    with pytest.raises(Untrusted) as old:
        certs.check_chain(W.town.chain, W.root, NOW + 31 * 366 * DAY)
    assert old.value.code == "expired"


def test_certificates_never_outlive_their_issuer() -> None:
    """Whatever is asked for, a certificate ends with its issuer at the latest."""
    cert = issue(Subject(kind="person", id="p", name="甲"), ed25519("p").public_key(), W.town.chain[0], W.town.key, NOW, days=99_999)
    assert cert.not_valid_after_utc == W.town.chain[0].not_valid_after_utc


@pytest.mark.parametrize("tier", PATH)
def test_each_tier_has_room_for_those_below(tier: str) -> None:
    """A county's path leaves room for a township under it, a township's for no node at all."""
    assert PATH["city"] > PATH["county"] > PATH[tier] or tier in ("city", "county")


def test_damaged_certificates_are_untrusted_and_nothing_else() -> None:
    """A certificate with any byte changed or cut off is refused as such, by both, never with another error."""
    der, chance = certs.der(W.clerk.cert), random.Random(5)
    for _ in range(600):
        bad = bytearray(der)
        for _ in range(chance.randrange(1, 3)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        data = bytes(bad[: chance.choice((len(bad), len(bad), chance.randrange(len(bad))))])
        if data == der:
            continue
        with pytest.raises(NodeError):
            certs.check_chain([certs.load(data), *W.town.chain], W.root, NOW)
        with pytest.raises(verifier.Fault):
            verifier.Trust(verifier.Cert(certs.der(W.root))).add(verifier.Cert(data))


def test_files_that_hold_no_certificate_say_so() -> None:
    """A broken PEM file is a NodeError with a code."""
    for read in (certs.load, certs.load_chain):
        for data in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x03\x02\x01\x01"):
            with pytest.raises(Untrusted) as refused:
                read(data)
            assert refused.value.code == "bad_certificate"

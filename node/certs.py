"""X.509 certificates of one tree: city root, nodes under it, persons, seals and TLS under their node.

Every node's identity is a P-256 certificate authority issued by the node above (path length 2 at the city, 1 at a
county, 0 at a township); the city's is issued by the city root. Subjects carry the id in ``serialNumber`` so that a
certificate names its record. ``openssl verify`` accepts the chains (RFC 5280).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from node import lineage
from node.codec import base32
from node.errors import Forged, Untrusted
from node.keys import PublicKey, suite_of

PATH = {"city": 2, "county": 1, "township": 0, "outside": 0}
NODE_YEARS, PERSON_YEARS, ROOT_YEARS = 10, 3, 30


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom a certificate is about."""

    kind: str
    "root, node, person, seal, tls or print."
    id: str
    name: str
    code: str = ""
    "Region code of a node."


def name_of(subject: Subject) -> x509.Name:
    """The subject as X.509 names it."""
    pairs = [
        (NameOID.COMMON_NAME, subject.name[:64]),
        (NameOID.SERIAL_NUMBER, subject.id[:64]),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.kind),
        (NameOID.ORGANIZATION_NAME, "Yiwang"),
    ]
    if subject.code:
        pairs.append((NameOID.LOCALITY_NAME, subject.code))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def subject(cert: x509.Certificate) -> Subject:
    """Whom the certificate is about."""
    return subject_of(cert.subject)


def subject_of(name: x509.Name) -> Subject:
    """Whom a name is about; what it does not say is empty."""

    def one(oid: x509.ObjectIdentifier) -> str:
        found = name.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    return Subject(
        kind=one(NameOID.ORGANIZATIONAL_UNIT_NAME), id=one(NameOID.SERIAL_NUMBER), name=one(NameOID.COMMON_NAME), code=one(NameOID.LOCALITY_NAME)
    )


def issue(
    about: Subject,
    key: PublicKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    *,
    path: int | None = None,
    days: int = 0,
    hosts: Iterable[str] = (),
    begin: dt.datetime | None = None,
    former: lineage.Former | None = None,
) -> x509.Certificate:
    """A certificate of ``key`` for ``about``; self-signed when there is no issuer, an authority when ``path`` is given (see :data:`PATH`).

    It begins a day early, so that a clock a little behind does not refuse it, or at ``begin`` where it renews another, and never outlives
    its issuer. ``former`` is the word of the key before this one.
    """
    years = {"root": ROOT_YEARS, "node": NODE_YEARS, "person": PERSON_YEARS, "seal": NODE_YEARS, "tls": 2, "print": 2}[about.kind]
    end = now + dt.timedelta(days=days or 365 * years)
    if issuer is not None:
        end = min(end, issuer.not_valid_after_utc)
    suite_of(key)
    b = (
        x509.CertificateBuilder()
        .subject_name(name_of(about))
        .issuer_name(issuer.subject if issuer else name_of(about))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin or now - dt.timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=path is not None or issuer is None, path_length=path), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    ca = path is not None or issuer is None
    b = b.add_extension(
        x509.KeyUsage(
            digital_signature=True,
            content_commitment=about.kind in ("person", "seal", "print"),
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=ca,
            crl_sign=ca,
            encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    )
    if about.kind == "tls":
        b = b.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        b = b.add_extension(x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False)
    if former is not None:
        b = b.add_extension(lineage.extension(former), critical=False)
    return b.sign(issuer_key, hashes.SHA256())


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def der(cert: x509.Certificate) -> bytes:
    """The certificate's bytes."""
    return cert.public_bytes(serialization.Encoding.DER)


def pem(*chain: x509.Certificate) -> bytes:
    """Certificates as one PEM text."""
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain)


def load(data: bytes) -> x509.Certificate:
    """A certificate from DER or PEM; :class:`Untrusted` when it is neither, or any part of it does not parse."""
    try:
        cert = x509.load_pem_x509_certificate(data) if data.startswith(b"-----") else x509.load_der_x509_certificate(data)
        return _parsed(cert)
    except MALFORMED as e:
        raise Untrusted(f"not a certificate: {e}", code="bad_certificate") from None


MALFORMED = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)
"What the parts of a hostile certificate raise when they are looked at, which is later than when it is loaded."


def _parsed(cert: x509.Certificate) -> x509.Certificate:
    for part in ("version", "subject", "issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc", "signature_algorithm_oid"):
        getattr(cert, part)
    cert.public_key()
    return cert


def load_chain(data: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text, leaf first; :class:`Untrusted` when it is none."""
    try:
        return [_parsed(cert) for cert in x509.load_pem_x509_certificates(data)]
    except MALFORMED as e:
        raise Untrusted(f"not certificates: {e}", code="bad_certificate") from None


def fingerprint(cert: x509.Certificate) -> bytes:
    """SHA-256 of the DER, by which statements name their signer's certificate."""
    return hashlib.sha256(der(cert)).digest()


def node_id(key: PublicKey) -> str:
    """A node's id: 26 characters naming its first identity key."""
    return base32(hashlib.sha256(b"yiwang.node.1\0" + lineage.spki(key)).digest())


def identities(cert: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """A node's certificate and those before it, newest first; :class:`Forged` unless they lead to the key that its id names."""
    about, found = subject(cert), _traced(cert)
    if node_id(found[-1].public_key()) != about.id:  # type: ignore[arg-type]
        raise Forged("a node's certificate names its own key", code="cert_scope")
    return found


def roots(root: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """A city root and those before it, newest first; :class:`Forged` unless each was followed by its own word."""
    return _traced(root)


def _traced(cert: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """Its lineage, all of them authorities about the same subject."""
    about = subject(cert)
    first, *former = lineage.traced(cert, about.id)
    for one in former:
        _form(one)
        if (subject(one).kind, subject(one).id) != (about.kind, about.id):
            raise Forged("a certificate follows one of its own subject", code="bad_certificate")
        _authority(one, subject(one))
    return first, *former


def city_id(root: x509.Certificate) -> str:
    """The city's id: 26 characters naming its first root certificate."""
    return base32(fingerprint(roots(root)[-1]))


def issued(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate names the issuer and carries its signature; says nothing of anybody's power or time."""
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def above(cert: x509.Certificate, chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The certificates over one, level by level of a node's ``chain``: of each level the one, present or former, that issued the one below."""
    found = [cert]
    for level in chain:
        found.append(next((one for one in identities(level) if issued(found[-1], one)), level))
    return found[1:]


def check_issued(cert: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> None:
    """Refuse a certificate that its issuer did not or could not issue, or whose time is not now.

    Checks form, suite, signature, names, key usage, authority, path length, validity and unknown critical extensions
    (RFC 5280 §6). Codes: ``bad_certificate`` (form or signature), ``unknown_suite``, ``cert_scope`` (not within the
    issuer's or the subject's power), ``expired`` (time).
    """
    _form(cert)
    _form(issuer)
    about, over = subject(cert), subject(issuer)
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as e:
        raise Forged(f"{about.name} was not certified by {over.name}: {e}", code="bad_certificate") from None
    _joined(cert, issuer)
    _power(cert, about)
    _may(cert, about, issuer, over)
    if not cert.not_valid_before_utc <= now <= cert.not_valid_after_utc:
        raise Untrusted(f"the certificate of {about.name} is valid from {cert.not_valid_before_utc} to {cert.not_valid_after_utc}", code="expired")


def check_chain(chain: list[x509.Certificate], root: x509.Certificate, now: dt.datetime) -> None:
    """Refuse a chain (leaf first, without the root) that does not lead to the city root."""
    if not chain or len(chain) > LONGEST:
        raise Untrusted(f"a certificate chain has one to {LONGEST} certificates", code="bad_certificate")
    if subject(root).kind != "root":
        raise Untrusted("the certificate to trust is not a city root", code="cert_scope")
    check_issued(root, root, now)
    top = next((one for one in roots(root) if issued(chain[-1], one)), root)
    for cert, issuer in zip(chain, [*chain[1:], top], strict=True):
        check_issued(cert, issuer, now)


LONGEST = 4
"A leaf, township, county, city."
# "print" is not among them: such certificates sign printed copies for readers of PDF, nodes believe none.
_KEYS: dict[str, type] = {"root": ec.EllipticCurvePublicKey, "node": ec.EllipticCurvePublicKey, "tls": ec.EllipticCurvePublicKey}
_KEYS |= {"person": Ed25519PublicKey, "seal": Ed25519PublicKey}
_KNOWN = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
)
E = TypeVar("E", bound=x509.ExtensionType)


def _find(cert: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return cert.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _form(cert: x509.Certificate) -> None:
    """X.509 version 3, ECDSA with SHA-256, a key of its kind's suite, one value per name, extensions that parse and are understood."""
    try:
        _parsed(cert)
    except MALFORMED as e:
        raise Untrusted(f"the certificate is malformed: {e}", code="bad_certificate") from None
    about, key = subject(cert), cert.public_key()
    if not der(cert).endswith(b"\0" + cert.signature):  # other unused bits would make other bytes of the same certificate (X.690 §11.2)
        raise Untrusted("a certificate has one encoding", code="bad_certificate")
    if cert.version is not x509.Version.v3:
        raise Untrusted("certificates are of version 3", code="bad_certificate")
    if cert.serial_number <= 0:
        raise Untrusted("a certificate has a positive number", code="bad_certificate")
    if cert.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        raise Untrusted("certificates are signed by ECDSA with SHA-256", code="unknown_suite")
    if about.kind not in _KEYS:
        raise Untrusted(f"a certificate cannot be about a {about.kind or 'nothing'}", code="cert_scope")
    if not isinstance(key, _KEYS[about.kind]) or isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, ec.SECP256R1):
        raise Untrusted(f"a {about.kind} has no key of this kind", code="unknown_suite")
    for oid in (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER, NameOID.ORGANIZATIONAL_UNIT_NAME):
        if len(cert.subject.get_attributes_for_oid(oid)) != 1:
            raise Untrusted("a subject has exactly one name, id and kind", code="bad_certificate")
    for extension in cert.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN):
            raise Untrusted(f"critical extension {extension.oid.dotted_string} is not understood", code="cert_scope")


def _joined(cert: x509.Certificate, issuer: x509.Certificate) -> None:
    """The key identifiers, where given, name the issuer's key (RFC 5280 §4.2.1.1)."""
    wanted, own = _find(cert, x509.AuthorityKeyIdentifier), _find(issuer, x509.SubjectKeyIdentifier)
    if wanted is not None and own is not None and wanted.key_identifier not in (None, own.digest):
        raise Forged("the certificate names another issuer's key", code="bad_certificate")


def _power(cert: x509.Certificate, about: Subject) -> None:
    """Roots and nodes are authorities and nobody else is; a node's id is that of its first key."""
    _authority(cert, about)
    if about.kind == "node":
        identities(cert)
    elif about.kind == "root":
        roots(cert)


def _authority(cert: x509.Certificate, about: Subject) -> None:
    basic, usage = _find(cert, x509.BasicConstraints), _find(cert, x509.KeyUsage)
    if basic is None or usage is None:
        raise Untrusted("a certificate says what its key is for", code="cert_scope")
    authority = about.kind in ("root", "node")
    if basic.ca is not authority or usage.key_cert_sign is not authority:
        raise Untrusted(f"{about.name} {'must' if authority else 'may not'} be an authority", code="cert_scope")
    if not usage.digital_signature:
        raise Untrusted(f"the key of {about.name} may not sign", code="cert_scope")
    if about.kind == "node" and basic.path_length is None:
        raise Forged("a node's certificate names a path length", code="cert_scope")


def _may(cert: x509.Certificate, about: Subject, issuer: x509.Certificate, over: Subject) -> None:
    """The issuer is an authority over such subjects, with room for one more below it."""
    _power(issuer, over)
    if about.kind == "root":
        if der(cert) != der(issuer):
            raise Untrusted("a root is certified by itself alone", code="cert_scope")
        return
    if over.kind == "root" and about.kind != "node":
        raise Untrusted("the root certifies nodes only", code="cert_scope")
    if about.kind != "node":
        return
    below, room = _find(cert, x509.BasicConstraints), _find(issuer, x509.BasicConstraints)
    assert below is not None and room is not None and below.path_length is not None
    if room.path_length is not None and below.path_length >= room.path_length:
        raise Untrusted(f"{over.name} may not certify a node with a path of {below.path_length}", code="cert_scope")
    if about.id == over.id:
        raise Untrusted("a node does not certify itself", code="cert_scope")

"""X.509 certificates of one tree: city root, nodes under it, persons, seals and TLS under their node.

Every node's identity is a P-256 certificate authority issued by the node above (path length 2 at the city, 1 at a
county, 0 at a township); the city's is issued by the city root. Subjects carry the id in ``serialNumber`` so that a
certificate names its record. ``openssl verify`` accepts the chains (RFC 5280).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from node.codec import base32
from node.errors import Forged, Untrusted
from node.keys import PublicKey, suite_of

PATH = {"city": 2, "county": 1, "township": 0, "outside": 0}
NODE_YEARS, PERSON_YEARS, ROOT_YEARS = 10, 3, 30


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whom a certificate is about."""

    kind: str
    "root, node, person, seal or tls."
    id: str
    name: str
    code: str = ""
    "Region code of a node."


def _name(subject: Subject) -> x509.Name:
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

    def one(oid: x509.ObjectIdentifier) -> str:
        found = cert.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    return Subject(kind=one(NameOID.ORGANIZATIONAL_UNIT_NAME), id=one(NameOID.SERIAL_NUMBER), name=one(NameOID.COMMON_NAME), code=one(NameOID.LOCALITY_NAME))


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
) -> x509.Certificate:
    """A certificate of ``key`` for ``about``; self-signed when there is no issuer, an authority when ``path`` is given.

    It begins a day early, so that a clock a little behind does not refuse it, and never outlives its issuer.
    """
    years = {"root": ROOT_YEARS, "node": NODE_YEARS, "person": PERSON_YEARS, "seal": NODE_YEARS, "tls": 2}[about.kind]
    end = now + dt.timedelta(days=days or 365 * years)
    if issuer is not None:
        end = min(end, issuer.not_valid_after_utc)
    suite_of(key)
    b = (
        x509.CertificateBuilder()
        .subject_name(_name(about))
        .issuer_name(issuer.subject if issuer else _name(about))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=path is not None or issuer is None, path_length=path), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    ca = path is not None or issuer is None
    b = b.add_extension(
        x509.KeyUsage(
            digital_signature=True,
            content_commitment=about.kind in ("person", "seal"),
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
    """A certificate from DER or PEM; :class:`Untrusted` when it is neither."""
    try:
        return x509.load_pem_x509_certificate(data) if data.startswith(b"-----") else x509.load_der_x509_certificate(data)
    except ValueError as e:
        raise Untrusted(f"not a certificate: {e}", code="bad_certificate") from None


def load_chain(data: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text, leaf first."""
    return x509.load_pem_x509_certificates(data)


def fingerprint(cert: x509.Certificate) -> bytes:
    """SHA-256 of the DER, by which statements name their signer's certificate."""
    return hashlib.sha256(der(cert)).digest()


def node_id(key: PublicKey) -> str:
    """A node's id: 26 characters naming its identity key."""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base32(hashlib.sha256(b"yiwang.node.1\0" + spki).digest())


def city_id(root: x509.Certificate) -> str:
    """The city's id: 26 characters naming its root certificate."""
    return base32(fingerprint(root))


def check_issued(cert: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> None:
    """Refuse a certificate that its issuer did not or could not issue, or whose time is not now.

    Checks signature, names, key usage, authority, path length, validity and unknown critical extensions (RFC 5280 §6).
    """
    about, over = subject(cert), subject(issuer)
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as e:
        raise Forged(f"{about.name} was not certified by {over.name}: {e}", code="bad_certificate") from None
    _authority(issuer, needs_path=_is_ca(cert))
    _known_extensions(cert)
    suite_of(cert.public_key())  # type: ignore[arg-type]
    if over.kind not in ("root", "node"):
        raise Untrusted(f"{over.name} may not certify anybody", code="cert_scope")
    if about.kind == "node" and _is_ca(cert) and node_id(cert.public_key()) != about.id:  # type: ignore[arg-type]
        raise Forged("a node's certificate names another key", code="cert_scope")
    if about.kind in ("person", "seal", "tls") and _is_ca(cert):
        raise Untrusted(f"{about.name} may not certify others", code="cert_scope")
    if not cert.not_valid_before_utc <= now <= cert.not_valid_after_utc:
        raise Untrusted(f"the certificate of {about.name} is valid from {cert.not_valid_before_utc} to {cert.not_valid_after_utc}", code="expired")


def check_chain(chain: list[x509.Certificate], root: x509.Certificate, now: dt.datetime) -> None:
    """Refuse a chain (leaf first) that does not lead to the city root."""
    if not chain or len(chain) > 5:
        raise Untrusted("a certificate chain has one to five certificates", code="bad_certificate")
    for cert, issuer in zip(chain, [*chain[1:], root], strict=True):
        check_issued(cert, issuer, now)


def _is_ca(cert: x509.Certificate) -> bool:
    try:
        return cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _authority(issuer: x509.Certificate, *, needs_path: bool) -> None:
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise Untrusted("the issuer is not an authority", code="cert_scope") from None
    if not basic.ca or not usage.key_cert_sign:
        raise Untrusted("the issuer is not an authority", code="cert_scope")
    if needs_path and basic.path_length == 0:
        raise Untrusted("the issuer may not certify further nodes", code="cert_scope")


_KNOWN = (x509.BasicConstraints, x509.KeyUsage, x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)


def _known_extensions(cert: x509.Certificate) -> None:
    for extension in cert.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN):
            raise Untrusted(f"critical extension {extension.oid.dotted_string} is not understood", code="cert_scope")

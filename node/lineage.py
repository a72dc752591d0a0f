"""Lineage: a certificate carries, in an extension, the one before it; where the key is another, with the former key's word for the new one.

A node's id names its first identity key and a city's id its first root, so neither may change when the key does. The holder of
the former key signs the new one; the certificate of the new key holds that signature and the former certificate, which may hold
another. So whoever is shown the newest can trace it to the first, with nothing else at hand, and the issuer alone can put no other
key in its place. A renewal keeps the key and needs no word. What is signed and issued under a former key still counts, until the
former certificate is revoked (RFC 5280 §4.2: the extension is not critical, other software passes over it).
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from node import keys
from node.codec import Value, pack, unpack
from node.errors import Forged, NodeError
from node.keys import PrivateKey, PublicKey

OID = x509.ObjectIdentifier("2.25.251772744184707837542073106517659056132")
"Of the extension (ITU-T X.667: a UUID as an arc)."
LONGEST = 64
"Certificates that one id may have had."
_LARGEST = 64 * 1024
MALFORMED = (ValueError, TypeError, NodeError)


class Former(Value, frozen=True):
    """What the extension holds."""

    certificate: bytes
    "DER of the certificate before, its own former inside it."
    signature: bytes
    "The former key's over :func:`signed` of the new key; empty where the key is the same."


def signed(id: str, key: bytes) -> bytes:
    """What the former key signs: that a key (SubjectPublicKeyInfo, DER) is the next of an id."""
    return b"yiwang.sign.succession.1\0" + pack((id, key))


def spki(key: PublicKey) -> bytes:
    """A public key's SubjectPublicKeyInfo in DER."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def follow(id: str, certificate: x509.Certificate, key: PrivateKey, new: PublicKey) -> Former:
    """The word of a key for the one that follows it."""
    return Former(certificate.public_bytes(serialization.Encoding.DER), keys.sign(key, signed(id, spki(new))))


def renewed(certificate: x509.Certificate) -> Former:
    """What the renewal of a certificate carries."""
    return Former(certificate.public_bytes(serialization.Encoding.DER), b"")


def extension(former: Former) -> x509.UnrecognizedExtension:
    """The extension that holds it."""
    return x509.UnrecognizedExtension(OID, pack(former))


def former_of(certificate: x509.Certificate) -> Former | None:
    """What a certificate says of the one before; None in the first."""
    try:
        found = certificate.extensions.get_extension_for_oid(OID).value
    except x509.ExtensionNotFound:
        return None
    if not isinstance(found, x509.UnrecognizedExtension) or len(found.value) > _LARGEST:
        raise Forged("the certificate's lineage is malformed", code="bad_certificate")
    return unpack(found.value, Former)


def traced(certificate: x509.Certificate, id: str) -> tuple[x509.Certificate, ...]:
    """The certificate and all before it, newest first; :class:`Forged` unless each key has signed the next for this id."""
    found = [certificate]
    try:
        while (former := former_of(found[-1])) is not None:
            if len(found) >= LONGEST:
                raise Forged(f"an id has had at most {LONGEST} certificates", code="bad_certificate")
            before = x509.load_der_x509_certificate(former.certificate)
            if former.signature or before.public_key() != found[-1].public_key():
                keys.verify(before.public_key(), former.signature, signed(id, spki(found[-1].public_key())))  # type: ignore[arg-type]
            found.append(before)
    except MALFORMED as error:
        raise Forged(f"the certificate's lineage does not hold: {error}", code="bad_certificate") from None
    return tuple(found)


def keys_of(certificates: Sequence[x509.Certificate]) -> tuple[PublicKey, ...]:
    """Their public keys, each once, in the same order."""
    found: list[PublicKey] = []
    for one in certificates:
        key: PublicKey = one.public_key()  # type: ignore[assignment]
        if key not in found:
            found.append(key)
    return tuple(found)

"""Keys and signatures: two suites, named inside whatever is signed.

``ed25519`` (RFC 8032) for persons, seals and epochs; ``p256`` (ECDSA with SHA-256, FIPS 186-5) for identities, because
browsers accept no Ed25519 certificates. Private keys are PKCS#8 PEM files of mode 0600 and nothing else.

RFC 8032 leaves open what a checker makes of crafted points. The rule here is libsodium's, for every node the same:
without cofactor, s below the group order, neither key nor R of small order, the key canonical.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

from node.errors import Forged, Incompatible, Misconfigured, NodeError

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey
PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey
ED25519, P256 = "ed25519", "p256"


def new_ed25519() -> Ed25519PrivateKey:
    """A key for a person, a seal or an epoch."""
    return Ed25519PrivateKey.generate()


def new_p256() -> ec.EllipticCurvePrivateKey:
    """A key for an identity, the city root or TLS."""
    return ec.generate_private_key(ec.SECP256R1())


def suite_of(key: PrivateKey | PublicKey) -> str:
    """The suite a key signs under."""
    if isinstance(key, (Ed25519PrivateKey, Ed25519PublicKey)):
        return ED25519
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)) and isinstance(key.curve, ec.SECP256R1):
        return P256
    raise Incompatible("keys are Ed25519 or P-256", code="unknown_suite")


def sign(key: PrivateKey, data: bytes) -> bytes:
    """The signature of ``data`` in the key's suite."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def verify(key: PublicKey, signature: bytes, data: bytes) -> None:
    """Raise :class:`Forged` unless ``signature`` is the key's over ``data``, :class:`Incompatible` for a key of another suite."""
    try:
        if isinstance(key, Ed25519PublicKey):
            _verify_ed25519(key.public_bytes_raw(), signature, data)
        else:
            suite_of(key)
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, BadSignatureError):
        raise Forged("the signature does not match", code="bad_signature") from None


def verify_any(given: Sequence[PublicKey], signature: bytes, data: bytes) -> None:
    """Raise :class:`Forged` unless one of the keys has signed."""
    for key in given[:-1]:
        with contextlib.suppress(Forged):
            verify(key, signature, data)
            return
    if not given:
        raise Forged("nobody's signature", code="bad_signature")
    verify(given[-1], signature, data)


def holds(given: Sequence[PublicKey], signature: bytes, data: bytes) -> bool:
    """Whether one of the keys has signed."""
    try:
        verify_any(given, signature, data)
    except NodeError:
        return False
    return True


def _verify_ed25519(key: bytes, signature: bytes, data: bytes) -> None:
    """By libsodium, which takes half the time of OpenSSL and leaves the interpreter's lock meanwhile."""
    if len(signature) != crypto_sign_BYTES:
        raise BadSignatureError
    crypto_sign_open(signature + data, key)


def raw_public(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of an Ed25519 public key."""
    return key.public_bytes_raw()


def from_raw(raw: bytes) -> Ed25519PublicKey:
    """The Ed25519 public key of 32 bytes."""
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise Forged("not an Ed25519 public key", code="bad_key") from None


def p256_from(spki: bytes) -> ec.EllipticCurvePublicKey:
    """The identity key of a SubjectPublicKeyInfo in DER; :class:`Forged` when it is none."""
    try:
        public = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise Forged("the request names no key", code="bad_key") from None
    if not isinstance(public, ec.EllipticCurvePublicKey) or suite_of(public) != P256:
        raise Forged("an identity is a P-256 key", code="bad_key")
    return public


def pem(key: PrivateKey) -> bytes:
    """PKCS#8 PEM without a passphrase; the file's mode protects it."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def from_pem(data: bytes) -> PrivateKey:
    """The private key of a PEM text."""
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError) as e:
        raise Misconfigured(f"not a private key file: {e}") from None
    suite_of(key)  # type: ignore[arg-type]
    return key  # type: ignore[return-value]


def write_secret(path: Path, data: bytes) -> None:
    """Write a secret durably: a new file of mode 0600, synced, renamed, its folder synced."""
    temporary = path.with_name(path.name + ".new")
    fd = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.replace(path)
    sync_folder(path.parent)


def read_secret(path: Path) -> bytes:
    """Read a secret, refusing a file that others may read."""
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as e:
        raise Misconfigured(f"cannot read the secret {path.name}: {e.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Misconfigured(f"{path} may be read by others", hint=f"chmod 600 {path}")
    return data


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

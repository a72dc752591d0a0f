"""Sealing: only the named node and the author can read a sealed log; carriers see sizes, times and addresses.

A chain to one named node opens with a random chain key, wrapped by HPKE (RFC 9180, X25519 with ML-KEM-768) to the
reader's storage key and to the author's own. Each body is compressed (zlib) and encrypted with AES-256-GCM under a key
derived for its place, so an evidence file can disclose one entry by its key and nothing else. Blobs for sealed
audiences are encrypted in 64 KiB parts under a random key that the sealed body carries.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from node.errors import Forged, Invalid, TooLarge

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
MAX_PLAIN = 256 * 1024
PART = 64 * 1024
"Plain bytes per encrypted part of a blob."
_NONCE = bytes(12)  # every key encrypts exactly one message


class StorageKey:
    """The private half with which a node reads what is sealed to it: two seeds, stored as 96 bytes."""

    def __init__(self, raw: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

        if len(raw) != 96:
            raise Invalid("a storage key has 96 bytes")
        self.raw = raw
        self._mlkem = mlkem.MLKEM768PrivateKey.from_seed_bytes(raw[:64])
        self._x = x25519.X25519PrivateKey.from_private_bytes(raw[64:])
        self._key = MLKEM768X25519PrivateKey(self._mlkem, self._x)

    @classmethod
    def generate(cls) -> StorageKey:
        """A fresh key."""
        return cls(secrets.token_bytes(96))

    def public(self) -> bytes:
        """The public half: ML-KEM-768 key, then X25519 key (1,216 bytes)."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return self._mlkem.public_key().public_bytes(*raw) + self._x.public_key().public_bytes(*raw)

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes:
        """The secret that :func:`wrap` sealed to this key for the same ``info``."""
        try:
            return SUITE.decrypt(wrapped, self._key, info)
        except (InvalidTag, ValueError):
            raise Forged("the sealed key does not open", code="bad_seal") from None


def wrap(secret: bytes, public: bytes, info: bytes) -> bytes:
    """Seal a secret to a storage key's public half; ``info`` binds it to its use."""
    from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

    try:
        key = MLKEM768X25519PublicKey(mlkem.MLKEM768PublicKey.from_public_bytes(public[:-32]), x25519.X25519PublicKey.from_public_bytes(public[-32:]))
        return SUITE.encrypt(secret, key, info)
    except ValueError:  # of the wrong length, or of small order (RFC 7748, 6.1)
        raise Invalid("not a storage key") from None


def chain_info(city: str, author: str, reader: str, epoch: bytes) -> bytes:
    """The HPKE info of a chain key."""
    return b"yiwang.chain-key.1\0" + "\0".join((city, author, reader)).encode() + b"\0" + epoch


def entry_key(chain_key: bytes, seq: int) -> bytes:
    """The key of one place; an evidence file may disclose it alone."""
    return HKDFExpand(hashes.SHA256(), 32, b"yiwang.entry-key.1\0" + seq.to_bytes(8, "big")).derive(chain_key)


def close(body: bytes, key: bytes, seq: int) -> bytes:
    """The stored body of a sealed entry."""
    return AESGCM(key).encrypt(_NONCE, zlib.compress(body, 6), seq.to_bytes(8, "big"))


def open_(stored: bytes, key: bytes, seq: int) -> bytes:
    """The body inside a sealed entry."""
    try:
        packed = AESGCM(key).decrypt(_NONCE, stored, seq.to_bytes(8, "big"))
        stream = zlib.decompressobj()
        plain = stream.decompress(packed, MAX_PLAIN + 1)
    except (InvalidTag, zlib.error):
        raise Forged("the sealed body does not open", code="bad_seal") from None
    if len(plain) > MAX_PLAIN:
        raise TooLarge("the sealed body is larger than an entry may be")
    if not stream.eof or stream.unused_data:
        raise Forged("the sealed body does not end where it should", code="bad_seal")
    return plain


def close_blob(parts: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """Encrypted parts of a blob whose plain parts are each ``PART`` bytes but the last; 16 bytes longer each."""
    cipher = AESGCM(key)
    for number, part in enumerate(parts):
        yield cipher.encrypt(number.to_bytes(12, "big"), part, None)


def open_blob(parts: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """Plain parts of a blob from its encrypted ones (each ``PART`` + 16 bytes but the last)."""
    cipher = AESGCM(key)
    for number, part in enumerate(parts):
        try:
            yield cipher.decrypt(number.to_bytes(12, "big"), part, None)
        except InvalidTag:
            raise Forged("a part of the attachment does not open", code="bad_seal") from None

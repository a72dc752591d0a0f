"""Secrets in a file that is to leave the machine: sealed by a passphrase (argon2id, RFC 9106; AES-256-GCM)."""

from __future__ import annotations

import secrets
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node import keys
from node.codec import Sixteen, Value, pack, unpack
from node.errors import Invalid, Misconfigured, Refused

MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 1
"A passphrase is asked once in a while, so it may cost more than a password at the door."
MOST_KIB, MOST_PASSES = 1024 * 1024, 16
"What a file may ask of whoever opens it."
SHORTEST = 12
"Characters of a passphrase."
ABOUT = b"yiwang.vault.1\0"


class Vault(Value, frozen=True):
    """What lies in the file."""

    version: int
    memory_kib: int
    passes: int
    lanes: int
    salt: Sixteen
    nonce: bytes
    box: bytes


def passphrase(file: Path) -> str:
    """The passphrase in a file that nobody else may read, without the newline at its end."""
    found = keys.read_secret(file).decode("utf-8", "replace").strip()
    if len(found) < SHORTEST:
        raise Misconfigured(f"a passphrase has at least {SHORTEST} characters", code="weak_password")
    return found


def close(data: bytes, phrase: str) -> bytes:
    """The data under a passphrase."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    box = AESGCM(_key(phrase, salt, MEMORY_KIB, PASSES, LANES)).encrypt(nonce, data, ABOUT)
    return pack(Vault(1, MEMORY_KIB, PASSES, LANES, salt, nonce, box))


def open_(data: bytes, phrase: str) -> bytes:
    """What :func:`close` was given; :class:`Refused` for another passphrase."""
    kept = unpack(data, Vault)
    if kept.version != 1 or not 8 <= kept.memory_kib <= MOST_KIB or not 1 <= kept.passes <= MOST_PASSES or kept.lanes != 1 or len(kept.nonce) != 12:
        raise Invalid("not a file of sealed secrets", code="malformed")
    try:
        return AESGCM(_key(phrase, kept.salt, kept.memory_kib, kept.passes, kept.lanes)).decrypt(kept.nonce, kept.box, ABOUT)
    except InvalidTag:
        raise Refused("the passphrase does not open this file", code="wrong_passphrase") from None


def _key(phrase: str, salt: bytes, memory: int, passes: int, lanes: int) -> bytes:
    return hash_secret_raw(phrase.encode(), salt, passes, memory, lanes, 32, Type.ID)

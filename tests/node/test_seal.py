"""Sealing and keys: whoever is named can read, nobody else, and every change is noticed."""

from __future__ import annotations

import secrets
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node import keys, seal
from node.errors import Forged, Incompatible, Invalid, Misconfigured, NodeError, TooLarge

KEY, OTHER = seal.StorageKey.generate(), seal.StorageKey.generate()
INFO = seal.chain_info("city", "author", "reader", bytes(32))


def test_a_wrapped_key_opens_for_its_reader_and_use_only() -> None:
    """HPKE gives the secret to the named key under the same info, and to nothing else."""
    secret = secrets.token_bytes(32)
    wrapped = seal.wrap(secret, KEY.public(), INFO)
    assert KEY.unwrap(wrapped, INFO) == secret == seal.StorageKey(KEY.raw).unwrap(wrapped, INFO)
    assert wrapped != seal.wrap(secret, KEY.public(), INFO)
    wrong = [(OTHER, wrapped, INFO), (KEY, wrapped, INFO + b"x"), (KEY, wrapped[:-1] + b"\0", INFO), (KEY, wrapped[:40], INFO), (KEY, b"", INFO)]
    for key, data, info in wrong:
        with pytest.raises(Forged):
            key.unwrap(data, info)


def test_storage_keys_have_their_lengths() -> None:
    """Public halves are 1,216 bytes, private ones 96; others are refused."""
    assert len(KEY.public()) == 1216
    for bad in (b"", bytes(95), bytes(97)):
        with pytest.raises(Invalid):
            seal.StorageKey(bad)
    for bad in (b"", bytes(1215), KEY.public() + b"\0", KEY.public()[:-32] + bytes(32)):
        with pytest.raises(Invalid):
            seal.wrap(b"x", bad, INFO)


def test_a_body_opens_at_its_place_only() -> None:
    """The key of a place opens that place; another key, another place or a changed byte does not."""
    chain = bytes(range(32))
    stored = seal.close(b"body" * 100, seal.entry_key(chain, 5), 5)
    assert seal.open_(stored, seal.entry_key(chain, 5), 5) == b"body" * 100
    for key, seq in ((seal.entry_key(chain, 6), 5), (seal.entry_key(chain, 5), 6), (seal.entry_key(bytes(32), 5), 5)):
        with pytest.raises(Forged):
            seal.open_(stored, key, seq)
    for at in range(len(stored)):
        bad = bytearray(stored)
        bad[at] ^= 1
        with pytest.raises(Forged):
            seal.open_(bytes(bad), seal.entry_key(chain, 5), 5)


@pytest.mark.promise("P16")
def test_a_bomb_inside_a_seal_is_too_large() -> None:
    """A sealed gigabyte of nothing is refused after at most one entry's worth of it."""
    key = bytes(32)

    def stored(packed: bytes) -> bytes:
        return AESGCM(key).encrypt(bytes(12), packed, (1).to_bytes(8, "big"))

    bomb = zlib.compressobj(9)
    packed = b"".join(bomb.compress(bytes(2**20)) for _ in range(64)) + bomb.flush()
    with pytest.raises(TooLarge):
        seal.open_(stored(packed), key, 1)
    assert len(seal.open_(stored(zlib.compress(bytes(seal.MAX_PLAIN))), key, 1)) == seal.MAX_PLAIN
    with pytest.raises(TooLarge):
        seal.open_(stored(zlib.compress(bytes(seal.MAX_PLAIN + 1))), key, 1)
    for broken in (zlib.compress(b"x")[:-1], zlib.compress(b"x") + b"x", b"x", b""):
        with pytest.raises(Forged):
            seal.open_(stored(broken), key, 1)


def test_blob_parts_keep_their_order() -> None:
    """Parts of an encrypted blob open in their order only; a part from elsewhere or a changed one does not."""
    key, parts = secrets.token_bytes(32), [bytes([n]) * seal.PART for n in range(3)] + [b"rest"]
    stored = list(seal.close_blob(parts, key))
    assert [len(p) for p in stored] == [seal.PART + 16] * 3 + [20]
    assert list(seal.open_blob(stored, key)) == parts
    for wrong in ([stored[1], stored[0]], [stored[0], stored[2]], [stored[0][:-1] + b"\0"], [b""]):
        with pytest.raises(NodeError):
            list(seal.open_blob(wrong, key))


def test_keys_of_other_suites_are_incompatible() -> None:
    """RSA and other curves neither sign nor verify here, and say why."""
    others = (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1()))
    for key in others:
        with pytest.raises(Incompatible):
            keys.verify(key.public_key(), b"", b"")  # type: ignore[arg-type]
        with pytest.raises(Incompatible):
            keys.from_pem(keys.pem(key))  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [keys.new_ed25519, keys.new_p256])
def test_keys_survive_their_files(make: object, tmp_path: Path) -> None:
    """A key written as a secret file is read back the same; a file that others may read is refused."""
    key = make()  # type: ignore[operator]
    path = tmp_path / "x.key"
    keys.write_secret(path, keys.pem(key))
    assert path.stat().st_mode & 0o777 == 0o600
    again = keys.from_pem(keys.read_secret(path))
    keys.verify(key.public_key(), keys.sign(again, b"data"), b"data")
    path.chmod(0o640)
    with pytest.raises(Misconfigured):
        keys.read_secret(path)
    with pytest.raises(Misconfigured):
        keys.read_secret(tmp_path / "absent")
    with pytest.raises(Misconfigured):
        keys.from_pem(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")

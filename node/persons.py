"""Keys of persons and seals at their home node.

A person's Ed25519 key lies in ``people/<person>.key``, sealed by a key that argon2id makes from the password (RFC 9106;
19 MiB, two passes, one lane). The argon2 functions here take some 40 ms of one processor: whoever serves others
meanwhile runs them elsewhere. A seal's key lies in ``people/<seal>.seal``, sealed to each of its keepers, and opens only
with a keeper's key in hand.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from node import certs, identity, keys
from node.codec import Value, pack, unpack
from node.errors import Conflict, Invalid, Misconfigured, Missing, Refused
from node.seal import StorageKey, wrap
from node.settings import Settings

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
SHORTEST, LONGEST = 10, 128
"Characters of a password."
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Sealed(Value, frozen=True):
    """What lies in a key file."""

    version: int
    person: str
    fingerprint: bytes
    "SHA-256 of the certificate that goes with the key."
    first: bool
    "The password was given by an administrator and must be changed at first use."
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    nonce: bytes
    key: bytes
    "The 32-byte seed, encrypted by AES-256-GCM under the password's key."
    box: bytes
    "Public key to which matters for this person (seal keys) are sealed."


class SealFile(Value, frozen=True):
    """What lies in a seal's file."""

    version: int
    seal: str
    organ: str
    fingerprint: bytes
    wrapped: tuple[tuple[str, bytes], ...]
    "(keeper's person id, the seal's key sealed to the keeper)."


@dataclass(frozen=True, kw_only=True)
class Door:
    """An opened key, ready to sign."""

    person: str
    key: Ed25519PrivateKey
    fingerprint: bytes
    first: bool


def check_password(password: str, *, login: str = "") -> None:
    """Refuse a password that is too short, too long, all one character or holds the login name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters", code="weak_password")
    if len(set(password)) < 5 or (len(login) > 2 and login.lower() in password.lower()):
        raise Invalid("the password is too easily guessed", code="weak_password")


def new_password() -> str:
    """A first password that can be read out: four groups without look-alike characters, 79 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def certify(settings: Settings, kind: str, id: str, name: str, public: Ed25519PublicKey, now: dt.datetime) -> x509.Certificate:
    """A certificate for a person or a seal (``kind``), issued by this node's identity."""
    own = identity.load(settings)
    return certs.issue(certs.Subject(kind=kind, id=id, name=name), public, own.certificate, own.key, now)


def new_person_key(settings: Settings, person: str, name: str, password: str, now: dt.datetime, *, first: bool = True) -> x509.Certificate:
    """Make a key for a person, have it certified, seal it under the password in place of any former key file.

    The caller writes the certificate into the directory; until then nobody believes the key.
    """
    door, cert = make_person_key(settings, person, name, now, first=first)
    store(settings, door, password)
    return cert


def make_person_key(settings: Settings, person: str, name: str, now: dt.datetime, *, first: bool = True) -> tuple[Door, x509.Certificate]:
    """A fresh certified key that lies nowhere yet: :func:`store` it once the directory has its certificate."""
    key = keys.new_ed25519()
    cert = certify(settings, "person", person, name, key.public_key(), now)
    return Door(person=person, key=key, fingerprint=certs.fingerprint(cert), first=first), cert


def store(settings: Settings, door: Door, password: str) -> None:
    """Write a key file; it replaces the former one in one step."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    cover = AESGCM(_stretch(password, salt, MEMORY_KIB, PASSES, LANES))
    sealed = Sealed(
        1,
        door.person,
        door.fingerprint,
        door.first,
        MEMORY_KIB,
        PASSES,
        LANES,
        salt,
        nonce,
        cover.encrypt(nonce, door.key.private_bytes_raw(), _bound(door.person, door.fingerprint)),
        _box(door.key).public(),
    )
    keys.write_secret(_file(settings, door.person, "key"), pack(sealed))


def open_person_key(settings: Settings, person: str, password: str) -> Door:
    """The key that the password opens.

    A wrong password, a person without a key and an unknown person cost the same time and are the same refusal.
    """
    try:
        sealed = unpack(keys.read_secret(_file(settings, person, "key")), Sealed)
    except (Misconfigured, Invalid):
        _stretch(password, bytes(16), MEMORY_KIB, PASSES, LANES)
        raise Refused("the name or the password is wrong", code="bad_password") from None
    cover = AESGCM(_stretch(password, sealed.salt, sealed.memory_kib, sealed.passes, sealed.lanes))
    try:
        seed = cover.decrypt(sealed.nonce, sealed.key, _bound(sealed.person, sealed.fingerprint))
    except InvalidTag:
        raise Refused("the name or the password is wrong", code="bad_password") from None
    if sealed.person != person:
        raise Refused("the name or the password is wrong", code="bad_password")
    return Door(person=person, key=Ed25519PrivateKey.from_private_bytes(seed), fingerprint=sealed.fingerprint, first=sealed.first)


def change_password(settings: Settings, person: str, old: str, new: str, *, login: str = "") -> Door:
    """Seal the person's key under a new password; the key and its certificate stay."""
    check_password(new, login=login)
    door = open_person_key(settings, person, old)
    if old == new:
        raise Invalid("the new password is the old one", code="weak_password")
    changed = Door(person=person, key=door.key, fingerprint=door.fingerprint, first=False)
    store(settings, changed, new)
    return changed


def has_key(settings: Settings, person: str) -> bool:
    """Whether the person has a key at this node's door."""
    return _file(settings, person, "key").exists()


def fingerprint_of(settings: Settings, person: str) -> bytes | None:
    """Fingerprint of the certificate that goes with the person's key file, without opening it."""
    try:
        return unpack(keys.read_secret(_file(settings, person, "key")), Sealed).fingerprint
    except (Misconfigured, Invalid):
        return None


def is_first(settings: Settings, person: str) -> bool:
    """Whether the person has a password from an administrator and has not changed it yet."""
    try:
        return unpack(keys.read_secret(_file(settings, person, "key")), Sealed).first
    except (Misconfigured, Invalid):
        return False


def drop_key(settings: Settings, person: str) -> None:
    """Close the door of a person who has left; signatures made before stay valid."""
    _file(settings, person, "key").unlink(missing_ok=True)


def keyfile(key: Ed25519PrivateKey, cert: x509.Certificate) -> bytes:
    """The text of a person's own key file: private key, then certificate (PEM)."""
    return keys.pem(key) + certs.pem(cert)


def read_keyfile(data: bytes) -> tuple[Ed25519PrivateKey, x509.Certificate]:
    """(key, certificate) of a person's own key file; refuses one whose halves do not belong together."""
    key = keys.from_pem(data)
    try:
        cert = certs.load_chain(data)[0]
    except (ValueError, IndexError):
        raise Misconfigured("the key file has no certificate") from None
    if not isinstance(key, Ed25519PrivateKey) or cert.public_key() != key.public_key():
        raise Misconfigured("the certificate in the key file belongs to another key")
    return key, cert


def new_seal_key(settings: Settings, seal: str, organ: str, name: str, keepers: tuple[str, ...], now: dt.datetime) -> x509.Certificate:
    """Make a seal, have it certified and seal its key to the keepers who have keys here."""
    boxes = _boxes(settings, keepers)
    key = keys.new_ed25519()
    cert = certify(settings, "seal", seal, name, key.public_key(), now)
    _write_seal(settings, seal, organ, certs.fingerprint(cert), key, boxes)
    return cert


def open_seal_key(settings: Settings, seal: str, door: Door) -> tuple[Ed25519PrivateKey, bytes]:
    """(key, certificate's fingerprint) of a seal, opened by one of its keepers."""
    found = _read_seal(settings, seal)
    wrapped = dict(found.wrapped).get(door.person)
    if wrapped is None:
        raise Refused("you do not keep this seal", code="not_keeper")
    seed = _box(door.key).unwrap(wrapped, _seal_info(seal, door.person))
    return Ed25519PrivateKey.from_private_bytes(seed), found.fingerprint


def hand_seal(settings: Settings, seal: str, door: Door, keepers: tuple[str, ...]) -> None:
    """A keeper makes these persons, and nobody else, the keepers of a seal."""
    key, fingerprint = open_seal_key(settings, seal, door)
    _write_seal(settings, seal, _read_seal(settings, seal).organ, fingerprint, key, _boxes(settings, keepers))


def keepers_of(settings: Settings, seal: str) -> tuple[str, ...]:
    """Persons who can open a seal; empty when there is no such seal here, or it was laid aside."""
    try:
        return tuple(person for person, _ in _read_seal(settings, seal).wrapped)
    except Missing:
        return ()


def lay_aside(settings: Settings, seal: str) -> None:
    """Nobody opens a seal any more until it is taken up again; its key stays sealed to its keepers."""
    file = _file(settings, seal, "seal")
    if not file.exists():
        raise Missing("no such seal at this node")
    file.rename(_file(settings, seal, "aside"))


def take_up(settings: Settings, seal: str) -> None:
    """A seal that was laid aside opens again."""
    file = _file(settings, seal, "aside")
    if not file.exists():
        raise Missing("no such seal was laid aside at this node")
    file.rename(_file(settings, seal, "seal"))


def where_is(settings: Settings, seal: str) -> str:
    """Where the key of a seal of this node lies: ``held`` by its keepers, laid ``aside``, or ``gone``."""
    if _file(settings, seal, "seal").exists():
        return "held"
    return "aside" if _file(settings, seal, "aside").exists() else "gone"


def destroy_seal(settings: Settings, seal: str) -> None:
    """The key of a seal is gone for good; what it signed stays valid."""
    for kind in ("seal", "aside"):
        _file(settings, seal, kind).unlink(missing_ok=True)


def _stretch(password: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    if memory_kib > 64 * 1024 or passes > 10 or lanes > 4:
        raise Misconfigured("the key file asks for more memory or time than any of ours")
    return hash_secret_raw(password.encode(), salt, time_cost=passes, memory_cost=memory_kib, parallelism=lanes, hash_len=32, type=Type.ID)


def _bound(person: str, fingerprint: bytes) -> bytes:
    return b"yiwang.person-key.1\0" + person.encode() + b"\0" + fingerprint


def _box(key: Ed25519PrivateKey) -> StorageKey:
    return StorageKey(HKDF(hashes.SHA256(), 96, None, b"yiwang.person-box.1").derive(key.private_bytes_raw()))


def _seal_info(seal: str, person: str) -> bytes:
    return b"yiwang.seal-key.1\0" + seal.encode() + b"\0" + person.encode()


def _boxes(settings: Settings, keepers: tuple[str, ...]) -> Mapping[str, bytes]:
    boxes = {}
    for person in keepers:
        if has_key(settings, person):
            boxes[person] = unpack(keys.read_secret(_file(settings, person, "key")), Sealed).box
    if not boxes:
        raise Conflict("none of the seal's keepers has a key at this node yet", code="no_keeper", hint="issue their passwords first")
    return boxes


def _write_seal(settings: Settings, seal: str, organ: str, fingerprint: bytes, key: Ed25519PrivateKey, boxes: Mapping[str, bytes]) -> None:
    seed = key.private_bytes_raw()
    wrapped = tuple((person, wrap(seed, box, _seal_info(seal, person))) for person, box in boxes.items())
    keys.write_secret(_file(settings, seal, "seal"), pack(SealFile(1, seal, organ, fingerprint, wrapped)))


def _read_seal(settings: Settings, seal: str) -> SealFile:
    file = _file(settings, seal, "seal")
    if not file.exists():
        raise Missing("no such seal at this node")
    return unpack(keys.read_secret(file), SealFile)


def _file(settings: Settings, id: str, kind: str) -> Path:
    if not _ID.fullmatch(id):
        raise Invalid("not an id", code="malformed")
    folder = settings.path("people")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{id}.{kind}"


def public_der(key: keys.PublicKey) -> bytes:
    """SubjectPublicKeyInfo of a key."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

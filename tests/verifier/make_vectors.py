"""Writes ``docs/vectors``: values, shapes, hashes, signatures and sealed bodies, right and wrong, the same on every run.

    python tests/verifier/make_vectors.py

Bytes are built by hand here (:func:`raw`), not by the node's encoder, so that a mistake in it would show.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "vectors"
Vector = dict[str, Any]


def fixed(name: str, length: int = 32) -> bytes:
    """Bytes that are always the same for a name."""
    return hashlib.sha256(name.encode()).digest()[:length]


def raw(value: Any) -> bytes:
    """Canonical bytes of a small value, as docs/format.md part 1 says."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return _int(value)
    if isinstance(value, str):
        data = value.encode()
        return _sized(len(data), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return _sized(len(value), 0, 0, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, (list, tuple)):
        return _sized(len(value), 0x90, 16, (0, 0xDC, 0xDD)) + b"".join(map(raw, value))
    assert isinstance(value, dict)
    return _sized(len(value), 0x80, 16, (0, 0xDE, 0xDF)) + b"".join(raw(k) + raw(v) for k, v in sorted(value.items()))


def _int(value: int) -> bytes:
    if -32 <= value < 128:
        return value.to_bytes(1, "big", signed=value < 0)
    tag, sizes = (0xCC, (8, 16, 32, 64)) if value >= 0 else (0xD0, (7, 15, 31, 63))
    at = next(i for i, bits in enumerate(sizes) if (value if value >= 0 else -value - 1) < 1 << bits)
    return bytes([tag + at]) + value.to_bytes(1 << at, "big", signed=value < 0)


def _sized(length: int, short: int, below: int, tags: tuple[int, int, int]) -> bytes:
    if length < below:
        return bytes([short | length])
    if length < 256 and tags[0]:
        return bytes([tags[0], length])
    return bytes([tags[1]]) + length.to_bytes(2, "big") if length < 65536 else bytes([tags[2]]) + length.to_bytes(4, "big")


def good(name: str, data: bytes, **more: Any) -> Vector:
    """Bytes that are right."""
    return {"name": name, "bytes": data.hex(), "ok": True, **more}


def bad(name: str, data: bytes, error: str, **more: Any) -> Vector:
    """Bytes that are to be refused, and the node's code for it."""
    return {"name": name, "bytes": data.hex(), "ok": False, "error": error, **more}


def values() -> Iterator[Vector]:
    """Canonical values and everything that only looks like one."""
    for value in (
        None,
        True,
        False,
        [],
        {},
        "",
        "a",
        "公文",
        "𠀀",
        "\0",
        "a" * 31,
        "a" * 32,
        "a" * 255,
        "a" * 256,
        "é",
        "e\u0301",
        [[], [[]]],
        {"a": 1, "b": {"c": []}},
    ):
        yield good(f"value {json.dumps(value, ensure_ascii=True)[:40]}", raw(value))
    for number in (
        0,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2**32 - 1,
        2**32,
        2**53 + 1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        -1,
        -32,
        -33,
        -128,
        -129,
        -32768,
        -32769,
        -(2**31),
        -(2**31) - 1,
        -(2**63),
    ):
        yield good(f"number {number}", raw(number), value=str(number))
    for length in (0, 1, 32, 255, 256, 65536):
        yield good(f"{length} bytes", raw(bytes(length)))
    for length in (15, 16, 17):
        yield good(f"array of {length}", raw([1] * length))
        yield good(f"map of {length}", raw({f"{i:02}": i for i in range(length)}))
    yield good("32 arrays inside each other", b"\x91" * 32 + b"\x01")
    long = {
        "zero in two bytes": "cc00",
        "127 in two bytes": "cc7f",
        "255 in three bytes": "cd00ff",
        "65535 in five bytes": "ce0000ffff",
        "2^32-1 in nine bytes": "cf00000000ffffffff",
        "zero as signed": "d000",
        "127 as signed": "d07f",
        "-1 in two bytes": "d0ff",
        "-32 in two bytes": "d0e0",
        "-128 in three bytes": "d1ff80",
        "-32768 in five bytes": "d2ffff8000",
        "-2^31 in nine bytes": "d3ffffffff80000000",
        "128 as signed 16": "d10080",
        "empty text in two bytes": "d900",
        "31 characters in two bytes": "d91f" + "61" * 31,
        "1 character in three bytes": "da000161",
        "1 character in five bytes": "db0000000161",
        "1 byte in three": "c5000101",
        "1 byte in five": "c60000000101",
        "empty array in three bytes": "dc0000",
        "15 items in three bytes": "dc000f" + "01" * 15,
        "1 item in five bytes": "dd0000000101",
        "empty map in three bytes": "de0000",
        "1 pair in five bytes": "df00000001a16101",
        "keys out of order": "82a16201a16101",
        "long key before short": "82a2616101a16101",
        "the same key twice": "82a16101a16102",
        "long form inside": "9301cc0203",
    }
    for name, text in long.items():
        yield bad(name, bytes.fromhex(text), "noncanonical")
    wrong = {
        "nothing": "",
        "half a fraction": "ca00",
        "a fraction": "ca3f800000",
        "a long fraction": "cb3ff0000000000000",
        "not a number": "cb7ff8000000000000",
        "a fraction inside": "91cb3ff0000000000000",
        "extension of one": "d40100",
        "a timestamp": "d6ff00000001",
        "extension of eight": "c7080100000000000000ff",
        "the unused tag": "c1",
        "two values": "0101",
        "a value and a null": "01c0",
        "text cut off": "a26100"[:4],
        "bytes cut off": "c40200",
        "array cut off": "920101"[:4],
        "map cut off": "82a16101",
        "length of length cut off": "dc00",
        "4 GB announced": "c6ffffffff",
        "4 billion items announced": "ddffffffff",
        "4 billion pairs announced": "dfffffffff",
        "not UTF-8": "a1ff",
        "overlong UTF-8": "a2c080",
        "a surrogate": "a3eda080",
        "beyond Unicode": "a4f4908080",
        "a number as key": "8101a161",
        "bytes as key": "81c4016101",
        "null as key": "81c001",
        "an array as key": "819001",
        "33 arrays inside each other": "91" * 33 + "01",
        "a thousand arrays inside each other": "91" * 1000 + "01",
        "40 maps inside each other": "81a161" * 40 + "01",
    }
    for name, text in wrong.items():
        yield bad(name, bytes.fromhex(text), "malformed")


H, S, T = fixed("hash"), fixed("salt", 16), "node" * 6 + "aa"
RIGHT: dict[str, list[Any]] = {
    "header": [H, 7, H, fixed("digest"), 100, [[fixed("blob"), 5]]],
    "opening": [1, T, T, ["node", T], "trust", H, H, "start", 1, "x 1", [[H, 3, H]], [[T, b"wrapped"]]],
    "opened": [b"opening", b"signature"],
    "statement": ["ed25519", T, "documents.read", "record", T, ["organ"], [H], S, H, H, "post", 1],
    "body": [b"statement", b"signature", S, b"content"],
    "head": [H, 7, H, b"signature"],
    "hold": [T, H, 7, H, 1, b"signature"],
}
KINDS = {
    "header": "p n p h n a",
    "opening": "i t t a w h h t n t a a",
    "opened": "b b",
    "statement": "t t t t t a a s h h t n",
    "body": "b b s b",
    "head": "h n h b",
    "hold": "t h n h n b",
}
"Of each field: hash, place, sixteen bytes, bytes, text, word, natural number, integer, array."
WRONG: dict[str, list[tuple[str, Any]]] = {
    "h": [("31 bytes", bytes(31)), ("33 bytes", bytes(33)), ("text", "a" * 32), ("null", None)],
    "p": [("33 bytes", bytes(33)), ("text", "a")],
    "s": [("15 bytes", bytes(15)), ("17 bytes", bytes(17)), ("empty", b"")],
    "b": [("text", "a"), ("null", None), ("an array", [])],
    "t": [("bytes", b"a"), ("a number", 1), ("null", None)],
    "w": [("another word", "later"), ("bytes", b"trust")],
    "n": [("negative", -1), ("too large", 2**63), ("true", True), ("text", "1")],
    "i": [("text", "1"), ("true", True)],
    "a": [("null", None), ("a map", {}), ("a number", 1)],
}


def shapes() -> Iterator[Vector]:
    """Signed shapes with every field right, and with each field wrong in turn."""
    for shape, fields in RIGHT.items():
        yield good(f"{shape}", raw(fields), shape=shape)
        yield bad(f"{shape} with a field more", raw([*fields, 0]), "noncanonical", shape=shape)
        yield bad(f"{shape} with a field less", raw(fields[:-1]), "noncanonical" if shape in ("header", "opening") else "malformed", shape=shape)
        yield bad(f"{shape} as a map", raw({"chain": H}), "malformed", shape=shape)
        yield bad(f"{shape} with a byte more", raw(fields) + b"\0", "malformed", shape=shape)
        yield bad(f"{shape} with a long count", b"\xdc" + len(fields).to_bytes(2, "big") + raw(fields)[1:], "noncanonical", shape=shape)
        for number, kind in enumerate(KINDS[shape].split()):
            for name, value in WRONG[kind]:
                changed = [*fields[:number], value, *fields[number + 1 :]]
                yield bad(f"{shape}, field {number}: {name}", raw(changed), "malformed", shape=shape)
    opening = RIGHT["opening"]
    yield good("header of an opening", raw([b"", 0, b"", H, 0, []]), shape="header")
    yield bad("header, attachment with a field more", raw([*RIGHT["header"][:5], [[H, 1, 1]]]), "noncanonical", shape="header")
    for scope in ("self", "up", "down", "all"):
        yield good(f"opening for {scope}", raw([*opening[:3], [scope, ""], *opening[4:]]), shape="opening")
    yield bad("opening for an unknown scope", raw([*opening[:3], ["some", ""], *opening[4:]]), "malformed", shape="opening")
    for lane in ("urgent", "ordinary"):
        yield good(f"opening in lane {lane}", raw([*opening[:4], lane, *opening[5:]]), shape="opening")
    yield good("statement of an unknown suite", raw(["sm2", *RIGHT["statement"][1:]]), shape="statement")


def _digest(purpose: str, *parts: bytes) -> bytes:
    return hashlib.sha256(b"yiwang." + purpose.encode() + b"\0" + b"".join(parts)).digest()


def digests() -> Iterator[Vector]:
    """Hashes under their purposes; ``parts`` are hashed one after the other."""
    header = raw(RIGHT["header"])
    cases = {
        "entry.1": [header],
        "body.1": [b"body"],
        "statement.1": [raw(RIGHT["statement"])],
        "content.1": [S, b"content"],
        "documents.rendering.1": ["公文".encode()],
    }
    for purpose, parts in cases.items():
        yield {"name": purpose, "purpose": purpose, "parts": [p.hex() for p in parts], "digest": _digest(purpose, *parts).hex()}
    yield {"name": "nothing", "purpose": "body.1", "parts": [], "digest": _digest("body.1").hex()}


def signatures() -> Iterator[Vector]:
    """Signatures by fixed keys over signing strings; ECDSA by RFC 6979, of which only the check matters."""
    edward, nist = Ed25519PrivateKey.from_private_bytes(fixed("ed25519")), ec.derive_private_key(int.from_bytes(fixed("p256")) >> 8, ec.SECP256R1())
    keys = {
        "ed25519": edward.public_key().public_bytes_raw(),
        "p256": nist.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    }
    rule = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    strings = {
        "statement": b"yiwang.sign.statement.1\0" + raw(RIGHT["statement"]),
        "head": b"yiwang.sign.head.1\0" + raw([H, 7, H]),
        "opening": b"yiwang.sign.opening.1\0" + raw(RIGHT["opening"]),
        "hold": b"yiwang.sign.hold.1\0" + raw([T, H, 7, H, 1_700_000_000_000]),
        "seal": b"yiwang.sign.seal.1\0" + H,
    }
    for name, data in strings.items():
        for suite, signature in (("ed25519", edward.sign(data)), ("p256", nist.sign(data, rule))):
            common = {"suite": suite, "key": keys[suite].hex()}
            yield {"name": f"{name} by {suite}", **common, "data": data.hex(), "signature": signature.hex(), "ok": True}
            yield {"name": f"{name} by {suite}, other data", **common, "data": (data + b"\0").hex(), "signature": signature.hex(), "ok": False}
            for how, wrong in (
                ("a bit", bytes([signature[0] ^ 1]) + signature[1:]),
                ("cut off", signature[:-1]),
                ("empty", b""),
                ("one byte more", signature + b"\0"),
            ):
                yield {"name": f"{name} by {suite}, signature: {how}", **common, "data": data.hex(), "signature": wrong.hex(), "ok": False}
    order = 2**252 + 27742317777372353535851937790883648493
    signature = edward.sign(b"x")
    high = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    yield {
        "name": "ed25519 with s beyond the order",
        "suite": "ed25519",
        "key": keys["ed25519"].hex(),
        "data": "78",
        "signature": high.hex(),
        "ok": False,
    }
    yield from crafted(order)


def crafted(order: int) -> Iterator[Vector]:
    """Signatures that hold by the bare equation, with a key or an R of small order: some checkers accept them, ours do not."""
    prime = 2**255 - 19
    eighth = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
    one = (1).to_bytes(32, "little")
    for y in (0, 1, prime - 1, prime, prime + 1, eighth, prime - eighth):
        for sign in (0, 1):
            key = (y | sign << 255).to_bytes(32, "little")
            yield _small(f"key of small order {key.hex()[:8]}{key.hex()[-2:]}", key, b"x", one + bytes(32))
    seed = fixed("ed25519")
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    secret = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little") & ((1 << 254) - 8) | 1 << 254
    product = int.from_bytes(hashlib.sha512(one + key + b"x").digest(), "little") * secret % order
    yield _small("R of small order", key, b"x", one + product.to_bytes(32, "little"))


def _small(name: str, key: bytes, data: bytes, signature: bytes) -> Vector:
    return {"name": name, "suite": "ed25519", "key": key.hex(), "data": data.hex(), "signature": signature.hex(), "ok": False}


def seals() -> Iterator[Vector]:
    """Entry keys from a chain key, and sealed bodies to be opened with them."""
    chain_key, plain = fixed("chain key"), raw(RIGHT["body"])

    def key(seq: int) -> bytes:
        return HKDFExpand(hashes.SHA256(), 32, b"yiwang.entry-key.1\0" + seq.to_bytes(8, "big")).derive(chain_key)

    def case(name: str, packed: bytes, seq: int, *, ok: bool, by: int | None = None, aad: int | None = None) -> Vector:
        stored = AESGCM(key(seq)).encrypt(bytes(12), packed, (seq if aad is None else aad).to_bytes(8, "big"))
        opener = seq if by is None else by
        found = {"name": name, "chain_key": chain_key.hex(), "seq": opener, "entry_key": key(opener).hex(), "stored": stored.hex(), "ok": ok}
        return found | ({"body": plain.hex()} if ok else {})

    packed = zlib.compress(plain, 0)
    for seq in (1, 2, 255, 2**40):
        yield case(f"body at {seq}", packed, seq, ok=True)
    yield case("moved to another place", packed, 1, ok=False, by=2)
    yield case("the place is not in it", packed, 1, ok=False, aad=2)
    yield case("not compressed", plain, 1, ok=False)
    yield case("compressed data cut off", packed[:-5], 1, ok=False)
    yield case("something after the compressed data", packed + b"\0", 1, ok=False)
    yield case("a megabyte of nothing", zlib.compress(bytes(2**20)), 1, ok=False)


def root_of(leaves: list[bytes]) -> bytes:
    """The root over some leaves, by the definition of RFC 9162, 2.1.1."""
    if len(leaves) < 2:
        return hashlib.sha256(b"".join(b"\0" + data for data in leaves)).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def path_of(place: int, leaves: list[bytes]) -> list[bytes]:
    """The path of a leaf, by the definition of RFC 9162, 2.1.3.1."""
    if len(leaves) < 2:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if place < half:
        return [*path_of(place, leaves[:half]), root_of(leaves[half:])]
    return [*path_of(place - half, leaves[half:]), root_of(leaves[:half])]


def checkpoints() -> Iterator[Vector]:
    """Lines in trees of several sizes with their paths, right and wrong."""

    def case(name: str, data: bytes, place: int, size: int, path: list[bytes], root: bytes, *, ok: bool) -> Vector:
        return {"name": name, "leaf": data.hex(), "place": place, "size": size, "path": [p.hex() for p in path], "root": root.hex(), "ok": ok}

    for size in (1, 2, 3, 5, 8, 13):
        leaves = [raw([f"author {n}", n, fixed(f"inner root {n}")]) for n in range(size)]
        root = root_of(leaves)
        for place, data in enumerate(leaves):
            yield case(f"line {place} of {size}", data, place, size, path_of(place, leaves), root, ok=True)
        last, path = size - 1, path_of(size - 1, leaves)
        yield case(f"line {last} of {size}, beyond the end", leaves[last], size, size, path, root, ok=False)
        yield case(f"line {last} of {size}, a hash too many", leaves[last], last, size, [*path, bytes(32)], root, ok=False)
        yield case(f"line {last} of {size}, another root", leaves[last], last, size, path, bytes(32), ok=False)
        yield case(f"line {last} of {size}, altered", leaves[last][:-1] + b"?", last, size, path, root, ok=False)
        if path:
            yield case(f"line {last} of {size}, a hash too few", leaves[last], last, size, path[:-1], root, ok=False)
            yield case(f"line {last} of {size}, at another place", leaves[last], last - 1, size, path, root, ok=False)


FILES = {"values": values, "shapes": shapes, "digests": digests, "signatures": signatures, "seals": seals, "checkpoints": checkpoints}


def texts() -> dict[str, str]:
    """The text of every file."""
    return {f"{name}.json": json.dumps({"v": 1, "vectors": list(make())}, ensure_ascii=False, indent=1) + "\n" for name, make in FILES.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in texts().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{file}: {text.count(chr(34) + 'name' + chr(34))}\n")

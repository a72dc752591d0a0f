"""Tools with which a hostile node is played: any bytes, any signature, any certificate; what they make is judged by the node and the verifier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zmq
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from node import certs, clock, codec, entry, keys
from node.certs import Subject
from node.errors import Invalid, NodeError
from ops import forge, notation
from tests.node.test_format import vectors
from tests.ops.conftest import call

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(exclude_categories=["Cs"])) | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("vector", vectors("shapes"))
def test_published_shapes_go_to_json_and_back(vector: dict[str, Any]) -> None:
    """Each valid vector comes back byte for byte through text; each invalid one is refused with its published code."""
    data, shape = bytes.fromhex(vector["bytes"]), vector["shape"]
    if vector["ok"]:
        assert notation.write(json.loads(json.dumps(notation.read(data, shape)[1]))) == data
    else:
        with pytest.raises(NodeError) as refused:
            notation.read(data, shape)
        assert refused.value.code == vector["error"]


@given(VALUES)
def test_any_value_goes_to_json_and_back(value: Any) -> None:
    """No canonical bytes lose anything in their notation, whatever shape they are taken for."""
    data = codec.pack(value)
    assert notation.write(json.loads(json.dumps(notation.read(data)[1]))) == data


def test_raw_order_makes_what_is_refused() -> None:
    """With the raw order a map may be unsorted and a number too long; without it the same notation is refused."""
    unsorted = {"$map": [["b", 1], ["a", 2]]}
    wide = [{"$raw": "cd0001"}]
    for told, canonical in ((unsorted, codec.pack({"a": 2, "b": 1})), (wide, None)):
        with pytest.raises(Invalid, match="canonical"):
            codec.check(notation.write(told, raw=True))
        if canonical is None:
            with pytest.raises(Invalid):
                notation.write(told)
        else:
            assert notation.write(told) == canonical


def test_commands_decode_encode_and_sign(tmp_path: Path) -> None:
    """A statement at a place of one's own choosing, signed by a key file, reads back as what was asked for."""
    key = keys.new_ed25519()
    (tmp_path / "key.pem").write_bytes(keys.pem(key))
    statement = {"city": "c", "kind": "notes.noted", "record": "r", "home": "h", "at": 4_000_000_000_000}
    body = {"statement": statement, "content": {"$pack": ["text"]}}
    (tmp_path / "in.json").write_text(
        json.dumps({"$": "entry", "header": {"chain": {"$hex": "11" * 32}, "seq": 7, "prev": {"$hex": ""}}, "body": body})
    )
    signed = call(None, "entry", "sign", "--key", str(tmp_path / "key.pem"), "--in", str(tmp_path / "in.json"), "--out", str(tmp_path / "e"))
    assert signed.code == 0, signed.out
    shown = call(None, "entry", "decode", str(tmp_path / "e"), "--shape", "entry").json
    header, inside = shown["value"]["header"]["$pack"], shown["value"]["body"]["$pack"]
    assert (header["seq"], inside["statement"]["$pack"]["at"], inside["content"]["$pack"]) == (7, 4_000_000_000_000, ["text"])
    packed = codec.unpack(codec.unpack((tmp_path / "e").read_bytes(), notation.Pair).body, entry.Body)
    keys.verify(key.public_key(), packed.signature, entry.statement_signed(packed.statement))
    assert entry.content_digest(packed.salt, packed.content) == codec.unpack(packed.statement, entry.Statement).digest
    (tmp_path / "e.json").write_text(json.dumps(shown))
    assert call(None, "entry", "encode", str(tmp_path / "e.json")).json["hex"] == (tmp_path / "e").read_bytes().hex()
    (tmp_path / "e").write_bytes((tmp_path / "e").read_bytes() + b"\0")
    assert call(None, "entry", "decode", str(tmp_path / "e")).code == 4


def request(folder: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    """A certificate request of a key."""
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    (folder / "request.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "request.pem"


WRONG = [
    ({"path": 0}, "", "an honest one"),
    ({}, "cert_scope", "a node without a length of path"),
    ({"id": "a" * 26, "path": 0}, "cert_scope", "another's id"),
    ({"ca": False}, "cert_scope", "a node that is no authority"),
    ({"kind": "root"}, "cert_scope", "a second root"),
    ({"path": 0, "not_after": 1_000_000_000_000, "not_before": 900_000_000_000}, "expired", "an expired one"),
    ({"path": 0, "critical": "1.2.3.4"}, "cert_scope", "an unknown critical extension"),
]


@pytest.mark.parametrize(("told", "code", "what"), WRONG, ids=[what for *_, what in WRONG])
def test_certificates_of_any_scope_are_made_and_judged(told: dict[str, Any], code: str, what: str) -> None:
    """The issuing tool makes what it is told; the node accepts the honest certificate and names what is wrong with the others."""
    root, own = keys.new_p256(), keys.new_p256()
    above = certs.issue(Subject(kind="root", id="r", name="root"), root.public_key(), None, root, clock.now())
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(own, hashes.SHA256())
    made = forge.certify(root, asked, {"kind": "node", "name": "n", "issuer": certs.pem(above).decode()} | told)
    if not code:
        certs.check_issued(made, above, clock.now())
        return
    with pytest.raises(NodeError) as refused:
        certs.check_issued(made, above, clock.now())
    assert refused.value.code == code


def test_the_issuing_command_writes_what_it_signed(tmp_path: Path) -> None:
    """The command signs a request with the key given and writes the certificate."""
    (tmp_path / "key.pem").write_bytes(keys.pem(keys.new_p256()))
    told = ["--set", '{"kind":"node","name":"云镇","path":0}', "--out", str(tmp_path / "cert.pem")]
    found = call(None, "cert", "issue", "--key", str(tmp_path / "key.pem"), "--csr", str(request(tmp_path, keys.new_p256())), *told).json
    assert found["kind"] == "node" and certs.subject(certs.load((tmp_path / "cert.pem").read_bytes())).name == "云镇"
    assert call(None, "cert", "issue", "--key", str(tmp_path / "key.pem"), "--csr", str(tmp_path / "request.pem"), "--set", "[1]").code == 4


def test_a_line_that_nobody_answers_says_so(tmp_path: Path, ports: Any) -> None:
    """Dialling where nobody listens ends in time, with exit 5."""
    (tmp_path / "curve.key").write_bytes(zmq.curve_keypair()[1])
    key = keys.new_p256()
    cert = certs.issue(Subject(kind="node", id=certs.node_id(key.public_key()), name="n"), key.public_key(), None, key, clock.now(), path=0)
    (tmp_path / "cert.pem").write_bytes(certs.pem(cert))
    words = ["--to", f"tcp://127.0.0.1:{ports()}", "--curve-key", str(tmp_path / "curve.key"), "--cert", str(tmp_path / "cert.pem")]
    said = call(None, "wire", "connect", *words, "--server-key", zmq.curve_keypair()[0].decode(), timeout=1.0)
    assert said.code == 5, said.err

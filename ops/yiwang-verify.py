#!/usr/bin/env python3
# ruff: noqa: N999 - a program by its own name, never imported
"""Checks exported documents and logs of Yiwang (一网) with no network, no database and no Yiwang installed.

    yiwang-verify.py BUNDLE... [--root ROOT.pem] [--doc DOC] [--proof OUT] [--out DIR] [--json] [--lang zh|en]

Needs Python 3.11 or later and ``cryptography``; shares no code with the program. ``docs/format.md`` says what is checked. Exit code 0: all holds.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import datetime as dt
import hashlib
import json
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

MAX_ENTRY, MAX_LINE, MAX_DEPTH, PART = 256 * 1024, 1024 * 1024, 32, 64 * 1024


class Fault(Exception):
    """Something does not hold: a kind of the closed list in docs/format.md, and why."""

    def __init__(self, kind, detail):
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def refuse(wrong, kind, detail):
    """A fault when something is wrong."""
    if wrong:
        raise Fault(kind, detail)


class Reader:
    """Reads one canonical value: a subset of MessagePack with exactly one encoding of everything."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        refuse(len(self.data) - self.at < count, "noncanonical", "a value ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, width, least):
        value = int.from_bytes(self.take(width), "big")
        refuse(value < least, "noncanonical", "a number or length is not in its shortest form")
        return value

    def value(self, depth=0):
        refuse(depth > MAX_DEPTH, "noncanonical", "a value is nested too deeply")
        tag = self.take(1)[0]
        if tag <= 0x7F:
            return tag
        if tag >= 0xE0:
            return tag - 256
        if tag <= 0x8F:
            return self.mapping(tag & 15, depth)
        if tag <= 0x9F:
            return self.array(tag & 15, depth)
        if tag <= 0xBF:
            return self.text(tag & 31)
        return self.long(tag, depth)

    def long(self, tag, depth):
        if tag in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[tag]
        if 0xC4 <= tag <= 0xC6:
            return self.take(self.number(1 << (tag - 0xC4), (0, 1 << 8, 1 << 16)[tag - 0xC4]))
        if 0xCC <= tag <= 0xCF:
            return self.number(1 << (tag - 0xCC), (1 << 7, 1 << 8, 1 << 16, 1 << 32)[tag - 0xCC])
        if 0xD0 <= tag <= 0xD3:
            return self.negative(tag - 0xD0)
        if 0xD9 <= tag <= 0xDB:
            return self.text(self.number(1 << (tag - 0xD9), (32, 1 << 8, 1 << 16)[tag - 0xD9]))
        if tag in (0xDC, 0xDD):
            return self.array(self.number(2 << (tag - 0xDC), (16, 1 << 16)[tag - 0xDC]), depth)
        if tag in (0xDE, 0xDF):
            return self.mapping(self.number(2 << (tag - 0xDE), (16, 1 << 16)[tag - 0xDE]), depth)
        raise Fault("noncanonical", f"a value of type {tag:#x} (fractions and extensions are not allowed)")

    def negative(self, size):
        value = int.from_bytes(self.take(1 << size), "big", signed=True)
        refuse(value >= (-32, -(1 << 7), -(1 << 15), -(1 << 31))[size], "noncanonical", "a number is not in its shortest form")
        return value

    def text(self, length):
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Fault("noncanonical", "text is not UTF-8") from None

    def array(self, length, depth):
        refuse(length > len(self.data) - self.at, "noncanonical", "a value ends too early")
        return [self.value(depth + 1) for _ in range(length)]

    def mapping(self, length, depth):
        found, last = {}, None
        for _ in range(length):
            key = self.value(depth + 1)
            unordered = not isinstance(key, str) or (last is not None and key.encode() <= last)
            refuse(unordered, "noncanonical", "keys of a map are text in ascending order")
            last = key.encode()
            found[key] = self.value(depth + 1)
        return found


def decode(data):
    """The value of canonical bytes; nothing may be left over."""
    reader = Reader(data)
    value = reader.value()
    refuse(reader.at != len(data), "noncanonical", "bytes are left over after a value")
    return value


def encode(*items):
    """Canonical bytes of a short array of node ids, hashes and natural numbers, as signing strings need it."""
    out = bytearray([0x90 | len(items)])
    for item in items:
        if isinstance(item, int):
            width = next(w for w in (0, 1, 2, 4, 8) if item < (1 << (8 * w) if w else 128))
            out += bytes([item]) if not width else bytes([0xCC + width.bit_length() - 1]) + item.to_bytes(width, "big")
        elif isinstance(item, str):
            out += bytes([0xA0 | len(item)]) + item.encode()
        else:
            out += bytes([0xC4, len(item)]) + item
    return bytes(out)


TYPES = {"text": str, "bytes": bytes, "int": int, "natural": int, "bool": bool, "list": list}
LENGTHS = {"hash": (32, 32), "place": (0, 32), "sixteen": (16, 16)}
SHAPES = {  # signed shapes have exactly these fields; contents (with a +) may have more at the end, written by later versions
    "header": "chain:place seq:natural prev:place digest:hash size:natural attachments:*hash,natural",
    "opened": "opening:bytes signature:bytes",
    "former": "certificate:bytes signature:bytes",
    "opening": "version:int city:text author:text audience:self|up|down|all|node,text lane:trust|urgent|ordinary epoch:hash epoch_key:hash"
    " reason:text opened:natural software:text previous:*hash,natural,hash keys:*text,bytes",
    "statement": "suite:text city:text kind:text record:text home:text recipients:*text after:*hash nonce:sixteen digest:hash signer:hash"
    " post:text at:natural",
    "body": "statement:bytes signature:bytes salt:sixteen content:bytes",
    "head": "chain:hash seq:natural hash:hash signature:bytes",
    "hold": "holder:text chain:hash seq:natural hash:hash at:natural signature:bytes",
    "annex": "name:text size:natural mime:text sha:hash plain:hash key:hash stored:natural +",
    "paper": "organ:text kind:text title:text text:text to:*text cc:*text lists:list urgency:text urgency_reason:text label:text"
    " reply_required:bool due:natural due_rule:text in_reply_to:text forwards:text annexes:*annex +",
    "recipient": "organ:text node:text role:text +",
    "mark": "seal:text fingerprint:hash digest:hash signature:bytes +",
    "envelope": "paper:paper number:text issuer:text signer:text signed_on:text recipients:*recipient seal:?mark issue:natural +",
    "documents.dispatched": "envelope:envelope +",
    "documents.resent": "envelope:envelope extra:*recipient +",
    "documents.recalled": "doc:text reason:text +",
    "documents.answered": "doc:text organ:text name:text text:text annexes:*annex +",
    "directory.revoked": "fingerprint:hash reason:text cuts:*hash,natural,hash +",
    "directory.organ": "id:text code:text full:text short:text kind:text tier:text region:text parent:text line:text managed:text node:text +",
    "directory.post": "id:text organ:text title:text +",
}
PAPERS = ("documents.dispatched", "documents.corrected", "documents.resent")
RECEIPTS = {"documents.signed_for": "R2", "documents.sent_back": "R2x", "documents.read": "R3", "documents.recall_confirmed": "R5"}
SHAPES.update(dict.fromkeys(RECEIPTS, "doc:text organ:text name:text +"), **{PAPERS[1]: SHAPES[PAPERS[0]]})
RECEIPTS["documents.answered"], FORK = "R4", ("kind", "position", "detail", "a", "b")


def fits(value, rule):
    """Whether a value is what a rule of SHAPES says: ``*`` for many, ``?`` or null, commas for a row, bars for words."""
    if rule[0] == "*":
        return isinstance(value, list) and all(fits(item, rule[1:]) for item in value)
    if rule[0] == "?":
        return value is None or fits(value, rule[1:])
    if "," in rule:
        rules = rule.split(",")
        return isinstance(value, list) and len(value) == len(rules) and all(map(fits, value, rules))
    if "|" in rule:
        return isinstance(value, str) and value in rule.split("|")
    if rule in LENGTHS:
        return isinstance(value, bytes) and LENGTHS[rule][0] <= len(value) <= LENGTHS[rule][1]
    if rule in TYPES:
        return type(value) is TYPES[rule] and (rule != "natural" or 0 <= value < 1 << 63)
    return named(value, rule) is not None


def named(value, shape):
    """The fields of a row by their names; Fault when it is not of that shape."""
    fields = [f.split(":") for f in SHAPES[shape].split() if f != "+"]
    if not isinstance(value, list) or len(value) < len(fields) or (len(value) > len(fields) and not SHAPES[shape].endswith("+")):
        raise Fault("noncanonical", f"not a {shape}")
    for (name, rule), item in zip(fields, value, strict=False):
        if not fits(item, rule):
            raise Fault("noncanonical", f"{name} of a {shape} is not what it should be")
    return SimpleNamespace(**dict(zip((name for name, _ in fields), value, strict=False)))


def read(data, shape):
    """A signed shape from its bytes."""
    return named(decode(data), shape)


def read_opening(body):
    """(opening, its bytes, signature) of the stored body of entry 0."""
    opened = read(body, "opened")
    opening = read(opened.opening, "opening")
    refuse(opening.version != 1, "unknown_suite", f"an opening of version {opening.version}")
    refuse((opening.audience[0] == "node") != bool(opening.audience[1]), "noncanonical", "an audience names a node exactly when its scope is node")
    return opening, opened.opening, opened.signature


def digest(purpose, *parts):
    """SHA-256 of the parts under a purpose."""
    return hashlib.sha256(b"yiwang." + purpose.encode() + b"\0" + b"".join(parts)).digest()


def name32(raw):
    """The 26 characters by which hashes are named."""
    return base64.b32encode(raw[:17]).decode().lower()[:26]


def open_sealed(stored, key, seq):
    """The body inside a sealed entry."""
    try:
        packed = AESGCM(key).decrypt(bytes(12), stored, seq.to_bytes(8, "big"))
        stream = zlib.decompressobj()
        plain = stream.decompress(packed, MAX_ENTRY + 1)
    except (InvalidTag, zlib.error, ValueError):
        raise Fault("bad_hash", "the sealed body does not open with the key given") from None
    refuse(len(plain) > MAX_ENTRY or not stream.eof or stream.unused_data, "bad_hash", "the sealed body does not end where it should")
    return plain


FIELD, EIGHTH = 2**255 - 19, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL = {0, 1, FIELD - 1, EIGHTH, FIELD - EIGHTH}  # y of the points of small order: some checkers take them, format.md part 2 does not


def verify(key, signature, data):
    """Refuse a signature that is not the key's (raw bytes are an Ed25519 key)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(key) if isinstance(key, bytes) else key
        if isinstance(key, Ed25519PublicKey):
            points = [int.from_bytes(point, "little") % 2**255 for point in (key.public_bytes_raw(), signature[:32])]
            if points[0] >= FIELD or SMALL & set(points):
                raise InvalidSignature
            key.verify(signature, data)
        else:
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise Fault("bad_signature", "the signature does not match") from None


SUITES = {"root": "p256", "node": "p256", "tls": "p256", "person": "ed25519", "seal": "ed25519"}
EXTENSIONS = (x509.BasicConstraints, x509.KeyUsage, x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
EXTENSIONS += (x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
LINEAGE = "2.25.251772744184707837542073106517659056132"  # holds the certificate before, and its key's word for this one


class Cert:
    """A certificate whose form has been checked; whether its issuer may be believed is another question."""

    def __init__(self, data):
        try:
            cert = x509.load_pem_x509_certificate(data) if data.startswith(b"-----") else x509.load_der_x509_certificate(data)
            self.x, self.der, self.key = cert, cert.public_bytes(serialization.Encoding.DER), cert.public_key()
            self.found = {type(e.value): e.value for e in cert.extensions}
            unknown = [e.oid.dotted_string for e in cert.extensions if e.critical and type(e.value) not in EXTENSIONS]
            self.kind, self.id, self.name = (self._one(o) for o in (NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME))
            algorithm, version = cert.signature_algorithm_oid.dotted_string, cert.version
            self.begin, self.end, self.issuer = cert.not_valid_before_utc, cert.not_valid_after_utc, cert.issuer
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType) as e:
            raise Fault("noncanonical", f"not a certificate: {e}") from None
        refuse(not data.startswith(b"-----") and data != self.der, "noncanonical", "a certificate is not in its canonical form")
        if version is not x509.Version.v3 or unknown or cert.serial_number <= 0:
            raise Fault("scope", f"the certificate of {self.name} is not of version 3, without a number, or has critical extensions {unknown}")
        refuse(algorithm != "1.2.840.10045.4.3.2", "unknown_suite", f"the certificate of {self.name} is not signed by ECDSA with SHA-256")
        self.suite = "ed25519" if isinstance(self.key, Ed25519PublicKey) else "p256"
        self.print = hashlib.sha256(self.der).digest()
        self.lineage = (self, *self._former())
        self._power()

    def _former(self):
        """The certificates before this one, newest first; where the key was another, it has signed the next."""
        word = next((e.value.value for e in self.x.extensions if e.oid.dotted_string == LINEAGE), None)
        if word is None:
            return ()
        refuse(len(word) > 65536, "noncanonical", f"the lineage of {self.name} is too long")
        word = read(word, "former")
        former = Cert(word.certificate)
        if (former.kind, former.id) != (self.kind, self.id) or self.kind not in ("node", "root") or len(former.lineage) > 63:
            raise Fault("scope", f"the certificate of {self.name} follows another's")
        if word.signature or spki(former.key) != spki(self.key):
            verify(former.key, word.signature, b"yiwang.sign.succession.1\0" + encode(self.id, spki(self.key)))
        return former.lineage

    def _one(self, oid):
        values = self.x.subject.get_attributes_for_oid(oid)
        refuse(len(values) != 1 or not isinstance(values[0].value, str), "scope", "a subject has exactly one name, id and kind")
        return values[0].value

    def _power(self):
        refuse(self.kind not in SUITES, "scope", f"a certificate about a {self.kind!r}")
        p256 = isinstance(self.key, ec.EllipticCurvePublicKey) and isinstance(self.key.curve, ec.SECP256R1)
        if not (p256 if SUITES[self.kind] == "p256" else isinstance(self.key, Ed25519PublicKey)):
            raise Fault("unknown_suite", f"{self.name} is a {self.kind} with a key of another suite")
        basic, usage = self.found.get(x509.BasicConstraints), self.found.get(x509.KeyUsage)
        authority = self.kind in ("root", "node")
        if basic is None or usage is None or basic.ca is not authority or usage.key_cert_sign is not authority or not usage.digital_signature:
            raise Fault("scope", f"the certificate of {self.name} gives it the wrong powers")
        self.path = basic.path_length
        if self.kind == "node" and (self.path is None or node_id(self.lineage[-1].key) != self.id):
            raise Fault("scope", f"{self.name} is certified under an id that is not its key's")

    def at(self, moment):
        """Refuse a moment outside the certificate's time."""
        if not self.begin <= moment <= self.end:
            raise Fault("expired", f"the certificate of {self.name} holds from {self.begin.date()} to {self.end.date()}, not on {moment.date()}")

    def by(self, issuer):
        """Refuse an issuer that did not or could not sign this."""
        try:
            self.x.verify_directly_issued_by(issuer.x)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise Fault("bad_signature", f"{self.name} was not certified by {issuer.name}") from None
        wanted, own = self.found.get(x509.AuthorityKeyIdentifier), issuer.found.get(x509.SubjectKeyIdentifier)
        if wanted is not None and own is not None and wanted.key_identifier not in (None, own.digest):
            raise Fault("bad_signature", f"the certificate of {self.name} names another issuer's key")
        if issuer.kind not in ("root", "node") or (issuer.kind == "root" and self.kind not in ("root", "node")):
            raise Fault("scope", f"{issuer.name} may not certify {self.name}")
        refuse(self.kind == "root" and self.der != issuer.der, "scope", "a root is certified by itself alone")
        if self.kind == "node" and (self.id == issuer.id or (issuer.path is not None and self.path >= issuer.path)):
            raise Fault("scope", f"{issuer.name} may not certify {self.name} with a path of {self.path}")


def spki(key):
    """A public key as certificates hold it."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def node_id(key):
    """A node's id: 26 characters naming its first identity key."""
    return name32(hashlib.sha256(b"yiwang.node.1\0" + spki(key)).digest())


class Trust:
    """The certificates of a bundle, each traced to the root before it is believed."""

    def __init__(self, root):
        root.by(root)
        refuse(root.kind != "root", "scope", "the certificate to trust is not a city root")
        self.root, self.city = root, name32(root.lineage[-1].print)
        self.known, self.above = {one.print: one for one in root.lineage}, {one.print: None for one in root.lineage}

    def add(self, cert):
        """Take a certificate whose issuer was taken before (superiors come first in a bundle)."""
        if cert.print in self.known:
            return
        issuers = [c for c in self.known.values() if c.x.subject == cert.issuer and c.kind in ("root", "node")]
        fault = Fault("unknown_signer", f"nobody known certified {cert.name}")
        for issuer in issuers:
            try:
                cert.by(issuer)
                self.known[cert.print], self.above[cert.print] = cert, issuer.print
                for former in cert.lineage[1:]:
                    self.add(former)
                return
            except Fault as e:
                fault = e
        raise fault

    def chain(self, cert):
        """The certificate and those above it, the root last."""
        found = [cert]
        while (above := self.above[found[-1].print]) is not None:
            found.append(self.known[above])
        return found

    def valid(self, certs, moments):
        """Refuse when at none of the moments one of the certificates and all above it were valid."""
        faults = []
        for cert, when in ((c, m) for c in certs for m in moments):
            try:
                for one in self.chain(cert):
                    one.at(when)
                return
            except Fault as e:
                faults.append(e)
        raise faults[0]

    def node(self, id):
        """The certificates of a node, of the key its id names and of those that followed it."""
        found = [c for c in self.known.values() if c.kind == "node" and c.id == id]
        refuse(not found, "unknown_signer", f"no certificate of node {id}")
        return found

    def signed(self, id, signature, data):
        """The certificate of a node whose key has signed."""
        for cert in self.node(id):
            with contextlib.suppress(Fault):
                verify(cert.key, signature, data)
                return cert
        raise Fault("bad_signature", "the signature does not match")

    def followed(self, cert):
        """Whether another certificate came after this one."""
        return any(cert.print == former.print for one in self.known.values() for former in one.lineage[1:])

    def name(self, id):
        """The name of a node, as far as it is known."""
        return next((c.name for c in self.known.values() if c.kind == "node" and c.id == id), id)


def moment(milliseconds):
    """The UTC time of a count of milliseconds since 1970; Fault when it is beyond the calendar."""
    refuse(milliseconds > 250_000_000_000_000, "noncanonical", "a time is beyond the calendar")
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=milliseconds)


def annexes_of(content):
    """The attached files a document or an answer names."""
    if hasattr(content, "envelope"):
        return annexes_of(named(named(content.envelope, "envelope").paper, "paper"))
    return [named(a, "annex") for a in getattr(content, "annexes", [])]


def rendering(envelope, paper):
    """The text that an organ's seal signs: what stands on the printed sheet, a line a part."""
    lines = [envelope.issuer, envelope.number, f"{envelope.signer} {envelope.signed_on}", paper.kind, paper.urgency, paper.label, paper.title]
    lines += [f"{r.role}:{r.organ}" for r in (named(r, "recipient") for r in envelope.recipients)]
    lines += [f"{a.name} {a.size} {a.plain.hex()}" for a in annexes_of(paper)]
    return "\n".join([*lines, "", paper.text, ""]).encode()


def canonical_line(raw):
    """The object of one line of a bundle; Fault unless it is written in the one way it may be."""
    refuse(len(raw) > MAX_LINE or not raw.endswith(b"\n"), "noncanonical", "a line is too long or cut off")
    try:
        record = json.loads(raw[:-1].decode("utf-8"))
        again = line(record)
    except (ValueError, RecursionError) as e:
        raise Fault("noncanonical", f"not JSON: {e}") from None
    refuse(not isinstance(record, dict) or again != raw, "noncanonical", "a line is not in canonical form")
    return record


def binary(value):
    """The bytes of a base64 text in its one form."""
    try:
        data = base64.b64decode(value.encode("ascii"), validate=True)
    except (AttributeError, ValueError):
        raise Fault("noncanonical", "not base64") from None
    refuse(base64.b64encode(data).decode() != value, "noncanonical", "base64 is not in its one form")
    return data


def only(record, needed, *allowed):
    """The record, unless it has other fields than these."""
    refuse(needed not in record or not set(record) <= {needed, *allowed}, "noncanonical", "a line has fields it should not have")
    return record


@dataclass
class Chain:
    """A chain as far as the bundle shows it."""

    id: bytes
    opening: SimpleNamespace
    hashes: dict = field(default_factory=dict)
    covered: dict = field(default_factory=dict)
    "First entry of a run to the last one under a signed head."
    runs: list = field(default_factory=list)
    holds: list = field(default_factory=list)

    def place(self, seq):
        return f"{self.opening.author}/{name32(self.id)}/{seq}"

    def run(self, seq):
        return next((r for r in reversed(self.runs) if r[0] <= seq <= r[1]), None)

    def sure(self, seq):
        """Whether a signed head covers the entry."""
        run = self.run(seq)
        return run is not None and seq <= self.covered.get(run[0], -1)

    def held(self, seq):
        """Range statements about this entry: (moment, holder), earliest first."""
        run = self.run(seq)
        return sorted((h.at, h.holder) for h in self.holds if run and seq <= h.seq <= run[1])


class Bundle:
    """One file, read line by line; every fault becomes a problem and reading goes on."""

    def __init__(self, root=None, out=None):
        self.what, self.first, self.problems, self.remarks = "", {}, [], []
        self.chains, self.said, self.blobs, self.wanted = {}, [], set(), {}
        self.annexes, self.papers, self.receipts, self.names = {}, {}, [], {}
        self._part, self._where, self._out = None, "", out
        self.trust = Trust(root) if root else None

    def load(self, file):
        """Read and check one bundle up to its last line; a file may hold several, one after the other."""
        sum_, count, ended = hashlib.sha256(), 0, False
        while not ended and (raw := file.readline(MAX_LINE + 1)):
            count += 1
            self._where = f"line {count}"
            try:
                record = canonical_line(raw)
                if "end" in record:
                    ended = self._end(record, count - 1, sum_)
                elif count == 1:
                    self._begin(record)
                else:
                    self._record(record)
            except Fault as e:
                self.problem(e.kind, None, e.detail)
                if len(raw) > MAX_LINE:
                    break
            except Exception as e:  # the last net: what no check foresaw is still no proof
                self.problem("noncanonical", None, f"unexpected: {e!r}")
            sum_.update(raw)
        self._where = "end"
        if not ended:
            self.problem("gap", None, "the file is cut off: its last line is missing")
        self._finish()
        return self

    def problem(self, kind, position, detail):
        """Note something that does not hold."""
        self.problems.append({"kind": kind, "position": position or self._where, "detail": detail})

    def remark(self, kind, position, detail):
        """Note something a reader should know but which does not make the file wrong."""
        self.remarks.append({"kind": kind, "position": position, "detail": detail})

    def _begin(self, record):
        fields = {"yiwang", "v", "what", "city", "made", "node", "doc", "bodies", "blobs", "software"}
        if set(record) != fields or record["yiwang"] != "bundle" or record["v"] != 1 or record["what"] not in ("evidence", "log"):
            raise Fault("noncanonical", "not a bundle of a version known here")
        self.first, self.what = record, record["what"]

    def _end(self, record, count, sum_):
        if record != {"end": {"lines": count, "sha256": sum_.hexdigest()}}:
            self.problem("bad_hash", None, "the file was changed: its last line does not match what stands before")
        return True

    def _record(self, record):
        kind = next((k for k in ("root", "cert", "header", "head", "hold", "blob") if k in record), None)
        refuse(not self.what or kind is None, "noncanonical", "a line of unknown kind")
        refuse(kind != "root" and self.trust is None, "unknown_signer", "there is no root to trust")
        getattr(self, "_" + kind)(record)

    def _root(self, record):
        cert = Cert(binary(only(record, "root")["root"]))
        if self.trust is None:
            self.trust = Trust(cert)
            self.remark("root", None, f"the root {name32(cert.print)} comes from the file itself; compare it with your city's")
        if self.trust.root.print in [former.print for former in cert.lineage[1:]]:
            self.trust = Trust(cert)  # the city has changed its root since this one was handed out, and the one given vouches for it
        refuse(cert.print not in self.trust.known, "unknown_signer", f"the file belongs to the root {name32(cert.print)}, not to the one given")
        refuse(self.first["city"] != self.trust.city, "scope", "the file names another city than its root")

    def _cert(self, record):
        self.trust.add(Cert(binary(only(record, "cert")["cert"])))

    def _header(self, record):
        raw = binary(only(record, "header", "body", "key", "statement", "signature")["header"])
        header, own = read(raw, "header"), digest("entry.1", raw)
        chain, fresh = self.chains.get(header.chain), True
        if header.seq:
            if chain is None:
                raise Fault("gap", f"entry {header.seq} of a chain whose opening is missing")
            self._where = chain.place(header.seq)
            fresh = self._link(chain, header, own)
        body = binary(record["body"]) if "body" in record else None
        refuse(body is not None and len(raw) + len(body) > MAX_ENTRY, "noncanonical", "an entry is larger than entries may be")
        if body is not None and (len(body) != header.size or digest("body.1", body) != header.digest):
            raise Fault("bad_hash", f"the body of entry {header.seq} is not the one its header names")
        if not header.seq:
            self._open(header, own, body)
        elif fresh:
            self._said(chain, header, record, body)

    def _open(self, header, hash, body):
        refuse(header.chain or header.prev, "bad_hash", "an opening with something before it")
        refuse(body is None, "gap", "an opening without its body")
        opening, data, signature = read_opening(body)
        self._where = f"{opening.author}/{name32(hash)}/0"
        refuse(opening.city != self.trust.city, "scope", "the chain belongs to another city")
        moment(opening.opened)
        self.trust.signed(opening.author, signature, b"yiwang.sign.opening.1\0" + data)
        self.chains.setdefault(hash, Chain(hash, opening, {0: hash}, {0: 0}, [[0, 0]]))

    def _link(self, chain, header, hash):
        """Place a header in its chain; False when it is already there."""
        seq, last = header.seq, chain.runs[-1][1]
        if seq in chain.hashes:
            refuse(chain.hashes[seq] != hash, "fork", "two different entries at one place")
            return False
        refuse(seq < last, "gap", "entries are out of order")
        if seq == last + 1:
            refuse(header.prev != chain.hashes[last], "bad_hash", "the entry does not follow the one before")
            chain.runs[-1][1] = seq
        else:
            if self.what == "log" and last > 0:
                self.problem("gap", None, f"entries {last + 1} to {seq - 1} are missing")
            chain.runs.append([seq, seq])
        chain.hashes[seq] = hash
        return True

    def _said(self, chain, header, record, body):
        for sha, size in header.attachments:
            self.wanted.setdefault(sha, (size, chain.place(header.seq)))
        if body is None and "statement" not in record:
            return
        if body is None:
            raw, content = (binary(record["statement"]), binary(record.get("signature", ""))), None
            statement = read(raw[0], "statement")
        else:
            if chain.opening.audience[0] == "node":
                if "key" not in record:
                    return
                body = open_sealed(body, binary(record["key"]), header.seq)
            elif "key" in record:
                raise Fault("noncanonical", "a key for an entry that is not sealed")
            found = read(body, "body")
            statement, content, raw = read(found.statement, "statement"), found.content, (found.statement, found.signature)
            refuse(digest("content.1", found.salt, content) != statement.digest, "bad_hash", "the content is not the one its signer named")
            content = decode(content)
        content = named(content, statement.kind) if content is not None and statement.kind in SHAPES and "." in statement.kind else None
        cert = self._signer(chain.opening.author, statement, *raw)
        said = SimpleNamespace(chain=chain, seq=header.seq, place=self._where, id=digest("statement.1", raw[0]), statement=statement, cert=cert)
        said.content, said.attachments = content, [sha for sha, _ in header.attachments]
        self.said.append(said)
        self.annexes.update({annex.sha: annex for annex in annexes_of(content)})

    def _signer(self, author, s, data, signature):
        """The certificate under which a statement was signed, after everything about the signature has been checked."""
        refuse(s.suite not in ("ed25519", "p256"), "unknown_suite", f"signed under the suite {s.suite}")
        refuse(s.city != self.trust.city or s.home != author, "scope", "the statement was made in another city, or about a record of another node")
        cert = self.trust.known.get(s.signer)
        refuse(cert is None, "unknown_signer", "the signer's certificate is missing")
        refuse(cert.suite != s.suite, "unknown_suite", "the signer's key is of another suite than the statement says")
        home = cert if cert.kind == "node" else self.trust.chain(cert)[1]
        if cert.kind not in ("node", "person", "seal") or home.kind != "node" or home.id != author:
            raise Fault("scope", f"{cert.name} is not certified by the node in whose log this stands")
        moment(s.at)
        verify(cert.key, signature, b"yiwang.sign.statement.1\0" + data)
        return cert

    def _about(self, record, shape):
        """A head or hold and the chain it is about, which must stand in the bundle with the same hash at that place."""
        word = read(binary(only(record, shape)[shape]), shape)
        chain = self.chains.get(word.chain)
        if chain is None or word.seq not in chain.hashes:
            raise Fault("gap", f"about entry {word.seq} of chain {name32(word.chain)}, which is missing")
        self._where = chain.place(word.seq)
        refuse(chain.hashes[word.seq] != word.hash, "bad_hash", "about another entry than the one that stands here")
        return word, chain

    def _head(self, record):
        head, chain = self._about(record, "head")
        data = b"yiwang.sign.head.1\0" + encode(head.chain, head.seq, head.hash)
        verify(chain.opening.epoch_key, head.signature, data)
        run = chain.run(head.seq)
        chain.covered[run[0]] = max(head.seq, chain.covered.get(run[0], 0))

    def _hold(self, record):
        hold, chain = self._about(record, "hold")
        data = b"yiwang.sign.hold.1\0" + encode(hold.holder, hold.chain, hold.seq, hold.hash, hold.at)
        cert = self.trust.signed(hold.holder, hold.signature, data)
        try:
            self.trust.valid([cert], [moment(hold.at)])
        except Fault as e:  # a wrong clock does not undo what was held, but its time proves nothing
            self.remark(e.kind, chain.place(hold.seq), f"holder {cert.name}: {e.detail}")
            return
        chain.holds.append(hold)

    def _blob(self, record):
        sha, at, data = binary(only(record, "blob", "at", "data")["blob"]), record.get("at"), binary(record.get("data"))
        refuse(type(at) is not int or len(sha) != 32 or len(data) > PART + 16, "noncanonical", "a part of an attachment is malformed")
        if self._part is None or self._part.sha != sha:
            self._blob_done()
            self._part = Blob(sha, self.annexes.get(sha), self._out)
        self._part.take(at, data)

    def name(self, about):
        """The name of an organ or post, as far as the bundle tells it."""
        return self.names.get(about, about)

    def _blob_done(self):
        blob, self._part = self._part, None
        if blob is not None:
            wanted = self.wanted.get(blob.sha, (blob.size, None))
            self._check(wanted[1], blob.done, wanted[0])
            self.blobs.add(blob.sha)

    def _finish(self):
        self._blob_done()
        for chain in self.chains.values():
            self._check(chain.place(0), self._whole, chain)
        for said in self.said:
            self._check(said.place, self._timely, said.chain, said.seq, said.statement.at, [said.cert])
        known = [(said, said.statement.kind) for said in self.said if said.content is not None]
        for said in (said for said, kind in known if kind in PAPERS):
            self._check(said.place, self._paper, said)
        for said, kind in known:
            if kind in RECEIPTS:
                self._check(said.place, self._receipt, said)
            elif kind == "directory.revoked":
                self._check(said.place, self._revoked, said)
            elif kind == "directory.post" or (kind == "directory.organ" and said.content.node == said.chain.opening.author):
                self.names[said.content.id] = said.content.title if kind == "directory.post" else said.content.full
        for sha, (_, place) in self.wanted.items():
            if self.first.get("blobs") and sha not in self.blobs:
                self.problem("missing_blob", place, f"attachment {sha.hex()} is missing")

    def _check(self, place, what, *about):
        try:
            what(*about)
        except Fault as e:
            self.problem(e.kind, place, e.detail)

    def _whole(self, chain):
        """A chain: openings in their time, every entry under a signed head, nothing after its declared end."""
        self._timely(chain, 0, chain.opening.opened, self.trust.node(chain.opening.author))
        for first, last in chain.runs:
            covered = chain.covered.get(first, first - 1)
            if covered < last:
                self.problem("gap", chain.place(covered + 1), f"no signed head covers entries {covered + 1} to {last}")
        for earlier, count, head in chain.opening.previous:
            former = self.chains.get(earlier)
            if former is None or former.opening.author != chain.opening.author:
                continue
            if count and former.hashes.get(count - 1, head) != head:
                raise Fault("fork", f"the chain {name32(earlier)} had another entry {count - 1} when this one was opened")
            if late := [seq for seq in former.hashes if seq >= count and not self._others(former, seq)]:
                self.problem("after_close", former.place(late[0]), "stands after the end that a later opening declared, and nobody else held it")

    def _others(self, chain, seq):
        """When nodes other than the author first held an entry, earliest first."""
        return [(at, holder) for at, holder in chain.held(seq) if holder != chain.opening.author]

    def _timely(self, chain, seq, at, certs):
        """Some certificate was valid at the claimed time, or, for a wrong clock, when another node first held the entry."""
        held = self._others(chain, seq)[:1]
        if held and at > held[0][0] + 300_000:
            self.remark("time_reversed", chain.place(seq), f"claims {clock(at)}, but was held at {clock(held[0][0])}")
        self.trust.valid(certs, [moment(at), *(moment(m) for m, _ in held)])

    def _paper(self, said):
        envelope = named(said.content.envelope, "envelope")
        paper = named(envelope.paper, "paper")
        found = self.papers.setdefault(said.id, SimpleNamespace(said=said, envelope=envelope, paper=paper, places=[], sealed=""))
        found.places.append(said)
        if missing := [a.name for a in annexes_of(paper) if a.sha not in said.attachments]:
            raise Fault("missing_blob", f"the entry does not carry {missing[0]}")
        if envelope.seal is None:
            return
        mark = named(envelope.seal, "mark")
        seal = self.trust.known.get(mark.fingerprint)
        refuse(seal is None, "unknown_signer", "the certificate of the seal is missing")
        if seal.kind != "seal" or seal.id != mark.seal or self.trust.chain(seal)[1].id != said.chain.opening.author:
            raise Fault("scope", f"{seal.name} is not a seal of the issuing node")
        refuse(mark.digest != digest("documents.rendering.1", rendering(envelope, paper)), "bad_hash", "the seal stands under another text")
        verify(seal.key, mark.signature, b"yiwang.sign.seal.1\0" + mark.digest)
        self._timely(said.chain, said.seq, said.statement.at, [seal])
        found.sealed = seal.name

    def _receipt(self, said):
        r, author = said.content, said.chain.opening.author
        papers = [p for p in self.papers.values() if p.said.statement.record == r.doc]
        if not papers and self.what == "log":  # the document may stand in a log that was not asked for
            return self.receipts.append(said)
        recipients = [named(x, "recipient") for p in papers for x in [*p.envelope.recipients, *getattr(p.said.content, "extra", [])]]
        if not any(x.organ == r.organ and x.node == author for x in recipients):
            raise Fault("receipt_mismatch", "a receipt by an organ, or from a node, that the document was not for")
        builds = {p.said.id for p in papers} | {s.id for s in self.said if getattr(s.content, "doc", None) == r.doc}
        refuse(not builds & set(said.statement.after), "receipt_mismatch", "a receipt for another document")
        return self.receipts.append(said)

    def _revoked(self, said):
        """Refuse what the revoked certificate signed after the places (else the time) that the revocation names."""
        r, cert = said.content, self.trust.known.get(said.content.fingerprint)
        if cert is None:
            return
        refuse(said.chain.opening.author not in {c.id for c in self.trust.chain(cert)}, "scope", f"revokes {cert.name}, which it did not certify")
        whole = cert.kind == "node" and r.reason != "superseded" and not self.trust.followed(cert)
        hit = [s for s in self.said if s.cert is cert or (whole and s.chain.opening.author == cert.id)]
        for other in hit:
            if other is not said and self._after(other, said, {c[0]: (c[1], c[2]) for c in r.cuts}):
                self.problem("after_revocation", other.place, f"the certificate of {cert.name} was revoked before ({r.reason})")

    def _after(self, other, revoked, cuts):
        chain = other.chain
        if chain.id in cuts:
            seq, last = cuts[chain.id]
            return other.seq > seq or chain.hashes.get(seq, last) != last
        if chain is revoked.chain:
            return other.seq > revoked.seq
        if revoked.content.reason in ("superseded", "left", "closed"):
            return other.statement.at > revoked.statement.at
        held = self._others(chain, other.seq)
        return not held or held[0][0] > revoked.statement.at


class Blob:
    """An attachment as it comes, part by part: hashed as stored, and opened when a document gave its key."""

    def __init__(self, sha, annex, out):
        self.sha, self.annex, self.size, self.plain = sha, annex, 0, 0
        self._stored, self._opened, self._parts, self._short = hashlib.sha256(), hashlib.sha256(), 0, False
        self._out = None if annex is None or out is None else Path(out) / f"{annex.plain.hex()[:16]}{Path(annex.name).suffix[:8]}"
        if self._out:
            self._out.write_bytes(b"")

    def take(self, at, data):
        """The next part, which begins where the one before ended."""
        refuse(at != self.size or self._short, "gap", "parts of an attachment are missing or out of order")
        self._short = len(data) < PART + 16
        self.size += len(data)
        self._stored.update(data)
        if self.annex is None:
            return
        try:
            plain = AESGCM(self.annex.key).decrypt(self._parts.to_bytes(12, "big"), data, None)
        except (InvalidTag, ValueError):
            raise Fault("bad_hash", "a part of an attachment does not open") from None
        self._parts, self.plain = self._parts + 1, self.plain + len(plain)
        self._opened.update(plain)
        if self._out:
            with self._out.open("ab") as file:
                file.write(plain)

    def done(self, wanted):
        """Refuse when the whole is not what its name, its header and its document say."""
        refuse(self._stored.digest() != self.sha or wanted != self.size, "bad_hash", "an attachment is not the one that was named")
        if self.annex is not None and (self._opened.digest() != self.annex.plain or self.plain != self.annex.size):
            raise Fault("bad_hash", f"the file {self.annex.name} is not the one the document names")


def compare(bundles):
    """Forks between bundles: two signed entries at one place, or one log opened twice in an epoch."""
    forks, chains, logs = {}, {}, {}
    for bundle in bundles:
        for chain in bundle.chains.values():
            o = chain.opening
            first = chains.setdefault(chain.id, chain)
            twin = logs.setdefault((o.author, *o.audience, o.lane, o.epoch), chain)
            differ = [s for s, h in chain.hashes.items() if first.hashes.get(s, h) != h and chain.sure(s) and first.sure(s)]
            seq = min(differ, default=None)
            if seq is not None:
                forks[chain.id] = chain.place(seq), "two different entries were signed for one place", first.hashes[seq], chain.hashes[seq]
            elif twin.id != chain.id:
                forks[chain.id] = chain.place(0), f"the log has a second chain {name32(twin.id)} in the same epoch", twin.id, chain.id
                forks[twin.id] = twin.place(0), f"the log has a second chain {name32(chain.id)} in the same epoch", twin.id, chain.id
    return forks


TEXTS = {
    "": "ok|bad|doc|no|issuer|signer|signed|seal|to|held|file|absent|note|claims|R2|R2x|R3|R4|R5",
    "zh": "核验通过：内容与签名一致。|核验不通过：|文件|字号|发文机关|签发人|核发|印章|送至|存证|附件|（未附）|说明|自称时间|签收|退文|阅知|办理反馈"
    "|撤回确认",
    "en": "Verified: contents and signatures agree.|Not verified:|Document|Number|Issuer|Signed for issue by|Dispatched by|Seal|Sent to"
    "|held by|Attachment|(not included)|Note|claimed time|signed for|sent back|read|answered|recall confirmed",
}
WORDS = {lang: dict(zip(TEXTS[""].split("|"), TEXTS[lang].split("|"), strict=True)) for lang in ("zh", "en")}


def clock(milliseconds):
    """A moment as offices write it, Beijing time."""
    return f"{moment(milliseconds).astimezone(dt.timezone(dt.timedelta(hours=8))):%Y-%m-%d %H:%M:%S}+08:00"


def write_proof(path, bundles, forks):
    """The proof of forks: every bundle cut down to its certificates and, of the chains concerned, openings, headers and heads."""
    with path.open("wb") as out:
        for source, first in bundles:
            lines = [line({**first, "blobs": False, "bodies": "none", "what": "evidence"})]
            for record in map(json.loads, source.read_bytes().splitlines()[1:]):
                shape = next((k for k in ("header", "head") if k in record), None)
                part = read(binary(record[shape]), shape) if shape else None
                if "root" in record or "cert" in record or (part and (part.chain or digest("entry.1", binary(record["header"]))) in forks):
                    lines.append(line({k: v for k, v in record.items() if k in ("root", "cert", "header", "head") or not part.seq}))
            out.write(b"".join([*lines, line({"end": {"lines": len(lines), "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}})]))


def line(record):
    """The one form of a line."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def told(bundle, said):
    """Who signed a statement, where it stands, when they say so and who held it when."""
    held = [{"node": holder, "name": bundle.trust.name(holder), "at": clock(at)} for at, holder in said.chain.held(said.seq)]
    return {"person": said.cert.name, "post": bundle.name(said.statement.post), "at": clock(said.statement.at), "position": said.place, "held": held}


def details(bundle, doc):
    """What the documents of a bundle are and what came of them, as plain values."""
    for paper in bundle.papers.values():
        record, envelope = paper.said.statement.record, paper.envelope
        receipts = [r for r in bundle.receipts if r.content.doc == record]
        if doc in (None, record):
            yield {
                "doc": record,
                "title": paper.paper.title,
                **{name: getattr(envelope, name) for name in ("number", "issuer", "signer")},
                "seal": paper.sealed,
                "signed": told(bundle, paper.said),
                "places": [{"to": bundle.trust.name(p.chain.opening.audience[1]), **told(bundle, p)} for p in paper.places],
                "attachments": [{"name": a.name, "size": a.size, "included": a.sha in bundle.blobs} for a in annexes_of(paper.paper)],
                "receipts": [{"receipt": RECEIPTS[r.statement.kind], "organ": bundle.name(r.content.organ), **told(bundle, r)} for r in receipts],
            }


def result(bundles, doc):
    """The answer as one object."""
    problems, origins = [p for b in bundles for p in b.problems], {}
    problems += [dict(zip(FORK, ("fork", *told, f"sha256:{a.hex()}", f"sha256:{b.hex()}"), strict=True)) for *told, a, b in compare(bundles).values()]
    for chain in (c for b in bundles for c in b.chains.values()):
        count, epochs = max(chain.hashes) + 1, origins.setdefault(chain.opening.author, {})
        if count >= epochs.get(chain.id, (0, b""))[0]:
            epochs[chain.id] = count, chain.hashes[count - 1]
    found = [d for b in bundles for d in details(b, doc)]
    if doc is not None and not found:
        problems.append({"kind": "gap", "position": None, "detail": f"the document {doc} is not in the file"})
    epochs = {o: [{"id": name32(c), "count": n, "head": f"sha256:{h.hex()}"} for c, (n, h) in found.items()] for o, found in origins.items()}
    listed = [{"origin": origin, "epochs": found} for origin, found in epochs.items()]
    remarks = [r for b in bundles for r in b.remarks]
    counts = {"documents": len({d["doc"] for d in found}), "receipts": sum(len(d["receipts"]) for d in found)}
    return {"ok": not problems, "origins": listed, **counts, "problems": problems, "remarks": remarks, "details": found}


def show(answer, words):
    """Print the answer for people."""
    for d in answer["details"]:
        print(f"{words['doc']}: {d['title']}\n  {words['no']}: {d['number'] or '-'}\n  {words['issuer']}: {d['issuer']}")
        print(f"  {words['signer']}: {d['signer']}\n  {words['seal']}: {d['seal'] or '-'}")
        print(f"  {words['signed']}: {d['signed']['person']} {d['signed']['post']}, {words['claims']} {d['signed']['at']}")
        for a in d["attachments"]:
            print(f"  {words['file']}: {a['name']} ({a['size']} B) {'' if a['included'] else words['absent']}")
        for place in d["places"]:
            print(f"  {words['to']}: {place['to'] or '-'}  {place['position']}{_held(place, words)}")
        for r in d["receipts"]:
            print(f"  {r['receipt']} {words[r['receipt']]}: {r['organ']} {r['person']}, {words['claims']} {r['at']}{_held(r, words)}")
    for remark in answer["remarks"]:
        print(f"{words['note']}: {remark['position'] or ''} {remark['detail']}")
    print(words["ok"] if answer["ok"] else words["bad"])
    for problem in answer["problems"]:
        print(f"  {problem['kind']}  {problem['position'] or ''}  {problem['detail']}")


def _held(place, words):
    return "".join(f"; {words['held']} {h['name']} {h['at']}" for h in place["held"])


def main(argv=None):
    """The command; the exit code."""
    parser = argparse.ArgumentParser(prog="yiwang-verify", description=__doc__.splitlines()[0])
    parser.add_argument("bundle", nargs="+", type=Path)
    parser.add_argument("--root", type=Path, help="certificate of the city root (PEM); without it the file's own is used, and said so")
    parser.add_argument("--doc", help="id of the document that is meant")
    parser.add_argument("--proof", type=Path, help="file for the proof of forks between the bundles")
    parser.add_argument("--out", type=Path, help="folder for the attached files")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lang", choices=sorted(WORDS), default="zh")
    given = parser.parse_args(argv)
    try:
        root, bundles = Cert(given.root.read_bytes()) if given.root else None, []
        for path in given.bundle:
            with path.open("rb") as file:
                bundles.append(Bundle(root, given.out).load(file))
                while file.peek(1):
                    bundles.append(Bundle(root, given.out).load(file))
    except (OSError, Fault) as e:
        print(f"yiwang-verify: {e}", file=sys.stderr)
        return 2
    answer = result(bundles, given.doc)
    if given.proof and (forks := compare(bundles)):
        write_proof(given.proof, zip(given.bundle, (b.first for b in bundles), strict=False), forks)
    if given.json:
        print(json.dumps({"v": 1, "cmd": "verify", "node": None, "at": f"{dt.datetime.now(dt.UTC):%FT%T}+00:00", **answer}, ensure_ascii=False))
    else:
        show(answer, WORDS[given.lang])
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())

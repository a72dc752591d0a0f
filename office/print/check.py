"""Checking a printed copy: pyHanko says whether its bytes are those that were signed and whether the city's root vouches for the signer.

Only the first signature counts, it must cover the whole file, and nothing of what a copy brings along is believed but certificates that lead
to this city's root. Nothing is fetched. A copy is somebody else's file: the process around this has its limits.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import msgspec
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from node import certs
from office.print.verdict import SEAL, Finding, Sealed, Verdict

MOST = 16 * 1024
"Bytes of the seal inside a copy."


def checked(pdf: bytes, root: x509.Certificate, now: dt.datetime) -> Verdict:
    """What a copy is worth to whoever trusts the root; never raises for what is in the copy."""
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        found = list(reader.embedded_signatures)
        if not found:
            return Verdict(finding=Finding.UNSIGNED)
        return _verdict(reader, found[0], root, now) if _tight(pdf, found[0]) else Verdict(finding=Finding.CHANGED)
    except Exception:  # a hostile file may raise anything in a parser; whatever it raises, it is not a copy
        return Verdict(finding=Finding.BROKEN)


def _verdict(reader: PdfFileReader, signature: Any, root: x509.Certificate, now: dt.datetime) -> Verdict:
    trust = [asn1_x509.Certificate.load(certs.der(one)) for one in certs.roots(root)]  # type: ignore[no-untyped-call]
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=trust, allow_fetching=False, moment=now))
    if not status.intact or not status.valid or not _whole(status):
        return Verdict(finding=Finding.CHANGED)
    chain = _chain(signature, root)
    if not chain:
        return Verdict(finding=Finding.STRANGE)
    about = certs.subject(chain[0])
    said = Verdict(
        finding=Finding.GOOD,
        kind=about.kind,
        signer=about.id,
        name=about.name,
        at=status.signer_reported_dt,
        chain=tuple(certs.subject(cert).name for cert in chain),
        fingerprints=tuple(certs.fingerprint(cert).hex() for cert in chain),
        sealed=_sealed(reader),
    )
    if any(not cert.not_valid_before_utc <= now <= cert.not_valid_after_utc for cert in chain):
        return msgspec.structs.replace(said, finding=Finding.EXPIRED)
    return said if status.bottom_line else Verdict(finding=Finding.STRANGE)


def _tight(pdf: bytes, signature: Any) -> bool:
    """Whether the one place that a signature cannot cover, its own, holds nothing but it: other readers let anything stand behind it."""
    _start, end, begin, _rest = signature.byte_range
    own: bytes = cms.ContentInfo.load(signature.pkcs7_content).dump()  # type: ignore[no-untyped-call]
    return pdf[end:begin] == b"<" + own.hex().upper().encode().ljust(begin - end - 2, b"0") + b">"


def _whole(status: PdfSignatureStatus) -> bool:
    """Whether nothing stands in the file that the signature does not cover."""
    return status.coverage == SignatureCoverageLevel.ENTIRE_FILE


def _chain(signature: Any, root: x509.Certificate) -> list[x509.Certificate]:
    """The certificates from the signer's to the root's child; empty where they do not lead there, whatever their time."""
    roots = certs.roots(root)
    known = [*roots, *(certs.load(one.dump()) for one in signature.other_embedded_certs)]
    way = [certs.load(signature.signer_cert.dump())]
    while len(way) <= certs.LONGEST:
        above = next((one for one in known if certs.issued(way[-1], one)), None)
        if above is None:
            return []
        if above in roots:
            return way if _fit(way) else []
        way.append(above)
    return []


def _fit(way: list[x509.Certificate]) -> bool:
    """Whether nodes certify each other down to a node that certified a seal, or its own printing; nobody else signs copies."""
    leaf, *nodes = (certs.subject(cert) for cert in way)
    if not nodes or any(node.kind != "node" for node in nodes):
        return False
    return leaf.kind == "seal" or leaf.kind == "print" and leaf.id == nodes[0].id


def _sealed(reader: PdfFileReader) -> Sealed | None:
    """The organ's seal inside a copy; None where it bears none."""
    try:
        names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    except KeyError:
        return None
    for place in range(0, len(names) - 1, 2):
        spec = names[place + 1]
        if spec.get("/UF", spec.get("/F")) == SEAL:
            data = spec["/EF"]["/F"].data
            return msgspec.json.decode(data, type=Sealed) if len(data) <= MOST else None
    return None

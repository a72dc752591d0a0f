"""PAdES signatures inside printed PDFs: of the original by the organ's seal, of any other copy by a certificate that this node's identity
issues for nothing else.

The print key and its chain lie in one file ``keys/print.pem``, made when a copy is first signed and made anew a month before it
ends. A seal's key is handed over opened, for one original, and kept nowhere. Either signature certifies the PDF (ISO 32000-1
§12.8.2.2): no later change is allowed. Seals sign by Ed25519 over SHA-512, as RFC 8419 and ISO/TS 32002 have it.
"""

from __future__ import annotations

import datetime as dt
import io

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from node import certs, identity, keys
from node.errors import Invalid
from node.settings import Settings
from office.print.sheet import Sealing

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
RENEW = dt.timedelta(days=30)
"A certificate with less time than this is replaced."


def signed(pdf: bytes, settings: Settings, now: dt.datetime) -> bytes:
    """The PDF with the node's signature in it; :class:`~node.errors.Invalid` when it is no PDF."""
    key, chain = credentials(settings, now)
    return _put(pdf, key, chain, settings, field="print", digest="sha256")


def sealed(order: Sealing, settings: Settings) -> bytes:
    """The PDF with the signature of an organ's seal in it; :class:`~node.errors.Invalid` when key and certificate do not belong together."""
    leaf = certs.load(order.certificate)
    chain = [leaf, *certs.above(leaf, identity.own_chain(settings))]
    key = ed25519.Ed25519PrivateKey.from_private_bytes(order.key)
    if certs.subject(chain[0]).kind != "seal" or chain[0].public_key() != key.public_key():
        raise Invalid("the certificate is not that of the seal", code="malformed")
    return _put(order.pdf, key, chain, settings, field="seal", digest="sha512")


def _put(pdf: bytes, key: Private, chain: list[x509.Certificate], settings: Settings, *, field: str, digest: str) -> bytes:
    root = identity.root_of(settings)
    found = [asn1_x509.Certificate.load(certs.der(cert)) for cert in (*chain, *certs.roots(root))]  # type: ignore[no-untyped-call]
    store = SimpleCertificateStore.from_certs(found[1:])  # type: ignore[no-untyped-call]
    private = asn1_keys.PrivateKeyInfo.load(  # type: ignore[no-untyped-call]
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    signer = signers.SimpleSigner(signing_cert=found[0], signing_key=private, cert_registry=store, embed_roots=False)
    meta = signers.PdfSignatureMetadata(
        field_name=field,
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm=digest,
        location=settings.name,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    try:
        return signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer).getvalue()  # type: ignore[no-any-return]
    except PdfError as e:
        raise Invalid(f"not a PDF that can be signed: {e}", code="malformed") from None


def credentials(settings: Settings, now: dt.datetime) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
    """The print key and its chain (leaf first, without the root); made anew when there is none or it soon ends or the node's identity changed."""
    chain = identity.own_chain(settings)
    file = settings.path("keys", "print.pem")
    if file.exists():
        data = keys.read_secret(file)
        key, leaf = keys.from_pem(data), certs.load_chain(data)[0]
        if isinstance(key, ec.EllipticCurvePrivateKey) and certs.issued(leaf, chain[0]) and leaf.not_valid_after_utc - RENEW > now:
            return key, [leaf, *certs.above(leaf, chain)]
    return _made(settings, now)


def _made(settings: Settings, now: dt.datetime) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
    own, key = identity.load(settings), keys.new_p256()
    about = certs.Subject(kind="print", id=settings.id, name=f"{settings.name} 排印")
    leaf = certs.issue(about, key.public_key(), own.certificate, own.key, now)
    keys.write_secret(settings.path("keys", "print.pem"), keys.pem(key) + certs.pem(leaf))
    return key, [leaf, *certs.above(leaf, own.chain)]

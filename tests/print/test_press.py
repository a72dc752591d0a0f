"""The process that prints and signs: what it refuses and how it says so, and that a signed copy holds."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from asn1crypto import pem as armour
from asn1crypto import x509
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from node import certs, clock
from node.errors import Invalid
from node.settings import Settings
from office.frame.words import speaking
from office.print.press import render, sign
from office.print.sheet import Paragraph, Seal, Sheet
from office.print.signature import credentials
from tests.city import build
from tests.print.conftest import Print
from tests.print.sheets import LETTER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def township(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A township under a county under a city."""
    return build(tmp_path_factory.mktemp("city"))["county1-town1"].settings


@pytest.fixture(scope="module")
def copy(printed: Print, township: Settings) -> bytes:
    """A letter, printed and signed."""
    return sign(printed(LETTER).pdf, township)


def checked(pdf: bytes, settings: Settings) -> PdfSignatureStatus:
    """What an ordinary checker that trusts the city's root says of the signature."""
    root = x509.Certificate.load(armour.unarmor(settings.path("certs", "root.pem").read_bytes())[2])
    found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    assert len(found) == 1
    return validate_pdf_signature(found[0], ValidationContext(trust_roots=[root], allow_fetching=False))


def test_a_signed_copy_leads_to_the_city_root(copy: bytes, township: Settings) -> None:
    """A checker with nothing but the city's root finds the copy whole, signed by the township's print certificate."""
    status = checked(copy, township)
    assert status.bottom_line and status.intact and status.trusted
    assert status.coverage.name == "ENTIRE_FILE"
    leaf = certs.load(status.signing_cert.dump())
    assert certs.subject(leaf).kind == "print" and certs.subject(leaf).id == township.id


def test_a_changed_byte_is_caught(copy: bytes, township: Settings) -> None:
    """One byte changed anywhere under the signature, and the checker does not accept the copy."""
    for place in (len(copy) // 8, len(copy) // 4, len(copy) // 2):
        wrong = copy[:place] + bytes([copy[place] ^ 1]) + copy[place + 1 :]
        try:
            assert not checked(wrong, township).bottom_line
        except (PdfReadError, SignatureValidationError, ValueError):
            continue  # so broken that it is no longer a PDF


def test_something_added_after_signing_is_caught(copy: bytes, township: Settings) -> None:
    """A copy with anything behind what was signed is not accepted as whole."""
    writer = IncrementalPdfFileWriter(io.BytesIO(copy))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = NumberObject(180)
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    assert not checked(out.getvalue(), township).bottom_line


def test_the_print_certificate_is_kept_and_renewed(township: Settings) -> None:
    """The same certificate signs until a month before its end, its file is for the owner alone, and nodes believe it for nothing."""
    first = credentials(township, clock.now())[1][0]
    assert credentials(township, clock.now())[1][0] == first
    assert township.path("keys", "print.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Exception, match="cannot be about"):
        certs.check_issued(first, credentials(township, clock.now())[1][1], clock.now())
    late = first.not_valid_after_utc.replace(day=1)
    assert credentials(township, late)[1][0] != first


def test_what_is_no_pdf_is_not_signed(township: Settings) -> None:
    """Bytes that are no PDF are refused as such."""
    with pytest.raises(Invalid) as told:
        sign(b"not a pdf", township)
    assert told.value.code == "malformed"


def test_a_character_without_a_glyph_is_named() -> None:
    """A character that no font has is refused by name instead of printed as an empty box, in the reader's language."""
    sheet = msgspec.structs.replace(LETTER, paragraphs=(Paragraph(text="姓名：\U0010fffd某"),))
    with pytest.raises(Invalid, match="U\\+10FFFD") as told:
        render(sheet)
    assert told.value.code == "missing_glyph" and "字体" in str(told.value)
    with speaking("en"), pytest.raises(Invalid, match="fonts of this machine lack"):
        render(sheet)


def test_seals_and_organs_agree() -> None:
    """A sheet has no seal, or one for each organ."""
    with pytest.raises(Invalid):
        render(msgspec.structs.replace(LETTER, seals=(Seal(name="甲"), Seal(name="乙"))))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b'{"organs":["x"],"unknown":1}', b'{"organs":[]}', b"[" * 100_000])
def test_bad_input_is_a_clear_error(data: bytes) -> None:
    """Whatever comes in instead of a sheet, the process ends with a code, says one line of JSON and prints nothing."""
    done = subprocess.run([sys.executable, "-m", "office.print", "render"], input=data, capture_output=True, cwd=ROOT)
    told = json.loads(done.stderr.decode().strip().splitlines()[-1])
    assert (done.returncode, done.stdout, told["code"]) == (4, b"", "malformed")


def test_markup_in_a_document_stays_text(printed: Print) -> None:
    """Angle brackets, quotes and references to files in a document are printed as they are and reach nothing."""
    sheet = Sheet(
        organs=("甲<b>局",), title="关于<img>的函", paragraphs=(Paragraph(text='<img src="file:///etc/hostname">&amp;"x"'),), date="2026年1月1日"
    )
    text = printed(sheet).text()
    assert "关于<img>的函" in text and "file:///etc/hostname" in text and "&amp;" in text


def test_the_portal_stays_light() -> None:
    """What rooms import of printing brings in none of WeasyPrint, pyHanko, fonttools and python-docx."""
    heavy = (
        "import sys, office.print.press, office.print.sheet; print([m for m in ('weasyprint', 'pyhanko', 'fontTools', 'docx') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, cwd=ROOT, check=True).stdout.strip() == b"[]"

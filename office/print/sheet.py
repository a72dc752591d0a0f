"""What is printed: a sheet, as frozen values that travel as JSON to the process that prints them.

The eighteen elements are those of GB/T 9704-2012 section 7; an empty one is not printed. Words of a sheet are not translated.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

import msgspec

from office.print.verdict import Sealed

Short = Annotated[str, msgspec.Meta(max_length=300)]
Long = Annotated[str, msgspec.Meta(max_length=60_000)]
Names = Annotated[tuple[Short, ...], msgspec.Meta(max_length=30)]


class Form(StrEnum):
    """The four formats of the standard: 文件格式 and the special ones of section 10."""

    FILE = "file"
    LETTER = "letter"
    ORDER = "order"
    MINUTES = "minutes"


class _Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Paragraph(_Value, frozen=True, kw_only=True):
    """A paragraph of the text; a heading may run into the text after it, then its first sentence is the heading."""

    text: Annotated[str, msgspec.Meta(max_length=30_000)]
    level: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0
    "1 for 一、 (黑体), 2 for （一） (楷体), 3 and 4 for 1. and （1） (仿宋), 0 for none."


class Annex(_Value, frozen=True, kw_only=True):
    """An annex: named below the text; printed on pages of its own when it has paragraphs, else it is a file that goes along."""

    title: Short
    paragraphs: tuple[Paragraph, ...] = ()


class Seal(_Value, frozen=True, kw_only=True):
    """A round seal over an issuer's name."""

    name: Short
    "The words on its rim."
    diameter: Annotated[float, msgspec.Meta(ge=30, le=60)] = 45
    "mm: 45 for a city or county government, 42 for a township (国发〔1999〕25号)."
    test: bool = True
    "Bears the word 测试: not the seal of the state's seal system."


class Attendance(_Value, frozen=True, kw_only=True):
    """Who was there (出席), excused (请假) or listening (列席); on minutes only."""

    label: Short
    names: Long


class Sheet(_Value, frozen=True, kw_only=True):
    """One document as it is to be printed."""

    form: Form = Form.FILE
    organs: Annotated[tuple[Short, ...], msgspec.Meta(min_length=1, max_length=12)]
    "Full names of the issuing organs, the lead one first."
    mark: Short = ""
    "发文机关标志 without 文件 or 命令; empty for the organs' names. On minutes the whole of it: …会议纪要."
    lead_only: bool = False
    "A joint document shows the lead organ alone in its mark."
    copy: Short = ""
    "份号, six digits."
    secrecy: Short = ""
    "密级和保密期限: 机密★1年; on a non-classified system 内部 or nothing."
    urgency: Short = ""
    "特急 or 加急."
    number: Short = ""
    "发文字号, 令号 or 第3期."
    signers: Names = ()
    "签发人, on upward documents only."
    title: Annotated[str, msgspec.Meta(max_length=400)] = ""
    "Breaks at sense by itself; a line feed in it is a break the drafter wants."
    to: Long = ""
    "主送, without the colon."
    paragraphs: Annotated[tuple[Paragraph, ...], msgspec.Meta(max_length=5_000)] = ()
    annexes: Annotated[tuple[Annex, ...], msgspec.Meta(max_length=100)] = ()
    date: Short = ""
    "成文日期 as printed: 2026年1月5日."
    seals: Annotated[tuple[Seal, ...], msgspec.Meta(max_length=12)] = ()
    "None, or one for each organ in their order."
    post: Short = ""
    "Post of who signs an order: 市长."
    signature: Short = ""
    "Name on the signature seal (签名章) of an order, or of whoever signs a document so."
    note: Short = ""
    "附注 without its brackets: 此件公开发布."
    attendance: Annotated[tuple[Attendance, ...], msgspec.Meta(max_length=5)] = ()
    cc: Long = ""
    "抄送, without the full stop."
    printer: Short = ""
    "印发机关."
    printed: Short = ""
    "印发日期 without 印发."
    across: Annotated[str, msgspec.Meta(max_length=8)] = ""
    "Pale words across every page of what is no document in force: 草稿, 已撤回, 已作废."
    proof: Sealed | None = None
    "The organ's seal over the text, which the PDF carries as a file of its own for whoever checks it."


class Pictures(_Value, frozen=True, kw_only=True):
    """The first pages of a sheet as PNG, and how many there are."""

    count: int
    pages: tuple[bytes, ...]


class Sealing(_Value, frozen=True, kw_only=True):
    """A printed page and the opened seal of its organ, for one signature."""

    pdf: bytes
    key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    "Of the seal, Ed25519."
    certificate: bytes
    "Of the seal, DER."


_LEVELS = (
    (1, re.compile(r"[一二三四五六七八九十百]{1,4}、")),
    (2, re.compile(r"（[一二三四五六七八九十百]{1,4}）")),
    (3, re.compile(r"[0-9]{1,3}[.．]")),
    (4, re.compile(r"（[0-9]{1,3}）")),
)


def paragraphs(text: str) -> tuple[Paragraph, ...]:
    """The paragraphs of a plain text, one a line, with their levels by how they are numbered (section 7.3.3)."""
    return tuple(Paragraph(text=line, level=level_of(line)) for line in (raw.strip() for raw in text.splitlines()) if line)


def level_of(line: str) -> int:
    """The level that a line has by its number; 0 for none."""
    return next((level for level, pattern in _LEVELS if pattern.match(line)), 0)

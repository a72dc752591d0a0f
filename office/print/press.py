"""Printing, signing and checking from any process: the work is done by ``python -m office.print``, one at a time, within limits.

Green processes may call these as they are: waiting for another process lets the others run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import BinaryIO

import msgspec

from node.errors import NodeError, TooLarge, Unreachable, revive
from node.settings import Settings
from office.frame.words import _
from office.print.marks import Round
from office.print.packet import WHOLE, Packet
from office.print.sheet import Pictures, Sealing, Sheet
from office.print.stamp import drawn
from office.print.taken import Taken
from office.print.verdict import Verdict

SECONDS = 90
"Longest time of one act, the start of its process included."
MOST = 4 * 2**20
"Bytes of a sheet."
COPY = 32 * 2**20
"Bytes of a copy that is checked, or of a file that is taken over."
PATIENCE = 10
"Seconds for which a picture waits for its turn: it is asked for again."
_turns, _strangers, _screens = BoundedSemaphore(1), BoundedSemaphore(1), BoundedSemaphore(1)
"What strangers made, and what is only looked at, goes one at a time too, but beside the printing: it holds up nobody else's sheets."
_ROOT = Path(__file__).resolve().parents[2]

MESSAGES = {
    "missing_glyph": _("本机字体印不出这些字：{what}。请安装含有它们的字体后再印。"),
    "no_fonts": _("本机没有可用的中文字体，不能排印。请管理员运行 {hint}。"),
    "no_printer": _("本机没有装排印所需的组件（{what}）。请管理员运行 {hint}。"),
    "malformed": _("这份文件的要素不合格式，不能排印：{what}"),
    "too_long": _("文件太长，不能排印：{what}"),
    "too_large": _("文件太大，不能排印。"),
    "not_word": _("这不是可以读的 Word 文件（.docx），或者已经损坏。"),
    "word_old": _("这是旧格式的 Word 文件（.doc），请另存为 .docx 再读入。"),
    "word_locked": _("这个 Word 文件加了密，请去掉密码再读入。"),
    "word_macros": _("这个 Word 文件带有宏，请另存为不带宏的 .docx 再读入。"),
    "word_outside": _("这个 Word 文件引用文件以外的内容，不能读入。请把图片、对象改为嵌入，再试一次。"),
    "word_large": _("这个 Word 文件太大，不能读入。"),
    "word_slow": _("这个 Word 文件太复杂，读不完，没有读入。"),
    "word_long": _("正文超过 {what} 字，不能读入。"),
    "package_not": _("这不是可以读的公文数据包（.zip），或者已经损坏。"),
    "package_locked": _("这个数据包加了密，请去掉密码再导入。"),
    "package_large": _("这个数据包太大（连同附件不能超过 32 MB），没有处理。"),
    "package_slow": _("这个数据包太复杂，读不完，没有导入。"),
    "package_path": _("数据包里有清单以外的内容：{what}"),
    "package_missing": _("数据包里缺少这一部分：{what}"),
    "package_digest": _("数据包里这一部分与清单的摘要不符：{what}"),
    "package_xml": _("数据包的清单或元数据不合格式：{what}"),
    "package_strange": _("数据包的格式不是本网认得的那一种：{what}"),
    "label_refused": _("文件带有国家秘密的标志。本网不得存储、处理国家秘密，请走机要渠道。"),
}
"What a person is told, by the code of an error."


def specimen(name: str, diameter: float = 42.0) -> str:
    """A seal as it is printed (印模), as SVG; 测试 stands across every seal made here, which is none of the state's system."""
    return drawn(Round(x=0, y=0, diameter=diameter, name=name, test=True), "SimSun, 'Noto Serif CJK SC', serif")


def render(sheet: Sheet) -> bytes:
    """The PDF/A of a sheet; :class:`~node.errors.Invalid` names characters without a glyph, :class:`~node.errors.Misconfigured` what is missing."""
    data = msgspec.json.encode(sheet)
    if len(data) > MOST:
        raise TooLarge(MESSAGES["too_large"])
    return _run(["render"], data)


def word(sheet: Sheet) -> bytes:
    """A sheet as a Word file to be edited; it bears no seal."""
    data = msgspec.json.encode(sheet)
    if len(data) > MOST:
        raise TooLarge(MESSAGES["too_large"])
    return _run(["word"], data)


def picture(sheet: Sheet) -> Pictures:
    """The first pages of a sheet for a screen; :class:`~node.errors.Unreachable` when many want to look."""
    data = msgspec.json.encode(sheet)
    if len(data) > MOST:
        raise TooLarge(MESSAGES["too_large"])
    return msgspec.json.decode(_run(["picture"], data, _screens, PATIENCE), type=Pictures)


def take(file: BinaryIO) -> Taken:
    """Title, recipients and text of a Word file, and what was left behind; :class:`~node.errors.Refused` says by its code why it was not read."""
    data = file.read(COPY + 1)
    if len(data) > COPY:
        raise TooLarge(MESSAGES["word_large"], code="word_large")
    try:
        return msgspec.json.decode(_run(["take"], data, _strangers), type=Taken)
    except Unreachable as e:
        if e.code in ("printer_failed", "too_slow"):  # it went on beyond the limits of its process and was ended
            raise TooLarge(MESSAGES["word_slow"], code="word_slow") from None
        raise


def pack(packet: Packet) -> bytes:
    """A document as a package; :class:`~node.errors.TooLarge` when its parts are more than one may hold."""
    if len(packet.page) + sum(len(one.data) for one in packet.annexes) > WHOLE:
        raise TooLarge(MESSAGES["package_large"], code="package_large")
    return _run(["pack"], msgspec.msgpack.encode(packet))


def unpack(data: bytes) -> Packet:
    """What a package holds; :class:`~node.errors.Refused` says by its code what is wrong with it."""
    if len(data) > WHOLE:
        raise TooLarge(MESSAGES["package_large"], code="package_large")
    try:
        return msgspec.msgpack.decode(_run(["unpack"], data, _strangers), type=Packet)
    except Unreachable as e:
        if e.code in ("printer_failed", "too_slow"):  # as with Word files
            raise TooLarge(MESSAGES["package_slow"], code="package_slow") from None
        raise


def sign(pdf: bytes, settings: Settings) -> bytes:
    """The PDF with a PAdES signature of this node's print certificate inside; a byte changed later is found by any reader."""
    return _run(["sign", "--home", str(settings.home)], pdf)


def seal(order: Sealing, settings: Settings) -> bytes:
    """The PDF with a PAdES signature of the organ's own seal inside, its chain with it; the key goes through a pipe and is kept nowhere."""
    return _run(["seal", "--home", str(settings.home)], msgspec.msgpack.encode(order))


def check(pdf: bytes, settings: Settings) -> Verdict:
    """What the signature in a copy is worth to whoever trusts this node's city; :class:`~node.errors.TooLarge` when it is too large to be one."""
    if len(pdf) > COPY:
        raise TooLarge(MESSAGES["too_large"])
    return msgspec.json.decode(_run(["check", "--home", str(settings.home)], pdf, _strangers), type=Verdict)


def _run(arguments: list[str], data: bytes, turns: BoundedSemaphore = _turns, wait: float = SECONDS) -> bytes:
    command = [sys.executable, "-m", "office.print", *arguments]
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    if not turns.acquire(timeout=wait):
        raise Unreachable(_("排印的人太多，请稍候再试。"), code="busy")
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, env=os.environ | {"PYTHONPATH": path})
    except subprocess.TimeoutExpired:
        raise Unreachable(_("排印超时，请稍后再试。"), code="too_slow") from None
    finally:
        turns.release()
    if done.returncode:
        raise _error(done.stderr)
    return done.stdout


def _error(said: bytes) -> NodeError:
    """What the process said last, as an error in the reader's language."""
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    try:
        told: dict[str, str] = json.loads(last)
        kind, code, message, hint = (told[key] for key in ("kind", "code", "message", "hint"))
    except (ValueError, KeyError, TypeError):
        return Unreachable(_("排印中断，请稍后再试。"), code="printer_failed")
    shown = MESSAGES[code].format(what=message, hint=hint) if code in MESSAGES else message
    return revive(kind, shown, code)

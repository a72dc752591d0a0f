"""The gate of secrecy (保密法 2024 §29, §31): no state secret is written on this network.

One mechanism at the one place where people write: :meth:`office.frame.desk.Desk.wish` puts every content through :func:`check`, whatever room it
is of, and attached files come through :func:`office.frame.reading.words` first. What is looked for are the marks by which a carrier of state
secrets must be known (§22): a grade with its star and period, a grade as a heading or a field, a text that calls itself of a grade. Disguises are
undone before looking: full-width and traditional forms, spaces and signs between characters, invisible characters. To speak *about* secrecy
(保密工作, 商业秘密, 严禁传阅机密文件) is no mark.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec

from node.errors import Refused
from office.frame.words import _

SHORT, COLUMN = 48, 2
"Most characters of a heading; of a line of what is written downwards."
GRADE = "(?:绝密|机密|秘密)"
_STARS = "★☆✩✪✫✬✭✮✯✰⭐🌟⭑⋆"
_KEYS = (*"密宻滵秘祕㊙\u200b\u200c\u200d\u2060\ufeffＳＣ", *_STARS, "SECRET", "Secret", "CONF", "Conf", "jimi", "JIMI", "mimi", "juemi")
"Without one of these nothing is a mark; most texts and most of their sentences are done with here."
_BYTES = tuple(key.encode() for key in _KEYS)
_SPACED = re.compile(r"S\WE\WC")
_HIDDEN = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_FORMS: dict[int, str | int] = {**str.maketrans("絕機祕宻滵級國屬標識長", "绝机秘密密级国属标识长")}
_FORMS |= {ord(star): "★" for star in _STARS} | {ord(one): "*" for one in "∗✱﹡※✻"}
_BETWEEN = re.compile(r"[\s·•‧・.。\-_—–―~|/\\+,，、'\"“”‘’()（）\[\]【】〔〕<>《》「」『』{}#]+")
_PERIOD = r"(?:\d+|[一二三四五六七八九十]+)(?:年|个月)|长期"
_OWN = r"(?<!商业)(?<!技术)(?<!工作)(?<!企业)(?<!经营)(?<!个人)(?<!通信)(?<!职业)(?<!客户)(?<!国家)"
_MARKS = re.compile(
    "|".join(
        (
            rf"{GRADE}级?[★*]|★{GRADE}|★(?:{_PERIOD})",
            rf"{_OWN}{GRADE}级?(?:{_PERIOD})(?!后|内|来|前)",
            rf"(?:密级|定密|秘密等级|保密等级|涉密等级)(?:标识|标志|为|是|属|定为|:|=)+{GRADE}",
            rf"(?:定为|确定为|标注为|标为|列为|划为){GRADE}(?:级|件|$)",
            r"TOPSECRET|SECRET(?:/|NOFORN|★|\*)|(?:juemi|jimi|mimi)[★*]",
        )
    )
)
_HEADS = re.compile(rf"{GRADE}(?:级|件|文件|级文件|电报|启用前)?|密件|密电|TOPSECRET|SECRET|Secret|TopSecret|CONFIDENTIAL|Confidential")
"What is a mark when it is all that a line says."
_CALLS = re.compile(
    rf"(?:本|此|该|这份|这个|附|所附|以下)(?:件|文|文件|材料|资料|报告|表|图|附件|内容|通知|信息)?(?:为|属|系|是|均为|属于|涉及|含有?|包含)+(?:国家秘密|{_OWN}{GRADE})"
    rf"|(?:附|发|送|呈|转|传|看|见|下发|印发|报送|拷贝|扫描)(?:去|来|上|给你|一份|一下|的)?{GRADE}级?(?:文件|件|电报|材料|资料|图纸)"
    rf"|{_OWN}(?:绝密|机密|秘密)级(?:文件|材料|资料|电报|图纸|事项|信息|数据|地图)|^(?:绝密|机密)(?:文件|件|电报|材料|资料|图纸)"
)
_ABOUT = re.compile(r"不得|严禁|禁止|不准|不能|防止|杜绝|切勿|保密法|保密教育|是否|凡|如(?:果|有)|应当|规定")
"Words of a sentence that forbids or explains, and so hands over nothing."


def marked(text: str) -> bool:
    """Whether a text carries, or calls itself, what may not be on this network."""
    if not _suspect(text):
        return False
    lines = [_plain(line) for line in text.splitlines() if len(line) <= 2 * COLUMN or _suspect(line)]
    column = "".join(tight for line in lines if len(tight := _BETWEEN.sub("", line)) <= COLUMN)
    return any(_line(line) for line in (*lines, column))


def _suspect(text: str) -> bool:
    return any(key in text for key in _KEYS) or _SPACED.search(text) is not None


def _plain(text: str) -> str:
    """A line without its disguises."""
    return unicodedata.normalize("NFKC", _HIDDEN.sub("", text.translate(_FORMS).replace("㊙", "秘密★"))).translate(_FORMS)


def _line(plain: str) -> bool:
    if len(plain) <= SHORT and _HEADS.fullmatch(_BETWEEN.sub("", plain).strip(":*★!")):
        return True
    return any(_sentence(one) for one in re.split(r"[。；;!?]", plain) if "密" in one or "★" in one or "SEC" in one or "S E" in one)


def _sentence(plain: str) -> bool:
    tight = _BETWEEN.sub("", plain)
    return _MARKS.search(tight) is not None or (_CALLS.search(tight) is not None and not _ABOUT.search(plain))


def check(content: Any, data: bytes) -> None:
    """Refuse to write a content in which anything is marked; ``data`` are its bytes, in which a first look is quick."""
    if (any(key in data for key in _BYTES) or b"S E" in data) and any(marked(text) for text in texts(content)):
        raise refusal()


def gate(typed: str) -> None:
    """Refuse to keep a form as it is being typed: JSON of its fields, or one text."""
    try:
        found = [*texts(msgspec.json.decode(typed))]
    except (msgspec.DecodeError, RecursionError):  # no JSON, or nested deeper than any form is
        found = [typed]
    if any(marked(text) for text in found):
        raise refusal()


def refusal(name: str = "") -> Refused:
    """What a person is told, and where to go; ``name`` is the file in which it was found."""
    said = _("附件《{name}》带有国家秘密的标志。本网不得存储、处理国家秘密。").format(name=name) if name else _("本网不得存储、处理国家秘密。")
    return Refused(said, code="label_refused", hint=_("国家秘密请走机要渠道。"))


def texts(value: Any) -> Iterator[str]:
    """Every piece of text in a content, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from texts(key)
            yield from texts(one)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from texts(one)

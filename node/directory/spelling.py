"""Pinyin of names, made once when a name is entered and kept in its record.

The dictionary of readings takes some 30 MB of memory; it is loaded when the first name is spelt, so that processes that
only read never carry it.
"""

from __future__ import annotations

SURNAMES = {
    "单": "shan",
    "解": "xie",
    "曾": "zeng",
    "查": "zha",
    "仇": "qiu",
    "区": "ou",
    "朴": "piao",
    "盖": "ge",
    "翟": "zhai",
    "任": "ren",
    "华": "hua",
    "种": "chong",
    "乐": "yue",
    "缪": "miao",
    "员": "yun",
    "覃": "qin",
    "繁": "po",
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "长孙": "zhang sun",
    "澹台": "tan tai",
}
"Surnames that are read otherwise than the same characters in words."


def spell(text: str) -> str:
    """Syllables of a text without tones, separated by spaces; what is not Chinese stays as it is, in lower case."""
    from pypinyin import lazy_pinyin

    return " ".join(part.strip().lower() for part in lazy_pinyin(text) if part.strip())


def spell_name(name: str) -> str:
    """Syllables of a person's name, the surname read as a surname."""
    name = name.replace("·", "").replace(" ", "")
    surname = next((name[:n] for n in (2, 1) if name[:n] in SURNAMES), "")
    return f"{SURNAMES.get(surname, '')} {spell(name[len(surname) :])}".strip()

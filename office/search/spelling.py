"""One spelling for what is searched and what is asked: the same word is found however it was written. Pure.

A character becomes one in compatibility form (full width is half width, ㈠ is 一 in brackets), small, and simplified (資 is 资). What is
neither letter nor digit only parts the words, so 〔2026〕, [2026] and (2026) are one. A Chinese run is cut into pairs of
neighbours, so a word of two characters is one token; its last character stands alone too, so every single character begins some token.
Tokens say where to look; whether a longer word is really there is compared on the whole spelling, so hits are exact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import opencc

HAN = "\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
LONGEST, MOST = 64, 40
"Characters of one token, and tokens of one question."
ASKED = 200
"Characters of a question; the rest is not looked at."
BEFORE, SHOWN = 24, 110
"Characters of a snippet before the first mark, and of all of it."


class _Table(dict[int, str]):
    """Spelling of one character, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code)).casefold()
        self[code] = found = "".join(_simplified().get(letter, letter) for letter in plain)
        return found


class _Single(dict[int, int]):
    """The same for marking places in a text: one character stays one, or none of those that are compared."""

    def __missing__(self, code: int) -> int:
        found = _TABLE[code]
        self[code] = ord(found) if len(found) == 1 else code
        return self[code]


@cache
def _simplified() -> dict[str, str]:
    """Traditional characters with their simplified forms, each by itself, so that the neighbours do not matter."""
    letters = [chr(code) for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF)) for code in range(first, last + 1)]
    plain = opencc.OpenCC("t2s").convert("\n".join(letters)).split("\n")
    return {before: after for before, after in zip(letters, plain, strict=True) if before != after}


_TABLE, _SINGLE = _Table(), _Single()


def spelled(text: str) -> str:
    """The spelling of a text: its words in one form, a blank around each."""
    return f" {' '.join(RUN.findall(text.translate(_TABLE)))} "


def tokens(plain: str) -> set[str]:
    """The tokens under which a spelling is filed."""
    found: set[str] = set()
    for run in plain.split():
        if not _han(run):
            found.add(run[:LONGEST])
            continue
        found.update(map("".join, zip(run, run[1:], strict=False)))
        found.add(run[-1])
    return found


def _han(run: str) -> bool:
    return re.match(rf"[{HAN}]", run) is not None


@dataclass(frozen=True, kw_only=True)
class Term:
    """One word of a question."""

    plain: str
    "What must stand in the spelling, with a blank where a word of letters or digits must end."
    whole: tuple[str, ...]
    "Tokens that must be there."
    begun: tuple[str, ...]
    "Beginnings of tokens that must be there: single characters."

    @property
    def sure(self) -> bool:
        """Whether its token alone proves it."""
        return len(self.whole) + len(self.begun) == 1 and all(len(token) < LONGEST for token in self.whole)


def terms(question: str) -> list[Term]:
    """The words of a question; all of them must be found."""
    found, left = list[Term](), MOST
    for word in question[:ASKED].split():
        runs = RUN.findall(word.translate(_TABLE))
        if runs and left > 0:
            one = _term(runs, left)
            found.append(one)
            left -= len(one.whole) + len(one.begun)
    return found


def _term(runs: Sequence[str], most: int) -> Term:
    plain = " ".join(runs)
    plain = ("" if _han(runs[0]) else " ") + plain + ("" if _han(runs[-1]) else " ")
    whole, begun = dict[str, None](), dict[str, None]()
    for run in runs:
        if not _han(run):
            whole[run[:LONGEST]] = None
        elif len(run) == 1:
            begun[run] = None
        else:
            whole.update(dict.fromkeys(map("".join, zip(run, run[1:], strict=False))))
    kept = tuple(whole)[:most]
    return Term(plain=plain, whole=kept, begun=tuple(begun)[: most - len(kept)])


def marks(text: str, asked: Sequence[Term]) -> list[tuple[str, bool]]:
    """A text in parts, each with whether it is to be marked."""
    return _parts(text, _places(text, asked), 0, len(text))


def snippet(text: str, asked: Sequence[Term]) -> list[tuple[str, bool]]:
    """A stretch of a text around the first word that is found, in parts as :func:`marks`; the beginning where none is."""
    flat = re.sub(r"\s+", " ", text).strip()
    places = _places(flat, asked)
    start = max(0, places[0][0] - BEFORE) if places else 0
    end = min(len(flat), start + SHOWN)
    parts = _parts(flat, places, start, end)
    return [*([("…", False)] if start else []), *parts, *([("…", False)] if end < len(flat) else [])]


def _places(text: str, asked: Sequence[Term]) -> list[tuple[int, int]]:
    """Where the words stand in a text as it was written."""
    flat = text.translate(_SINGLE)
    found = sorted(place.span() for term in asked for place in re.finditer(_pattern(term), flat))
    joined = list[tuple[int, int]]()
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _pattern(term: Term) -> str:
    runs = term.plain.split()
    first, last = rf"(?<![^\W_{HAN}])", rf"(?![^\W_{HAN}])"
    inner = r"[\W_]*".join(map(re.escape, runs))
    return (first if term.plain.startswith(" ") else "") + inner + (last if term.plain.endswith(" ") else "")


def _parts(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[str, bool]]:
    found, at = list[tuple[str, bool]](), start
    for first, last in places:
        if first >= end:
            break
        found += [(text[at:first], False), (text[first : min(last, end)], True)]
        at = min(last, end)
    found.append((text[at:end], False))
    return [(part, marked) for part, marked in found if part]

"""Words on the screen: Chinese where they stand in the source, English from the catalogues, chosen when they are shown.

``_("提交")`` is the Chinese text; turned into a string while a page is made, it is in that page's language. So tables of
labels may be made once, when a module is loaded. Catalogues are ``office/<room>/locale/en.po``, all read into memory at the
first use; no compiled file is shipped. A text is translated by the catalogue of the room where it stands (登录 is a button in one
and an event in another), and by the others only when its own does not have it.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = ("zh", "en")
OFFICE = Path(__file__).resolve().parent.parent
_language: ContextVar[str] = ContextVar("language", default="zh")


class Text(str):
    """A Chinese text that becomes its translation when it is shown."""

    room = ""
    "The package under ``office`` where it stands."

    def __str__(self) -> str:
        return f"{translations(_language.get(), self.room).gettext(str.__str__(self))!s}"

    def __html__(self) -> str:
        return str(self).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;").replace("'", "&#39;")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __mod__(self, values: Any) -> str:
        said: str = str(self) % values
        return said

    def format(self, *args: object, **named: object) -> str:
        """The translation with its holes filled."""
        return str(self).format(*args, **named)


def _(text: str) -> Text:
    """Mark a text for translation by the catalogue of the module's room."""
    marked = Text(text)
    marked.room = room_of(sys._getframe(1).f_globals.get("__name__", ""))
    return marked


@cache
def room_of(module: str) -> str:
    """The room of a module's name; empty outside ``office``."""
    head, _dot, rest = module.partition(".")
    return rest.partition(".")[0] if head == "office" else ""


def language() -> str:
    """The language of the page being made: ``zh`` or ``en``."""
    return _language.get()


@contextmanager
def speaking(tongue: str) -> Iterator[None]:
    """Everything shown inside is in this language."""
    token = _language.set(tongue if tongue in LANGUAGES else "zh")
    try:
        yield
    finally:
        _language.reset(token)


@cache
def translations(tongue: str, room: str = "") -> NullTranslations:
    """The catalogue of a room and behind it all of them as one, or those alone; empty for the source language."""
    if tongue == "zh":
        return NullTranslations()
    own = OFFICE / room / "locale" / f"{tongue}.po"
    if room and own.exists():
        found = _read(own, tongue)
        found.add_fallback(translations(tongue))
        return found
    merged = Translations()
    for file in catalogues(tongue):
        merged.merge(_read(file, tongue))
    return merged


def _read(file: Path, tongue: str) -> Translations:
    packed = io.BytesIO()
    with file.open("rb") as source:
        write_mo(packed, read_po(source, locale=tongue))
    packed.seek(0)
    return Translations(packed)


def catalogues(tongue: str) -> list[Path]:
    """The catalogue files of a language, one a package at most."""
    return sorted(OFFICE.glob(f"*/locale/{tongue}.po"))


def prefer(accepted: Iterable[str], default: str) -> str:
    """The first language of a browser's wishes that there is."""
    for wish in accepted:
        short = re.split("[-_]", wish.lower())[0]
        if short in LANGUAGES:
            return short
    return default if default in LANGUAGES else "zh"

"""The words of the command line: Chinese in the source, English from ``locale/en.po``.

One process speaks one language, chosen by ``--lang`` before anything is said.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")
_chosen = "zh"


def speak(language: str) -> None:
    """Choose the language of everything said from now on."""
    global _chosen
    _chosen = language


def spoken() -> str:
    """The chosen language."""
    return _chosen


def _(text: str) -> str:
    """The text in the chosen language; the source where no translation stands."""
    return catalogue().get(text, text) if _chosen == "en" else text


@cache
def catalogue() -> dict[str, str]:
    """The English of every Chinese text that has one."""
    from babel.messages.pofile import read_po

    with (Path(__file__).parent / "locale/en.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}

"""Both languages are complete: what the source marks in Chinese has its English, and nothing else does."""

from __future__ import annotations

import re

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from office.frame import words
from office.frame.words import OFFICE, _

ROOMS = sorted(path.name for path in OFFICE.iterdir() if (path / "__init__.py").exists())
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
JINJA = {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.do"}
OPTIONS = {"**/templates/**.html": JINJA}
_HOLE = re.compile(r"%\((\w+)\)|(?<!\{)\{(\w+)\}")


def marked(room: str) -> set[str]:
    """Every text a room's source marks."""
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
    found = extract_from_dir(str(OFFICE / room), method_map=METHODS, options_map=OPTIONS, keywords=keywords)
    return {message if isinstance(message, str) else message[0] for _file, _line, message, _comments, _context in found}


def english(room: str) -> dict[str, str]:
    """A room's English catalogue."""
    file = OFFICE / room / "locale" / "en.po"
    if not file.exists():
        return {}
    with file.open("rb") as source:
        return {_first(message.id): _first(message.string) for message in read_po(source) if message.id}


def _first(forms: str | tuple[str, ...] | list[str]) -> str:
    return forms if isinstance(forms, str) else forms[0]


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_has_its_english(room: str) -> None:
    """No text of a room lacks its English sentence, and no English sentence has lost its text."""
    texts, known = marked(room), english(room)
    assert not sorted(t for t in texts if not known.get(t)), "without English"
    assert not sorted(set(known) - texts), "no longer in the source"


@pytest.mark.parametrize("room", ROOMS)
def test_translations_keep_the_holes(room: str) -> None:
    """A translation has exactly the named holes of its text."""
    wrong = [text for text, said in english(room).items() if sorted(_HOLE.findall(text)) != sorted(_HOLE.findall(said))]
    assert not wrong


def test_a_label_made_when_a_module_loads_is_shown_in_the_language_of_the_page() -> None:
    """One label is Chinese on one page and English on another."""
    label = _("待办")
    assert str(label) == "待办"
    with words.speaking("en"):
        assert (str(label), f"{label}") == ("To do", "To do")
    assert str(label) == "待办"

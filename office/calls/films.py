"""Recordings of a call as the relay of this node keeps them: sessions of films, and the way to a film's file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from node.errors import Missing
from node.settings import Settings
from office.frame.words import _

NAME = re.compile(r"\d{1,4}-(camera|screen)\.webm", re.ASCII)


class Film(msgspec.Struct):
    """What one person sent, as a WebM file."""

    file: str
    person: str
    name: str
    what: str
    "camera or screen."
    seconds: int
    size: int
    sha256: str


class Session(msgspec.Struct):
    """A stretch that was recorded."""

    began: int
    "Milliseconds since 1970 UTC; also its folder."
    films: list[Film] | None
    "None while it is recorded or the films are made."


def sessions(settings: Settings, call: str) -> list[Session]:
    """What was recorded of a call at this node, in order; one whose notes cannot be read is left out."""
    found = []
    for file in sorted(settings.path("recordings").glob(f"{call}/*/session.json")):
        try:
            found.append(msgspec.convert(json.loads(file.read_bytes()), Session))
        except (OSError, ValueError):
            continue
    return found


def film(settings: Settings, call: str, began: int, name: str) -> Path:
    """The file of a film; :class:`Missing` for every other name."""
    file = settings.path("recordings", call, str(began), name)
    if not NAME.fullmatch(name) or not file.is_file():
        raise Missing(_("没有找到，或者您无权查看。"))
    return file

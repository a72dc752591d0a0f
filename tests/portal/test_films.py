"""Recordings at the portal: whoever was asked to the call plays them, in parts; for everybody else there are none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from node.errors import Missing
from node.settings import Settings
from office.calls import films

CALL = "0190b5a0-0000-7000-8000-000000000001"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with a session of one film, one that is under way, and nonsense beside them."""
    made = Settings(id="a" * 26, tier="county", name="县", code="1", city="b" * 26, home=tmp_path)
    film = {"file": "1-camera.webm", "person": "p", "name": "甲", "what": "camera", "seconds": 3, "size": 4, "sha256": "0" * 64}
    for began, about in ((1, {"began": 1, "tracks": [], "films": [film]}), (2, {"began": 2, "tracks": [], "films": None}), (3, "noise")):
        folder = tmp_path / "recordings" / CALL / str(began)
        folder.mkdir(parents=True)
        (folder / "session.json").write_bytes(msgspec.json.encode(about))
        (folder / "1-camera.webm").write_bytes(b"webm")
    return made


def test_sessions_are_told_and_nonsense_is_passed_over(settings: Settings) -> None:
    """One is whole, one is under way; notes that are none are left out."""
    found = films.sessions(settings, CALL)
    assert [one.began for one in found] == [1, 2] and found[1].films is None
    assert found[0].films is not None and found[0].films[0].name == "甲" and films.sessions(settings, "other") == []


def test_only_films_are_given_out(settings: Settings) -> None:
    """No other file of the home goes out by a clever name."""
    assert films.film(settings, CALL, 1, "1-camera.webm").read_bytes() == b"webm"
    for name in ("session.json", "../1/1-camera.webm", "..", "", "1-camera.webm/", "0.rtp", "9-screen.webm"):
        with pytest.raises(Missing):
            films.film(settings, CALL, 1, name)

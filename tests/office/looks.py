"""Chromium in front of a portal under test: every page of a room in both languages, on a desk's screen and on a telephone."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from tests.browser.screen import CHROMIUM, DESK, HAN, PHONE, Album, examine, sideways
from tests.city import ROOT
from tests.portal.house import Browser


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        yield found
        found.close()


def faults(window: Chromium, person: Browser, paths: Iterable[str], *, tongue: str, name: str, source: str) -> list[str]:
    """What is wrong on pages as a signed-in person sees them; ``source`` is the test's file, whose words are data. Pictures go to the album."""
    album, known = Album(), [*_data(source), person.house.settings.name]
    person.get("/")  # where the note on what was done last is shown, and then no more
    port = person.house.port
    context = window.new_context(
        locale={"zh": "zh-CN", "en": "en-GB"}[tongue],
        viewport={"width": DESK[0], "height": DESK[1]},
        ignore_https_errors=True,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": key, "value": value, "url": f"https://127.0.0.1:{port}"} for key, value in person.cookies.items()])
    page, found = context.new_page(), []
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("console", lambda said: found.append(said.text) if "Content Security Policy" in said.text else None)
    for path in paths:
        answer = page.goto(f"https://127.0.0.1:{port}{path}")
        assert answer is not None and answer.status == 200, f"{path}: {answer.status if answer else 'no answer'}"
        shown = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "one", path)
        found += [f"{path}: {said}" for said in examine(page, tongue, lambda text: _foreign(text, known))]
        title = f"{name}-{tongue}-{re.sub(r'[^a-z]+', '-', shown).strip('-') or 'home'}"
        album.take(page, f"{title}-desk")
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        found += [f"{path} on a telephone: {said}" for said in sideways(page)]
        album.take(page, f"{title}-phone")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    context.close()
    return found


def _data(source: str) -> list[str]:
    """Chinese that is data, the longest first: names of the demo's directory, and what the test types."""
    texts: set[str] = set()
    for line in (ROOT / "ops/data/demo.jsonl").read_text(encoding="utf-8").splitlines():
        texts |= set(_strings(json.loads(line))) if line.strip() else set()
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    texts |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted({piece for text in texts for piece in re.split(r"[\n，]", text) if HAN.search(piece)}, key=len, reverse=True)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _foreign(text: str, known: list[str]) -> bool:
    for one in known:
        text = text.replace(one, "")
    return bool(HAN.search(text))

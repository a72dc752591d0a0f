"""A browser in front of the living city: people who have signed in, what they see, and what nobody should have to see."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from office.frame.words import speaking, translations
from ops.demo import User
from tests.city import ROOT
from tests.world.net import World

CHROMIUM = "/usr/bin/chromium"
SOUND = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"A microphone that hums, and nobody to be asked for leave."
DESK, PHONE = (1366, 768), (390, 844)
PATIENCE = 20_000
"Milliseconds within which something must be on the screen."
OPTIONS = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
"What axe looks for."
HAN = re.compile(r"[\u3400-\u9fff]+")
expect.set_options(timeout=PATIENCE)


def launch(playwright: Playwright, world: World) -> Browser:
    """Chromium that trusts the keys of this city's portals and nothing else that is not public."""
    pins = []
    for place in world.network.nodes:
        leaf = x509.load_pem_x509_certificates((place.path / "certs/tls.pem").read_bytes())[0]
        key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pins.append(base64.b64encode(hashlib.sha256(key).digest()).decode())
    args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *SOUND, f"--ignore-certificate-errors-spki-list={','.join(pins)}"]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=args)


class Person:
    """Somebody at a screen, who has signed in."""

    def __init__(self, world: World, browser: Browser, user: User, *, tongue: str = "zh") -> None:
        self.world, self.user, self.tongue = world, user, tongue
        self.url = world.place(user.node).url
        self.context: BrowserContext = browser.new_context(
            locale={"zh": "zh-CN", "en": "en-GB"}[tongue], viewport={"width": DESK[0], "height": DESK[1]}, reduced_motion="reduce"
        )
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("response", self._note)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("console", lambda said: self.faults.append(said.text) if "Content Security Policy" in said.text else None)

    def _note(self, response: Any) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} {response.url}")

    def say(self, text: str, **holes: Any) -> str:
        """A text of the program in this person's language."""
        with speaking(self.tongue):
            found = str(translations(self.tongue, "documents").gettext(text))
        return found % holes if holes else found

    def go(self, path: str) -> Page:
        """Open a page of the person's node."""
        self.page.goto(self.url + path)
        return self.page

    def enter(self, password: str = "") -> Person:
        """Sign in by the form."""
        self.go("/signin")
        self.field("用户名").fill(self.user.login)
        self.field("口令").fill(password or self.user.password)
        self.press("登录")
        self.page.wait_for_url(lambda url: "/signin" not in url)
        return self

    def field(self, label: str) -> Locator:
        """A field by its label."""
        return self.page.get_by_label(re.compile(f"^{re.escape(self.say(label))}( \\*)?$")).first

    def press(self, label: str, within: Locator | None = None) -> None:
        """Press a button by its name."""
        (within or self.page).get_by_role("button", name=self.say(label), exact=True).first.click()

    def unfold(self, label: str) -> Locator:
        """Open an act that asks for words; its form."""
        act = self.page.locator("details.act").filter(has=self.page.locator("summary", has_text=re.compile(f"^{re.escape(self.say(label))}$")))
        for fold in self.page.locator("details.more:not([open])").filter(has=act).all():
            fold.locator("> summary").click()
        act.locator("summary").click()
        return act.locator("form")

    def act(self, label: str, words: str = "") -> None:
        """Do one of the acts offered, with words where it asks for them, and see that it was done."""
        form = self.unfold(label)
        if words:
            form.locator("textarea").fill(words)
        form.get_by_role("button").click()
        self.page.wait_for_load_state()

    def sees(self, text: str, within: str = "main") -> None:
        """The text is on the screen, or comes to it by itself."""
        expect(self.page.locator(within)).to_contain_text(text)

    def row(self, name: str) -> Locator:
        """A row of the delivery matrix by the recipient's name."""
        return self.page.locator("table.matrix tbody tr").filter(has=self.page.locator("th", has_text=name))

    def close(self) -> None:
        """Leave; whatever went wrong unseen is said now."""
        self.context.close()
        assert self.faults == [], self.faults


class Album:
    """Screenshots, in the folder that ``YIWANG_SCREENS`` names."""

    @cached_property
    def folder(self) -> Path:
        """Where they go."""
        found = Path(os.environ.get("YIWANG_SCREENS") or tempfile.mkdtemp(prefix="screens-"))
        found.mkdir(parents=True, exist_ok=True)
        return found

    def take(self, page: Page, name: str, *, full: bool = True) -> Path:
        """Keep what a page looks like."""
        file = self.folder / f"{name}.png"
        page.screenshot(path=file, full_page=full)
        return file


class Data:
    """Chinese that is data: names of the directory, and what this suite and the story type into documents."""

    def __init__(self, world: World) -> None:
        texts = {f"{world.network.nodes[0].name}根证书"}
        for line in (world.folder / "directory.jsonl").read_text(encoding="utf-8").splitlines():
            _strings(json.loads(line), texts)
        for file in (*ROOT.glob("tests/browser/*.py"), *ROOT.glob("tests/world/*.py"), ROOT / "ops/story.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            texts |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        pieces = {piece for text in texts for piece in re.split(r"[\n{}]", text) if HAN.search(piece)}
        self.known = sorted(pieces, key=len, reverse=True)

    def foreign(self, text: str) -> str:
        """What is left of a text when all data is taken out of it and it still has Chinese in it; else empty."""
        if not HAN.search(text):
            return ""
        left = re.sub(r"[\u3400-\u9fff]{2,6}〔\d{4}〕\d*号?", "", text)
        for one in self.known:
            left = left.replace(one, "")
            if not HAN.search(left):
                return ""
        return left.strip()


def _strings(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        for one in value.values():
            _strings(one, found)
    elif isinstance(value, list):
        for one in value:
            _strings(one, found)
    elif isinstance(value, str):
        found.add(value)


CHROME = """() => {
  const found = [], shut = '[lang^="zh"], script, style, textarea, .said, .official';
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim();
    if (text && !walk.currentNode.parentElement.closest(shut)) found.push(text);
  }
  for (const one of document.querySelectorAll('*')) if (!one.closest(shut))
    for (const name of ['aria-label', 'placeholder', 'title', 'alt']) if (one.getAttribute(name)) found.push(one.getAttribute(name));
  found.push(document.title);
  return [...new Set(found)];
}"""
"""Every text a page says, but not what it shows of documents."""


def examine(page: Page, tongue: str, foreign: Callable[[str], bool]) -> list[str]:
    """What is wrong with a page: serious faults that axe sees, what sticks out, and on an English one the texts that are ``foreign``."""
    found = [
        f"axe {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(page, options=OPTIONS).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    found += [f"desk: {said}" for said in sideways(page)]
    if tongue == "en":
        found += [f"not translated: {text[:80]!r}" for text in page.evaluate(CHROME) if foreign(text)]
    return found


def sideways(page: Page) -> list[str]:
    """How much wider a page is than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{wide} pixels too wide"] if wide > 0 else []

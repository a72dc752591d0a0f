"""People at a portal: each signs in, then looks, opens, searches, signs for and drafts with five seconds of thought between two steps.

``python -m ops.bench.crowd ROOT SECONDS LOGIN...`` prints a line for each page that was waited for: what it was, seconds, status. The first seconds,
in which everybody signs in, are not counted.
"""

from __future__ import annotations

import html
import http.client
import json
import random
import re
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from ops.bench.portal import PASSWORD, WEB

THINK, PATIENCE = 5.0, 60.0
"Seconds between two steps, on average; seconds after which somebody gives up, which is an error."
WORDS = ("防汛", "督导", "乡村振兴", "义务教育", "安全隐患", "养老", "实施方案", "责任清单")
NAMES = ("王伟", "李", "张敏", "局", "陈静")
STEPS = (
    (16, "home"),
    (5, "todo"),
    (20, "incoming"),
    (14, "outgoing"),
    (14, "open"),
    (8, "search"),
    (5, "book"),
    (3, "meetings"),
    (3, "archives"),
    (2, "me"),
    (3, "new"),
    (3, "draft"),
    (4, "sign_for"),
)
"How often each step is taken, of a hundred."


@dataclass
class Worker:
    """Somebody at work."""

    login: str
    trust: ssl.SSLContext
    line: http.client.HTTPSConnection = field(init=False)
    jar: dict[str, str] = field(default_factory=dict)
    token: str = ""
    seen: list[str] = field(default_factory=list)
    "Matters on the list looked at last."
    waited: list[tuple[str, float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line, self.chance = self._line(), random.Random(self.login)

    def _line(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", WEB, context=self.trust, timeout=PATIENCE)

    def enter(self) -> None:
        """Sign in by password."""
        self.ask("door", "GET", "/signin")
        self.ask("door", "POST", "/signin", {"login": self.login, "password": PASSWORD, "next": "/"})

    def work(self, until: float) -> None:
        """Step after step until the time is over; the lines as they were waited for."""
        self.waited.clear()
        weights, names = zip(*STEPS, strict=True)
        time.sleep(self.chance.uniform(0, THINK))
        while time.monotonic() < until:
            self.step(self.chance.choices(names, weights)[0])
            time.sleep(self.chance.uniform(0.5, 1.5) * THINK)

    def step(self, name: str) -> None:
        """One thing that a person does."""
        chance = self.chance
        match name:
            case "home":
                self.ask(name, "GET", "/")
            case "todo" | "meetings" | "me":
                self.ask(name, "GET", f"/{name}")
            case "incoming" | "outgoing":
                place, tabs = ("incoming", ("arrived", "hand", "done")) if name == "incoming" else ("documents", ("drafts", "issued", "review"))
                text = self.ask(
                    name, "GET", f"/{place}?tab={chance.choice(tabs)}" + chance.choice(("", "", "&page=2", f"&q={quote(chance.choice(WORDS))}"))
                )
                self.seen = re.findall(rf'href="(/{place}/[0-9a-f-]{{36}})"', text) or self.seen
            case "open":
                self.ask(name, "GET", chance.choice(self.seen) if self.seen else "/")
            case "search":
                self.ask(name, "GET", f"/search?q={quote(chance.choice(WORDS))}")
            case "book":
                self.ask(
                    name, "GET", chance.choice(("/people", f"/people?q={quote(chance.choice(NAMES))}", f"/people?organ=o{chance.randrange(600)}"))
                )
            case "archives":
                self.ask(name, "GET", f"/archives?tab={chance.choice(('proposed', 'kept'))}")
            case "new":
                self.ask(name, "GET", "/documents/new")
            case "draft":
                organ = "o" + self.login.lstrip("abcdefghijklmnopqrstuvwxyz")
                paper = {
                    "organ": organ,
                    "kind": "letter",
                    "title": f"关于{chance.choice(WORDS)}工作的函",
                    "body": "请予研究。",
                    "to": "o2" if organ == "o1" else "o1",
                    "label": "internal",
                }
                self.ask(name, "POST", "/documents", paper | {"urgency": "none"})
            case "sign_for":
                text = self.ask("incoming", "GET", "/incoming?tab=arrived")
                found = re.findall(r'href="(/incoming/[0-9a-f-]{36})"', text)
                if found and self.login.startswith("clerk"):
                    self.ask(name, "POST", f"{chance.choice(found)}/sign_for", {})

    def ask(self, name: str, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """Ask for a page and note how long it took; what the portal said."""
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.jar.items()), "Accept-Language": "zh"}
        body = urlencode({"csrf": self.token, **form}) if form is not None else None
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        begun, status, text = time.perf_counter(), 599, ""
        try:
            self.line.request(method, path, body=body, headers=headers)
            answer = self.line.getresponse()
            text, status = answer.read().decode(), answer.status
            for value in answer.headers.get_all("Set-Cookie", []):
                key, _equals, content = value.partition(";")[0].partition("=")
                self.jar[key] = content
        except (OSError, http.client.HTTPException):
            self.line.close()
            self.line = self._line()
        self.waited.append((name, time.perf_counter() - begun, status))
        found = re.search(r'data-csrf="([^"]+)"', text)
        self.token = html.unescape(found[1]) if found else self.token
        return text


def main(root: str, seconds: float, logins: list[str]) -> None:
    """Let these people work."""
    trust = ssl.create_default_context(cafile=root)
    workers = [Worker(login, trust) for login in logins]
    for worker in workers:
        worker.enter()
    until = time.monotonic() + seconds
    hands = [threading.Thread(target=worker.work, args=(until,)) for worker in workers]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    sys.stdout.write("".join(json.dumps(line) + "\n" for worker in workers for line in worker.waited))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])

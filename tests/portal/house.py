"""A city node with people in it, its ledger and portal as processes of their own, and a browser without a screen to talk to it."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from node import certs, clock, enrol, persons
from node.client import Ledger
from node.directory import lines, model, writing
from node.directory.entries import Certified
from node.directory.view import Directory
from node.errors import NodeError
from node.fold import Tables
from node.settings import Bell, Settings
from tests.city import ROOT, Home, free_port, wait

PASSWORD = "一二三四五六七八九十甲乙"


@dataclass
class House:
    """The node under test."""

    home: Home
    port: int
    people: dict[str, str] = field(default_factory=dict)
    "Login name to password."

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        return self.home.settings

    def browser(self, *, language: str = "zh") -> Browser:
        """Somebody who has not signed in."""
        return Browser(self, language=language)

    def enter(self, login: str) -> Browser:
        """Somebody who has signed in."""
        one = self.browser()
        assert one.enter(login, self.people[login]).status == 303
        return one

    def password(self, login: str, *, first: bool = False, ago: dt.timedelta = dt.timedelta()) -> str:
        """Give a person a key and password, as an administrator does, or did some time ago."""
        with Ledger(self.settings) as ledger:
            tables = Tables(self.settings, [model.ROOM])
            directory = Directory.of(self.settings, lambda: tables.session(model.ROOM))
            person = directory.login(login)
            assert person is not None
            cert = persons.new_person_key(self.settings, person, login, PASSWORD, clock.now() - ago, first=first)
            writing.write(ledger, self.settings, directory, [Certified(person, certs.der(cert), "")])
            tables.close()
        self.people[login] = PASSWORD
        return person


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Browser:
    """Keeps cookies and the token, as a browser does."""

    house: House
    language: str = "zh"
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that trusts the city's root and nothing else."""
        trust = ssl.create_default_context(cafile=str(self.house.settings.path("certs", "root.pem")))
        return http.client.HTTPSConnection("127.0.0.1", self.house.port, context=trust, timeout=20)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request; a dict is sent as a form."""
        sent = {"Accept-Language": self.language, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if isinstance(body, dict) and "Content-Type" not in sent:
            sent["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(body, doseq=True)
        elif isinstance(body, dict):
            body = json.dumps(body)
        line = self.connect()
        try:
            line.request(method, path, body=body, headers=sent)
            answer = line.getresponse()
            reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            for value in answer.headers.get_all("Set-Cookie", []):
                self._keep(value)
        finally:
            line.close()
        found = re.search(rb'data-csrf="([^"]+)"', reply.body)
        self.csrf = found[1].decode() if found else self.csrf
        return reply

    def _keep(self, value: str) -> None:
        name, _equals, rest = value.partition("=")
        content = rest.partition(";")[0]
        if not content or "Max-Age=0" in value:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = content

    def get(self, path: str, **headers: str) -> Reply:
        """See a page."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, **fields: Any) -> Reply:
        """Send a form with its token."""
        return self.ask("POST", path, {"csrf": self.csrf, **fields})

    def enter(self, login: str, password: str) -> Reply:
        """Sign in by the form."""
        self.get("/signin")
        return self.post("/signin", login=login, password=password, next="/")


def build(folder: Path, *, code: str = "371600", storage: str = "sqlite", bell: str = "") -> House:
    """Found a city with the demo's people, its ledger and portal running."""
    port = free_port()
    wish = Settings(
        id="", tier="city", name="滨州市", code=code, city="", web=f"127.0.0.1:{port}", storage=storage, profile="acceptance", bell=Bell(amqp=bell)
    )
    house = House(Home(enrol.found_city(folder / "city", wish, dt.datetime.now(dt.UTC))), port)
    house.home.start("ledger")
    wait(lambda: _loaded(house))
    house.home.start("portal")
    wait(lambda: answers(house), why=lambda: house.home.output("portal"))
    return house


@contextmanager
def opened(folder: Path, *logins: str, **wish: str) -> Iterator[House]:
    """A house in which these people can sign in, ended with the block; ``wish`` as in :func:`build`."""
    made = build(folder, **wish)
    try:
        for login in logins:
            made.password(login)
        yield made
    finally:
        made.home.stop()


def seated(house: House, logins: Iterable[str], path: str) -> dict[str, Browser]:
    """Each of these signed in, with a page before them: from it comes the token of forms."""
    found = {login: house.enter(login) for login in logins}
    for person in found.values():
        assert person.get(path).status == 200
    return found


def administrator(role: str) -> str:
    """Login of one of the city's three administrators."""
    lines = [msgspec.json.decode(one) for one in (ROOT / "ops/data/demo.jsonl").read_text().splitlines() if one.strip()]
    posts = {one["id"] for one in lines if one["type"] == "post" and role in one.get("roles", ())}
    return next(str(one["login"]) for one in lines if one["type"] == "person" and posts & set(one.get("posts", ())) and not one.get("node"))


def _loaded(house: House) -> bool:
    try:
        with Ledger(house.settings, timeout=2) as ledger:
            tables = Tables(house.settings, [model.ROOM])
            directory = Directory.of(house.settings, lambda: tables.session(model.ROOM))
            writing.introduce(ledger, house.settings, directory)
            text = (ROOT / "ops/data/demo.jsonl").read_text().splitlines()
            plan = lines.plan(directory, [one for one in text if _kept_here(one, house)])
            writing.write(ledger, house.settings, directory, plan.contents)
            tables.close()
    except NodeError:
        return False
    return True


def _kept_here(line: str, house: House) -> bool:
    return bool(line.strip()) and msgspec.json.decode(line).get("node", house.settings.code) == house.settings.code


def answers(house: House) -> bool:
    try:
        return house.browser().get("/healthz").status == 200
    except OSError:
        return False

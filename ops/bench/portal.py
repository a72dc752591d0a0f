"""One portal process: the register of incoming documents with a full page of rows, asked for over TLS by people who stay connected.

Asked *again*, the page is as it was and the portal need not make it; asked *anew*, each address is another one and every page is made,
the badges of the menu alone being known; *changing*, a document comes in every half second. A young node is asked, and one with many documents more.
"""

from __future__ import annotations

import datetime as dt
import http.client
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from node import certs, clock, enrol, persons, settings
from node.codec import uuid7
from node.directory.entries import Appointed, Certified, File, Organ, Person, Post
from node.directory.writing import draft
from node.entry import SELF
from node.settings import Settings
from ops.bench import fleet, meter
from ops.bench.fleet import Member
from ops.bench.papers import Author, documents

WEB = fleet.PORT + 700
ROWS, HANDS, CROWD, AGE = 30, 8, 200, 10_000
"Rows on the page; people at once, few and many; documents of an old node."
LOGIN, PASSWORD = "bench", "测量所用的十个字以上"
PAGE = f"/incoming?tab=arrived&size={ROWS}"


def run(seconds: float) -> None:
    """Ask for the page for some seconds."""
    meter.note("portal")
    with TemporaryDirectory(prefix="yw-bench-") as folder:
        member = founded(Path(folder) / "city")
        try:
            member.start("ledger")
            fleet.until(lambda: fleet.answers(member), "the ledger")
            _furnish(member)
            member.start("portal")
            fleet.until(lambda: alive(member), "the portal")
            author, cookie = _author(member), _enter(member)
            _write(member, author, ROWS + 5)
            for age in (0, AGE):
                _write(member, author, age)
                for how, hands in (("again", HANDS), ("anew", HANDS), ("changing", HANDS), ("again", CROWD)):
                    with _arriving(member, author) if how == "changing" else nullcontext():
                        _measure(member, seconds, cookie, hands, how=how, documents=ROWS + 5 + age)
        finally:
            member.end()


def founded(home: Path) -> Member:
    """A city whose portal is to be asked."""
    wish = Settings(id="", tier="city", name="云市", code="330000", city="", web=f"127.0.0.1:{WEB}", profile="acceptance")
    return Member(settings.load(enrol.found_city(home, wish, dt.datetime.now(dt.UTC)).home))


def _furnish(member: Member) -> None:
    """An organ, a clerk who may see its documents, and a page of them."""
    names = "云市人民政府", "云市"
    organ = Organ("organ", "330000", *names, "government", "city", "330000", "", "", "", member.id, True, ("云政",), "", 1)
    post = Post("post", "organ", "收发员", "", (), 1, "", ("registry_clerk",))
    person = Person("clerk", "李文", "organ", "88000000", 1, "active", "li wen")
    cert = persons.new_person_key(member.settings, "clerk", "李文", PASSWORD, clock.now(), first=False)
    held = Appointed("held", "clerk", "post", True, None, None, "")
    file = File("clerk", LOGIN, "1", "", "", "", "")
    contents = [enrol.own(member.settings), organ, post, person, file, held, Certified("clerk", certs.der(cert), "")]
    with fleet.directory(member.settings) as known:
        member.book.write([draft(member.settings, known, one) for one in contents])


def _author(member: Member) -> Author:
    door = persons.open_person_key(member.settings, "clerk", PASSWORD)
    return Author(member.settings.city, member.id, "organ", door.key, door.fingerprint)


def _write(member: Member, author: Author, count: int) -> None:
    """So many documents, some hundreds at a time."""
    for texts in _parts(documents(count)):
        member.book.write([_letter(author, text) for text in texts])


@contextmanager
def _arriving(member: Member, author: Author) -> Iterator[None]:
    """A document every half second, as long as it lasts."""
    over = threading.Event()

    def write() -> None:
        for text in documents(1000, seed=2):
            if over.wait(0.5):
                return
            member.book.write([_letter(author, text)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _parts(texts: list[str], size: int = 500) -> Iterator[list[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))


def _letter(author: Author, text: str) -> Any:
    from office.documents.entries import Dispatched, Envelope, Paper, Recipient, Role

    paper = Paper("organ", "notice", "关于做好防汛工作的通知", text, ("organ",))
    envelope = Envelope(paper, "云政〔2026〕1号", "云市人民政府", "李文", "2026-11-20", (Recipient("organ", author.node, Role.TO),))
    return author.draft(Dispatched(envelope), SELF, record=uuid7())


def _line(member: Member) -> http.client.HTTPSConnection:
    trust = ssl.create_default_context(cafile=str(member.settings.path("certs", "root.pem")))
    return http.client.HTTPSConnection("127.0.0.1", WEB, context=trust, timeout=20)


def alive(member: Member) -> bool:
    """Whether the portal answers."""
    line = _line(member)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


def _measure(member: Member, seconds: float, cookie: str, hands: int, *, how: str, documents: int) -> None:
    meter.note(f"portal: {hands} people, {documents} documents, {how}")
    answer, body = _ask(_line(member), "GET", PAGE, cookie)
    rows = body.count(b"<tr")
    span = meter.Span(member.pids("portal"))
    given = (str(member.settings.path("certs", "root.pem")), str(seconds), cookie, str(hands // 2), str(int(how == "anew")))
    people = [subprocess.Popen([sys.executable, "-m", "ops.bench.portal", *given], stdout=subprocess.PIPE, cwd=fleet.ROOT) for _ in range(2)]
    times = [float(line) for one in people for line in one.communicate()[0].split()]
    meter.emit(
        "yiwang.portal",
        page=PAGE,
        asked=how,
        documents=documents,
        status=answer.status,
        rows=rows - 1,
        page_bytes=len(body),
        requests=len(times),
        people=hands,
        requests_per_s=round(len(times) / seconds),
        **meter.spread(times),
        cpu_ms_per_request=round(span.used() / len(times) * 1000, 3),
        pss_mib=round(meter.pss(member.pids("portal")), 1),
        **span.figures(),
        tls=True,
    )


def _enter(member: Member) -> str:
    """Sign in; the cookie."""
    line = _line(member)
    answer, body = _ask(line, "GET", "/signin", "")
    jar = dict(_cookies(answer))
    token = re.search(rb'data-csrf="([^"]+)"', body)
    form = urlencode({"csrf": token[1].decode() if token else "", "login": LOGIN, "password": PASSWORD, "next": "/"})
    held = "; ".join(f"{name}={value}" for name, value in jar.items())
    answer, body = _ask(line, "POST", "/signin", held, form)
    jar |= _cookies(answer)
    return "; ".join(f"{name}={value}" for name, value in jar.items())


def _cookies(answer: http.client.HTTPResponse) -> dict[str, str]:
    found = (value.partition(";")[0].partition("=") for value in answer.headers.get_all("Set-Cookie", []))
    return {name: value for name, _, value in found}


def _ask(line: http.client.HTTPSConnection, method: str, path: str, cookie: str, form: str = "") -> tuple[http.client.HTTPResponse, bytes]:
    headers = {"Cookie": cookie} | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
    line.request(method, path, body=form or None, headers=headers)
    answer = line.getresponse()
    return answer, answer.read()


def people(root: str, seconds: float, cookie: str, hands: int, *, anew: bool) -> None:
    """Some of those who ask, each again as soon as it has its answer; prints the seconds of every request."""
    from concurrent.futures import ThreadPoolExecutor

    trust, until = ssl.create_default_context(cafile=root), time.perf_counter() + seconds

    def one(hand: int) -> list[float]:
        line = http.client.HTTPSConnection("127.0.0.1", WEB, context=trust, timeout=60)
        times: list[float] = []
        while time.perf_counter() < until:
            page = f"{PAGE}&n={os.getpid()}-{hand}-{len(times)}" if anew else PAGE
            start = time.perf_counter()
            _ask(line, "GET", page, cookie)
            times.append(time.perf_counter() - start)
        return times

    with ThreadPoolExecutor(hands) as pool:
        for times in pool.map(one, range(hands)):
            sys.stdout.write("".join(f"{took:.6f}\n" for took in times))


if __name__ == "__main__":
    people(sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4]), anew=sys.argv[5] == "1")

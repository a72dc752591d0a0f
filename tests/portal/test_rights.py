"""Who sees what: a matrix made from the route table, over persons of every kind and objects of every room; what is not for somebody is not there.

``tests/portal/scene.py`` says which objects there are and who may know of each. Here every address of the portal is asked for every object by
everybody, as a page, as data and, by those who may not know of it, with every act. An address that nobody has placed in the table fails.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from office.documents.model import Document
from office.portal.page import Route
from tests.portal import scene as scenes
from tests.portal.gate import Visitor, bare
from tests.portal.house import Reply
from tests.portal.scene import ABOVE, HERE, SIBLING, Scene, Thing

pytestmark = pytest.mark.promise("P20")

PLACES = {
    r"/documents/<(doc|id)>": "document",
    r"/api/v1/docs/<doc>": "document",
    r"/incoming/<id>": "incoming",
    r"/joint/<id>": "party",
    r"/meetings/<meeting>": "meeting",
    r"/meetings/topics/<topic>": "topic",
    r"/meetings/decisions/<decision>": "decision",
    r"/supervision/<item>": "task",
    r"/duty/incidents/<incident>": "incident",
    r"/duty/orders/<order>": "order",
    r"/messages/<conversation>": "conversation",
    r"/calls/<call>": "call",
    r"/messages/said/<message>": "message",
    r"/messages/matters/<matter>": "matter",
    r"/archives/<item>": "item",
    r"/archives/lists/<roll>": "roll",
    r"/flows/drafts/<id>": "drawing",
    r"/flows/batches/<batch>": "batch",
    r"/people/delegations/<id>": "delegation",
    r"/people/seals/matters/<matter>": "application",
    r"/api/v1/drafts/<path:name>": "typed",
    r"/api/v1/blobs/<name>": "upload",
}
"Which objects an address is about, by how its rule begins."
KNOWN = (r"/help/<role>", r"/network/", r"/people/", r"/flows/<template>", r"/flows/versions/<digest>", r"/language/<tongue>")
"Addresses of what everybody who is signed in may know: the address book and how an office works. Their answers are searched for canaries only."
PARTS = {"began": "1", "name": "1-camera.webm", "place": "0", "number": "1", "step": "draft", "year": "2026", "act": "0" * 32, "organ": HERE}
"The other variables of an address, unless an object says better."
QUESTIONS = {
    "q": ("财政",),
    "organ": (f"dep.{HERE}",),
    "kind": ("letter",),
    "year": ("2012",),
    "prefix": ("云一县镇政发",),
    "number": ("〔2026〕1号",),
    "direction": ("out",),
    "validity": ("force",),
    "from": ("2020-01-01",),
    "to": ("2099-01-01",),
    "day": ("2026-01-01",),
    "person": (f"plain.{HERE}",),
    "did": ("looked",),
    "post": (f"post.head.{HERE}",),
    "parent": (HERE,),
    "cursor": ("0",),
    "limit": ("50",),
    "age": ("0",),
    "next": ("/documents",),
    "attachments": ("0",),
    "ack": ("local",),
    "wait": ("0",),
    "task": ("make",),
    "preview": ("1",),
    "before": ("1-0",),
    "incident": (),
    "referred": (),
    "reply": (),
    "forward": (),
    "with": (),
    "step": (),
    "a": ("1",),
    "b": ("1",),
    "acts": (),
    "f_": (),
    "s_": (),
}
"Values asked behind the question mark, wherever a room reads such a name; those without values name objects and are filled with them."
CHANGING = ("/metrics", "/api/v1/status", "/audit", "/network", "/me", "/readyz", "/api/v1/events", "/api/v1/lines", "/api/v1/session")
"Of the node and of the person's own doings; they change by themselves, and only canaries are looked for in them."
HERE_STAFF = tuple(f"{who}.{HERE}" for who, _title, _roles in scenes.STAFF) + (f"clerk.dep.{HERE}",)
ELSEWHERE = tuple(f"{who}.{node}" for node in (SIBLING, ABOVE, "city") for who in ("head", "clerk", "plain"))
FORM = {
    "text": "意见",
    "reason": "原因",
    "version": "1",
    "passed": "1",
    "granted": "1",
    "organ": HERE,
    "note": "说明",
    "prefix": "政发",
    "action": "read",
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """All objects, all persons; what some saw before there was anything, and in between, is kept."""
    with scenes.staged(tmp_path_factory.mktemp("rights")) as made:
        for stage, build in (("empty", scenes.of_the_department), ("department", scenes.of_the_government), ("all", scenes.of_both)):
            SEEN.update({(stage, person): listed(made, person) for person, stages in WATCHED.items() if stage in stages})
            build(made)
        scenes.departed(made)
        yield made


WATCHED = {
    f"clerk.{HERE}": ("empty", "department"),
    f"other.{HERE}": ("empty", "all"),
    f"clerk.dep.{HERE}": ("department", "all"),
    "clerk.city": ("empty", "all"),
}
"Between which stages nothing came into being that is for them."
SEEN: dict[tuple[str, str], dict[str, tuple[int, str, str]]] = {}


def family(route: Route) -> str:
    """Which objects an address is about; empty where it is about none."""
    for place, found in PLACES.items():
        if re.match(place + "(/|$)", route.path):
            return found
    return ""


def lists(scene: Scene) -> list[Route]:
    """Addresses without variables that can be looked at."""
    return [route for route in scene.gate(HERE).routes if route.method == "GET" and "<" not in route.path and route.path != "/api/v1/events"]


@cache
def asked(file: str) -> frozenset[str]:
    """Names that a module reads from behind the question mark."""
    return frozenset(re.findall(r'(?:\.query|args\.get)\("(\w+)"', Path(file).read_text(encoding="utf-8"))) - {"page"}


@cache
def tabs(folder: Path) -> list[str]:
    """The tabs that the modules of a room know."""
    found: list[str] = []
    for one in sorted(folder.glob("*.py")):
        for each in ast.walk(ast.parse(one.read_text(encoding="utf-8"))):
            target = each.targets[0] if isinstance(each, ast.Assign) else each.target if isinstance(each, ast.AnnAssign) else None
            if isinstance(target, ast.Name) and target.id.endswith("TABS") and isinstance(each.value, ast.Dict):  # type: ignore[union-attr]
                found += [key.value for key in each.value.keys if isinstance(key, ast.Constant)]  # type: ignore[union-attr]
    return found


def addresses(route: Route) -> list[str]:
    """A list as it is asked plainly, and with every question its room reads."""
    file = inspect.getsourcefile(route.handler) or ""
    pairs = [("tab", tab) for tab in tabs(Path(file).parent)] if "tab" in asked(file) else []
    pairs += [(name, value) for name in sorted(asked(file) - {"tab"}) for value in QUESTIONS.get(name, ())]
    return [route.path, *(f"{route.path}?{name}={quote(value)}" for name, value in pairs)]


def listed(scene: Scene, person: str) -> dict[str, tuple[int, str, str]]:
    """What somebody sees on every list, as data and, asked plainly, as pages."""
    who, found = scene.visitor(person), {}
    for route in lists(scene):
        if route.path in CHANGING or route.path.startswith(("/audit", "/me", "/network")):
            continue
        for address in addresses(route):
            found[address] = bare(who.get(twin(address)))
        found[f"{route.path} as a page"] = bare(who.get(route.path))
    who.gate.portal.trail.flush()
    return found


def twin(address: str) -> str:
    """The same as data."""
    path, mark, rest = address.partition("?")
    return path + ("" if path.startswith(("/api/", "/trust/root")) or "." in path else ".json") + mark + rest


def wrong(id: str) -> str:
    """A name of the same form that nothing has."""
    return (
        "".join("fedcba9876543210"[int(letter, 16)] if letter in "0123456789abcdef" else letter for letter in id)
        if re.search(r"\d", id)
        else id[::-1]
    )


def filled(route: Route, thing: Thing, id: str, **parts: str) -> str:
    """The address of an object, or of what is not there."""
    first = True

    def part(found: re.Match[str]) -> str:
        nonlocal first
        value = id if first else ({**PARTS, **thing.more, **parts})[found[1]]
        first = False
        return quote(value, safe="")

    return re.sub(r"<(?:\w+:)?(\w+)>", part, route.path)


def unnamed(reply: Reply, id: str) -> tuple[int, str, str]:
    """An answer without the name it was asked for, however that was written."""
    return bare(reply, quote(quote(id, safe=""), safe=""), quote(id, safe=""), id)


def cells(scene: Scene, *methods: str) -> Iterator[tuple[Route, Thing]]:
    """Every address with every object it may be about."""
    for route in scene.gate(HERE).routes:
        if route.method in methods and family(route):
            yield from ((route, thing) for thing in scene.things if thing.family == family(route))


def test_no_address_escapes_the_matrix(scene: Scene) -> None:
    """Each route names its objects in its path, or has none; each question of a room has values to be asked with; each kind of object is there."""
    for route in scene.gate(HERE).routes:
        assert "<" not in route.path or family(route) or route.path.startswith(KNOWN) or route.path.startswith("/static/"), route.path
        for name in asked(inspect.getsourcefile(route.handler) or ""):
            assert name in {*QUESTIONS, "tab"}, (route.path, name)
    assert {thing.family for thing in scene.things} >= set(PLACES.values()) - {"batch"}


@pytest.mark.parametrize("person", ["", *HERE_STAFF, *ELSEWHERE])
def test_what_is_not_for_somebody_is_not_there(scene: Scene, person: str) -> None:
    """Asked for an object that is not for the person, page and data are those of a name that nothing has, letter by letter and byte for byte."""
    alike(scene, scene.visitor("" if person == f"former.{HERE}" else person), person)


@pytest.mark.parametrize("person", [f"head.{ABOVE}", "clerk.city", f"clerk.{SIBLING}"])
def test_who_is_at_home_elsewhere_sees_nothing_here(scene: Scene, person: str) -> None:
    """A person of another node who gets in by a key of the own, even one who has a share in a matter at home, finds nothing at this portal."""
    alike(scene, scene.visitor(person, HERE), "")


LOOKING = (f"clerk.{HERE}", f"other.{HERE}", f"clerk.dep.{HERE}", f"sys.{HERE}")
"Who asks for pages too; the others ask for data only, which is made by the same code."


def _part(thing: Thing, found: re.Match[str]) -> str:
    return thing.more.get(found[1], found[0])


def alike(scene: Scene, who: Visitor, person: str) -> None:
    """Ask for every object that is not for the person, and for what is not there, and compare."""
    nothing: dict[str, tuple[int, str, str]] = {}
    for route, thing in cells(scene, "GET"):
        if person in thing.sees:
            continue
        for suffix in ("", ".json") if route.json and person in LOOKING else (".json",) if route.json else ("",):
            place = re.sub(r"<(?:\w+:)?(\w+)>", partial(_part, thing), route.path) + suffix
            if place not in nothing:
                nothing[place] = unnamed(who.get(filled(route, thing, wrong(thing.id)) + suffix), wrong(thing.id))
            got = who.get(filled(route, thing, thing.id) + suffix)
            assert got.status in (404, 303, 401) or thing.family == "typed", (person, thing.name, place, got.status)
            assert unnamed(got, thing.id) == nothing[place], (person, thing.name, place)
    who.gate.portal.trail.flush()


DATA = {"Accept": "application/json"}
ACTING = (f"clerk.{HERE}", f"other.{HERE}", f"clerk.dep.{HERE}", f"sec.{HERE}", f"head.{SIBLING}")


@pytest.mark.parametrize("person", ACTING)
def test_what_is_not_for_somebody_cannot_be_acted_on(scene: Scene, person: str) -> None:
    """Every act on an object that is not for the person is answered as on one that is not there, and the journal has nothing of it."""
    who, office = scene.visitor(person), scene.town.offices[person.rsplit(".", 1)[1]]
    nothing: dict[tuple[str, str, str | None], tuple[int, str, str]] = {}
    since, count = office.ledger.released(0, 1_000_000)[0], 0
    for route, thing in cells(scene, "POST", "PATCH", "DELETE"):
        if person in thing.sees or thing.family == "typed":
            continue
        for act in acts_of(route):
            place = (route.path, act, thing.more.get("organ"))
            if place not in nothing:
                nothing[place] = unnamed(
                    who.ask(route.method, filled(route, thing, wrong(thing.id), move=act, act=act), FORM, **DATA), wrong(thing.id)
                )
            got = who.ask(route.method, filled(route, thing, thing.id, move=act, act=act), FORM, **DATA)
            assert got.status >= 400, (person, thing.name, route.path, act, got.status)
            assert unnamed(got, thing.id) == nothing[place], (person, thing.name, route.path, act)
            count += 1
    assert count > 100
    assert {told.kind for told in office.ledger.released(since, 10_000)[1]} <= {"audit.noted"}


def acts_of(route: Route) -> list[str]:
    """The acts that an address may name."""
    return [*acts_in(inspect.getsourcefile(route.handler) or ""), "nothing"] if re.search(r"<(move|act)>", route.path) else [""]


@cache
def acts_in(file: str) -> tuple[str, ...]:
    """Every word that a module keeps something under."""
    nodes = [each for each in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))) if isinstance(each, ast.Dict)]
    keys = [str(key.value) for each in nodes for key in each.keys if isinstance(key, ast.Constant)]
    return tuple(key for key in dict.fromkeys(keys) if re.fullmatch(r"[a-z_]+", key))


def differing(before: dict[str, tuple[int, str, str]], after: dict[str, tuple[int, str, str]]) -> list[str]:
    """Addresses whose answers are not the same any more."""
    return [address for address in before if before[address] != after[address]]


@pytest.mark.parametrize(("person", "first", "then"), [(who, a, b) for who, stages in WATCHED.items() for a, b in pairwise(stages)])
def test_no_list_count_or_notice_tells_of_it(scene: Scene, person: str, first: str, then: str) -> None:
    """Every list, count, choice, export and notice is, letter by letter, what it was before another unit had anything."""
    assert differing(SEEN[first, person], SEEN[then, person]) == []


ASKING = (f"clerk.{HERE}", f"other.{HERE}", f"clerk.dep.{HERE}", f"audit.{HERE}", f"clerk.{SIBLING}", "clerk.city")


@pytest.mark.parametrize("person", ASKING)
def test_asking_for_its_words_finds_nothing(scene: Scene, person: str) -> None:
    """Wherever one may ask for words, those of an object that is not for the person give the answer that a word gives which stands nowhere."""
    who = scene.visitor(person)
    places = [route.path for route in lists(scene) if "q" in asked(inspect.getsourcefile(route.handler) or "") and route.path in ASKED]
    assert set(places) == ASKED
    for place in places:
        never = unnamed(who.get(f"{twin(place)}?q={quote('鼋鼍')}"), "鼋鼍")
        for thing in scene.things:
            if person not in thing.sees:
                assert unnamed(who.get(f"{twin(place)}?q={quote(thing.word)}"), thing.word) == never, (person, place, thing.name)


ASKED = {"/search", "/api/v1/search", "/documents", "/incoming", "/archives", "/people"}
"Where words may be asked for."


@pytest.mark.parametrize("person", ["", *ASKING, f"plain.{HERE}", f"sys.{HERE}", f"ended.{HERE}"])
def test_no_answer_carries_words_of_what_is_not_for_somebody(scene: Scene, person: str) -> None:
    """Whatever can be looked at without naming an object, the address book and the flows with all their parts, has none of the canaries."""
    who = scene.visitor(person)
    tails = {thing.tail: thing.name for thing in scene.things if person not in thing.sees}
    for address in [*everyday(scene), *(f"{path}?{name}={quote(id)}" for path, name, id in begun(scene))]:
        for said in (who.get(address), who.get(twin(address))):
            assert said.status < 500 or address.startswith(("/api/v1/status", "/network")), (person, address)  # no supervisor lives here
            assert not [name for tail, name in tails.items() if tail in said.text], (person, address)
    who.gate.portal.trail.flush()


def everyday(scene: Scene) -> list[str]:
    """Addresses of lists, and of everything that everybody may know, filled with each thing of its kind at the node."""
    directory = scene.town.offices[HERE].directory
    pools = {"organ": [HERE, f"dep.{HERE}"], "posts": [f"post.plain.{HERE}"], "lists": [one.id for one in directory.lists()]}
    digests = [one["digest"] for one in scene.visitor(f"sys.{HERE}").get("/flows/documents.outgoing.json").json["versions"]]
    found = [route.path for route in lists(scene)]
    for route in scene.gate(HERE).routes:
        if route.method == "GET" and "<" in route.path and route.path.startswith(KNOWN):
            kind = route.path.split("/")[2]
            values = pools.get(
                kind, [*HERE_STAFF] if route.path.startswith("/people/<") else digests if "digest" in route.path else ["documents.outgoing"]
            )
            found += [re.sub(r"<[^>]+>", value, route.path) for value in values]
    return found


def begun(scene: Scene) -> Iterator[tuple[str, str, str]]:
    """Sheets that begin with an object: (address, name of the question, object)."""
    for thing in scene.things:
        yield from [("/documents/new", "reply", thing.id), ("/documents/new", "forward", thing.id)] if thing.family == "incoming" else []
        yield from [("/duty/orders", "incident", thing.id)] if thing.family == "incident" else []


def test_what_is_for_somebody_is_there(scene: Scene) -> None:
    """The canaries are where they are looked for: at least one person of each object's audience finds its words at an address of the table."""
    for thing in scene.things:
        if thing.name in ("phrases", "file of a person"):
            where = ["/me/phrases" if thing.name == "phrases" else f"/people/plain.{HERE}"]
        else:
            where = [
                filled(route, thing, thing.id)
                for route, one in cells(scene, "GET")
                if one is thing and not route.path.endswith(("/pdf", "/docx", "/package"))
            ]
            where += ["/meetings/topics", "/meetings/decisions", "/people/delegations", "/messages"]
        found = [
            person
            for person in sorted(thing.sees)
            if person.endswith(f".{HERE}") and any(thing.tail in said.text for said in map(scene.visitor(person).get, where) if said.status == 200)
        ]
        assert found, thing.name


def test_files_are_no_ones_by_their_hash(scene: Scene) -> None:
    """A document's file is had through the document only; its hash, stored or plain, opens nothing, whoever asks."""
    shas = set[str]()
    for one in scene.town.node(HERE).list(Document, everything=True):
        shas |= {sha.hex() for annex in one.paper.annexes for sha in (annex.sha, annex.plain)}
    assert len(shas) > 8
    for person in (f"clerk.{HERE}", f"clerk.dep.{HERE}", f"other.{HERE}"):
        assert {scene.visitor(person).get(f"/api/v1/blobs/{sha}").status for sha in shas} == {404}


def test_live_events_tell_nothing_but_that_there_is_something(scene: Scene) -> None:
    """An event has its topic, how far the journal has come and how pressing it is, and never a name or a word of a matter."""
    live = scene.gate(HERE).portal.live
    stream = live.stream(f"other.{HERE}", None, lambda: True)
    assert stream is not None and next(stream).startswith("retry")
    for topic in ("entries", "urgent", "deadline", "lines"):
        live.tell(topic)
        rows = dict(row.split(": ", 1) for row in next(stream).splitlines() if row)
        assert set(rows) == {"id", "event", "data"} and rows["event"] == topic
        assert set(json.loads(rows["data"])) <= {"topic", "mark", "urgency"}
    stream.close()  # type: ignore[attr-defined]

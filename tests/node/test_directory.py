"""The directory folds from signed entries, tells who is who, and believes only those who may say so."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from node import certs, clock, enrol, fold, keys, kinds, persons
from node.codec import digest
from node.directory import entries as said
from node.directory import lines, model
from node.directory.spelling import spell_name
from node.directory.tree import Tree
from node.directory.view import Directory
from node.directory.writing import record_of
from node.entry import ALL, DOWN, SELF, UP, to_node
from node.kinds import Content, Entry
from node.settings import Settings

NOW = clock.now()
DEMO = Path(__file__).parents[2] / "ops/data/demo.jsonl"
TREE = Tree({"c": None, "k1": "c", "k2": "c", "t1": "k1", "t2": "k1", "t3": "k2"})
CODES = {"371600": "滨州市", "371623": "无棣县", "371623101": "水湾镇", "371623108": "佘家镇"}
_numbers = itertools.count(1)


def entry(content: Content, author: str) -> Entry[Content]:
    """A content as rooms see it, said by a node."""
    number = next(_numbers)
    name = digest("test", number.to_bytes(8, "big"))
    return Entry(
        number=number,
        id=name,
        kind=kinds.name_of(content),
        record=record_of(content),
        home=author,
        author=author,
        signer=bytes(32),
        person="",
        post="",
        at=number,
        chain=bytes(32),
        seq=number,
        hash=name,
        recipients=(),
        after=(),
        body=content,
    )


@dataclass
class World:
    """A city of four nodes and one set of tables that has everything."""

    nodes: dict[str, Settings]
    shelf: fold.Shelf
    reader: Engine
    said: list[Entry[Content]] = field(default_factory=list)

    def tell(self, code: str, *contents: Content) -> list[str]:
        """A node says contents; the errors of folds that refused."""
        entries = [entry(content, self.nodes[code].id) for content in contents]
        self.said += entries
        return [error for _, error in self.shelf.fold([(e.number, e) for e in entries])]

    @contextmanager
    def session(self) -> Iterator[Session]:
        with Session(self.reader) as session:
            yield session

    def at(self, code: str) -> Directory:
        return Directory.of(self.nodes[code], self.session)

    def read(self, code: str, text: Iterable[str]) -> lines.Plan:
        """Import lines at a node."""
        plan = lines.plan(self.at(code), text)
        assert self.tell(code, *plan.contents) == []
        return plan


def _admit(world: World, parent: str, home: Path, tier: str, code: str) -> None:
    above = world.nodes[parent]
    token = enrol.new_token(above, tier, CODES[code], code, NOW, dt.timedelta(hours=1))
    wish = Settings(id="", tier=tier, name=CODES[code], code=code, city="")
    answer, about = enrol.admit(above, enrol.request(home, wish, token), NOW)
    world.nodes[code] = enrol.finish(home, wish, token, "tcp://127.0.0.1:23010", answer, NOW)
    assert world.tell(parent, about) == []


def build(folder: Path) -> World:
    """City, county and two townships, each known to all."""
    city = enrol.found_city(folder / "city", Settings(id="", tier="city", name="滨州市", code="371600", city=""), NOW)
    place = fold.Place(city)
    shelf = fold.Shelf(model.ROOM, place.engine(model.ROOM, "v1.g1"), "v1.g1")
    world = World({"371600": city}, shelf, place.reader(model.ROOM, "v1.g1"))
    world.tell("371600", enrol.own(city))
    for parent, tier, code in (("371600", "county", "371623"), ("371623", "township", "371623101"), ("371623", "township", "371623108")):
        _admit(world, parent, folder / code, tier, code)
    return world


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The demo directory, imported at each node; read, not changed, by tests."""
    world = build(tmp_path_factory.mktemp("demo"))
    for code in CODES:
        plan = world.read(code, DEMO.read_text().splitlines())
        assert plan.refused == [] and plan.created and not plan.changed
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A city of its own with one small organ."""
    world = build(tmp_path)
    organ = {"type": "organ", "id": "office", "full_name": "测试办公室", "kind": "department"}
    post = {"type": "post", "id": "clerk", "organ": "office", "title": "文书", "roles": ["registry_clerk", "sysadmin"]}
    person = {"type": "person", "id": "li", "name": "李明", "organ": "office", "login": "liming", "posts": ["clerk"], "mobile": "10000000001"}
    world.read("371600", [json.dumps(line) for line in (organ, post, person)])
    return world


def test_spans_are_the_smallest_part_of_the_tree() -> None:
    """SELF is the author, UP the way to the root, DOWN the subtree, ALL everyone, a named node the way to it."""
    assert TREE.span("t1", SELF) == {"t1"}
    assert TREE.span("t1", UP) == {"t1", "k1", "c"}
    assert TREE.span("k1", DOWN) == {"k1", "t1", "t2"}
    assert TREE.span("t1", ALL) == set(TREE.parents)
    assert TREE.span("t1", to_node("t3")) == {"t1", "k1", "c", "k2", "t3"}
    assert TREE.path("t1", "t2") == ("t1", "k1", "t2") and TREE.path("t1", "x") == ()
    assert TREE.toward("c", "t3") == "k2" and TREE.toward("t1", "t3") == "k1" and TREE.toward("c", "c") is None
    assert TREE.root == "c" and TREE.subtree("k2") == {"k2", "t3"} and TREE.neighbours("k1") == ("c", "t1", "t2")


def test_spans_agrees_with_span_everywhere() -> None:
    """The quick answer and the built span agree for every author, audience and node, loops and strangers included."""
    for tree in (TREE, Tree({"a": "b", "b": "a", "c": None, "d": "gone"})):
        names = [*tree.parents, "stranger"]
        for author, node in itertools.product(names, names):
            for audience in (SELF, UP, DOWN, ALL, *(to_node(n) for n in names)):
                assert tree.spans(author, audience, node) == (node in tree.span(author, audience)), (author, audience, node)


def test_the_demo_stands(demo: World) -> None:
    """The demo has four nodes, their organs in protocol order, and nothing refused."""
    city = demo.at("371600")
    assert [n.name for n in city.nodes()] == list(CODES.values())
    assert city.tree().path(demo.nodes["371623101"].id, city.here) == tuple(demo.nodes[c].id for c in ("371623101", "371623", "371600"))
    offices = [o.short_name for o in city.children("bz-zf")]
    assert offices[:3] == ["市政府办公室", "市发展改革委", "市教育局"] and offices[-1] == "无棣县政府"
    assert [o.id for o in city.line("bz-yjj")] == ["wd-yjj"] and [o.id for o in city.above("sw-dzb")] == ["sw-zf", "wd-zf", "bz-zf"]
    assert city.calendar(2026) is not None and city.calendar(2027) is None
    assert [o.id for o in city.list_members("wd-list-towns")] == ["sw-zf", "sj-zf"]


def test_every_demo_node_can_work(demo: World) -> None:
    """Each node has a clerk, reviewer, signer and seal keeper for its government and three administrators in three persons."""
    for code, government in zip(CODES, ("bz-zf", "wd-zf", "sw-zf", "sj-zf"), strict=True):
        directory = demo.at(code)
        for role in ("registry_clerk", "reviewer", "signer", "seal_keeper"):
            assert directory.holders(role, government), (code, role)
        three = [directory.holders(role) for role in said.ADMINISTRATORS]
        assert len({p.id for holders in three for p in holders}) == sum(map(len, three)) == 3
        assert directory.login("nobody") is None
    assert demo.at("371623101").login("LiuMin") == "liumin.sw" and demo.at("371600").login("liumin") is None


def test_people_come_in_protocol_order(demo: World) -> None:
    """Within an organ people stand by rank of post, never by name; concurrent posts show together, the main one first."""
    directory = demo.at("371600")
    assert [f.person.name for f in directory.people_of("bz-zf")] == ["周立新", "韩玉梅", "郭海涛", "徐志远"]
    held = directory.appointments_of("xuzhiyuan.bz")
    assert [h.post.title for h in held] == ["秘书长", "市政府办公室主任"]
    assert {o.id for o in directory.acts_for("lixiaoyan.bz")} == {"bz-zfb-wd", "bz-zfb", "bz-zf"}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("刘敏", "刘敏"),
        ("liumin", "刘敏"),
        ("lm", "刘敏"),
        ("liu min", "刘敏"),
        ("shanxiaolong", "单小龙"),
        ("督查科科长", "田立军"),
        ("应急局", "武振国"),
        ("0000204", "邓海燕"),
    ],
)
def test_search_finds_people(demo: World, text: str, first: str) -> None:
    """People are found by name, pinyin, initials, post, organ and telephone."""
    assert first in [f.person.name for f in demo.at("371600").search(text)]


def test_search_takes_wildcards_as_letters(demo: World) -> None:
    """Percent signs and underscores match themselves; nothing matches nothing."""
    directory = demo.at("371600")
    assert directory.search("%") == directory.search("_") == directory.search("  ") == ()


def test_surnames_are_spelt_as_surnames() -> None:
    """单, 曾 and 翟 are read as surnames at the beginning of a name only."""
    assert [spell_name(n) for n in ("单小龙", "曾凡", "翟单")] == ["shan xiao long", "zeng fan", "zhai dan"]


def test_an_import_twice_changes_nothing(demo: World) -> None:
    """Reading the same file again finds every line the same; a changed line changes one record."""
    text = DEMO.read_text()
    again = lines.plan(demo.at("371623"), text.splitlines())
    assert (again.contents, again.refused) == ([], []) and again.same > 50 and again.elsewhere > 100
    moved = lines.plan(demo.at("371623"), text.replace("0543-0000101", "0543-0000199").splitlines())
    assert [c.office_phone for c in moved.changed] == ["0543-0000199"] and not moved.created  # type: ignore[attr-defined]


def test_an_export_reads_back(demo: World, tmp_path: Path) -> None:
    """What one node exports, read at a node that has the same tree, says the same."""
    directory = demo.at("371623101")
    text = list(lines.dump(directory))
    plan = lines.plan(directory, text)
    assert (plan.contents, plan.refused) == ([], []) and plan.same > 40
    assert len(list(lines.dump(directory, node=directory.here))) < len(text)


BAD = {
    "malformed": {"type": "organ", "id": "x", "full_name": "x", "secret": 1},
    "unknown_organ": {"type": "organ", "id": "x", "full_name": "x", "parent_id": "nowhere"},
    "unknown_kind": {"type": "organ", "id": "x", "full_name": "x", "kind": "club"},
    "unknown_node": {"type": "organ", "id": "x", "full_name": "x", "node": "1"},
    "bad_id": {"type": "organ", "id": "../x", "full_name": "x"},
    "loop": {"type": "organ", "id": "x", "full_name": "x", "parent_id": "x"},
    "unknown_role": {"type": "post", "id": "p", "organ": "office", "title": "x", "roles": ["emperor"]},
    "bad_text": {"type": "post", "id": "p", "organ": "office", "title": "a\u202eb"},
    "login_taken": {"type": "person", "id": "x", "name": "x", "organ": "office", "login": "LiMing"},
    "unknown_post": {"type": "person", "id": "x", "name": "x", "organ": "office", "posts": ["nothing"]},
    "bad_phone": {"type": "person", "id": "x", "name": "x", "organ": "office", "mobile": "=cmd()"},
    "unknown_person": {"type": "appointment", "person": "nobody", "post": "clerk"},
    "bad_term": {"type": "appointment", "person": "li", "post": "clerk", "valid_from": "2026-02-02", "valid_to": "2026-02-01"},
    "bad_day": {"type": "calendar", "year": 2026, "off": ["2025-01-01"], "worked": [], "basis": ""},
    "too_large": {"type": "organ", "id": "x", "full_name": "x" * 70_000},
}


@pytest.mark.parametrize("code", BAD)
def test_bad_lines_are_refused_by_number_and_code(world: World, code: str) -> None:
    """A bad line is refused with its number and reason, and the good line after it is taken."""
    good = {"type": "organ", "id": "good", "full_name": "好单位"}
    plan = lines.plan(world.at("371600"), ["", json.dumps(BAD[code]), json.dumps(good)])
    assert [(r.line, r.code) for r in plan.refused] == [(2, code)]
    assert [c.id for c in plan.created] == ["good"]  # type: ignore[attr-defined]


def test_nobody_is_two_administrators(world: World) -> None:
    """A person who is system administrator is not appointed auditor too, in one line or by a later one."""
    post = json.dumps({"type": "post", "id": "audit", "organ": "office", "title": "审计", "roles": ["auditor"]})
    both = json.dumps({"type": "person", "id": "x", "name": "某人", "organ": "office", "posts": ["clerk", "audit"]})
    later = json.dumps({"type": "appointment", "person": "li", "post": "audit"})
    plan = lines.plan(world.at("371600"), [post, both, later])
    assert [(r.line, r.code) for r in plan.refused] == [(2, "three_administrators"), (3, "three_administrators")]


def test_a_record_has_one_writer(world: World) -> None:
    """Another node can neither change an organ, nor claim to be its home, nor appoint people to its posts."""
    organ = world.at("371600").organ("office")
    assert organ is not None
    assert "wrong" in world.tell("371623", msgspec.structs.replace(organ, full_name="冒名"))[0] or world.at("371600").organ("office") == organ
    stolen = msgspec.structs.replace(organ, node=world.nodes["371623"].id)
    assert world.tell("371623", stolen) and world.at("371600").organ("office") == organ
    world.tell("371623", said.Person("thief", "某甲", "office", "", 0, "active", ""), said.Appointed("a1", "thief", "clerk", True, None, None, ""))
    directory = world.at("371600")
    assert directory.appointments_of("thief") == () and [p.id for p in directory.holders("registry_clerk", "office")] == ["li"]


def test_a_node_is_announced_by_the_one_above(world: World) -> None:
    """A node announced by a stranger, with another's key or by a chain that does not lead to the root is not believed."""
    county, town = world.nodes["371623"], world.nodes["371623101"]
    about = enrol.own(town)
    assert world.tell("371623108", about)
    assert world.tell("371623", msgspec.structs.replace(about, id=county.id))
    root_key, key, town_key = keys.new_p256(), keys.new_p256(), keys.new_p256()
    root = certs.issue(certs.Subject(kind="root", id="r", name="假根"), root_key.public_key(), None, root_key, NOW)
    above = certs.Subject(kind="node", id=certs.node_id(key.public_key()), name="假县", code="9")
    fake = certs.issue(above, key.public_key(), root, root_key, NOW, path=1)
    child = certs.Subject(kind="node", id=certs.node_id(town_key.public_key()), name="假镇", code="99")
    leaf = certs.issue(child, town_key.public_key(), fake, key, NOW, path=0)
    false = said.Node(child.id, "township", "假镇", "99", above.id, (certs.der(leaf), certs.der(fake)), about.curve, about.storage_key)
    assert world.shelf.fold([(e.number, e) for e in [entry(false, false.parent)]]) == []
    directory = world.at("371600")
    assert directory.node(child.id) is None and child.id not in directory.tree() and not directory.identities(child.id)


def test_a_signer_is_believed_by_the_home_nodes_key(world: World) -> None:
    """A person's certificate counts when the home node issued it, and tells its revocation by the node or one above only."""
    town = world.nodes["371623101"]
    key = keys.new_ed25519()
    cert = persons.certify(town, "person", "liu", "刘敏", key.public_key(), NOW)
    assert world.tell("371623101", said.Person("liu", "刘敏", "", "", 0, "active", ""), said.Certified("liu", certs.der(cert), "")) == []
    assert world.tell("371623108", said.Certified("liu", certs.der(cert), ""))
    assert world.tell("371623101", said.Certified("other", certs.der(cert), ""))
    directory = world.at("371600")
    signer = directory.signer(certs.fingerprint(cert))
    assert signer is not None and (signer.kind, signer.id, signer.node, signer.revoked) == ("person", "liu", town.id, None)
    assert signer.valid_at(NOW) and not signer.valid_at(NOW + dt.timedelta(days=4000))
    revoked = said.Revoked(certs.fingerprint(cert), "lost")
    world.tell("371623108", revoked)
    assert directory.signer(certs.fingerprint(cert)).revoked is None  # type: ignore[union-attr]
    world.tell("371623", revoked)
    assert directory.signer(certs.fingerprint(cert)).revoked == revoked  # type: ignore[union-attr]
    assert directory.signer(bytes(32)) is None


def test_a_new_node_knows_its_own_line(tmp_path: Path, world: World) -> None:
    """Before a single entry has come, a township knows itself, its county and the city, and their keys."""
    town = world.nodes["371623101"]
    place = fold.Place(town)
    shelf = fold.Shelf(model.ROOM, place.engine(model.ROOM, "v1.g1"), "v1.g1")
    fresh = Directory.of(town, lambda: Session(shelf.engine))
    city, county = world.nodes["371600"].id, world.nodes["371623"].id
    assert fresh.tree().path(town.id, city) == (town.id, county, city)
    assert fresh.identities(city) and not fresh.identities(world.nodes["371623108"].id)
    own = certs.fingerprint(certs.load_chain(town.path("certs/node.pem").read_bytes())[0])
    assert fresh.signer(own).id == town.id  # type: ignore[union-attr]


def test_closed_organs_hand_over_to_successors(world: World) -> None:
    """A closed organ leaves the tree and the lists, its matters go to the successor, its name stays."""
    organ = world.at("371600").organ("office")
    assert organ is not None
    new = msgspec.structs.replace(organ, id="new", full_name="新办公室")
    closed = msgspec.structs.replace(organ, valid_to=dt.date(2026, 1, 1), successor_id="new")
    world.tell("371600", new, closed, said.Listing("all", "全部", ("office",), 1))
    directory = world.at("371600")
    assert [o.id for o in directory.organs()] == ["new"] and directory.list_members("all") == (new,)
    assert directory.successor("office") == new and directory.organ("office") == closed
    assert directory.organs(on=dt.date(2025, 12, 31))[0].id in ("office", "new")


def test_delegations_expire_by_themselves(world: World) -> None:
    """A power lent counts within its term, and only when the lending post's node said it."""
    lent = said.Delegated("d1", "clerk", "clerk", ("signer",), dt.date(2026, 3, 1), dt.date(2026, 3, 8), "口头")
    forged = msgspec.structs.replace(lent, id="d2")
    world.tell("371600", lent)
    world.tell("371623", forged)
    directory = world.at("371600")
    assert directory.delegations_to("clerk", on=dt.date(2026, 3, 7)) == (lent,)
    assert directory.delegations_to("clerk", on=dt.date(2026, 3, 8)) == ()


def test_only_the_citys_calendar_counts(world: World) -> None:
    """A county's calendar is kept and ignored; the city's later version replaces the earlier one in any order."""
    new, old = (said.Calendar(2026, (dt.date(2026, 1, 1),), (), f"v{v}", v) for v in (2, 1))
    world.tell("371623", said.Calendar(2026, (), (), "ours", 9))
    world.tell("371600", new, old)
    found = world.at("371600").calendar(2026)
    assert found is not None and found.basis == "v2"


def test_the_tables_do_not_depend_on_the_order_of_authors(demo: World, tmp_path: Path) -> None:
    """Entries of the four nodes, interleaved at random, fold to the same tables as in the order they were said."""
    queues = {author: [e for e in demo.said if e.author == author] for author in {e.author for e in demo.said}}
    order, random_ = [], random.Random(7)
    while queues:
        author = random_.choice(sorted(queues))
        order.append(queues[author].pop(0))
        if not queues[author]:
            del queues[author]
    home = msgspec.structs.replace(demo.nodes["371600"], home=tmp_path)
    other = fold.Shelf(model.ROOM, fold.Place(home).engine(model.ROOM, "v1.g1"), "v1.g1")
    assert other.fold([(n, e) for n, e in enumerate(order, 1)]) == []
    assert fold.digest(model.ROOM, other.engine) == fold.digest(model.ROOM, demo.shelf.engine)


def test_a_view_reads_again_only_what_has_changed(world: World) -> None:
    """A view sees a change at once, keeps what did not change, and with auto off sees it after a refresh."""
    auto, manual = world.at("371600"), Directory.of(world.nodes["371600"], world.session, auto=False)
    manual.refresh()
    first, version = auto.person("li"), auto.version
    assert first is not None and manual.person("li") == first and auto.version == version
    held = auto.organs()
    world.tell("371600", msgspec.structs.replace(first, name="李四"))
    assert auto.person("li").name == "李四" and auto.version != version and auto.organs()[0] is held[0]  # type: ignore[union-attr]
    assert manual.person("li") == first
    manual.refresh()
    assert manual.person("li").name == "李四"  # type: ignore[union-attr]


def test_private_parts_stay_in_the_file(world: World) -> None:
    """The card, which goes to all, has no mobile number and no login name; the file has both."""
    with world.session() as session:
        card = session.scalars(select(model.PersonRow.content)).one()
    assert b"10000000001" not in card and b"liming" not in card
    file = world.at("371600").file("li")
    assert file is not None and (file.mobile, file.login) == ("10000000001", "liming")

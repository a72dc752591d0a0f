"""The stand-alone verifier: what holds is accepted, whatever was touched is refused, and nothing makes it stumble."""

from __future__ import annotations

import ast
import copy
import datetime as dt
import io
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node import certs, entry, keys
from node.codec import pack, unpack
from node.directory.entries import Revoked
from node.entry import Attachment, Body, Head, Statement
from node.evidence import line
from office.documents import entries as said
from tests.ops.conftest import call
from tests.verifier import world as w
from tests.verifier.program import check, kinds, verifier

Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def story() -> w.Story:
    """A document from the city to a township, and its receipt; read, not changed, by tests."""
    return w.story()


@pytest.fixture
def records(story: w.Story) -> Records:
    """Its bundle, to be changed."""
    return copy.deepcopy(story.bundle())


def find(records: Records, key: str, number: int = 0) -> int:
    """The place of the n-th record of a kind (negative: from the end)."""
    return [i for i, r in enumerate(records) if key in r][number]


def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """The verifier as its own process, with nothing of the node on its path."""
    return subprocess.run([sys.executable, "-I", str(w.VERIFIER), *map(str, args)], capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.row("B5")
def test_it_stands_alone() -> None:
    """The verifier is one file of at most a thousand lines that imports the standard library and cryptography only."""
    text = w.VERIFIER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 1000
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            names.add((node.module or "").partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}


@pytest.mark.row("B5")
def test_a_whole_story_holds(story: w.Story) -> None:
    """A sealed document with seal, attachment, two holds and a receipt verifies, and the answer names all of them."""
    answer = check(w.sealed(story.bundle()), story.world.root)
    assert answer["ok"] and not answer["problems"] and not answer["remarks"]
    assert (answer["documents"], answer["receipts"]) == (1, 1)
    [paper] = answer["details"]
    assert paper["title"].startswith("关于做好") and paper["seal"] == "滨州市人民政府" and paper["attachments"][0]["included"]
    [receipt] = paper["receipts"]
    assert (receipt["receipt"], receipt["person"], len(receipt["held"])) == ("R2", "李四", 2)
    counts = {o["origin"]: [e["count"] for e in o["epochs"]] for o in answer["origins"]}
    assert counts == {story.world.city.id: [4], story.world.town.id: [2]}


def test_the_command_answers_people_and_programs(story: w.Story, tmp_path: Path) -> None:
    """The command needs no node: exit 0 with JSON or text in two languages, 1 for another city's root, 2 for nonsense."""
    file, root, wrong = tmp_path / "a.jsonl", tmp_path / "root.pem", tmp_path / "wrong.pem"
    file.write_bytes(w.sealed(story.bundle()))
    root.write_bytes(certs.pem(story.world.root))
    wrong.write_bytes(certs.pem(w.City("elsewhere").root))
    done = run(file, "--root", root, "--json", "--doc", story.doc)
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"], found["cmd"], done.stderr) == (0, True, "verify", "")
    assert "核验通过" in run(file, "--root", root).stdout
    english = run(file, "--lang", "en")
    assert english.returncode == 0 and "comes from the file itself" in english.stdout and "Verified" in english.stdout
    assert run(file, "--root", wrong).returncode == 1
    assert run(file, "--doc", "another").returncode == 1
    assert run(tmp_path / "absent").returncode == 2
    assert run().returncode == 2
    assert run(file, "--root", file).returncode == 2


def test_attachments_come_out_as_they_went_in(story: w.Story, tmp_path: Path) -> None:
    """The attached file is decrypted from the bundle byte for byte."""
    file = tmp_path / "a.jsonl"
    file.write_bytes(w.sealed(story.bundle()))
    out = tmp_path / "out"
    out.mkdir()
    assert run(file, "--out", out).returncode == 0
    [one] = out.iterdir()
    assert one.read_bytes() == w.ANNEX and one.suffix == ".pdf"


@pytest.mark.row("M2")
def test_no_changed_byte_passes(story: w.Story) -> None:
    """A flipped bit at any sampled offset of the file is refused, without a stumble."""
    data = w.sealed(story.bundle(blobs=False))
    chance = random.Random(7)
    places = sorted({*range(0, 400, 7), *range(len(data) - 200, len(data)), *chance.sample(range(len(data)), 500)})
    for at in places:
        bad = bytearray(data)
        bad[at] ^= 1 << chance.randrange(8)
        answer = check(bytes(bad))
        assert not answer["ok"], at
        assert "unexpected" not in json.dumps(answer["problems"]), (at, answer["problems"])


def test_no_changed_byte_passes_when_the_last_line_is_made_to_fit(story: w.Story) -> None:
    """Whoever changes what is signed and computes the last line anew is found out by hashes and signatures, in every kind of line."""
    records = story.bundle()
    chance = random.Random(11)
    root = story.world.root
    for number, record in enumerate(records):
        for key in ("root", "cert", "header", "body", "key", "head", "hold", "blob", "data"):
            if key not in record:
                continue
            raw = verifier.binary(record[key])
            for at in {0, len(raw) - 1, *(chance.randrange(len(raw)) for _ in range(6))}:
                bad = bytearray(raw)
                bad[at] ^= 1 << chance.randrange(8)
                changed = [*records[:number], record | {key: w.text(bytes(bad))}, *records[number + 1 :]]
                answer = check(w.sealed(changed), root)
                assert not answer["ok"], (number, key, at)
                assert "unexpected" not in json.dumps(answer["problems"]), (key, at, answer["problems"])


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_cut_file_is_not_whole(story: w.Story, share: float) -> None:
    """A file that ends early is refused, wherever it ends."""
    data = w.sealed(story.bundle())
    assert not check(data[: int(len(data) * share)])["ok"]


def test_dropping_a_line_is_seen(records: Records, story: w.Story) -> None:
    """Without its root, a needed certificate, an opening, an entry in between, a head or a blob part, a bundle does not hold."""
    root = story.world.root
    expected = {
        find(records, "cert"): "unknown_signer",
        find(records, "header", 0): "gap",
        find(records, "header", 2): "gap",
        find(records, "head", 0): "gap",
        find(records, "blob", 1): "gap",
        find(records, "blob", -1): "bad_hash",
    }
    for at, kind in expected.items():
        assert kind in kinds(check(w.sealed(records[:at] + records[at + 1 :]), root)), (at, kind)
    assert "missing_blob" in kinds(check(w.sealed([r for r in records if "blob" not in r]), root))
    assert "unknown_signer" in kinds(check(w.sealed([r for r in records if "root" not in r])))


def test_a_bundle_without_its_root_needs_one(records: Records, story: w.Story) -> None:
    """A bundle may leave the root out when the reader brings it."""
    bare = [r for r in records if "root" not in r]
    assert check(w.sealed(bare), story.world.root)["ok"]
    assert not check(w.sealed(bare))["ok"]


def test_another_citys_root_is_refused(story: w.Story) -> None:
    """The same file does not verify in another city."""
    answer = check(w.sealed(story.bundle()), w.City("elsewhere").root)
    assert not answer["ok"] and "unknown_signer" in kinds(answer)


@pytest.mark.row("B6")
def test_a_receipt_moved_to_another_document_is_refused(story: w.Story) -> None:
    """A receipt names its document inside what is signed; shown beside another it does not count."""
    moved = copy.copy(story)
    one = w.story(w.City("second"))
    other = w.body(
        said.Dispatched(unpack(unpack(one.plain, Body).content, said.Dispatched).envelope), story.world.issuer, record=story.doc, at=w.AT + 77
    )
    moved.down = w.Log(story.world.city, entry.to_node(story.world.town.id), "2", (), w.AT, story.world.town)
    moved.down.say(other, (Attachment(story.annex.sha, story.annex.stored),))
    answer = check(w.sealed(moved.bundle()), story.world.root)
    assert "receipt_mismatch" in kinds(answer) and answer["receipts"] == 0


def alone(story: w.Story, receipt: bytes, site: w.Site) -> dict[str, Any]:
    """The answer to the story's document with another receipt from a site."""
    changed = copy.copy(story)
    changed.up = w.Log(site, entry.to_node(story.world.city.id), f"{len(receipt)}", (), w.AT, story.world.city)
    changed.up.say(receipt)
    return check(w.sealed(changed.bundle()), story.world.root)


@pytest.mark.row("B6")
def test_a_receipt_from_a_node_it_was_not_for_is_refused(story: w.Story) -> None:
    """Another township cannot sign for this one, even with a clerk and a log of its own."""
    stranger = w.body(said.SignedFor(story.doc, "o-town", "王五"), story.world.stranger, record="r", after=(w.statement_of(story.plain),))
    assert kinds(alone(story, stranger, story.world.other)) == {"receipt_mismatch"}
    elsewhere = w.body(said.SignedFor(story.doc, "o-nobody", "李四"), story.world.clerk, record="r", after=(w.statement_of(story.plain),))
    assert kinds(alone(story, elsewhere, story.world.town)) == {"receipt_mismatch"}
    loose = w.body(said.SignedFor(story.doc, "o-town", "李四"), story.world.clerk, record="r", after=())
    assert kinds(alone(story, loose, story.world.town)) == {"receipt_mismatch"}


@pytest.mark.row("B6")
def test_a_forged_receipt_is_refused(story: w.Story) -> None:
    """A receipt signed by somebody else's key, by a key of another node, or in another city's name counts for nothing."""
    town, clerk, stranger = story.world.town, story.world.clerk, story.world.stranger
    content, after = said.SignedFor(story.doc, "o-town", "李四"), (w.statement_of(story.plain),)
    faked = w.Person(clerk.id, w.ed25519("thief"), clerk.cert, town)
    assert "bad_signature" in kinds(alone(story, w.body(content, faked, record="r", after=after), town))
    foreign = w.body(content, stranger, record="r", after=after, home=town.id)
    assert "scope" in kinds(alone(story, foreign, town))
    assert "scope" in kinds(alone(story, w.body(content, clerk, record="r", after=after, city="a" * 26), town))
    assert "scope" in kinds(alone(story, w.body(content, clerk, record="r", after=after, home=story.world.city.id), town))
    assert "unknown_suite" in kinds(alone(story, w.body(content, clerk, record="r", after=after, suite="sm2"), town))
    assert "unknown_suite" in kinds(alone(story, w.body(content, clerk, record="r", after=after, suite="p256"), town))
    unknown = town.person("p-nobody", "无名")
    assert "unknown_signer" in kinds(alone(story, w.body(content, unknown, record="r", after=after), town))
    other = w.body(content, clerk, record="r", after=after, digest=bytes(32))
    assert "bad_hash" in kinds(alone(story, other, town))


def test_another_text_under_the_seal_is_refused(story: w.Story) -> None:
    """A document whose clerk changed a word after the seal was put does not hold, though the clerk signed it."""
    envelope = unpack(unpack(story.plain, Body).content, said.Dispatched).envelope
    assert envelope.seal is not None
    root, world = story.world.root, story.world

    def with_(envelope: said.Envelope, epoch: str) -> set[str]:
        changed = copy.copy(story)
        changed.down = w.Log(world.city, entry.to_node(world.town.id), epoch, (), w.AT, world.town)
        changed.down.say(
            w.body(said.Dispatched(envelope), world.issuer, record=story.doc, at=w.AT + 1000), (Attachment(story.annex.sha, story.annex.stored),)
        )
        changed.up = w.Log(world.town, entry.to_node(world.city.id), epoch, (), w.AT, world.city)
        return kinds(check(w.sealed(changed.bundle()), root))

    struct = w.replaced
    assert with_(struct(envelope, number="滨政发〔2026〕13号"), "n") == {"bad_hash"}
    assert with_(struct(envelope, paper=struct(envelope.paper, text="…")), "t") == {"bad_hash"}
    assert with_(struct(envelope, seal=struct(envelope.seal, signature=bytes(64))), "s") == {"bad_signature"}
    assert with_(struct(envelope, seal=struct(envelope.seal, fingerprint=bytes(32))), "f") == {"unknown_signer"}
    assert with_(struct(envelope, seal=struct(envelope.seal, fingerprint=certs.fingerprint(world.clerk.cert))), "c") == {"scope"}
    assert with_(envelope, "e") == set()


def test_keys_of_other_entries_open_nothing(records: Records, story: w.Story) -> None:
    """A disclosed key opens one entry; put to another it is refused, and an undisclosed entry stays shut without harm."""
    first, second = find(records, "key", 0), find(records, "key", 1)
    records[first]["key"], records[second]["key"] = records[second]["key"], records[first]["key"]
    assert kinds(check(w.sealed(records), story.world.root)) >= {"bad_hash"}
    shut = copy.deepcopy(story.bundle())
    del shut[find(shut, "key", 0)]["key"]
    assert check(w.sealed(shut), story.world.root)["ok"]


def test_a_head_by_another_key_is_refused(records: Records, story: w.Story) -> None:
    """Only the epoch's key signs heads; the identity's or another epoch's do not."""
    at = find(records, "head", 0)
    records[at] = {"head": w.text(pack(story.down.head(key=w.ed25519("thief"))))}
    assert kinds(check(w.sealed(records), story.world.root)) == {"bad_signature", "gap"}
    head = story.down.head()
    records[at] = {"head": w.text(pack(Head(head.chain, head.seq, bytes(32), head.signature)))}
    assert "bad_hash" in kinds(check(w.sealed(records), story.world.root))


def test_a_fork_between_bundles_is_proved(story: w.Story, tmp_path: Path) -> None:
    """Two signed histories of one chain are found by comparing bundles, and the proof alone convinces a third party."""
    world = story.world
    twins = []
    for text in ("one", "two"):
        log = w.Log(world.city, entry.to_node(world.town.id), "fork", (), w.AT, None)
        twins.append(log)
        if len(twins) == 2:  # the same opening, as a thief of the epoch key would go on from it
            log.entries, log.id, log.hash = twins[0].entries[:1], twins[0].id, twins[0].id
        log.say(w.body(said.Submitted(text), world.issuer, record="fork"))
    files = []
    for number, log in enumerate(twins):
        files.append(tmp_path / f"{number}.jsonl")
        files[-1].write_bytes(w.sealed(w.assemble(world, [log], blobs={})))
        assert run(files[-1]).returncode == 0
    proof = tmp_path / "proof"
    done = run(*files, "--proof", proof, "--json")
    assert done.returncode == 1 and [p["kind"] for p in json.loads(done.stdout)["problems"]] == ["fork"]
    alone = run(proof, "--json")
    assert alone.returncode == 1
    [problem] = json.loads(alone.stdout)["problems"]
    assert problem["kind"] == "fork" and problem["position"].endswith("/1")
    found = call(None, "proof", "check", str(proof)).json
    assert found["kind"] == "fork" and found["seq"] == 1 and found["a"] != found["b"] and problem["position"].startswith(found["origin"])
    assert call(None, "proof", "check", str(files[0])).code == 1
    assert b'"body"' not in proof.read_bytes().splitlines()[find([json.loads(x) for x in proof.read_bytes().splitlines()], "header", 1)]


def test_a_prefix_is_no_fork(story: w.Story) -> None:
    """A shorter and a longer export of the same chain agree."""
    world = story.world
    log = w.Log(world.city, entry.ALL, "prefix", (), w.AT, None)
    log.say(w.body(said.Submitted("a"), world.issuer, record="a"))
    short = w.sealed(w.assemble(world, [log], blobs={}, what="log"))
    log.say(w.body(said.Submitted("b"), world.issuer, record="b"))
    long = w.sealed(w.assemble(world, [log], blobs={}, what="log"))
    answer = check(short + long, world.root)
    assert answer["ok"] and [e["count"] for o in answer["origins"] for e in o["epochs"]] == [3]


def test_a_hole_in_a_log_is_a_gap(story: w.Story) -> None:
    """An export from which an entry was taken is refused; one that begins later is not."""
    world = story.world
    log = w.Log(world.city, entry.ALL, "hole", (), w.AT, None)
    for text in "abcd":
        log.say(w.body(said.Submitted(text), world.issuer, record=text))
    records = w.assemble(world, [log], blobs={}, what="log")
    third = find(records, "header", 3)
    assert kinds(check(w.sealed(records[:third] + records[third + 1 :]), world.root)) == {"gap"}
    later = find(records, "header", 1)
    assert check(w.sealed(records[:later] + records[later + 2 :]), world.root)["ok"]


def test_time_decides_over_certificates(story: w.Story) -> None:
    """A certificate counts at the claimed time, or when another node first held the entry; else the signature is expired."""
    world, late = story.world, w.AT + 40 * 86_400_000
    short = world.town.person("p-short", "临时", days=10)
    content = said.SignedFor(story.doc, "o-town", "临时")

    def with_(at: int, held: int) -> set[str]:
        log = w.Log(world.town, entry.ALL, f"{at}", (), w.AT, None)
        log.say(w.body(content, short, record="r", after=(w.statement_of(story.plain),), at=at))
        records = w.assemble(world, [log], blobs={}, what="log")
        records = [r for r in records if "hold" not in r]
        records.insert(find(records, "cert", -1) + 1, {"cert": w.text(certs.der(short.cert))})
        return kinds(check(w.sealed([*records, {"hold": w.text(pack(log.hold(world.county, held)))}]), world.root))

    assert with_(w.AT, w.AT + 5) == set()
    assert with_(late, late) == {"expired"}
    assert with_(late, w.AT + 5) == set()


def test_after_a_revocation_nothing_more_counts(story: w.Story) -> None:
    """What a revoked certificate signed after the last good place is refused, whatever time it claims; what came before stays."""
    world = story.world
    log = w.Log(world.town, entry.ALL, "revoked", (), w.AT, None)
    good = log.say(w.body(said.Submitted("good"), world.clerk, record="good", at=w.AT + 500))
    cut = (log.id, good, entry.header_hash(log.entries[good][0]))
    log.say(w.body(said.Submitted("bad"), world.clerk, record="bad", at=w.AT + 1))

    def with_(site: w.Site, cuts: tuple[tuple[bytes, int, bytes], ...]) -> tuple[set[str], list[str]]:
        trust = w.Log(site, entry.ALL, f"trust{len(cuts)}", (), w.AT, None)
        trust.say(w.body(Revoked(certs.fingerprint(world.clerk.cert), "stolen", cuts), site, record="x", at=w.AT + 1000))
        answer = check(w.sealed(w.assemble(world, [log, trust], blobs={}, what="log")), world.root)
        return kinds(answer), [p["position"].rpartition("/")[2] for p in answer["problems"]]

    assert with_(world.town, (cut,)) == ({"after_revocation"}, ["2"])
    assert with_(world.city, (cut,)) == ({"after_revocation"}, ["2"])
    assert with_(world.city, ()) == ({"after_revocation"}, ["1", "2"])
    assert with_(world.other, (cut,))[0] == {"scope"}


def test_what_stands_after_a_closed_epoch_is_refused(story: w.Story) -> None:
    """When a later opening declares an end, entries behind it count only where somebody else held them."""
    world = story.world
    old = w.Log(world.town, entry.ALL, "old", (), w.AT, None)
    old.say(w.body(said.Submitted("a"), world.clerk, record="a"))
    known = old.known()
    old.say(w.body(said.Submitted("b"), world.clerk, record="b"))
    new = w.Log(world.town, entry.ALL, "new", (known,), w.AT + 10, None)
    records = w.assemble(world, [old, new], blobs={}, what="log")
    assert check(w.sealed(records), world.root)["ok"]
    assert kinds(check(w.sealed([r for r in records if "hold" not in r]), world.root)) == {"after_close"}
    wrong = w.Log(world.town, entry.ALL, "wrong", (w.replaced(known, head=bytes(32)),), w.AT + 10, None)
    assert "fork" in kinds(check(w.sealed(w.assemble(world, [old, wrong], blobs={}, what="log")), world.root))


def test_two_chains_of_one_log_in_one_epoch_are_a_fork(story: w.Story) -> None:
    """An epoch opens a log once."""
    world = story.world
    a = w.Log(world.town, entry.UP, "twice", (), w.AT, None)
    b = w.Log(world.town, entry.UP, "twice", (), w.AT + 1, None)
    assert kinds(check(w.sealed(w.assemble(world, [a, b], blobs={}, what="log")), world.root)) == {"fork"}


def test_an_opening_by_another_node_is_refused(story: w.Story) -> None:
    """A chain opened in somebody's name by another key is not theirs."""
    world = story.world
    fake = copy.copy(world.town)
    fake.key = world.other.key
    log = w.Log(fake, entry.ALL, "fake", (), w.AT, None)
    opened = unpack(log.entries[0][1], entry.Opened)
    opening = w.replaced(unpack(opened.opening, entry.Opening), author=world.town.id)
    log.entries.clear()
    log.id = log.hash = b""
    log.add(pack(entry.Opened(pack(opening), keys.sign(world.other.key, entry.opening_signed(pack(opening))))))
    log.id = log.hash
    assert "bad_signature" in kinds(check(w.sealed(w.assemble(world, [log], blobs={}, what="log")), world.root))


def test_lines_have_one_form(records: Records, story: w.Story) -> None:
    """Spaces, other orders of keys, unknown fields, other base64 and lines of unknown kind are refused even when the end fits."""

    def refused(lines: list[bytes]) -> bool:
        return not check(w.ended(lines), story.world.root)["ok"]

    lines = [line(r) for r in records]
    assert not refused(lines)
    at = find(records, "header", 1)
    record = records[at]
    assert refused([*lines[:at], lines[at].replace(b'":"', b'": "', 1), *lines[at + 1 :]])
    assert refused([*lines[:at], json.dumps(dict(reversed(record.items())), separators=(",", ":")).encode() + b"\n", *lines[at + 1 :]])
    assert refused([*lines[:at], line(record | {"more": 1}), *lines[at + 1 :]])
    assert refused([*lines[:at], line(record | {"header": record["header"].rstrip("=") + "===="}), *lines[at + 1 :]])
    assert refused([*lines, line({"what": "is this"})])
    assert refused([*lines, b"[]\n"])
    assert refused([*lines, b"[" * 5000 + b"\n"])
    assert refused([*lines, b'{"cert":"' + b"A" * 2_000_000 + b'"}\n'])
    assert refused([*lines, b'{"cert":1e999}\n'])
    assert refused([*lines, b'{"cert":"\xff"}\n'])


def test_statements_alone_prove_their_signers(story: w.Story) -> None:
    """A log exported without contents still shows who signed what kind of thing when."""
    world = story.world
    log = w.Log(world.town, entry.ALL, "meta", (), w.AT, None)
    plain = unpack(w.body(said.Submitted("a"), world.clerk, record="a"), Body)
    log.say(pack(plain))
    records = w.assemble(world, [log], blobs={}, what="log")
    at = find(records, "header", 1)
    records[at] = {"header": records[at]["header"], "statement": w.text(plain.statement), "signature": w.text(plain.signature)}
    assert check(w.sealed(records), world.root)["ok"]
    records[at]["signature"] = w.text(bytes(64))
    assert kinds(check(w.sealed(records), world.root)) == {"bad_signature"}


def test_garbage_is_refused_calmly() -> None:
    """Whatever the file holds, the answer is no and never an exception."""
    chance = random.Random(3)
    for data in (b"", b"\n", b"\0" * 100, b"{}\n", b"{\n", chance.randbytes(3000), line({"end": {"lines": 0, "sha256": ""}}), b"null\n" * 50):
        assert not check(data)["ok"]


def test_statement_fields_are_what_the_node_says() -> None:
    """The verifier's table of shapes has the same fields in the same order as the node's classes."""
    for shape, cls in {
        "header": entry.Header,
        "opening": entry.Opening,
        "statement": Statement,
        "body": Body,
        "head": Head,
        "hold": entry.Hold,
    }.items():
        assert [f.partition(":")[0] for f in verifier.SHAPES[shape].split()] == list(cls.__struct_fields__)
    for shape, cls in {"paper": said.Paper, "envelope": said.Envelope, "annex": said.Annex, "mark": said.Mark, "recipient": said.Recipient}.items():
        fields = [f.partition(":")[0] for f in verifier.SHAPES[shape].split() if f != "+"]
        assert fields == list(cls.__struct_fields__)[: len(fields)]
    assert said.RECEIPTS == verifier.RECEIPTS


def test_moments_beyond_the_calendar_are_refused() -> None:
    """A claimed time that no calendar has is a problem, not an error."""
    for at in (250_000_000_000_001, 2**63 - 1):
        with pytest.raises(verifier.Fault):
            verifier.moment(at)
    assert verifier.moment(w.AT) == dt.datetime.fromtimestamp(w.AT / 1000, dt.UTC)
    assert isinstance(io.BytesIO(), io.IOBase)

"""Backup, selfcheck and the boot unit of one city that runs."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from node import enrol, keys
from node.errors import Conflict, Refused
from node.settings import load
from ops import backup, selfcheck, supervise
from tests import books, postgres
from tests.books import Noted, draft, write


@pytest.fixture
def book(tmp_path: Path) -> Iterator[books.Book]:
    """A city's book with thirty entries and an attachment."""
    with books.opened(tmp_path) as opened:
        made = opened["city"]
        for n in range(30):
            write(made, draft(made, Noted(f"entry {n}")))
        made.blobs.put([b"an attachment"])
        yield made


def spoil(file: Path, sql: str) -> None:
    """Change a database behind everybody's back."""
    with closing(sqlite3.connect(file)) as c:
        c.execute(sql)
        c.commit()


def test_a_backup_of_a_writing_node_is_consistent(book: books.Book, tmp_path: Path) -> None:
    """Made while the book goes on writing, a backup verifies, and the journal in it is sound from opening to head."""
    out = tmp_path / "a.tar"
    told = backup.create(book.settings, out)
    write(book, draft(book, Noted("afterwards")))
    assert backup.check(out)["files"] == told["files"]
    assert out.stat().st_mode & 0o077 == 0
    home = tmp_path / "again"
    with tarfile.open(out) as tar:
        tar.extractall(home)
    shutil.copy(book.settings.path("node.toml"), home / "node.toml")
    found = selfcheck.check(load(home), deep=True)
    assert found["index_ok"] and found["bad"] == [] and found["blobs"] == 1 and found["rows"] > 30


@pytest.mark.promise("P7")
def test_a_damaged_backup_is_told(book: books.Book, tmp_path: Path) -> None:
    """One bit changed in any byte of a backup (content, names, padding, manifest, sum), or its end cut off: it is no backup."""
    out, bad = tmp_path / "a.tar", tmp_path / "b.tar"
    backup.create(book.settings, out)
    good, dice = out.read_bytes(), random.Random(3)
    with tarfile.open(out) as tar:
        members = [offset for member in tar for offset in (member.offset, member.offset + 150, member.offset_data)]
    for place in [*members, len(good) - 1, *(dice.randrange(len(good)) for _ in range(20))]:
        data = bytearray(good)
        data[place] ^= 1 << dice.randrange(8)
        bad.write_bytes(data)
        with pytest.raises(backup.Corrupt):
            backup.check(bad)
    for end in (len(good) // 5, len(good) // 2, len(good) - 12_000):
        bad.write_bytes(good[:end])
        with pytest.raises(backup.Corrupt):
            backup.check(bad)


@pytest.mark.row("H6")
def test_a_backup_becomes_a_home_again(book: books.Book, tmp_path: Path) -> None:
    """Restored by its passphrase and by no other, into an empty directory and no other, it opens with every entry; tokens are not in it."""
    enrol.new_token(book.settings, "county", "某县", "371601", dt.datetime.now(dt.UTC), dt.timedelta(hours=1))
    out = tmp_path / "a.tar"
    told = backup.create(book.settings, out, "correct horse battery")
    assert (told["secrets"], told["holds"]["blobs"]) == ("sealed", 1) and told["holds"]["entries"] > 30
    secret = keys.read_secret(book.settings.path("keys", "identity.key"))
    assert secret not in out.read_bytes() and secret.splitlines()[1] not in out.read_bytes()
    for home, phrase, wrong in ((tmp_path / "x", "", Refused), (tmp_path / "y", "wrong horse battery", Refused), (tmp_path, "", Conflict)):
        with pytest.raises(wrong):
            backup.restore(out, home, phrase)
        assert not (home / "node.toml").exists()
    assert not (tmp_path / "y").exists(), "the wrong passphrase left half a home, into which nothing can be restored"
    made = backup.restore(out, tmp_path / "again", "correct horse battery")
    assert made.path("keys", "identity.key").read_bytes() == secret and not made.path("keys", "tokens.json").exists()
    assert {path.stat().st_mode & 0o077 for path in made.path("keys").iterdir()} == {0}
    again = books.Book(made, book.rooms)
    assert again.status()["state"] == "recovering" and books.texts(again) == books.texts(book)
    again.close()


def forged(out: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """A backup that somebody made up: any members, with a manifest and a sum that agree with them."""
    files = {m.name: {"name": m.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for m, data in members if m.isreg()}
    manifest = json.dumps({"format": 2, "node": "a", "name": "a", "tier": "city", "at": "", "files": list(files.values())}).encode()
    with out.open("wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
        tar.addfile(plain("manifest.json", manifest)[0], io.BytesIO(manifest))
        raw.flush()
        sum_ = hashlib.sha256(out.read_bytes()[: tar.offset]).hexdigest().encode()
        tar.addfile(plain("sum", sum_)[0], io.BytesIO(sum_))
    return out


def plain(name: str, data: bytes, **other: object) -> tuple[tarfile.TarInfo, bytes]:
    """One member of an archive."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for what, value in other.items():
        setattr(member, what, value)
    return member, data


HOLES = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(1 << 40), "GNU.sparse.map": f"{1 << 40},0"}
FORGED = {
    "absolute": plain("/tmp/evil", b"evil"),
    "outside": plain("keys/../../evil", b"evil"),
    "outside by a dot": plain("keys/./../evil", b"evil"),
    "no name": plain(".", b"evil"),
    "sessions": plain("local.db", b"evil"),
    "a hot journal": plain("journal.db-wal", b"evil"),
    "tables": plain("tables/people/current", b"evil"),
    "a link": plain("keys/link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": plain("keys/link", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "a device": plain("keys/zero", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5),
    "a pipe": plain("keys/pipe", b"", type=tarfile.FIFOTYPE),
    "holes": plain("journal.db", b"", pax_headers=HOLES),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_backup_writes_nothing_anywhere(case: str, tmp_path: Path) -> None:
    """Names that lead outside or to what is believed unsigned, links, devices, a terabyte of holes in a few bytes: refused, nothing is left."""
    bad = forged(tmp_path / "bad.tar", FORGED[case], plain("journal.db" if case != "holes" else "node.toml", b"x"))
    with pytest.raises(backup.Corrupt):
        backup.restore(bad, tmp_path / "home" / "inner")
    assert {path.name for path in tmp_path.rglob("*")} <= {"bad.tar", "home"}


def test_a_backup_that_names_a_file_twice_or_is_no_home_is_refused(tmp_path: Path) -> None:
    """Of two files of one name only one was checked; settings that are none make no home; both leave the directory as it was."""
    twice = forged(tmp_path / "twice.tar", plain("journal.db", b"first"), plain("journal.db", b"second"))
    none = forged(tmp_path / "none.tar", plain("node.toml", b"id = 3"), plain("journal.db", b"x"))
    for bad in (twice, none):
        with pytest.raises(backup.Corrupt):
            backup.restore(bad, tmp_path / "home")
        assert not (tmp_path / "home").exists()


def test_an_identity_becomes_a_home_that_waits(book: books.Book, tmp_path: Path) -> None:
    """Sealed by a passphrase and opened by no other, it holds no entry; the home built of it is the same node, recovering."""
    out = tmp_path / "identity"
    backup.export_identity(book.settings, out, "correct horse battery")
    secret = keys.read_secret(book.settings.path("keys", "identity.key"))
    assert secret.splitlines()[1] not in out.read_bytes() and out.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict):
        backup.export_identity(book.settings, out, "correct horse battery")
    for home, phrase, wrong in ((tmp_path / "x", "wrong horse battery", Refused), (tmp_path, "correct horse battery", Conflict)):
        with pytest.raises(wrong):
            backup.import_identity(out, home, phrase)
        assert not (home / "node.toml").exists()
    made = backup.import_identity(out, tmp_path / "again", "correct horse battery")
    assert made.id == book.settings.id and made.path("keys", "identity.key").read_bytes() == secret
    again = books.Book(made, book.rooms)
    assert again.status()["state"] == "recovering" and books.texts(again) == []
    again.close()


def test_a_node_on_postgresql_is_backed_up_and_restored(tmp_path: Path) -> None:
    """The journal of a server is copied in one snapshot; restored to an empty schema or to SQLite it is the same, and goes on."""
    with postgres.server() as url, books.opened(tmp_path, counties=0, townships=0, storage=url) as opened:
        made = opened["city"]
        for n in range(5):
            write(made, draft(made, Noted(f"entry {n}")))
        backup.create(made.settings, tmp_path / "a.tar")
        with pytest.raises(Conflict):
            backup.restore(tmp_path / "a.tar", tmp_path / "taken", storage=url)
        for home, storage in ((tmp_path / "lite", "sqlite"), (tmp_path / "server", url.replace("/postgres", "/other"))):
            if storage != "sqlite":
                with create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT").connect() as c:
                    c.execute(text("create database other"))
            again = books.Book(backup.restore(tmp_path / "a.tar", home, storage=storage), made.rooms)
            again.epochs.confirm()
            write(again, draft(again, Noted("more")))
            assert books.texts(again) == [*books.texts(made), "more"] and selfcheck.check(again.settings, deep=True)["bad"] == []
            again.close()


DAMAGE = {
    "a body": ("entry", "update entries set body = zeroblob(length(body)) where number = 7"),
    "a header": ("entry", "update entries set header = zeroblob(length(header)) where number = 7"),
    "a missing entry": ("entry", "delete from entries where number = 7"),
    "a missing end": ("chain", "delete from entries where number = (select max(number) from entries)"),
    "a missing head": ("head", "delete from heads where (chain, seq) in (select no, count - 1 from chains)"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_selfcheck_finds_what_was_changed(book: books.Book, what: str) -> None:
    """Whatever of the journal is changed or taken away is found and named; before that nothing is."""
    assert selfcheck.check(book.settings, deep=False)["bad"] == []
    kind, sql = DAMAGE[what]
    spoil(book.settings.path("journal.db"), sql)
    assert kind in {one["kind"] for one in selfcheck.check(book.settings, deep=False)["bad"]}


def test_selfcheck_finds_a_changed_attachment(book: books.Book) -> None:
    """An attachment whose bytes have changed is named by its hash."""
    file = next(book.settings.path("blobs").glob("??/*"))
    file.chmod(0o600)
    file.write_bytes(b"An attachment")
    assert [(one["kind"], one["blob"]) for one in selfcheck.check(book.settings, deep=False)["bad"]] == [("blob", file.name)]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here to ask")
def test_systemd_understands_the_boot_unit(book: books.Book, tmp_path: Path) -> None:
    """systemd takes the unit without a complaint, for a home with blanks and signs in its path too."""
    home = tmp_path / '无棣 100% "$x"'
    shutil.copytree(book.settings.home, home, ignore=shutil.ignore_patterns("*.db*"))
    file = tmp_path / "yiwang-371600.service"
    file.write_text(supervise.unit(load(home)), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False, env=os.environ | {"LANG": "C"})
    assert "yiwang-371600" not in done.stderr, done.stderr

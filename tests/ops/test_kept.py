"""Backup, selfcheck and the boot unit of one city that runs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.settings import load
from ops import backup, selfcheck, supervise
from tests import books
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


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_damaged_backup_is_told(book: books.Book, tmp_path: Path, at: float) -> None:
    """One byte changed anywhere in the files of a backup, or its end cut off: it is no backup."""
    out = tmp_path / "a.tar"
    backup.create(book.settings, out)
    with tarfile.open(out) as tar:
        journal = tar.getmember("journal.db")
    data = bytearray(out.read_bytes())
    data[journal.offset_data + int(journal.size * at)] ^= 1
    (tmp_path / "b.tar").write_bytes(data)
    (tmp_path / "c.tar").write_bytes(out.read_bytes()[: int(len(data) * at)])
    for name in ("b.tar", "c.tar"):
        with pytest.raises(backup.Corrupt):
            backup.check(tmp_path / name)


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

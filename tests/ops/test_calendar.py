"""``yiwang calendar`` and ``deadlines`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.directory import lines
from node.directory.entries import Calendar
from office.frame.calendar import shipped
from ops.cli import main
from tests.ops.conftest import call

WHEN = "2026-09-24T23:59:00+08:00"


def evaluate(*args: str, home: Path | None = None) -> tuple[int, dict[str, object]]:
    """Exit code and answer of one evaluation."""
    said = call(home, "calendar", "eval", *args)
    return said.code, said.json


@pytest.mark.row("C3")
@pytest.mark.promise("P15")
@pytest.mark.parametrize(
    ("rule", "due"),
    [("20wd", "2026-10-29T23:59:59+08:00"), ("15d", "2026-10-09T23:59:59+08:00"), ("24h", "2026-09-25T23:59:00+08:00")],
)
def test_a_term_is_worked_out_without_a_node(rule: str, due: str) -> None:
    """No home, no process: the end, each day on the way, and the calendar to count it again."""
    code, said = evaluate("--from", WHEN, "--rule", rule)
    assert (code, said["cmd"], said["ok"], said["node"], said["due"]) == (0, "calendar eval", True, None, due)
    assert said["steps"] and isinstance(said["steps"], list)
    assert said["provisional"] is False


@pytest.mark.row("M7")
def test_the_answer_of_a_version_can_be_asked_for_again() -> None:
    """What an answer says of its calendar is what ``--calendar`` takes, and gives the same answer."""
    _code, first = evaluate("--from", "2026-12-30T10:00:00Z", "--rule", "disclose.reply")
    _code, again = evaluate("--from", "2026-12-30T10:00:00Z", "--rule", "disclose.reply", "--calendar", str(first["calendar"]))
    assert (first["calendar"], first["missing"], first["provisional"]) == ("2026.1+2027.0", [2027], True)
    assert {k: v for k, v in first.items() if k != "at"} == {k: v for k, v in again.items() if k != "at"}


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--from", WHEN), 2),
        (("--from", WHEN, "--rule", "5 days"), 4),
        (("--from", WHEN, "--rule", "0wd"), 4),
        (("--from", "2026-09-24", "--rule", "5wd"), 4),
        (("--from", "2026-09-24T23:59:00", "--rule", "5wd"), 4),
        (("--from", "9999-12-31T23:59:00Z", "--rule", "5wd"), 4),
        (("--from", "0001-01-01T00:00:00+14:00", "--rule", "5wd"), 4),
        (("--from", WHEN, "--rule", "disclose.everything"), 3),
        (("--from", WHEN, "--rule", "5wd", "--calendar", "2026.9"), 3),
        (("--from", WHEN, "--rule", "5wd", "--calendar", "latest"), 4),
    ],
)
def test_what_cannot_be_counted_is_refused(args: tuple[str, ...], code: int) -> None:
    """Wrong moments, terms, rules and versions each get their exit code and no traceback."""
    said = call(None, "calendar", "eval", *args)
    assert (said.code, said.json["ok"]) == (code, False)
    assert "Traceback" not in said.err


def test_a_person_reads_the_days_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json: the end first, what is provisional says so, then each day with why it counts or not."""
    assert main(["calendar", "eval", "--from", "2026-12-31T10:00:00+08:00", "--rule", "1wd"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "届满：2027-01-04 23:59:59+08:00"
    assert told[1].startswith("暂定：2027")
    assert [row.split()[-1] for row in told[3:]] == ["法定节假日", "周末", "周末", "工作日"]


def test_the_demonstrations_calendar_is_the_published_one() -> None:
    """What the demonstration's city signs for 2026 is what the program brings along."""
    file = Path(__file__).resolve().parents[2] / "ops/data/demo.jsonl"
    rows = [json.loads(row) for row in file.read_text(encoding="utf-8").splitlines() if '"calendar"' in row]
    assert [(row["year"], row["off"], row["worked"]) for row in rows] == [
        (c.year, [d.isoformat() for d in c.off], [d.isoformat() for d in c.worked]) for c in shipped() if c.year == 2026
    ]
    for each in shipped():
        assert isinstance(each, Calendar)
        lines.check_calendar(each.year, each.off, each.worked)


def test_other_law_needs_a_file_and_a_home(tmp_path: Path) -> None:
    """Comparing with nothing, without a home or with a file that is not there is a wrong call."""
    assert call(tmp_path, "calendar", "what-if").code == 2
    assert call(None, "calendar", "what-if", "--rules", "x.json").code == 2
    assert call(None, "deadlines").code == 2
    assert call(tmp_path, "calendar", "eval", "--from", WHEN, "--rule", "5wd").code == 2


def test_the_table_of_terms_is_told_line_by_line() -> None:
    """Each rule with its limit and article, as JSON Lines."""
    rows = [json.loads(row) for row in call(None, "calendar", "rules").out.splitlines()]
    assert {row["id"] for row in rows} >= {"disclose.reply", "permit.decide", "archive.hand_in"}
    assert all(row["ok"] and row["limit"] and row["basis"] for row in rows)


def test_a_home_that_never_ran_says_so(city: Path) -> None:
    """With a home the city's calendar counts; while the node has no tables yet, that is told and nothing is guessed."""
    code, said = evaluate("--from", WHEN, "--rule", "5wd", home=city)
    assert code in (3, 5), said

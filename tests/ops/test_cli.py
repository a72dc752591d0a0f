"""The command line's conventions: envelope, exit codes, bad input."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.ops.conftest import Said, call

WRONG = [
    (["nonsense"], "no such command"),
    ([], "no command at all"),
    (["--timeout", "soon", "version"], "a timeout that is no number"),
    (["--lang", "fr", "version"], "a language it does not speak"),
    (["status"], "no home"),
    (["node", "init", "--tier", "kingdom", "--name", "a", "--code", "b"], "no such tier"),
    (["node", "init", "--tier", "city"], "options missing"),
    (["node", "token", "--tier", "county", "--name", "a", "--code", "b", "--ttl", "yesterday"], "no length of time"),
    (["status", "--wait", "rapture"], "an unknown condition"),
]


def fails(said: Said, code: int) -> dict[str, object]:
    """The error of a refused call, after checking that the call kept the conventions."""
    assert said.code == code, (said.code, said.out, said.err)
    assert "Traceback" not in said.out + said.err
    found = said.json
    assert {"v", "cmd", "ok", "node", "at", "error"} <= found.keys()
    assert found["ok"] is False
    assert found["error"].keys() >= {"code", "message", "retry", "indeterminate"}
    assert found["error"]["retry"] in ("never", "later", "after_operator")
    return dict(found["error"])


@pytest.mark.parametrize(("args", "why"), WRONG, ids=[why for _, why in WRONG])
def test_wrong_calls_are_usage_errors(args: list[str], why: str, tmp_path: Path) -> None:
    """Whatever is wrong about a call: exit 2 and one JSON object that says so."""
    home = None if why == "no home" else tmp_path
    fails(call(home, *args), 2)


def test_every_answer_stands_in_the_envelope() -> None:
    """An answer has version, command, ok, node and the time with its offset, and nothing else is on standard output."""
    found = call(None, "version").json
    assert (found["v"], found["cmd"], found["ok"], found["node"]) == (1, "version", True, None)
    assert datetime.fromisoformat(found["at"]).utcoffset() is not None
    assert found["suites"] == ["ed25519", "p256"] and found["protocol"]["min"] <= found["protocol"]["max"]


def test_a_folder_that_is_no_home_is_named(tmp_path: Path) -> None:
    """A command on an empty folder says that there is no node, with exit 2."""
    assert "node.toml" in str(fails(call(tmp_path, "status"), 2)["message"])


def test_a_damaged_setting_is_named(city: Path) -> None:
    """An unknown key in node.toml is an error that names it, and not a crash."""
    file = city / "node.toml"
    file.write_text(file.read_text() + 'colour = "red"\n')
    assert "colour" in str(fails(call(city, "status"), 2)["message"])


def test_a_node_that_does_not_run_says_so(city: Path) -> None:
    """status of a stopped node is exit 5 and comes at once; stop of a stopped node is done already."""
    assert fails(call(city, "status"), 5)["code"] == "stopped"
    assert call(city, "stop").json["stopped"] == []


def test_a_home_is_not_made_twice(city: Path) -> None:
    """init on a home that exists is a conflict and changes nothing."""
    before = (city / "node.toml").read_bytes()
    said = call(city, "node", "init", "--tier", "city", "--name", "乙市", "--code", "1")
    fails(said, 6)
    assert (city / "node.toml").read_bytes() == before


def test_help_speaks_both_languages() -> None:
    """Help is Chinese unless English is asked for, and then has no Chinese left in it."""
    import subprocess
    import sys

    def said(*args: str) -> str:
        return subprocess.run([sys.executable, "-P", "-m", "ops.cli", *args, "--help"], capture_output=True, text=True, check=True).stdout

    assert "建立节点" in said("node", "init")
    for args in ((), ("node", "init"), ("status",), ("demo", "up"), ("send",)):
        english = said("--lang", "en", *args)
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in english), english


def test_secrets_keep_their_mode(city: Path) -> None:
    """Private keys and settings are mode 0600, their folders 0700."""
    for file in (city / "keys").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    for name in ("keys", "people", "run"):
        assert (city / name).stat().st_mode & 0o777 == 0o700, name


def test_json_lines_are_utf8(city: Path) -> None:
    """Names stand in JSON as they are written, not as escapes."""
    said = call(city, "node", "token", "--tier", "county", "--name", "无棣县", "--code", "371623")
    assert said.code == 0 and json.loads(said.out)["join"].startswith("yw1.")

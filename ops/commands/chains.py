"""``yiwang log``, ``verify`` and ``evidence``: chains and proofs leave the node, and are checked without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from node.errors import Invalid
from ops.answer import Answer, Call
from ops.words import _

VERIFIER = Path(__file__).resolve().parent.parent / "yiwang-verify.py"


@click.command(help="离线验证凭证文件：不用节点，不用网络。")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="市根证书。")
@click.option("--doc", default="", help="只看这一件公文。")
@click.option("--proof", type=click.Path(dir_okay=False, path_type=Path), help="把发现的分叉证据写到这个文件。")
@click.pass_obj
def verify(call: Call, bundles: tuple[Path, ...], root: Path | None, doc: str, proof: Path | None) -> Answer:
    """Check bundles with the stand-alone verifier, in a process that has nothing of the node in it."""
    given = [str(file) for file in bundles]
    given += ["--root", str(root)] if root else []
    given += ["--doc", doc] if doc else []
    given += ["--proof", str(proof)] if proof else []
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), "--json", *given], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise Invalid(done.stderr.strip() or f"the verifier ended with {done.returncode}", code="usage")
    found = json.loads(done.stdout)
    return Answer(fields=found, exit=done.returncode, text=_verdict(found))


def _verdict(found: dict[str, object]) -> str:
    problems = found.get("problems")
    if not problems:
        return _("全部成立：文字、签名、链条、回执")
    assert isinstance(problems, list)
    return "\n".join(_("不成立：{kind} {position} {detail}").format(**{"kind": "", "position": "", "detail": "", **row}) for row in problems)

"""``yiwang batch``: many commands in one process, for programs that call often and would rather not start Python each time."""

from __future__ import annotations

import json
import sys

import click

from ops.answer import Call, line


@click.command(help='从标准输入逐行读取命令（每行一个 JSON 数组），逐个执行；每个命令的输出之后有一行 {"exit": 退出码}。')
@click.pass_obj
def batch(call: Call) -> None:
    """Run commands read from standard input, each as if it had been called alone, with this call's home; ends with one that took too long."""
    from ops import cli

    home = ["--home", str(call.home)] if call.home else []
    for text in sys.stdin:
        code = cli.main(["--json", *home, *_words(text)])
        last = cli.rang.is_set()
        click.echo(line({"exit": code} | ({"last": True} if last else {})))
        sys.stdout.flush()
        if last:
            return


def _words(text: str) -> list[str]:
    try:
        words = json.loads(text)
    except ValueError:
        return ["--not-a-command"]
    return [str(word) for word in words] if isinstance(words, list) else ["--not-a-command"]

"""The ``yiwang`` command: global options, commands loaded when they are called, one answer, one exit code.

Nothing but the called command's module is imported, because ``status`` must answer in a blink. Whatever a command
raises ends here: a :class:`NodeError` becomes the envelope's ``error`` and its exit code; anything else is a bug, told on
standard error, with exit code 70.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from node.errors import Invalid, NodeError, Unreachable
from ops import words
from ops.answer import Answer, Call, Lines, envelope, line, problem, prose

COMMANDS: dict[str, tuple[str, str]] = {
    "node": ("ops.commands.nodes:node", "建立节点，办理入网"),
    "run": ("ops.commands.life:run", "启动本节点"),
    "stop": ("ops.commands.life:stop", "停止本节点"),
    "status": ("ops.commands.life:status", "本节点的状态"),
    "version": ("ops.commands.life:version", "版本"),
    "dir": ("ops.commands.directory:directory", "机构、岗位、人员名录"),
    "user": ("ops.commands.directory:user", "人员的钥匙和证书"),
    "send": ("ops.commands.documents:send", "发文"),
    "inbox": ("ops.commands.documents:inbox", "收文"),
    "doc": ("ops.commands.documents:doc", "读取公文"),
    "receipt": ("ops.commands.documents:receipt", "签收、退文、阅知、办结"),
    "receipts": ("ops.commands.documents:receipts", "一件公文的回执"),
    "search": ("ops.commands.search:search", "查询本节点的公文"),
    "deadlines": ("ops.commands.calendar:deadlines", "本节点收文的期限"),
    "calendar": ("ops.commands.calendar:calendar", "工作日历和办理期限"),
    "blob": ("ops.commands.blobs:blob", "附件"),
    "log": ("ops.commands.chains:log", "日志链的导出和跟踪"),
    "trust": ("ops.commands.trust:trust", "吊销、证书清单、分叉"),
    "audit": ("ops.commands.audit:audit", "审计日志的导出和核对"),
    "verify": ("ops.commands.chains:verify", "离线验证凭证文件"),
    "evidence": ("ops.commands.chains:evidence", "导出凭证文件"),
    "selfcheck": ("ops.commands.checks:selfcheck", "检查本节点保存的全部数据"),
    "backup": ("ops.commands.backups:backup", "备份"),
    "courier": ("ops.commands.sticks:courier", "用移动介质代替线路"),
    "demo": ("ops.commands.demos:demo", "在本机演示一张网"),
    "batch": ("ops.commands.batch:batch", "在一个进程里执行许多命令"),
    "entry": ("ops.commands.entries:entry", "日志条目的字节和 JSON"),
    "wire": ("ops.commands.wire:wire", "以一个节点的钥匙在线路上说话"),
    "cert": ("ops.commands.entries:cert", "按给定内容签发证书"),
    "proof": ("ops.commands.proofs:proof", "核对分叉证据"),
    "sim": ("ops.commands.sim:sim", "模拟一张网，检验历史一致"),
}
FAMILIES = (
    "node", "dir", "user", "doc", "blob", "log", "backup", "courier", "demo",
    "evidence", "calendar", "trust", "audit", "entry", "wire", "cert", "proof",
)  # fmt: skip
"Words that another word follows."
ENDLESS = ("run", "demo", "batch")
"Commands that set their own limits."
DEFAULT_TIMEOUT = 60.0
GRACE = 1.0
"Seconds past ``--timeout`` after which the guard ends a command that did not end itself."


class Commands(click.Group):
    """A group that imports a command's module only when it is called, and speaks the chosen language."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return translated(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, from the table rather than from imported commands."""
        with formatter.section(words._("命令")):
            formatter.write_dl([(name, words._(short)) for name, (_, short) in COMMANDS.items()])


def translated(command: click.Command) -> click.Command:
    """The command with its help in the chosen language, and those below it."""
    command.help = words._(command.help) if command.help else None
    for param in command.params:
        if isinstance(param, click.Option) and param.help:
            param.help = words._(param.help)
    for below in getattr(command, "commands", {}).values():
        translated(below)
    return command


def _speak(ctx: click.Context, param: click.Parameter, value: str) -> str:
    words.speak(value)
    translated(ctx.command)
    return value


@click.group(cls=Commands, help="一网：市、县、乡镇公文网络的命令。")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), envvar="YIWANG_HOME", help="节点目录；本节点的一切都在其中。")
@click.option("--json", "as_json", is_flag=True, help="标准输出只有 JSON。")
@click.option("--lang", type=click.Choice(words.LANGUAGES), default="zh", is_eager=True, callback=_speak, expose_value=False, help="语言。")
@click.option("--timeout", type=click.FloatRange(min=0.01, max=10_000_000), help="最多等待的秒数。")
@click.pass_context
def cli(ctx: click.Context, home: Path | None, as_json: bool, timeout: float | None) -> None:
    """Take the global options; commands find them as ``Call``."""
    ctx.obj = Call(home=home.absolute() if home else None, json=as_json, timeout=timeout)
    if ctx.invoked_subcommand not in ENDLESS:
        alarm((DEFAULT_TIMEOUT if timeout is None else timeout) + GRACE)


rang = threading.Event()
"Set once a command was ended by its limit: whatever it was doing, loading a module perhaps, is half done in this process."


def alarm(seconds: float) -> None:
    """End whatever is going on after so many seconds; 0 takes an earlier limit back (for what follows for ever)."""

    def ring(*_: object) -> None:
        rang.set()
        raise _late()

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _late() -> Unreachable:
    return Unreachable("this took longer than --timeout", code="timeout", indeterminate=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    teller = Teller("--json" in given, given)
    try:
        found = cli.main(args=given, prog_name="yiwang", standalone_mode=False)
        return teller.answer(found)
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.UsageError as e:
        return teller.usage(e)
    except click.ClickException as e:
        return teller.failed(Invalid(e.format_message(), code="usage"), 2)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 130
    except NodeError as e:
        return teller.failed(e)
    except Exception as e:
        return teller.failed(_late()) if rang.is_set() else teller.bug(e)  # whatever the limit broke off may call it something else
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Teller:
    """Prints answers and failures the way the global options asked for."""

    def __init__(self, as_json: bool, given: Sequence[str]) -> None:
        self.json = as_json
        self.given = given

    @property
    def cmd(self) -> str:
        """The command as it was called, without its arguments."""
        skip = False
        found: list[str] = []
        for word in self.given:
            if skip or word.startswith("-"):
                skip = not skip and word in ("--home", "--lang", "--timeout")
                if found and not skip:
                    break
                continue
            found.append(word)
            if len(found) == 2 or word not in FAMILIES:
                break
        return " ".join(found)

    @property
    def node(self) -> str | None:
        """The id of the node the call was about."""
        home = os.environ.get("YIWANG_HOME")
        for at, word in enumerate(self.given):
            if word == "--home" and at + 1 < len(self.given):
                home = self.given[at + 1]
            elif word.startswith("--home="):
                home = word.partition("=")[2]
        return Call(home=Path(home) if home else None, json=True, timeout=None).node()

    def answer(self, found: Any) -> int:
        """Print what a command returned."""
        if isinstance(found, Lines):
            return self._lines(found)
        if not isinstance(found, Answer):
            return int(found or 0)
        code = found.error.exit_code if found.error else found.exit
        ok = code == 0 if found.ok is None else found.ok
        fields = dict(found.fields)
        if found.error:
            fields["error"] = problem(found.error, indeterminate=found.indeterminate)
        if self.json:
            click.echo(line(envelope(self.cmd, fields.pop("node", None) or self.node, ok, fields)))
        elif found.error:
            self.failed(found.error)
        else:
            click.echo(found.text or prose(fields))
        return code

    def _lines(self, found: Lines) -> int:
        node = self.node
        for row in found.rows:
            if found.plain:
                click.echo(line(row))
            else:
                click.echo(line(envelope(self.cmd, node, True, row)) if self.json else prose(row) + "\n")
            sys.stdout.flush()
        return 0

    def failed(self, error: NodeError, code: int | None = None) -> int:
        """Print a failure."""
        if self.json:
            click.echo(line(envelope(self.cmd, self.node, False, {"error": problem(error)})))
        else:
            click.echo(f"{words._('未办成')}：{error}", err=True)
        return error.exit_code if code is None else code

    def usage(self, error: click.UsageError) -> int:
        """Print a wrong call."""
        if self.json:
            return self.failed(Invalid(error.format_message(), code="usage"), 2)
        error.show()
        return 2

    def bug(self, error: Exception) -> int:
        """Print what should not have happened; the traceback goes to standard error."""
        import traceback

        traceback.print_exc()
        return self.failed(NodeError(f"internal error: {type(error).__name__}: {error}", code="internal"), 70)


if __name__ == "__main__":
    sys.exit(main())

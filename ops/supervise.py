"""Supervisor under a home: its configuration, starting and stopping it, and asking it about the processes.

Every home has its own supervisord, reached over ``run/supervisor.sock``. It is the only thing that restarts processes;
``ops.watch`` listens to its events and writes ``run/watch.json``. Stopping goes in two steps, everything but the ledger
first, so that what the others were writing is still taken; both steps together stay under ten seconds.
"""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.errors import Misconfigured, Unreachable
from node.settings import Settings
from node.supervised import SOCKET, Supervisor

STOP_SECONDS = 4
"Patience with one process after SIGTERM, before SIGKILL."
ENDED = ("STOPPED", "EXITED", "FATAL")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A process that supervisord keeps alive."""

    name: str
    command: Sequence[str]
    priority: int = 100
    listener: bool = False
    "An event listener: supervisord tells it what happens to the others."
    waits: bool = False
    "Started by whoever needs it first, not with the node: the relay of a node that has none below it."


def programs(settings: Settings) -> list[Program]:
    """The processes of a node, from its tier's declaration or its own list of roles."""
    from node import tier

    declared = tier.load(settings.tier).roles
    wanted = [role for role in settings.roles or declared if role != "relay" or settings.media]
    unknown = [role for role in wanted if role not in declared]
    if unknown:
        raise Misconfigured(f"a {settings.tier} has no role {unknown[0]!r}", hint=f"roles: {', '.join(declared)}")
    return [_program(settings, role, 100 * at) for at, role in enumerate((r for r in declared if r in wanted), 1)]


def _program(settings: Settings, role: str, priority: int) -> Program:
    home = str(settings.home)
    if role == "watch":
        return Program(name=role, command=(sys.executable, "-P", "-m", "ops.watch", "--home", home), priority=1, listener=True)
    command = (sys.executable, "-P", "-m", f"{settings.tier}_node", role, "--home", home)
    return Program(name=role, command=command, priority=priority, waits=role == "relay" and not settings.listen)


def configuration(declared: Sequence[Program]) -> str:
    """The text of ``supervisor.conf``; its paths are relative to the folder in which supervisord is started."""
    head = (
        f"[unix_http_server]\nfile={SOCKET}\nchmod=0700\n\n"
        "[supervisord]\nlogfile=log/supervisor.log\nlogfile_maxbytes=5MB\nlogfile_backups=2\nloglevel=info\n"
        "pidfile=run/supervisor.pid\nchildlogdir=log\numask=077\nminfds=1024\nminprocs=20\nnocleanup=true\n\n"
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
    )
    return head + "".join(_section(one) for one in declared)


def _section(program: Program) -> str:
    kind, events = ("eventlistener", "events=PROCESS_STATE\nbuffer_size=100\n") if program.listener else ("program", "")
    log = f"log/{program.name}"
    out = "stdout_logfile=NONE\n" if program.listener else f"stdout_logfile={log}.out\nstdout_logfile_maxbytes=2MB\nstdout_logfile_backups=1\n"
    return (
        f"\n[{kind}:{program.name}]\ncommand={_literal(shlex.join(program.command))}\n{events}"
        f"priority={program.priority}\nautostart={str(not program.waits).lower()}\nautorestart=true\n"
        f"startsecs=1\nstartretries=1000000\nstopsignal=TERM\nstopwaitsecs={STOP_SECONDS}\n"
        f'stopasgroup=true\nkillasgroup=true\nenvironment=PYTHONUTF8="1",PYTHONUNBUFFERED="1"\n'
        f"{out}stderr_logfile={log}.log\nstderr_logfile_maxbytes=5MB\nstderr_logfile_backups=2\n"
    )


def _literal(text: str) -> str:
    # supervisor expands %(…)s and takes " ;" for a comment
    if "\n" in text or " ;" in text:
        raise Misconfigured(f"the path {text!r} cannot stand in a supervisor file")
    return text.replace("%", "%%")


def write(folder: Path, declared: Sequence[Program]) -> Path:
    """Write ``supervisor.conf`` and make the folders it names; returns its path."""
    for name in ("run", "log"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "supervisor.conf"
    file.write_text(configuration(declared), encoding="utf-8")
    file.chmod(0o600)
    return file


def unit(settings: Settings) -> str:
    """The text of a systemd unit that starts this node with the machine, under the user who made it."""
    words = (str(Path(sys.executable).with_name("yiwang")), "--home", str(settings.home), "run", "--foreground")
    command = " ".join(_quoted(word).replace("$", "$$") for word in words)
    title = f"Yiwang {settings.name} ({settings.code})".replace("%", "%%")
    return (
        f"[Unit]\nDescription={title}\nAfter=network-online.target time-sync.target\nWants=network-online.target\n\n"
        f"[Service]\nType=exec\nUser={pwd.getpwuid(os.getuid()).pw_name}\nExecStart={command}\n"
        "UMask=0077\nTimeoutStopSec=15\nKillMode=mixed\nRestart=on-failure\nRestartSec=5\nLimitNOFILE=65536\n"
        f"NoNewPrivileges=yes\nProtectSystem=strict\nReadWritePaths={_quoted(str(settings.home))} /tmp\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def _quoted(word: str) -> str:
    """A word as systemd.syntax(7) wants it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def prepare(settings: Settings) -> Path:
    """Write the supervisor file and the boot unit of a home; the path of the former."""
    for former in (settings.path("run", "watch.json"), settings.path("run", "links.json"), *settings.path("run").glob("*.beat")):
        former.unlink(missing_ok=True)  # what an earlier life knew
    boot = settings.path("boot")
    boot.mkdir(exist_ok=True)
    (boot / f"yiwang-{settings.code}.service").write_text(unit(settings), encoding="utf-8")
    return write(settings.home, programs(settings))


def check_path(folder: Path) -> None:
    """Refuse a folder whose sockets could have no address."""
    limit = len(os.fsencode(folder / SOCKET)) + 8  # supervisord binds a temporary name first
    if limit > 107:
        raise Misconfigured(f"the path of {folder} is too long for a local socket", hint="move the home to a shorter path")


def start(folder: Path, *, foreground: bool = False) -> subprocess.Popen[bytes] | None:
    """Start supervisord over a prepared home: as our child when in the foreground, else by itself."""
    check_path(folder)
    command = [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", str(folder / "supervisor.conf")]
    surroundings = {**os.environ, "PYTHONUTF8": "1"}
    if foreground:
        with (folder / "log/supervisor.out").open("ab") as out:
            return subprocess.Popen(
                [*command, "-n"], env=surroundings, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder, start_new_session=True
            )
    done = subprocess.run(command, env=surroundings, capture_output=True, cwd=folder, check=False, timeout=30)
    if done.returncode:
        raise Unreachable(f"supervisor does not start: {(done.stderr or done.stdout).decode(errors='replace').strip()}", code="supervisor")
    return None


def alive(folder: Path) -> bool:
    """Whether a supervisord answers at the folder."""
    try:
        Supervisor(folder, timeout=2.0).pid()
    except Unreachable:
        return False
    return True


def stop(folder: Path) -> dict[str, bool]:
    """Stop everything under a supervisord and itself; tells of each process whether it was up and ended by itself with status 0."""
    boss = Supervisor(folder, timeout=10.0)
    before = {one["name"]: one["statename"] for one in boss.processes() if one["name"] != "watch"}
    _stop_all(boss, [name for name in before if name != "ledger"])
    _stop_all(boss, [name for name in before if name == "ledger"])
    ended = {one["name"]: one["exitstatus"] == 0 and before.get(one["name"]) == "RUNNING" for one in boss.processes() if one["name"] in before}
    pid = boss.pid()
    boss.shutdown()
    wait_for(lambda: not running(pid), STOP_SECONDS + 1.0)
    return ended


def _stop_all(boss: Supervisor, names: Sequence[str]) -> None:
    for name in names:
        boss.stop(name)
    wait_for(lambda: all(one["statename"] in ENDED for one in boss.processes() if one["name"] in names), STOP_SECONDS + 1.0)


def wait_for(reached: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until something holds; false when it does not in time (the end of a stranger's process rings no bell)."""
    return any(reached() for _ in ticks(seconds, 0.05))


def ticks(seconds: float, step: float) -> Iterator[float]:
    """Seconds passed, every ``step`` until ``seconds`` are over; always at least once."""
    begun = time.monotonic()
    while True:
        passed = time.monotonic() - begun
        yield passed
        if passed >= seconds:
            return
        time.sleep(step)


def running(pid: int) -> bool:
    """Whether a process lives (one that has ended and only awaits its parent does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class _Told(BaseException):
    """A signal asked us to stop."""


def hold(folder: Path, child: subprocess.Popen[bytes]) -> bool:
    """Stay with a supervisord in the foreground until told to stop; true when every process ended clean."""

    def ask(*_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise _Told

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    try:
        child.wait()
        return False
    except _Told:
        return _let_go(folder, child)


def _let_go(folder: Path, child: subprocess.Popen[bytes]) -> bool:
    try:
        ended = stop(folder)
    except Unreachable:
        ended = {"supervisor": False}
    if child.poll() is None:
        child.terminate()
    child.wait(timeout=10)
    return all(ended.values())

"""Many nodes on one machine, born of one process, so that they share the memory of everything they load.

A node is four processes of Python, and most of what each holds is code that all nodes hold. Here one process loads it once; for each home
it forks a supervisord, and that supervisord, instead of starting an interpreter for a role, lets the fork it has just made become that
role. What nobody writes to stays one copy (copy on write); what was loaded is frozen, so that the search for garbage does not write to it
either. Everything else is as ever: each home has its own supervisord with its socket, its processes are killed and come back by themselves,
and the nursery may end when the last home has its supervisord.

For demonstrations and laboratories of many small nodes; a node that has its machine for itself gains nothing.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from supervisor import options, supervisord

from node import clock, enrol, roles, tier
from node.book import Book
from node.entry import ALL
from node.errors import Unreachable
from node.requests import of_node
from node.settings import Settings
from ops import supervise, watch

READY = b"ready\n"
SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR2)


class Nursery:
    """The process of which nodes are born, as long as this block lasts; any thread may ask it."""

    def __enter__(self) -> Nursery:
        command = [sys.executable, "-P", "-m", "ops.nursery"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUTF8": "1"})
        self._lock = threading.Lock()
        self._heard(READY)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _heard(self, word: bytes) -> None:
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if told != word:
            raise Unreachable(f"the nursery does not answer: {told.decode(errors='replace').strip()}", code="supervisor")

    def bear(self, home: Path) -> None:
        """Start the supervisord of a prepared home; :class:`~node.errors.Unreachable` when it does not come up."""
        supervise.check_path(home)
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(os.fsencode(home) + b"\n")
            self._process.stdin.flush()
            self._heard(READY)


class _Options(options.ServerOptions):
    """Supervisord's options, but that a role needs no interpreter of its own."""

    def execve(self, filename: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Become the role of a command, in the fork that supervisord has made; any other command is executed."""
        main = _main(argv)
        if main is None:
            os.execve(filename, list(argv), env)  # noqa: S606 - as supervisord does
            return
        _become(main, argv, env)


def _main(argv: Sequence[str]) -> Callable[[], None] | None:
    """What a command like ``python -P -m township_node ledger …`` runs, of what was loaded here."""
    at = argv.index("-m") + 1 if "-m" in argv[:-1] else len(argv)
    module, *given = argv[at:] or [""]
    name = module.removesuffix("_node")
    if module == "ops.watch":
        return watch.main
    return (lambda: roles.main(tier.load(name))) if name in _TIERS and given[:1] in (["ledger"], ["courier"]) else None


_TIERS = ("city", "county", "township")


def _become(main: Callable[[], None], argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run it as if the process had just begun, and end the process with it."""
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = list(argv[argv.index("-m") + 1 :])
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - open as long as the process lives
        sys.stdout, sys.stderr = (open(fd, "w", buffering=1, closefd=False) for fd in (1, 2))  # noqa: SIM115
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # the process ends here, whatever it was
        traceback.print_exc()
    finally:
        os._exit(code)


def preload() -> None:
    """Load what the processes of a node load, as far as none of it opens anything."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.orm import configure_mappers

    import node.ledger
    import sync.courier

    for name in _TIERS:
        tier.load(name).models()
    configure_mappers()
    _rehearse()
    assert node.ledger and sync.courier and sqlite
    gc.collect()
    gc.freeze()


def _rehearse() -> None:
    """Open the book of a home that nobody needs, and write in it: what a ledger works out at its first use is then shared too."""
    with TemporaryDirectory(prefix="yiwang-") as folder:
        wish = Settings(id="", tier="city", name="市", code="000000", city="", listen="tcp://127.0.0.1:1")
        book = Book(enrol.found_city(Path(folder) / "home", wish, clock.now()), [module.ROOM for module in tier.load("city").models()])
        own = enrol.own(book.settings)
        book.commit([("write", ((of_node(book.settings.city, book.here, own, record=own.id, to=ALL),),))])
        book.status()
        book.close()


def main() -> None:
    """Read homes, a line each, until there are no more."""
    preload()
    _answer(READY)
    for line in sys.stdin.buffer:
        home = Path(os.fsdecode(line.rstrip(b"\n")))
        pid = os.fork()
        if not pid:
            _supervise(home)
        _, status = os.waitpid(pid, 0)
        _answer(READY if status == 0 else f"supervisord of {home} ended with {status}\n".encode())


def _answer(word: bytes) -> None:
    os.write(1, word)


def _supervise(home: Path) -> None:
    """Become the supervisord of a home, which goes on by itself."""
    try:
        os.chdir(home)
        sys.argv = ["supervisord", "-c", str(home / "supervisor.conf")]
        supervisord.ServerOptions = _Options  # type: ignore[attr-defined]
        supervisord.main(sys.argv[1:])  # type: ignore[no-untyped-call]
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 2)
    except BaseException:
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


if __name__ == "__main__":
    main()

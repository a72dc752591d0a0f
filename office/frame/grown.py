"""``@grown``: a method that runs at the start and then whenever the journal has grown, one run at a time.

For what follows the journal with a cursor of its own, in its own storage, many entries at once; :func:`office.frame.applied.applied` is
for one entry at a time. A ring carries nothing, so the method looks for itself how far it has got. Whatever goes wrong is said
and tried again at the next look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from eventlet.event import Event

from node import logs
from node.errors import NodeError
from office.frame.applied import Follower, outcome

F = TypeVar("F", bound=Callable[..., Any])
POLL = 30.0
"Seconds between two looks when no bell rings."
log = logs.named("grown")


class Grown(Follower):
    """The entrypoint behind :func:`grown`."""

    def _run(self) -> None:
        wrong = ""
        while not self._ended.ready():
            seen = self._bell.count
            error = self._once()
            if error is not None and str(error) != wrong:
                (log.warning if isinstance(error, NodeError) else log.error)("grown.failed", method=self.method_name, error=str(error))
            wrong = str(error) if error is not None else ""
            self._bell.wait(seen if error is None else self._bell.count, POLL if error is None else 1.0)

    def _once(self) -> Exception | None:
        done = Event()

        def ended(context: Any, result: Any, raised: Any) -> tuple[Any, Any]:
            done.send(result)
            return result, raised

        self.container.spawn_worker(self, (), {}, handle_result=ended)
        return done.wait()  # type: ignore[no-any-return]


def grown(method: F) -> F:
    """Run ``method(self)`` at the start and whenever the journal has grown."""
    return Grown.decorator(outcome(method))  # type: ignore[no-any-return]

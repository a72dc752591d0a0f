"""What the node does by itself: its index follows the journal."""

from __future__ import annotations

from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from office.frame.applied import NodeDesk
from office.frame.desk import Desk
from office.frame.grown import grown
from office.search.follower import Follower


class Index(DependencyProvider):  # type: ignore[misc]
    """The one writer of the index, kept open as long as the service runs."""

    def setup(self) -> None:
        """Opens nothing yet."""
        self._follower = Follower(self.container.config["office"], pause=lambda: eventlet.sleep(0))

    def stop(self) -> None:
        """Give the files back."""
        self._follower.close()

    def get_dependency(self, worker_ctx: Any) -> Follower:
        """The writer."""
        return self._follower


class SearchService:
    """Keeps what can be found up to date."""

    name = "search"
    desk: Desk = NodeDesk()
    index: Follower = Index()

    @grown
    def follow(self) -> None:
        """Take in what was written since."""
        self.index.follow(self.desk)


SERVICES = (SearchService,)

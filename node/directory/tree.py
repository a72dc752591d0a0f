"""Who stands above whom, and which part of the tree a log is for.

A tree is a value: the parent of every node that is known. A node whose parent is not known yet counts as standing alone, so
partial knowledge never widens a span. Loops, which only a faulty parent could sign, end where they close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from node.entry import Audience, Scope


@dataclass(frozen=True)
class Tree:
    """The tree of nodes as one node knows it."""

    parents: Mapping[str, str | None] = field(default_factory=dict)
    "Node id to the id of the node above; None (or empty) at the city."

    @cached_property
    def root(self) -> str:
        """The city: the first node that stands under nobody; empty when none is known."""
        return min((node for node, above in self.parents.items() if not above), default="")

    @cached_property
    def _below(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, list[str]] = {}
        for node, above in self.parents.items():
            if above:
                below.setdefault(above, []).append(node)
        return {node: tuple(sorted(children)) for node, children in below.items()}

    def __contains__(self, node: str) -> bool:
        return node in self.parents

    def parent(self, node: str) -> str | None:
        """The node above, or None."""
        return self.parents.get(node) or None

    def children(self, node: str) -> tuple[str, ...]:
        """The nodes directly below."""
        return self._below.get(node, ())

    def ancestors(self, node: str) -> tuple[str, ...]:
        """The node itself, then the nodes above it up to the city."""
        way = [node]
        while (above := self.parent(way[-1])) and above not in way:
            way.append(above)
        return tuple(way)

    def subtree(self, node: str) -> frozenset[str]:
        """The node and all below it."""
        found, open_ = {node}, [node]
        while open_:
            fresh = [child for child in self.children(open_.pop()) if child not in found]
            found.update(fresh)
            open_.extend(fresh)
        return frozenset(found)

    def path(self, a: str, b: str) -> tuple[str, ...]:
        """The nodes from ``a`` to ``b``, both included; empty when nothing known joins them."""
        up, down = self.ancestors(a), self.ancestors(b)
        meeting = next((node for node in up if node in down), None)
        if meeting is None:
            return ()
        return (*up[: up.index(meeting) + 1], *reversed(down[: down.index(meeting)]))

    def span(self, author: str, audience: Audience) -> frozenset[str]:
        """The smallest part of the tree that joins an author and its audience; the author is always in it."""
        if audience.scope is Scope.SELF:
            return frozenset({author})
        if audience.scope is Scope.UP:
            return frozenset(self.ancestors(author))
        if audience.scope is Scope.DOWN:
            return self.subtree(author)
        if audience.scope is Scope.ALL:
            return frozenset({*self.parents, author})
        return frozenset(self.path(author, audience.node)) | {author}

    def spans(self, author: str, audience: Audience, node: str) -> bool:
        """Whether a chain of this author and audience belongs at ``node``; computed without building the span."""
        if node == author:
            return True
        if audience.scope is Scope.SELF:
            return False
        if audience.scope is Scope.UP:
            return node in self.ancestors(author)
        if audience.scope is Scope.DOWN:
            return author in self.ancestors(node)
        if audience.scope is Scope.ALL:
            return node in self.parents
        return node in self.path(author, audience.node)

    def toward(self, me: str, other: str) -> str | None:
        """The neighbour of ``me`` on the way to ``other``; None for oneself and for what nothing known joins."""
        way = self.path(me, other)
        return way[1] if len(way) > 1 else None

    def neighbours(self, node: str) -> tuple[str, ...]:
        """The node above, if any, then those below."""
        above = self.parent(node)
        return (*((above,) if above else ()), *self.children(node))

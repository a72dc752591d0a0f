"""Whether a chain goes over a line: it does when the node at the other end lies inside the chain's span.

While the tree is not known (a node that has just joined knows itself and its parent), a child offers everything of
unknown authors to its parent, and a parent offers what is for everyone, so that the directory itself can arrive.
"""

from __future__ import annotations

from typing import Protocol

from node.directory.tree import Tree
from node.entry import Audience, Scope


class Placed(Protocol):
    """What of a chain decides where it goes."""

    @property
    def author(self) -> str: ...
    @property
    def audience(self) -> Audience: ...


def goes(tree: Tree, chain: Placed, neighbour: str, *, up: bool) -> bool:
    """Whether ``neighbour`` (the parent when ``up``) is to have the chain."""
    if chain.audience.scope is Scope.SELF:
        return False
    if chain.audience.scope is Scope.ALL:
        return True
    if up and not known(tree, chain):
        return True
    return tree.spans(chain.author, chain.audience, neighbour)


def welcome(tree: Tree, chain: Placed, here: str) -> bool:
    """Whether ``here`` may take a chain that a neighbour offers."""
    if chain.audience.scope is Scope.SELF:
        return chain.author == here
    return chain.audience.scope is Scope.ALL or not known(tree, chain) or tree.spans(chain.author, chain.audience, here)


def known(tree: Tree, chain: Placed) -> bool:
    """Whether the tree says where the chain's author, and its reader if it names one, stand."""
    return chain.author in tree and (not chain.audience.node or chain.audience.node in tree)

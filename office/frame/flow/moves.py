"""Move tables: which step leads from which state to which, and who may take it. The same table draws buttons and checks posts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from node.errors import Conflict, Missing, Refused
from office.frame.words import _


@dataclass(frozen=True)
class Move:
    """A step."""

    name: str
    start: tuple[str, ...] | str
    "States in which it may be taken."
    end: str | None
    "State after it; None when it stays."
    by: tuple[str, ...] | str = field(default=(), kw_only=True)
    "Roles of posts, or parts played in the matter; any of them will do, and none at all is everybody."

    def starts(self, state: str) -> bool:
        """Whether the step may be taken in a state."""
        return state == self.start if isinstance(self.start, str) else state in self.start

    def allows(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles may take it."""
        needed = (self.by,) if isinstance(self.by, str) else self.by
        return not needed or any(role in roles for role in needed)


class Flow:
    """A table of moves; several moves of one name differ by state or role."""

    def __init__(self, *moves: Move) -> None:
        self.moves = moves

    def offers(self, state: str, roles: Collection[str]) -> list[Move]:
        """The steps that somebody with these roles may take now, in the order of the table, one of each name."""
        fit = (move for move in self.moves if move.starts(state) and move.allows(roles))
        return list({move.name: move for move in reversed(list(fit))}.values())[::-1]

    def allows(self, state: str, name: str, roles: Collection[str]) -> bool:
        """Whether the step may be taken now by somebody with these roles."""
        return any(move.name == name for move in self.offers(state, roles))

    def step(self, state: str, name: str, roles: Collection[str]) -> str:
        """The state after a step.

        :class:`Missing` for a step that the table does not have, :class:`Refused` for one that is not this person's,
        :class:`Conflict` when the matter has moved on meanwhile.
        """
        named = [move for move in self.moves if move.name == name]
        if not named:
            raise Missing(_("没有这一步操作。"))
        if not any(move.allows(roles) for move in named):
            raise Refused(_("您的岗位不能办理这一步。"), code="not_yours")
        here = [move for move in named if move.starts(state)]
        if not here:
            raise Conflict(_("这件事刚刚有了变化，已不在这一步。请刷新后再看。"), code="moved_on")
        fit = next((move for move in here if move.allows(roles)), None)
        if fit is None:
            raise Refused(_("您的岗位不能办理这一步。"), code="not_yours")
        return state if fit.end is None else fit.end

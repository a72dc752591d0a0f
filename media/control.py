"""How a room is led: who may speak, who asks to, whom all look at, a roll call and a vote. Pure.

The chair's word stands for the whole room and has a number; a later one replaces an earlier one, wherever it is heard first. A node that takes
its own subtree out for a while (套开: ``nest``) gives the word there itself: it comes from above only, and ends when that node gives it back.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.errors import Invalid

BANNER, DEPUTIES, FLOOR = 100, 10, 20
"Most characters of a banner or a question, most deputies, most people who have the floor at once."
VOTES = ("yes", "no", "abstain")


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The chair's word."""

    number: int = 0
    nest: str = ""
    "Id of the node that leads its own subtree; empty for the whole room."
    quiet: bool = False
    "Whether only those speak who were given the floor."
    floor: tuple[str, ...] = ()
    "Persons who were."
    deputies: tuple[str, ...] = ()
    "Persons who may lead beside the chair."
    main: str = ""
    "Person whom every page shows large."
    banner: str = ""
    "A line that all read."
    roll: int = 0
    "Number of the roll call; whoever is here answers with it."
    poll: int = 0
    question: str = ""
    "What is voted on, under a number of its own; empty when nothing is."
    record: bool = False
    "Whether it is recorded, which everybody is shown."

    def changed(self, **new: Any) -> Control:
        """The next word."""
        made = msgspec.structs.replace(self, number=self.number + 1, **new)
        made.check()
        return made

    def check(self) -> None:
        """:class:`Invalid` for what cannot be led by."""
        sizes = len(self.banner) <= BANNER and len(self.question) <= BANNER and len(self.deputies) <= DEPUTIES and len(self.floor) <= FLOOR
        if not sizes or min(self.number, self.roll, self.poll) < 0:
            raise Invalid("a banner, a question, deputies or speakers are too many or too long", code="malformed")

    def follows(self, held: Control, *, above: bool) -> bool:
        """Whether this word, heard from a neighbour, replaces the one that is held."""
        if above and self.nest != held.nest:
            return True
        return self.nest == held.nest and self.number > held.number

    def may_speak(self, person: str, *, chairs: bool) -> bool:
        """Whether somebody's voice goes out."""
        return not self.quiet or chairs or person in self.floor or person in self.deputies


class Sign(msgspec.Struct, frozen=True):
    """What somebody in the room shows."""

    hand: bool = False
    here: int = 0
    "The roll call they answered last."
    poll: int = 0
    vote: str = ""
    "Yes, no or abstain to the vote of that number."

    def check(self) -> None:
        """:class:`Invalid` for what nobody can show."""
        if self.vote not in ("", *VOTES):
            raise Invalid("a vote is yes, no or abstain", code="malformed")


def read(text: str, held: Control) -> Control:
    """The next word out of a page's wishes (JSON), see :class:`Wish`; ``roll`` true begins a roll call, ``question`` a vote."""
    try:
        wish = msgspec.json.decode(text, type=Wish)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"this is no wish of a chair: {error}", code="malformed") from None
    given: dict[str, Any] = {name: value for name in Wish.__struct_fields__ if (value := getattr(wish, name)) is not None}
    if given.pop("roll", False):
        given["roll"] = held.roll + 1
    if given.get("question"):
        given["poll"] = held.poll + 1
    return held.changed(**given)


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a chair's page asks for; what it leaves out stays."""

    quiet: bool | None = None
    floor: tuple[str, ...] | None = None
    deputies: tuple[str, ...] | None = None
    main: str | None = None
    banner: str | None = None
    roll: bool | None = None
    record: bool | None = None
    question: str | None = None

"""Templates: what an office draws. Values only; a template is named by the digest of its canonical bytes and never changes under it.

Steps are tasks that wait for somebody, choices (exclusive gateways), forks and joins (parallel gateways). A token enters a step, and
leaves it by the first way whose condition holds; the last way has none. A way to ``END`` ends the token.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from node.codec import Natural, Value, digest, pack, unpack
from node.errors import Invalid, Missing
from office.frame.words import language

END = ""
"Where a way leads that ends the matter."
DRAFTER = "drafter"
"The part of whoever began the matter; there always is one."
STEPS, NAME, WHEN = 100, 60, 200
"Most steps of a template, characters of a name and of a condition."
_DATA = Path(__file__).parent / "data"

Fact = bool | int | str
"What a condition compares."


class How(StrEnum):
    """By what somebody is named."""

    PERSON = "person"
    POST = "post"
    ROLE = "role"
    ORGAN = "organ"
    PART = "part"


class Kind(StrEnum):
    """What a step is."""

    TASK = "task"
    CHOICE = "choice"
    FORK = "fork"
    JOIN = "join"


class Many(StrEnum):
    """How several holders do a step."""

    ONE = "one"
    "Any one of them, once."
    PARALLEL = "parallel"
    "Each of them, at the same time."
    SERIAL = "serial"
    "Each of them, one after the other."


class Asks(StrEnum):
    """What a task asks of its holder."""

    PASS = "pass"  # noqa: S105
    "To do it and pass it on."
    COUNTERSIGN = "countersign"
    "To agree, agree with changes, or disagree."
    SIGN = "sign"
    "To sign; may be done by delegation or entered from paper."


STAGES = (
    "draft",
    "submitted",
    "registered",
    "assigned",
    "in_hand",
    "answered",
    "reviewed",
    "closed",
    "archived",
)
"Stages of any matter (state, not colour) that a step may stand for, in their order."


class Name(Value, frozen=True):
    """A word in both languages."""

    zh: str
    en: str = ""

    def __str__(self) -> str:
        return self.en or self.zh if language() == "en" else self.zh


class Who(Value, frozen=True):
    """Who does a step, as the template says it."""

    how: str
    id: str
    organ: str = ""
    "Of a role: the organ in which it is held; empty for the organ of the matter."


class Way(Value, frozen=True):
    """Where a step leads."""

    to: str
    "Id of a step, or :data:`END`."
    when: str = ""
    "Condition; empty for otherwise."


class Step(Value, frozen=True):
    """A step."""

    id: str
    kind: str
    name: Name
    ways: tuple[Way, ...]
    who: tuple[Who, ...] = ()
    many: str = Many.ONE
    asks: str = Asks.PASS
    dispute: tuple[Who, ...] = ()
    "Who decides when a countersigner disagrees: the superior of the lead."
    term: str = ""
    "Rule id of its term, or empty."
    stage: str = "in_hand"
    does: str = ""
    "What the room does at it, such as ``sign`` or ``number``; empty for nothing beyond passing it on."


class FactOf(Value, frozen=True):
    """A fact that the conditions of a template are about."""

    id: str
    name: Name
    shape: str = "bool"
    "bool, number or text."
    choices: tuple[str, ...] = ()
    "Values that a text may have; empty for any."

    @property
    def plain(self) -> Fact:
        """Its value while nobody has said anything."""
        return 0 if self.shape == "number" else "" if self.shape == "text" else False


class Part(Value, frozen=True):
    """A part of a template: holders that are named with the matter."""

    id: str
    name: Name


class Template(Value, frozen=True):
    """A flow as an office drew it."""

    id: str
    "Stays the same from version to version."
    use: str
    "What it is for, such as ``documents.outgoing``."
    name: Name
    steps: tuple[Step, ...]
    first: str
    parts: tuple[Part, ...] = ()
    facts: tuple[FactOf, ...] = ()
    organs: tuple[str, ...] = ()
    "Organs that use it; empty for all of the node."
    term: str = ""
    "Rule id of the term of the whole matter, or empty."
    version: Natural = 1

    def step(self, id: str) -> Step:
        """The step of an id; :class:`Missing` when there is none."""
        found = index(self).get(id)
        if found is None:
            raise Missing(f"the template has no step {id[:60]!r}", code="no_step")
        return found

    def into(self, id: str) -> list[Step]:
        """The steps that lead to a step."""
        return [step for step in self.steps if any(way.to == id for way in step.ways)]

    def tasks(self) -> list[Step]:
        """The steps that wait for somebody."""
        return [step for step in self.steps if step.kind == Kind.TASK]


_indexes: dict[int, tuple[Template, dict[str, Step]]] = {}


def index(template: Template) -> dict[str, Step]:
    """The steps of a template by id; the last few templates are remembered."""
    held = _indexes.get(id(template))
    if held is None or held[0] is not template:
        if len(_indexes) > 64:
            _indexes.clear()
        held = _indexes[id(template)] = (template, {step.id: step for step in template.steps})
    return held[1]


def digest_of(template: Template) -> bytes:
    """The digest by which matters name a template."""
    return digest("flow.template.1", pack(template))


def read(data: bytes) -> Template:
    """A template from JSON, whose members are named; :class:`Invalid` says what is wrong with it."""
    try:
        return unpack(pack(_made(msgspec.json.decode(data), Template)), Template)
    except (msgspec.DecodeError, TypeError, KeyError) as e:
        raise Invalid(f"not a template: {e}", code="template") from None


def _made(plain: Any, shape: Any) -> Any:
    """A value from its named members; in canonical form, which is checked afterwards, values are arrays."""
    if isinstance(plain, list):
        return tuple(_made(one, get_args(shape)[0]) for one in plain)
    if isinstance(plain, dict) and isinstance(shape, type) and issubclass(shape, Value):
        hints = _hints(shape)
        return shape(**{name: _made(value, hints[name]) for name, value in plain.items()})
    return plain


@cache
def _hints(shape: type[Value]) -> dict[str, Any]:
    return get_type_hints(shape)


def write(template: Template) -> bytes:
    """A template as JSON for people; :func:`read` gives it back."""
    return msgspec.json.format(msgspec.json.encode(members(template)), indent=2)


def members(value: Any) -> Any:
    """A value as named members, without those that have their default."""
    if isinstance(value, Value):
        fields = msgspec.structs.fields(value)
        return {f.name: members(getattr(value, f.name)) for f in fields if f.required or getattr(value, f.name) != f.default}
    return [members(one) for one in value] if isinstance(value, (tuple, list)) else value


@cache
def shipped() -> tuple[Template, ...]:
    """The templates that this program brings along."""
    return tuple(read(file.read_bytes()) for file in sorted(_DATA.glob("*.json")))

"""Matters played by hand: acts with a clock of their own, invariants that hold after every act, and random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from node.errors import NodeError
from office.frame.flow import entries as said
from office.frame.flow import matter
from office.frame.flow.entries import Act, Holder, Item, Others
from office.frame.flow.state import Said, Sort, State
from office.frame.flow.template import Asks, Kind, Many, Name, Part, Step, Template, Way, Who, digest_of, shipped

UNITS = tuple(Holder("organ", f"unit{n}") for n in range(5))
PEOPLE = tuple(Holder.person(name) for name in ("zhao", "qian", "sun", "li"))


def shipped_for(use: str) -> Template:
    """The template that is shipped for a use."""
    return next(one for one in shipped() if one.use == use)


def task(id: str, *to: str | Way, who: Who | None = None, **more: object) -> Step:
    """A task, done by the drafter unless somebody else is named."""
    ways = tuple(way if isinstance(way, Way) else Way(way) for way in to)
    return Step(id, Kind.TASK, Name(id), ways, who=(who or Who("part", "drafter"),), **more)  # type: ignore[arg-type]


def gate(id: str, kind: Kind, *to: str | Way) -> Step:
    """A choice, fork or join."""
    return Step(id, kind, Name(id), tuple(way if isinstance(way, Way) else Way(way) for way in to))


def template(*steps: Step, **more: object) -> Template:
    """A template that begins with its first step."""
    return Template("t", "general", Name("试"), steps, steps[0].id, **more)  # type: ignore[arg-type]


COUNTERSIGN = template(
    task("draft", "sign"),
    task("sign", "issue", who=Who("part", "units"), many=Many.PARALLEL, asks=Asks.COUNTERSIGN, dispute=(Who("role", "signer"),)),
    task("issue", "", who=Who("role", "registry_clerk")),
    parts=(Part("units", Name("会签单位")),),
)
"Drafting, a parallel countersign, issuing."


@dataclass
class Play:
    """One matter and its acts."""

    template: Template
    acts: list[Said] = field(default_factory=list)
    state: State | None = None
    others: dict[bytes, Template] = field(default_factory=dict)

    @classmethod
    def begin(cls, of: Template, **more: object) -> Play:
        """A matter of organ ``gov`` that ``li`` began."""
        play = cls(of)
        play.take(Said(said.Started("test", "gov", digest_of(of), **more), "li", "", 1000, bytes([1]) * 32, "record"))  # type: ignore[arg-type]
        return play

    def find(self, digest: bytes) -> Template:
        """The template of a digest."""
        return self.template if digest == digest_of(self.template) else self.others[digest]

    def take(self, act: Said) -> State:
        """Apply an act as it was recorded."""
        self.state = matter.start(self.find, act) if self.state is None else matter.fold(self.find, self.state, act)
        self.acts.append(act)
        return self.state

    def do(self, act: Act, by: str = "li") -> State:
        """Apply an act a second after the one before; what holds of every matter is checked."""
        n = len(self.acts) + 1
        before = self.now
        state = self.take(Said(act, by, "", 1000 * n, n.to_bytes(32, "big"), "record"))
        alive(state)
        accounted(before, state)
        return state

    @property
    def now(self) -> State:
        """The present state."""
        assert self.state is not None
        return self.state

    def open(self, step: str = "") -> list[str]:
        """Ids of the seats that may be done now, at a step or anywhere."""
        return [seat.id for seat in self.now.live() if step in ("", seat.step)]


def alive(state: State) -> None:
    """A matter has ended with nobody holding it, or somebody can go on with it."""
    if state.ended:
        assert state.seats == () and state.end
        return
    assert state.live(), "dead: nobody can go on with it"
    assert all(seat.holders for seat in state.live()), "a step without anybody"
    causes = {one.seat.id for one in state.kept}
    assert all(seat.held in causes or seat.held == "" for seat in state.seats), "suspended by nobody"
    for seat in state.seats:
        leads = [piece.lead for piece in seat.pieces if not piece.done]
        assert not leads or sum(piece.lead for piece in seat.pieces) >= 1, "a split without a lead"


def accounted(before: State, after: State) -> None:
    """Every seat that vanished has a new line in the trail."""
    gone = {seat.id for seat in before.seats if seat.sort != Sort.WAIT} - {seat.id for seat in after.seats}
    told = {line.seat.id for line in after.trail[len(before.trail) :]}
    assert gone <= told, f"vanished: {gone - told}"
    assert after.trail[: len(before.trail)] == before.trail, "the trail changed behind"


def random_template(dice: random.Random) -> Template:
    """A template with a loop, a choice, a fork with branches of different length, and steps for several."""
    units = Who("part", "units")
    branches = dice.randint(2, 3)
    lengths = [dice.randint(1, 3) for _ in range(branches)]
    steps = [task("draft", "ask"), task("ask", "split", who=units, many=dice.choice(["parallel", "serial"]))]
    steps += [gate("split", Kind.FORK, *(f"b{n}_0" for n in range(branches)))]
    for n, length in enumerate(lengths):
        for k in range(length):
            to = "meet" if k == length - 1 else f"b{n}_{k + 1}"
            kind = {"who": units, "many": "parallel"} if dice.random() < 0.4 else {}
            if dice.random() < 0.2:
                kind = {"who": units, "many": "parallel", "asks": "countersign", "dispute": (Who("role", "signer"),)}
            steps.append(task(f"b{n}_{k}", to, **kind))  # type: ignore[arg-type]
    steps += [gate("meet", Kind.JOIN, "pick"), gate("pick", Kind.CHOICE, Way("draft", "disagreed > 1"), Way("last")), task("last", "")]
    return template(*steps, parts=(Part("units", Name("会签单位")),))


def random_act(dice: random.Random, play: Play) -> Act:
    """Something that somebody may try; often it is not possible."""
    state = play.now
    seats = [seat.id for seat in state.seats] or ["none"]
    seat = dice.choice(seats)
    done = [line.seat.id for line in state.trail[-6:]] or ["none"]
    steps = [step.id for step in play.template.steps]
    pieces = [piece.id for one in state.seats for piece in one.pieces] or ["none/0"]
    kind = dice.choices(*zip(*_WEIGHTS, strict=True))[0]
    makes = {
        "pass": lambda: said.Passed(seat),
        "countersign": lambda: said.Countersigned(seat, dice.choice(list(said.Opinion)), "意见"),
        "settle": lambda: said.Settled(seat, "照办"),
        "return": lambda: said.Returned(seat, dice.choice(["drafter", "previous", *steps]), "退", dice.choice(list(Others))),
        "recall": lambda: said.Recalled(dice.choice(done)),
        "open": lambda: said.Opened(seat),
        "urge": lambda: said.Urged(seat, "screen"),
        "supervise": lambda: said.Supervised(seat),
        "forward": lambda: said.Forwarded(dice.choice([seat, dice.choice(pieces)]), dice.choice(PEOPLE), "转"),
        "assign": lambda: said.Assigned(seat, dice.choice(PEOPLE)),
        "split": lambda: said.Split(seat, tuple(Item("事", one, n == 0) for n, one in enumerate(dice.sample(PEOPLE, 2)))),
        "close_item": lambda: said.ItemClosed(dice.choice(pieces), "办了"),
        "add": lambda: said.SignerAdded(seat, dice.choice(PEOPLE)),
        "drop": lambda: said.SignerDropped(seat, "减"),
        "circulate": lambda: said.Circulated((dice.choice(PEOPLE),), dice.random() < 0.5),
        "read": lambda: said.Read(dice.randrange(3)),
        "suspend": lambda: said.Suspended("依法"),
        "resume": lambda: said.Resumed(),
        "ask": lambda: said.SupplementAsked(seat, "缺"),
        "supplement": lambda: said.Supplemented(),
        "jump": lambda: said.Jumped(dice.choice(steps), "转"),
        "sign_for": lambda: said.SignedFor(seat, "wang", "d1"),
        "void": lambda: said.Voided("作废"),
    }
    return makes[kind]()


_WEIGHTS = [
    ("pass", 30), ("countersign", 20), ("settle", 4), ("return", 12), ("recall", 12), ("open", 4), ("urge", 3), ("supervise", 1), ("forward", 3),
    ("assign", 2), ("split", 3), ("close_item", 4), ("add", 4), ("drop", 4), ("circulate", 1), ("read", 1), ("suspend", 1), ("resume", 3),
    ("ask", 1), ("supplement", 1), ("jump", 1), ("sign_for", 2), ("void", 0.2),
]  # fmt: skip


def random_matters(seed: int, acts: int) -> Iterator[Play]:
    """Matters under random templates, until so many acts were taken; a matter ends by itself or after sixty tries."""
    dice = random.Random(seed)
    taken = 0
    while taken < acts:
        of = random_template(dice) if dice.random() < 0.7 else shipped_for("documents.outgoing")
        play = Play.begin(of, parts={"units": dice.sample(UNITS, dice.randint(0, 4))} | ({} if of.id == "t" else {"heads": PEOPLE[:2]}))
        for _try in range(60):
            try:
                play.do(random_act(dice, play))
            except NodeError:
                continue
            taken += 1
            if play.now.ended:
                break
        yield play

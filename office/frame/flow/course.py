"""How tokens go through a template: entering steps, leaving them, forks and joins, rounds, and what a return leaves behind.

**Normal path.** A token enters a step. A task makes seats: one that any of its holders may take, or one for each of them (at once, or one
after the other). When no seat of a round is left the token leaves by the first way whose condition holds. A fork sends a token down
every way and marks each with its branch; a join lets them through as one when nobody else stands in the branches.

**Return.** The seat that returns is closed and a token enters the earlier step. Those who have the matter at the same time and
came after that step are cancelled, or *held*: they keep their seats and what they have said. The returned seat is *kept*; when a
token comes to its fork again only its branch is walked and the held ones of the others wake; when it comes to its step again, its
seat is opened in its old round beside the held ones there.

**Invariants.** Either the matter has ended, or at least one seat may be done now. Every seat that vanishes leaves a line in the
trail saying how. Ids come from steps, rounds and places, moments from acts: same acts, same state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from node.errors import Invalid, TooLarge
from office.frame.flow import condition
from office.frame.flow.entries import Holder, Opinion
from office.frame.flow.state import Done, End, Kept, Said, Seat, Sort, State, Ticking, opinions
from office.frame.flow.template import DRAFTER, END, Asks, Fact, How, Kind, Many, Step, Template, Who
from office.frame.words import _

SEATS = 300
"Most seats of a matter at one time."
change = msgspec.structs.replace
Scope = tuple[str, ...]


@dataclass(slots=True)
class Token:
    """What goes from step to step."""

    by: str
    "The seat whose doing sent it."
    scope: Scope
    hops: int = 0
    "Steps that it went through since somebody last did something."


class Course:
    """A matter while one act is applied to it: the state taken apart, put together again by :meth:`state`."""

    def __init__(self, template: Template, state: State, said: Said) -> None:
        self.template, self.before, self.said = template, state, said
        self.seats = {seat.id: seat for seat in state.seats}
        self.trail = list(state.trail)
        self.facts, self.parts, self.rounds = dict(state.facts), dict(state.parts), dict(state.rounds)
        self.clocks, self.kept = list(state.clocks), list(state.kept)
        self.made: list[str] = []
        self.woke: list[tuple[str, str]] = []
        self._steps = 0

    def state(self, **changed: object) -> State:
        """The state after the act."""
        said = self.said
        if not self.before.ended and not changed.get("ended"):
            self.settle()
            if not self.seats:
                self.meet("")
                changed |= {"ended": said.at, "end": End.CLOSED}
        return change(
            self.before,
            seats=tuple(self.seats.values()),
            trail=tuple(self.trail),
            facts=self.facts,
            parts=self.parts,
            rounds=self.rounds,
            clocks=tuple(self.clocks),
            kept=tuple(self.kept),
            acts=self.before.acts + 1,
            last=said.id or self.before.last,
            touched=max(said.at, self.before.touched),
            **changed,
        )

    def settle(self) -> None:
        """Let tokens through joins, and those go on who would otherwise wait for ever."""
        self.gather()
        self._wake_all()

    # seats

    def close(self, seat: Seat, how: str, *, text: str = "", opinion: str = "", principal: str = "", basis: str = "") -> None:
        """Take a seat away and write down what became of it."""
        self.seats.pop(seat.id, None)
        if seat.sort == Sort.WAIT:
            return
        said = self.said
        self.trail.append(Done(seat, how, said.person, said.post, said.at, text, opinion, principal, basis, said.id))

    def note_made(self, line: int) -> None:
        """Write into a line of the trail which seats the act led to, and which it let go on."""
        self.trail[line] = change(self.trail[line], made=tuple(self.made), woke=tuple(self.woke))

    def add(self, seat: Seat) -> None:
        """One more seat."""
        if len(self.seats) >= SEATS:
            raise TooLarge(_("同时办理的人太多（超过 {n} 处）。").format(n=SEATS))
        self.seats[seat.id] = seat
        self.made.append(seat.id)

    def cancel(self, seats: Iterable[Seat], how: str = "cancelled") -> None:
        """Take seats away without anybody having done them."""
        for seat in list(seats):
            self.close(seat, how)
            if not self._round_open(seat.round):
                self.stop(seat.round)

    def cancel_all(self, how: str = "cancelled") -> None:
        """Nobody has it any more."""
        self.cancel(list(self.seats.values()), how)
        self.kept.clear()

    # tokens

    def enter(self, to: str, token: Token) -> None:
        """A token comes to a step."""
        if to == END:
            return
        token.hops, self._steps = token.hops + 1, self._steps + 1
        if token.hops > len(self.template.steps) or self._steps > 10 * SEATS:
            raise Invalid(_("流程在没有人办理的环节之间兜圈子。"), code="endless")
        step = self.template.step(to)
        if step.kind == Kind.FORK:
            self._fork(step, token)
        elif step.kind == Kind.JOIN:
            self._arrive(step, token)
        elif step.kind == Kind.CHOICE:
            self.leave(step, token)
        elif not self._again(step, token):
            self._task(step, token)

    def leave(self, step: Step, token: Token) -> None:
        """A token goes on by the first way whose condition holds."""
        names = self._names()
        for way in step.ways:
            if not way.when or _holds(way.when, names):
                self.enter(way.to, token)
                return

    def _names(self) -> dict[str, Fact]:
        return {one.id: one.plain for one in self.template.facts} | dict.fromkeys(condition.COUNTS, 0) | self.facts

    def _fork(self, step: Step, token: Token) -> None:
        kept = next((one for one in self.kept if _branch(one.seat.scope, step.id, token.scope)), None)
        if kept is not None:
            element = kept.seat.scope[len(token.scope)]
            self._wake(kept.seat.id, elsewhere=kept.seat)
            self.enter(step.ways[int(element.rpartition(".")[2])].to, Token(token.by, (*token.scope, element), token.hops))
            return
        round_ = self._number(step.id)
        for place, way in enumerate(step.ways):
            self.enter(way.to, Token(token.by, (*token.scope, f"{step.id}.{round_}.{place}"), token.hops))

    def _arrive(self, step: Step, token: Token) -> None:
        if not token.scope:
            self.leave(step, token)
            return
        id = f"{step.id}.{self._number(step.id)}.0"
        self.add(Seat(id=id, step=step.id, sort=Sort.WAIT, holders=(), since=self.said.at, by=token.by, scope=token.scope))

    def gather(self) -> None:
        """Let tokens through joins where nobody else stands in the branches."""
        while (group := self._gathered()) is not None:
            for seat in group:
                self.seats.pop(seat.id)
            last = group[-1]
            self.leave(self.template.step(last.step), Token(last.by, last.scope[:-1]))

    def _gathered(self) -> list[Seat] | None:
        waiting = [seat for seat in self.seats.values() if seat.sort == Sort.WAIT and not seat.held]
        for seat in sorted(waiting, key=lambda one: -len(one.scope)):
            others = [one for one in self.seats.values() if _inside(one.scope, seat.scope)]
            if all(one.sort == Sort.WAIT and not one.held and len(one.scope) == len(seat.scope) for one in others):
                return [one for one in others if one.step == seat.step]
        return None

    # tasks

    def _task(self, step: Step, token: Token) -> None:
        holders = [self.named(who) for who in step.who]
        flat = tuple(dict.fromkeys(one for group in holders for one in group))
        round_ = f"{step.id}.{self._number(step.id)}"
        if step.many != Many.ONE and not flat:
            self._skip(step, token, round_)
            return
        groups = [flat or self._starter()] if step.many == Many.ONE else [(one,) for one in flat]
        self.tick(step.term, round_)
        now = groups if step.many == Many.PARALLEL else groups[:1]
        for place, group in enumerate(now):
            queue = tuple(groups[1:]) if step.many == Many.SERIAL else ()
            self.add(self._seat(f"{round_}.{place}", step, group, token, queue))

    def _seat(self, id: str, step: Step, holders: tuple[Holder, ...], token: Token, queue: tuple[tuple[Holder, ...], ...] = ()) -> Seat:
        return Seat(id=id, step=step.id, sort=Sort.TASK, holders=holders, since=self.said.at, by=token.by, scope=token.scope, queue=queue)

    def _skip(self, step: Step, token: Token, round_: str) -> None:
        """A step for several, of whom there are none: nobody has to be asked."""
        self.trail.append(Done(seat=self._seat(f"{round_}.0", step, (), token), how="skipped", person="", post="", until=self.said.at))
        self.leave(step, token)

    def named(self, who: Who) -> tuple[Holder, ...]:
        """The holders that a template's word means in this matter."""
        if who.how == How.PART:
            return self.parts.get(who.id, self._starter() if who.id == DRAFTER else ())
        return (Holder(who.how, who.id, (who.organ or self.before.organ) if who.how == How.ROLE else ""),)

    def _starter(self) -> tuple[Holder, ...]:
        return (Holder.person(self.before.starter),)

    def finish(self, seat: Seat) -> None:
        """A seat was done well: the next of a queue, or the end of the round, or nothing yet."""
        step = self.template.step(seat.step)
        if seat.queue:
            number, _dot, place = seat.id.rpartition(".")
            self.add(self._seat(f"{number}.{int(place) + 1}", step, seat.queue[0], Token(seat.id, seat.scope), seat.queue[1:]))
            return
        if self._round_open(seat.round):
            return
        if step.asks == Asks.COUNTERSIGN and seat.sort == Sort.TASK and self._count(seat.round):
            number, _dot, _place = seat.id.rpartition(".")
            holders = tuple(dict.fromkeys(one for who in step.dispute for one in self.named(who))) or self._starter()
            self.add(change(self._seat(f"{number}.settle", step, holders, Token(seat.id, seat.scope)), sort=Sort.SETTLE))
            return
        self.meet(seat.round)
        self.leave(step, Token(seat.id, seat.scope))

    def _count(self, round_: str) -> bool:
        """Keep count of the opinions of a round; whether anybody disagreed."""
        found = [one.opinion for one in opinions(change(self.before, seats=tuple(self.seats.values()), trail=tuple(self.trail)), round_)]
        self.facts |= {"agreed": found.count(Opinion.AGREE), "changed": found.count(Opinion.CHANGE), "disagreed": found.count(Opinion.DISAGREE)}
        return Opinion.DISAGREE in found

    def _round_open(self, round_: str) -> bool:
        return any(seat.round == round_ for seat in self.seats.values()) or any(one.seat.round == round_ for one in self.kept)

    def _number(self, step: str) -> int:
        self.rounds[step] = self.rounds.get(step, 0) + 1
        return self.rounds[step]

    # what a return leaves behind

    def hold(self, seat: Seat, others: Iterable[Seat]) -> None:
        """Suspend others until ``seat`` is opened again; of a step for several the opinions that were given stay, too."""
        held = [one for one in others if not one.held]
        for one in held:
            self.seats[one.id] = change(one, held=seat.id)
        if held or (seat.sort == Sort.TASK and self.template.step(seat.step).many != Many.ONE):
            self.kept.append(Kept(seat))

    def _again(self, step: Step, token: Token) -> bool:
        """Open a seat that was returned once more, in its old round."""
        kept = next((one for one in self.kept if one.seat.step == step.id and one.seat.scope == token.scope), None)
        if kept is None:
            return False
        self.kept.remove(kept)
        self._wake(kept.seat.id)
        self.add(change(kept.seat, since=self.said.at, by=token.by, opened=0, opener=""))
        return True

    def take_back(self, line: Done) -> None:
        """Undo what an act did to others: what it let go on waits again, what it suspended goes on."""
        if line.how == "return":
            self.kept = [one for one in self.kept if one.seat.id != line.seat.id]
            self._wake(line.seat.id)
        again = {cause: None for _id, cause in line.woke} | {id: None for id in line.made if self._left(id) is not None}
        for id, cause in line.woke:
            self.seats[id] = change(self.seats[id], held=cause)
        for cause in again:
            seat = self._left(cause)
            if seat is not None and all(one.seat.id != cause for one in self.kept):
                self.kept.append(Kept(seat))

    def _left(self, id: str) -> Seat | None:
        """A seat as it was when it was returned."""
        return next((one.seat for one in reversed(self.trail) if one.seat.id == id and one.how == "return"), None)

    def _wake(self, cause: str, *, elsewhere: Seat | None = None) -> None:
        """Suspended seats go on; what they have in hand is new to them."""
        for id, seat in self.seats.items():
            if seat.held == cause and (elsewhere is None or seat.scope != elsewhere.scope):
                self.seats[id] = change(seat, held="", opened=0, opener="")
                self.woke.append((id, cause))

    def _wake_all(self) -> None:
        """Nobody is left but those who were suspended: they go on rather than wait for ever."""
        while self.seats and not any(seat.live for seat in self.seats.values()):
            self.kept.clear()
            for cause in {seat.held: None for seat in self.seats.values() if seat.held}:
                self._wake(cause)
            self.gather()

    # clocks

    def tick(self, rule: str, round_: str) -> None:
        """A term begins, where there is one."""
        if rule:
            self.clocks.append(Ticking(rule, round_, self.said.at, self.said.id))

    def meet(self, round_: str) -> None:
        """What a clock was for is done; for the empty round, all of them."""
        self.clocks = [change(one, met=self.said.at) if one.running and round_ in ("", one.round) else one for one in self.clocks]

    def stop(self, round_: str) -> None:
        """What a clock was for has fallen away."""
        self.clocks = [one for one in self.clocks if not (one.running and one.round == round_)]

    def unmeet(self, round_: str) -> None:
        """What was done is to be done again, and the clock runs as it did."""
        self.clocks = [change(one, met=0) if one.round == round_ else one for one in self.clocks]


def _holds(when: str, names: dict[str, Fact]) -> bool:
    """A condition that compares what cannot be compared does not hold; the way without a condition is there for that."""
    try:
        return condition.holds(when, names)
    except Invalid:
        return False


def _inside(scope: Scope, group: Scope) -> bool:
    """Whether a scope lies in the branches that meet where ``group`` does."""
    depth = len(group)
    return len(scope) >= depth and scope[: depth - 1] == group[:-1] and _stem(scope[depth - 1]) == _stem(group[-1])


def _stem(element: str) -> str:
    """A branch without its place: the fork and its round."""
    return element.rpartition(".")[0]


def _branch(scope: Scope, fork: str, before: Scope) -> bool:
    """Whether a scope went through a fork that is entered in another one."""
    depth = len(before)
    return len(scope) > depth and scope[:depth] == before and scope[depth].rpartition(".")[0].rpartition(".")[0] == fork

"""The pen on a matter: what a room's verbs use to begin one and to write acts, alone or together with the room's own contents.

    pen = Pen.begin(desk, FLOWS, record, use="leave", organ=organ, title=title)     # or Pen(desk, FLOWS, record)
    pen.do(Passed("ask.1.0", text="同意"))                                            # checks the right and the state, signs, writes nothing yet
    pen.write(*own)                                                                   # all or nothing

Each act is tried on the state before it is signed, so that what is refused is refused before anything is written; acts that
follow one another in one batch see what those before them did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from node import clock
from node.directory.view import Directory
from node.errors import Missing
from office.frame.desk import Desk, Wish
from office.frame.flow import matter
from office.frame.flow.check import Fits
from office.frame.flow.entries import NAMES, Act, Holder, Published, Started
from office.frame.flow.offers import Actor, Offer, offers, require
from office.frame.flow.state import Said, Seat, State
from office.frame.flow.tables import Flows, keys, template_of
from office.frame.flow.template import Fact, How, Template, Who, digest_of, shipped
from office.frame.rights import powers
from office.frame.words import _


class Pen:
    """One matter in front of one person (or of the node itself, which sees every matter), and the acts that are to be written."""

    def __init__(self, desk: Desk, flows: Flows, record: str) -> None:
        """:class:`Missing` when there is no such matter for this person; its version is relied on."""
        self.desk, self.flows, self.record = desk, flows, record
        row = desk.get(flows.Matter, record, everything=not desk.person)
        self.state: State = row.state
        self.actor = actor(desk)
        self.wishes: list[Wish] = []
        self._fresh: dict[bytes, Template] = {}

    @classmethod
    def begin(
        cls,
        desk: Desk,
        flows: Flows,
        record: str,
        *,
        use: str,
        organ: str,
        title: str = "",
        facts: Mapping[str, Fact] | None = None,
        parts: Mapping[str, tuple[Holder, ...]] | None = None,
        template: Template | None = None,
    ) -> Pen:
        """A matter that is to begin under the template in use; one that is only shipped goes into the log with it."""
        pen = cls.__new__(cls)
        pen.desk, pen.flows, pen.record, pen.actor, pen.wishes, pen._fresh = desk, flows, record, actor(desk), [], {}
        chosen = template or in_use(desk, flows, use, organ)
        digest = digest_of(chosen)
        before: tuple[bytes, ...] = ()
        if not desk.list(flows.Plan, flows.Plan.id == digest):
            pen._fresh[digest] = chosen
            pen.wishes.append(desk.wish(Published(chosen), record=plan_record(chosen.id)))
            before = (pen.wishes[0].id,)
        act = Started(flows.room, organ, digest, title, dict(facts or {}), dict(parts or {}))
        desk.expect(record, 0)
        said = pen._said(act, before)
        pen.state = matter.start(pen.find, said)
        return pen

    @property
    def template(self) -> Template:
        """The template of the matter."""
        return self.find(self.state.template)

    def find(self, digest: bytes) -> Template:
        """A template by its digest."""
        if digest not in self._fresh:
            rows = self.desk.list(self.flows.Plan, self.flows.Plan.id == digest)
            if not rows:
                raise Missing(_("找不到这件事项所用的流程。"))
            self._fresh[digest] = template_of(rows[0])
        return self._fresh[digest]

    def offers(self) -> list[Offer]:
        """What the person may do now."""
        return offers(self.template, self.state, self.actor)

    def mine(self, step: str = "") -> list[Seat]:
        """The seats that wait for the person, at a step or anywhere."""
        return [seat for seat in self.state.live() if step in ("", seat.step) and self.actor.any(seat.holders)]

    def do(self, act: Act, *, right: bool = True) -> Pen:
        """One act more; refused like a post that the person may not send. A room that has asked its own rights says ``right=False``."""
        if right:
            require(self.template, self.state, self.actor, NAMES[type(act)], _about(act))
        self.state = matter.fold(self.find, self.state, self._said(act, (self.state.last,)))
        return self

    def write(self, *own: Wish) -> None:
        """Write the acts, after a room's own contents, all or nothing."""
        self.desk.together([*own, *self.wishes])

    def _said(self, act: Act, after: tuple[bytes, ...]) -> Said:
        post = self._post(act)
        wish = self.desk.wish(act, record=self.record, after=after, post=post)
        self.wishes.append(wish)
        return Said(act, self.desk.person, post, clock.to_ms(self.desk.now), wish.id, self.record)

    def _post(self, act: Act) -> str:
        """The post in which the person is a holder of what the act is about, else the first."""
        seat = None if isinstance(act, Started) else self.state.seat(_about(act).partition("/")[0])
        for holder in seat.holders if seat is not None else ():
            for post in self.desk.posts:
                if holder.how == How.POST and holder.id == post.id:
                    return post.id
                if holder.how == How.ROLE and holder.id in post.roles and holder.organ in (post.organ, *post.serves):
                    return post.id
        return self.desk.posts[0].id if self.desk.posts else ""


def _about(act: Act) -> str:
    """The seat, part or reader that an act is about."""
    return str(getattr(act, "seat", getattr(act, "reader", "")))


def actor(desk: Desk) -> Actor:
    """The person of a desk as matters see them, with the powers that were lent to the posts held."""
    roles = {(role, organ) for post in desk.posts for role in post.roles for organ in (post.organ, *post.serves)}
    lent = {(one.role, one.organ): (one.principal, one.id) for one in powers(desk)}
    posts, organs = frozenset(post.id for post in desk.posts), frozenset(organ.id for organ in desk.organs)
    return Actor(desk.person, posts, organs, frozenset(roles), lent)


def in_use(desk: Desk, flows: Flows, use: str, organ: str) -> Template:
    """The template for a new matter: the latest for the organ, else the latest for all, else the one that is shipped."""
    plans = desk.list(flows.Plan, flows.Plan.use == use, flows.Plan.retired == 0, order=(flows.Plan.at.desc(), flows.Plan.version.desc()))
    found = [template_of(plan) for plan in plans]
    fit = [one for one in found if organ in one.organs] + [one for one in found if not one.organs]
    fit += [one for one in shipped() if one.use == use]
    if not fit:
        raise Missing(_("还没有可用的流程。请流程管理员先发布一个。"))
    return fit[0]


def plan_record(template: str) -> str:
    """The record under which the versions of a template are published."""
    return f"flow:{template}"


def waiting(desk: Desk, flows: Flows) -> list[tuple[Any, Any]]:
    """What the person may do now or is to read, oldest first: (matter, line of who has it)."""
    lying = desk.list(flows.Lying, flows.Lying.key.in_(keys(desk)), flows.Lying.seat != "done", order=flows.Lying.since)
    matters = {row.id: row for row in desk.list(flows.Matter, flows.Matter.id.in_({one.matter for one in lying}))}
    return [(matters[one.matter], one) for one in lying if one.matter in matters]


def fits(directory: Directory, organs: Iterable[str]) -> Fits:
    """The check whether somebody in the directory fits a template's word in each of some organs."""
    wanted = tuple(organs)

    def found(who: Who) -> bool:
        if who.how == How.ROLE:
            return all(directory.holders(who.id, organ) for organ in ((who.organ,) if who.organ else wanted))
        if who.how == How.POST:
            post = directory.post(who.id)
            return post is not None and any(h.post.id == who.id for f in directory.people_of(post.organ) for h in f.holdings)
        if who.how == How.ORGAN:
            return bool(directory.people_of(who.id))
        return who.how == How.PART or directory.person(who.id) is not None

    return found

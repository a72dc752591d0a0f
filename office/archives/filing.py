"""Verbs of filing: the fonds number, arranging under codes, leaving out, loans, holds and appraisal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from node import clock
from node.errors import Conflict, Invalid, Missing, Refused
from node.kinds import Content
from office.archives import entries as said
from office.archives import workflow
from office.archives.model import Fonds, Item, Original, Tally
from office.archives.workflow import FILERS, ITEM, YEARS, State
from office.documents.entries import rendering_digest
from office.frame.desk import Desk, Wish, again
from office.frame.rights import acting_post, roles
from office.frame.words import _

REASON, MANY = 500, 300
"Characters of a reason; items arranged in one step."
SHEET, LINE = 22, 28
"Lines of a page and characters of a line, for the pages that are proposed."
OPENNESS = ("open", "later", "never")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How one item is to be filed."""

    item: str
    retention: str
    section: str = ""
    "Empty for the one of the fonds."
    pages: int = 0
    "0 for what the text comes to."
    openness: str = "later"


def register_fonds(desk: Desk, organ: str, *, fonds: str, section: str) -> None:
    """Give an organ its fonds number and the section that is proposed."""
    if not set(FILERS) & roles(desk, organ):
        raise Refused(_("您的岗位不能办理这一步。"), code="not_yours")
    if not workflow.FONDS.fullmatch(fonds) or not workflow.SECTION.fullmatch(section):
        raise Invalid(_("全宗号用大写字母和数字，机构代码用二至八个大写字母。"), code="malformed")
    held = next(iter(desk.list(Fonds, Fonds.organ == organ)), None)
    record = f"fonds:{organ}"
    desk.version(record)
    desk.write(said.FondsRegistered(organ, fonds, section), record=record, after=(held.said,) if held else (), post=acting_post(desk, organ, FILERS))


def arrange(desk: Desk, choices: Sequence[Choice]) -> list[str]:
    """File items under the next codes of their classes, in the order of their dates, all or nothing; the codes."""
    if not choices or len(choices) > MANY:
        raise Invalid(_("请选择一至 {n} 件。").format(n=MANY), code="none_chosen")
    return again(lambda: _arrange(desk, choices))


def _arrange(desk: Desk, choices: Sequence[Choice]) -> list[str]:
    found = sorted(((step(desk, choice.item, "arrange"), choice) for choice in choices), key=lambda one: (one[0].doc_date, one[0].doc_no, one[0].id))
    reached, wishes, codes = dict[str, int](), list[Wish](), list[str]()
    for item, choice in found:
        fonds = _fonds(desk, item.organ)
        section = choice.section or fonds.section
        _fit(choice, section)
        name = workflow.class_name(fonds.number, item.year, choice.retention, section)
        if name not in reached:
            desk.version(name)
            reached[name] = next((tally.last for tally in desk.list(Tally, Tally.name == name)), 0)
        reached[name] += 1
        code = workflow.code(fonds.number, item.year, choice.retention, section, reached[name])
        body = said.Arranged(
            organ=item.organ,
            fonds=fonds.number,
            year=item.year,
            retention=choice.retention,
            section=section,
            number=reached[name],
            code=code,
            pages=choice.pages or pages_of(desk, item),
            openness=choice.openness,
            proposed=item.guess,
            digest=rendering_digest(desk.get(Original, item.doc).envelope),
        )
        wishes.append(wish(desk, item, body, after=(wishes[-1].id,) if wishes else (), touches=(name,)))
        codes.append(code)
    desk.together(wishes)
    return codes


def _fit(choice: Choice, section: str) -> None:
    if choice.retention not in YEARS or choice.openness not in OPENNESS or not workflow.SECTION.fullmatch(section) or not 0 <= choice.pages < 100_000:
        raise Invalid(_("保管期限、机构代码、页数或开放意见填写有误。"), code="malformed")


def pages_of(desk: Desk, item: Item) -> int:
    """The pages that a text comes to on paper; the archivist may know better."""
    lines = desk.get(Original, item.doc).envelope.paper.text.split("\n")
    return 1 + sum(1 + len(line) // LINE for line in lines) // SHEET


def leave_out(desk: Desk, item: str, *, reason: str) -> None:
    """Decide that an item is not to be filed."""
    found = step(desk, item, "leave_out")
    desk.together([wish(desk, found, said.LeftOut(found.organ, reason_of(reason)))])


def lend(desk: Desk, item: str, *, person: str, purpose: str, until: dt.datetime) -> None:
    """Let a person of this node read an item until a moment."""
    found = step(desk, item, "lend")
    if found.borrower:
        raise Conflict(_("这件档案已经借出。"), code="on_loan")
    known = desk.directory.person(person)
    if known is None or not 0 < (until - desk.now).total_seconds() < 366 * 86400:
        raise Invalid(_("请选择借阅人，期限在一年以内。"), code="malformed")
    desk.together([wish(desk, found, said.Lent(found.organ, person, reason_of(purpose), clock.to_ms(until)))])


def give_back(desk: Desk, item: str) -> None:
    """End a loan."""
    found = step(desk, item, "give_back")
    if not found.borrower:
        raise Conflict(_("这件档案没有借出。"), code="not_on_loan")
    desk.together([wish(desk, found, said.GivenBack(found.organ))])


def hold(desk: Desk, item: str, *, on: bool, reason: str) -> None:
    """Keep an item from being destroyed, such as during a lawsuit, or let it go again."""
    found = step(desk, item, "hold")
    desk.together([wish(desk, found, said.Held(found.organ, on, reason_of(reason)))])


def appraise(desk: Desk, item: str, *, retention: str, reason: str) -> None:
    """At the end of its retention keep an item for a longer one, or with an empty one find it fit to be destroyed."""
    found = step(desk, item, "appraise")
    end = workflow.expires(found.year, found.kept_for)
    if not end or end > workflow.day(desk.now).year:
        raise Refused(_("保管期限未满，不能鉴定。"), code="not_expired")
    if retention and (retention not in YEARS or 0 < workflow.expires(found.year, retention) <= workflow.day(desk.now).year):
        raise Invalid(_("续存的期限应比原来的长。"), code="malformed")
    if not retention and (found.hold or found.borrower):
        raise Refused(_("冻结或借出的档案不能销毁。"), code="not_fit")
    desk.together([wish(desk, found, said.Appraised(found.organ, retention, reason_of(reason)))])


def expired(desk: Desk) -> list[Item]:
    """Items whose retention has ended, for appraisal."""
    year = workflow.day(desk.now).year
    rows = desk.list(Item, Item.state.in_((State.KEPT, State.DOOMED)), Item.kept_for != "Y", order=(Item.year, Item.code), limit=MANY)
    return [row for row in rows if workflow.expires(row.year, row.kept_for) <= year]


def moves(desk: Desk, item: Item) -> tuple[str, ...]:
    """What the person may do with an item now."""
    found = [move.name for move in ITEM.offers(item.state, roles(desk, item.organ))]
    end = workflow.expires(item.year, item.kept_for) if item.kept_for else 0
    shut = {"give_back"} if not item.borrower else {"lend"}
    if not end or end > workflow.day(desk.now).year:
        shut.add("appraise")
    return tuple(name for name in found if name not in shut)


def loan(item: Item) -> dt.datetime | None:
    """Until when it is lent."""
    return clock.from_ms(item.lent_until) if item.borrower else None


def _fonds(desk: Desk, organ: str) -> Fonds:
    found = next(iter(desk.list(Fonds, Fonds.organ == organ)), None)
    if found is None:
        raise Refused(_("请先登记本机关的全宗号。"), code="no_fonds")
    return found


def step(desk: Desk, item: str, move: str) -> Item:
    """An item on which the person may take this step now."""
    found = desk.get(Item, item)
    if not roles(desk, found.organ) & set(workflow.WATCHERS):
        raise Missing()
    ITEM.step(found.state, move, roles(desk, found.organ))
    return found


def wish(desk: Desk, item: Item, content: Content, *, after: tuple[bytes, ...] = (), touches: tuple[str, ...] = ()) -> Wish:
    """An act on an item, signed; it names the act before."""
    return desk.wish(content, record=item.id, after=(item.said, *after), post=acting_post(desk, item.organ, FILERS), touches=touches)


def reason_of(text: str) -> str:
    """A reason, which must be given."""
    if not text.strip() or len(text) > REASON:
        raise Invalid(_("请写明原因，不超过 {n} 字。").format(n=REASON), code="reason")
    return text.strip()

"""Delegations (授权): the holder of one post lends functions of it to another post, in writing and until a day; they end by themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from node.codec import uuid7
from node.directory import entries as said
from node.directory.view import in_term, today
from node.errors import Invalid, Refused
from office.frame.desk import Desk
from office.frame.words import _
from office.people.pen import may, own, there, write
from office.people.workflow import AUDITOR, GUARD, KEEPER

LONGEST = dt.timedelta(days=366)
"A delegation is for an absence, not for ever."
KEPT = ("sysadmin", "secadmin", "auditor", "seal_keeper")
"Roles that are not lent: the three administrators, and whoever keeps a seal, to whose key it is sealed."


@dataclass(frozen=True, kw_only=True)
class Loan:
    """A delegation with those whom it concerns."""

    id: str
    lender: said.Post
    borrower: said.Post
    scope: tuple[str, ...]
    since: dt.date
    until: dt.date
    "First day on which it no longer holds."
    basis: str
    live: bool
    "Whether it holds today."
    mine: bool
    "Whether the person of the desk may end it."


def lendable(post: said.Post) -> tuple[str, ...]:
    """The roles of a post that may be lent."""
    return tuple(role for role in post.roles if role not in KEPT)


def lenders(desk: Desk) -> list[said.Post]:
    """The posts of the person of which something may be lent."""
    return [post for post in desk.posts if lendable(post)]


def lend(desk: Desk, *, lender: str, borrower: str, scope: Collection[str], since: dt.date, until: dt.date, basis: str) -> str:
    """Lend roles of a post one holds to the holder of another post of this node; refused without a written basis or an end."""
    held = next((post for post in desk.posts if post.id == lender), None)
    if held is None:
        raise Refused(_("您不在这个岗位上，不能转授它的职能。"), code="not_yours")
    own(desk, said.Post, lender)
    other = there(desk.directory.post(borrower))
    if borrower == lender or _holds(desk, borrower):
        raise Invalid(_("请授权给别人的岗位。"), code="to_oneself")
    if not scope or not set(scope) <= set(lendable(held)):
        raise Invalid(_("请选择本岗位可以授权的职能；三员和印章保管不能转授。"), code="scope")
    if not basis.strip():
        raise Invalid(_("请填写书面依据。"), code="basis_missing")
    if until <= since or until <= today() or until - since > LONGEST:
        raise Invalid(_("授权要有起止日期，最长一年。"), code="bad_term")
    key = uuid7()
    chosen = tuple(role for role in held.roles if role in scope)
    write(desk, said.Delegated(key, lender, other.id, chosen, since, until, basis.strip()), post=lender)
    return key


def take_back(desk: Desk, id: str) -> None:
    """End a delegation today: the lender, or the administrator who keeps the posts; whom it does not concern is not told that it is there."""
    there(next((one for one in loans(desk) if one.id == id), None))
    found = own(desk, said.Delegated, id)
    if not _may_end(desk, found):
        raise Refused(_("只有授权人或者系统管理员可以收回授权。"), code="not_yours")
    if found.valid_to > today():
        post = found.grantor_post if _holds(desk, found.grantor_post) else None
        write(desk, msgspec.structs.replace(found, valid_to=max(today(), found.valid_from)), post=post)


def loans(desk: Desk) -> list[Loan]:
    """Delegations from and to the posts of the person, the newest first; for administrators those of all posts of this node."""
    wide = may(desk, KEEPER, GUARD, AUDITOR)
    mine = {post.id for post in desk.posts}
    found = [d for d in desk.directory.delegations() if wide or {d.grantor_post, d.grantee_post} & mine]
    return [_loan(desk, one) for one in sorted(found, key=lambda d: (d.valid_to, d.id), reverse=True)]


def _loan(desk: Desk, one: said.Delegated) -> Loan:
    lender, borrower = (there(desk.directory.post(id)) for id in (one.grantor_post, one.grantee_post))
    live = in_term(today(), one.valid_from, one.valid_to)
    ends = one.valid_to > today() and _may_end(desk, one)
    return Loan(
        id=one.id,
        lender=lender,
        borrower=borrower,
        scope=one.scope,
        since=one.valid_from,
        until=one.valid_to,
        basis=one.basis,
        live=live,
        mine=ends,
    )


def _holds(desk: Desk, post: str) -> bool:
    return any(one.id == post for one in desk.posts)


def _may_end(desk: Desk, one: said.Delegated) -> bool:
    return _holds(desk, one.grantor_post) or may(desk, KEEPER)

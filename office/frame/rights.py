"""Who a person is in an organ: the functions held there by a post in it, or in an office that serves it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists

from node.directory.entries import Person
from office.frame.desk import Desk


def roles(desk: Desk, organ: str) -> frozenset[str]:
    """The functions a person has in an organ, by posts in it or in an office that serves it."""
    return frozenset(role for post in desk.posts if organ in (post.organ, *post.serves) for role in post.roles)


def with_role(desk: Desk, *names: str) -> list[str]:
    """Organs in which the person has one of these roles; what ``visible`` of a model asks most."""
    return sorted({organ for post in desk.posts if set(post.roles) & set(names) for organ in (post.organ, *post.serves)})


def seen(desk: Desk, model: Any, key: Any, of: Any) -> ColumnElement[bool]:
    """For ``visible`` of what belongs to something else: whether the row of ``model`` whose ``key`` the column ``of`` names may be seen.

    It is asked of each row, by its key; all rows that somebody may see are more every year.
    """
    return exists().where(key == of, model.visible(desk)).correlate(of.class_)


@dataclass(frozen=True, kw_only=True)
class Lent:
    """A role in an organ that the holder of another post has lent to one of the desk's person, for a term that runs."""

    role: str
    organ: str
    principal: str
    "Id of the person who lent it."
    post: str
    "The post to which it was lent."
    basis: str
    id: str


def powers(desk: Desk) -> list[Lent]:
    """The powers lent to the posts of the desk's person today; a delegation that is over lends nothing."""
    found = []
    for post in desk.posts:
        for one in desk.directory.delegations_to(post.id):
            lender = desk.directory.post(one.grantor_post)
            holders = [h.id for h in desk.directory.holders_of(lender)] if lender is not None else []
            if lender is None or not holders:
                continue
            organs = dict.fromkeys((lender.organ, *lender.serves))
            roles = [role for role in one.scope if role in lender.roles]
            found += [Lent(role=r, organ=o, principal=holders[0], post=post.id, basis=one.basis, id=one.id) for r in roles for o in organs]
    return found


def acting_post(desk: Desk, organ: str, prefer: Collection[str] = ()) -> str:
    """Id of the post in which the person acts for an organ: one that serves it, with a preferred role if there is one."""
    fit = [post for post in desk.posts if organ in (post.organ, *post.serves)]
    preferred = [post for post in fit if set(post.roles) & set(prefer)]
    return next((post.id for post in (*preferred, *fit, *desk.posts)), "")


def staff(desk: Desk, organ: str) -> list[Person]:
    """The persons to whom an organ may give something: its own and those of offices that serve it."""
    people: dict[str, Person] = {}
    for post in desk.directory.posts_for(organ):
        for found in desk.directory.people_of(post.organ):
            people[found.person.id] = found.person
    for found in desk.directory.people_of(organ):
        people[found.person.id] = found.person
    return list(people.values())

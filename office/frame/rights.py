"""Who a person is in an organ: the functions held there by a post in it, or in an office that serves it."""

from __future__ import annotations

from collections.abc import Collection

from node.directory.entries import Person
from office.frame.desk import Desk


def roles(desk: Desk, organ: str) -> frozenset[str]:
    """The functions a person has in an organ, by posts in it or in an office that serves it."""
    return frozenset(role for post in desk.posts if organ in (post.organ, *post.serves) for role in post.roles)


def with_role(desk: Desk, *names: str) -> list[str]:
    """Organs in which the person has one of these roles; what ``visible`` of a model asks most."""
    return sorted({organ for post in desk.posts if set(post.roles) & set(names) for organ in (post.organ, *post.serves)})


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

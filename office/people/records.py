"""Organs, posts, persons and appointments: looked up by everybody, kept by the administrator of the node that keeps them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

import msgspec

from node import persons
from node.codec import uuid7
from node.directory import entries as said
from node.directory import lines
from node.directory.spelling import spell, spell_name
from node.directory.view import Found, Signer, today
from node.directory.writing import AT_ONCE
from node.errors import Conflict, Invalid
from node.kinds import Content
from office.frame.desk import Desk
from office.frame.words import _
from office.people.pen import check_words, fresh, may, need, one_administrator, own, save, there, write
from office.people.workflow import AUDITOR, GUARD, KEEPER, Account, account

MANY_LINES = 20_000
"Lines of an import over the web; longer files are for ``yiwang dir import``."


def organ(desk: Desk, id: str) -> said.Organ:
    """An organ, closed ones included."""
    return there(desk.directory.organ(id))


def post(desk: Desk, id: str) -> said.Post:
    """A post."""
    return there(desk.directory.post(id))


def person(desk: Desk, id: str) -> Found:
    """A person's card with the posts held."""
    return Found(there(desk.directory.person(id)), desk.directory.appointments_of(id))


def file(desk: Desk, id: str) -> said.File | None:
    """A person's file: for the person and for administrators of the node that keeps it."""
    if id != desk.person and not (may(desk, KEEPER, GUARD, AUDITOR) and desk.directory.person_home(id) == desk.node):
        return None
    return desk.directory.file(id)


def state(desk: Desk, id: str) -> Account:
    """Where an account at this node stands."""
    return account(has_key=persons.has_key(desk.settings, id), first=persons.is_first(desk.settings, id))


def certificates(desk: Desk, id: str) -> tuple[Signer, ...]:
    """A person's certificates, newest first; public, as whoever checks a signature needs them."""
    return desk.directory.certificates_of(id)[::-1]


def accounts(desk: Desk) -> list[tuple[Found, str, Account]]:
    """(person, login, state) of everybody this node keeps, in protocol order."""
    need(desk, KEEPER, GUARD, AUDITOR)
    people: dict[str, Found] = {}
    for place in desk.directory.organs_at(desk.node):
        people.update({f.person.id: f for f in desk.directory.people_of(place.id)})
    kept = [f for f in people.values() if desk.directory.person_home(f.person.id) == desk.node]
    return [(f, getattr(desk.directory.file(f.person.id), "login", ""), state(desk, f.person.id)) for f in kept]


def save_organ(desk: Desk, given: said.Organ, *, seen: str = "") -> str:
    """Found an organ (no id) or change one of this node; ``seen`` is the value that the form showed."""
    need(desk, KEEPER)
    check_words(given.full_name, given.short_name)
    if given.parent_id and desk.directory.organ(given.parent_id) is None:
        raise Invalid(_("没有这个上级机构。"), code="unknown_organ")
    if given.id and given.id in {given.parent_id, *(o.id for o in desk.directory.above(given.parent_id))}:
        raise Invalid(_("机构不能隶属于自己或下级。"), code="loop")
    short = given.short_name or given.full_name
    return save(desk, msgspec.structs.replace(given, id=given.id or uuid7(), short_name=short, node=desk.node, pinyin=spell(short)), seen)


def close_organ(desk: Desk, id: str, *, on: dt.date, successor: str = "") -> None:
    """Close an organ from a day on; its matters go to the successor, its name stays on old documents."""
    need(desk, KEEPER)
    found = own(desk, said.Organ, id)
    if successor and (successor == id or desk.directory.organ(successor) is None):
        raise Invalid(_("没有这个承继机构。"), code="unknown_organ")
    write(desk, msgspec.structs.replace(found, valid_to=on, successor_id=successor))


def save_post(desk: Desk, given: said.Post, *, seen: str = "") -> str:
    """Set up a post (no id) or change one; its roles are another administrator's (:func:`grant`)."""
    need(desk, KEEPER)
    check_words(given.title)
    own(desk, said.Organ, given.organ)
    held = desk.directory.post(given.id) if given.id else None
    kept = msgspec.structs.replace(given, id=given.id or uuid7(), roles=held.roles if held else (), serves=held.serves if held else ())
    return save(desk, kept, seen)


def close_post(desk: Desk, id: str, *, on: dt.date) -> None:
    """End a post from a day on, and with it who held it."""
    need(desk, KEEPER)
    write(desk, msgspec.structs.replace(own(desk, said.Post, id), valid_to=on))


def grant(desk: Desk, post: str, roles: Collection[str]) -> None:
    """Give a post these roles and no others; nobody becomes two of the three administrators."""
    need(desk, GUARD)
    found = own(desk, said.Post, post)
    if unknown := set(roles) - set(said.ROLES):
        raise Invalid(_("没有这项职能。"), code="unknown_role", role=sorted(unknown)[0])
    for holder in desk.directory.people_of(found.organ):
        if any(h.post.id == post for h in holder.holdings):
            others = {r for h in holder.holdings if h.post.id != post for r in h.post.roles}
            one_administrator(others | set(roles))
    write(desk, msgspec.structs.replace(found, roles=tuple(r for r in said.ROLES if r in roles)))


def save_person(desk: Desk, card: said.Person, private: said.File, *, seen: str = "") -> str:
    """Enter a person (no id) or change one that this node keeps."""
    need(desk, KEEPER)
    check_words(card.name, private.login)
    own(desk, said.Organ, card.organ)
    if card.status not in said.STATUSES:
        raise Invalid(_("没有这种人员状态。"), code="unknown_status")
    login = private.login.strip().lower()
    if login and desk.directory.login(login) not in (None, card.id):
        raise Conflict(_("这个登录名已有人使用。"), code="login_taken")
    key = card.id or uuid7()
    if card.id:
        own(desk, said.Person, card.id)
    fresh(desk, said.Person, key, seen)
    both = (
        msgspec.structs.replace(card, id=key, pinyin=card.pinyin.strip().lower() or spell_name(card.name)),
        msgspec.structs.replace(private, id=key, login=login),
    )
    changed = [c for c in both if (held := desk.directory.record(type(c), key)) is None or held.body != c]
    if changed:
        write(desk, *changed)
    return key


def appoint(desk: Desk, person: str, post: str, *, since: dt.date | None = None, primary: bool = False, basis: str = "") -> str:
    """Appoint a person of any node to a post that this node keeps."""
    need(desk, KEEPER)
    there(desk.directory.person(person))
    found = own(desk, said.Post, post)
    held = desk.directory.appointments_of(person, here=True)
    if any(h.post.id == post for h in held):
        raise Conflict(_("此人已任这一岗位。"), code="already")
    one_administrator({r for h in held for r in h.post.roles} | set(found.roles))
    key = uuid7()
    write(desk, said.Appointed(key, person, post, primary or not held, since, None, basis))
    return key


def end_appointment(desk: Desk, id: str, *, on: dt.date | None = None) -> None:
    """A person holds a post no longer from a day (today) on."""
    need(desk, KEEPER)
    found = own(desk, said.Appointed, id)
    write(desk, msgspec.structs.replace(found, valid_to=on or today()))


def plan(desk: Desk, text: str) -> lines.Plan:
    """What a file of lines would change here; roles of posts are refused unless they stay as they are."""
    need(desk, KEEPER)
    given = text.splitlines()
    if len(given) > MANY_LINES:
        raise Invalid(_("一次最多导入两万行，更多请用命令行。"), code="too_large")
    found = lines.plan(desk.directory, given)
    kept: list[Content] = []
    for content in found.contents:
        before = desk.directory.post(content.id) if isinstance(content, said.Post) else None
        if isinstance(content, said.Post) and set(content.roles) != set(before.roles if before else ()):
            found.refused.append(lines.Refusal(0, "roles_by_secadmin", content.title))
        else:
            kept.append(content)
    found.created[:] = [c for c in found.created if c in kept]
    found.changed[:] = [c for c in found.changed if c in kept]
    return found


def bring_in(desk: Desk, text: str) -> lines.Plan:
    """Import lines, each written in the importing person's name."""
    found = plan(desk, text)
    for start in range(0, len(found.contents), AT_ONCE):
        write(desk, *found.contents[start : start + AT_ONCE])
    return found


def bring_out(desk: Desk) -> Iterable[str]:
    """This node's part of the directory as lines."""
    need(desk, KEEPER, GUARD, AUDITOR)
    return lines.dump(desk.directory, node=desk.node)

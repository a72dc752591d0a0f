"""What people do with the directory: look people up, keep organs, posts and persons, give and replace keys.

Every record is written by the node that keeps it, signed by the person who acts. Who may is asked first, from the roles of the
posts held; a record of another node is left alone. A key is certified in the directory before it is put behind a password,
so that a crash between the two leaves a certificate without a key and never a key that nobody believes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TypeVar

import msgspec

from node import certs, persons
from node.codec import uuid7
from node.directory import entries as said
from node.directory import lines
from node.directory.spelling import spell, spell_name
from node.directory.view import Found, Signer, today
from node.directory.writing import AT_ONCE, audience_of, former, record_of
from node.entry import Lane
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from node.kinds import Content
from office.frame.desk import Desk
from office.frame.words import _
from office.people.workflow import ACCOUNTS, AUDITOR, GUARD, KEEPER, OWNER, Account, account

T = TypeVar("T")
MANY_LINES = 20_000
"Lines of an import over the web; longer files are for ``yiwang dir import``."


# --------------------------------------------------------------------------------------------------------------- reading


def may(desk: Desk, *roles: str) -> bool:
    """Whether the person holds one of these roles at this node."""
    return bool(_roles(desk).intersection(roles))


def organ(desk: Desk, id: str) -> said.Organ:
    """An organ, closed ones included."""
    return _there(desk.directory.organ(id))


def post(desk: Desk, id: str) -> said.Post:
    """A post."""
    return _there(desk.directory.post(id))


def person(desk: Desk, id: str) -> Found:
    """A person's card with the posts held."""
    return Found(_there(desk.directory.person(id)), desk.directory.appointments_of(id))


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
    _need(desk, KEEPER, GUARD, AUDITOR)
    people: dict[str, Found] = {}
    for place in desk.directory.organs_at(desk.node):
        people.update({f.person.id: f for f in desk.directory.people_of(place.id)})
    kept = [f for f in people.values() if desk.directory.person_home(f.person.id) == desk.node]
    return [(f, getattr(desk.directory.file(f.person.id), "login", ""), state(desk, f.person.id)) for f in kept]


# ---------------------------------------------------------------------------------------------------- organs, posts, persons


def save_organ(desk: Desk, given: said.Organ, *, seen: str = "") -> str:
    """Found an organ (no id) or change one of this node; ``seen`` is the value that the form showed."""
    _need(desk, KEEPER)
    _words(given.full_name, given.short_name)
    if given.parent_id and desk.directory.organ(given.parent_id) is None:
        raise Invalid(_("没有这个上级机构。"), code="unknown_organ")
    if given.id and given.id in {given.parent_id, *(o.id for o in desk.directory.above(given.parent_id))}:
        raise Invalid(_("机构不能隶属于自己或下级。"), code="loop")
    short = given.short_name or given.full_name
    return _save(desk, msgspec.structs.replace(given, id=given.id or uuid7(), short_name=short, node=desk.node, pinyin=spell(short)), seen)


def close_organ(desk: Desk, id: str, *, on: dt.date, successor: str = "") -> None:
    """Close an organ from a day on; its matters go to the successor, its name stays on old documents."""
    _need(desk, KEEPER)
    found = _own(desk, said.Organ, id)
    if successor and (successor == id or desk.directory.organ(successor) is None):
        raise Invalid(_("没有这个承继机构。"), code="unknown_organ")
    _write(desk, msgspec.structs.replace(found, valid_to=on, successor_id=successor))


def save_post(desk: Desk, given: said.Post, *, seen: str = "") -> str:
    """Set up a post (no id) or change one; its roles are another administrator's (:func:`grant`)."""
    _need(desk, KEEPER)
    _words(given.title)
    _own(desk, said.Organ, given.organ)
    held = desk.directory.post(given.id) if given.id else None
    kept = msgspec.structs.replace(given, id=given.id or uuid7(), roles=held.roles if held else (), serves=held.serves if held else ())
    return _save(desk, kept, seen)


def close_post(desk: Desk, id: str, *, on: dt.date) -> None:
    """End a post from a day on, and with it who held it."""
    _need(desk, KEEPER)
    _write(desk, msgspec.structs.replace(_own(desk, said.Post, id), valid_to=on))


def grant(desk: Desk, post: str, roles: Collection[str]) -> None:
    """Give a post these roles and no others; nobody becomes two of the three administrators."""
    _need(desk, GUARD)
    found = _own(desk, said.Post, post)
    if unknown := set(roles) - set(said.ROLES):
        raise Invalid(_("没有这项职能。"), code="unknown_role", role=sorted(unknown)[0])
    for holder in desk.directory.people_of(found.organ):
        if any(h.post.id == post for h in holder.holdings):
            others = {r for h in holder.holdings if h.post.id != post for r in h.post.roles}
            _one_administrator(others | set(roles))
    _write(desk, msgspec.structs.replace(found, roles=tuple(r for r in said.ROLES if r in roles)))


def save_person(desk: Desk, card: said.Person, private: said.File, *, seen: str = "") -> str:
    """Enter a person (no id) or change one that this node keeps."""
    _need(desk, KEEPER)
    _words(card.name, private.login)
    _own(desk, said.Organ, card.organ)
    if card.status not in said.STATUSES:
        raise Invalid(_("没有这种人员状态。"), code="unknown_status")
    login = private.login.strip().lower()
    if login and desk.directory.login(login) not in (None, card.id):
        raise Conflict(_("这个登录名已有人使用。"), code="login_taken")
    key = card.id or uuid7()
    if card.id:
        _own(desk, said.Person, card.id)
    _fresh(desk, said.Person, key, seen)
    both = (
        msgspec.structs.replace(card, id=key, pinyin=card.pinyin.strip().lower() or spell_name(card.name)),
        msgspec.structs.replace(private, id=key, login=login),
    )
    changed = [c for c in both if (held := desk.directory.record(type(c), key)) is None or held.body != c]
    if changed:
        _write(desk, *changed)
    return key


def appoint(desk: Desk, person: str, post: str, *, since: dt.date | None = None, primary: bool = False, basis: str = "") -> str:
    """Appoint a person of any node to a post that this node keeps."""
    _need(desk, KEEPER)
    _there(desk.directory.person(person))
    found = _own(desk, said.Post, post)
    held = desk.directory.appointments_of(person)
    if any(h.post.id == post for h in held):
        raise Conflict(_("此人已任这一岗位。"), code="already")
    _one_administrator({r for h in held for r in h.post.roles} | set(found.roles))
    key = uuid7()
    _write(desk, said.Appointed(key, person, post, primary or not held, since, None, basis))
    return key


def end_appointment(desk: Desk, id: str, *, on: dt.date | None = None) -> None:
    """A person holds a post no longer from a day (today) on."""
    _need(desk, KEEPER)
    found = _own(desk, said.Appointed, id)
    _write(desk, msgspec.structs.replace(found, valid_to=on or today()))


# ------------------------------------------------------------------------------------------------------------------ keys


def issue_password(desk: Desk, person: str) -> str:
    """Give a person a first password, or another after a lost one: a new key and certificate, the old ones revoked.

    The password is returned once and kept nowhere; it must be changed at the first sign-in.
    """
    card = _own(desk, said.Person, person)
    name = "issue" if state(desk, person) is Account.NONE else "reset"
    ACCOUNTS.step(state(desk, person), name, _parts(desk, person))
    if card.status in ("retired", "suspended"):
        raise Refused(_("此人已退休或停职，不能发放口令。"), code="not_active")
    if person == desk.person:
        raise Refused(_("自己的口令请用“修改口令”。"), code="own_account")
    password = persons.new_password()
    _replace_key(desk, card, password, first=True)
    return password


def change_password(desk: Desk, old: str, new: str) -> persons.Door:
    """Change one's own password. A password given by an administrator goes with the key it opened: a new key takes its place.

    Returns the opened key that goes on; the caller ends the person's other sessions.
    """
    login = getattr(desk.directory.file(desk.person), "login", "")
    ACCOUNTS.step(state(desk, desk.person), "settle" if persons.is_first(desk.settings, desk.person) else "change", _parts(desk, desk.person))
    persons.check_password(new, login=login)
    if old == new:
        raise Invalid(_("新口令不能与旧口令相同。"), code="weak_password")
    door = desk.office.aside(lambda: persons.open_person_key(desk.settings, desk.person, old))
    if not door.first:
        return desk.office.aside(lambda: persons.change_password(desk.settings, desk.person, old, new, login=login))
    return _replace_key(desk, _own(desk, said.Person, desk.person), new, first=False)


def close_account(desk: Desk, person: str, *, reason: str = "left") -> None:
    """Take away a person's key and revoke its certificates."""
    card = _own(desk, said.Person, person)
    ACCOUNTS.step(state(desk, person), "close", _parts(desk, person))
    if person == desk.person:
        raise Refused(_("不能停用自己的账号。"), code="own_account")
    if reason not in REASONS:
        raise Invalid(_("没有这种吊销原因。"), code="unknown_reason")
    if living := _living(desk, card.id):
        cuts = _cuts(desk, desk.node)
        _write(desk, *(said.Revoked(certs.fingerprint(s.certificate), reason, cuts) for s in living))
    persons.drop_key(desk.settings, person)


def revoke(desk: Desk, fingerprint: bytes, *, reason: str) -> None:
    """Let a certificate of this node's persons and seals, or of a node below, count no longer for what comes from now on."""
    _need(desk, KEEPER, GUARD)
    found = _there(desk.directory.signer(fingerprint))
    if desk.node not in desk.directory.tree().ancestors(found.node) or found.id == desk.node:
        raise Refused(_("只能吊销本节点和下级节点签发的证书。"), code="not_yours")
    if reason not in REASONS:
        raise Invalid(_("没有这种吊销原因。"), code="unknown_reason")
    if found.revoked is None:
        _write(desk, said.Revoked(fingerprint, reason, _cuts(desk, found.node)))


def issue_seal(desk: Desk, organ: str) -> Signer:
    """Make a seal for an organ of this node, opened by its seal keepers; former seals of the organ are revoked."""
    _need(desk, KEEPER)
    found = _own(desk, said.Organ, organ)
    if not found.may_issue:
        raise Refused(_("该机构未登记为发文单位，不能制发印章。"), code="may_not_issue")
    keepers = tuple(p.id for p in desk.directory.holders("seal_keeper", organ))
    former_seals = desk.directory.seals_of(organ)
    key = f"seal.{uuid7()}"
    cert = persons.new_seal_key(desk.settings, key, organ, found.full_name, keepers, desk.now)
    _write(desk, said.Certified(key, certs.der(cert), organ))
    for old in former_seals:
        revoke(desk, certs.fingerprint(old.certificate), reason="superseded")
    return _there(desk.directory.signer(certs.fingerprint(cert)))


REASONS = ("superseded", "lost", "stolen", "left", "closed", "wrong")


# ------------------------------------------------------------------------------------------------------------- import, export


def plan(desk: Desk, text: str) -> lines.Plan:
    """What a file of lines would change here; roles of posts are refused unless they stay as they are."""
    _need(desk, KEEPER)
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
        _write(desk, *found.contents[start : start + AT_ONCE])
    return found


def bring_out(desk: Desk) -> Iterable[str]:
    """This node's part of the directory as lines."""
    _need(desk, KEEPER, GUARD, AUDITOR)
    return lines.dump(desk.directory, node=desk.node)


# ---------------------------------------------------------------------------------------------------------------- inside


def _roles(desk: Desk) -> frozenset[str]:
    held = desk.directory.appointments_of(desk.person)
    return frozenset(r for h in held if h.organ.node == desk.node for r in h.post.roles)


def _parts(desk: Desk, person: str) -> set[str]:
    return set(_roles(desk)) | ({OWNER} if person == desk.person else set())


def _need(desk: Desk, *roles: str) -> None:
    if not may(desk, *roles):
        raise Refused(_("这项工作由本单位的管理员办理。"), code="not_administrator")


def _there(found: T | None) -> T:
    if found is None:
        raise Missing(_("没有找到，或者您无权查看。"))
    return found


def _own(desk: Desk, cls: type[T], id: str) -> T:
    """The present value of a record that this node keeps."""
    record = _there(desk.directory.record(cls, id))  # type: ignore[type-var]
    if record.home != desk.node:
        raise Refused(_("这条记录由其他节点维护。"), code="foreign_record")
    return record.body  # type: ignore[no-any-return]


def _save(desk: Desk, content: Content, seen: str) -> str:
    """Write a new or changed value."""
    key: str = content.id  # type: ignore[attr-defined]
    held = _fresh(desk, type(content), key, seen)
    if held != content:
        _write(desk, content)
    return key


def _fresh(desk: Desk, cls: type[T], id: str, seen: str) -> T | None:
    """The present value, if this node keeps it and it is still the one that the form showed."""
    record = desk.directory.record(cls, id)  # type: ignore[type-var]
    if record is None:
        return None
    if record.home != desk.node:
        raise Refused(_("这条记录由其他节点维护。"), code="foreign_record")
    if seen and record.said.hex() != seen:
        raise Conflict(_("这条记录刚刚有人改过，请重新打开后再改。"), code="stale")
    return record.body  # type: ignore[no-any-return]


def _write(desk: Desk, *contents: Content) -> None:
    """Write contents together, signed in the post by which the person is an administrator."""
    post = next((h.post.id for h in desk.holdings if h.organ.node == desk.node and set(h.post.roles) & set(said.ADMINISTRATORS)), None)
    desk.together(
        [
            desk.wish(
                c, record=record_of(c), to=(audience_of(c),), lane=Lane.TRUST, after=former(desk.directory, c), recipients=(desk.node,), post=post
            )
            for c in contents
        ]
    )


def _words(*values: str) -> None:
    if not values[0].strip():
        raise Invalid(_("名称不能为空。"), code="bad_text")
    for value in values:
        if len(value) > 200 or (value and not value.isprintable()):
            raise Invalid(_("名称过长，或含有不能显示的字符。"), code="bad_text")


def _one_administrator(roles: Collection[str]) -> None:
    if len(set(roles).intersection(said.ADMINISTRATORS)) > 1:
        raise Refused(_("系统管理员、安全管理员、审计管理员不能由一人兼任。"), code="three_administrators")


def _living(desk: Desk, id: str) -> list[Signer]:
    return [s for s in desk.directory.certificates_of(id) if s.revoked is None]


def _replace_key(desk: Desk, card: said.Person, password: str, *, first: bool) -> persons.Door:
    """Certify a new key, revoke the one it replaces up to here, then put it behind the password; a key file of one's own stays."""
    held = persons.fingerprint_of(desk.settings, card.id)
    before = [f for f in (certs.fingerprint(s.certificate) for s in _living(desk, card.id)) if f == held]
    door, cert = persons.make_person_key(desk.settings, card.id, card.name, desk.now, first=first)
    _write(desk, said.Certified(card.id, certs.der(cert), ""))
    # A revocation stands behind its own cut, so whoever replaces the own key says it with the new one.
    pen = Desk(desk.office, person=desk.person, door=lambda: door) if card.id == desk.person else desk
    if before:
        cuts = _cuts(desk, desk.node)
        _write(pen, *(said.Revoked(fingerprint, "superseded", cuts) for fingerprint in before))
    desk.office.aside(lambda: persons.store(desk.settings, door, password))
    return door


def _cuts(desk: Desk, node: str) -> tuple[tuple[bytes, int, bytes], ...]:
    """Up to where this node holds the logs of a node: what stands there stays good."""
    try:
        chains = desk.ledger.chains()
    except NodeError:
        raise Conflict(_("现在无法确定日志位置，请稍后再试。"), code="busy") from None
    living = sorted((c for c in chains if c.author == node and c.count), key=lambda c: c.opened, reverse=True)
    return tuple((c.id, c.count - 1, c.hash) for c in living[:500])

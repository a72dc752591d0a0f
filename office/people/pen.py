"""Who may write what in the directory, and the writing of it: signed by the person who acts, in the post that lets them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from node.directory import entries as said
from node.directory.writing import audience_of, former, record_of
from node.entry import Lane
from node.errors import Conflict, Invalid, Missing, Refused
from node.kinds import Content
from office.frame.desk import Desk
from office.frame.words import _
from office.people.workflow import OWNER

T = TypeVar("T")


def may(desk: Desk, *roles: str) -> bool:
    """Whether the person holds one of these roles at this node."""
    return bool(desk.roles.intersection(roles))


def parts(desk: Desk, person: str) -> set[str]:
    """Those roles, and the part of whose account it is."""
    return set(desk.roles) | ({OWNER} if person == desk.person else set())


def need(desk: Desk, *roles: str) -> None:
    """Refuse whoever holds none of these roles here."""
    if not may(desk, *roles):
        raise Refused(_("这项工作由本单位的管理员办理。"), code="not_administrator")


def there(found: T | None) -> T:
    """What was looked for; :class:`Missing` when it is not there."""
    if found is None:
        raise Missing(_("没有找到，或者您无权查看。"))
    return found


def own(desk: Desk, cls: type[T], id: str) -> T:
    """The present value of a record that this node keeps."""
    record = there(desk.directory.record(cls, id))  # type: ignore[type-var]
    if record.home != desk.node:
        raise Refused(_("这条记录由其他节点维护。"), code="foreign_record")
    return record.body  # type: ignore[no-any-return]


def save(desk: Desk, content: Content, seen: str) -> str:
    """Write a new or changed value."""
    key: str = content.id  # type: ignore[attr-defined]
    held = fresh(desk, type(content), key, seen)
    if held != content:
        write(desk, content)
    return key


def fresh(desk: Desk, cls: type[T], id: str, seen: str) -> T | None:
    """The present value, if this node keeps it and it is still the one that the form showed."""
    record = desk.directory.record(cls, id)  # type: ignore[type-var]
    if record is None:
        return None
    if record.home != desk.node:
        raise Refused(_("这条记录由其他节点维护。"), code="foreign_record")
    if seen and record.said.hex() != seen:
        raise Conflict(_("这条记录刚刚有人改过，请重新打开后再改。"), code="stale")
    return record.body  # type: ignore[no-any-return]


def write(desk: Desk, *contents: Content, post: str | None = None) -> None:
    """Write contents together, signed in a post, by default that by which the person is an administrator."""
    post = post or next((h.post.id for h in desk.holdings if set(h.post.roles) & set(said.ADMINISTRATORS)), None)
    desk.together(
        [
            desk.wish(
                c, record=record_of(c), to=(audience_of(c),), lane=Lane.TRUST, after=former(desk.directory, c), recipients=(desk.node,), post=post
            )
            for c in contents
        ]
    )


def check_words(*values: str) -> None:
    """Refuse names that are too long or cannot be shown, and a first one that is empty."""
    if not values[0].strip():
        raise Invalid(_("名称不能为空。"), code="bad_text")
    for value in values:
        if len(value) > 200 or (value and not value.isprintable()):
            raise Invalid(_("名称过长，或含有不能显示的字符。"), code="bad_text")


def one_administrator(roles: Collection[str]) -> None:
    """Refuse two of the three administrators in one person."""
    if len(set(roles).intersection(said.ADMINISTRATORS)) > 1:
        raise Refused(_("系统管理员、安全管理员、审计管理员不能由一人兼任。"), code="three_administrators")

"""The verbs and questions of the people room, in one place."""

from __future__ import annotations

from office.frame.desk import Desk
from office.frame.todo import Todo
from office.people.accounts import change_password, close_account, issue_password, issue_seal, renew_certificate, revoke
from office.people.corrections import todo as _corrections
from office.people.pen import may, write
from office.people.records import (
    accounts,
    appoint,
    bring_in,
    bring_out,
    certificates,
    close_organ,
    close_post,
    end_appointment,
    file,
    grant,
    organ,
    person,
    plan,
    post,
    save_organ,
    save_person,
    save_post,
    state,
)
from office.people.seals import todo as _seals

__all__ = [
    "accounts",
    "appoint",
    "bring_in",
    "bring_out",
    "certificates",
    "change_password",
    "close_account",
    "close_organ",
    "close_post",
    "end_appointment",
    "file",
    "grant",
    "issue_password",
    "issue_seal",
    "may",
    "organ",
    "person",
    "plan",
    "post",
    "renew_certificate",
    "revoke",
    "save_organ",
    "save_person",
    "save_post",
    "state",
    "todo",
    "write",
]


def todo(desk: Desk) -> list[Todo]:
    """What waits for the person on the home page: seals, and corrections of personal data."""
    return [*_seals(desk), *_corrections(desk)]

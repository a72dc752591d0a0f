"""States of an account and who may move it; who may do what with the directory. Pure."""

from __future__ import annotations

from enum import StrEnum

from node.directory.entries import ADMINISTRATORS
from office.frame.flow import Flow, Move

OWNER = "owner"
"The part of the person whose account it is."
KEEPER, GUARD, AUDITOR = ADMINISTRATORS
"系统管理员 keeps records and accounts, 安全管理员 gives roles and revokes, 审计管理员 reads."


class Account(StrEnum):
    """Where a person's account stands."""

    NONE = "none"
    FIRST = "first"
    LIVE = "live"


ACCOUNTS = Flow(
    Move("issue", Account.NONE, Account.FIRST, by=KEEPER),
    Move("reset", (Account.FIRST, Account.LIVE), Account.FIRST, by=KEEPER),
    Move("settle", Account.FIRST, Account.LIVE, by=OWNER),
    Move("change", Account.LIVE, Account.LIVE, by=OWNER),
    Move("close", (Account.FIRST, Account.LIVE), Account.NONE, by=(KEEPER, GUARD)),
)


def account(*, has_key: bool, first: bool) -> Account:
    """The state of an account from its key file."""
    if not has_key:
        return Account.NONE
    return Account.FIRST if first else Account.LIVE

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


class Matter(StrEnum):
    """Where an application stands: 申请, 批准, 用印 or 制发, or one of the ways out."""

    ASKED = "asked"
    GRANTED = "granted"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Seal(StrEnum):
    """Where a seal stands."""

    LIVE = "live"
    SUSPENDED = "suspended"
    COLLECTED = "collected"
    DESTROYED = "destroyed"
    REVOKED = "revoked"


HEAD, CUSTODIAN = "signer", "seal_keeper"
_BACK = Move("withdraw", (Matter.ASKED, Matter.GRANTED), Matter.WITHDRAWN, by=OWNER)
USES = Flow(
    Move("grant", Matter.ASKED, Matter.GRANTED, by=HEAD),
    Move("refuse", Matter.ASKED, Matter.REFUSED, by=HEAD),
    Move("use", Matter.GRANTED, Matter.DONE, by=CUSTODIAN),
    _BACK,
)
MAKES = Flow(
    Move("grant", Matter.ASKED, Matter.GRANTED, by=GUARD),
    Move("refuse", Matter.ASKED, Matter.REFUSED, by=GUARD),
    Move("make", Matter.GRANTED, Matter.DONE, by=KEEPER),
    _BACK,
)
CORRECTIONS = Flow(
    Move("accept", Matter.ASKED, Matter.GRANTED, by=KEEPER),
    Move("refuse", Matter.ASKED, Matter.REFUSED, by=KEEPER),
    Move("withdraw", Matter.ASKED, Matter.WITHDRAWN, by=OWNER),
)
SEALS = Flow(
    Move("hand", Seal.LIVE, Seal.LIVE, by=CUSTODIAN),
    Move("suspend", Seal.LIVE, Seal.SUSPENDED, by=(GUARD, CUSTODIAN)),
    Move("resume", Seal.SUSPENDED, Seal.LIVE, by=GUARD),
    Move("collect", (Seal.LIVE, Seal.SUSPENDED), Seal.COLLECTED, by=GUARD),
    Move("destroy", Seal.COLLECTED, Seal.DESTROYED, by=GUARD),
)
"系统管理员 makes seals, 安全管理员 lets them be made and takes them away: never one person alone."


def account(*, has_key: bool, first: bool) -> Account:
    """The state of an account from its key file."""
    if not has_key:
        return Account.NONE
    return Account.FIRST if first else Account.LIVE

"""Questions about the trail, and its check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_

from node import clock
from node.client import Ledger
from node.codec import unpack
from node.entry import SELF, Header, check_entry, position
from node.errors import Corrupt, Invalid, NodeError, Refused
from node.requests import Chain
from office.audit.entries import Did
from office.audit.model import Happened
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk
from office.frame.words import _

PART = 256 * 1024
"Bytes of the log read at once."


@dataclass(frozen=True, kw_only=True)
class Check:
    """What walking the node's own log again found."""

    chains: int
    entries: int
    wrong: tuple[str, ...]
    "Positions at which the log does not hold, with why."
    ends: Mapping[bytes, int]
    "Of each chain, the entries that it had."


def events(desk: Desk, *, did: str = "", person: str = "", day: dt.date | None = None, limit: int = 31, offset: int = 0) -> list[Happened]:
    """Events the person may see, the newest first; ``person`` is an id or a sign-in name."""
    return desk.list(Happened, *_where(did, person, day), order=(Happened.at.desc(), Happened.said, Happened.place), limit=limit, offset=offset)


def mine(desk: Desk, *, limit: int = 20) -> list[Happened]:
    """What was done in the person's name and who looked at the person's page, the newest first."""
    own = or_(Happened.person == desk.person, (Happened.object == f"/people/{desk.person}") & (Happened.did == Did.LOOKED))
    return desk.list(Happened, own, order=(Happened.at.desc(), Happened.said, Happened.place), limit=limit)


def is_auditor(desk: Desk) -> bool:
    """Whether the person is the node's audit administrator."""
    return "auditor" in desk.roles


def need_auditor(desk: Desk) -> None:
    """Refuse everybody else."""
    if not is_auditor(desk):
        raise Refused(_("审计日志由本节点的审计管理员查阅。"), code="not_auditor")


def check(ledger: Ledger, node: str, since: Callable[[bytes], int] = lambda chain: 0) -> Check:
    """Walk the node's own logs from their openings to their ends: every link, every body, up to what the ledger says it holds.

    ``since`` says how much of a chain was walked before; that much is not walked again.
    """
    chains = [c for c in ledger.chains() if c.author == node and c.audience == SELF]
    starts = {c.id: min(since(c.id), c.count) for c in chains}
    wrong = [found for chain in chains if (found := _walk(ledger, chain, starts[chain.id]))]
    ends = {c.id: c.count for c in chains}
    return Check(chains=len(chains), entries=sum(ends.values()) - sum(starts.values()), wrong=tuple(wrong), ends=ends)


def _walk(ledger: Ledger, chain: Chain, start: int) -> str:
    """Where a chain breaks and why; empty when it holds. What was walked before is believed up to its last entry, which the next one names."""
    if 0 < start == chain.count:
        return ""
    at, last = max(0, start - 1), b""
    try:
        while at < chain.count and (batch := ledger.read(chain.id, at, PART)) is not None and batch.entries:
            for raw, body in batch.entries:
                if at == start - 1:
                    last = unpack(raw, Header).prev
                last = check_entry(raw, body, chain.id, at, last)
                at += 1
        if at < chain.count or (at == chain.count and last != chain.hash):
            raise Invalid("entries are missing", code="gap")
    except Corrupt as error:
        return f"{position(chain.author, chain.id, dict(ledger.rot()).get(chain.id, at))} {error.code}"
    except NodeError as error:
        return f"{position(chain.author, chain.id, at)} {error.code}"
    return ""


def _where(did: str, person: str, day: dt.date | None) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if did:
        found.append(Happened.did == did)
    if person:
        found.append(or_(Happened.person == person, Happened.name == person))
    if day is not None:
        start = dt.datetime.combine(day, dt.time(), SHANGHAI)
        found += [Happened.at >= clock.to_ms(start), Happened.at < clock.to_ms(start + dt.timedelta(days=1))]
    return found

"""One chain: what is known of it, the rows about to be written to it, and how they are linked. Nothing here touches a database."""

from __future__ import annotations

from dataclasses import dataclass

from node import entry as said
from node.codec import MAX_ENTRY, pack, unpack
from node.entry import Attachment, Audience, Header, Lane, Opening
from node.errors import Forged, Invalid, TooLarge
from node.requests import Batch, Chain


@dataclass
class State:
    """What is known of one chain."""

    no: int
    id: bytes
    author: str
    audience: Audience
    lane: Lane
    epoch: bytes
    epoch_key: bytes
    opened: int
    count: int
    hash: bytes
    frozen: str
    mark: int
    closed: int = -1
    "Entries it may have since a later opening of its log; below 0 while it is open."

    @property
    def log(self) -> tuple[str, Audience, Lane, bytes]:
        """Its log in its epoch, of which there is one chain."""
        return self.author, self.audience, self.lane, self.epoch

    def chain(self) -> Chain:
        """The same for other processes."""
        return Chain(self.id, self.author, self.audience, self.lane, self.count, self.hash, self.opened, self.frozen, self.closed)


@dataclass(frozen=True)
class Row:
    """One entry about to be written."""

    header: Header
    raw: bytes
    body: bytes
    hash: bytes


def follow(state: State | None, body: bytes, attachments: tuple[Attachment, ...], *, after: Row | None = None) -> Row:
    """The entry that follows: at the end of a chain, or after a row not yet written; the opening when there is no chain."""
    if after is not None:
        seq, prev, chain = after.header.seq + 1, after.hash, after.header.chain or after.hash
    elif state is not None:
        seq, prev, chain = state.count, state.hash, state.id
    else:
        seq, prev, chain = 0, b"", b""
    header = Header(chain, seq, prev, said.body_digest(body), len(body), attachments)
    raw = pack(header)
    if len(raw) + len(body) > MAX_ENTRY:
        raise TooLarge(f"an entry of {len(raw) + len(body)} bytes; {MAX_ENTRY} are allowed", hint="put the text into an attachment")
    return Row(header, raw, body, said.header_hash(raw))


def log_of(opening: Opening) -> tuple[str, Audience, Lane, bytes]:
    """The log of an opening in its epoch."""
    return opening.author, opening.audience, opening.lane, opening.epoch


def links(batch: Batch) -> list[Row]:
    """The rows of a batch, each following the one before."""
    if not batch.entries:
        raise Invalid("a batch has at least one entry", code="malformed")
    rows: list[Row] = []
    for raw, body in batch.entries:
        if len(raw) + len(body) > MAX_ENTRY:
            raise TooLarge(f"an entry of {len(raw) + len(body)} bytes; {MAX_ENTRY} are allowed")
        header = unpack(raw, Header)
        seq = batch.start + len(rows)
        prev = rows[-1].hash if rows else header.prev if seq else b""
        try:
            said.check_link(header, batch.chain, seq, prev)
        except Invalid as error:
            raise Forged(error.message, code="bad_hash") from None
        rows.append(Row(header, raw, body, said.header_hash(raw)))
    return rows


def check_body(row: Row) -> None:
    """That a body is the one its header names; :class:`Forged` otherwise."""
    if len(row.body) != row.header.size or said.body_digest(row.body) != row.header.digest:
        raise Forged("a body is not the one its header names", code="bad_hash")

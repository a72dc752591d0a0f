"""Who may say what: the identities and signers this node believes, and what it refuses of those it knows.

A signer is a certificate of the directory, valid at the claimed time and not revoked before the place. What somebody says counts
only from the node where they are at home; what speaks in the name of an organ only from the organ's node.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from node import certs, clock, identity, keys, kinds, lineage, logs
from node import entry as said
from node.codec import LATEST
from node.directory.entries import Revoked
from node.directory.view import Directory, Signer
from node.entry import Body, Opening, Scope, Statement
from node.errors import Forged, Invalid, NodeError, Refused, Untrusted
from node.group import Readable
from node.settings import Settings

log = logs.named("notary")
PURPOSES = ("hello", "signal", "challenge", "admission", "evidence", "stick")
"What others in this node may have signed by the identity key."
PAST = "node organ post person appointed delegated list calendar certified revoked forked rooted ruled"
PUBLIC = {f"directory.{past}" for past in PAST.split()}
"Kinds that count only in logs for all."
RUN = 64
"Signatures that one thread checks at a time; a batch of letters is one run, since handing over and waiting cost a tenth of the checking."


class Notary:
    """The node's identity, and whom it believes."""

    def __init__(self, settings: Settings, now: Callable[[], int]) -> None:
        self.here, self.city, self._now = settings.id, settings.city, now
        self._settings = settings
        self._know()
        self.directory: Directory | None = None
        self.doubted: frozenset[tuple[bytes, int]] | None = None
        "While a snapshot is taken: the places (chain, number) that are checked at once, the signatures of all others later; None: all at once."
        self._pool = ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), "verify")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _know(self) -> None:
        own = identity.load(self._settings)
        self.identity, self.certs, self.root = own.key, own.chain, identity.root_of(self._settings)
        self.fingerprint = certs.fingerprint(own.certificate)
        self._keys = lineage.keys_of(certs.identities(own.certificate))
        self._self = Signer("node", self.here, "", self.here, own.certificate)

    def renew(self) -> None:
        """Take what the directory now says of this node and of the city's root: a fresh certificate, a rotated key."""
        if self.directory is None:
            return
        changed = self.directory.root is not None and identity.adopt_root(self._settings, self.directory.root)
        if (found := self.directory.node(self.here)) is not None:
            changed |= identity.adopt(self._settings, [certs.load(one) for one in found.chain])
        if changed:
            self._know()
            log.info("identity.changed", certificate=self.fingerprint.hex(), until=self.certs[0].not_valid_after_utc.isoformat())

    # --- who is who ---------------------------------------------------------------------------------------------

    def identity_of(self, author: str, given: Sequence[bytes]) -> tuple[keys.PublicKey, ...]:
        """The keys a node's identity has had, the present one first, by the directory or by certificates that came along; empty when there is
        none to be believed. Certificates that come along may be of a key that the directory is still to tell."""
        if author == self.here:
            return self._keys
        known = self.directory.identities(author) if self.directory else ()
        told = self._told(author, given) if given and not known else ()
        return known or told

    def _told(self, author: str, given: Sequence[bytes]) -> tuple[keys.PublicKey, ...]:
        chain = [certs.load(one) for one in given]
        certs.check_chain(chain, self.root, clock.from_ms(self._now()))
        about = certs.subject(chain[0])
        return lineage.keys_of(certs.identities(chain[0])) if about.kind == "node" and about.id == author else ()

    def check_opening(self, opening: Opening, chain: bytes, signature: bytes, data: bytes, given: Sequence[bytes]) -> None:
        """That a chain was opened by the identity of its author; ``data`` is what was signed.

        A former key opens only what was begun before its certificate was revoked, if it was.
        """
        known = self.identity_of(opening.author, ())
        try:
            keys.verify_any(known, signature, data)
        except Forged:
            told = self._told(opening.author, given) if given else ()
            if not known and not told:
                raise Untrusted(f"node {opening.author} is not known here", code="unknown_author") from None
            keys.verify_any(told or known, signature, data)
        for key, word in self.directory.revoked_keys(opening.author) if self.directory else ():
            if not any(chain == cut for cut, _, _ in word.cuts) and keys.holds([key], signature, data):
                raise Untrusted(f"a key of node {opening.author} was revoked before this", code="revoked")

    def signer(self, fingerprint: bytes) -> Signer | None:
        """Whose certificate has a fingerprint; None while it is not known."""
        if fingerprint == self.fingerprint:
            return self._self
        return self.directory.signer(fingerprint) if self.directory else None

    def certs_of(self, author: str) -> tuple[bytes, ...]:
        """A node's certificates (DER), so that strangers can believe it."""
        if author == self.here:
            return tuple(certs.der(c) for c in self.certs)
        found = self.directory.node(author) if self.directory else None
        return found.chain if found is not None else ()

    def barred(self, author: str, place: tuple[bytes, int] | None) -> bool:
        """Whether a node was revoked before something came to stand at a place of its logs."""
        bar = self.directory.bar(author) if self.directory is not None else None
        return bar is not None and not _before(bar, place)

    # --- checking -----------------------------------------------------------------------------------------------

    def check_body(self, body: Body, statement: Statement) -> None:
        """That a statement is of this city, well formed, and about this content."""
        if statement.city != self.city:
            raise Forged("a statement of another city", code="scope")
        if statement.at > LATEST:
            raise Invalid("a claimed time after the year 9998", code="malformed")
        if "\0" in "".join((statement.kind, statement.record, statement.home, statement.post, *statement.recipients)):
            raise Invalid("text has no NUL character", code="malformed")
        if said.content_digest(body.salt, body.content) != statement.digest:
            raise Forged("the content is not the one that was signed", code="bad_hash")

    def check_signer(self, signer: Signer, statement: Statement, author: str, place: tuple[bytes, int] | None) -> None:
        """That a signer may sign there and then; ``place`` is (chain, number), None for what is only being written."""
        if signer.node != author:
            raise Forged("signed by somebody of another node", code="scope")
        if keys.suite_of(signer.key) != statement.suite:
            raise Forged("the statement names another suite than its signer has", code="unknown_suite")
        if not signer.valid_at(clock.from_ms(statement.at)):
            raise Untrusted("the signer's certificate was not valid then", code="expired")
        if signer.revoked is not None and not _before(signer.revoked, place):
            raise Untrusted("the signer's certificate was revoked", code="revoked")
        if self.barred(author, place):
            raise Untrusted("the node of this log was revoked", code="revoked")

    def check_all(self, pairs: Sequence[tuple[Readable, Signer | None]]) -> list[str]:
        """Why each is refused, or empty; in runs, which are spread over all processors where there are several."""
        runs = [pairs[i : i + RUN] for i in range(0, len(pairs), RUN)]
        check = self._pool.map if len(runs) > 1 else map
        return [code for codes in check(lambda run: [self._why_not(*pair) for pair in run], runs) for code in codes]

    def _why_not(self, one: Readable, signer: Signer | None) -> str:
        if one.state.audience.scope is not Scope.ALL and one.statement.kind in PUBLIC:
            return "scope"  # some would believe what others cannot see
        if signer is None:
            return ""
        try:
            place = (one.state.id, one.row.header.seq)
            self.check_signer(signer, one.statement, one.state.author, place)
            if self.doubted is None or place in self.doubted:
                keys.verify(signer.key, one.body.signature, said.statement_signed(one.body.statement))
        except NodeError as error:
            return error.code
        return ""

    def unsigned(self, pairs: Sequence[tuple[Readable, Signer]]) -> set[int]:
        """Local numbers of those whose signature is not their signer's; nothing else of them is looked at."""
        runs = [pairs[i : i + RUN] for i in range(0, len(pairs), RUN)]
        return {number for wrong in self._pool.map(_unsigned, runs) for number in wrong}

    def may_say(self, content: kinds.Content | None, author: str) -> bool:
        """Whether it is not another's inner affair, and every organ in whose name it speaks is at home at its author (or known to nobody yet)."""
        if content is None or self.directory is None:
            return True
        if content.inner and author != self.here:
            return False
        known = (self.directory.organ(organ) for organ in content.speaks_for())
        return all(organ is None or organ.node == author for organ in known)

    def sign(self, purpose: str, data: bytes) -> bytes:
        """The identity key's signature for another process of this node."""
        if purpose not in PURPOSES:
            raise Refused(f"the ledger signs only for {', '.join(PURPOSES)}")
        return keys.sign(self.identity, f"yiwang.sign.{purpose}.1\0".encode() + data)


def _unsigned(pairs: Sequence[tuple[Readable, Signer]]) -> list[int]:
    wrong = []
    for one, signer in pairs:
        try:
            keys.verify(signer.key, one.body.signature, said.statement_signed(one.body.statement))
        except NodeError:
            wrong.append(one.number)
    return wrong


def _before(revoked: Revoked, place: tuple[bytes, int] | None) -> bool:
    """Whether a place is one of the last good ones or stands before it in the same chain."""
    return place is not None and any(chain == place[0] and place[1] <= seq for chain, seq, _ in revoked.cuts)

"""Taking over a snapshot of the node above, working with it at once, and checking afterwards every signature that was put off.

**Taking.** The maker's signature over the list of parts is checked first, and that it is the node above. Each part then goes the way of every
batch: links, bodies, openings, heads, certificates and rights are checked as ever. What is put off is one thing only, the signature of each
statement, which takes longer than all the rest; places that the maker itself doubts are checked at once.

**Checking.** When all parts are here the ledger goes through everything that came, some entries at a time between its other work, and status says
how far it is. What is held meanwhile is used: the node above vouches for it.

**When something is false** the maker has signed that it was true: the proof (its signed list, the entry and its signer's certificate) is kept in
``snapshot/``, an alarm names the maker, no other snapshot of it is taken, and what is missing comes entry by entry. The false entry
is refused, what was built on it waits again, tables are built anew; then all is gone through once more, until nothing false is found.

``snapshot.json`` says where it stands; a start that finds it goes on, and checks again rather than too little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, delete

from node import certs, clock, keys, lineage, logs, schema, snapshot
from node import entry as said
from node.alarms import alarm
from node.codec import Value, pack, unpack
from node.directory.view import Signer
from node.errors import Forged, Invalid, Missing, NodeError, TooLarge, Untrusted
from node.group import Group, Readable
from node.intake import Intake
from node.journal import Journal
from node.notary import Notary
from node.progress import CHECKED, CHECKING, TAKING, Progress
from node.reader import Reader
from node.settings import Settings
from node.snapshot import Manifest, Part, Range, Snapshot

log = logs.named("adoption")
SOME = 256
"Entries checked in one step."
LISTED = 20
"Places named in an alarm."


class Proof(Value, frozen=True):
    """That a maker vouched for what is false."""

    snapshot: bytes
    "Packed :class:`~node.snapshot.Snapshot`."
    chain: bytes
    seq: int
    hashes: tuple[bytes, ...]
    "Of the entries of the range in which the place is."
    header: bytes
    body: bytes
    signer: bytes
    "Certificate (DER) of the signer whose signature this is not."


@dataclass(frozen=True)
class _Step:
    """What was found among some entries: those that must go, and why; or what they wait for."""

    false: list[tuple[Readable, str, Signer | None]]
    orphans: list[tuple[Readable, bytes]]


class Adoption:
    """The snapshot of one node that has just joined."""

    def __init__(
        self, settings: Settings, journal: Journal, notary: Notary, reader: Reader, intake: Intake, renew: Callable[[], None], now: Callable[[], int]
    ) -> None:
        self.settings, self.journal, self.notary, self.reader, self.intake, self._renew, self._now = (
            settings, journal, notary, reader, intake, renew, now,
        )  # fmt: skip
        self._file = settings.path("snapshot.json")
        self.manifest: Manifest | None = None
        self.progress = self._load()
        self._saved = 0
        self._strict = bool(self.progress and self.progress.false)
        "Whether something false was found, so that what was built on it is looked for too."
        self._found = False
        "Whether something was taken back in this round."
        if self.progress is not None and self.progress.state == TAKING:
            self._check_from_start()

    def _load(self) -> Progress | None:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Progress)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            log.error("progress.unreadable", error=str(error))
            return Progress(state=CHECKING, maker="", sha="", since=self._now(), first=0, last=self.journal.last)

    def _save(self) -> None:
        assert self.progress is not None
        keys.write_secret(self._file, msgspec.json.encode(self.progress))
        self._saved = self.progress.at

    # --- taking -------------------------------------------------------------------------------------------------

    def requests(self) -> dict[str, Callable[..., Any]]:
        """What the ledger does about snapshots, in the transaction of a group."""
        return {"snapshot": self.begin, "adopt": self.adopt, "adopted": self.end}

    def begin(self, c: Connection, _group: object, data: bytes) -> tuple[tuple[int, bytes, int], ...]:
        """Take a snapshot's list; (number, hash, size) of the parts that are not here yet.

        Refused when it is not the node above that signed it, or when it has vouched for something false before.
        """
        found = unpack(data, Snapshot)
        manifest = unpack(found.manifest, Manifest)
        self._check(found, manifest)
        if self.progress is not None and self.progress.false:
            raise Untrusted("the node above has vouched for what is false", code="relay_misbehaviour")
        missing = tuple((number, part.sha, part.size) for number, part in enumerate(manifest.parts) if not self._here(part))
        if not missing:
            return ()
        first = self.journal.last if self.progress is None or self.progress.state == CHECKED else self.progress.first
        self.manifest = manifest
        sha, _ = snapshot.files(self.settings).put([data])
        self.progress = Progress(state=TAKING, maker=manifest.maker, sha=sha.hex(), since=self._now(), first=first)
        self._save()
        return missing

    def _check(self, found: Snapshot, manifest: Manifest) -> None:
        above = self.settings.parent
        if above is None or manifest.maker != above.id or manifest.city != self.settings.city:
            raise Untrusted("a snapshot is taken from the node above only", code="scope")
        if manifest.version != snapshot.VERSION:
            raise Invalid(f"a snapshot of version {manifest.version}", code="unknown_version")
        if any(part.size > snapshot.MOST for part in manifest.parts):
            raise TooLarge("a part of a snapshot is longer than it may be")
        known = self.notary.identity_of(manifest.maker, found.certs)
        if not known:
            raise Untrusted("the maker of the snapshot is not known here", code="unknown_author")
        keys.verify_any(known, found.signature, snapshot.signed(found.manifest))

    def _here(self, part: Part) -> bool:
        chains = self.journal.chains
        return all((held := chains.get(one.chain)) is not None and held.count >= one.start + one.count for one in part.ranges)

    def adopt(self, c: Connection, group: Group, number: int) -> int:
        """Take a part that lies whole in ``snapshot/``, and remove the file; how many entries were new."""
        if self.manifest is None or not 0 <= number < len(self.manifest.parts):
            raise Missing("no such snapshot is being taken")
        part, blobs = self.manifest.parts[number], snapshot.files(self.settings)
        if not blobs.has(part.sha):
            raise Missing("this part has not arrived")
        batches, fresh = snapshot.expand(b"".join(blobs.open(part.sha))), 0
        if snapshot.ranges(batches) != part.ranges:
            raise Forged("a part of the snapshot is not what its list says", code="bad_hash")
        self.notary.doubted = frozenset(part.doubted)
        try:
            for batch in batches:
                fresh += self.intake.take(c, group, batch, self.manifest.maker).fresh
        finally:
            self.notary.doubted = None
        blobs.path(part.sha).unlink(missing_ok=True)
        return fresh

    def end(self, _c: Connection, _group: object, whole: bool) -> None:
        """All parts were taken, or no more will come: what was put off is checked now."""
        self.manifest = None
        if self.progress is not None and self.progress.state == TAKING:
            log.info("snapshot.taken", entries=self.journal.last - self.progress.first, whole=whole)
            self._check_from_start()

    def _check_from_start(self) -> None:
        assert self.progress is not None
        self.progress.state, self.progress.at, self.progress.last = CHECKING, self.progress.first, self.journal.last
        self._found = False
        self._save()

    # --- checking -----------------------------------------------------------------------------------------------

    @property
    def checking(self) -> bool:
        """Whether there is something left to check now."""
        return self.progress is not None and self.progress.state == CHECKING

    def step(self) -> None:
        """Check some entries; take back what is false, and go through all again after that."""
        progress = self.progress
        assert progress is not None
        with self.journal.asking() as c:
            last, some = self._next(c, progress)
            step = self._look(c, some)
        if step.false or step.orphans:
            self._take_back(step)
        progress.at = last
        if progress.at < progress.last:
            if progress.at - self._saved > 20 * SOME:
                self._save()
            return
        if self._found:
            self._renew()
            self._check_from_start()
            return
        progress.state, progress.ended = CHECKED, self._now()
        self._save()
        log.info("snapshot.checked", entries=progress.last - progress.first, false=len(progress.false))

    def _next(self, c: Connection, progress: Progress) -> tuple[int, list[Readable]]:
        """(number up to which is looked now, the entries up to there that count: readable, neither refused nor waiting)."""
        found = self.journal.after(c, progress.at, progress.last, SOME)
        last = found[-1].number if len(found) == SOME else progress.last
        out = {number for (number,) in schema.OUT_AFTER(c, progress.at, last, progress.at, last)}
        chains = self.journal.chains
        some = [one for one in found if one.seq and one.number not in out and self.reader.readable(chains[one.chain])]
        return last, [self.reader.again(c, one) for one in some]

    def _look(self, c: Connection, some: Sequence[Readable]) -> _Step:
        signers = [self.notary.signer(one.statement.signer) for one in some]
        wrong = self.notary.unsigned([(one, signer) for one, signer in zip(some, signers, strict=True) if signer is not None])
        false = [(one, "bad_signature", signer) for one, signer in zip(some, signers, strict=True) if one.number in wrong]
        orphans = [(one, one.statement.signer) for one, signer in zip(some, signers, strict=True) if signer is None]
        if self._strict:
            released = self.journal.released_among(c, [after for one in some for after in one.statement.after])
            missing = [(one, next((a for a in one.statement.after if a not in released), b"")) for one in some]
            known = wrong | {one.number for one, _ in orphans}
            orphans += [(one, wants) for one, wants in missing if wants and one.number not in known]
        return _Step(false, orphans)

    def _take_back(self, step: _Step) -> None:
        """Refuse what is false, let what was built on it wait again."""
        assert self.progress is not None
        for one, _, signer in step.false:
            place = said.position(one.state.author, one.state.id, one.row.header.seq)
            log.error("snapshot.false", place=place, maker=self.progress.maker)
            self.progress.false.append(place)
            self._prove(one, signer)
        gone = [one.number for one, _, _ in step.false] + [one.number for one, _ in step.orphans]
        with self.journal.transaction() as c:
            schema.REFUSE.many(c, [(one.number, code) for one, code, _ in step.false])
            schema.PARK.many(c, [(one.number, wants) for one, wants in step.orphans])
            for table in (schema.RELEASED, schema.SAID):
                c.execute(delete(table).where(table.c.number.in_(gone)))
        self._strict = self._found = True
        self._save()
        self._renew()

    def _prove(self, one: Readable, signer: Signer | None) -> None:
        assert self.progress is not None
        blobs = snapshot.files(self.settings)
        try:
            listed = b"".join(blobs.open(bytes.fromhex(self.progress.sha)))
        except (NodeError, ValueError):
            listed = b""
        der = certs.der(signer.certificate) if signer is not None else b""
        proof = pack(Proof(listed, one.state.id, one.row.header.seq, self._hashes(listed, one), one.row.raw, one.row.body, der))
        keys.write_secret(self.settings.path(snapshot.FOLDER, f"proof-{len(self.progress.false)}"), proof)

    def _hashes(self, listed: bytes, one: Readable) -> tuple[bytes, ...]:
        """Hashes of the entries of the range that a place is in."""
        held = _range(unpack(unpack(listed, Snapshot).manifest, Manifest), one.state.id, one.row.header.seq) if listed else None
        if held is None:
            return ()
        with self.journal.asking() as c:
            return tuple(hash for _, hash in sorted(schema.HASHES(c, one.state.no, held.start, held.start + held.count)))

    # --- telling ------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any] | None:
        """How far taking and checking are, in the words of the status command; None where there was no snapshot."""
        p = self.progress
        if p is None:
            return None
        last = p.last or self.journal.last
        return {
            "state": p.state,
            "maker": p.maker,
            "entries": last - p.first,
            "checked": max(0, min(p.at, last) - p.first) if p.state != TAKING else 0,
            "since": clock.from_ms(p.since).isoformat(timespec="seconds"),
            "ended": clock.from_ms(p.ended).isoformat(timespec="seconds") if p.ended else None,
            "false": p.false[:LISTED],
        }

    def alarms(self) -> Iterator[dict[str, Any]]:
        """That the node above vouched for what is false."""
        if self.progress is not None and self.progress.false:
            places = ", ".join(self.progress.false[:LISTED])
            detail = f"its snapshot vouched for {places}: snapshot/proof-1"
            yield alarm("relay_misbehaviour", "critical", self.progress.maker, self.progress.since, detail)


def _range(manifest: Manifest, chain: bytes, seq: int) -> Range | None:
    return next((one for part in manifest.parts for one in part.ranges if one.chain == chain and one.start <= seq < one.start + one.count), None)


def proved(data: bytes, root: Any) -> Manifest:
    """The manifest whose maker is proved to have vouched for what is false; :class:`Forged` or :class:`Invalid` when nothing is proved.

    ``root`` is the certificate of the city.
    """
    proof = unpack(data, Proof)
    found = unpack(proof.snapshot, Snapshot)
    manifest = unpack(found.manifest, Manifest)
    chain = [certs.load(one) for one in found.certs]
    certs.check_chain(chain, root, clock.from_ms(manifest.at))
    if certs.subject(chain[0]).id != manifest.maker:
        raise Forged("the certificate is not the maker's", code="cert_scope")
    keys.verify_any(lineage.keys_of(certs.identities(chain[0])), found.signature, snapshot.signed(found.manifest))
    held = _range(manifest, proof.chain, proof.seq)
    if held is None or held.digest != snapshot.over(proof.hashes) or proof.hashes[proof.seq - held.start] != said.header_hash(proof.header):
        raise Forged("the snapshot says nothing of this entry", code="wrong_place")
    if any((proof.chain, proof.seq) in part.doubted for part in manifest.parts):
        raise Forged("the maker doubted this place itself", code="wrong_place")
    body = unpack(proof.body, said.Body)
    if said.body_digest(proof.body) != unpack(proof.header, said.Header).digest:
        raise Forged("the body is not the one its header names", code="bad_hash")
    try:
        keys.verify(certs.load(proof.signer).public_key(), body.signature, said.statement_signed(body.statement))  # type: ignore[arg-type]
    except Forged:
        return manifest
    raise Forged("the signature holds", code="good_signature")

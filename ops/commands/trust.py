"""``yiwang trust``: who is believed, who is not any more, and what was proved against whom."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.errors import Invalid, Misconfigured, Missing, Refused, Unreachable
from ops.answer import Answer, Call
from ops.commands.chains import parsed, write_bundle
from ops.words import _

if TYPE_CHECKING:
    from node.client import Ledger
    from node.directory.entries import Revoked
    from node.directory.view import Directory, Signer
    from node.requests import Chain, Seen
    from node.settings import Settings
    from office.frame.office import Office

REASONS = ("superseded", "lost", "stolen", "left", "closed", "wrong")
Cut = tuple[bytes, int, bytes]
PATIENCE = 30.0
"Seconds to wait for the node above to certify a new key, when nothing was said."
MOST = 500
"Chains of which one revocation names the last good place, the newest; of older ones nothing counts after it."


@click.group(help="信任：吊销、证书清单、分叉。")
def trust() -> None:
    """The family of commands."""


@trust.command(help="吊销一个节点、人员或证书：其后的一律不认，其前的仍然有效。")
@click.option("--node", "node", default="", help="节点编号。")
@click.option("--user", default="", help="人员编号。")
@click.option("--cert", "fingerprint", default="", help="证书指纹 sha256:…。")
@click.option("--reason", type=click.Choice(REASONS), required=True, help="原因。")
@click.option("--from", "place", default="", help="最后一个可信的位置：ORIGIN/EPOCH/SEQ；不写则为本节点所收到的最后一条。")
@click.pass_obj
def revoke(call: Call, node: str, user: str, fingerprint: str, reason: str, place: str) -> Answer:
    """Say from which places on certificates count no more; every node hears it in the log of trust."""
    from node import certs
    from node.directory import entries as said
    from node.directory import writing
    from ops import seat

    if sum(map(bool, (node, user, fingerprint))) != 1:
        raise Misconfigured("one of --node, --user, --cert", code="usage")
    with seat.office(call.settings()) as office:
        office.directory.refresh()
        signers = _meant(office, node, user, fingerprint)
        cuts = _cuts(office, signers[0].node, parsed(place))
        drafts = [writing.draft(office.settings, office.directory, said.Revoked(certs.fingerprint(one.certificate), reason, cuts)) for one in signers]
        written = office.ledger.write(drafts)
    named = [_cut(signers[0].node, cut) for cut in cuts]
    return Answer(fields={"entry": written[0].places[0].ref, "certs": [_fpr(one) for one in signers], "cut": named}, text=_("已吊销"))


def _meant(office: Office, node: str, user: str, fingerprint: str) -> list[Signer]:
    """The certificates that are meant, none revoked yet; refuses those over which this node has no say."""
    from node import certs

    directory, here = office.directory, office.settings.id
    if node:
        held = directory.certificate(node)
        signer = directory.signer(certs.fingerprint(held)) if held is not None else None
        found = [signer] if signer is not None else []
    elif user:
        found = [one for one in directory.certificates_of(user) if one.revoked is None]
    else:
        found = [one for one in [directory.signer(_bytes(fingerprint))] if one is not None]
    if not found:
        raise Missing("no such certificate is in force")
    if any(here not in directory.tree().ancestors(one.node) or one.id == here for one in found):
        raise Refused("only the node that issued a certificate, or one above it, revokes it", code="scope")
    return found


def _bytes(fingerprint: str) -> bytes:
    try:
        return bytes.fromhex(fingerprint.removeprefix("sha256:"))
    except ValueError:
        raise Misconfigured(f"{fingerprint[:100]!r} is no fingerprint", hint="sha256:…", code="usage") from None


def _cuts(office: Office, node: str, place: tuple[str, str, int] | None) -> tuple[Cut, ...]:
    """The last good places of a node's logs: where they stand here, but for the one that was named."""
    from node.codec import base32

    chains = sorted((c for c in office.ledger.chains() if c.author == node and c.count), key=lambda c: c.opened, reverse=True)[:MOST]
    if place is None:
        return tuple((c.id, c.count - 1, c.hash) for c in chains)
    origin, epoch, seq = place
    meant = next((c for c in chains if base32(c.id) == epoch), None)
    if origin != node or meant is None or seq >= meant.count:
        raise Missing("this node does not hold that place in a log of the one that is revoked")
    return tuple(_at(office.ledger, c, seq) if c is meant else (c.id, c.count - 1, c.hash) for c in chains)


def _at(ledger: Ledger, chain: Chain, seq: int) -> Cut:
    return chain.id, seq, ledger.found(chain.id, seq, seq + 1)[0].hash


def _cut(origin: str, cut: Cut) -> dict[str, Any]:
    from node.codec import base32

    return {"origin": origin, "epoch": base32(cut[0]), "count": cut[1] + 1, "hash": f"sha256:{cut[2].hex()}"}


def _fpr(signer: Signer) -> str:
    from node import certs

    return f"sha256:{certs.fingerprint(signer.certificate).hex()}"


@trust.command(help="更换密钥：--node self 换本节点的身份密钥，由上级签发；--root 换市根证书（NEW 或私钥文件），只在市节点。")
@click.option("--node", "node", type=click.Choice(["self"]), help="self：本节点。")
@click.option("--root", "root", metavar="NEWROOT", help="NEW：在此生成新根密钥；否则为 PEM 私钥文件（P-256）。")
@click.pass_obj
def rotate(call: Call, node: str | None, root: str | None) -> Answer:
    """Change this node's identity key, or the city's root; what was signed under the former keys stays valid.

    Answers when the new key is in use here. Until the node above has certified it the former one goes on, and the command may be repeated.
    """
    from node import certs
    from node.directory import writing
    from ops import seat

    if (node is None) is (root is None):
        raise Misconfigured("one of --node self, --root", code="usage")
    settings = call.settings()
    with seat.office(settings) as office:
        office.directory.refresh()
        if writing.introduce(office.ledger, settings, office.directory):
            office.directory.refresh()
        entry, public = _to_root(office, root) if root is not None else _to_key(office)
    held = _await(call, settings, public, is_root=root is not None)
    fields = {"entry": entry, "rotated": "root" if root is not None else "node", "fpr": f"sha256:{certs.fingerprint(held).hex()}"}
    return Answer(fields=fields, text=_("新密钥已启用"))


def _to_key(office: Office) -> tuple[str, Any]:
    """Ask the node above for a certificate of a new key, or certify it by the root; (entry, the key)."""
    from node import clock, identity, rotation
    from node.directory import writing

    settings, directory = office.settings, office.directory
    content = rotation.own_city(settings, directory, clock.now()) if settings.parent is None else rotation.ask(settings)
    [written] = office.ledger.write([writing.draft(settings, directory, content)])
    key = identity.waiting(settings) or identity.load(settings).key
    return written.places[0].ref, key.public_key()


def _to_root(office: Office, wish: str) -> tuple[str, Any]:
    from node import certs, clock, keys, rotation
    from node.directory import writing

    given = None if wish.upper() == "NEW" else keys.from_pem(keys.read_secret(Path(wish)))
    if given is not None and keys.suite_of(given) != keys.P256:
        raise Misconfigured(f"{wish} is not a P-256 key")
    rooted, own = rotation.new_root(office.settings, office.directory, given, clock.now())  # type: ignore[arg-type]
    written = office.ledger.write([writing.draft(office.settings, office.directory, content) for content in (rooted, own)])
    return written[0].places[0].ref, certs.load(rooted.certificate).public_key()


def _await(call: Call, settings: Settings, public: Any, *, is_root: bool) -> Any:
    """The certificate of the new key, as soon as the ledger has taken it up."""
    from node import identity

    end = time.monotonic() + call.wait(PATIENCE)
    while True:
        held = identity.root_of(settings) if is_root else identity.own_chain(settings)[0]
        if held.public_key() == public:
            return held
        if time.monotonic() > end:
            raise Unreachable("the new key waits for the certificate of the node above", hint="it is asked for; look again with yiwang trust list")
        time.sleep(0.1)


@trust.command("list", help="本节点所知的全部证书。")
@click.pass_obj
def listing(call: Call) -> Answer:
    """Root, certificates with their state, and how far the city's log of trust has come here."""
    from node import certs, clock
    from ops import seat

    settings = call.settings()
    root = certs.load(settings.path("certs/root.pem").read_bytes())
    with seat.office(settings) as office:
        office.directory.refresh()
        found = [_row(one, clock.now()) for one in _known(office.directory)]
        head = (office.ledger.status().get("trust") or {}).get("head")
    known = {"fpr": f"sha256:{certs.fingerprint(root).hex()}", "subject": certs.subject(root).name, "not_after": root.not_valid_after_utc.isoformat()}
    text = "\n".join(f"{row['fpr'][7:23]}  {row['state']:<8} {row['not_after'][:10]}  {row['scope']}  {row['subject']}" for row in found)
    return Answer(fields={"roots": [known], "certs": found, "head": head}, text=text)


def _known(directory: Directory) -> Iterator[Signer]:
    for fingerprint in sorted(directory.fingerprints()):
        signer = directory.signer(fingerprint)
        if signer is not None:
            yield signer


def _row(signer: Signer, now: Any) -> dict[str, Any]:
    from node import certs

    cert, about = signer.certificate, certs.subject(signer.certificate)
    times = {"not_before": cert.not_valid_before_utc.isoformat(), "not_after": cert.not_valid_after_utc.isoformat()}
    state = "revoked" if signer.revoked else "expired" if now > cert.not_valid_after_utc else "valid"
    cuts = [_cut(signer.node, cut) for cut in signer.revoked.cuts] if signer.revoked else None
    scope = f"{signer.kind}@{signer.node}"
    return {"fpr": _fpr(signer), "subject": about.name, "id": signer.id, "scope": scope, **times, "state": state, "cut": cuts, **_why(signer.revoked)}


def _why(revoked: Revoked | None) -> dict[str, str]:
    return {"reason": revoked.reason} if revoked else {}


@trust.command(help="本节点所知的分叉；--out 把证据写到一个目录。")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="证据文件的目录。")
@click.pass_obj
def forks(call: Call, out: Path | None) -> Answer:
    """What was proved against whom; the proofs are files that ``proof check`` and ``yiwang-verify`` read anywhere."""
    from node import clock
    from node.client import Ledger
    from node.codec import base32

    settings = call.settings()
    with Ledger(settings) as ledger:
        found = ledger.forks()
    rows = []
    for one in found:
        row: dict[str, Any] = {"origin": one.author, "epoch": base32(one.chain), "seq": one.seq, "at": clock.from_ms(one.at).isoformat()}
        row |= {"settled": clock.from_ms(one.settled).isoformat() if one.settled else None, "by": one.by or None}
        rows.append(row | ({"file": _prove(settings, out, base32(one.chain), one)} if out else {}))
    return Answer(fields={"forks": rows}, text="\n".join(map(_told, rows)) or _("没有分叉"))


def _told(row: dict[str, Any]) -> str:
    state = _("已处理") if row["settled"] else _("未处理：核实后吊销其证书（trust revoke），或者 trust settle {epoch}").format(**row)
    return _("{at} {origin} 在 {epoch} 第 {seq} 位签了两条不同的日志。{state}").format(**{**row, "state": state})


def _prove(settings: Settings, out: Path, name: str, seen: Seen) -> str:
    from node import forks

    out.mkdir(parents=True, exist_ok=True)
    file = out / f"fork-{name}.jsonl"
    write_bundle(file, forks.told(settings, seen))
    return str(file)


@trust.command(help="一处分叉已经处理：解除告警；那条日志不再接续。")
@click.argument("epoch")
@click.option("--note", required=True, help="查明了什么，怎样处理。")
@click.pass_obj
def settle(call: Call, epoch: str, note: str) -> Answer:
    """The operator's word, signed by the node; it ends the alarm here and, from a node above, below."""
    from node.codec import base32
    from node.forks import settlement
    from ops import seat

    if not 0 < len(note) <= 2000:
        raise Invalid("a note has 1 to 2000 characters")
    with seat.office(call.settings()) as office:
        office.directory.refresh()
        found = next((one for one in office.ledger.forks() if epoch in (base32(one.chain), f"{one.author}/{base32(one.chain)}/{one.seq}")), None)
        if found is None:
            raise Missing(f"no fork of {epoch[:100]} is known here")
        above: Sequence[str] = office.directory.tree().ancestors(found.author)
        [written] = office.ledger.write([settlement(office.settings, above, found, note)])
    return Answer(fields={"entry": written.places[0].ref, "epoch": epoch}, text=_("已处理，告警解除"))

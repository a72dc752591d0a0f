"""Rotation and renewal: what a node says to change its key, and what the node above, or the city of its root, answers.

**Rotation.** A node makes its new key, has the former one sign it and asks the node above (:class:`~node.directory.entries.Rekeyed`); that
one certifies it and says so to all in the node's record. The ledger takes the certificate up when it hears it (:meth:`node.notary.Notary.renew`).
The city certifies itself by its root; a new root is announced under the former one's word (:class:`~node.directory.entries.Rooted`).

**Renewal.** A certificate keeps its key and its beginning and gets a later end, or hangs under the present certificate of the node above:
whoever certified a node does so again in good time, without being asked. The ledger does both, whatever other processes the node has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from node import certs, identity, keys, lineage, logs
from node.codec import pack, unpack
from node.directory.entries import Node, Rekeyed, Rooted
from node.directory.view import Directory
from node.errors import Forged, Invalid, NodeError, Refused
from node.identity import Identity
from node.lineage import Former
from node.settings import Settings

log = logs.named("rotation")
GAIN = dt.timedelta(days=3 * 365)
"A certificate is renewed when that gives it at least so much longer; with ten years, three years after it was issued."


def ask(settings: Settings) -> Rekeyed:
    """Make the new key of this node, or find the one that waits, and ask for its certificate."""
    own, new = identity.load(settings), identity.prepare(settings)
    former = lineage.follow(settings.id, own.certificate, own.key, new.public_key())
    spki = lineage.spki(new.public_key())
    return Rekeyed(spki, pack(former), keys.sign(new, lineage.signed(settings.id, spki)))


def answer(settings: Settings, directory: Directory, author: str, asked: Rekeyed, now: dt.datetime) -> Node | None:
    """The record of a node with the certificate of the key it asks for; None when it has it already.

    Refused: who is not right below this node, or was revoked; a key that the node's present one does not vouch for or that is not in its hands.
    """
    node = next((one for one in _below(settings, directory) if one.id == author), None)
    if node is None:
        raise Refused(f"{author} is not certified by this node", code="scope")
    present, public = certs.load(node.chain[0]), keys.p256_from(asked.key)
    if present.public_key() == public:
        return None
    former = unpack(asked.former, Former)
    if certs.load(former.certificate).public_key() != present.public_key() or public in directory.identities(author):
        raise Forged("the new key does not follow the present one", code="bad_key")
    keys.verify(public, asked.proof, lineage.signed(author, asked.key))
    return _certified(identity.load(settings), node, present, public, now, former)


def own_city(settings: Settings, directory: Directory, now: dt.datetime) -> Node:
    """The city's record with a new identity key under its root; the key waits until the ledger takes it up."""
    own, root_key = identity.load(settings), identity.root_key(settings)
    new = identity.prepare(settings)
    former = lineage.follow(settings.id, own.certificate, own.key, new.public_key())
    return _under_root(settings, directory, new.public_key(), identity.root_of(settings), root_key, now, former=former)


def new_root(settings: Settings, directory: Directory, key: ec.EllipticCurvePrivateKey | None, now: dt.datetime) -> tuple[Rooted, Node]:
    """A root of another key (one that is made, unless given) that follows the present one, and the city's record under it.

    It begins when the former one began, so that what was certified before stays valid under it.
    """
    if settings.tier != "city":
        raise Refused("only a city has a root", code="wrong_tier")
    former, former_key = identity.root_of(settings), identity.root_key(settings)
    if key is not None and key.public_key() in lineage.keys_of(certs.roots(former)):
        raise Invalid("the new root's key has been a root's before", code="bad_key")
    new = identity.prepare(settings, key, identity.ROOT)
    about = certs.subject(former)
    word = lineage.follow(about.id, former, former_key, new.public_key())
    root = certs.issue(about, new.public_key(), None, new, now, begin=former.not_valid_before_utc, former=word)
    own = identity.load(settings)
    again, begin = lineage.renewed(own.certificate), own.certificate.not_valid_before_utc
    return Rooted(certs.der(root)), _under_root(settings, directory, own.key.public_key(), root, new, now, former=again, begin=begin)


def owed(settings: Settings, directory: Directory, now: dt.datetime) -> Iterator[Node]:
    """What this node has to say of those right below it: the keys they asked for, then what is renewed. A wrong wish is noted and left."""
    asking = set()
    for node in _below(settings, directory):
        wish = directory.wish(node.id)
        if wish is None:
            continue
        try:
            record = answer(settings, directory, node.id, wish, now)
        except NodeError as error:
            log.warning("rotation.refused", node=node.id, code=error.code, error=str(error))
            continue
        if record is not None:
            asking.add(node.id)
            yield record
    yield from (record for record in renewals(settings, directory, now) if record.id not in asking)


def renewals(settings: Settings, directory: Directory, now: dt.datetime) -> Iterator[Node]:
    """The records of nodes right below with fresh certificates, of those that hang under a former certificate of this node or end too soon."""
    own = identity.load(settings)
    end = min(now + dt.timedelta(days=365 * certs.NODE_YEARS), own.certificate.not_valid_after_utc)
    for node in _below(settings, directory):
        present = certs.load(node.chain[0])
        if node.chain[1:] != own.ders or end - present.not_valid_after_utc >= GAIN:
            yield _certified(own, node, present, present.public_key(), now, lineage.renewed(present), begin=present.not_valid_before_utc)


def _below(settings: Settings, directory: Directory) -> list[Node]:
    """The nodes that this one certifies."""
    return [node for node in directory.nodes() if node.parent == settings.id and directory.bar(node.id) is None]


def _certified(
    own: Identity,
    node: Node,
    present: x509.Certificate,
    public: object,
    now: dt.datetime,
    former: Former,
    *,
    begin: dt.datetime | None = None,
) -> Node:
    about, path = certs.subject(present), certs.PATH[node.tier]
    cert = certs.issue(about, public, own.certificate, own.key, now, path=path, begin=begin, former=former)  # type: ignore[arg-type]
    certs.identities(cert)
    return msgspec.structs.replace(node, chain=(certs.der(cert), *own.ders))


def _under_root(
    settings: Settings,
    directory: Directory,
    public: ec.EllipticCurvePublicKey,
    root: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    *,
    former: Former,
    begin: dt.datetime | None = None,
) -> Node:
    node, held = directory.node(settings.id), identity.own_chain(settings)[0]
    if settings.tier != "city" or node is None:
        raise Refused("only a city certifies itself", code="wrong_tier")
    cert = certs.issue(certs.subject(held), public, root, key, now, path=certs.PATH["city"], begin=begin, former=former)
    return msgspec.structs.replace(node, chain=(certs.der(cert),))

"""The node's own identity on disk: its key, its certificates and the city root, and how they are changed.

``keys/identity.key`` and ``certs/node.pem`` belong together. A rotation makes ``keys/identity.next`` first; when the node above has
certified it, ``node.pem`` is replaced and then the key is renamed. A crash between the two leaves a pair that does not match, which
whoever reads it next mends: the key is the one that the certificate names. Renewal replaces ``node.pem`` alone. ``certs/root.pem`` is
the newest root and holds those before it (:mod:`node.lineage`); at a city ``keys/root.key`` changes with it in the same way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from node import certs, keys, lineage
from node.errors import Conflict, Misconfigured, NodeError
from node.settings import Settings

IDENTITY, ROOT = "identity", "root"


@dataclass(frozen=True)
class Identity:
    """What a node signs with, and who certified it."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]
    "The node's own certificate first, up to but without the root."

    @property
    def certificate(self) -> x509.Certificate:
        """The node's own."""
        return self.chain[0]

    @property
    def ders(self) -> tuple[bytes, ...]:
        """The certificates as they are sent."""
        return tuple(certs.der(one) for one in self.chain)


def load(settings: Settings) -> Identity:
    """The identity; finishes a change that was interrupted."""
    chain = own_chain(settings)
    return Identity(_matching(settings.home, IDENTITY, chain[0]), chain)


def own_chain(settings: Settings) -> tuple[x509.Certificate, ...]:
    """The node's certificates alone, for who needs no key."""
    return tuple(certs.load_chain(settings.path("certs", "node.pem").read_bytes()))


def root_of(settings: Settings) -> x509.Certificate:
    """The city root as it is known here."""
    return certs.load(settings.path("certs", "root.pem").read_bytes())


def root_key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """The key of the city root, which only a city has, and only while it is not kept elsewhere."""
    if not settings.path("keys", "root.key").exists():
        raise Misconfigured("the key of the city root is not in keys/root.key", hint="put it there for this one act, with mode 0600")
    return _matching(settings.home, ROOT, root_of(settings))


def waiting(settings: Settings, what: str = IDENTITY) -> ec.EllipticCurvePrivateKey | None:
    """The key of a rotation that is under way."""
    file = settings.path("keys", f"{what}.next")
    return read(file) if file.exists() else None


def prepare(settings: Settings, key: ec.EllipticCurvePrivateKey | None = None, what: str = IDENTITY) -> ec.EllipticCurvePrivateKey:
    """The key to rotate to: the one that waits already, or one that is made (or given) now."""
    held = waiting(settings, what)
    if held is not None and key is not None and held.public_key() != key.public_key():
        raise Conflict("a rotation to another key is under way", hint=f"let it end, or remove keys/{what}.next")
    if held is None:
        held = key or keys.new_p256()
        keys.write_secret(settings.path("keys", f"{what}.next"), keys.pem(held))
    return held


def adopt(settings: Settings, chain: Sequence[x509.Certificate]) -> bool:
    """Take certificates that the directory gives this node, when they are of its key or of the one that waits. Whether anything changed."""
    held = load(settings)
    if tuple(chain) == held.chain or _older(chain[0], held.certificate):
        return False
    public, next_ = chain[0].public_key(), waiting(settings)
    if public != held.key.public_key() and (next_ is None or next_.public_key() != public):
        return False
    _write(settings.path("certs", "node.pem"), certs.pem(*chain))
    _matching(settings.home, IDENTITY, chain[0])
    return True


def adopt_root(settings: Settings, root: x509.Certificate) -> bool:
    """Take a root that follows the one known here. Whether anything changed."""
    held = root_of(settings)
    if root == held or held not in certs.roots(root):
        return False
    _write(settings.path("certs", "root.pem"), certs.pem(root))
    if settings.path("keys", "root.key").exists():
        _matching(settings.home, ROOT, root)
    return True


def _older(one: x509.Certificate, held: x509.Certificate) -> bool:
    """Whether a certificate comes before the one that is held: that of a former key, or the same key's from an earlier day."""
    former = len(lineage.traced(one, certs.subject(one).id)), one.not_valid_after_utc
    return former < (len(lineage.traced(held, certs.subject(held).id)), held.not_valid_after_utc)


def _matching(home: Path, what: str, cert: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    """The key that a certificate names, put in its place if it still waits."""
    file, next_ = home / f"keys/{what}.key", home / f"keys/{what}.next"
    with contextlib.suppress(NodeError):
        key = read(next_)
        if key.public_key() == cert.public_key():
            next_.replace(file)
            keys.sync_folder(file.parent)
            return key
    key = read(file)
    if key.public_key() != cert.public_key():
        raise Misconfigured(f"keys/{file.name} is not the key of the certificate in certs/", hint="restore both from the same backup")
    return key


def read(file: Path) -> ec.EllipticCurvePrivateKey:
    """The key of a file; :class:`Misconfigured` when it is none of P-256, or others may read it."""
    key = keys.from_pem(keys.read_secret(file))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Misconfigured(f"keys/{file.name} is not a P-256 key")
    return key


def _write(file: Path, data: bytes) -> None:
    """A file that is not secret, durably and in one step."""
    keys.write_secret(file, data)
    file.chmod(0o644)

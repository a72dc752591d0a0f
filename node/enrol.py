"""How a node comes to be: the city founds itself, every other node is admitted by the one above.

A superior hands out a **token** (one use, a few hours): what the new node must dial, whom it will find there, and a
secret. The new node makes its keys in its own home and asks; the superior checks secret, tier, code and name, certifies
the identity and remembers the answer, so that asking again after a broken line gives the same answer and nothing to
anybody else. The new node checks that the answer leads to one root and comes from the pinned superior, and only then
becomes a home. Private keys never leave the home they were made in.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import zmq
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from node import certs, clock, identity, keys
from node import settings as setting
from node.codec import Value, pack, unpack
from node.directory.entries import Node
from node.errors import Conflict, Forged, Invalid, Refused, Untrusted
from node.persons import public_der
from node.seal import StorageKey, wrap
from node.settings import Parent, Settings

BELOW = {"city": ("county", "outside"), "county": ("township",), "township": (), "outside": ()}
"Tiers a node may admit. A zone run by the city is of the county tier."
_PREFIX = "yw1."
_AGAIN = 3_600_000
"For so long (ms) after a used token's end, its node may still fetch its answer again."


class Join(Value, frozen=True):
    """What a token tells the node that uses it."""

    secret: bytes
    parent: str
    "Node id."
    curve: str
    "The parent's CURVE public key (z85)."


class Request(Value, frozen=True):
    """A new node's wish to be admitted, signed by the identity it wants certified."""

    tier: str
    name: str
    code: str
    identity: bytes
    "SubjectPublicKeyInfo of a P-256 key."
    curve: str
    storage_key: bytes
    secret: bytes
    "From the token."
    signature: bytes = b""


class Answer(Value, frozen=True):
    """A superior's yes."""

    chain: tuple[bytes, ...]
    "Certificates in DER, the new node's own first, up to but without the root."
    root: bytes
    city: str


class _Token(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    hash: str
    tier: str
    name: str
    code: str
    expires: int
    used_by: str = ""
    answer: str = ""


def found_city(home: Path, wish: Settings, now: dt.datetime) -> Settings:
    """Make the home of a city: its root, its identity under the root, its keys and ``node.toml``.

    ``wish`` carries what the operator chose; its ``id``, ``city`` and ``home`` are filled in here.
    """
    _fresh(home)
    _make_keys(home)
    root_key, own = keys.new_p256(), _identity(home)
    root = certs.issue(certs.Subject(kind="root", id=secrets.token_hex(8), name=f"{wish.name}根证书"), root_key.public_key(), None, root_key, now)
    about = certs.Subject(kind="node", id=certs.node_id(own.public_key()), name=wish.name, code=wish.code)
    cert = certs.issue(about, own.public_key(), root, root_key, now, path=certs.PATH["city"])
    keys.write_secret(home / "keys/root.key", keys.pem(root_key))
    _write_certs(home, [cert], root)
    return _settle(home, msgspec.structs.replace(wish, id=about.id, tier="city", city=certs.city_id(root), parent=None), now)


def new_token(settings: Settings, tier: str, name: str, code: str, now: dt.datetime, ttl: dt.timedelta) -> str:
    """A token for one new node below this one; the file keeps only the hash of its secret."""
    if tier not in BELOW[settings.tier]:
        raise Refused(f"a {settings.tier} node does not admit a {tier} node", code="wrong_tier")
    if not name or len(name) > 64 or not code or len(code) > 64:
        raise Invalid("a node has a name and a code of at most 64 characters")
    secret = secrets.token_bytes(24)
    with _tokens(settings) as tokens:
        tokens[:] = [t for t in tokens if t.used_by or t.expires > clock.to_ms(now)]
        tokens.append(_Token(hash=_hash(secret), tier=tier, name=name, code=code, expires=clock.to_ms(now + ttl)))
    return _PREFIX + base64.urlsafe_b64encode(pack(Join(secret, settings.id, curve_public(settings)))).decode().rstrip("=")


def awaiting(settings: Settings, now: dt.datetime) -> bool:
    """Whether an unused token is still good, so that a stranger's call may be answered at all."""
    file = settings.path("keys", "tokens.json")
    if not file.exists():
        return False
    tokens = msgspec.json.decode(keys.read_secret(file), type=list[_Token])
    return any(t.expires > clock.to_ms(now) or (t.used_by and t.expires + _AGAIN > clock.to_ms(now)) for t in tokens)


def read_token(token: str) -> Join:
    """What a token says; :class:`Invalid` when it was not copied whole."""
    token = token.strip()
    try:
        if not token.startswith(_PREFIX):
            raise ValueError
        text = token.removeprefix(_PREFIX)
        return unpack(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), Join)
    except (ValueError, Invalid):
        raise Invalid("not a token, or not all of it", code="bad_token") from None


def request(home: Path, wish: Settings, token: str) -> Request:
    """Make the keys of a new node (or find those of an interrupted attempt) and ask to be admitted."""
    join = read_token(token)
    _fresh(home)
    if not (home / "keys/identity.key").exists():
        _make_keys(home)
    own = _identity(home)
    asked = Request(wish.tier, wish.name, wish.code, public_der(own.public_key()), _curve(home), _storage(home).public(), join.secret)
    return msgspec.structs.replace(asked, signature=keys.sign(own, _asked(asked)))


def admit(settings: Settings, asked: Request, now: dt.datetime, *, known: Iterable[Node] = ()) -> tuple[Answer, Node]:
    """Certify a new node that brought a good token; also what this node's ledger must then say of it to all.

    Refused: an unknown, used or expired token, a tier, name or code other than the token's, a code that one of the
    ``known`` nodes has, and a request that its own key did not sign. The same node asking again gets the same answer.
    """
    public = _check_request(asked)
    node = certs.node_id(public)
    if any(other.code == asked.code and other.id != node and not other.closed for other in known):
        raise Refused(f"there is already a node with the code {asked.code}", code="code_taken", hint="revoke it first, if its machine is lost")
    with _tokens(settings) as tokens:
        token = _find(tokens, asked.secret, now, node)
        if (token.tier, token.name, token.code) != (asked.tier, asked.name, asked.code):
            raise Refused("the token was made for another node", code="bad_token")
        if not token.answer:
            token.used_by, token.answer = node, base64.b64encode(pack(_certify(settings, asked, public, now))).decode()
        answer = unpack(base64.b64decode(token.answer), Answer)
    about = Node(node, asked.tier, asked.name, asked.code, settings.id, answer.chain, asked.curve, asked.storage_key, region_code=asked.code)
    return answer, about


def finish(home: Path, wish: Settings, token: str, endpoint: str, answer: Answer, now: dt.datetime, *, pin: str = "", media: str = "") -> Settings:
    """Become a home: check the answer against the token, the pin and one's own key, then write certificates and settings."""
    join = read_token(token)
    root, chain = certs.load(answer.root), [certs.load(c) for c in answer.chain]
    certs.check_issued(root, root, now)
    certs.check_chain(chain, root, now)
    about = certs.subject(chain[0])
    if chain[0].public_key() != _identity(home).public_key() or (about.name, about.code) != (wish.name, wish.code):
        raise Forged("the certificate that came back is not for this node", code="bad_certificate")
    if len(chain) < 2 or certs.subject(chain[1]).id != join.parent:
        raise Untrusted("another node than the token's has answered", code="wrong_parent")
    if pin and not hmac.compare_digest(pin_of(chain[1]), pin):
        raise Untrusted("the superior's key is not the pinned one", code="wrong_parent", hint="compare with what `yiwang node token` printed there")
    if certs.city_id(root) != answer.city:
        raise Untrusted("the root is not the city's", code="wrong_city")
    _write_certs(home, chain, root)
    above = Parent(endpoint=endpoint, id=join.parent, curve=join.curve, media=media)
    return _settle(home, msgspec.structs.replace(wish, id=about.id, city=answer.city, parent=above), now)


def own(settings: Settings) -> Node:
    """What the directory should say of this node, from its home; the city writes it of itself."""
    return Node(
        settings.id,
        settings.tier,
        settings.name,
        settings.code,
        settings.parent.id if settings.parent else "",
        tuple(map(certs.der, identity.own_chain(settings))),
        curve_public(settings),
        _storage(settings.home).public(),
        region_code=settings.code,
    )


def pin_of(cert: x509.Certificate) -> str:
    """What one reads out over the telephone: SHA-256 of the identity key, unchanged when the certificate is renewed."""
    return "sha256:" + hashlib.sha256(public_der(cert.public_key())).hexdigest()  # type: ignore[arg-type]


def own_pin(settings: Settings) -> str:
    """The pin of this node's identity."""
    return pin_of(identity.own_chain(settings)[0])


def curve_public(settings: Settings) -> str:
    """This node's CURVE public key (z85)."""
    return _curve(settings.home)


def renew_tls(settings: Settings, now: dt.datetime) -> None:
    """A fresh TLS certificate for the portal's addresses, under the node's own identity."""
    own = identity.load(settings)
    public = keys.from_pem(keys.read_secret(settings.path("keys", "tls.key"))).public_key()
    about = certs.Subject(kind="tls", id=settings.id, name=settings.name)
    cert = certs.issue(about, public, own.certificate, own.key, now, hosts=_hosts(settings))
    file = settings.path("certs", "tls.pem")
    file.with_suffix(".new").write_bytes(certs.pem(cert, *own.chain))
    file.with_suffix(".new").replace(file)


def keep_tls(settings: Settings, now: dt.datetime) -> bool:
    """Renew the TLS certificate when it soon ends or hangs under a former certificate of this node; whether it was."""
    leaf, *above = certs.load_chain(settings.path("certs", "tls.pem").read_bytes())
    if tuple(above) == identity.own_chain(settings) and leaf.not_valid_after_utc - now > TLS_LEFT:
        return False
    renew_tls(settings, now)
    return True


def export_keys(settings: Settings, folder: Path) -> dict[str, Path]:
    """Copy identity, TLS and line keys out of the home, for outside tests of a home in the acceptance profile only."""
    if settings.profile != "acceptance":
        raise Refused("keys leave a home only in the acceptance profile", code="not_acceptance")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("identity", "tls", "curve"):
        keys.write_secret(folder / f"{name}.key", keys.read_secret(settings.path("keys", f"{name}.key")))
    return {name: folder / f"{name}.key" for name in ("identity", "tls", "curve")}


def _hosts(settings: Settings) -> list[str]:
    hosts = ["127.0.0.1", "localhost", "::1"]
    for address in (settings.web, settings.public):
        host = address.rpartition(":")[0].strip("[]")
        if host and host not in ("0.0.0.0", "::", *hosts):  # noqa: S104 - compared, not bound
            hosts.append(host)
    return hosts


def _fresh(home: Path) -> None:
    if (home / "node.toml").exists():
        raise Conflict(f"{home} is already a node's home")
    for name in ("keys", "people", "run"):
        (home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / name).chmod(0o700)
    for name in ("certs", "blobs/partial", "tables", "log"):
        (home / name).mkdir(parents=True, exist_ok=True)


def _make_keys(home: Path) -> None:
    _, curve = zmq.curve_keypair()
    keys.write_secret(home / "keys/storage.key", StorageKey.generate().raw)
    keys.write_secret(home / "keys/curve.key", curve)
    keys.write_secret(home / "keys/tls.key", keys.pem(keys.new_p256()))
    keys.write_secret(home / "keys/portal.secret", secrets.token_bytes(32))
    keys.write_secret(home / "keys/identity.key", keys.pem(keys.new_p256()))  # last: its presence means that all are there


TLS_LEFT = dt.timedelta(days=60)
"With less time than this a TLS certificate is made anew."


def _identity(home: Path) -> ec.EllipticCurvePrivateKey:
    return identity.read(home / "keys/identity.key")


def _curve(home: Path) -> str:
    return zmq.curve_public(keys.read_secret(home / "keys/curve.key").strip()).decode()


def _storage(home: Path) -> StorageKey:
    return StorageKey(keys.read_secret(home / "keys/storage.key"))


def _write_certs(home: Path, chain: list[x509.Certificate], root: x509.Certificate) -> None:
    (home / "certs/root.pem").write_bytes(certs.pem(root))
    (home / "certs/node.pem").write_bytes(certs.pem(*chain))


def _settle(home: Path, made: Settings, now: dt.datetime) -> Settings:
    made = msgspec.structs.replace(made, home=home.resolve())
    renew_tls(made, now)
    keys.write_secret(home / "node.toml", setting.dump(made))
    return setting.load(home)


def _asked(asked: Request) -> bytes:
    return b"yiwang.sign.join.1\0" + pack(msgspec.structs.replace(asked, signature=b""))


def _check_request(asked: Request) -> ec.EllipticCurvePublicKey:
    public = keys.p256_from(asked.identity)
    keys.verify(public, asked.signature, _asked(asked))
    if len(asked.curve) != 40 or len(asked.storage_key) != 1216:
        raise Forged("the request names no line or storage key", code="bad_key")
    try:
        wrap(b"", asked.storage_key, b"")  # some keys have the right length and take nothing
    except Invalid:
        raise Forged("nothing can be sealed to the storage key of the request", code="bad_key") from None
    return public


def _certify(settings: Settings, asked: Request, public: ec.EllipticCurvePublicKey, now: dt.datetime) -> Answer:
    own = identity.load(settings)
    about = certs.Subject(kind="node", id=certs.node_id(public), name=asked.name, code=asked.code)
    cert = certs.issue(about, public, own.certificate, own.key, now, path=certs.PATH[asked.tier])
    return Answer((certs.der(cert), *own.ders), certs.der(identity.root_of(settings)), settings.city)


def _find(tokens: list[_Token], secret: bytes, now: dt.datetime, node: str) -> _Token:
    wanted = _hash(secret)
    for token in tokens:
        if hmac.compare_digest(token.hash, wanted):
            if token.used_by and token.used_by != node:
                raise Refused("the token has been used", code="bad_token")
            if not token.used_by and token.expires <= clock.to_ms(now):
                raise Refused("the token has expired", code="bad_token", hint="ask the superior for a new one")
            return token
    raise Refused("no such token here", code="bad_token")


@contextmanager
def _tokens(settings: Settings) -> Iterator[list[_Token]]:
    """The tokens of this node, alone with them; written back when nothing was raised."""
    file = settings.path("keys", "tokens.json")
    lock = os.open(file.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tokens = msgspec.json.decode(keys.read_secret(file), type=list[_Token]) if file.exists() else []
        yield tokens
        keys.write_secret(file, msgspec.json.encode(tokens))
    finally:
        os.close(lock)


def _hash(secret: bytes) -> str:
    return hashlib.sha256(b"yiwang.token.1\0" + secret).hexdigest()

"""Who is signed in: sessions, lock-outs, and the two doors (a password, or a key of one's own).

The cookie holds two secrets: the session's name, of which ``local.db`` keeps only the hash, and a key that nobody else has, under
which the person's opened signing key lies in the session's row. Whoever reads the disk can sign for nobody; whoever has
only the cookie needs the row.

A session ends after 15 minutes without a request, after 12 hours, at sign-out, when the password is changed or renewed, when the
person's certificate is revoked, and when the person's posts change. All times are monotonic.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventlet.semaphore import Semaphore

from node import certs, clock, keys, logs, persons
from node.codec import pack
from node.directory.view import today
from node.errors import NodeError, Refused, Unreachable
from node.persons import Door
from office.frame.away import Away
from office.frame.desk import Desk
from office.frame.local import Local, moment
from office.frame.office import Office
from office.frame.words import Text, _
from office.portal.guard import Guard, Noticed
from office.portal.pace import Pace

IDLE, LONGEST, TOUCH = 15 * 60.0, 12 * 3600.0, 20.0
"Seconds without a request, seconds in all, seconds between two notes of the last request."
RENEW = dt.timedelta(days=90)
"A person's certificate with less time than this is renewed at sign-in."
QUEUE = 40
"Sign-ins that may wait for the one that is being checked."
NONCE_LIFE = 120.0
FINGERPRINT = 32
"Bytes of a certificate's fingerprint, which a session keeps whose key is elsewhere; a sealed key is longer."
MARKS = 10_000
"Persons whose standing is remembered while the directory stays as it is."
log = logs.named("session")


@dataclass(frozen=True)
class Session:
    """An open session, as one request sees it."""

    id: bytes
    person: str
    first: bool
    "The password must be changed before anything else."
    secret: bytes
    sealed: bytes

    @property
    def signs(self) -> bool:
        """Whether it came with a signing key."""
        return len(self.sealed) > FINGERPRINT

    @property
    def own(self) -> bytes:
        """Fingerprint of the person's certificate whose key opened it and is not here; empty where there is none."""
        return self.sealed if len(self.sealed) == FINGERPRINT else b""

    def door(self) -> Door:
        """The person's key, opened for this request."""
        if not self.signs:
            raise Refused(_("这次登录没有带签名钥匙，不能办理。请用口令重新登录。"), code="no_key")
        try:
            plain = AESGCM(self.secret).decrypt(self.sealed[:12], self.sealed[12:], self.id)
        except InvalidTag:
            raise Refused(_("登录已失效，请重新登录。"), code="signed_out") from None
        return Door(person=self.person, key=Ed25519PrivateKey.from_private_bytes(plain[:32]), fingerprint=plain[32:64], first=self.first)


class Sessions:
    """All sessions of one portal."""

    def __init__(self, office: Office, local: Local) -> None:
        self.office, self.local = office, local
        self._secret = keys.read_secret(office.settings.path("keys", "portal.secret"))
        self.cookie = f"__Host-yw-{office.settings.id[:8]}"
        self.pace, self.noticed = Pace(), Noticed(office.settings)
        self.guard = Guard(local, self.noticed)
        self._turns = Semaphore(1)
        self._waiting = 0
        self._used: dict[str, float] = {}
        self._marks: dict[tuple[str, bool], tuple[Any, str]] = {}

    # tokens

    def csrf(self, value: str) -> str:
        """The token that belongs to a cookie and stands in every form."""
        return base64.urlsafe_b64encode(hmac.digest(self._secret, b"csrf\0" + value.encode(), "sha256")[:24]).decode()

    def stranger(self) -> str:
        """A cookie for somebody who is not signed in, so that the sign-in form too has a token."""
        return "a." + secrets.token_urlsafe(18)

    # finding

    def find(self, value: str) -> Session | None:
        """The living session of a cookie, or None; also notes that it was used."""
        id, secret = _split(value)
        row = self.local.row("select * from sessions where id=?", id) if id else None
        if row is None:
            return None
        now = moment()
        alive = row["boot"] == self.local.boot and now - row["seen"] < IDLE and now - row["opened"] < LONGEST
        if not alive or row["mark"] != self._mark(row["person"], len(row["sealed"]) > FINGERPRINT):
            self.local.write("delete from sessions where id=?", id)
            return None
        if now - row["seen"] > TOUCH:
            self.local.write("update sessions set seen=? where id=?", now, id)
        return Session(id, row["person"], bool(row["first"]), secret, row["sealed"])

    def lives(self, session: Session) -> bool:
        """Whether a session is still open, without counting as a request of it."""
        self.office.directory.refresh()
        row = self.local.row("select * from sessions where id=?", session.id)
        now = moment()
        return (
            row is not None and now - row["seen"] < IDLE and now - row["opened"] < LONGEST and row["mark"] == self._mark(row["person"], session.signs)
        )

    def _mark(self, person: str, signs: bool) -> str:
        """What must not change while a session lives: standing, posts, key file, certificate."""
        directory, file = self.office.directory, self._file(person) if signs else ""
        seen = directory.version, today(), file
        known = self._marks.get((person, signs))
        if known is None or known[0] != seen:
            known = self._marks[person, signs] = (seen, self._marked(person, file))
            if len(self._marks) > MARKS:
                self._marks.pop(next(iter(self._marks)))
        return known[1]

    def _marked(self, person: str, file: str) -> str:
        directory = self.office.directory
        card = directory.person(person)
        if card is None or card.status in ("retired", "suspended"):
            return "gone"
        posts = ",".join(sorted(h.post.id for h in directory.appointments_of(person, here=True)))
        revoked = sorted(s.revoked is not None for s in directory.certificates_of(person))
        return hashlib.sha256(f"{card.status}|{posts}|{revoked}|{file}".encode()).hexdigest()

    def _file(self, person: str) -> str:
        try:
            return str(self.office.settings.path("people", f"{person}.key").stat().st_mtime_ns)
        except OSError:
            return ""

    # opening and closing

    def open(self, person: str, door: Door | None, *, own: bytes = b"") -> str:
        """Begin a session with a new name; the value of its cookie. ``own`` is the fingerprint of a certificate whose key is not here."""
        name, secret = secrets.token_bytes(18), secrets.token_bytes(32)
        id, now, sealed = hashlib.sha256(name).digest(), moment(), own
        if door is not None:
            nonce = secrets.token_bytes(12)
            sealed = nonce + AESGCM(secret).encrypt(nonce, door.key.private_bytes_raw() + door.fingerprint, id)
        mark = self._mark(person, door is not None)
        if mark == "gone":
            raise Refused(_("账号已停用。请联系本单位管理员。"), code="closed")
        self.local.many(
            [
                ("delete from sessions where boot<>? or seen<? or opened<?", (self.local.boot, now - IDLE, now - LONGEST)),
                (
                    "insert into sessions values(?,?,?,?,?,?,?,?)",
                    (id, person, self.local.boot, now, now, mark, bool(door and door.first), sealed),
                ),
            ]
        )
        return _join(name, secret)

    def close(self, session: Session) -> None:
        """Sign out."""
        self.local.write("delete from sessions where id=?", session.id)

    def close_all(self, person: str) -> None:
        """Sign a person out everywhere."""
        self.local.write("delete from sessions where person=?", person)

    # the password's door

    def enter(self, login: str, password: str, address: str) -> tuple[str, Door]:
        """(person, opened key) for a name and password; wrong ones are counted, and lock the name after a while."""
        name = _normal(login)
        person = self.office.directory.login(name) or ""
        counted = person or name
        self.guard.check(counted, address)
        door = self._alone(person or "nobody", password, counted, address)
        self.guard.opened(counted, address)
        log.info("session.opened", person=person)
        return person, self._lasting(person, password, door)

    def _lasting(self, person: str, password: str, door: Door) -> Door:
        """The opened key, or another where its certificate soon ends, so that nobody finds out on the day it did."""
        signer = self.office.directory.signer(door.fingerprint)
        renew = self._keeper("renew_certificate")
        if door.first or renew is None or signer is None or signer.certificate.not_valid_after_utc - clock.now() > RENEW:
            return door
        try:
            return renew(Desk(self.office), person, password)  # type: ignore[no-any-return]
        except NodeError as error:  # it is tried again at the next sign-in
            log.warning("certificate.kept", person=person, error=str(error))
            return door

    def _keeper(self, verb: str) -> Callable[..., Any] | None:
        """What a room that keeps accounts does, if there is one."""
        return next((getattr(m, verb) for m in self.office.tier.parts("service") if hasattr(m, verb)), None)

    def change(self, desk: Desk, old: str, new: str, address: str) -> Door:
        """Change a password; every session of the person ends. A room that keeps accounts may do more, such as make the key anew."""
        person = desk.person
        self.guard.check(person, address)
        with self._counting(person, address, _("现在的口令不正确。")):
            door: Door = (self._keeper("change_password") or self._reseal)(desk, old, new)
        self.guard.opened(person, address)
        self.close_all(person)
        return door

    def _reseal(self, desk: Desk, old: str, new: str) -> Door:
        file = desk.directory.file(desk.person)
        login = file.login if file else ""
        return self.office.aside(lambda: persons.change_password(self.office.settings, desk.person, old, new, login=login))

    def _alone(self, person: str, password: str, counted: str, address: str) -> Door:
        """Open a key aside; few wait, so that a flood of sign-ins holds neither memory nor the others."""
        if self._waiting >= QUEUE:
            raise Unreachable(_("登录的人太多，请稍候再试。"))
        self._waiting += 1
        try:
            with self._counting(counted, address), self._turns:
                self.guard.check(counted, address)
                return self.office.aside(lambda: persons.open_person_key(self.office.settings, person, password))
        finally:
            self._waiting -= 1

    @contextmanager
    def _counting(self, counted: str, address: str, said: Text = _("用户名或口令不正确。")) -> Iterator[None]:
        try:
            yield
        except Refused as e:
            if e.code != "bad_password":
                raise
            self.guard.failed(counted, address)
            raise Refused(said, code="bad_password") from None

    # the key's door

    def nonce(self) -> str:
        """A challenge that is good once and for two minutes."""
        body = f"{secrets.token_urlsafe(18)}.{int(moment())}"
        return f"{body}.{self._seal(body)}"

    def away(self, session: Session, header: str) -> Away | None:
        """The pen of a session that was opened by a key of one's own; None for others, and once its certificate is gone."""
        signer = self.office.directory.signer(session.own) if session.own else None
        return Away(session.person, signer, session.own, self._secret, header) if signer is not None else None

    def answer(self, user: str, nonce: str, signature: bytes, address: str) -> tuple[str, bytes]:
        """(person, certificate's fingerprint) whose own key signed the challenge; one message for every way in which it can be wrong."""
        wrong = Refused(_("签名不能证明您的身份。"), code="bad_signature")
        person = self._person(user)
        self.guard.check(person or _normal(user), address)
        if not self._spend(nonce):
            raise wrong
        signed = challenge(self.office.settings.id, user, nonce)
        for signer in self.office.directory.certificates_of(person) if person else ():
            if signer.kind == "person" and signer.revoked is None and keys.holds([signer.key], signature, signed):
                self.guard.opened(person, address)
                return person, certs.fingerprint(signer.certificate)
        self.guard.failed(person or _normal(user), address)
        raise wrong

    def _person(self, user: str) -> str:
        directory = self.office.directory
        return user if directory.person(user) is not None else directory.login(_normal(user)) or ""

    def _spend(self, nonce: str) -> bool:
        now = moment()
        self._used = {n: until for n, until in self._used.items() if until > now}
        body, _dot, seal = nonce.rpartition(".")
        made = body.rpartition(".")[2]
        if nonce in self._used or not made.isdigit() or not hmac.compare_digest(seal, self._seal(body)):
            return False
        self._used[nonce] = now + NONCE_LIFE
        return now - int(made) < NONCE_LIFE

    def _seal(self, body: str) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self._secret, b"nonce\0" + body.encode(), "sha256")[:18]).decode()


def challenge(node: str, user: str, nonce: str) -> bytes:
    """The bytes to sign with one's own key to sign in."""
    return b"yiwang.sign.session.1\0" + pack((node, user, nonce))


def _normal(login: str) -> str:
    return unicodedata.normalize("NFKC", login).strip().lower()[:64]


def _join(name: bytes, secret: bytes) -> str:
    return base64.urlsafe_b64encode(name + secret).decode().rstrip("=")


def _split(value: str) -> tuple[bytes, bytes]:
    """(hash of the session's name, secret) of a cookie; empty when it is none of ours."""
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b"", b""
    return (hashlib.sha256(raw[:18]).digest(), raw[18:]) if len(raw) == 50 else (b"", b"")

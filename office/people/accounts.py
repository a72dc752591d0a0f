"""Keys of persons and seals of organs: given, replaced, taken away.

A key is certified in the directory before it is put behind a password, so that a crash between the two leaves a certificate
without a key and never a key that nobody believes.
"""

from __future__ import annotations

from node import certs, persons
from node.codec import uuid7
from node.directory import entries as said
from node.directory.view import Signer
from node.errors import Conflict, Invalid, NodeError, Refused
from office.frame.desk import Desk
from office.frame.words import _
from office.people.pen import need, own, parts, there, write
from office.people.records import state
from office.people.workflow import ACCOUNTS, GUARD, KEEPER, Account


def issue_password(desk: Desk, person: str) -> str:
    """Give a person a first password, or another after a lost one: a new key and certificate, the old ones revoked.

    The password is returned once and kept nowhere; it must be changed at the first sign-in.
    """
    card = own(desk, said.Person, person)
    name = "issue" if state(desk, person) is Account.NONE else "reset"
    ACCOUNTS.step(state(desk, person), name, parts(desk, person))
    if card.status in ("retired", "suspended"):
        raise Refused(_("此人已退休或停职，不能发放口令。"), code="not_active")
    if person == desk.person:
        raise Refused(_("自己的口令请用“修改口令”。"), code="own_account")
    password = persons.new_password()
    _replace_key(desk, card, password, first=True)
    return password


def change_password(desk: Desk, old: str, new: str) -> persons.Door:
    """Change one's own password. A password given by an administrator goes with the key it opened: a new key takes its place.

    Returns the opened key that goes on; the caller ends the person's other sessions.
    """
    login = getattr(desk.directory.file(desk.person), "login", "")
    ACCOUNTS.step(state(desk, desk.person), "settle" if persons.is_first(desk.settings, desk.person) else "change", parts(desk, desk.person))
    persons.check_password(new, login=login)
    if old == new:
        raise Invalid(_("新口令不能与旧口令相同。"), code="weak_password")
    door = desk.office.aside(lambda: persons.open_person_key(desk.settings, desk.person, old))
    if not door.first:
        return desk.office.aside(lambda: persons.change_password(desk.settings, desk.person, old, new, login=login))
    return _replace_key(desk, own(desk, said.Person, desk.person), new, first=False)


def renew_certificate(desk: Desk, person: str, password: str) -> persons.Door:
    """Before a person's certificate ends: a new key behind the same password, certified by the node, whose ``desk`` this is."""
    return _replace_key(desk, own(desk, said.Person, person), password, first=False)


def close_account(desk: Desk, person: str, *, reason: str = "left") -> None:
    """Take away a person's key and revoke its certificates."""
    card = own(desk, said.Person, person)
    ACCOUNTS.step(state(desk, person), "close", parts(desk, person))
    if person == desk.person:
        raise Refused(_("不能停用自己的账号。"), code="own_account")
    if reason not in REASONS:
        raise Invalid(_("没有这种吊销原因。"), code="unknown_reason")
    if living := _living(desk, card.id):
        cuts = _cuts(desk, desk.node)
        write(desk, *(said.Revoked(certs.fingerprint(s.certificate), reason, cuts) for s in living))
    persons.drop_key(desk.settings, person)


def revoke(desk: Desk, fingerprint: bytes, *, reason: str) -> None:
    """Let a certificate of this node's persons and seals, or of a node below, count no longer for what comes from now on."""
    need(desk, KEEPER, GUARD)
    found = there(desk.directory.signer(fingerprint))
    if desk.node not in desk.directory.tree().ancestors(found.node) or found.id == desk.node:
        raise Refused(_("只能吊销本节点和下级节点签发的证书。"), code="not_yours")
    if reason not in REASONS:
        raise Invalid(_("没有这种吊销原因。"), code="unknown_reason")
    if found.revoked is None:
        write(desk, said.Revoked(fingerprint, reason, _cuts(desk, found.node)))


def issue_seal(desk: Desk, organ: str) -> Signer:
    """Make a seal for an organ of this node, opened by its seal keepers; former seals of the organ are revoked."""
    need(desk, KEEPER)
    found = own(desk, said.Organ, organ)
    if not found.may_issue:
        raise Refused(_("该机构未登记为发文单位，不能制发印章。"), code="may_not_issue")
    keepers = tuple(p.id for p in desk.directory.holders("seal_keeper", organ))
    former_seals = desk.directory.seals_of(organ)
    key = f"seal.{uuid7()}"
    cert = persons.new_seal_key(desk.settings, key, organ, found.full_name, keepers, desk.now)
    write(desk, said.Certified(key, certs.der(cert), organ))
    for old in former_seals:
        revoke(desk, certs.fingerprint(old.certificate), reason="superseded")
    return there(desk.directory.signer(certs.fingerprint(cert)))


REASONS = ("superseded", "lost", "stolen", "left", "closed", "wrong")


def _living(desk: Desk, id: str) -> list[Signer]:
    return [s for s in desk.directory.certificates_of(id) if s.revoked is None]


def _replace_key(desk: Desk, card: said.Person, password: str, *, first: bool) -> persons.Door:
    """Certify a new key, revoke the one it replaces up to here, then put it behind the password; a key file of one's own stays."""
    held = persons.fingerprint_of(desk.settings, card.id)
    before = [f for f in (certs.fingerprint(s.certificate) for s in _living(desk, card.id)) if f == held]
    door, cert = persons.make_person_key(desk.settings, card.id, card.name, desk.now, first=first)
    write(desk, said.Certified(card.id, certs.der(cert), ""))
    # A revocation stands behind its own cut, so whoever replaces the own key says it with the new one.
    pen = Desk(desk.office, person=desk.person, door=lambda: door) if card.id == desk.person else desk
    if before:
        cuts = _cuts(desk, desk.node)
        write(pen, *(said.Revoked(fingerprint, "superseded", cuts) for fingerprint in before))
    desk.office.aside(lambda: persons.store(desk.settings, door, password))
    return door


def _cuts(desk: Desk, node: str) -> tuple[tuple[bytes, int, bytes], ...]:
    """Up to where this node holds the logs of a node: what stands there stays good."""
    try:
        chains = desk.ledger.chains()
    except NodeError:
        raise Conflict(_("现在无法确定日志位置，请稍后再试。"), code="busy") from None
    living = sorted((c for c in chains if c.author == node and c.count), key=lambda c: c.opened, reverse=True)
    return tuple((c.id, c.count - 1, c.hash) for c in living[:500])

"""The signed kinds of the directory. Each is the whole present value of one record: the last one written stands.

All go to ``ALL`` in the lane ``trust`` but :class:`File`, which goes ``UP``: what only the home node and those above may
know. A record is written by one node: a node's by the node above it (the city's own by itself), an organ's, post's and
person's by the organ's home node, lists and the calendar by whoever keeps them. A later value names the former in
``after``, so that the order holds across epochs.

Organs, posts and persons are closed by an end date and never removed: old documents keep their names.
"""

from __future__ import annotations

import datetime as dt

from node.kinds import Content, kind

ORGAN_KINDS = (
    "government",
    "party",
    "congress",
    "cppcc",
    "supervision",
    "court",
    "procuratorate",
    "mass_org",
    "department",
    "section",
    "dispatched",
    "public_institution",
    "zone_committee",
    "enterprise",
)
TIERS = ("city", "county", "township", "station")
STATUSES = ("active", "on_leave", "seconded", "retired", "suspended")
ROLES = (
    "registry_clerk",
    "confidential_clerk",
    "reviewer",
    "signer",
    "seal_keeper",
    "supervisor",
    "information_officer",
    "duty_officer",
    "duty_leader",
    "archivist",
    "petition_officer",
    "hotline_handler",
    "disclosure_reviewer",
    "counter_clerk",
    "meeting_clerk",
    "sysadmin",
    "secadmin",
    "auditor",
)
ADMINISTRATORS = ("sysadmin", "secadmin", "auditor")
"Three roles that one person may not combine (domain rule of the three administrators)."


@kind("directory.node")
class Node(Content, frozen=True):
    """A node stands in the tree with these keys; said by the node above it, or by the city of itself."""

    id: str
    tier: str
    "city, county, township or outside."
    name: str
    code: str
    "Region code, or one assigned by the city."
    parent: str
    "Node id; empty at the city. A township run by a zone hangs on the zone's node."
    chain: tuple[bytes, ...]
    "Certificates in DER, the node's own first, up to but without the city root."
    curve: str
    "Public key of its lines (CURVE, z85)."
    storage_key: bytes
    "Public half of the key to which logs for this node are sealed."
    region_code: str = ""
    "Code by which statistics count it where that differs from ``code``."
    managed_by: str = ""
    "Id of the zone's organ that runs this township, or empty."
    sort_no: int = 0
    closed: bool = False


@kind("directory.organ")
class Organ(Content, frozen=True):
    """An organ (机构) exists, so named, under these two axes."""

    id: str
    code: str
    full_name: str
    short_name: str
    kind: str
    tier: str
    region_code: str
    parent_id: str
    "块: who commands."
    line_parent_id: str
    "条: who guides."
    managed_by_id: str
    "The zone that runs it, or empty."
    node: str
    "Home node: where its records are written."
    may_issue: bool
    "Registered as an issuing unit with the office of its level."
    doc_prefixes: tuple[str, ...]
    "机关代字, each a number series."
    duty_phone: str
    sort_no: int
    "Protocol order among those under the same parent."
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    successor_id: str = ""
    pinyin: str = ""
    "Syllables of the short name, separated by spaces."


@kind("directory.post")
class Post(Content, frozen=True):
    """A post (岗位) exists in an organ, with the functions that go with it."""

    id: str
    organ: str
    title: str
    rank: str
    portfolio: tuple[str, ...]
    "Ids of organs and words for topics the holder is in charge of."
    sort_no: int
    backup_post_id: str
    "The named stand-in (AB角)."
    roles: tuple[str, ...]
    valid_to: dt.date | None = None
    serves: tuple[str, ...] = ()
    "Ids of organs of the same node for which the post acts besides its own, as an office does for its government."


@kind("directory.person")
class Person(Content, frozen=True):
    """A person's public card."""

    id: str
    name: str
    organ: str
    "The organ whose home node keeps the card."
    office_phone: str
    sort_no: int
    status: str
    pinyin: str
    "Syllables of the name, separated by spaces."


@kind("directory.file")
class File(Content, frozen=True):
    """The part of a person's record for the home node and those above it."""

    id: str
    login: str
    "Name at the home node's door."
    staff_no: str
    sex: str
    mobile: str
    staffing_type: str
    clearance: str


@kind("directory.appointed")
class Appointed(Content, frozen=True):
    """A person holds a post (任职) from one day to another."""

    id: str
    person: str
    post: str
    primary: bool
    valid_from: dt.date | None
    valid_to: dt.date | None
    "First day on which the post is no longer held."
    basis_doc_no: str


@kind("directory.delegated")
class Delegated(Content, frozen=True):
    """The holder of one post lends a power to the holder of another until a day; it expires by itself."""

    id: str
    grantor_post: str
    grantee_post: str
    scope: tuple[str, ...]
    "Ids of roles lent, such as signer."
    valid_from: dt.date
    valid_to: dt.date
    "First day on which it no longer holds."
    basis: str


@kind("directory.certified")
class Certified(Content, frozen=True):
    """The home node certified a key of a person or a seal; earlier ones stay valid until they are revoked."""

    id: str
    "Person id or seal id, as in the certificate's subject."
    certificate: bytes
    "DER; its issuer is the identity of the node that writes this."
    organ: str
    "The organ whose seal it is; empty for a person."


@kind("directory.rooted")
class Rooted(Content, frozen=True):
    """The city has a new root, which the former one vouches for; what was certified under the former stays valid."""

    certificate: bytes
    "DER; it holds the root before it (:mod:`node.lineage`)."


@kind("directory.rekeyed")
class Rekeyed(Content, frozen=True):
    """A node has a new identity key and asks the node above to certify it; signed with the key it had until then."""

    key: bytes
    "SubjectPublicKeyInfo of the new key, P-256."
    former: bytes
    "The word of the former key for it: packed :class:`node.lineage.Former`."
    proof: bytes
    "The new key's signature over the same words, so that nobody has another's key certified."


@kind("directory.revoked")
class Revoked(Content, frozen=True):
    """A certificate is no longer to be believed after the positions named; without any, from this entry on."""

    fingerprint: bytes
    "SHA-256 of the certificate's DER."
    reason: str
    "superseded, lost, stolen, left, closed or wrong."
    cuts: tuple[tuple[bytes, int, bytes], ...] = ()
    "Last good places: (chain, seq, hash). What stands later in those chains is refused."


@kind("directory.forked")
class Forked(Content, frozen=True):
    """A node has seen that another signed two different entries for one place, and proves it; nobody takes more into that chain."""

    chain: bytes
    seq: int
    author: str
    proof: bytes
    "Both signed histories (:class:`node.forks.Proof`): whoever hears it checks for oneself."


@kind("directory.settled")
class Settled(Content, frozen=True):
    """An operator has dealt with a fork: its alarm ends here, and below when the node stands above the author. The chain stays closed."""

    chain: bytes
    note: str


@kind("directory.list")
class Listing(Content, frozen=True):
    """A standing distribution list (通讯组) in protocol order; a document names the version it was sent to."""

    id: str
    name: str
    organs: tuple[str, ...]
    version: int


@kind("directory.calendar")
class Calendar(Content, frozen=True):
    """Which days of a year differ from the plain week: weekdays off, and Saturdays or Sundays worked (调休)."""

    year: int
    off: tuple[dt.date, ...]
    worked: tuple[dt.date, ...]
    basis: str
    version: int = 1


@kind("directory.ruled")
class Ruled(Content, frozen=True):
    """A term of the law or of custom has another length from a day on; the city says so, and every version stays."""

    id: str
    "Of the rule, such as ``doc.sign_in``."
    limit: str
    "Such as ``20wd``."
    basis: str
    "The article that says so now."
    since: dt.date
    "Terms that begin on this day or later are counted by it."
    running: bool
    "Whether terms that began before are, too."
    version: int
    "From 1; the highest that holds for a term's beginning counts."


AUDIENCES = {File: "up"}
"Scope of the kinds that do not go to all."

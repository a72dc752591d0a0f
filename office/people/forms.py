"""What the keepers' forms of the directory hold."""

from __future__ import annotations

import msgspec


class PersonForm(msgspec.Struct):
    """A person's card and file as one form."""

    name: str
    organ: str
    office_phone: str = ""
    sort_no: int = 0
    status: str = "active"
    pinyin: str = ""
    login: str = ""
    staff_no: str = ""
    sex: str = ""
    mobile: str = ""
    staffing_type: str = ""
    seen: str = ""


class OrganForm(msgspec.Struct):
    """An organ as a form."""

    full_name: str
    short_name: str = ""
    code: str = ""
    kind: str = "department"
    tier: str = "city"
    parent_id: str = ""
    line_parent_id: str = ""
    may_issue: str = ""
    doc_prefixes: str = ""
    duty_phone: str = ""
    sort_no: int = 0
    seen: str = ""


class PostForm(msgspec.Struct):
    """A post as a form."""

    title: str
    organ: str
    rank: str = ""
    sort_no: int = 0
    backup_post_id: str = ""
    seen: str = ""

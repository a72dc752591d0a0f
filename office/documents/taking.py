"""What a Word file gives a draft: shown beside what was typed, and put in its place only when somebody says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO, cast

from msgspec import structs

from node.errors import Invalid
from office.documents.entries import Cited, Paper, Role
from office.documents.kinds import fitting
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Request
from office.print.press import take
from office.print.taken import KINDS, Lost

_BETWEEN = re.compile(r"[，,、；;\s]+")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was read; nothing of it is kept yet."""

    title: str
    text: str
    to: tuple[tuple[str, str], ...]
    "(id, name) of the organs that it names as recipients and the directory knows."
    lists: tuple[tuple[str, str], ...]
    "The same of standing lists."
    lost: tuple[str, ...]
    "What was left behind, a sentence each."


def found(desk: Desk, request: Request, paper: Paper) -> Found:
    """The words of the Word file that was sent with a form; :class:`~node.errors.Refused` when there is none or it is not to be read."""
    files = [f for f in request.files.getlist("word") if f.filename]
    if not files:
        raise Invalid(_("请先选一个 Word 文件（.docx）。"), code="not_word")
    taken = take(cast(BinaryIO, files[0].stream))
    to, lists, unknown = recognised(desk, paper.organ, taken.to)
    lost = (*taken.lost, *([Lost("recipients", len(unknown), "、".join(unknown)[:200])] if unknown else []))
    return Found(title=taken.title, text=taken.text, to=to, lists=lists, lost=tuple(map(_loss, lost)))


Named = tuple[tuple[str, str], ...]


def recognised(desk: Desk, issuer: str, said: str) -> tuple[Named, Named, tuple[str, ...]]:
    """(organs, standing lists, names nobody has): a name that two organs have is no organ's."""
    known: dict[str, set[str]] = {}
    organs = {organ.id: organ.short_name for organ in desk.directory.organs() if organ.id != issuer}
    for organ in desk.directory.organs():
        for name in {organ.full_name, organ.short_name}:
            known.setdefault(name, set()).add(organ.id)
    lists = {listing.name: listing.id for listing in desk.directory.lists()}
    names = [name for name in dict.fromkeys(_BETWEEN.split(said)) if name]
    ids = {name: next(iter(found)) for name in names if len(found := known.get(name, set())) == 1}
    to = dict.fromkeys(id for id in ids.values() if id in organs)
    listed = tuple((lists[name], name) for name in names if name in lists)
    return tuple((id, organs[id]) for id in to), listed, tuple(name for name in names if ids.get(name) not in organs and name not in lists)


def used(desk: Desk, request: Request, paper: Paper) -> Paper:
    """The paper with the words that were shown: a title that the file does not say stays as typed, recipients come to those already chosen."""
    title = " ".join(request.text("word_title").split()) or paper.title
    organs = {organ.id for organ in desk.directory.organs()} - {paper.organ}
    to = tuple(dict.fromkeys((*paper.to, *(id for id in request.all("word_to") if id in organs))))
    cited = {(one.id, one.role) for one in paper.lists}
    versions = {listing.id: listing.version for listing in desk.directory.lists()}
    more = (Cited(id, versions[id], Role.TO) for id in dict.fromkeys(request.all("word_list")) if id in versions and (id, Role.TO) not in cited)
    request.portal.local.drop(desk.person, request.text("_draft"))  # what was typed before would be put back over it
    lists, cc = (*paper.lists, *more), tuple(id for id in paper.cc if id not in to)
    return fitting(structs.replace(paper, title=title, text=request.text("word_body"), to=to, cc=cc, lists=lists))


def _loss(one: Lost) -> str:
    if one.kind == "title":
        return str(KINDS[one.kind])
    count = _("{n} 处").format(n=one.count)
    return f"{KINDS[one.kind]}（{count}{'：' if one.said else ''}{one.said}）"

"""The fifteen kinds of official documents (党政机关公文处理工作条例 2012 §8): what each is for, what it has and what it has not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from office.documents.papers import Label, Openness, Paper, Role


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the rules say of one kind."""

    ways: str
    "Directions: d down, u up, p sideways, x to the public."
    form: str = "file"
    "Format of GB/T 9704: ``file`` 文件格式, ``letter`` 信函格式, ``order`` 命令格式, ``minutes`` 纪要格式."
    addressed: bool = True
    "Has a main recipient; where not, it may go without (published, or read out in a meeting)."
    sealed: bool = True
    answer: str = "may"
    "Whether it asks for an answer: it ``may``, it ``must`` (请示), it ``never`` does."

    @property
    def public(self) -> bool:
        """Made known to everybody: nothing in it is withheld."""
        return self.ways == "x"

    @property
    def upward(self) -> bool:
        """Goes up only: the sheet names its signer (签发人)."""
        return self.ways == "u"


KINDS = {
    "resolution": Kind(ways="d", addressed=False, answer="never"),
    "decision": Kind(ways="d", addressed=False),
    "order": Kind(ways="d", form="order", addressed=False, answer="never"),
    "communique": Kind(ways="x", addressed=False, answer="never"),
    "announcement": Kind(ways="x", addressed=False, answer="never"),
    "public_notice": Kind(ways="x", addressed=False, answer="never"),
    "opinion": Kind(ways="udp"),
    "notice": Kind(ways="d"),
    "circular": Kind(ways="d"),
    "report": Kind(ways="u", answer="never"),
    "request": Kind(ways="u", answer="must"),
    "reply": Kind(ways="d", form="letter"),
    "bill": Kind(ways="p"),
    "letter": Kind(ways="p", form="letter"),
    "minutes": Kind(ways="dp", form="minutes", addressed=False, sealed=False),
}
"In the order of §8."


def of(id: str) -> Kind:
    """A kind by its id; an envelope from elsewhere may name one that is not known here and is shown as a plain document."""
    return KINDS.get(id, Kind(ways="d"))


def labelled(paper: Paper) -> Paper:
    """What is for the public is not marked 内部, which is only what every draft begins with."""
    if of(paper.kind).public and paper.label == Label.INTERNAL:
        return msgspec.structs.replace(paper, label=Label.PUBLIC)
    return paper


def fitting(paper: Paper) -> Paper:
    """A paper without what its kind has not: nobody is asked to answer a report, a request always asks, what is published is open."""
    kind = of(paper.kind)
    if kind.answer == "never":
        paper = msgspec.structs.replace(paper, reply_required=False, due=0, due_rule="")
    if kind.answer == "must":
        paper = msgspec.structs.replace(paper, reply_required=True)
    if kind.public:
        paper = labelled(paper)
        copied = tuple(one for one in paper.lists if one.role != Role.TO)
        paper = msgspec.structs.replace(paper, to=(), lists=copied, openness=paper.openness or Openness.PROACTIVE)
    return paper

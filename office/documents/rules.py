"""The rules of official documents (党政机关公文处理工作条例 2012 §14–17), of form and of burden. Pure: a draft and its route in, findings out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from node.directory.entries import Organ
from office.documents import kinds
from office.documents.kinds import KINDS
from office.documents.papers import JOINT, RECIPIENTS, TEXT, TITLE, Label, Paper, Urgency
from office.frame.reading import READ
from office.frame.secrecy import marked

_ORDERS = ("resolution", "decision", "order", "notice", "circular")
_RANK = {"city": 0, "county": 1, "township": 2, "station": 3}
_GOVERNING = ("government", "party", "zone_committee")
_OWN = re.compile(r"我[们局市县区镇办]?(单位|机关)?(认为|意见|建议)|经(研究|审核|初审)|建议|倾向性意见|拟同意|拟")
_LEADER = re.compile(r"^\s*(尊敬的)?[\u4e00-\u9fff]{0,6}(书记|市长|县长|区长|镇长|主席|秘书长)(同志)?[：:]")
_AGREED = re.compile(r"经[^。，；]{0,12}(政府|党委|市委|县委)[^。，；]{0,4}(同意|批准|授权)")
_ASKS = re.compile(r"请(予)?(批示|批准|审批|审示)|妥否")
BURDEN, BURDEN_TASK = 5_000, 4_000
"Characters beyond which the burden rules of 2024 ask why."


@dataclass(frozen=True)
class Finding:
    """What a rule says about a draft."""

    code: str
    refuses: bool
    "Else it only warns."
    about: str = ""
    "Name of an organ or a number, for the sentence that is shown."


@dataclass(frozen=True, kw_only=True)
class Route:
    """A draft's organ and recipients, and the chains of command above each (nearest first)."""

    issuer: Organ
    to: tuple[Organ, ...]
    cc: tuple[Organ, ...]
    above: dict[str, tuple[str, ...]]
    "Organ id to the ids that command it, nearest first."
    joint: tuple[Organ, ...] = ()
    "Organs that are to issue it together with its own."

    def direction(self, organ: Organ) -> str:
        """``u`` when the recipient commands the issuer, ``d`` the other way, else ``p``."""
        if organ.id in self.above.get(self.issuer.id, ()):
            return "u"
        return "d" if self.issuer.id in self.above.get(organ.id, ()) else "p"

    def lower(self, organ: Organ) -> bool:
        """Whether the recipient stands below the issuer, commanded by it or at a lower tier."""
        return self.direction(organ) == "d" or _RANK.get(organ.tier, 0) > _RANK.get(self.issuer.tier, 0)


def characters(text: str) -> int:
    """字数: everything but white space."""
    return sum(not c.isspace() for c in text)


def check(paper: Paper, route: Route) -> list[Finding]:
    """What the rules find in a draft that is about to leave, refusals first."""
    found = [*_form(paper), *_routing(paper, route), *_jointly(paper, route), *_burden(paper)]
    return sorted(found, key=lambda finding: not finding.refuses)


def shape(paper: Paper) -> list[Finding]:
    """What makes a draft unfit even to be kept."""
    found = []
    if paper.kind not in KINDS:
        found.append(Finding("kind", True, paper.kind))
    if len(paper.title) > TITLE:
        found.append(Finding("title_long", True, str(TITLE)))
    if len(paper.text) > TEXT:
        found.append(Finding("text_long", True, str(TEXT)))
    if len(paper.to) + len(paper.cc) > RECIPIENTS:
        found.append(Finding("recipients_many", True, str(RECIPIENTS)))
    if len(paper.joint) > JOINT:
        found.append(Finding("joint_many", True, str(JOINT)))
    if paper.organ in paper.joint or len(set(paper.joint)) < len(paper.joint):
        found.append(Finding("joint_twice", True))
    if any(marked(text) for text in (paper.title, paper.text, *(annex.name for annex in paper.annexes))):
        found.append(Finding("graded", True))
    return found


def _form(paper: Paper) -> list[Finding]:
    found = shape(paper)
    if not paper.title.strip():
        found.append(Finding("title_missing", True))
    kind = kinds.of(paper.kind)
    if kind.addressed and not (paper.to or any(cited.role == "to" for cited in paper.lists)):
        found.append(Finding("recipients_missing", True))
    if not paper.text.strip() and not paper.annexes:
        found.append(Finding("text_missing", True))
    if paper.urgency == Urgency.FLASH and not paper.urgency_reason.strip():
        found.append(Finding("flash_reason", True))
    if paper.openness in ("on_request", "withheld") and not paper.openness_reason.strip():
        found.append(Finding("openness_reason", True))
    if paper.label != Label.PUBLIC and paper.openness == "proactive":
        found.append(Finding("inner_open", False))
    if paper.kind == "reply" and not paper.in_reply_to:
        found.append(Finding("reply_answers", False))
    if kind.public:
        found += _public(paper)
    if kind.answer == "never" and (paper.reply_required or paper.due):
        found.append(Finding("no_answer", False))
    unread = next((annex.name for annex in paper.annexes if not annex.name.lower().endswith(READ)), "")
    if unread:
        found.append(Finding("unread", False, unread))
    if paper.kind == "report" and (_ASKS.search(paper.text) or "请示" in paper.title):
        found.append(Finding("report_asks", False))
    return found


def _public(paper: Paper) -> list[Finding]:
    """公报、公告、通告 are for everybody: nothing in them is withheld, and they address no organ."""
    found = []
    if paper.label == Label.WORK_SECRET or paper.openness in ("on_request", "withheld"):
        found.append(Finding("public_closed", True))
    if paper.to or paper.lists:
        found.append(Finding("public_addressed", False))
    return found


def _routing(paper: Paper, route: Route) -> list[Finding]:
    found = []
    everyone = (*route.to, *route.cc)
    if any(organ.id == route.issuer.id for organ in everyone):
        found.append(Finding("to_itself", True))
    if route.issuer.kind == "section" and not _office(route.issuer) and any(route.direction(o) != "u" for o in everyone):
        found.append(Finding("section_issues", True))
    if paper.kind == "order" and route.issuer.kind not in _GOVERNING:
        found.append(Finding("order_who", True))
    if paper.kind == "bill" and (route.issuer.kind != "government" or any(organ.kind != "congress" for organ in route.to)):
        found.append(Finding("bill_to", True))
    if paper.kind in ("request", "report"):
        found += _upward(paper, route)
    if paper.kind == "request":
        found += _request(route)
    upward = [organ for organ in route.to if route.direction(organ) == "u"]
    if paper.kind in ("request", "report", "opinion"):
        found += _skipping(route, upward)
    if paper.kind in (*_ORDERS, "reply") and upward:
        found.append(Finding("down_kind_up", paper.kind in ("order", "decision", "reply"), upward[0].short_name))
    found += _ordering(paper, route)
    beside = next((o for o in route.to if route.direction(o) == "p" and not route.lower(o)), None)
    if paper.kind == "reply" and beside is not None:
        found.append(Finding("reply_sideways", True, beside.short_name))
    strangers = [organ for organ in route.to if route.direction(organ) == "p" and not route.lower(organ)]
    if strangers and not _office(route.issuer) and "p" not in kinds.of(paper.kind).ways and not found:
        found.append(Finding("use_letter", False, strangers[0].short_name))
    return found


def _office(organ: Organ) -> bool:
    """An office (办公厅、办公室) speaks for those it serves."""
    return "办公" in organ.short_name or "办公" in organ.full_name


def _upward(paper: Paper, route: Route) -> list[Finding]:
    """§15: no copies to lower organs, nothing addressed to leaders, nothing passed on without an opinion of one's own."""
    found = []
    lower = next((organ for organ in route.cc if route.lower(organ)), None)
    if lower is not None and paper.kind == "report":
        found.append(Finding("report_cc_down", True, lower.short_name))
    if _LEADER.match(paper.text):
        found.append(Finding("leader_named", True))
    below = next((organ for organ in route.to if route.lower(organ)), None)
    if below is not None and paper.kind == "report":
        found.append(Finding("report_up", True, below.short_name))
    if paper.forwards and not _OWN.search(paper.text.partition("————")[0]):
        found.append(Finding("raw_forward", True))
    return found


def _request(route: Route) -> list[Finding]:
    found = []
    if len(route.to) > 1:
        found.append(Finding("request_one", True))
    lower = next((organ for organ in route.cc if route.lower(organ)), None)
    if lower:
        found.append(Finding("request_cc_down", True, lower.short_name))
    if route.to and route.lower(route.to[0]):
        found.append(Finding("request_up", True, route.to[0].short_name))
    return found


def _skipping(route: Route, upward: Sequence[Organ]) -> list[Finding]:
    chain = route.above.get(route.issuer.id, ())
    told = {organ.id for organ in (*route.to, *route.cc)}
    for organ in upward:
        if any(between not in told for between in chain[: chain.index(organ.id)]):
            return [Finding("skips_level", True, organ.short_name)]
    return []


def _ordering(paper: Paper, route: Route) -> list[Finding]:
    """§16: departments other than the office give no orders to lower governments; they write to their line."""
    issuer = route.issuer
    if (
        paper.kind not in (*_ORDERS, "reply")
        or issuer.kind in _GOVERNING
        or _AGREED.search(paper.text)
        or "办公" in issuer.short_name
        or "办公" in issuer.full_name
    ):
        return []
    ordered = next((o for o in route.to if o.kind in _GOVERNING and _RANK.get(o.tier, 0) > _RANK.get(issuer.tier, 0)), None)
    return [Finding("department_orders", True, ordered.short_name)] if ordered else []


def _jointly(paper: Paper, route: Route) -> list[Finding]:
    """§17: organs of one level may issue together; what is a party committee's or a government's own business they may not."""
    found = []
    closed = next((organ for organ in route.joint if not organ.may_issue), None)
    if closed is not None:
        found.append(Finding("joint_section", True, closed.short_name))
    addressed = {organ.id for organ in (*route.to, *route.cc)}
    asked = next((organ for organ in route.joint if organ.id in addressed), None)
    if asked is not None:
        found.append(Finding("joint_addressed", True, asked.short_name))
    unlike = next((organ for organ in route.joint if _level(organ) != _level(route.issuer)), None)
    if unlike is not None:
        found.append(Finding("joint_level", False, unlike.short_name))
    if {"party", "government"} <= {organ.kind for organ in (route.issuer, *route.joint)}:
        found.append(Finding("joint_powers", False))
    return found


def _level(organ: Organ) -> int:
    """How high an organ stands: a department of the city with the government of a county."""
    return _RANK.get(organ.tier, 0) + (organ.kind not in (*_GOVERNING, "congress"))


def _burden(paper: Paper) -> list[Finding]:
    count = characters(paper.text)
    found = [Finding("burden", False, str(count))] if count > BURDEN else []
    if paper.kind in _ORDERS and re.search(r"(每[日周月]|定期)[^。；]{0,12}(报送|上报|报告)", paper.text):
        found.append(Finding("asks_reports", False))
    return found

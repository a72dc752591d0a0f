"""Whom a paper reaches, and what the rules of routing say of it, in sentences that cite the article."""

from __future__ import annotations

from collections.abc import Iterable

from node import clock
from node.directory.entries import Organ
from node.errors import Invalid, Missing, Refused, TooLarge
from office.documents import rules
from office.documents.entries import Paper, Recipient, Role
from office.documents.model import Incoming, Letter
from office.documents.rights import issuers
from office.documents.rules import Finding, Route
from office.frame import secrecy
from office.frame.desk import Desk
from office.frame.words import _


def recipients(desk: Desk, paper: Paper) -> tuple[Recipient, ...]:
    """Whom a paper reaches: named organs and members of its lists in protocol order, each once, closed organs replaced by their successors."""
    named: dict[str, Recipient] = {}
    for role, organs in ((Role.TO, paper.to), (Role.CC, paper.cc)):
        for id in organs:
            organ = desk.directory.successor(id)
            if organ is None:
                raise Invalid(_("收文机关不存在：{organ}").format(organ=id[:64]), code="no_organ")
            named.setdefault(organ.id, Recipient(organ.id, organ.node, role))
        for cited in paper.lists:
            if cited.role == role:
                for organ in desk.directory.list_members(cited.id):
                    if organ.id != paper.organ:
                        named.setdefault(organ.id, Recipient(organ.id, organ.node, role))
    return tuple(named.values())


def route(desk: Desk, paper: Paper) -> Route:
    """The organs of a paper with those above each, as the rules of routing ask."""
    reached = recipients(desk, paper)
    organs = {r.organ: organ_of(desk, r.organ) for r in reached}
    issuer = organ_of(desk, paper.organ)
    single = {*paper.to, *paper.cc}
    above = {id: tuple(o.id for o in desk.directory.above(id)) for id in (*organs, issuer.id)}
    to = tuple(organs[r.organ] for r in reached if r.role == Role.TO)
    cc = tuple(organs[r.organ] for r in reached if r.role == Role.CC and (r.organ in single or paper.kind == "request"))
    return Route(issuer=issuer, to=to, cc=cc, above=above, joint=partners(desk, paper))


def partners(desk: Desk, paper: Paper) -> tuple[Organ, ...]:
    """The organs that are to issue a paper together with its own."""
    found = []
    for id in paper.joint:
        organ = desk.directory.organ(id)
        if organ is None:
            raise Invalid(_("联合发文机关不存在：{organ}").format(organ=id[:64]), code="no_organ")
        found.append(organ)
    return tuple(found)


def findings(desk: Desk, paper: Paper) -> list[Finding]:
    """What the rules say of a paper, refusals first."""
    passed = [Finding("due_passed", False)] if paper.due and paper.due < clock.to_ms(desk.now) else []
    return rules.check(paper, route(desk, paper)) + passed


def reply_paper(desk: Desk, incoming: Incoming) -> Paper:
    """A draft of the answer to an incoming document: 批复 to a request from below, else 函."""
    letter = desk.get(Letter, incoming.doc).envelope
    below = incoming.organ in {organ.id for organ in desk.directory.above(incoming.issuer)}
    reply = incoming.kind == "request" and below
    about = incoming.title.removesuffix("的请示").removesuffix("的函").removesuffix("的报告")
    title = f"{about}的批复" if reply else f"关于《{incoming.title}》的复函"
    text = f"你单位《{incoming.title}》（{incoming.number or letter.signed_on}）收悉。" + ("经研究，现批复如下：" if reply else "现函复如下：")
    return Paper(incoming.organ, "reply" if reply else "letter", title, text, (incoming.issuer,) if incoming.issuer else (), in_reply_to=incoming.doc)


def forward_paper(desk: Desk, incoming: Incoming) -> Paper:
    """A draft that passes an incoming document on with an own opinion: a new document, its annexes and text enclosed."""
    letter = desk.get(Letter, incoming.doc).envelope
    title = f"关于转发《{incoming.title}》的通知"
    text = f"现将{letter.issuer}《{incoming.title}》（{letter.number or letter.signed_on}）转发给你们，请认真贯彻执行。"
    body = f"{text}\n\n————————\n{letter.paper.text}"
    return Paper(incoming.organ, "notice", title, body, (), label=letter.paper.label, forwards=incoming.doc, annexes=letter.paper.annexes)


def refuse(desk: Desk, found: Iterable[Finding]) -> None:
    """Raise the first refusal among findings."""
    for finding in found:
        if not finding.refuses:
            continue
        if finding.code == "graded":
            raise secrecy.refusal()
        kind = (
            TooLarge if finding.code in ("title_long", "text_long", "recipients_many", "joint_many") else Invalid if finding.code in FORM else Refused
        )
        raise kind(sentence(finding), code=finding.code if kind is Refused else None, hint=way(finding))


LONG = ("title_long", "text_long", "recipients_many", "joint_many")
FORM = ("kind", "title_missing", "recipients_missing", "text_missing", "flash_reason", "openness_reason", "public_closed", "joint_twice")


SENTENCES = {
    "kind": _("没有“{about}”这个文种。"),
    "title_long": _("标题不能超过 {about} 字。"),
    "text_long": _("正文不能超过 {about} 字，更长的内容请作为附件。"),
    "recipients_many": _("收文机关不能超过 {about} 个。"),
    "graded": _("本网不得存储、处理国家秘密。"),
    "title_missing": _("请填写标题。"),
    "recipients_missing": _("请选择主送机关。"),
    "text_missing": _("请填写正文或者添加附件。"),
    "flash_reason": _("特急件要写明理由。"),
    "reply_answers": _("批复应当针对一件请示（条例第八条）。"),
    "report_asks": _("报告不得夹带请示事项（条例第十五条）。"),
    "no_answer": _("这一文种不要求答复，也不定答复时限（条例第八条）。"),
    "public_closed": _("公报、公告、通告面向社会公布，不能定为工作秘密、依申请公开或者不予公开（条例第八条）。"),
    "public_addressed": _("公报、公告、通告面向社会公布，一般不写主送机关（条例第八条）。"),
    "report_up": _("报告只用于上行文，不能主送{about}（条例第八条）。"),
    "to_itself": _("不能发给本机关。"),
    "request_one": _("请示只写一个主送机关（条例第十五条）。"),
    "request_cc_down": _("请示不得抄送下级机关：{about}（条例第十五条）。"),
    "request_up": _("请示只用于上行文，不能主送{about}（条例第八条）。"),
    "skips_level": _("一般不得越级行文，确需越级主送{about}的，应当同时抄送被越过的机关（条例第十四条）。"),
    "down_kind_up": _("这一文种不用于向上级机关{about}行文（条例第八条）。"),
    "use_letter": _("与不相隶属的机关{about}行文用函（条例第八条）。"),
    "department_orders": _("部门不得向下级政府{about}发布指令性公文，可以用函，或者请政府办公室行文（条例第十六条）。"),
    "section_issues": _("内设机构除办公厅（室）外不得对外正式行文（条例第十七条）。"),
    "order_who": _("命令（令）由政府发布，部门不用这一文种（条例第八条）。"),
    "bill_to": _("议案由政府向同级人民代表大会或者其常务委员会提请审议（条例第八条）。"),
    "report_cc_down": _("上行文不抄送下级机关：{about}（条例第十五条）。"),
    "leader_named": _("除上级机关负责人直接交办的事项外，不得向其个人报送公文（条例第十五条）。"),
    "raw_forward": _("下级机关的请示事项应当提出倾向性意见后上报，不得原文转报（条例第十五条）。"),
    "reply_sideways": _("批复用于答复下级机关的请示，不能发给不相隶属的{about}（条例第八条）。"),
    "openness_reason": _("不主动公开的要写明理由（政府信息公开条例第十七条）。"),
    "joint_many": _("联合发文机关除主办机关外不能超过 {about} 个。"),
    "joint_twice": _("联合发文机关不能重复，也不能包括主办机关。"),
    "joint_section": _("{about}不能对外发文，不能作为联合发文机关（条例第十七条）。"),
    "joint_addressed": _("{about}是联合发文机关，不能同时是收文机关。"),
    "joint_level": _("联合行文限于同级机关，{about}与主办机关不同级（条例第十七条）。"),
    "joint_powers": _("属于党委、政府各自职权范围内的工作，不得联合行文（条例第十七条）。"),
    "due_passed": _("答复时限已经过去。"),
    "inner_open": _("标识不是“公开”，公开属性却是主动公开：版面会同时印出标识和“此件公开发布”。"),
    "unread": _("附件《{about}》的内容程序读不出来，请人工核对没有国家秘密。"),
    "burden": _("正文 {about} 字，超过五千字的减负提倡篇幅。"),
    "asks_reports": _("一般不要求下级定期报送材料（减负若干规定）。"),
}


WAYS = {
    "kind": _("请从十五个法定文种中选择。"),
    "title_long": _("请概括标题，详细内容写进正文。"),
    "text_long": _("可以把细则、名单作为附件。"),
    "recipients_many": _("可以使用通讯组，或者分批印发。"),
    "graded": _("国家秘密请走机要渠道。"),
    "title_missing": _("一般写作：关于……的＋文种。"),
    "recipients_missing": _("可以选机关，也可以选通讯组。"),
    "text_missing": _("至少写一段正文，或者添加附件。"),
    "flash_reason": _("可以写明理由，或者改为加急、平件。"),
    "no_answer": _("需要上级答复的用请示，需要下级、平级答复的用通知或者函。"),
    "due_passed": _("请改为以后的日期，或者不定时限。"),
    "inner_open": _("可以把标识改为公开，或者改选公开属性。"),
    "public_closed": _("可以把公开属性改为主动公开；不宜公开的改用通知、通报。"),
    "report_up": _("可以用通知、通报向下行文，用函与不相隶属的机关商洽。"),
    "to_itself": _("可以改为内部签报，或者去掉本机关。"),
    "request_one": _("可以只主送一个上级机关，其他相关机关用抄送。"),
    "request_cc_down": _("可以去掉下级机关，待批复后另行通知。"),
    "request_up": _("可以用通知、批复向下行文，用函与不相隶属的机关商洽。"),
    "skips_level": _("可以逐级上报，或者同时抄送被越过的机关。"),
    "down_kind_up": _("可以用请示或者报告。"),
    "department_orders": _("可以用函，可以发给对口的下级部门，也可以由政府办公室行文；经政府同意的，在文中注明。"),
    "section_issues": _("可以由所在部门或者其办公室行文。"),
    "order_who": _("可以用通知或者决定，或者报请政府发布。"),
    "bill_to": _("可以报请政府提出议案；其他事项用函或者报告。"),
    "report_cc_down": _("可以去掉下级机关，需要下级知道的另行通知。"),
    "joint_many": _("可以由主要的几个机关联合发文，其他机关在文中写明已经会签。"),
    "joint_twice": _("可以去掉重复的机关。"),
    "joint_section": _("可以改为它所在的机关。"),
    "joint_addressed": _("可以从主送、抄送中去掉；发出后联合发文机关自动存有一份。"),
    "leader_named": _("可以主送该机关，由其办公室呈送。"),
    "raw_forward": _("可以写明本机关的倾向性意见，把下级来文作为附件。"),
    "reply_sideways": _("可以用复函。"),
    "openness_reason": _("可以写明理由，或者改为主动公开。"),
}
"The lawful way, for every refusal."


def way(finding: Finding) -> str:
    """What may be done instead of what a rule refuses; empty for warnings."""
    return str(WAYS[finding.code]) if finding.refuses else ""


def sentence(finding: Finding) -> str:
    """A finding in words, with the article it rests on."""
    return SENTENCES[finding.code].format(about=finding.about)


def acting(desk: Desk, organ: str) -> Organ:
    """The organ, in whose name the person must be able to draft."""
    found = next((o for o in issuers(desk) if o.id == organ), None)
    if found is None:
        raise Refused(_("您不能以这个机关的名义发文。"), code="not_issuer")
    return found


def organ_of(desk: Desk, id: str) -> Organ:
    """An organ that a document names; :class:`Missing` when the directory does not have it."""
    found = desk.directory.organ(id)
    if found is None:
        raise Missing()
    return found

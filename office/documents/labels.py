"""The words on the screens of documents: one for each state, kind, label, act and reason."""

from __future__ import annotations

from office.documents.entries import Change, Label, Openness, Role, Urgency
from office.documents.workflow import Agreement, Stage, Standing, Worth
from office.frame.words import _

KIND_WORDS = {
    "resolution": _("决议"),
    "decision": _("决定"),
    "order": _("命令（令）"),
    "communique": _("公报"),
    "announcement": _("公告"),
    "public_notice": _("通告"),
    "opinion": _("意见"),
    "notice": _("通知"),
    "circular": _("通报"),
    "report": _("报告"),
    "request": _("请示"),
    "reply": _("批复"),
    "bill": _("议案"),
    "letter": _("函"),
    "minutes": _("纪要"),
}

STAGE_WORDS = {
    Stage.DRAFT: _("拟稿"),
    Stage.REVIEW: _("待核稿"),
    Stage.SIGN: _("待签发"),
    Stage.SIGNED: _("已签发"),
    Stage.NUMBERED: _("已编号"),
    Stage.SEALED: _("已用印"),
    Stage.RETURNED: _("退回修改"),
    Stage.DISPATCHED: _("已核发"),
    Stage.RECALLED: _("已撤回"),
    Stage.VOID: _("作废"),
}

STANDING_WORDS = {
    Standing.DELIVERED: _("待签收"),
    Standing.SIGNED_IN: _("已签收"),
    Standing.REGISTERED: _("已登记"),
    Standing.IN_HAND: _("承办中"),
    Standing.CIRCULATING: _("传阅中"),
    Standing.ANSWERED: _("已答复"),
    Standing.CLOSED: _("已办结"),
    Standing.SENT_BACK: _("已退文"),
    Standing.RECALL_ASKED: _("来文机关请求撤回"),
    Standing.RECALLED: _("已被撤回"),
    Standing.LINKED: _("已并办"),
}

AGREEMENT_WORDS = {
    Agreement.ASKED: _("待会签"),
    Agreement.REFUSED: _("退回修改"),
    Agreement.AGREED: _("已会签"),
    Agreement.SEALED: _("已会签用印"),
    Agreement.HELD: _("主办机关已收回"),
    Agreement.DROPPED: _("不再会签"),
    Agreement.ISSUED: _("已发出"),
    Agreement.RECALLED: _("已撤回"),
}

CONSULT_WORDS = {"ask": _("送会签"), "add": _("增加会签机关"), "drop": _("减少会签机关"), "hold": _("收回会签")}

LABEL_WORDS = {Label.PUBLIC: _("公开"), Label.INTERNAL: _("内部"), Label.WORK_SECRET: _("工作秘密")}

URGENCY_WORDS = {Urgency.NONE: _("平件"), Urgency.URGENT: _("加急"), Urgency.FLASH: _("特急")}

ROLE_WORDS = {Role.TO: _("主送"), Role.CC: _("抄送"), Role.LEAD: _("主办"), Role.ASSIST: _("协办")}

OPENNESS_WORDS = {Openness.PROACTIVE: _("主动公开"), Openness.REQUEST: _("依申请公开"), Openness.WITHHELD: _("不予公开")}

CHANGE_WORDS = {Change.AMENDED: _("已被修改"), Change.REPEALED: _("已被废止"), Change.REVOKED: _("已被撤销"), Change.EXPIRED: _("已失效")}

CHANNEL_WORDS = {"system": _("网上"), "phone": _("电话"), "sms": _("短信"), "visit": _("当面"), "letter": _("书面")}

EXAMINATION_WORDS = {
    "not_ours": _("不属于本机关办理"),
    "routing": _("不符合行文规则"),
    "format": _("文种、格式不符合要求"),
    "not_consulted": _("涉及其他机关职权的事项未协商、会签"),
}

REASON_WORDS = {
    "not_ours": _("非本机关职权"),
    "routing": _("不符合行文规则"),
    "format": _("文种格式不符"),
    "not_consulted": _("未协商会签"),
    "annex_missing": _("缺附件"),
    "duplicate": _("重复来文"),
    "secret": _("涉密渠道错误"),
}

RECEIPT_WORDS = {"R2": _("签收"), "R2x": _("退文"), "R3": _("阅知"), "R4": _("办理反馈"), "R5": _("撤回确认")}

ACT_WORDS = {
    "documents.drafted": _("拟稿"),
    "documents.revised": _("修改"),
    "documents.submitted": _("送核"),
    "documents.returned": _("退回"),
    "documents.reviewed": _("核稿"),
    "documents.signed": _("签发"),
    "documents.numbered": _("编号"),
    "documents.sealed": _("用印"),
    "documents.dispatched": _("核发"),
    "documents.corrected": _("更正重发"),
    "documents.recalled": _("撤回"),
    "documents.voided": _("作废"),
    "documents.brought": _("导入数据包"),
    "documents.signed_for": _("签收"),
    "documents.sent_back": _("退文"),
    "documents.registered": _("登记"),
    "documents.assigned": _("分办"),
    "documents.read": _("阅知"),
    "documents.answered": _("办理反馈"),
    "documents.recall_confirmed": _("撤回确认"),
    "documents.closed": _("办结"),
    "documents.examined": _("初审"),
    "documents.proposed": _("拟办"),
    "documents.instructed": _("批示"),
    "documents.circulated": _("传阅"),
    "documents.seen": _("已阅"),
    "documents.urged": _("催办"),
    "documents.urge_answered": _("答复催办"),
    "documents.extension_asked": _("申请延期"),
    "documents.extension_decided": _("答复延期"),
    "documents.entrusted": _("转办"),
    "documents.linked": _("并办"),
    "documents.paper_arrived": _("纸质件到"),
    "documents.supervised": _("转督查"),
    "documents.correction_proposed": _("拟更正"),
    "documents.correction_dropped": _("放弃更正"),
    "documents.resent": _("补发"),
    "documents.printed": _("制作正本"),
    "documents.lapsed": _("效力变更"),
    "documents.consent_asked": _("送会签"),
    "documents.consent_urged": _("催办会签"),
    "documents.consented": _("会签"),
    "documents.consent_refused": _("退回会签"),
    "documents.consent_sealed": _("会签用印"),
}

OUT_TABS = {
    "drafts": (_("草稿"), (Stage.DRAFT,)),
    "review": (_("核稿中"), (Stage.REVIEW,)),
    "sign": (_("待签发"), (Stage.SIGN, Stage.SIGNED, Stage.NUMBERED, Stage.SEALED)),
    "issued": (_("已发出"), (Stage.DISPATCHED,)),
    "returned": (_("退回"), (Stage.RETURNED,)),
    "ended": (_("撤回和作废"), (Stage.RECALLED, Stage.VOID)),
}

JOINT_TABS = {
    "asked": (_("待会签"), (Agreement.ASKED,)),
    "agreed": (_("已会签"), (Agreement.AGREED, Agreement.SEALED)),
    "refused": (_("退回和收回"), (Agreement.REFUSED, Agreement.HELD)),
    "issued": (_("已发出"), (Agreement.ISSUED,)),
    "ended": (_("不再会签和撤回"), (Agreement.DROPPED, Agreement.RECALLED)),
}

IN_TABS = {
    "arrived": (_("待签收"), (Standing.DELIVERED,)),
    "hand": (_("在办"), (Standing.SIGNED_IN, Standing.REGISTERED, Standing.IN_HAND, Standing.ANSWERED, Standing.RECALL_ASKED, Standing.LINKED)),
    "read": (_("待阅"), (Standing.CIRCULATING,)),
    "done": (_("已办结"), (Standing.CLOSED,)),
    "back": (_("退文和撤回"), (Standing.SENT_BACK, Standing.RECALLED)),
}

NOTES = {
    "submit": _("已送核。"),
    "return": _("已退回。"),
    "review": _("已核稿，送签发。"),
    "sign": _("已签发。"),
    "number": _("已编号。"),
    "seal": _("已用印。"),
    "dispatch": _("已核发。"),
    "issue": _("已核发。"),
    "original": _("正本已制成，将随公文送到各收文机关。"),
    "recall": _("已撤回；已经签收的机关将收到撤回请求。"),
    "void": _("已作废。"),
    "sign_for": _("已签收。"),
    "register": _("已登记。"),
    "assign": _("已分办。"),
    "read": _("已阅。"),
    "answer": _("办理情况已反馈。"),
    "send_back": _("已退文。"),
    "close": _("已办结。"),
    "confirm_recall": _("已确认撤回。"),
    "sign_correction": _("更正件已签收。"),
    "examine": _("初审结果已记录。"),
    "propose": _("拟办意见已送领导。"),
    "instruct": _("已批示。"),
    "transcribe": _("批示已代录。"),
    "circulate": _("已开始传阅。"),
    "urge": _("已催办。"),
    "urge_all": _("已催办全部未签收的机关。"),
    "answer_urge": _("催办已答复。"),
    "extend": _("延期申请已送来文机关。"),
    "decide": _("延期申请已答复。"),
    "entrust": _("已转办。"),
    "link": _("已并办。"),
    "paper": _("纸质件已登记。"),
    "supervise": _("已转督查。"),
    "resend": _("已补发。"),
    "lapse": _("已告知各持有机关。"),
    "seal_correction": _("更正件已用印发出。"),
    "drop_correction": _("更正件已放弃。"),
    "consult": _("已送各机关会签。"),
    "add_issuer": _("已增加会签机关。"),
    "urge_issuer": _("已催办。"),
    "drop_issuer": _("已减少会签机关。"),
}

CONSENT_NOTES = {"consent": _("已会签，送主办机关。"), "refuse": _("已退回主办机关。"), "seal": _("已用印，送主办机关。")}

WORTH_WORDS = {
    Worth.SEALED: _("数据包导入，印章已核验：元数据、正文、附件和 PDF 都与发文机关的印章相符"),
    Worth.COPIED: _("数据包导入，未核验元数据：PDF 由本市节点签名，没有改动；元数据和附件没有印章证明"),
    Worth.UNVERIFIED: _("数据包导入，未核验：没有本市可以核验的印章，请与来文机关核实"),
}
"What is known of a document that came as a package."

STEPS_IN = (_("签收"), _("登记"), _("初审"), _("拟办批示"), _("承办"), _("答复"), _("办结"))
"The steps of §24 as a line."

ORDER = (
    (Stage.DRAFT, _("拟稿")),
    (Stage.REVIEW, _("核稿")),
    (Stage.SIGN, _("签发")),
    (Stage.SIGNED, _("编号")),
    (Stage.NUMBERED, _("用印")),
    (Stage.SEALED, _("核发")),
    (Stage.DISPATCHED, _("跟踪")),
)

HEADS = (_("R0 转发"), _("R1 送达"), _("R2 签收"), _("R3 阅知"), _("R4 办理反馈"), _("退文、撤回"))

TONES = {
    Stage.RETURNED: "warn",
    Stage.DISPATCHED: "good",
    Stage.RECALLED: "bad",
    Stage.VOID: "bad",
    Agreement.ASKED: "warn",
    Agreement.REFUSED: "bad",
    Agreement.AGREED: "good",
    Agreement.SEALED: "good",
    Agreement.HELD: "info",
    Agreement.ISSUED: "good",
    Standing.DELIVERED: "warn",
    Standing.CLOSED: "good",
    Standing.SENT_BACK: "bad",
    Standing.RECALL_ASKED: "bad",
    Standing.RECALLED: "bad",
}

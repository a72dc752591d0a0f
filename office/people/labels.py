"""The words for codes of the directory, as screens show them."""

from __future__ import annotations

from office.frame.words import _
from office.people.workflow import Account, Matter, Seal

CORRECTION_WORDS = {
    Matter.ASKED: _("待处理"),
    Matter.GRANTED: _("已更正"),
    Matter.REFUSED: _("未更正"),
    Matter.WITHDRAWN: _("已撤回"),
}
STATUS_WORDS = {"active": _("在岗"), "on_leave": _("休假"), "seconded": _("借调"), "retired": _("退休"), "suspended": _("停职")}
KIND_WORDS = {
    "government": _("政府"),
    "party": _("党委"),
    "congress": _("人大"),
    "cppcc": _("政协"),
    "supervision": _("纪检监察"),
    "court": _("法院"),
    "procuratorate": _("检察院"),
    "mass_org": _("群团"),
    "department": _("部门"),
    "section": _("内设机构"),
    "dispatched": _("派驻机构"),
    "public_institution": _("事业单位"),
    "zone_committee": _("管委会"),
    "enterprise": _("企业"),
}
TIER_WORDS = {"city": _("市"), "county": _("县"), "township": _("乡镇"), "station": _("站所")}
ROLE_WORDS = {
    "registry_clerk": _("收发员"),
    "confidential_clerk": _("机要员"),
    "reviewer": _("核稿人"),
    "signer": _("签发人"),
    "seal_keeper": _("印章管理员"),
    "supervisor": _("督查员"),
    "information_officer": _("信息员"),
    "duty_officer": _("值班员"),
    "duty_leader": _("带班领导"),
    "archivist": _("档案员"),
    "petition_officer": _("信访专员"),
    "hotline_handler": _("热线承办员"),
    "disclosure_reviewer": _("公开审查员"),
    "counter_clerk": _("窗口受理员"),
    "meeting_clerk": _("会务员"),
    "sysadmin": _("系统管理员"),
    "secadmin": _("安全管理员"),
    "auditor": _("审计管理员"),
}
ACCOUNT_WORDS = {Account.NONE: _("未开通"), Account.FIRST: _("初始口令未修改"), Account.LIVE: _("已开通")}
ACCOUNT_TONES = {Account.NONE: "", Account.FIRST: "warn", Account.LIVE: "good"}
SEAL_WORDS = {
    Seal.LIVE: _("在用"),
    Seal.SUSPENDED: _("已停用"),
    Seal.COLLECTED: _("已收回"),
    Seal.DESTROYED: _("已销毁"),
    Seal.REVOKED: _("已失效"),
}
SEAL_TONES = {Seal.LIVE: "good", Seal.SUSPENDED: "warn"}
SEAL_MOVES = {
    "hand": (_("移交印章"), _("移交事由"), _("移交给本机关现任的全部印章管理员，不在其列的不能再开启。")),
    "suspend": (_("停用印章"), _("停用原因"), ""),
    "resume": (_("恢复使用"), _("恢复原因"), ""),
    "collect": (_("收回印章"), _("收回原因"), _("收回后证书随即吊销，不能再恢复使用；以前盖的仍然有效。")),
    "destroy": (_("销毁印章"), _("销毁依据"), _("销毁后印章的钥匙不复存在。")),
}
"Label, what is asked for, what is confirmed."
TASK_WORDS = {"use": _("用印申请"), "make": _("制章申请")}
MATTER_WORDS = {
    Matter.ASKED: _("待审批"),
    Matter.GRANTED: _("已批准"),
    Matter.DONE: _("已办理"),
    Matter.REFUSED: _("未批准"),
    Matter.WITHDRAWN: _("已撤回申请"),
}
MATTER_TONES = {Matter.ASKED: "warn", Matter.GRANTED: "warn", Matter.DONE: "good", Matter.REFUSED: "bad"}
REASON_WORDS = {
    "superseded": _("已换发"),
    "lost": _("遗失"),
    "stolen": _("被盗"),
    "left": _("离岗"),
    "closed": _("机构撤销"),
    "wrong": _("签发有误"),
}
REFUSAL_WORDS = {
    "malformed": _("格式不对"),
    "too_large": _("太长"),
    "duplicate": _("重复"),
    "unknown_node": _("没有这个节点"),
    "unknown_organ": _("没有这个机构"),
    "unknown_post": _("没有这个岗位"),
    "unknown_person": _("没有这个人"),
    "unknown_kind": _("没有这种机构类型"),
    "unknown_tier": _("没有这个层级"),
    "unknown_role": _("没有这项职能"),
    "unknown_status": _("没有这种人员状态"),
    "bad_id": _("编码不合规"),
    "bad_text": _("名称不合规"),
    "bad_phone": _("电话号码不合规"),
    "bad_term": _("起止日期颠倒"),
    "bad_day": _("日期不合规"),
    "loop": _("隶属关系成环"),
    "login_taken": _("登录名已被使用"),
    "three_administrators": _("三员不能兼任"),
    "foreign_record": _("由其他节点维护"),
    "serves_elsewhere": _("只能为本节点的机构办事"),
    "roles_by_secadmin": _("职能由安全管理员授予"),
}

"""The first day, for the three kinds of people who sign in: what to do one after the other, each with the page where it is done."""

from __future__ import annotations

from dataclasses import dataclass

from office.frame.words import Text, _


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    title: Text
    words: Text
    url: str
    "The page where it is done."


@dataclass(frozen=True)
class Guide:
    """A first day."""

    title: Text
    about: Text
    steps: tuple[Step, ...]


PASSWORD = Step(_("换成自己的口令"), _("第一次登录会要求换口令；以后在个人设置里改。口令不告诉任何人，管理员也不会问。"), "/me")
TRUST = Step(_("让浏览器信任本网"), _("打电话核对指纹，装好根证书，以后打开全市任何一个节点都不再提示不安全。"), "/trust")
HOME = Step(_("每天先看首页"), _("等您办的事都在首页，最紧要的在最上面；左边的红字是件数。办完一件，它自己移到“最近已办”。"), "/")
SEEK = Step(_("找得到"), _("在任何一页按 / 键，输入两个字就能查。查到的只是您有权看的。"), "/search")
AWAY = Step(_("出差和请假"), _("登记去向，写明找谁；需要别人代办的，按岗位委托，到期自动收回。"), "/me")

GUIDES: dict[str, Guide] = {
    "clerk": Guide(
        _("文书的第一天"),
        _("收进来、发出去、办得完、找得到。断线时照常做，接通后自动补发。"),
        (
            PASSWORD,
            TRUST,
            HOME,
            Step(_("签收来文"), _("打开收文，先看是不是给本机关的、附件齐不齐；齐了签收，不齐就退文并写明原因。"), "/incoming"),
            Step(_("登记、分办"), _("登记为办件或阅件；办件送负责人批示，批示后交承办人，期限自动计算。"), "/incoming"),
            Step(
                _("拟稿送核"),
                _("填好标题、正文和主送机关；写到一半可以离开。右下角一列是不合写作规则的地方，每条都说明依据和改法。"),
                "/documents/new",
            ),
            Step(_("看送到哪里"), _("公文发出后，送达图写明每个机关谁签收、什么时候；失联的节点只说自何时起不明。"), "/documents?tab=issued"),
            Step(_("归档"), _("办结的公文自动列入待归档；核对保管期限，一次归完。"), "/archives"),
            SEEK,
            AWAY,
        ),
    ),
    "leader": Guide(
        _("领导的第一天"),
        _("批示、签发、会签都在首页办；看得见事情在谁手里，看不见谁在不在线。"),
        (
            PASSWORD,
            HOME,
            Step(_("批示来文"), _("打开办件，写意见，选承办人；常用的话存成短语，一点就有。"), "/incoming"),
            Step(_("签发"), _("看稿、看会签意见、看历次修改对照；同意就签发，不同意退回并写明理由。"), "/documents?tab=sign"),
            Step(_("看事情停在哪里"), _("按环节看停了多久，不按人排名。"), "/flows"),
            Step(_("会议"), _("审定会议安排，看谁来、谁请假、谁代会。"), "/meetings"),
            SEEK,
            AWAY,
        ),
    ),
    "administrator": Guide(
        _("管理员的第一天"),
        _("系统、安全、审计三个管理员分开，一人不能兼两个。"),
        (
            PASSWORD,
            TRUST,
            Step(_("系统管理员：机关、岗位和人员"), _("先建机关，再设岗位，再把人任到岗位；离任的及时结束任职。"), "/people"),
            Step(_("系统管理员：开账号"), _("发一次性口令，当面交给本人；忘记口令的核对本人后重发。"), "/people/accounts"),
            Step(_("安全管理员：给岗位授权"), _("权限给岗位，不给人；授权由安全管理员办，系统管理员办不了。"), "/people"),
            Step(_("审计管理员：看日志"), _("登录、查看、导出、改权限都有记录；每天核对一次链条，也可以随时核对。"), "/audit"),
            Step(_("备份"), _("每周做一次备份，放到另一台机器上，并且试着恢复一次：yiwang backup create。"), "/downloads"),
            Step(_("线路"), _("右上角的灯变黄，先看上级是不是通；数据不会丢，接通后自动补发。"), "/"),
        ),
    ),
}

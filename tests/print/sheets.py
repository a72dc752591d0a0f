"""The sheets that are printed and measured: one of each form, and a joint one that goes upward."""

from __future__ import annotations

from office.print.sheet import Annex, Attendance, Form, Paragraph, Seal, Sheet, paragraphs

SENTENCE = (
    "为贯彻落实市委、市政府关于防汛抗旱工作的决策部署，切实保障人民群众生命财产安全，现就加强全市防汛抗旱工作有关事项通知如下，"
    "请各县区、各乡镇结合实际认真抓好落实。联系人：㛃某某，电话：0543-1234567。"
)
PLAIN = "全市上下要认真学习领会会议精神把思想和行动统一到中央决策部署上来进一步增强责任感和紧迫感" * 3
TEXT = f"{PLAIN}\n一、提高认识\n{SENTENCE}\n（一）加强领导。{SENTENCE}\n1.落实责任。{SENTENCE}\n（1）{SENTENCE}\n" + f"{SENTENCE}\n" * 5
CITY = "滨州市人民政府"

FILE = Sheet(
    organs=(CITY,),
    copy="000001",
    secrecy="内部★1年",
    urgency="特急",
    number="滨政发〔2026〕15号",
    title="滨州市人民政府关于进一步加强全市防汛抗旱和安全生产工作的通知",
    to="各县（区）人民政府，市政府各部门",
    paragraphs=paragraphs(TEXT),
    annexes=(
        Annex(title="滨州市防汛抗旱责任分工表", paragraphs=(Paragraph(text=SENTENCE),)),
        Annex(title="滨州市防汛物资储备情况及调拨方案与各县区联系人名单等有关材料汇总"),
    ),
    date="2026年1月5日",
    seals=(Seal(name=CITY),),
    note="此件公开发布",
    cc="市委各部门，市人大常委会办公室，市政协办公室，市监委，市法院，市检察院，滨州军分区",
    printer="滨州市人民政府办公室",
    printed="2026年1月6日",
)
UPWARD = Sheet(
    organs=("滨州市财政局", "滨州市水利局", "滨州市应急管理局", "滨州市自然资源局"),
    number="滨财字〔2026〕3号",
    signers=("张三", "李四光", "王小明"),
    title="关于申请防汛专项资金的请示",
    to="滨州市人民政府",
    paragraphs=paragraphs(f"{SENTENCE}\n妥否，请批示。"),
    date="2026年11月22日",
    seals=tuple(Seal(name=name, diameter=42) for name in ("滨州市财政局", "滨州市水利局", "滨州市应急管理局", "滨州市自然资源局")),
    note="联系人：赵某，电话：0543-7654321",
    printer="滨州市财政局办公室",
    printed="2026年11月22日",
)
LETTER = Sheet(
    form=Form.LETTER,
    organs=(CITY,),
    urgency="加急",
    number="滨政函〔2026〕8号",
    title="关于商请协助做好水文监测工作的函",
    to="省水文中心",
    paragraphs=paragraphs(f"{SENTENCE}\n请予支持。"),
    date="2026年11月22日",
    cc="市水利局",
)
ORDER = Sheet(
    form=Form.ORDER,
    organs=(CITY,),
    number="第12号",
    paragraphs=paragraphs(SENTENCE),
    post="市长",
    signature="李某某",
    date="2026年11月22日",
    cc="各县区人民政府",
    printer="滨州市人民政府办公室",
    printed="2026年11月23日",
)
MINUTES = Sheet(
    form=Form.MINUTES,
    organs=(CITY,),
    mark="滨州市人民政府常务会议纪要",
    number="第3期",
    title="研究防汛工作",
    paragraphs=paragraphs(SENTENCE),
    attendance=(
        Attendance(label="出席", names="张某某（市政府）、李某（市水利局）、王某某（市应急管理局）、赵某某（市财政局）、钱某（市气象局）"),
        Attendance(label="请假", names="孙某"),
        Attendance(label="列席", names="周某、吴某"),
    ),
    cc="市委办公室",
    printer="滨州市人民政府办公室",
    printed="2026年11月23日",
)

"""Titles break at sense: no word, number or book title is torn, and the lines make a trapezoid or a diamond (section 7.3.1).

Every way of breaking into as few lines as the width allows (or one more) is weighed: what a break costs by the characters
around it, and what the outline costs. The words known here are those that titles of official documents are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from office.print.lines import CLOSING, OPENING, wide

KINDS = ("决议", "决定", "命令", "公报", "公告", "通告", "意见", "通知", "通报", "报告", "请示", "批复", "议案", "函", "纪要")
WORDS = frozenset(
    [
        "关于",
        "印发",
        "转发",
        "批转",
        "贯彻",
        "落实",
        "贯彻落实",
        "实施",
        "实施方案",
        "实施意见",
        "实施细则",
        "工作",
        "工作方案",
        "工作要点",
        "管理",
        "管理办法",
        "办法",
        "规定",
        "规划",
        "计划",
        "方案",
        "预案",
        "措施",
        "若干",
        "意见",
        "通知",
        "进一步",
        "加强",
        "推进",
        "推动",
        "促进",
        "完善",
        "健全",
        "深化",
        "改革",
        "开展",
        "做好",
        "切实",
        "建立",
        "建设",
        "提高",
        "提升",
        "优化",
        "规范",
        "加快",
        "全面",
        "全市",
        "全县",
        "全镇",
        "全区",
        "专项",
        "行动",
        "整治",
        "防汛",
        "抗旱",
        "防汛抗旱",
        "安全",
        "安全生产",
        "生产",
        "食品安全",
        "消防",
        "应急",
        "应急管理",
        "突发事件",
        "疫情",
        "防控",
        "环境",
        "环境保护",
        "生态",
        "生态环境",
        "污染",
        "防治",
        "大气",
        "水利",
        "农业",
        "农村",
        "乡村",
        "乡村振兴",
        "振兴",
        "经济",
        "社会",
        "社会保障",
        "发展",
        "高质量发展",
        "高质量",
        "服务",
        "政务",
        "政务服务",
        "政务公开",
        "信息",
        "信息化",
        "信息公开",
        "数字",
        "数据",
        "网络",
        "平台",
        "系统",
        "项目",
        "投资",
        "财政",
        "预算",
        "资金",
        "审计",
        "税收",
        "金融",
        "企业",
        "民营",
        "工业",
        "科技",
        "创新",
        "教育",
        "卫生",
        "健康",
        "医疗",
        "保险",
        "养老",
        "就业",
        "住房",
        "城市",
        "城乡",
        "城镇",
        "交通",
        "道路",
        "公路",
        "铁路",
        "土地",
        "自然资源",
        "规划局",
        "林业",
        "粮食",
        "能源",
        "电力",
        "旅游",
        "文化",
        "体育",
        "广播电视",
        "民政",
        "公安",
        "司法",
        "行政",
        "人民",
        "政府",
        "人民政府",
        "办公室",
        "委员会",
        "领导小组",
        "指挥部",
        "人大",
        "政协",
        "常务委员会",
        "组织",
        "人事",
        "干部",
        "考核",
        "督查",
        "检查",
        "调查",
        "调研",
        "统计",
        "普查",
        "会议",
        "座谈会",
        "表彰",
        "先进",
        "集体",
        "个人",
        "召开",
        "成立",
        "调整",
        "成员",
        "名单",
        "任免",
        "任命",
        "免去",
        "职务",
        "同志",
        "有关",
        "事项",
        "问题",
        "情况",
        "申请",
        "审批",
        "批准",
        "同意",
        "请求",
        "给予",
        "支持",
        "协助",
        "商请",
        "征求",
        "答复",
        "报送",
        "报告",
        "请示",
        "批复",
        "年度",
        "上半年",
        "下半年",
        "第一",
        "季度",
        "春节",
        "国庆",
        "假期",
        "值班",
        "值守",
        "期间",
        "重点",
        "任务",
        "分工",
        "责任",
        "制度",
        "机制",
        "体系",
        "条例",
        "法律",
        "法规",
        "法治",
        "依法",
        "公共",
        "资源",
        "交易",
        "采购",
        "招标",
        "监督",
        "监管",
        "执法",
        "综合",
    ]
)
_TORN, _PLAIN, _GOOD = 40.0, 6.0, 0.0
_SHAPE, _MORE = 1.0, 9.0


def broken(title: str, *, organs: Sequence[str], columns: int) -> list[str]:
    """The lines of a title at most ``columns`` full-width characters wide; the drafter's own line feeds are kept."""
    given = [line.strip() for line in title.splitlines() if line.strip()]
    if len(given) > 1:
        return [part for line in given for part in broken(line, organs=organs, columns=columns)]
    text = given[0] if given else ""
    if width(text) <= columns:
        return [text] if text else []
    least = int(-(-width(text) // columns))
    return min((_best(text, count, organs, columns) for count in (least, least + 1)), key=lambda found: found[0])[1]


def width(text: str) -> float:
    """Places a text takes."""
    return sum(1.0 if wide(char) else 0.5 for char in text)


def _best(text: str, count: int, organs: Sequence[str], columns: int) -> tuple[float, list[str]]:
    costs = {at: _cost(text, at, organs) for at in range(1, len(text))}
    places = sorted(costs, key=lambda at: costs[at])[: max(24 - 4 * count, 10)]
    best: tuple[float, list[str]] = (float("inf"), [])
    for cuts in combinations(sorted(places), count - 1):
        parts = [text[a:b] for a, b in zip((0, *cuts), (*cuts, len(text)), strict=True)]
        widths = [width(part) for part in parts]
        if max(widths) > columns:
            continue
        cost = sum(costs[at] for at in cuts) + _SHAPE * _outline(widths) + _MORE * count
        best = min(best, (cost, parts))
    if best[1] or count >= len(text):
        return best if best[1] else (float("inf"), [text])
    return _best(text, count + 1, organs, columns) if count < 12 else (float("inf"), _chopped(text, columns))


def _chopped(text: str, columns: int) -> list[str]:
    return [text[at : at + columns] for at in range(0, len(text), columns)]


def _cost(text: str, at: int, organs: Sequence[str]) -> float:
    """What it costs to break before character ``at``."""
    before, after = text[:at], text[at:]
    if after[0] in CLOSING or before[-1] in OPENING or after[0] in "的之" or not (wide(before[-1]) or wide(after[0])):
        return _TORN * 3
    if _inside(text, at) or before.count("《") > before.count("》") and len(after.partition("》")[0]) < 12:
        return _TORN
    if before.endswith("的") and after in KINDS:
        return _TORN / 2
    if before in organs or after.startswith("关于"):
        return _GOOD
    if before[-1] in "、》，　 " or after[0] in "《和及与暨":
        return _GOOD + 1
    known = any(before.endswith(word) for word in WORDS) + any(after.startswith(word) for word in WORDS)
    return _PLAIN - 2 * known


def _inside(text: str, at: int) -> bool:
    """Whether a known word spans the place."""
    for length in range(2, 8):
        for start in range(max(0, at - length + 1), at):
            if text[start : start + length] in WORDS and start + length > at:
                return True
    return text[at - 1].isdigit() and text[at] in "年月日号届次期％%" or text[at - 1] == "第"


def _outline(widths: list[float]) -> float:
    """Growing, shrinking or a diamond is good; an hourglass, a block or a very short line is not."""
    if len(widths) < 2:
        return 0.0
    steps = [b - a for a, b in zip(widths, widths[1:], strict=False)]
    turns = [a < 0 < b for a, b in zip(steps, steps[1:], strict=False)]
    spread = max(widths) - min(widths)
    return 12.0 * sum(turns) + (3.0 if spread < 1 else 0.0) + max(0.0, spread - 6) * 1.0 + max(0.0, 5 - min(widths)) * 3

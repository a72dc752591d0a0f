"""What the pages of the network show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from node import clock
from node.errors import NodeError
from node.requests import Seen
from office.frame.desk import Desk
from office.frame.words import Text, _
from office.network import service
from office.network.labels import ALARMS, LANE_WORDS, LINE_STATES, NODE_STATES, SEVERITIES, TIER_WORDS, Kind
from office.network.service import Spot

RANK = {"critical": 0, "warn": 1, "info": 2}
SPOT_STATES = {**LINE_STATES, "here": (_("本节点"), "good"), "heard": (_("有消息"), "good"), "silent": (_("情况不明"), "warn")}
MIB = 1 << 20


def alarms(desk: Desk, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Alarms for people, the gravest first: what, where, since when, why, and what to do."""
    rows = sorted(found["alarms"], key=lambda one: (RANK.get(one["severity"], 3), one["since"]))
    return [_alarm(desk, one) for one in rows]


def _alarm(desk: Desk, one: Mapping[str, Any]) -> dict[str, Any]:
    kind = ALARMS.get(one["kind"]) or Kind(one["kind"], _("这个版本不认识的告警。"), _("请看详情。"))
    word, tone = SEVERITIES.get(one["severity"], SEVERITIES["info"])
    node = desk.directory.node(one["subject"])
    organ = desk.directory.organ(one["subject"]) if node is None else None
    where = node.name if node is not None else organ.short_name if organ is not None else one["subject"]
    return {
        "kind": one["kind"],
        "severity": word,
        "tone": tone,
        "name": kind.name,
        "cause": kind.cause,
        "mend": kind.mend,
        "where": where,
        "node": node.id if node is not None else "",
        "since": dt.datetime.fromisoformat(one["since"]),
        "detail": one["detail"],
    }


def state(found: Mapping[str, Any]) -> tuple[Text | str, str]:
    """The node's own state in a word, and its tone."""
    return NODE_STATES.get(found["state"], (found["state"], "warn"))


def standing(one: Spot) -> tuple[Text, str]:
    """A node's state in a word, and its tone."""
    return SPOT_STATES[one.state]


def tally(spots: Sequence[Spot]) -> list[tuple[Text, int, str]]:
    """How many nodes are heard, cut off, and unknown."""
    tones = [standing(one)[1] for one in spots if not one.here]
    good, bad = tones.count("good"), tones.count("bad")
    return [(_("有消息"), good, "good"), (_("线路中断"), bad, "bad"), (_("情况不明"), len(tones) - good - bad, "warn")]


def own(found: Mapping[str, Any]) -> list[tuple[Text, Any]]:
    """Labels and values of the node itself."""
    disk, checkpoint, trust, queues = found["disk"], found["checkpoint"], found["trust"], found["queues"]
    waiting = queues.get("to_parent", 0) + queues.get("to_children", 0)
    checking = [(_("快照核验"), _checking(found["verification"]))] if found.get("verification") else []
    return [
        (_("版本"), found["version"]),
        (_("磁盘剩余"), _("{n} MiB").format(n=disk["free_bytes"] // MIB)),
        (_("市级检查点"), _age(checkpoint["age_s"])),
        (_("信任清单"), _age(trust["age_s"])),
        (_("与上级时钟相差"), _("{n} 毫秒").format(n=found["clock"]["skew_ms"])),
        (_("待发"), _("{n} 条").format(n=waiting)),
        (_("待取附件"), _("{n} 个").format(n=queues.get("blobs_wanted", 0))),
        (_("账本"), _("{n} 条").format(n=found.get("entries", "–"))),
        *checking,
    ]


def _checking(found: Mapping[str, Any]) -> Text | str:
    """How far the signatures of a snapshot were checked."""
    if found["false"]:
        return _("发现 {n} 条不实，已撤回").format(n=len(found["false"]))
    if found["state"] == "taking":
        return _("正在接收")
    if found["state"] == "checked":
        return _("{n} 条全部核验，签名属实").format(n=found["entries"])
    return _("正在核验：{n} / {all} 条").format(n=found["checked"], all=found["entries"])


def _age(seconds: int | None) -> Text | str:
    if seconds is None:
        return _("还没有")
    return str(_("{n} 秒前").format(n=seconds)) if seconds < 120 else str(_("{n} 分钟前").format(n=seconds // 60))


def processes(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The node's processes."""
    names = {
        "ledger": _("账本"),
        "courier": _("通信"),
        "portal": _("门户"),
        "clerk": _("后台"),
        "watch": _("看护"),
    }
    tones = {"up": (_("运行"), "good"), "starting": (_("正在启动"), "warn"), "hung": (_("停滞"), "bad"), "backoff": (_("没有运行"), "bad")}
    return [
        {
            "name": names.get(one["role"], one["role"]),
            "state": tones.get(one["state"], (one["state"], "warn")),
            "memory": one["rss_bytes"] // MIB if one["rss_bytes"] else None,
            "restarts": one["restarts"],
            "since": dt.datetime.fromisoformat(one["since"]),
        }
        for one in found["processes"]
    ]


def facts(one: Spot) -> list[tuple[Text, Any]]:
    """Labels and values of a node on the map."""
    return [
        (_("层级"), TIER_WORDS.get(one.node.tier, one.node.tier)),
        (_("编码"), one.node.code),
        (_("最后听到"), "" if one.here else one.heard or _("从未")),
        (_("证书到期"), service.ends(one.node).date().isoformat()),
    ]


def line(one: Spot) -> list[tuple[Text, Any]]:
    """Labels and values of the line to a neighbour."""
    about = one.line
    if about is None:
        return []
    lanes = about["out_backlog"].get("lanes", {})
    waiting = "，".join(f"{LANE_WORDS.get(lane, lane)} {count}" for lane, count in lanes.items() if count)
    return [
        (_("自"), dt.datetime.fromisoformat(about["since"]) if about.get("since") else ""),
        (_("原因"), about.get("reason") or ""),
        (_("往返"), _("{n} 毫秒").format(n=about["rtt_ms"]) if about.get("rtt_ms") is not None else ""),
        (_("时钟相差"), _("{n} 毫秒").format(n=about["skew_ms"]) if about.get("skew_ms") is not None else ""),
        (_("对方版本"), about.get("software") or ""),
        (_("待发"), _("{n} 条").format(n=one.waiting) + (f"（{waiting}）" if waiting else "")),
        (_("在途"), _("{n} KiB").format(n=about["out_backlog"]["bytes"] // 1024)),
    ]


def voices(about: Mapping[str, Any] | None) -> list[tuple[Text, Any]]:
    """Labels and values of how voices and pictures go to a neighbour."""
    if about is None:
        return []
    return [
        (_("状态"), _("已接通") if about["open"] else _("未接通")),
        (_("可用带宽"), _("{n} kbit/s").format(n=about["kbps"])),
        (_("收到"), _("{n} 路，{kbps} kbit/s").format(n=about["comes"], kbps=about["came_kbps"])),
        (_("发出"), _("{n} 路，丢包 {lost}").format(n=about["goes"], lost=f"{about['lost']:.1%}")),
    ]


def logs(found: Mapping[str, Any], node: str) -> list[dict[str, Any]]:
    """What is held here of a node's own logs."""
    words = {"open": (_("续写"), "good"), "closed": (_("已结束"), ""), "forked": (_("分叉"), "bad"), "revoked": (_("吊销"), "bad")}
    rows = [(row, one) for row in found["origins"] if row["origin"] == node for one in row["epochs"]]
    return [{"id": one["id"], "count": one["count"], "state": words.get(one["state"], (one["state"], ""))} for row, one in rows]


def lagging(found: Mapping[str, Any], node: str) -> int:
    """Entries of a node that are held here and wait for those they build on."""
    return sum(int(row.get("lag_entries") or 0) for row in found["origins"] if row["origin"] == node)


def forks(desk: Desk) -> list[dict[str, Any]]:
    """Forks that this node knows, the unsettled first."""
    try:
        rows = sorted(desk.ledger.forks(), key=lambda one: (one.settled > 0, -one.at))
    except NodeError:  # the page says so by the node's state
        return []
    return [_fork(desk, one) for one in rows]


def _fork(desk: Desk, one: Seen) -> dict[str, Any]:
    author, by = desk.directory.node(one.author), desk.directory.node(one.by)
    return {
        "name": service.name_of(one),
        "author": author.name if author is not None else one.author,
        "node": one.author,
        "seq": one.seq,
        "at": clock.from_ms(one.at),
        "settled": clock.from_ms(one.settled) if one.settled else None,
        "by": by.name if by is not None else one.by,
        "url": f"/network/forks/{service.name_of(one)}",
    }

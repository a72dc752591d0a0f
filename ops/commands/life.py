"""``yiwang run``, ``stop``, ``status`` and ``version``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from node.errors import NodeError, Unreachable
from node.settings import Settings
from ops import words
from ops.answer import Answer, Call
from ops.words import _

READY_SECONDS = 60.0


@click.command(help="启动本节点的全部进程。")
@click.option("--foreground", is_flag=True, help="留在前台，直到收到停止信号。")
@click.pass_obj
def run(call: Call, foreground: bool) -> Answer:
    """Start the node; without ``--foreground``, answer when it is ready."""
    from ops import supervise

    settings = call.settings()
    if supervise.alive(settings.home):
        return _started(call, settings, _("已在运行"))
    supervise.prepare(settings)
    child = supervise.start(settings.home, foreground=foreground)
    if child is None:
        return _started(call, settings, _("已启动"))
    clean = supervise.hold(settings.home, child)
    return Answer(fields={"clean": clean}, exit=0 if clean else 1)


def _settled(found: Mapping[str, Any]) -> bool:
    """Whether a start has come to its end: the node is ready, or waits for others or for a person."""
    return found["state"] in ("ready", "fenced", "quarantined") or (found["state"] == "recovering" and not found.get("building"))


def _started(call: Call, settings: Settings, text: str) -> Answer:
    from ops import status as look

    found = look.wait(settings, [_settled], call.wait(READY_SECONDS))
    if found is None:
        seen = look.collect(settings)
        trouble = Unreachable(_("节点尚未就绪：{why}").format(why=", ".join(seen["reasons"])), code="not_ready", hint=str(settings.path("log")))
        return Answer(fields={"state": seen["state"], "processes": seen["processes"]}, error=trouble)
    return Answer(fields={"state": found["state"], "processes": found["processes"]}, text=f"{settings.name}：{text}")


@click.command(help="有序停止本节点。")
@click.pass_obj
def stop(call: Call) -> Answer:
    """Stop the node's processes in order."""
    from ops import supervise

    settings = call.settings()
    if not supervise.alive(settings.home):
        return Answer(fields={"stopped": []}, text=_("{name} 没有在运行").format(name=settings.name))
    ended = supervise.stop(settings.home)
    unclean = [role for role, clean in ended.items() if not clean]
    return Answer(fields={"stopped": list(ended), "unclean": unclean}, text=_("{name} 已停止").format(name=settings.name))


@click.command(help="本节点的状态；--wait 等到条件成立。")
@click.option("--wait", "wanted", default="", help="ready、idle、synced、state=…、link=…:up、head=…>=N、alarm=…、version>=…，用逗号分隔。")
@click.pass_obj
def status(call: Call, wanted: str) -> Answer:
    """What the node says of itself; works when parts of it are down."""
    from ops import status as look

    settings = call.settings()
    conditions = [look.condition(text) for text in wanted.split(",") if text]
    if not conditions:
        found = look.collect(settings)
        return Answer(fields=found, text=look.prose(settings, found, words.spoken()))
    met = look.wait(settings, conditions, call.wait(60.0))
    if met is not None:
        return Answer(fields=met, text=look.prose(settings, met, words.spoken()))
    try:
        seen = dict(look.collect(settings))
    except NodeError:
        seen = {}
    return Answer(fields=seen, exit=1, text=_("等待的条件没有成立：{wanted}").format(wanted=wanted))


@click.command(help="程序版本、日志格式、协议和算法。")
@click.pass_obj
def version(call: Call) -> Answer:
    """What this build is and speaks."""
    from ops.build import about

    begun = time.monotonic()
    found = about()
    return Answer(fields=found | {"took_ms": round((time.monotonic() - begun) * 1000)}, text=f"yiwang {found['version']} ({found['build']})")

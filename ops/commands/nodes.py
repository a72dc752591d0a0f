"""``yiwang node``: a home comes to be (init), a superior hands out tokens (token)."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import click

from node import clock
from node.errors import Invalid, Misconfigured
from node.settings import TIERS, Settings
from ops.answer import Answer, Call
from ops.words import _

_FILE = click.Path(dir_okay=False, path_type=Path)
_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.group(help="建立节点，办理入网。")
def node() -> None:
    """The family of commands."""


def address(text: str, option: str, *, tcp: bool = False) -> str:
    """An address as it was given, checked; empty stays empty."""
    bare = text.removeprefix("tcp://")
    host, _sep, port = bare.rpartition(":")
    wanted = "tcp://IP:PORT" if tcp else "IP:PORT"
    if not text or (host and port.isdigit() and 0 < int(port) < 65536 and text.startswith("tcp://") == tcp):
        return text
    raise Misconfigured(f"{option} is {text!r}, it should be {wanted}", code="usage")


def span(text: str) -> dt.timedelta:
    """A length of time such as 30m, 1h or 7d."""
    found = _SPAN.fullmatch(text)
    if not found or not int(found[1]) or int(found[1]) > 100_000:
        raise Misconfigured(f"{text!r} is no length of time", hint="30m, 1h, 7d", code="usage")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


@node.command(help="建立节点：生成钥匙；县、乡镇节点持令牌入网。")
@click.option("--tier", type=click.Choice(TIERS), required=True, help="层级。")
@click.option("--name", required=True, help="名称。")
@click.option("--code", required=True, help="行政区划代码，或由市里指定。")
@click.option("--listen", default="", help="等候下级的地址 tcp://IP:PORT。")
@click.option("--web", default="", help="门户地址 IP:PORT（HTTPS）。")
@click.option("--public", default="", help="公众网站地址 IP:PORT。")
@click.option("--media", default="", help="音视频地址 IP:PORT。")
@click.option("--parent", default="", help="上级地址 tcp://IP:PORT。")
@click.option("--parent-media", default="", help="上级音视频地址 IP:PORT；不填为上级地址的主机、本节点音视频的端口。")
@click.option("--parent-pin", default="", help="上级钥匙指纹。")
@click.option("--join", "token", default="", help="上级发的令牌。")
@click.option("--storage", default="sqlite", help="sqlite，或 postgresql:// 地址。")
@click.option("--roles", default="", help="只运行这些进程，用逗号分隔。")
@click.option("--profile", type=click.Choice(["", "acceptance"]), default="", help="acceptance 只缩短各种周期。")
@click.option("--export-keys", type=click.Path(file_okay=False, path_type=Path), help="把钥匙复制到这个目录（仅 acceptance）。")
@click.pass_obj
def init(
    call: Call,
    /,
    tier: str,
    name: str,
    code: str,
    parent: str,
    parent_media: str,
    parent_pin: str,
    token: str,
    roles: str,
    export_keys: Path | None,
    **about: str,
) -> Answer:
    """Make the home of one node; a city founds itself, every other node is admitted by the one above."""
    from node import enrol
    from ops import supervise

    if call.home is None:
        raise Misconfigured("no home was named", hint="--home DIR", code="usage")
    if (tier == "city") == bool(parent and token):
        raise Misconfigured("a city has no --parent; every other node names --parent and --join", code="usage")
    if export_keys and about["profile"] != "acceptance":
        raise Misconfigured("--export-keys goes with --profile acceptance only", code="usage")
    checked: dict[str, Any] = {key: address(about[key], f"--{key}", tcp=key == "listen") for key in ("listen", "web", "public", "media")}
    wish = Settings(
        id="", city="", tier=tier, name=name, code=code, storage=about["storage"], profile=about["profile"], roles=_roles(roles), **checked
    )
    supervise.programs(wish)
    media_above = address(parent_media, "--parent-media")
    made = _found(call, wish) if tier == "city" else _join(call, wish, address(parent, "--parent", tcp=True), token, parent_pin, media_above)
    exported = enrol.export_keys(made, export_keys) if export_keys else None
    supervise.prepare(made)
    return Answer(fields=describe(made) | {"keys": {key: str(file) for key, file in exported.items()} if exported else None}, text=_story(made))


def _roles(text: str) -> tuple[str, ...]:
    return tuple(role for role in text.split(",") if role)


def _found(call: Call, wish: Settings) -> Settings:
    from node import enrol

    assert call.home is not None
    return enrol.found_city(call.home, wish, clock.now())


def _join(call: Call, wish: Settings, endpoint: str, token: str, pin: str, media: str) -> Settings:
    from node import enrol, keys
    from sync.knock import knock

    assert call.home is not None
    asked = enrol.request(call.home, wish, token)
    secret = keys.read_secret(call.home / "keys/curve.key").strip()
    answer = knock(endpoint, token, asked, secret=secret, timeout=call.wait(30.0))
    return enrol.finish(call.home, wish, token, endpoint, answer, clock.now(), pin=pin, media=media)


def describe(made: Settings) -> dict[str, object]:
    """What ``node init`` answers about a home."""
    from node import certs, enrol

    root = certs.load(made.path("certs/root.pem").read_bytes())
    return {
        "node": made.id,
        "tier": made.tier,
        "name": made.name,
        "code": made.code,
        "identity_fpr": enrol.own_pin(made),
        "curve_public": enrol.curve_public(made),
        "root_fpr": "sha256:" + certs.fingerprint(root).hex(),
        "parent": made.parent.id if made.parent else None,
        "listen": made.listen or None,
        "web": made.web or None,
        "public": made.public or None,
    }


def _story(made: Settings) -> str:
    return _("{name} 已建立，节点号 {id}。下一步：yiwang --home {home} run").format(name=made.name, id=made.id, home=made.home)


@node.command("confirm-restore", help="运维人员确认：本节点虽未联系到上级（或曾发现另一份副本），仍可办理。")
@click.pass_obj
def confirm_restore(call: Call) -> Answer:
    """The operator's word that a node which waits may write; while it does not run, it is kept for its next start."""
    from node import standing
    from node.client import Ledger
    from ops import supervise

    settings = call.settings()
    if supervise.alive(settings.home):
        with Ledger(settings, timeout=call.wait(10.0)) as ledger:
            before = ledger.confirm()
    else:
        held = standing.load(settings)
        standing.save(settings, standing.confirmed(held))
        before = held.state
    return Answer(fields={"was": before, "state": "ready"}, text=_("{name} 可以办理了").format(name=settings.name))


_PHRASE = click.option("--passphrase-file", "phrase", type=_FILE, required=True, help="封存钥匙的口令所在的文件。")


@node.command("export-identity", help="把本节点的身份（设置、钥匙、证书、人员钥匙）用口令封存成一个文件，留待机器损毁时重建。")
@click.option("--file", type=_FILE, required=True, help="要写的文件。")
@_PHRASE
@click.pass_obj
def export_identity(call: Call, file: Path, phrase: Path) -> Answer:
    """Write what makes this node itself, under a passphrase."""
    from ops import backup, vault

    found = backup.export_identity(call.settings(), file, vault.passphrase(phrase))
    return Answer(fields=found, text=_("身份已封存在 {file}；口令请另处保管").format(**found))


@node.command("import-identity", help="在空目录里用封存的身份重建节点；内容由上下级送回。")
@click.option("--file", type=_FILE, required=True, help="封存的身份。")
@_PHRASE
@click.option("--storage", default="", help="日志改存到别处：sqlite，或 postgresql:// 地址。")
@click.pass_obj
def import_identity(call: Call, file: Path, phrase: Path, storage: str) -> Answer:
    """Build a home that is this node again; what neighbours hold of it comes back when it starts."""
    from ops import backup, supervise, vault

    if call.home is None:
        raise Misconfigured("no home was named", hint="--home DIR", code="usage")
    made = backup.import_identity(file, call.home, vault.passphrase(phrase), storage=storage)
    supervise.prepare(made)
    text = _("{name} 已重建，启动后由上下级送回内容；只在本机的内容只有备份里有。下一步：yiwang --home {home} run").format(
        name=made.name, home=made.home
    )
    return Answer(fields={"restored": made.id, "tier": made.tier, "name": made.name, "state": "recovering"}, text=text)


@node.command(help="给一个下级节点发一次性入网令牌（在上级节点上运行）。")
@click.option("--tier", type=click.Choice(TIERS[1:]), required=True, help="下级的层级。")
@click.option("--name", required=True, help="下级的名称。")
@click.option("--code", required=True, help="下级的代码。")
@click.option("--ttl", default="1h", help="有效期，例如 30m、1h、7d。")
@click.pass_obj
def token(call: Call, tier: str, name: str, code: str, ttl: str) -> Answer:
    """Hand out a token for one new node below this one."""
    from node import enrol

    lasts = span(ttl)
    if lasts > dt.timedelta(days=30):
        raise Invalid("a token lasts at most 30 days")
    settings = call.settings()
    made = enrol.new_token(settings, tier, name, code, clock.now(), lasts)
    return Answer(fields={"join": made, "parent_pin": enrol.own_pin(settings)})

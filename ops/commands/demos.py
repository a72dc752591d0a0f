"""``yiwang demo``: make, play, cut, heal and end a network on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from ops.answer import Answer, Call
from ops.words import _

FOLDER = click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), help="演示目录。")


@click.group(help="在本机演示一张网。")
def demo() -> None:
    """The family of commands."""


@demo.command(help="建立并启动演示网；已有的接着用。")
@FOLDER
@click.option("--counties", default=1, help="县的个数。")
@click.option("--townships", default=2, help="乡镇总数。")
@click.option("--courier-only", is_flag=True, help="只运行日志和传输，没有门户。")
@click.option("--web", type=click.IntRange(0, 65000), default=0, help="门户的第一个端口；不指定则自动选。")
@click.option("--listen", type=click.IntRange(0, 65000), default=0, help="传输的第一个端口；不指定则自动选。")
@click.pass_obj
def up(call: Call, folder: Path, counties: int, townships: int, courier_only: bool, web: int, listen: int) -> Answer:
    """Make and start what is not there yet."""
    from ops import demo as net

    folder = folder.absolute()
    progress = net.Progress(quiet=call.json)
    if (folder / "demo.json").exists():
        network = net.load(folder)
    else:
        network = net.plan(folder, counties, townships, courier_only=courier_only, web=web, listen=listen)
    net.up(network, progress)
    return Answer(fields=network.told(), text=net.prose(network))


@demo.command(help="在终端演一遍主要故事；节点继续运行。")
@FOLDER
@click.pass_obj
def story(call: Call, folder: Path) -> Answer:
    """Play the main story; every line shown is read back from the nodes."""
    from ops import demo as net
    from ops import story as play

    network = net.load(folder.absolute())
    found = play.tell(network, net.Progress(quiet=call.json))
    return Answer(fields=found, text=net.prose(network))


@demo.command(help="停止演示网。")
@FOLDER
@click.pass_obj
def down(call: Call, folder: Path) -> Answer:
    """Stop all nodes and lines."""
    from ops import demo as net

    names = net.down(folder.absolute(), net.Progress(quiet=call.json))
    return Answer(fields={"stopped": names}, text=_("演示网已停止"))


@demo.command(help="切断一个节点到上级的线路。")
@FOLDER
@click.argument("name")
def cut(folder: Path, name: str) -> Answer:
    """Cut the line between a node and the one above it."""
    from ops import demo as net

    net.cut(net.load(folder.absolute()), name, whole=False)
    return Answer(fields={"line": name, "whole": False}, text=_("{name} 到上级的线路已切断").format(name=name))


@demo.command(help="接通一个节点到上级的线路。")
@FOLDER
@click.argument("name")
def heal(folder: Path, name: str) -> Answer:
    """Make a line whole again."""
    from ops import demo as net

    net.cut(net.load(folder.absolute()), name, whole=True)
    return Answer(fields={"line": name, "whole": True}, text=_("{name} 到上级的线路已接通").format(name=name))

"""``yiwang wire``: frames of one's own on a line, for those who test what nodes make of them."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import click

from node import certs
from node.errors import Invalid, Misconfigured, NodeError
from ops.answer import Call, Lines, problem
from ops.commands.entries import data

TURN = 0.05
"Seconds for which the line is heard before the input is looked at again."
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(help="以一个节点的钥匙在线路上说话。")
def wire() -> None:
    """The family of commands."""


@wire.command(help="接通一个节点：标准输入每行一个帧，标准输出每行一个收到的帧。")
@click.option("--to", "endpoint", required=True, help="tcp://IP:PORT。")
@click.option("--curve-key", type=FILE, required=True, help="自己的线路钥匙（z85）。")
@click.option("--cert", "certificate", type=FILE, required=True, help="自己的证书链（PEM）。")
@click.option("--server-key", default="", help="对方线路公钥（z85）；不写则取 --home 的上级。")
@click.option("--as", "role", type=click.Choice(["node", "user"]), default="node", help="以节点或人的证书。")
@click.option("--linger", type=float, default=1.0, help="输入结束后再听几秒。")
@click.option("--no-hello", is_flag=True, help="不代为问候。")
@click.option("--no-beats", is_flag=True, help="不代发心跳。")
@click.pass_obj
def connect(call: Call, /, endpoint: str, curve_key: Path, certificate: Path, server_key: str, role: str, linger: float, **but: bool) -> Lines:
    """Dial, greet, send and hear; ends when the input has ended, or with --timeout."""
    from ops.cli import alarm
    from ops.wire import Wire

    if call.timeout is None:
        alarm(0)
    if not server_key:
        above = call.settings().parent if call.home else None
        if above is None:
            raise Misconfigured("--server-key is missing", hint="curve_public of the node that is called", code="usage")
        server_key = above.curve
    chain = tuple(certs.der(one) for one in certs.load_chain(data(str(certificate))))
    if chain and certs.subject(certs.load(chain[0])).kind != {"node": "node", "user": "person"}[role]:
        raise Misconfigured(f"the certificate is not that of a {role}", code="usage")
    line = Wire(endpoint, secret=data(str(curve_key)).strip(), server=server_key.encode(), chain=chain, beats=not but["no_beats"])
    return Lines(rows=_talk(call, line, linger, greet=not but["no_hello"]))


def _talk(call: Call, line: Any, linger: float, *, greet: bool) -> Iterator[dict[str, Any]]:
    orders: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        if greet:
            yield line.greet(call.wait(30.0))
        until = float("inf")
        while call.wait(1.0) > 0.2 and time.monotonic() < until:
            try:
                text = orders.get_nowait()
            except Empty:
                yield from line.heard(TURN)
                continue
            if not text:
                until = time.monotonic() + linger
            elif text.strip():
                yield _done(line, text)
    finally:
        line.close()


def _done(line: Any, text: str) -> dict[str, Any]:
    """What came of one line of input; a wrong one is told and the next one is read."""
    try:
        return dict(line.say(json.loads(text)))
    except NodeError as e:
        return {"event": "refused", "error": problem(e)}
    except (ValueError, KeyError, TypeError) as e:
        return {"event": "refused", "error": problem(Invalid(f"not an order: {e}", code="notation"))}


def _listen(orders: SimpleQueue[str]) -> None:
    for text in sys.stdin:
        orders.put(text)
    orders.put("")

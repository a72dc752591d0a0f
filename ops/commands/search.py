"""``yiwang search``: what can be found on this node, by a person or by whoever runs the machine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from ops.answer import Answer, Call
from ops.words import _

VALIDITIES = ("", "force", "pending", "recalled", "void", "amended", "repealed", "revoked", "expired")
DAY = click.DateTime(["%Y-%m-%d"])


@click.command(help="查询全文和字段，最新的在最前。不指定人员时，按本节点文书能看到的范围查。")
@click.argument("words", nargs=-1)
@click.option("--as", "user", default="", help="以谁的身份：人员编号或登录名。")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="本人的钥匙文件。")
@click.option("--password-file", "password", type=click.Path(dir_okay=False, path_type=Path), help="装有本人口令的文件。")
@click.option("--number", default="", help="发文字号。")
@click.option("--organ", default="", help="发文机关的编号或名称。")
@click.option("--kind", default="", help="文种编号。")
@click.option("--direction", type=click.Choice(["", "out", "in", "own"]), default="", help="发文、收文或内部。")
@click.option(
    "--validity",
    type=click.Choice(VALIDITIES),
    default="",
    help="有效性。",
)
@click.option("--from", "since", type=DAY, help="自哪一天。")
@click.option("--to", "until", type=DAY, help="至哪一天（含）。")
@click.option("--limit", type=click.IntRange(1, 100), default=20, help="最多几件。")
@click.pass_obj
def search(
    call: Call,
    /,
    words: tuple[str, ...],
    user: str,
    key: Path | None,
    password: Path | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    limit: int,
    **fields: str,
) -> Answer:
    """The newest finds, as the page shows them."""
    from office.search import pages, service
    from ops import seat

    wish = service.Wish(words=" ".join(words), since=since.date() if since else None, until=until.date() if until else None, **fields)
    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password) if user else seat.operator(office)
        found = service.search(desk, wish, limit=limit)
        said = pages.told(wish, found)
    lines = [_line(item) for item in said["items"]] or [_("没有找到。")]
    return Answer(fields={**said, "items": [_plain(item) for item in said["items"]]}, text="\n".join(lines))


def _line(item: dict[str, Any]) -> str:
    return "  ".join(filter(None, (f"{item['at']:%Y-%m-%d}", item["number"], item["title"], item["issuer"], item["url"])))


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "at": item["at"].isoformat(), "directions": list(item["directions"]), "also": list(item["also"])}

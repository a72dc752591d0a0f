"""``yiwang dir`` and ``yiwang user``: the directory as lines, people's keys and first passwords, seals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.errors import Invalid, Missing
from ops.answer import Answer, Call, Lines

if TYPE_CHECKING:
    from office.frame.office import Office

WHO = (
    click.option("--as", "user", required=True, help="人员编号或登录名。"),
    click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="本人的钥匙文件。"),
    click.option("--password-file", "password", type=click.Path(dir_okay=False, path_type=Path), help="写有本人口令的文件，用来代替钥匙文件。"),
)


def who(command: Any) -> Any:
    """Add the options that say who acts."""
    for option in reversed(WHO):
        command = option(command)
    return command


@click.group(help="机构、岗位、人员名录。")
def directory() -> None:
    """The family of commands."""


@directory.command("import", help="导入名录：每行一个 JSON 对象；不属于本节点的行只作参考。")
@click.option("--file", "source", type=click.Path(dir_okay=False, path_type=Path), required=True, help="名录文件。")
@click.option("--dry-run", is_flag=True, help="只看会有什么变化。")
@click.pass_obj
def bring_in(call: Call, source: Path, dry_run: bool) -> Answer:
    """Write what a file of lines has new, signed by the node; wrong lines are told and leave the others alone."""
    from node.directory import lines, writing
    from ops import seat

    with seat.office(call.settings()) as office:
        writing.introduce(office.ledger, office.settings, office.directory)
        office.directory.refresh()
        plan = lines.plan(office.directory, _read(source))
        if not dry_run:
            writing.write(office.ledger, office.settings, office.directory, plan.contents)
    refused = [{"line": one.line, "code": one.code, "detail": one.detail} for one in plan.refused]
    counts = {"created": len(plan.created), "changed": len(plan.changed), "same": plan.same, "elsewhere": plan.elsewhere}
    return Answer(fields=counts | {"refused": refused, "dry_run": dry_run})


def _read(source: Path) -> list[str]:
    try:
        return source.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise Missing(f"there is no {source}") from None
    except OSError as e:
        raise Invalid(f"{source}: {e.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{source} is not UTF-8") from None


@directory.command("export", help="导出名录，每行一个 JSON 对象。")
@click.option("--own", is_flag=True, help="只导出本节点维护的部分。")
@click.pass_obj
def bring_out(call: Call, own: bool) -> Lines:
    """The directory as lines that import reads back."""
    from node.directory import lines
    from ops import seat

    settings = call.settings()

    def rows() -> Iterator[dict[str, Any]]:
        with seat.office(settings) as office:
            for line in lines.dump(office.directory, node=settings.id if own else ""):
                yield json.loads(line)

    return Lines(rows=rows(), plain=True)


@directory.command(help="查一个机构、岗位、人员或节点。")
@click.argument("ident", metavar="ID")
@click.pass_obj
def get(call: Call, ident: str) -> Answer:
    """One record of the directory."""
    import msgspec

    from ops import seat

    with seat.office(call.settings()) as office:
        book = office.directory
        book.refresh()
        for kind, found in (("organ", book.organ(ident)), ("post", book.post(ident)), ("person", book.person(ident)), ("node", book.node(ident))):
            if found is not None:
                return Answer(fields={"type": kind} | {f: msgspec.to_builtins(getattr(found, f)) for f in found.__struct_fields__ if f not in _BYTES})
    raise Missing(f"the directory has nothing called {ident[:64]}")


_BYTES = ("chain", "storage_key", "pinyin")


@click.group(help="人员的钥匙和证书。")
def user() -> None:
    """The family of commands."""


@user.command(help="为人员生成自己的钥匙文件，并由本节点签发证书。")
@click.option("--user", "users", multiple=True, required=True, help="人员编号或登录名。")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="钥匙文件；多名人员时是目录。")
@click.pass_obj
def enroll(call: Call, users: tuple[str, ...], out: Path) -> Answer:
    """Make a person's own key, certified by this node; the key leaves nowhere but into the file."""
    from ops import accounts, seat

    with seat.office(call.settings()) as office:
        files = [out if len(users) == 1 else out / f"{_person(office, one)}.pem" for one in users]
        rows = [accounts.enroll(office, _person(office, one), file) for one, file in zip(users, files, strict=True)]
    return Answer(fields=rows[0] if len(rows) == 1 else {"users": rows})


def _person(office: Office, user: str) -> str:
    from ops import seat

    return seat.person_of(office, user)


@user.command(help="发放登录口令；口令只显示这一次。")
@click.option("--user", "users", multiple=True, required=True, help="人员编号或登录名。")
@click.option("--settled", is_flag=True, help="不要求首次登录时修改口令。")
@click.pass_obj
def password(call: Call, users: tuple[str, ...], settled: bool) -> Answer:
    """Give people passwords; former keys behind passwords are revoked."""
    from ops import accounts, seat

    with seat.office(call.settings()) as office:
        rows = [accounts.password(office, _person(office, one), first=not settled) for one in users]
    return Answer(fields={"users": rows})


@user.command(help="为机构制发电子印章（系统管理员办理）。")
@click.option("--organ", "organs", multiple=True, required=True, help="机构编号。")
@who
@click.pass_obj
def seal(call: Call, organs: tuple[str, ...], user: str, key: Path | None, password: Path | None) -> Answer:
    """Make seals for organs; their keepers must have passwords already."""
    from office.people import service
    from ops import seat

    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password)
        rows = [{"organ": organ, "seal": service.issue_seal(desk, organ).id} for organ in organs]
    return Answer(fields={"seals": rows})

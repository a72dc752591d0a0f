"""``yiwang send``, ``inbox``, ``doc``, ``receipt`` and ``receipts``: the documents room's verbs on the command line."""

from __future__ import annotations

import contextlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from node.errors import Invalid, Misconfigured, Missing, Unreachable
from ops.answer import Answer, Call, Lines
from ops.commands.directory import who

if TYPE_CHECKING:
    from office.documents.entries import Paper
    from office.frame.desk import Desk

PAPER = (
    click.option("--to", "to", default="", help="主送机关或通讯组的编号，用逗号分隔。"),
    click.option("--cc", default="", help="抄送机关编号，用逗号分隔。"),
    click.option("--kind", required=True, help="文种：十五种之一，或 doc、task、petition-reply。"),
    click.option("--title", required=True, help="标题。"),
    click.option("--body", type=click.Path(dir_okay=False, path_type=Path), help="正文文件（UTF-8）。"),
    click.option("--attach", "attach", multiple=True, type=click.Path(dir_okay=False, path_type=Path), help="附件。"),
    click.option("--label", default="internal", help="标识：public、internal、work-secret。"),
    click.option("--urgency", default="normal", help="紧急程度：normal、urgent、flash。"),
    click.option("--urgency-reason", default="", help="特急的理由。"),
    click.option("--deadline", default="", help="时限：RFC 3339 时刻，或 5wd、24h。"),
    click.option("--answer", "reply_required", is_flag=True, help="要求答复。"),
    click.option("--reply-to", default="", help="答复哪一件公文。"),
    click.option("--from", "organ", default="", help="发文机关；不指定则为本人有权签发的第一个机关。"),
)


def paper(command: Any) -> Any:
    """Add the options that say what a document is."""
    for option in reversed(PAPER):
        command = option(command)
    return command


def _split(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _text(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8") if file else ""
    except OSError as e:
        raise Misconfigured(f"cannot read {file}: {e.strerror}", code="usage") from None
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not UTF-8") from None


def _paper(desk: Desk, said: dict[str, Any], *, prefix: str = "") -> Paper:
    """The paper that the options describe, its files stored."""
    from office.documents import service

    known = {listing.id for listing in desk.directory.lists()}
    named = _split(said["to"])
    asked = service.Post(
        to=[one for one in named if one not in known],
        lists=[one for one in named if one in known],
        cc=_split(said["cc"]),
        kind=said["kind"],
        title=said["title"],
        text=_text(said["body"]),
        organ=said["organ"],
        label=said["label"],
        urgency=said["urgency"],
        urgency_reason=said["urgency_reason"] or (said["title"] if said["urgency"] == "flash" else ""),
        deadline=said["deadline"],
        reply_required=said["reply_required"],
        reply_to=said["reply_to"],
        prefix=prefix,
    )
    return msgspec.structs.replace(service.paper_of(desk, asked), annexes=tuple(_annex(desk, file) for file in said["attach"]))


def _annex(desk: Desk, file: Path) -> Any:
    from office.documents import service

    try:
        with file.open("rb") as stream:
            return service.attach(desk, file.name, mimetypes.guess_type(file.name)[0] or "", stream)
    except OSError as e:
        raise Misconfigured(f"cannot read {file}: {e.strerror}", code="usage") from None


@click.command(help="发文：拟稿、签发、编号、核发一步办完，限有签发权的人。")
@who
@paper
@click.option("--prefix", default=None, help="机关代字；不指定则用本机关的第一个，空则不编号。")
@click.option("--id", "doc", default="", help="公文编号（UUID）；重复提交同一编号得到同一结果。")
@click.option("--ack", type=click.Choice(["local", "parent", "root", "delivered", "signed"]), default="local", help="等到哪一级。")
@click.pass_obj
def send(call: Call, /, user: str, key: Path | None, password: Path | None, prefix: str | None, doc: str, ack: str, **said: Any) -> Answer:
    """Issue a document in one step and wait for the level that was asked for."""
    from office.documents import reach, service
    from ops import seat

    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password)
        given = _paper(desk, said)
        sent = service.send(desk, given, doc=doc, prefix=_prefix(desk, given.organ) if prefix is None else prefix)
        blobs = [{"sha": a["blob"], "bytes": a["size"], "state": a["state"]} for a in service.doc_get(desk, sent.doc)["attachments"]]
        found = reach.await_level(desk, sent.doc, ack, call.wait(30.0) if ack != "local" else 0.0)
    fields = {
        "doc": sent.doc,
        "ref": sent.ref,
        "number": sent.number,
        "ack": found.level,
        "copies": found.copies,
        "recipients": sent.recipients,
        "repeated": sent.repeated,
        "blobs": blobs,
    }
    if reach.LEVELS.index(found.level) < reach.LEVELS.index(ack):
        return Answer(fields=fields, error=Unreachable(f"durable here, but {ack} was not reached in time", code="ack_timeout"))
    return Answer(fields=fields)


def _prefix(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return found.doc_prefixes[0] if found is not None and found.doc_prefixes else ""


@click.command(help="收文；--follow 一直等新的。")
@who
@click.option("--since", default="0", help="从这个游标之后。")
@click.option("--follow", is_flag=True, help="一直等下去。")
@click.pass_obj
def inbox(call: Call, user: str, key: Path | None, password: Path | None, since: str, follow: bool) -> Lines:
    """What has come in for the person's organs, oldest first."""
    from ops import seat

    if not since.isdigit():
        raise Misconfigured(f"--since is {since!r}, it should be a cursor", code="usage")
    settings = call.settings()

    def rows() -> Iterator[dict[str, Any]]:
        with seat.office(settings) as office:
            yield from _incoming(seat.sit(office, user, key=key, password=password), int(since), follow)

    return Lines(rows=rows())


def _incoming(desk: Desk, since: int, follow: bool) -> Iterator[dict[str, Any]]:
    from office.documents import service

    with _bell(desk, follow) as ring:
        while True:
            found = service.inbox(desk, since=since)
            for row in found:
                since = max(since, row["cursor"])
                yield row
            if not found and not follow:
                return
            if not found:
                ring()


@contextlib.contextmanager
def _bell(desk: Desk, follow: bool) -> Iterator[Any]:
    """A call that waits until the journal may have grown, two seconds at most."""
    import zmq

    from node import client
    from ops.cli import alarm

    if not follow:
        yield lambda: None
        return
    alarm(0)
    context = zmq.Context()
    socket = client.bell(desk.settings, context, "entries")

    def ring() -> None:
        if socket.poll(2000):
            socket.recv_multipart()
        desk.directory.refresh()

    try:
        yield ring
    finally:
        context.destroy(0)


@click.group(help="读取公文")
def doc() -> None:
    """The family of commands."""


@doc.command(help="一件公文：正文、附件、回执。")
@click.argument("ident", metavar="DOC")
@who
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="把正文和附件存到这个目录。")
@click.pass_obj
def get(call: Call, ident: str, user: str, key: Path | None, password: Path | None, out: Path | None) -> Answer:
    """All that the person may see of a document."""
    from office.documents import service
    from ops import seat

    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password)
        found = service.doc_get(desk, ident)
        files = _save(desk, ident, out, found) if out else []
    return Answer(fields=found | ({"files": files} if out else {}))


def _save(desk: Desk, ident: str, out: Path, found: dict[str, Any]) -> list[str]:
    """Write text and files into a folder, under plain names of its own choosing; never over a file."""
    from office.documents import service
    from office.documents.model import Document, Letter

    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    letters = desk.list(Letter, Letter.id == ident)
    annexes = letters[0].envelope.paper.annexes if letters else desk.get(Document, ident).paper.annexes
    written = [_new(out / "text.txt", [found["text"].encode()])]
    for number, annex in enumerate(annexes, 1):
        name = annex.name.replace("/", "_").lstrip(".") or "file"
        written.append(_new(out / f"{number:02}-{name}", service.open_annex(desk, annex)))
    return written


def _new(file: Path, parts: Any) -> str:
    try:
        with file.open("xb") as sink:
            for part in parts:
                sink.write(part)
    except FileExistsError:
        raise Misconfigured(f"{file} exists already", code="usage") from None
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return str(file)


@doc.command(help="拟稿，不发出。")
@who
@paper
@click.option("--id", "ident", default="", help="公文编号（UUID）。")
@click.pass_obj
def draft(call: Call, /, user: str, key: Path | None, password: Path | None, ident: str, **said: Any) -> Answer:
    """Begin a document that others then review and sign."""
    from office.documents import service
    from ops import seat

    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password)
        return Answer(fields={"doc": service.draft(desk, _paper(desk, said), doc=ident)})


MOVES = ("submit", "return", "review", "sign", "number", "seal", "dispatch", "issue", "recall", "void")


@doc.command(help="办理一件本机关的公文：送核、退回、核稿、签发、编号、用印、核发、撤回、作废。")
@click.argument("ident", metavar="DOC")
@click.argument("move", type=click.Choice(MOVES))
@who
@click.option("--note", default="", help="意见或者理由。")
@click.option("--prefix", default="", help="机关代字。")
@click.pass_obj
def act(call: Call, ident: str, move: str, user: str, key: Path | None, password: Path | None, note: str, prefix: str) -> Answer:
    """One act on a document of the person's own organ."""
    from ops import seat

    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password)
        number = _act(desk, ident, move, note, prefix)
        return Answer(fields={"doc": ident, "move": move, "number": number, "state": _state(desk, ident)})


def _act(desk: Desk, ident: str, move: str, note: str, prefix: str) -> str:
    from office.documents import service

    verbs: dict[str, Any] = {
        "submit": lambda: service.submit(desk, ident, note=note),
        "return": lambda: service.give_back(desk, ident, reason=note),
        "review": lambda: service.review(desk, ident, opinion=note),
        "sign": lambda: service.sign(desk, ident, opinion=note),
        "number": lambda: service.number(desk, ident, prefix=prefix),
        "seal": lambda: service.seal(desk, ident),
        "dispatch": lambda: service.dispatch(desk, ident),
        "issue": lambda: service.issue(desk, ident, prefix=prefix),
        "recall": lambda: service.recall(desk, ident, reason=note),
        "void": lambda: service.void(desk, ident, reason=note),
    }
    return verbs[move]() or ""


def _state(desk: Desk, ident: str) -> str:
    from office.documents.model import Document

    return str(desk.get(Document, ident).state)


@click.command(help="办理一件收文：read 阅知，sign 签收，refuse 退文，transfer 转办，finish 办结并答复。")
@click.argument("ident", metavar="DOC")
@who
@click.option("--action", type=click.Choice(["read", "sign", "refuse", "transfer", "finish"]), required=True, help="办理什么。")
@click.option("--note", default="", help="意见、理由或者办理情况。")
@click.option("--reason", default="not_ours", help="退文原因编号。")
@click.option("--organ", default="", help="代表哪个收文机关。")
@click.option("--person", default="", help="转给谁。")
@click.option("--id", "key_of", required=True, help="这次办理的编号（UUID）；重复提交得到同一结果。")
@click.pass_obj
def receipt(call: Call, /, ident: str, user: str, key: Path | None, password: Path | None, key_of: str, person: str, **said: str) -> Answer:
    """One act on a document that came in."""
    from office.documents import service
    from ops import seat

    with seat.office(call.settings()) as office:
        desk = seat.sit(office, user, key=key, password=password)
        ref = service.receipt(desk, ident, said["action"], note=said["note"], key=key_of, organ=said["organ"], to=person, reason=said["reason"])
    return Answer(fields={"ref": ref, "ack": "local"})


@click.command(help="一件公文的送达和办理情况，逐个收文机关。")
@click.argument("ident", metavar="DOC")
@click.pass_obj
def receipts(call: Call, ident: str) -> Answer:
    """Recipients by receipts, as the node of the document knows them."""
    from office.documents import service
    from ops import seat

    with seat.office(call.settings()) as office:
        rows = service.receipts(seat.operator(office), ident)
    if not rows:
        raise Missing(f"no document {ident[:64]} has left this node")
    return Answer(fields={"doc": ident, "by_recipient": rows})

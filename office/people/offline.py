"""The address book as a file that opens with nothing installed: a page and a table, in protocol order, of what everybody may know."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from markupsafe import Markup, escape

from node.directory.entries import Organ
from office.frame.desk import Desk
from office.frame.words import _, language

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"A spreadsheet takes a cell that begins so for a formula."
Line = tuple[str, str, str, str]
HEAD = Markup(
    '<!doctype html><html lang="{}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{}</title><style>{}</style><h1>{}</h1>'
)
STYLE = Markup(
    "body{font:15px/1.5 sans-serif;max-width:50rem;margin:1rem auto;padding:0 1rem}h2{font-size:1rem;margin:1rem 0 .2rem}"
    "table{border-collapse:collapse;width:100%}td{border-bottom:1px solid #ddd;padding:.2rem .5rem;width:25%}"
)
SECTION = Markup("<section><h2>{}</h2><table>{}</table></section>")


def lines(desk: Desk) -> Iterator[tuple[Organ, list[Line]]]:
    """Every organ in protocol order with (name, posts, telephone, pinyin) of its people."""
    directory = desk.directory
    for organ in directory.organs():
        people = [(one.person, [held.post.title for held in one.holdings if held.post.organ == organ.id]) for one in directory.people_of(organ.id)]
        yield organ, [(person.name, "、".join(titles), person.office_phone, person.pinyin) for person, titles in people]


def table(desk: Desk) -> bytes:
    """Comma-separated, UTF-8 with a mark that Excel and WPS know; nothing in it is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([str(word) for word in (_("机关"), _("姓名"), _("职务"), _("办公电话"))])
    for organ, people in lines(desk):
        for name, posts, phone, _pinyin in people or [("", "", organ.duty_phone, "")]:
            writer.writerow([_plain(cell) for cell in (organ.full_name, name, posts, phone)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def page(desk: Desk) -> str:
    """One page that stands alone, without script; the browser's own search finds in it."""
    title = escape(str(_("通信录")) + f" · {desk.settings.name} · {desk.now:%Y-%m-%d}")
    parts = [SECTION.format(organ.full_name, Markup("").join(map(_row, people))) for organ, people in lines(desk)]
    return str(HEAD.format(language(), title, STYLE, title) + Markup("").join(parts))


def _row(one: Line) -> Markup:
    return Markup("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>").format(*one)


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell

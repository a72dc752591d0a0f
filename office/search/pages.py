"""The page of finds, and the same for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from node.errors import Invalid, Missing
from office.frame.desk import Desk
from office.frame.find import Direction, Validity
from office.frame.words import _
from office.portal.page import Answer, Item, Request, Screen, page
from office.search import service
from office.search.follower import sources
from office.search.spelling import ASKED

LIMIT, MOST = 20, 100
"Finds of one page, and of one answer at most."
DIRECTIONS = {Direction.OUT: _("发文"), Direction.IN: _("收文"), Direction.OWN: _("内部")}
VALIDITIES = {
    Validity.FORCE: _("现行"),
    Validity.PENDING: _("未发出"),
    Validity.RECALLED: _("已撤回"),
    Validity.VOID: _("作废"),
    Validity.AMENDED: _("已修改"),
    Validity.REPEALED: _("废止"),
    Validity.REVOKED: _("撤销"),
    Validity.EXPIRED: _("失效"),
}
TONES = {Validity.FORCE: "good", Validity.PENDING: "", Validity.AMENDED: "warn"}
"Everything else counts no more and is shown as such."


class SearchPages:
    """Search, from the box at the top of every page."""

    name = "search"
    desk: Desk
    menu = (Item("/search", _("公文查询"), icon="search"),)

    @page("GET", "/search")
    def find(self, request: Request) -> Screen:
        """Finds in full text and fields, the newest first; without a question, what can be asked."""
        wish, wrong = service.Wish(words=request.query("q")), ""
        try:
            wish = asked(request)
            found = _look(self.desk, request, wish, LIMIT)
        except Invalid as error:
            found, wrong = None, str(error.message)
        kinds = {key: words for source in sources(self.desk.office) for key, words in source.kind_words.items()}
        return Screen(
            "search/results.html",
            wish=wish,
            found=found,
            wrong=wrong,
            kinds=kinds,
            directions=DIRECTIONS,
            validities=VALIDITIES,
            tones=TONES,
            narrowed=any((wish.number, wish.organ, wish.kind, wish.direction, wish.validity, wish.since, wish.until)),
            cut=len(wish.words) > ASKED,
            json=told(wish, found) if found is not None else {"error": wrong},
        )

    @page("GET", "/api/v1/search")
    def api(self, request: Request) -> Answer:
        """The same for programs: ``q``, ``number``, ``organ``, ``kind``, ``direction``, ``validity``, ``from``, ``to``, ``limit``, ``page``."""
        wish, limit = asked(request), min(max(request.args.get("limit", LIMIT, type=int) or LIMIT, 1), MOST)
        found = _look(self.desk, request, wish, limit)
        if found is None:
            raise Invalid(_("请写明要查什么。"), code="nothing_asked")
        return Answer(told(wish, found))


def _look(desk: Desk, request: Request, wish: service.Wish, limit: int) -> service.Found | None:
    """The finds; None when nothing was asked, an empty page that is not whole when there is no index yet."""
    if not wish:
        return None
    try:
        return service.search(desk, wish, limit=limit, offset=(request.number - 1) * limit)
    except Missing:
        return service.Found(hits=[], more=False, whole=False)


def asked(request: Request) -> service.Wish:
    """What an address asks for; :class:`Invalid` names a day or a choice that is none."""
    return service.Wish(
        words=request.query("q"),
        number=request.query("number"),
        organ=request.query("organ"),
        kind=request.query("kind"),
        direction=_choice(request.query("direction"), DIRECTIONS),
        validity=_choice(request.query("validity"), VALIDITIES),
        since=_day(request.query("from")),
        until=_day(request.query("to")),
    )


def _choice(given: str, known: Any) -> str:
    if given and given not in known:
        raise Invalid(_("所选的值不在范围内：{value}").format(value=given[:40]), code="malformed")
    return given


def _day(given: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(given) if given else None
    except ValueError:
        raise Invalid(_("日期应写成 2026-01-31：{text}").format(text=given[:40]), code="malformed") from None


def told(wish: service.Wish, found: service.Found | None) -> dict[str, Any]:
    """The answer for programs; marks are places of the parts to be marked."""
    if found is None:
        return {"query": wish.words, "items": [], "more": False, "complete": True}
    return {
        "query": wish.words,
        "items": [item(hit) for hit in found.hits],
        "more": found.more,
        "complete": found.whole and not found.missing,
        "missing": list(found.missing),
    }


def item(hit: service.Hit) -> dict[str, Any]:
    """One find for programs."""
    return {
        "doc": hit.id,
        "room": hit.room,
        "title": _plain(hit.title),
        "number": _plain(hit.number),
        "issuer": hit.issuer,
        "kind": str(hit.kind),
        "at": hit.at,
        "validity": hit.validity,
        "note": hit.note,
        "directions": hit.directions,
        "url": hit.url,
        "also": hit.also,
        "snippet": [{"text": text, "mark": marked} for text, marked in hit.snippet],
    }


def _plain(parts: list[service.Part]) -> str:
    return "".join(text for text, _marked in parts)


PAGES = (SearchPages,)

"""A meeting of a whole prefecture: ten counties, ninety-one townships, one list; run as ``python -m tests.office.prefecture``.

Every node is a real book with its own journal and tables; they all live in this process, and lines are replaced by carrying.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import time
from pathlib import Path

from office.meetings import service
from office.meetings.entries import Going, Plan
from office.meetings.model import Meeting
from tests.office.desks import Town, opened

COUNTIES, TOWNSHIPS = 10, 91
STAFF = (("clerk", "文书", ("registry_clerk", "meeting_clerk", "signer")),)


def main() -> None:
    """Hold it, and say what it took."""
    begun = time.monotonic()
    each = TOWNSHIPS // COUNTIES
    more = [f"county{n + 1}" for n in range(TOWNSHIPS - each * COUNTIES)]
    rooms = ("meetings",)
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), counties=COUNTIES, townships=each, more=more, only=rooms, staff=STAFF) as town:
        made = time.monotonic() - begun
        print(json.dumps(hold(town) | {"nodes": len(town.homes), "founding_s": round(made, 1)}, ensure_ascii=False))


def hold(town: Town) -> dict[str, object]:
    """Call everybody, let all answer through their counties, and count the city's list."""
    units = [name for name in town.homes if name != "city"]
    begins = int((dt.datetime.now(dt.UTC) + dt.timedelta(days=5)).timestamp() * 1000)
    plan = Plan("city", "video", "全市防汛工作电视电话会议", begins, begins + 3_600_000, ("主会场",), "clerk.city", tuple(units))
    clerk = town.desk("clerk.city")
    meeting = service.plan(clerk, plan)
    service.approve(town.desk("clerk.city"), meeting)
    spent = {"notice": _timed(lambda: (service.notify(town.desk("clerk.city"), meeting), town.carry()))}
    for unit in units:
        desk = town.desk(f"clerk.{unit}")
        service.sign_for(desk, meeting, unit)
        service.reply(town.desk(f"clerk.{unit}"), meeting, unit, [Going(f"{unit}负责人", "主要负责人", "0543-0000001"), Going(f"{unit}随员")])
    spent["up_to_counties"] = _timed(town.carry)
    before = len(service.expected(town.desk("clerk.city"), town.desk("clerk.city").get(Meeting, meeting)))
    sent = [service.gather(town.desk(f"clerk.county{n + 1}"), meeting, f"county{n + 1}") for n in range(COUNTIES)]
    spent["up_to_city"] = _timed(town.carry)
    row = town.desk("clerk.city").get(Meeting, meeting)
    expected = service.expected(town.desk("clerk.city"), row)
    spent["page"] = _timed(lambda: service.answers(town.desk("clerk.city"), row))
    assert before == 0 and sum(sent) == len(units) and len(expected) == 2 * len(units), (before, sum(sent), len(expected))
    signed = sum(bool(line.call.signed_at) for line in service.answers(town.desk("clerk.city"), row))
    assert signed == len(units), signed
    for name in town.homes:
        town.whole(name)
    return {"lists": len(sent), "organs": sum(sent), "people": len(expected), "signed": signed, "seconds": spent}


def _timed(act: object) -> float:
    begun = time.monotonic()
    act()  # type: ignore[operator]
    return round(time.monotonic() - begun, 2)


if __name__ == "__main__":
    main()

"""What people see while a snapshot of the node above is taken and checked."""

from __future__ import annotations

import msgspec
import pytest

from node.progress import CHECKED, CHECKING, TAKING, Progress
from tests.portal.house import House


@pytest.mark.parametrize(
    ("state", "language", "shown"),
    [(TAKING, "zh", "快照还在接收"), (CHECKING, "zh", "已完成 40%"), (CHECKING, "en", "40% done"), (CHECKED, "zh", "")],
)
def test_each_page_says_that_signatures_are_still_being_checked(house: House, state: str, language: str, shown: str) -> None:
    """While parts come or signatures are checked every page says so and how far it is; when all is checked nothing is said."""
    file = house.settings.path("snapshot.json")
    one = house.enter("zhoulixin")
    one.get(f"/language/{language}?next=/")
    file.write_bytes(msgspec.json.encode(Progress(state=state, maker="m", sha="", since=1, first=100, last=600, at=300)))
    try:
        for path in ("/", "/documents"):
            text = one.get(path).text
            said = text[text.index('<div id="checking"') :].split("</div>")[0:3]
            assert shown in "".join(said)
            assert ("note" in said[0]) == bool(shown)
    finally:
        file.unlink()
        one.get("/language/zh?next=/")

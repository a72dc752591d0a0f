"""Where things go when they do not fit: the pure layout, without fonts or PDF."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import TooLarge
from office.print.layout import pages
from office.print.lines import CLOSING, OPENING, Span, split
from office.print.marks import Ink, Page, Round, Rule
from office.print.measures import BOTTOM, COLUMNS, LEFT, LINE, RIGHT, TOP
from office.print.sheet import Annex, Form, Paragraph, Seal, Sheet, paragraphs
from office.print.titles import broken
from tests.print.sheets import FILE, MINUTES, ORDER, PLAIN


class Half:
    """A font whose half-width characters are half as wide as high."""

    def advance(self, text: str, face: str) -> float:
        """Natural width."""
        return sum(0.5 if char.isascii() else 1.0 for char in text)

    def ink(self, text: str, face: str) -> tuple[float, float]:
        """Edges of the ink."""
        return (0.37, 0.39) if text == "—" else (-0.08, 0.84)


HALF = Half()


def text_of(page: Page) -> str:
    """All characters of a page."""
    return "".join(mark.text for mark in page.marks if isinstance(mark, Ink))


def of(lines: int, **more: object) -> Sheet:
    """A short document whose text has that many full lines."""
    text = Paragraph(text="字" * (26 + 28 * (lines - 1)))
    values = {"organs": ("云市人民政府",), "title": "关于测试的通知", "number": "云政发〔2026〕1号", "date": "2026年1月5日", "paragraphs": (text,)}
    return Sheet(**values | more)  # type: ignore[arg-type]


@pytest.mark.parametrize("lines", range(1, 40))
def test_no_page_bears_a_seal_alone(lines: int) -> None:
    """However long the text is, the page with the seal has lines of it, nothing is lost, and nothing leaves the type area."""
    sheet = of(lines, seals=(Seal(name="云市人民政府"),))
    found = pages(sheet, HALF)
    sealed = next(page for page in found if any(isinstance(mark, Round) for mark in page.marks))
    assert "字字" in text_of(sealed)
    assert "".join(map(text_of, found)).count("字") == 26 + 28 * (lines - 1)
    for page in found:
        for mark in page.marks:
            if isinstance(mark, Round):
                assert mark.y + mark.diameter / 2 <= BOTTOM + 1e-6
            elif isinstance(mark, Ink) and mark.face != "folio":
                assert mark.y >= TOP - 1e-6 and mark.y + 5.6 <= BOTTOM + 1e-6 and mark.x >= LEFT - 1e-6 and mark.x + mark.width <= RIGHT + 1e-6


@pytest.mark.parametrize("lines", range(1, 40))
def test_the_record_is_on_an_even_page(lines: int) -> None:
    """However long the text is, 版记 is on the last page, an even one, below the text; a page with it alone has no number."""
    found = pages(of(lines, cc="甲局，乙局", printer="云市人民政府办公室", printed="2026年1月6日"), HALF)
    last = found[-1]
    rules = sorted(mark.y for mark in last.marks if isinstance(mark, Rule) and not mark.red)
    assert len(found) % 2 == 0 and rules[-1] == BOTTOM and len(rules) == 3
    above = [mark for mark in last.marks if isinstance(mark, Ink) and mark.y < rules[0]]
    assert bool(above) is any("—" in mark.text for mark in last.marks if isinstance(mark, Ink) and mark.face == "folio")
    assert all(mark.y + 5 < rules[0] for mark in above)


def test_many_recipients_make_room_for_text() -> None:
    """Recipients that would push the text off the first page are printed in 版记 instead."""
    names = "，".join(f"第{n}街道办事处" for n in range(1, 40))
    found = pages(of(3, to=names, cc="甲局", printer="云市人民政府办公室"), HALF)
    assert "字字" in text_of(found[0]) and "第1街道" not in text_of(found[0])
    assert "主送：" in text_of(found[-1]) and text_of(found[-1]).index("主送：") < text_of(found[-1]).index("抄送：")


def test_recipients_without_end() -> None:
    """Recipients that fill pages stay at the head, and copies that fill more than a page are refused."""
    names = "，".join(f"第{n}街道办事处" for n in range(1, 400))
    found = pages(of(3, to=names), HALF)
    assert text_of(found[0]).count("街道") > 20 and "字字" in "".join(map(text_of, found))
    with pytest.raises(TooLarge):
        pages(of(3, cc=names), HALF)


def test_twelve_organs_issue_together() -> None:
    """Marks and seals of twelve organs stay inside the page, apart from each other, and the first page shows text."""
    organs = tuple(f"云市{n}管理局" for n in "甲乙丙丁戊己庚辛壬癸子丑")
    found = pages(of(2, organs=organs, seals=tuple(Seal(name=name, diameter=42) for name in organs)), HALF)
    seals = [(number, mark) for number, page in enumerate(found) for mark in page.marks if isinstance(mark, Round)]
    assert [mark.name for _page, mark in seals] == list(organs)
    for page, one in seals:
        for other_page, other in seals:
            if one is not other and page == other_page:
                assert ((one.x - other.x) ** 2 + (one.y - other.y) ** 2) ** 0.5 > 42
        assert one.x - 21 >= LEFT and one.x + 21 <= RIGHT and one.y + 21 <= BOTTOM
    assert "字字" in text_of(found[0])


THREE = (
    ("云市人民政府", "云市教育局", "云市财政局"),
    ("云市发展和改革委员会", "云市教育局", "云市财政局"),
    ("云市农业农村局", "云市自然资源和规划局", "云市人力资源和社会保障局"),
)


@pytest.mark.row("A3")
@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize("names", THREE)
def test_a_very_short_text_under_three_seals_stays_on_one_page(names: tuple[str, ...], lines: int) -> None:
    """One or two lines of three organs stand on the first page with all three seals and the date: the seals apart and inside, rows no closer than
    20 points, and a text that has room keeps the ordinary rows."""
    seals = tuple(Seal(name=name) for name in names)
    sheet = of(lines, organs=names, seals=seals, to="各县（市、区）人民政府", cc="云市审计局")
    first = pages(sheet, HALF)[0]
    rounds = [mark for mark in first.marks if isinstance(mark, Round)]
    assert [one.name for one in rounds] == list(names) and "字" in text_of(first) and "2026年" in text_of(first)
    for at, one in enumerate(rounds):
        assert one.x - 22.5 >= LEFT - 1e-6 and one.x + 22.5 <= RIGHT + 1e-6 and one.y + 22.5 <= BOTTOM + 1e-6
        assert all(((one.x - other.x) ** 2 + (one.y - other.y) ** 2) ** 0.5 > 45 for other in rounds[:at])
    rows = sorted({round(mark.y, 2) for mark in first.marks if isinstance(mark, Ink) and mark.face == "body"})
    assert min(b - a for a, b in pairwise(rows)) >= 7.05
    alone = [mark.y for mark in pages(of(3, to="各县"), HALF)[0].marks if isinstance(mark, Ink) and "字" in mark.text]
    assert alone[1] - alone[0] == pytest.approx(LINE)


def test_a_document_without_limits_is_refused() -> None:
    """More than four hundred pages are refused, not printed."""
    with pytest.raises(TooLarge):
        pages(
            of(1, paragraphs=tuple(Paragraph(text="字") for _ in range(5_000)), annexes=(Annex(title="表", paragraphs=FILE.paragraphs * 300),)), HALF
        )


def test_every_annex_with_text_has_its_page() -> None:
    """Annexes begin pages of their own in their order; one that is a file is only named; numbers of pages go on."""
    body = (Paragraph(text="附件正文"),)
    found = pages(of(2, annexes=(Annex(title="第一表", paragraphs=body), Annex(title="文件"), Annex(title="第三表", paragraphs=body))), HALF)
    assert [text_of(page)[:3] for page in found[1:]] == ["附件1", "附件3"]
    assert all("—" in text_of(page) for page in found)


def test_minutes_and_orders_have_their_own_closings() -> None:
    """Minutes bear neither issuer nor seal; an order bears its signature in red and no title."""
    assert "滨州市人民政府2026" not in "".join(map(text_of, pages(MINUTES, HALF)))
    red = [mark.text for mark in pages(ORDER, HALF)[0].marks if isinstance(mark, Ink) and mark.red]
    assert red == ["滨州市人民政府命令", "李某某"]


def test_levels_are_read_from_their_numbers() -> None:
    """一、 （一） 1. （1） are the four levels, and a heading that runs into text ends with its first sentence."""
    found = paragraphs("一、总则\n（二）分工。各局各司其职。\n3.期限\n（4）其他\n正文")
    assert [one.level for one in found] == [1, 2, 3, 4, 0]
    faces = [(m.text, m.face) for m in pages(of(1, paragraphs=found), HALF)[0].marks if isinstance(m, Ink) and m.face in ("black", "kai")]
    assert faces == [("一、总则", "black"), ("（二）分工。", "kai")]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("的地方政府局a1，。（）《》“”、；：—…〔〕-"), max_size=200))
def test_lines_keep_their_characters_and_their_ends(text: str) -> None:
    """Whatever the text, no character is lost, no line is too long, and marks stand where they may."""
    lines = split([Span(text, "body")], columns=COLUMNS, advance=HALF.advance, first=2)
    said = ["".join(run.text for run in line.runs) for line in lines]
    assert "".join(said) == text
    assert all(line.width <= COLUMNS for line in lines)
    for above, below in zip(said, said[1:], strict=False):
        cut = next((place for place in range(1, 6) if place < len(above) and above[-place] not in CLOSING | OPENING), 6)
        assert cut > 4 or (below[0] not in CLOSING and above[-1] not in OPENING)


@pytest.mark.parametrize(
    ("title", "organ", "wanted"),
    [
        ("关于做好防汛工作的通知", "", ["关于做好防汛工作的通知"]),
        ("滨州市人民政府关于印发滨州市应急管理办法的通知", "滨州市人民政府", ["滨州市人民政府", "关于印发滨州市应急管理办法的通知"]),
        ("第一行\n第二行", "", ["第一行", "第二行"]),
    ],
)
def test_titles_break_at_sense(title: str, organ: str, wanted: list[str]) -> None:
    """A title breaks after its organ and before 关于; the drafter's own breaks are kept."""
    assert broken(title, organs=(organ,), columns=20) == wanted


@pytest.mark.parametrize(
    "title",
    [
        "滨州市人民政府关于进一步加强全市防汛抗旱和安全生产工作的通知",
        "滨州市人民政府办公室关于转发市应急管理局《滨州市突发事件应急预案管理实施办法》的通知",
        "关于成立滨州市推进乡村振兴和城乡融合发展工作领导小组及调整有关成员单位组成人员的通知",
    ],
)
def test_titles_tear_no_word(title: str) -> None:
    """Long titles keep their characters, fit the line, tear no known word, and no line begins with 的."""
    lines = broken(title, organs=("滨州市人民政府", "滨州市人民政府办公室"), columns=20)
    assert "".join(lines) == title and all(4 <= len(line) <= 20 for line in lines)
    for word in ("人民政府", "加强", "防汛抗旱", "安全生产", "应急预案", "管理", "实施办法", "乡村振兴", "领导小组", "通知", "关于"):
        assert title.count(word) == sum(line.count(word) for line in lines), f"{word} is torn: {lines}"
    assert not [line for line in lines if line[0] in "的，、》"]


def test_a_sheet_travels_as_json() -> None:
    """A sheet read back from its JSON is the same sheet."""
    assert msgspec.json.decode(msgspec.json.encode(FILE), type=Sheet) == FILE
    assert Form("letter") is Form.LETTER and len(PLAIN) > 100

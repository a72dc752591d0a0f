"""The rendered page against every number of GB/T 9704-2012, measured from outside to half a millimetre."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from office.print.sheet import Sheet
from tests.print.conftest import Print
from tests.print.gauge import Band, Gauge
from tests.print.sheets import FILE, LETTER, MINUTES, ORDER, UPWARD

pytestmark = pytest.mark.row("A3")
TOLERANCE = 0.5
LEFT, RIGHT, TOP, BOTTOM = 28.0, 184.0, 37.0, 262.0
LINE, CELL = 225 / 22, 156 / 28
BODY, SMALL, TITLE = 16 * 25.4 / 72, 14 * 25.4 / 72, 22 * 25.4 / 72


def near(found: float, wanted: float, what: str = "") -> None:
    """Within half a millimetre."""
    assert abs(found - wanted) <= TOLERANCE, f"{what}: {found:.2f} mm instead of {wanted:.2f}"


def rules(bands: list[Band]) -> list[Band]:
    """Those bands that are rules across the page."""
    return [band for band in bands if band.bottom - band.top < 1.2 and band.right - band.left > 150]


def test_paper_is_a4(printed: Print) -> None:
    """Every page of every form is 210 by 297 mm."""
    for sheet in (FILE, LETTER, ORDER, MINUTES, UPWARD):
        assert set(printed(sheet).size) == {(210.0, 297.0)}


def test_a_full_page_has_22_lines_of_28_characters(printed: Print) -> None:
    """Lines are 225/22 mm and places 156/28 mm apart with no drift, the first at the top of the type area, and none leaves it."""
    gauge = printed(FILE)
    rows = gauge.baselines(2)
    lines = [y for y in rows if y < BOTTOM]
    assert len(lines) == 22
    for place, y in enumerate(lines):
        near(y, TOP + place * LINE + 0.88 * BODY, f"line {place + 1}")
    full = next(row for row in rows.values() if len(row) == 28 and min(b - a for a, b in pairwise(row)) > 4)
    for place, x in enumerate(full):
        near(x, LEFT + place * CELL, f"character {place + 1}")
    for a, b in pairwise(full):
        assert abs(b - a - CELL) < 0.02
    words = [word for word in gauge.words if word.page == 2 and word.top < BOTTOM]
    near(min(word.left for word in words), LEFT, "left")
    near(max(word.right for word in words), RIGHT, "right")


def test_a_line_of_plain_text_holds_28_characters(printed: Print) -> None:
    """Text without punctuation fills its lines, and paragraphs are indented by two places."""
    words = [word for word in printed(FILE).words if word.page == 1]
    first = next(word for word in words if word.text.startswith("全市上下"))
    near(first.left, LEFT + 2 * CELL)
    assert len(first.text) == 26
    following = next(word for word in words if word.top > first.top + 5)
    assert len(following.text) == 28
    near(following.left, LEFT)


def test_the_head_of_a_file(printed: Print) -> None:
    """Corner in the first lines, ink of the mark 35 mm below the type area's edge, number 2 lines below it, red rule 4 mm below that."""
    gauge = printed(FILE)
    for row, text in enumerate(("000001", "内部★1年", "特急")):
        word = gauge.find(text, 1)
        near(word.left, LEFT, text)
        near(word.top, TOP + row * LINE, text)
    mark, rule = gauge.red(1)[0], rules(gauge.red(1))[0]
    near(mark.top, TOP + 35, "ink of the mark")
    assert gauge.find("滨州市人民政府文件", 1)
    near((mark.left + mark.right) / 2, (LEFT + RIGHT) / 2, "mark in the middle")
    number = gauge.find("滨政发〔2026〕15号", 1)
    near(number.top, mark.bottom + 2 * LINE, "number")
    near((number.left + number.right) / 2, (LEFT + RIGHT) / 2, "number in the middle")
    near(rule.top, number.bottom + 4, "rule")
    near(rule.left, LEFT, "rule")
    near(rule.right, RIGHT, "rule")


def test_title_and_recipients(printed: Print) -> None:
    """The title is centred 2 lines below the rule in 2号, the recipients begin flush one line below it."""
    gauge = printed(FILE)
    rule = rules(gauge.red(1))[0]
    title = [word for word in gauge.words if word.page == 1 and rule.bottom < word.top and word.bottom - word.top > BODY + 1]
    assert "".join(word.text for word in title) == FILE.title
    near(title[0].top, rule.bottom + 2 * LINE, "title")
    for word in title:
        near(word.bottom - word.top, TITLE, "2号")
        near((word.left + word.right) / 2, (LEFT + RIGHT) / 2, "title in the middle")
    to = gauge.find("各县（区）", 1)
    assert to.text.endswith("：")
    near(to.left, LEFT, "recipients")
    near(to.top, title[-1].bottom + LINE, "recipients")


def test_the_list_of_annexes(printed: Print) -> None:
    """附件 stands one line below the text, indented by two, names below names, without a full stop."""
    gauge = printed(FILE)
    label = gauge.find("附件：1.")
    rows = sorted(word.top for word in gauge.words if word.page == label.page)
    above = max(top for top in rows if top < label.top - 1)
    near(label.top - above, 2 * LINE, "one line left out")
    near(label.left, LEFT + 2 * CELL, "indent")
    second = gauge.find("滨州市防汛物资")
    near(second.left, LEFT + 6 * CELL, "second name")
    near(gauge.find("2.", second.page).left, LEFT + 5 * CELL, "its number")
    turned = gauge.find("等有关材料汇总")
    near(turned.left, LEFT + 6 * CELL, "turned line")


def test_a_seal_stands_over_issuer_and_date(printed: Print) -> None:
    """Date 4 places from the right, issuer in the middle over it, seal over both, its top within a line of the text, and it says 测试."""
    gauge = printed(FILE)
    date, issuer = gauge.find(FILE.date), [word for word in gauge.words if word.text == FILE.organs[0]][-1]
    seal = max(gauge.red(date.page), key=lambda band: band.bottom - band.top)
    near(date.right, RIGHT - 4 * CELL, "date")
    near((issuer.left + issuer.right) / 2, (date.left + date.right) / 2, "issuer")
    near(date.top - issuer.top, LINE, "date below issuer")
    near((seal.left + seal.right) / 2, (date.left + date.right) / 2, "seal")
    near(seal.bottom - seal.top, 45, "diameter")
    assert seal.top < issuer.top and seal.bottom > date.bottom
    assert (seal.top + seal.bottom) / 2 < (issuer.top + date.bottom) / 2
    text = [word for word in gauge.words if word.page == date.page and word.bottom < seal.top + 1]
    assert text, "a page with a seal has text"
    assert 0 < seal.top - max(word.bottom for word in text) <= LINE
    assert "测试" in "".join(word.text for word in gauge.words if word.page == date.page)
    note = gauge.find("（此件公开发布）")
    near(note.left, LEFT + 2 * CELL, "note")
    near(note.top - date.top, LINE, "note below date")


def test_an_annex_has_its_own_page(printed: Print) -> None:
    """附件1 stands in the first line of a new page, its title in the third, before 版记."""
    gauge = printed(FILE)
    label = [word for word in gauge.words if word.text == "附件1"][0]
    near(label.left, LEFT)
    near(label.top, TOP)
    title = gauge.find("滨州市防汛抗旱责任分工表", label.page)
    near(title.top, TOP + 2 * LINE, "title")
    near((title.left + title.right) / 2, (LEFT + RIGHT) / 2, "middle")
    assert label.page == gauge.find(FILE.date).page + 1


def test_the_record_at_the_foot_of_the_last_page(printed: Print) -> None:
    """版记 is on the last page, an even one; its last rule is the type area's edge, outer rules 0.35 mm and the inner one 0.25 mm."""
    gauge = printed(FILE)
    last = gauge.pages
    assert last % 2 == 0
    first, middle, end = rules(gauge.black(last))
    for rule, thick in ((first, 0.35), (middle, 0.25), (end, 0.35)):
        near(rule.left, LEFT, "rule")
        near(rule.right, RIGHT, "rule")
        assert abs(rule.bottom - rule.top - thick) < 0.15
    near((end.top + end.bottom) / 2, BOTTOM, "last rule")
    copied, printer, day = gauge.find("抄送：", last), gauge.find("滨州市人民政府办公室", last), gauge.find("2026年1月6日印发", last)
    near(copied.bottom - copied.top, SMALL, "4号")
    near(copied.left, LEFT + SMALL, "one character in")
    near(printer.left, LEFT + SMALL, "one character in")
    near(day.right, RIGHT - SMALL, "one character in")
    assert first.bottom < copied.top and middle.bottom < printer.top < end.top
    turned = next(word for word in gauge.words if word.page == last and first.top < word.top < middle.top and word.top > copied.bottom)
    near(turned.left, copied.left + 3 * SMALL, "names below names")
    assert turned.text.endswith("。")


def test_page_numbers(printed: Print) -> None:
    """—1— has its dashes 7 mm below the type area, one character from the right on odd pages and from the left on even ones."""
    gauge = printed(FILE)
    for page in range(1, gauge.pages + 1):
        word = gauge.find(f"—{page}—", page)
        dash = next(band for band in gauge.black(page) if band.top > BOTTOM + 1)
        near((dash.top + dash.bottom) / 2, BOTTOM + 7, "dashes")
        near(word.bottom - word.top, SMALL, "4号")
        near(*((word.right, RIGHT - SMALL) if page % 2 else (word.left, LEFT + SMALL)), "side")


@pytest.mark.parametrize("sheet", [FILE, UPWARD, ORDER, MINUTES, LETTER])
def test_a_draft_says_so_on_every_page(printed: Print, sheet: Sheet) -> None:
    """草稿 stands pale across every page, and moves nothing else."""
    gauge, plain = printed(msgspec.structs.replace(sheet, across="草稿")), printed(sheet)
    for page in range(1, gauge.pages + 1):
        word = gauge.find("草稿", page)
        assert abs((word.left + word.right) / 2 - 105) < 2
        assert word.bottom - word.top > 30
    others = [word for word in gauge.words if word.text != "草稿"]
    assert [(word.page, word.text) for word in others] == [(word.page, word.text) for word in plain.words]
    assert not [word for word in plain.words if word.text == "草稿"]


def test_a_joint_document_that_goes_upward(printed: Print) -> None:
    """Signers stand at the right, two a line; the number at the left of the last of them; seals in order, apart and inside the type area."""
    gauge = printed(UPWARD)
    label, number = gauge.find("签发人：", 1), gauge.find("滨财字〔2026〕3号", 1)
    names = [gauge.find(name, 1) for name in ("李四光", "王小明")]
    near(names[0].right, RIGHT - CELL, "signer")
    near(names[0].top, label.top, "first line")
    near(names[1].left, label.left + 4 * CELL, "below the first name")
    near(names[1].top - names[0].top, LINE)
    near(number.left, LEFT + CELL, "number")
    near(number.top, names[1].top, "number")
    rule = rules(gauge.red(1))[0]
    near(rule.top, number.bottom + 4, "rule")
    date = gauge.find(UPWARD.date)
    near(date.right, RIGHT - 4 * CELL, "date")
    seals = [band for band in gauge.red(date.page) if band.bottom - band.top > 41]
    assert len(seals) == 2, "two rows of seals"
    assert all(abs(band.bottom - band.top - 42) < 1 and band.left >= LEFT - TOLERANCE and band.right <= RIGHT + TOLERANCE for band in seals)


def test_a_letter(printed: Print) -> None:
    """信函格式: mark 30 mm from the page's top, double rules of 170 mm 4 mm below it and 20 mm from the page's foot, page 1 without a number."""
    gauge = printed(LETTER)
    red = gauge.red(1)
    lines = [band for band in red if band.right - band.left > 165]
    near(red[0].top, 30, "ink of the mark")
    thick, thin, thin_foot, thick_foot = lines
    for rule in lines:
        near(rule.right - rule.left, 170, "length")
        near((rule.left + rule.right) / 2, 105, "middle")
    near(thick.top, red[0].bottom + 4, "first rule")
    near((thin_foot.top + thick_foot.bottom) / 2, 277, "second rule")
    assert thick.bottom - thick.top > thin.bottom - thin.top and thick_foot.bottom - thick_foot.top > thin_foot.bottom - thin_foot.top
    number = gauge.find(LETTER.number, 1)
    near(number.right, RIGHT, "number")
    near(number.top, thin.bottom + BODY * 7 / 8, "number")
    near(gauge.find("加急", 1).left, LEFT, "urgency")
    title = gauge.find(LETTER.title, 1)
    near(title.top, number.bottom + 2 * LINE, "title")
    assert not [word for word in gauge.words if word.page == 1 and "—" in word.text]
    copied = gauge.find("抄送：市水利局。", gauge.pages)
    assert copied.top >= BOTTOM - LINE and copied.bottom <= BOTTOM
    assert not rules(gauge.black(gauge.pages))


def test_an_unsealed_document(printed: Print) -> None:
    """Without a seal the issuer stands one line below the text and 2 places from the right, the date begins 2 places right of it."""
    gauge = printed(LETTER)
    date, issuer = gauge.find(LETTER.date), [word for word in gauge.words if word.text == LETTER.organs[0]][-1]
    text = gauge.find("请予支持")
    near(issuer.top - text.top, 2 * LINE, "one line left out")
    near(date.right, RIGHT - 2 * CELL, "the longer one")
    near(date.left - issuer.left, 2 * CELL, "date")


def test_an_order(printed: Print) -> None:
    """命令格式: mark 20 mm below the type area's edge, number and text 2 lines below each, signature seal and date 4 places from the right."""
    gauge = printed(ORDER)
    box = gauge.red(1)[0]
    near(box.top, TOP + 20, "ink of the mark")
    number = gauge.find("第12号", 1)
    near(number.top, box.bottom + 2 * LINE, "number")
    text = gauge.find("为贯彻落实", 1)
    near(text.top, number.bottom + 2 * LINE, "text")
    last = max((word for word in gauge.words if word.page == 1 and word.top < gauge.find("李某某", 1).top - 5), key=lambda word: word.top)
    name, post, date = gauge.find("李某某", 1), gauge.find("市长", 1), gauge.find(ORDER.date, 1)
    near((name.top + name.bottom) / 2 - (last.top + last.bottom) / 2, 3 * LINE, "2 lines left out")
    near(name.right, RIGHT - 4 * CELL, "signature")
    near(post.right, name.left - 2 * CELL, "post")
    near(date.right, RIGHT - 4 * CELL, "date")
    near(date.top - post.top, 2 * LINE, "one line left out")


def test_minutes(printed: Print) -> None:
    """纪要格式: mark as on a file, names of those present after their labels and below each other, and no seal."""
    gauge = printed(MINUTES)
    near(gauge.red(1)[0].top, TOP + 35, "ink of the mark")
    present, excused = gauge.find("出席：", 1), gauge.find("请假：", 1)
    near(present.left, LEFT + 2 * CELL, "label")
    near(excused.left, LEFT + 2 * CELL, "label")
    turned = next(word for word in gauge.words if word.page == 1 and abs(word.top - present.top - LINE) < 1)
    near(turned.left, LEFT + 5 * CELL, "names below names")
    assert not [band for band in gauge.red(1) if band.bottom - band.top > 30]
    assert gauge.pages == 2, "版记 is on an even page"
    assert not [word for word in gauge.words if word.page == 2 and word.text == "—2—"]


def test_text_can_be_taken_out(printed: Print) -> None:
    """A reader's search finds the words of the text in their order, the rare ones too."""
    gauge: Gauge = printed(FILE)
    assert "联系人：㛃某某" in gauge.text()
    assert 'pdfaid:part="3"' in gauge.metadata()

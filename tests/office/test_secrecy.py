"""The gate of secrecy as a list: fifty attempts to bring a state secret onto the network, and as many texts that only speak of secrecy."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import pytest

from node.errors import Refused
from office.documents import service
from office.documents.entries import Paper
from office.documents.model import Document, Incoming
from office.duty import service as duty
from office.duty.entries import Report
from office.frame import secrecy
from office.frame.reading import MOST, words
from office.meetings import service as meetings
from office.meetings.entries import Proposed
from office.people import notes
from tests.office.desks import Town, opened

pytestmark = pytest.mark.row("A9")
MARK = "机密★5年"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city and a county."""
    with opened(tmp_path_factory.mktemp("secrecy"), townships=0) as found:
        yield found


TEXTS = (
    "机密★5年\n关于某部署的通知",
    "绝密★启用前",
    "秘密★10年",
    "秘密★长期",
    "秘密☆10年",
    "机密*20年",
    "机 密 ★ 5 年",
    "机\u3000密\u3000★\u30005年",
    "机\u200b密\u200b★5年",
    "机\u2060密\n全文如下",
    "機密★5年",
    "絕密\n全文如下",
    "祕密★十年",
    "机·密·★·5年",
    "【机密】",
    "（秘密）",
    "机密\n关于演练方案的通知",
    "正文\n　　机密级\n正文",
    "机\n密\n★\n5\n年",
    "密级：机密",
    "密级:秘密  保密期限:10年",
    "保密等级：绝密",
    "本件定为秘密级，注意保存。",
    "㊙",
    "某部署方案 秘密10年",
    "★机密 请妥为保管",
    "机宓★5年",
    "jimi★5年",
    "ＳＥＣＲＥＴ",
    "TOP SECRET\nannex",
    "S E C R E T",
    "机密⭐5年",
    "现转去机密文件一份，请收。",
    "本件属机密，请阅后销毁。",
    "此材料涉及国家秘密，请勿外传。",
    "绝密文件第三号全文",
)
"Texts that bear a mark, however it is written."


@pytest.mark.parametrize("text", TEXTS)
def test_a_marked_text_is_stopped_wherever_it_is_written(town: Town, text: str) -> None:
    """In a draft and in an opinion on it; the refusal says where to go, and nothing is kept."""
    clerk = town.desk("clerk.city")
    before = clerk.count(Document)
    with pytest.raises(Refused) as refused:
        service.draft(clerk, Paper("city", "notice", "关于某事的通知", text, ("county1",)))
    assert (refused.value.code, refused.value.hint) == ("label_refused", "国家秘密请走机要渠道。")
    assert clerk.count(Document) == before
    with pytest.raises(Refused) as refused:
        service.send(town.desk("head.city"), Paper("city", "notice", "关于某事的通知", "正文", ("county1",)), opinion=text)
    assert refused.value.code == "label_refused"


def _docx(place: str) -> bytes:
    document = docx.Document()
    document.add_paragraph("正文")
    if place == "header":
        document.sections[0].header.paragraphs[0].text = MARK
    elif place == "table":
        document.add_table(1, 1).rows[0].cells[0].text = MARK
    elif place == "runs":
        paragraph = document.add_paragraph()
        for one in MARK:
            paragraph.add_run(one).bold = one == "密"
    elif place == "author":
        document.core_properties.title = MARK
    else:
        document.add_paragraph(MARK)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _package(**parts: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def _pdf(text: str, folder: Path) -> bytes:
    """A PDF as an office program makes it, with embedded fonts."""
    code = "import sys, weasyprint; weasyprint.HTML(string='<p>正文</p><p>' + sys.argv[1] + '</p>').write_pdf(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, text, str(folder / "x.pdf")], check=True, capture_output=True)
    return (folder / "x.pdf").read_bytes()


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "docx": ("方案.docx", lambda: _docx("body")),
    "docx header": ("方案.docx", lambda: _docx("header")),
    "docx table": ("方案.docx", lambda: _docx("table")),
    "docx runs": ("方案.docx", lambda: _docx("runs")),
    "docx properties": ("方案.docx", lambda: _docx("author")),
    "xlsx": ("表.xlsx", lambda: _package(xl__sharedStrings_xml=f"<sst><si><t>{MARK}</t></si></sst>")),
    "pptx": ("片.pptx", lambda: _package(ppt__slides__slide1_xml="<p><a:p><a:t>机密</a:t></a:p><a:p><a:t>★5年</a:t></a:p></p>")),
    "odt": ("稿.odt", lambda: _package(content_xml=f"<office><text:p>{MARK}</text:p></office>")),
    "ofd": ("版.ofd", lambda: _package(Doc_0__Content_xml="<a><ofd:TextCode>机</ofd:TextCode><ofd:TextCode>密★5年</ofd:TextCode></a>")),
    "zip in zip": ("包.zip", lambda: _package(inner_zip=_package(a_txt=MARK))),
    "docx in zip": ("包.zip", lambda: _package(a_docx=_docx("body"))),
    "name in zip": ("包.zip", lambda: _package(**{"机密★5年_txt": "x"})),
    "txt": ("注.txt", lambda: MARK.encode()),
    "txt gbk": ("注.txt", lambda: f"说明\n{MARK}".encode("gbk")),
    "txt utf-16": ("注.txt", lambda: MARK.encode("utf-16")),
    "no suffix": ("注", lambda: MARK.encode()),
    "big5": ("注.txt", lambda: "機密★5年".encode("big5")),
    "html": ("页.html", lambda: "<html><p>机<b>密</b>★5年</p></html>".encode()),
    "rtf": ("稿.rtf", lambda: b"{\\rtf1 " + b"".join(b"\\'%02x" % one for one in MARK.encode("gbk")) + b"}"),
    "doc": ("稿.doc", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(505) + MARK.encode("utf-16-le")),
    "name": ("机密★5年 方案.jpg", lambda: b"\xff\xd8\xff\0"),
    "name alone": ("机密.jpg", lambda: b"\xff\xd8\xff\0"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_marked_file_is_stopped_at_the_door(town: Town, case: str) -> None:
    """By its name or by its words, whatever wraps them; the refusal names the file."""
    name, data = FILES[case]
    with pytest.raises(Refused) as refused:
        service.attach(town.desk("clerk.city"), name, "application/octet-stream", io.BytesIO(data()))
    assert refused.value.code == "label_refused" and name in refused.value.message


def test_a_marked_pdf_is_stopped_and_a_plain_one_passes(town: Town, tmp_path: Path) -> None:
    """A PDF is read by Poppler in a process of its own."""
    desk = town.desk("clerk.city")
    with pytest.raises(Refused):
        service.attach(desk, "方案.pdf", "application/pdf", io.BytesIO(_pdf(MARK, tmp_path)))
    kept = service.attach(desk, "方案.pdf", "application/pdf", io.BytesIO(_pdf("商业秘密保护", tmp_path)))
    assert b"".join(service.open_annex(desk, kept)).startswith(b"%PDF")


def _arrived(town: Town) -> str:
    doc = service.send(town.desk("head.city"), Paper("city", "notice", "关于某事的通知", "正文", ("county1",))).doc
    town.carry()
    return town.desk("clerk.county1").list(Incoming, Incoming.doc == doc)[0].id


def _answered(town: Town) -> None:
    incoming = _arrived(town)
    service.sign_for(town.desk("clerk.county1"), incoming)
    service.register(town.desk("clerk.county1"), incoming)
    service.answer(town.desk("clerk.county1"), incoming, text=MARK)


def _proposed(town: Town) -> None:
    incoming = _arrived(town)
    service.sign_for(town.desk("clerk.county1"), incoming)
    service.register(town.desk("clerk.county1"), incoming)
    service.propose(town.desk("clerk.county1"), incoming, opinion=MARK, leader="head.county1")


def _plain(**more: object) -> Paper:
    return Paper(**({"organ": "city", "kind": "notice", "title": "关于某事的通知", "text": "正文", "to": ("county1",)} | more))  # type: ignore[arg-type]


CHANNELS: dict[str, Callable[[Town], object]] = {
    "title": lambda town: service.draft(town.desk("clerk.city"), _plain(title=f"{MARK} 关于某事的通知")),
    "title heading": lambda town: service.draft(town.desk("clerk.city"), _plain(title="机密")),
    "urgency reason": lambda town: service.draft(town.desk("clerk.city"), _plain(urgency="flash", urgency_reason=MARK)),
    "openness reason": lambda town: service.draft(town.desk("clerk.city"), _plain(openness="withheld", openness_reason="密级：机密")),
    "receipt": lambda town: service.send_back(town.desk("clerk.county1"), _arrived(town), reason="secret", words=MARK),
    "answer": _answered,
    "proposal": _proposed,
    "meeting topic": lambda town: meetings.propose(town.desk("clerk.city"), Proposed("city", "city", MARK, "议题", "张三", "内容", 10)),
    "duty log": lambda town: duty.log(town.desk("duty.city"), "city", f"接电话：{MARK}"),
    "duty report": lambda town: duty.report(town.desk("duty.city"), Report("city", "first", 1, "accident", "unknown", "某地", 1, 2, MARK)),
    "duty order": lambda town: duty.order(town.desk("duty.city"), "city", ["county1"], f"按{MARK}文执行"),
    "phrases": lambda town: notes.keep_phrases(town.desk("plain.city"), [MARK]),
    "form while typing": lambda town: secrecy.gate('{"title":"x","body":"一、\\n机密★5年"}'),
}


@pytest.mark.promise("P21")
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_way_in_has_the_same_gate(town: Town, channel: str) -> None:
    """Fields of forms, receipts, meetings, duty, phrases, what is kept while typing."""
    with pytest.raises(Refused) as refused:
        CHANNELS[channel](town)
    assert refused.value.code == "label_refused"


INNOCENT = (
    "关于召开全市保密工作会议的通知",
    "关于加强商业秘密保护工作的意见",
    "关于开展保密法宣传教育活动的通知",
    "各单位要严守国家秘密，不得私自留存机密文件。",
    "严禁用手机拍摄绝密级文件。",
    "国家秘密的密级分为绝密、机密、秘密三级。",
    "涉及国家秘密的，不得上网。",
    "凡涉密文件一律走机要渠道。",
    "企业要建立商业秘密管理制度，商业秘密3年内不得披露。",
    "工作秘密按本单位规定管理。",
    "要做到秘密选举、无记名投票。",
    "秘密级、机密级、绝密级国家秘密的保密期限应当符合规定。",
    "请保密员参加培训。",
    "依法保护通信秘密和个人隐私。",
    "严密组织，密切配合，周密部署。",
    "秘书科要做好会务工作。",
    "机要通信和密码工作要点",
    "评选五星级★★★★★文明单位",
    "面积3*5年均增长",
    "Secretary of the committee; confidentiality of bidding.",
    "The secret ballot was held.",
    "涉密人员出国（境）管理办法",
    "密云水库防汛通知",
    "中医药秘方技术秘密转让",
    "审计发现问题整改台账",
    "保守秘密是每个公职人员的义务。",
    "投标文件在开标前应当保密。",
    "请勿在微信群传送涉密文件。",
    "定密责任人名单见附件。",
    "机密性、完整性、可用性测评报告",
)


@pytest.mark.parametrize("text", INNOCENT)
def test_to_speak_of_secrecy_is_no_secret(text: str) -> None:
    """Notices on secrecy work, trade secrets, names and words that only look alike pass."""
    assert not secrecy.marked(text)


def test_the_list_is_long_enough_and_what_cannot_be_read_is_said_to_be_unread() -> None:
    """Fifty attempts at least; pictures, films and locked packages have no words for the gate."""
    assert len(TEXTS) + len(FILES) + len(CHANNELS) >= 50
    assert words(io.BytesIO(b"\x89PNG\r\n\x1a\n\0\0")) is None
    assert words(io.BytesIO(b"PK\x03\x04broken")) is None
    assert words(io.BytesIO("照常文字".encode())) == "照常文字"


def test_a_small_file_that_unpacks_without_end_is_read_to_the_limit_of_one_file() -> None:
    """Packages in a package have one limit together, so a few kilobytes never cost more than the largest file does."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.txt", b"a" * (16 * 2**20))
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as package:
        for n in range(6):
            package.writestr(f"{n}.zip", inner.getvalue())
    read = words(io.BytesIO(outer.getvalue()))
    assert read is not None and len(read) <= MOST + 200


COSTLY = """
import io, resource
from office.frame.reading import MOST, words
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
print(len(words(io.BytesIO(b"<" * 2**20))), len(words(io.BytesIO(b"{\\\\rtf \\\\u" + b"1" * 9000))))
"""


def test_a_file_of_nothing_but_openings_of_tags_is_read_as_fast_as_any() -> None:
    """A megabyte of "<", which would keep the whole portal from answering for half an hour, and a sign with nine thousand figures."""
    done = subprocess.run([sys.executable, "-c", COSTLY], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and int(done.stdout.split()[0]) == 2**20, done.stderr


@pytest.mark.parametrize("depth", [900, 100_000])
def test_what_is_typed_is_looked_at_however_deep_it_is_wrapped(depth: int) -> None:
    """A mark in lists within lists is refused, and never ends in an error of the system."""
    with pytest.raises(Refused):
        secrecy.gate("[" * depth + f'"{MARK}"' + "]" * depth)
    secrecy.gate("[" * depth + '"照常"' + "]" * depth)

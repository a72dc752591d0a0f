"""What a person may take away from this node: the city's root certificate, the stand-alone verifier, the address book."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from node.settings import Settings
from office.frame.words import Text, _

VERIFIER = Path(__file__).parents[2] / "ops/yiwang-verify.py"
"It stands alone in one file and is shipped as it is; nothing here runs it."


@dataclass(frozen=True)
class Offered:
    """A file that may be taken away."""

    title: Text
    words: Text
    url: str
    size: int = 0
    "Bytes; 0 where it is made when it is asked for."
    sha: str = ""
    "SHA-256, hex; empty where it is made when it is asked for."


def offered(settings: Settings) -> list[Offered]:
    """Everything, in the order in which a newcomer needs it."""
    root, verifier = settings.path("certs", "root.pem").read_bytes(), VERIFIER.read_bytes()
    return [
        Offered(
            _("全市根证书"),
            _("装进浏览器，才认得全市的节点；先按“信任与证书”核对指纹。"),
            "/trust/root.pem",
            len(root),
            hashlib.sha256(root).hexdigest(),
        ),
        Offered(_("通信录（网页）"), _("一个文件，断线时也能查；按规范次序排列，只有公开的电话。"), "/people/offline.html"),
        Offered(_("通信录（表格）"), _("同样的内容，用 WPS 或 Excel 打开。"), "/people/offline.csv"),
        Offered(
            _("公文校验工具"),
            _("单个文件，有 Python 和 cryptography 就能运行；不装本系统、不联网，也能验证证据文件的文字、签名和回执。"),
            "/downloads/yiwang-verify.py",
            len(verifier),
            hashlib.sha256(verifier).hexdigest(),
        ),
    ]

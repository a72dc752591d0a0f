"""Documents to measure with: JSON texts of about 2 KiB, as compressible as official Chinese prose, signed by one person.

The same text goes to every peer. Formulas and free words are mixed so that zstd at level 3 makes one document about 1.5 times
smaller and a batch of a hundred about 2.6 times, as it does with real Chinese text in such an envelope.
"""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import entry as said
from node.codec import pack, uuid7
from node.entry import Attachment, Audience, Lane
from node.kinds import Content, kind
from node.requests import Draft, statement

_PHRASES = """
为贯彻落实会议精神 根据工作安排 现就有关事项通知如下 请结合实际抓好落实 各乡镇人民政府 县直有关单位 加强组织领导
压实工作责任 强化督导检查 确保取得实效 按照职责分工 及时报送进展情况 联系人 联系电话 附件 实施方案 责任清单
经研究同意 此复 请予支持 妥否请批示 特此报告 特此函告 森林防火 防汛备汛 安全隐患排查 农村人居环境 基层治理
营商环境 乡村振兴 高标准农田 义务教育 医疗保障 养老服务 政务服务 信访化解 值班值守 前期准备 集中整治 总结提升
牵头部门 配合单位 完成时限 工作专班 统一思想 提高认识 突出重点 分类施策 长效机制 宣传引导
"""
FORMULAS = _PHRASES.split()
_LETTERS = [bytes((0xA0 + row, 0xA0 + place)).decode("gb2312") for row in range(16, 55) for place in range(1, 95)]
random.Random(20).shuffle(_LETTERS)
_WEIGHTS = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(_LETTERS))))


@kind("bench.paper")
class Paper(Content, frozen=True):
    """A document that no room folds: what is measured is carrying it."""

    text: str


@dataclass(frozen=True)
class Author:
    """A person who can sign at a node."""

    city: str
    node: str
    organ: str
    key: Ed25519PrivateKey
    fingerprint: bytes

    def draft(
        self, content: Content, to: Audience, *, lane: Lane = Lane.ORDINARY, record: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> Draft:
        """A content signed and ready for the ledger."""
        stated, salt, data = statement(self.city, content, record=record or uuid7(), home=self.node, signer=self.fingerprint)
        raw = pack(stated)
        return Draft(raw, self.key.sign(said.statement_signed(raw)), salt, data, (to,), lane, attachments)


def documents(count: int, *, size: int = 2048, seed: int = 1) -> list[str]:
    """Texts of ``size`` UTF-8 bytes, the same for the same seed."""
    chance = random.Random(seed)
    return [_document(chance, number, size) for number in range(1, count + 1)]


def _document(chance: random.Random, number: int, size: int) -> str:
    body = "".join(itertools.islice(_prose(chance), size // 3))
    about = {
        "id": number,
        "uid": f"{chance.getrandbits(128):032x}",
        "number": f"云镇政〔2026〕{chance.randint(1, 999)}号",
        "author": f"u{chance.randint(1, 26925):05d}",
        "at": 1_790_000_000_000 + chance.getrandbits(30),
        "sha256": f"{chance.getrandbits(256):064x}",
        "title": f"关于{body[:14]}的通知",
        "body": "",
    }
    room = size - len(json.dumps(about, ensure_ascii=False).encode())
    about["body"] = body.encode()[:room].decode("utf-8", "ignore")
    return json.dumps(about, ensure_ascii=False)


def _prose(chance: random.Random) -> itertools.chain[str]:
    def piece() -> str:
        if chance.random() < 0.66:
            return chance.choice(FORMULAS) + chance.choice("，，、。；")
        return "".join(chance.choices(_LETTERS, cum_weights=_WEIGHTS, k=chance.randint(3, 11))) + chance.choice("，，、。；")

    return itertools.chain.from_iterable(piece() for _ in itertools.count())

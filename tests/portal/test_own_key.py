"""People whose key the node does not hold: they sign in by it, and what they send they sign themselves."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from node import tier
from office.frame.office import Office
from ops import accounts
from tests.city import ROOT
from tests.portal.house import Browser, House
from tests.portal.stranger import Stranger

pytestmark = pytest.mark.row("A1")


@pytest.fixture(scope="module")
def own(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stranger]:
    """The head of the development commission and the head and the clerk of the education bureau, each with a key file and signed in by it."""
    found = {}
    folder = tmp_path_factory.mktemp("keys")
    office = Office(house.settings, tier.load("city"))
    for login in ("majun", "dinghui", "xuegang"):
        person = office.directory.login(login)
        assert person
        accounts.enroll(office, person, folder / f"{login}.pem")
        one = Stranger(house.port, house.settings.path("certs", "root.pem"), login, (folder / f"{login}.pem").read_bytes())
        assert one.enter() == 200
        found[login] = one
    office.close()
    return found


def post(**more: Any) -> dict[str, Any]:
    """A document to be issued."""
    return {"to": ["bz-jyj"], "title": "关于商请提供项目资料的函", "kind": "letter", "text": "一、事由\n请提供有关资料。"} | more


def first_prefix(house: House) -> str:
    """A number series of the development commission."""
    lines = (ROOT / "ops/data/demo.jsonl").read_text().splitlines()
    return next(json.loads(line)["doc_prefixes"][0] for line in lines if '"id": "bz-fgw"' in line)


@pytest.mark.promise("P1")
def test_a_document_signed_elsewhere_goes_out_and_is_proved(own: dict[str, Stranger], tmp_path: Path, house: House) -> None:
    """With nothing but the published format a client sends a document with a number and an attachment, and its recipient signs for it.

    The evidence of both is accepted by the stand-alone verifier, and says who signed.
    """
    head, clerk = own["majun"], own["xuegang"]
    data = os.urandom(200_000)
    status, headers, _body = head.ask("POST", "/api/v1/blobs", Upload_Length=str(len(data)))
    assert status == 201
    place, kind = headers["location"], {"Content_Type": "application/offset+octet-stream"}
    assert head.ask("PATCH", place, data[:90_000], Upload_Offset="0", **kind)[0] == 204
    assert head.ask("HEAD", place)[1]["upload-offset"] == "90000"
    assert head.ask("PATCH", place, data[90_000:], Upload_Offset="90000", **kind)[0] == 204
    seen: list[Any] = []
    head.wary = lambda said, content: seen.append((said["kind"], content))
    doc, sha = str(uuid.uuid4()), hashlib.sha256(data).hexdigest()
    asked = post(prefix=first_prefix(house), attachments=[{"sha": sha, "name": "资料.bin"}])
    status, sent = head.act("/api/v1/docs", asked, doc)
    assert (status, sent["doc"], sent["ack"], sent["copies"]) == (201, doc, "delivered", 1) and "〕" in sent["number"]
    assert [kind for kind, _content in seen] == ["documents.drafted", "documents.signed", "documents.numbered", "documents.dispatched"]
    paper = seen[-1][1][0][0]
    assert paper[2:5] == [asked["title"], asked["text"], ["bz-jyj"]]
    assert head.act("/api/v1/docs", asked, doc)[1]["ref"] == sent["ref"]
    assert head.act("/api/v1/docs", asked | {"title": "另一件的函"}, doc)[1]["code"] == "key_reused"
    items = clerk.json("GET", "/api/v1/inbox")[1]["items"]
    assert [one["title"] for one in items if one["doc"] == doc] == [asked["title"]]
    status, signed = clerk.act(f"/api/v1/docs/{doc}/receipts", {"action": "sign"}, str(uuid.uuid4()))
    assert status == 201 and clerk.signed == ["documents.signed_for"]
    (row,) = head.json("GET", f"/api/v1/docs/{doc}/receipts")[1]["by_recipient"]
    assert row["signed"] == signed["ref"]
    status, headers, bundle = head.ask("GET", f"/api/v1/docs/{doc}/evidence")
    assert status == 200 and headers["content-type"].startswith("application/jsonl")
    _checked(bundle, tmp_path, head.root, documents=1, receipts=1)


def _checked(bundle: bytes, folder: Path, root: Path, *, documents: int, receipts: int) -> None:
    file = folder / "evidence.jsonl"
    file.write_bytes(bundle)
    command = [sys.executable, "-I", str(ROOT / "ops/yiwang-verify.py"), "--json", "--root", str(root), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["ok"] and not found["problems"], found
    assert (found["documents"], found["receipts"]) == (documents, receipts)


def test_nothing_is_written_before_it_is_signed(own: dict[str, Stranger]) -> None:
    """The first answer only says what there is to sign; a signature that does not hold, or one by another key, changes nothing."""
    head, doc = own["majun"], str(uuid.uuid4())
    status, said = head.json("POST", "/api/v1/docs", post(), Idempotency_Key=doc)
    assert (status, said["code"], said["retry"]) == (403, "unsigned", "never") and len(said["sign"]) == 3
    for wrong in (["AAAA"] * 3, [own["dinghui"].key.sign(b"x").hex()] * 3, []):
        header = " ".join([said["ticket"], *wrong])
        assert head.json("POST", "/api/v1/docs", post(), Idempotency_Key=doc, Yiwang_Signed=header)[1]["code"] == "unsigned"
    assert head.json("GET", f"/api/v1/docs/{doc}")[0] == 404


def test_signatures_are_good_for_what_was_signed_only(own: dict[str, Stranger]) -> None:
    """Signatures of one document do not send another, nor one with another text, and a stranger's ticket is none."""
    head, doc = own["majun"], str(uuid.uuid4())
    _status, said = head.json("POST", "/api/v1/docs", post(), Idempotency_Key=doc)
    header = " ".join([said["ticket"], *map(head.sign, said["sign"])])
    for body, key in ((post(text="另一段话。"), doc), (post(), str(uuid.uuid4()))):
        assert head.json("POST", "/api/v1/docs", body, Idempotency_Key=key, Yiwang_Signed=header)[1]["code"] == "unsigned"
    other = own["dinghui"].json("POST", "/api/v1/docs", post(to=["bz-fgw"]), Idempotency_Key=doc, Yiwang_Signed=header)
    assert other[1]["code"] == "unsigned" and other[1]["ticket"] != said["ticket"]
    assert head.json("POST", "/api/v1/docs", post(), Idempotency_Key=doc, Yiwang_Signed=header)[0] == 201


def test_who_may_not_sign_is_told_so_before_signing(own: dict[str, Stranger]) -> None:
    """The verb checks rights before anything is to be signed, and a document without an id of its own is refused."""
    status, said = own["xuegang"].json("POST", "/api/v1/docs", post(organ="bz-jyj", to=["bz-fgw"]), Idempotency_Key=str(uuid.uuid4()))
    assert status in (403, 404) and said["code"] != "unsigned"
    assert own["majun"].json("POST", "/api/v1/docs", post())[1]["code"] == "idempotency_key"


def test_acts_of_several_steps_are_signed_step_by_step(own: dict[str, Stranger]) -> None:
    """Handing a document on registers it first: both acts are signed, each when its turn comes."""
    head, clerk, doc = own["majun"], own["xuegang"], str(uuid.uuid4())
    assert head.act("/api/v1/docs", post(), doc)[0] == 201
    clerk.signed.clear()
    assert clerk.act(f"/api/v1/docs/{doc}/receipts", {"action": "sign"}, str(uuid.uuid4()))[0] == 201
    status, said = clerk.act(f"/api/v1/docs/{doc}/receipts", {"action": "transfer", "note": "请阅办。"}, str(uuid.uuid4()))
    assert status == 201, said
    assert clerk.signed == ["documents.signed_for", "documents.registered", "documents.assigned"]


def test_a_level_that_is_not_reached_is_an_error_that_tells_what_is_true(own: dict[str, Stranger]) -> None:
    """Waiting for a receipt that does not come ends with 503 and Retry-After, and doc, ref and the level reached are there."""
    head, doc = own["majun"], str(uuid.uuid4())
    assert head.act("/api/v1/docs", post(), doc)[0] == 201
    status, headers, body = head.ask("POST", "/api/v1/docs?ack=signed&wait=0", post(), Idempotency_Key=doc)
    said = json.loads(body)
    assert (status, said["code"], said["doc"], said["ack"]) == (503, "ack_timeout", doc, "delivered") and "retry-after" in headers
    assert headers["content-type"].startswith("application/problem+json")
    assert head.json("POST", "/api/v1/docs?ack=elsewhere", post(), Idempotency_Key=doc)[0] == 422


def test_what_one_may_not_see_is_missing(own: dict[str, Stranger], house: House) -> None:
    """Evidence, text and receipts of another organ's document are as if they were not there."""
    house.password("fanxiaohong")
    doc = str(uuid.uuid4())
    assert own["majun"].act("/api/v1/docs", post(), doc)[0] == 201
    stranger: Browser = house.enter("fanxiaohong")
    for path in ("", "/evidence"):
        assert stranger.get(f"/api/v1/docs/{doc}{path}").status == 404
    assert stranger.get(f"/api/v1/docs/{uuid.uuid4()}/evidence").status == 404

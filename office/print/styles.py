"""Names of the paragraphs of our own Word files, so that a file that comes back is known again, part by part."""

from __future__ import annotations

HEAD, RECIPIENTS, BODY_STYLE, LISTED, ISSUED, RECORD, FOOT = "公文版头", "公文主送", "公文正文", "公文附件说明", "公文落款", "公文版记", "公文页码"
APART = {HEAD: "head", RECIPIENTS: "recipients", LISTED: "annexes", ISSUED: "issued", RECORD: "record"}
"What is no text of the document, by the word that says so to whoever takes the file over."

"""An attached file as entries of any room name it: hash and key of its stored bytes, and what it is."""

from __future__ import annotations

from typing import Annotated

import msgspec

from node.codec import Hash, Natural, Value

Name = Annotated[str, msgspec.Meta(max_length=300)]
"A title, number or name: one line of a list, whoever sent it."


class Annex(Value, frozen=True):
    """An attached file. Stored bytes are ciphertext whatever the audience, so that forwarding is passing on hash and key."""

    name: Name
    size: Natural
    "Bytes of the plain file."
    mime: str
    sha: Hash
    "SHA-256 of the stored bytes, by which blobs are fetched."
    plain: Hash
    "SHA-256 of the plain file, which readers and evidence compare."
    key: Hash
    stored: Natural
    "Bytes as stored."

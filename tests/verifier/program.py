"""The stand-alone verifier as a module, loaded from its file as a stranger would get it."""

from __future__ import annotations

import importlib.util
import io
import sys
from types import ModuleType
from typing import Any

from cryptography import x509

from node import certs
from tests.verifier.world import VERIFIER


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("yiwang_verify", VERIFIER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["yiwang_verify"] = module
    spec.loader.exec_module(module)
    return module


verifier = _load()


def check(data: bytes, root: x509.Certificate | None = None, doc: str | None = None) -> dict[str, Any]:
    """The verifier's answer to bundles in one file."""
    file, bundles = io.BufferedReader(io.BytesIO(data)), []
    trusted = verifier.Cert(certs.der(root)) if root is not None else None
    bundles.append(verifier.Bundle(trusted).load(file))
    while file.peek(1):
        bundles.append(verifier.Bundle(trusted).load(file))
    answer: dict[str, Any] = verifier.result(bundles, doc)
    return answer


def kinds(answer: dict[str, Any]) -> set[str]:
    """The kinds of its problems."""
    return {p["kind"] for p in answer["problems"]}

"""Alarms of the office's processes, for the status command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from node import clock
from node.settings import Settings


def publish(settings: Settings, name: str, alarms: Sequence[dict[str, Any]]) -> None:
    """Write the alarms of one source to ``run/NAME.json``, where the status command finds those of ``reactions``, ``deadlines`` and ``door``.

    One with a field ``until`` (milliseconds since 1970 UTC) ends then by itself.
    """
    file = settings.path("run", f"{name}.json")
    new = file.with_name(f"{name}.json.new")
    new.write_text(json.dumps({"at": clock.ms(), "alarms": alarms}))
    new.replace(file)

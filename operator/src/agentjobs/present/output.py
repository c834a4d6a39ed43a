"""What a run printed, and why there is nothing. Pure."""

from __future__ import annotations

import re
from typing import Final

from agentjobs.present.rows import FINAL
from agentjobs.present.text import Json, at

ENVELOPE: Final = re.compile(
    rb"@agentjobs:(envelope [0-9a-f]{32} \d+/\d+ |end [0-9a-f]{32} \d+ [0-9a-f]{64}$|filler"
    rb" [0-9a-f]{32} \.+$)"
)
"""Lines of the runner for the operator, at the end of a log."""


def why_empty(record: Json, streams: tuple[str, ...] = ("stdout", "stderr")) -> str:
    """Why an ended run has nothing in these streams.

    Empty when it has something, or still goes on.
    """
    phase, message = at(record, "status", "phase"), at(record, "status", "message")
    if phase not in FINAL or any(at(record, "status", stream) for stream in streams):
        return ""
    told = f": {message}" if message else ""
    if phase in ("Skipped", "Missed") or not at(record, "status", "startedAt"):
        return f"it did not start{told}"
    if at(record, "status", "outputTrimmed"):
        return "newer runs took its place; spec.history.outputs says how many keep theirs"
    if at(record, "status", "logsComplete") is False:
        return f"it could not be kept{told}"
    other = (
        {"stdout": "stderr", "stderr": "stdout"}.get(streams[0], "") if len(streams) == 1 else ""
    )
    beside = f", but to {other}" if other and at(record, "status", other) else ""
    where = f" to {streams[0]}" if len(streams) == 1 else ""
    return f"it printed nothing{where}{beside}{told if phase != 'Succeeded' else ''}"

"""What calls of pi leave for the runner.

It is one JSON object a line, read when no process of the run is left.
"""

from __future__ import annotations

import json
import os

from agentjobs_pi.places import NOTES
from agentjobs_pi.verdict import Usage, Verdict


def used(usage: Usage) -> None:
    """Tokens and cost of one request."""
    _append(
        {"input": usage.input_tokens, "output": usage.output_tokens, "microUSD": usage.micro_usd}
    )


def remark(sentence: str) -> None:
    """Something that the record should say, however the run ends."""
    _append({"remark": sentence})


def ended(verdict: Verdict) -> None:
    """How an agent's run ended."""
    _append({"reason": verdict.reason, "message": verdict.message})


def failed(verdict: Verdict) -> None:
    """A call by a script that failed.

    The record counts it; one that had no model, key or endpoint makes the run a failure.
    """
    _append({"failed": verdict.reason, "message": verdict.message, "needs": verdict.needs})


def _append(note: dict[str, object]) -> None:
    """One write, so that calls side by side do not mix their lines."""
    NOTES.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, json.dumps(note).encode() + b"\n")
    finally:
        os.close(descriptor)

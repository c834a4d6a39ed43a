"""What could be read of a run's output."""

from __future__ import annotations

from dataclasses import dataclass

from agentjobs.core.runner.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run's readable output: the envelope, or why there is none and the end of the live log."""

    envelope: Envelope | None
    problem: str = ""
    live: str = ""

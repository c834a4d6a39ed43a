"""What every measurement is given."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from agentjobs.testing.real_cluster.client import Client
from agentjobs.testing.real_cluster.operator_pod import OperatorPod


@dataclass(frozen=True)
class Session:
    """`audit_log` is None on a cluster whose log is not at hand.

    `jobs` is how many are listed and make the operator's memory.
    """

    client: Client
    operator: OperatorPod
    rounds: int
    jobs: int
    audit_log: Path | None

    def say(self, text: str) -> None:
        """Progress, on standard error."""
        print(f"bench: {text}", file=sys.stderr, flush=True)

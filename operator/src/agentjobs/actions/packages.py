"""A person's decision about packages of a namespace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from agentjobs.actions import bodies
from agentjobs.actions.decisions import Decision
from agentjobs.actions.refusal import Refusal
from agentjobs.api.package_rules import canonical_or_none
from agentjobs.core import naming
from agentjobs.core.plan import Write
from agentjobs.present.text import Json, at

NEEDS_APPROVAL: Final = ": needs approval"
"""How a card says it of a package."""


def decide(pins: Sequence[str], decision: Decision, reason: str | None = None) -> Write | Refusal:
    """One decision for all of these packages, each NAME==VERSION as it was shown."""
    for pin in pins:
        if canonical_or_none(pin) is None:
            return Refusal(
                "Invalid",
                f"{pin} is not a package with its version",
                "write NAME==VERSION: requests==2.32.3",
            )
    spec = {
        "packages": list(pins),
        "decision": decision,
        **({"reason": reason} if reason else {}),
    }
    why = f"a person has {decision.lower()} the packages"
    return bodies.create("packageapproval", naming.PACKAGE_DECISIONS, spec, why, completed=True)


def waiting(jobs: Iterable[Json]) -> list[str]:
    """The packages that have to be approved before these jobs run, as their cards say."""
    lines = [str(line) for job in jobs for line in at(job, "status", "card", "packages") or ()]
    return sorted(
        {line.removesuffix(NEEDS_APPROVAL) for line in lines if line.endswith(NEEDS_APPROVAL)}
    )


def withdraw(decision: Json) -> Write:
    """Takes back a decision as it was shown."""
    return bodies.delete("packageapproval", decision, "a person takes the decision back")

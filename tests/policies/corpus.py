"""Every request that the policies are tried with, by what it is."""

from __future__ import annotations

from typing import Final

from tests.policies import decisions, jobs, starts, workloads
from tests.policies.cases import Request

PARTS: Final = {
    "decisions": decisions.GROUPS,
    "runs": starts.GROUPS,
    "workloads": workloads.GROUPS,
    "jobs": jobs.GROUPS,
}
CORPUS: Final[dict[str, Request]] = {
    f"{part}: {what}": request
    for part, groups in PARTS.items()
    for group in groups
    for what, request in group.items()
}

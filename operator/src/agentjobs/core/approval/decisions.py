"""What the approvals say of a digest."""

from __future__ import annotations

from collections.abc import Iterable

from agentjobs.core.views.approvals import ApprovalView, Verdict


def verdict(digest: str, approvals: Iterable[ApprovalView]) -> Verdict:
    """Approved when an Approved exists and no Denied.

    Times do not count: objects created together share a timestamp.
    """
    decisions = {approval.decision for approval in approvals if approval.digest == digest}
    if "Denied" in decisions:
        return "Denied"
    return "Approved" if "Approved" in decisions else "Pending"


def digest_in_force(
    current: str | None, previous: str | None, approvals: tuple[ApprovalView, ...]
) -> str | None:
    """The digest in force: the spec's if approved, else the last one while its approval stands."""
    for digest in (current, previous):
        if digest and verdict(digest, approvals) == "Approved":
            return digest
    return None


def decided_by(
    digest: str, decision: Verdict, approvals: Iterable[ApprovalView]
) -> ApprovalView | None:
    """The first approval object with this digest and decision."""
    found = [
        approval
        for approval in approvals
        if approval.digest == digest and approval.decision == decision
    ]
    return min(found, key=lambda approval: (approval.at, approval.name), default=None)

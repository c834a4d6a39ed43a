"""Digest and approvals."""

from __future__ import annotations

from agentjobs.core.approval.decisions import digest_in_force, verdict
from agentjobs.core.views.approvals import ApprovalView

NOW = "2026-11-22T08:00:00Z"


def decision(digest: str, word: str, name: str = "a") -> ApprovalView:
    return ApprovalView(
        name, "report", digest, "Approved" if word == "Approved" else "Denied", "ana", NOW
    )


def test_a_denial_outweighs_any_number_of_approvals_and_time_plays_no_part() -> None:
    approvals = (
        decision("d", "Approved", "a"),
        decision("d", "Denied", "b"),
        decision("d", "Approved", "c"),
    )
    assert verdict("d", approvals) == verdict("d", approvals[::-1]) == "Denied"
    assert verdict("d", approvals[:1]) == "Approved"
    assert verdict("e", approvals) == "Pending"


def test_its_own_approved_content_runs_or_the_last_one_still_approved() -> None:
    old, new = decision("old", "Approved"), decision("new", "Approved")
    assert digest_in_force("new", "old", (old, new)) == "new"
    assert digest_in_force("new", "old", (old,)) == "old"
    assert digest_in_force("new", "old", (old, decision("old", "Denied"))) is None
    assert digest_in_force(None, "old", (old,)) == "old"
    assert digest_in_force("new", None, (old,)) is None

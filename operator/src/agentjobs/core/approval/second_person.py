"""Where approval needs a second person: whoever changed a job's content last does not approve it.

Admission refuses such an approval, but only by what the job is at that moment. So it is decided here again: an approval made
in advance, for a content written afterwards, does not count either. Nor does one of a content whose text is in a ConfigMap: nobody
knows who wrote that. Admission refuses such jobs, but not those that are older than the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agentjobs.core.content.packages import PackageApprovalView
from agentjobs.core.content.sources import references
from agentjobs.core.views.approvals import ApprovalView
from agentjobs.core.views.job import JobView

SERVICE_ACCOUNT: Final = "system:serviceaccount:"


def apart(job: JobView, digest: str | None, approvals: Iterable[ApprovalView]) -> tuple[tuple[ApprovalView, ...], tuple[ApprovalView, ...]]:
    """The approvals that count, and those of the present content (`digest`) that lack a second person.

    Whoever approved what is in force may touch the job: going back to that content needs no new approval.
    """
    requester = None if of_unknown_author(job) else job.requester
    told = job.status.approval
    stands = (told.digest, told.by) if told else (None, None)

    def counts(approval: ApprovalView) -> bool:
        if approval.decision == "Denied" or approval.digest != digest or (approval.digest, approval.by) == stands:
            return True
        return _is_second(approval.by, requester)

    found = tuple(approvals)
    return tuple(filter(counts, found)), tuple(approval for approval in found if not counts(approval))


def packages_alone(job: JobView, digest: str | None, approvals: Iterable[PackageApprovalView]) -> tuple[PackageApprovalView, ...]:
    """The approvals of packages that do not count for the present content (`digest`), for want of a second person.

    Whoever changed the content last asks for its packages. Of what is in force they all count: it came into force when they did.
    """
    told = job.status.approval
    if told and told.digest == digest:
        return ()
    requester = None if of_unknown_author(job) else job.requester
    return tuple(approval for approval in approvals if approval.decision == "Approved" and not _is_second(approval.by, requester))


def of_unknown_author(job: JobView) -> bool:
    """A text of the job is in a ConfigMap."""
    return job.spec is not None and bool(references(job.spec))


def _is_second(approver: str | None, requester: str | None) -> bool:
    """Nobody knows who a service account is."""
    return bool(approver and requester and approver != requester and not approver.startswith(SERVICE_ACCOUNT))

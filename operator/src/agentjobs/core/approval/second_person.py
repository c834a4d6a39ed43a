"""Where approval needs a second person: the one who changed a job's content last cannot approve it.

Admission refuses such an approval, but only by what the job is at that moment. So it is decided
again here: an approval made in advance, for a content written afterwards, does not count either.
Nor does an approval of a content whose text is in a ConfigMap: nobody knows who wrote that.
Admission refuses such jobs, but not those that are older than the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agentjobs.core.content.packages import PackageApprovalView
from agentjobs.core.content.sources import references
from agentjobs.core.views.approvals import ApprovalView
from agentjobs.core.views.job import JobView

SERVICE_ACCOUNT: Final = "system:serviceaccount:"


def apart(
    job: JobView, digest: str | None, approvals: Iterable[ApprovalView]
) -> tuple[tuple[ApprovalView, ...], tuple[ApprovalView, ...]]:
    """The approvals that count, and the present content's (`digest`) that lack a second person.

    The approver of what is in force may edit the job: going back to that content needs no new
    approval.
    """
    requester = None if of_unknown_author(job) else job.requester
    last = job.status.approval
    stands = (last.digest, last.by) if last else (None, None)

    def counts(approval: ApprovalView) -> bool:
        of_this = approval.decision == "Approved" and approval.digest == digest
        stays = (approval.digest, approval.by) == stands
        return not of_this or stays or _is_second(approval.by, requester)

    found = tuple(approvals)
    alone = tuple(approval for approval in found if not counts(approval))
    return tuple(filter(counts, found)), alone


def packages_alone(
    job: JobView, digest: str | None, approvals: Iterable[PackageApprovalView]
) -> tuple[PackageApprovalView, ...]:
    """The approvals of packages that do not count for the present content (`digest`).

    They lack a second person.

    The person who changed the content last asks for its packages. For what is in force all
    approvals count: they brought it into force.
    """
    last = job.status.approval
    if last and last.digest == digest:
        return ()
    requester = None if of_unknown_author(job) else job.requester
    return tuple(
        approval
        for approval in approvals
        if approval.decision == "Approved" and not _is_second(approval.by, requester)
    )


def of_unknown_author(job: JobView) -> bool:
    """Whether nobody knows the author, since a text of the job is in a ConfigMap."""
    return job.spec is not None and bool(references(job.spec))


def _is_second(approver: str | None, requester: str | None) -> bool:
    """Whether the approver is a person other than the requester.

    Nobody knows who uses a service account.
    """
    if not approver or not requester or approver == requester:
        return False
    return not approver.startswith(SERVICE_ACCOUNT)

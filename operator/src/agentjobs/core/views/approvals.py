"""Approvals and revisions, reduced to what decisions need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agentjobs.api import names
from agentjobs.core.views.metadata import Body, annotations_of, controller_uid, labels_of

Verdict = Literal["Approved", "Denied", "Pending"]


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An AgentJobApproval, in short. `at` is its creation, RFC 3339."""

    name: str
    job_name: str
    digest: str
    decision: Literal["Approved", "Denied"]
    by: str | None
    at: str


@dataclass(frozen=True, slots=True)
class RevisionView:
    """A ConfigMap that holds, or claims to hold, the content with this digest."""

    name: str
    job: str
    uid: str
    owner_uid: str | None
    digest: str


def revision_view(body: Body) -> RevisionView:
    """The view of a ConfigMap that carries our label; its metadata is enough."""
    return RevisionView(
        name=body["metadata"]["name"],
        job=labels_of(body).get(names.JOB_LABEL, ""),
        uid=body["metadata"]["uid"],
        owner_uid=controller_uid(body),
        digest=annotations_of(body).get(names.DIGEST_ANNOTATION, ""),
    )


def approval_view(body: Body) -> ApprovalView:
    """The view of an AgentJobApproval."""
    metadata, spec = body["metadata"], body["spec"]
    return ApprovalView(
        name=metadata["name"],
        job_name=spec["jobName"],
        digest=spec["digest"],
        decision=spec["decision"],
        by=spec.get("approvedBy"),
        at=metadata["creationTimestamp"],
    )

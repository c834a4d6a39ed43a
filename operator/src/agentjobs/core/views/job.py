"""A ScheduledAgentJob, reduced to what decisions need.

Bodies are not kept: they hold scripts and output.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from agentjobs.api import names, resources
from agentjobs.api.base import explain
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.views.metadata import Body, annotations_of, controller_uid, labels_of
from agentjobs.core.wire.bodies import unreadable


@dataclass(frozen=True, slots=True)
class JobView:
    """A ScheduledAgentJob.

    Exactly one of spec and problem is set; `suspended` is valid either way.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    spec: ScheduledAgentJobSpec | None
    problem: str | None
    status: ScheduledAgentJobStatus
    deleting: bool
    requester: str | None = None
    """Who changed the content last, where the API server keeps that."""
    suspended: bool = False
    gone: bool = False
    """Whether it does not exist, or is being orphaned.

    Then this stands in for it, so that what it leaves behind ends properly."""


def is_of(body: Body, job: JobView) -> bool:
    """Whether the operator made it for this job.

    Only it can set the label; anybody can set an owner.
    """
    return controller_uid(body) == job.uid and labels_of(body).get(names.JOB_LABEL) == job.name


def is_left(body: Body, job: JobView) -> bool:
    """Whether the operator made it for an earlier job of this name that was deleted without it."""
    return controller_uid(body) is None and labels_of(body).get(names.JOB_LABEL) == job.name


def _status(body: Body) -> ScheduledAgentJobStatus:
    """The status as far as it can be read: a corrupt field is left out, and written again."""
    try:
        return ScheduledAgentJobStatus.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        corrupt = {detail["loc"][0] for detail in found if detail["loc"]}
        rest = {key: value for key, value in body.items() if key not in corrupt}
        return ScheduledAgentJobStatus.model_validate(rest)


def job_view(body: Body) -> JobView:
    """The view of a ScheduledAgentJob.

    Where this version cannot read the spec, `problem` says why in a sentence.
    """
    metadata = body["metadata"]
    spec, problem = _spec(body)
    return JobView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        resource_version=metadata["resourceVersion"],
        spec=None if problem else spec,
        problem=problem,
        status=_status(body.get("status") or {}),
        deleting="deletionTimestamp" in metadata,
        requester=annotations_of(body).get(names.REQUESTER_ANNOTATION),
        suspended=(body.get("spec") or {}).get("suspend") is True,
    )


def _spec(body: Body) -> tuple[ScheduledAgentJobSpec | None, str | None]:
    if corrupt := unreadable(body):
        message = f"spec: {corrupt}; nest its fields less, and shorten the dataSchema of triggers"
        return None, message
    try:
        spec = ScheduledAgentJobSpec.model_validate(body.get("spec") or {})
        return spec, resources.JOB.problem(body)
    except ValidationError as error:
        return None, explain(error)

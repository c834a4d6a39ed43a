"""What the operator has seen of the cluster, reduced to what decisions need. Bodies are not kept: they hold scripts and output.

Each `..._view` turns an object as the API server sent it (a dict) into such a reduction. They read only; unknown fields are left alone.
Times stay RFC 3339 strings in UTC where they are only shown, and become datetimes where they are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeGuard, get_args

from pydantic import ValidationError

from agentjobs.api import names, resources
from agentjobs.api.base import explain
from agentjobs.api.job import RunPhase, ScheduledAgentJobSpec, ScheduledAgentJobStatus
from agentjobs.core.approval import ApprovalView, RevisionView
from agentjobs.core.bodies import SIZE, unreadable
from agentjobs.core.cloud_event import NO_START, EventView, event_view
from agentjobs.core.drift import spec_hash
from agentjobs.core.packages import pins
from agentjobs.core.timestamps import from_wire

Body = Mapping[str, Any]
FINAL_PHASES: frozenset[str] = frozenset({"Succeeded", "Failed", "TimedOut", "Skipped", "Missed", "Cancelled"})
SKIP_REASONS: frozenset[str] = frozenset(
    {"NotApproved", "NameTaken", "Overlap", "PolicyMissing", "CancelledBeforeStart", "NotStartedInTime", "JobNotFound", *NO_START}
)


@dataclass(frozen=True, slots=True)
class JobView:
    """A ScheduledAgentJob. Exactly one of spec and problem is set; `suspended` holds either way."""

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
    """It does not exist, or is being orphaned: this stands in for it, so that what it leaves behind ends properly."""


@dataclass(frozen=True, slots=True)
class CronJobView:
    """The CronJob of a job. `spec_hash` compares with that of the manifest we would write."""

    name: str
    uid: str
    resource_version: str
    owner_uid: str | None
    spec_hash: str
    labelled: bool
    schedule: str
    time_zone: str
    suspended: bool
    deleting: bool
    digest: str | None
    active: tuple[Mapping[str, str], ...]

    def belongs_to(self, job_uid: str) -> bool:
        """The operator made it, since only it can set the labels; an owner anybody can. Without an owner: somebody removed it."""
        return self.labelled and self.owner_uid in (job_uid, None)


@dataclass(frozen=True, slots=True)
class BatchJobView:
    """A batch/v1 Job that runs, ran, or waits to run the script once."""

    namespace: str
    name: str
    job: str
    uid: str
    resource_version: str
    owner_uid: str | None
    created: datetime
    suspended: bool
    manual: bool
    """The operator created it."""
    digest: str | None
    stop_reason: str | None
    ended: Literal["", "Complete", "Failed"]
    failure: str
    """Reason of the condition Failed or FailureTarget: DeadlineExceeded, PodFailurePolicy, BackoffLimitExceeded."""
    deleting: bool
    held: bool = False
    """Its controller has seen that it is suspended."""
    due: datetime | None = None
    """When its deadline passes; None while it has not started."""
    packages: tuple[str, ...] = ()
    """The pins that it was started with and that needed an approval of their own then."""
    foreign: bool = False
    """It lacks our label, and only has the name of one of ours: nothing of it is read, and it is left alone."""
    run_uid: str | None = None
    """Of the run that the operator made it for."""


@dataclass(frozen=True, slots=True)
class RunView:
    """An AgentJobRun that is not finished, or whose phase says that it is."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    job: str
    adopted: bool
    manual: bool
    """It is for the operator to start it, not for the CronJob controller."""
    created: datetime
    phase: RunPhase
    reason: str | None
    message: str | None
    started: str | None
    digest: str | None = None
    skip: tuple[str, str] | None = None
    """Reason and message, where it was decided that it does not start."""
    started_as: str | None = None
    """The uid of the one Job of an adopted manual run."""
    made_as: str | None = None
    """The uid of the Job that the CronJob controller made for it, as far as it was noted."""
    event: EventView | None = None
    ancestors: tuple[str, ...] = ()
    """The jobs of the chain before it."""
    cancel: bool = False
    """Somebody wants it to end."""
    scheduled: bool = False
    """By its trigger, whoever starts it."""
    stored_bytes: int = 0
    """The whole object as it was read last."""

    @property
    def final(self) -> bool:
        """Its record is complete; of it only the output is ever shortened."""
        return self.phase in FINAL_PHASES


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A finished run as retention sees it: when, how, how many bytes it holds, and whether it goes with its job."""

    namespace: str
    name: str
    uid: str
    job: str
    phase: str
    finished: str
    output_bytes: int
    owner_uid: str | None = None
    stored_bytes: int = 0
    """The whole record; 0 in those of earlier versions."""


def is_orphaning(body: Body) -> bool:
    """Garbage collection is taking the owner off everything that a deleted object has: nothing must get that owner again."""
    metadata = body["metadata"]
    return "deletionTimestamp" in metadata and "orphan" in (metadata.get("finalizers") or ())


def controller_uid(body: Body) -> str | None:
    """The uid of the owner that is marked as controller."""
    owners = body["metadata"].get("ownerReferences", ())
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def is_of(body: Body, job: JobView) -> bool:
    """The operator made it for this job. Only it can set the label; an owner anybody can."""
    return controller_uid(body) == job.uid and labels_of(body).get(names.JOB_LABEL) == job.name


def is_left(body: Body, job: JobView) -> bool:
    """The operator made it for an earlier job of this name, which was deleted without it."""
    return controller_uid(body) is None and labels_of(body).get(names.JOB_LABEL) == job.name


def labels_of(body: Body) -> Mapping[str, str]:
    """May be none."""
    return body["metadata"].get("labels") or {}


def annotations_of(body: Body) -> Mapping[str, str]:
    """May be none."""
    return body["metadata"].get("annotations") or {}


def condition_of(body: Body, kind: str) -> Mapping[str, str]:
    """The condition of this type where it is true, else nothing."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind and c["status"] == "True"), {})


def _status(body: Body) -> ScheduledAgentJobStatus:
    """The status as far as it can be read: a field that somebody spoilt is left out, and written anew."""
    try:
        return ScheduledAgentJobStatus.model_validate(body)
    except ValidationError as error:
        spoilt = {detail["loc"][0] for detail in error.errors(include_url=False, include_input=False) if detail["loc"]}
        return ScheduledAgentJobStatus.model_validate({key: value for key, value in body.items() if key not in spoilt})


def job_view(body: Body) -> JobView:
    """From a ScheduledAgentJob. A spec that this version cannot read is a problem of the job, told in a sentence."""
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
    if spoilt := unreadable(body):
        return None, f"spec: {spoilt}; nest less, and write less into triggers' dataSchema"
    try:
        return ScheduledAgentJobSpec.model_validate(body.get("spec") or {}), resources.JOB.problem(body)
    except ValidationError as error:
        return None, explain(error)


def cron_job_view(body: Body) -> CronJobView:
    """From a batch/v1 CronJob."""
    metadata, spec = body["metadata"], body["spec"]
    labels = labels_of(body)
    return CronJobView(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        spec_hash=spec_hash(spec),
        labelled=labels.get(names.JOB_LABEL) == metadata["name"] and labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY,
        schedule=spec["schedule"],
        time_zone=spec.get("timeZone") or "",
        suspended=bool(spec.get("suspend")),
        deleting="deletionTimestamp" in metadata,
        digest=annotations_of(body).get(names.DIGEST_ANNOTATION),
        active=tuple((body.get("status") or {}).get("active") or ()),
    )


def batch_job_view(body: Body) -> BatchJobView:
    """From a batch/v1 Job that carries our label."""
    metadata = body["metadata"]
    annotations = annotations_of(body)
    failed = condition_of(body, "Failed")
    ended: Literal["", "Complete", "Failed"] = "Failed" if failed else "Complete" if condition_of(body, "Complete") else ""
    return BatchJobView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        job=labels_of(body).get(names.JOB_LABEL, ""),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        created=from_wire(metadata["creationTimestamp"]),
        suspended=bool(body["spec"].get("suspend")),
        manual=names.TRIGGER_ANNOTATION in annotations,
        digest=annotations.get(names.DIGEST_ANNOTATION),
        stop_reason=annotations.get(names.STOP_ANNOTATION),
        ended=ended,
        failure=(failed or condition_of(body, "FailureTarget")).get("reason", ""),
        deleting="deletionTimestamp" in metadata,
        held=bool(condition_of(body, "Suspended")),
        due=_due(body),
        packages=pins(annotations.get(names.PACKAGES_ANNOTATION, "").split(",")),
        run_uid=annotations.get(names.RUN_UID_ANNOTATION),
    )


def _due(body: Body) -> datetime | None:
    started, seconds = (body.get("status") or {}).get("startTime"), body["spec"].get("activeDeadlineSeconds")
    return from_wire(started) + timedelta(seconds=seconds) if started and seconds else None


def _is_phase(text: object) -> TypeGuard[RunPhase]:
    return text in get_args(RunPhase)


def run_view(body: Body) -> RunView:
    """From an AgentJobRun. An empty phase is Pending."""
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    phase = status.get("phase")
    scheduled = (spec.get("trigger") or {}).get("type", "Manual") == "Schedule"
    adopted, started_as = controller_uid(body) is not None, annotations_of(body).get(names.STARTED_AS_ANNOTATION)
    return RunView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        job=spec["jobName"],
        adopted=adopted,
        manual=not scheduled or not adopted or started_as is not None,
        created=from_wire(metadata["creationTimestamp"]),
        phase=phase if _is_phase(phase) else "Pending",
        reason=status.get("reason"),
        message=status.get("message"),
        started=status.get("startedAt"),
        digest=status.get("digest"),
        skip=_skip(body),
        started_as=started_as,
        made_as=annotations_of(body).get(names.MADE_AS_ANNOTATION),
        event=event_view(spec.get("trigger") or {}, unreadable(body)),
        ancestors=tuple((spec.get("trigger") or {}).get("ancestors") or ()),
        cancel=bool(spec.get("cancel")),
        scheduled=scheduled,
        stored_bytes=body.get(SIZE, 0),
    )


def _skip(body: Body) -> tuple[str, str] | None:
    reason, _, message = annotations_of(body).get(names.SKIP_ANNOTATION, "").partition(": ")
    return (reason, message) if reason in SKIP_REASONS else None


def revision_view(body: Body) -> RevisionView:
    """From a ConfigMap that carries our label; its metadata is enough."""
    return RevisionView(
        name=body["metadata"]["name"],
        job=labels_of(body).get(names.JOB_LABEL, ""),
        uid=body["metadata"]["uid"],
        owner_uid=controller_uid(body),
        digest=annotations_of(body).get(names.DIGEST_ANNOTATION, ""),
    )


def approval_view(body: Body) -> ApprovalView:
    """From an AgentJobApproval."""
    metadata, spec = body["metadata"], body["spec"]
    return ApprovalView(
        name=metadata["name"],
        job_name=spec["jobName"],
        digest=spec["digest"],
        decision=spec["decision"],
        by=spec.get("approvedBy"),
        at=metadata["creationTimestamp"],
    )

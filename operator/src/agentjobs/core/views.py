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
from agentjobs.core.drift import spec_hash
from agentjobs.core.packages import pins
from agentjobs.core.timestamps import from_wire

Body = Mapping[str, Any]
FINAL_PHASES: frozenset[str] = frozenset({"Succeeded", "Failed", "TimedOut", "Skipped", "Cancelled"})
SKIP_REASONS: frozenset[str] = frozenset({"NotApproved", "NameTaken", "Overlap", "PolicyMissing", "CancelledBeforeStart"})
RUNNER_CONTAINER = "runner"
INSTALL_CONTAINER = "packages"
UNKNOWN_END = "ContainerStatusUnknown"
"""The kubelet's word for a container that it never started, or lost: it then makes up an exit code of 137."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A ScheduledAgentJob. Exactly one of spec and problem is set."""

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
        """Also without an owner, where the labels are ours: somebody removed the reference."""
        return self.owner_uid == job_uid or (self.owner_uid is None and self.labelled)


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


@dataclass(frozen=True, slots=True)
class PodView:
    """A run's pod. The container fields are those of the runner."""

    namespace: str
    name: str
    job: str
    run: str
    uid: str
    resource_version: str
    owner_uid: str | None
    phase: str
    deletion: datetime | None
    """When its grace period is over, once its deletion was asked for."""
    disruption: str
    running: bool
    started: str | None
    finished: str | None
    exit_code: int | None
    ended_by: str
    termination_message: str
    waiting: str
    waiting_message: str
    image: str | None
    installing: bool = False
    """The container before the runner's is at work."""
    install_exit: int | None = None
    install_message: str = ""
    install_ended_by: str = ""
    told_to_end: datetime | None = None
    """When its deletion was asked for, which its processes hear of at once."""

    @property
    def ended(self) -> bool:
        """The container has ended, or the pod without it ever having started."""
        return self.exit_code is not None or (self.phase in ("Failed", "Succeeded") and not self.running)

    @property
    def ending(self) -> bool:
        """Something ends the pod from outside; the runner lingers meanwhile so that its log can be read."""
        return self.deletion is not None or bool(self.disruption)


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
    cancel: bool = False
    """Somebody wants it to end."""

    @property
    def final(self) -> bool:
        """Its record is complete; of it only the output is ever shortened."""
        return self.phase in FINAL_PHASES


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A finished run as retention sees it: when, how, and how many bytes of output it holds."""

    namespace: str
    name: str
    uid: str
    job: str
    phase: str
    finished: str
    output_bytes: int
    owner_uid: str | None = None
    """Of the job that takes the record with it when it is deleted."""


def controller_uid(body: Body) -> str | None:
    """The uid of the owner that is marked as controller."""
    owners = body["metadata"].get("ownerReferences", ())
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def is_of(body: Body, job: JobView) -> bool:
    """The operator made it for this job. Only it can set the label; an owner anybody can."""
    return controller_uid(body) == job.uid and _labels(body).get(names.JOB_LABEL) == job.name


def _labels(body: Body) -> Mapping[str, str]:
    return body["metadata"].get("labels") or {}


def _annotations(body: Body) -> Mapping[str, str]:
    return body["metadata"].get("annotations") or {}


def _condition(body: Body, kind: str) -> Mapping[str, str]:
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
    spec, problem = None, None
    try:
        spec = ScheduledAgentJobSpec.model_validate(body.get("spec") or {})
        problem = resources.JOB.problem(body)
    except ValidationError as error:
        problem = explain(error)
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
        requester=_annotations(body).get(names.REQUESTER_ANNOTATION),
    )


def cron_job_view(body: Body) -> CronJobView:
    """From a batch/v1 CronJob."""
    metadata, spec = body["metadata"], body["spec"]
    labels = _labels(body)
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
        digest=_annotations(body).get(names.DIGEST_ANNOTATION),
        active=tuple((body.get("status") or {}).get("active") or ()),
    )


def batch_job_view(body: Body) -> BatchJobView:
    """From a batch/v1 Job that carries our label."""
    metadata = body["metadata"]
    annotations = _annotations(body)
    failed = _condition(body, "Failed")
    ended: Literal["", "Complete", "Failed"] = "Failed" if failed else "Complete" if _condition(body, "Complete") else ""
    return BatchJobView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        job=_labels(body).get(names.JOB_LABEL, ""),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        created=from_wire(metadata["creationTimestamp"]),
        suspended=bool(body["spec"].get("suspend")),
        manual=annotations.get(names.TRIGGER_ANNOTATION) == "Manual",
        digest=annotations.get(names.DIGEST_ANNOTATION),
        stop_reason=annotations.get(names.STOP_ANNOTATION),
        ended=ended,
        failure=(failed or _condition(body, "FailureTarget")).get("reason", ""),
        deleting="deletionTimestamp" in metadata,
        held=bool(_condition(body, "Suspended")),
        due=_due(body),
        packages=pins(annotations.get(names.PACKAGES_ANNOTATION, "").split(",")),
    )


def _due(body: Body) -> datetime | None:
    started, seconds = (body.get("status") or {}).get("startTime"), body["spec"].get("activeDeadlineSeconds")
    return from_wire(started) + timedelta(seconds=seconds) if started and seconds else None


def pod_view(body: Body) -> PodView:
    """From a core/v1 Pod that carries our label."""
    metadata, status = body["metadata"], body.get("status") or {}
    containers = status.get("containerStatuses") or ()
    container: Mapping[str, Any] = next((c for c in containers if c["name"] == RUNNER_CONTAINER), {})
    state = container.get("state") or {}
    ended, running, waiting = state.get("terminated") or {}, state.get("running") or {}, state.get("waiting") or {}
    conditions = status.get("conditions") or ()
    unscheduled: Mapping[str, Any] = next((c for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"), {})
    install: Mapping[str, Any] = next((c["state"] for c in status.get("initContainerStatuses") or () if c["name"] == INSTALL_CONTAINER), {})
    installed = install.get("terminated") or {}
    waiting = install.get("waiting") or waiting
    reason, message = (waiting.get("reason", ""), waiting.get("message", "")) if waiting else ("", "")
    if unscheduled and not container:
        reason, message = unscheduled.get("reason", ""), unscheduled.get("message", "")
    return PodView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        job=_labels(body).get(names.JOB_LABEL, ""),
        run=_labels(body).get("batch.kubernetes.io/job-name", ""),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        phase=status.get("phase", ""),
        deletion=from_wire(metadata["deletionTimestamp"]) if "deletionTimestamp" in metadata else None,
        disruption=_condition(body, "DisruptionTarget").get("reason", ""),
        running=bool(running),
        started=running.get("startedAt") or ended.get("startedAt"),
        finished=ended.get("finishedAt"),
        exit_code=None if ended.get("reason") == UNKNOWN_END else ended.get("exitCode"),
        ended_by=status.get("reason") or ended.get("reason", ""),
        termination_message=ended.get("message", ""),
        waiting=reason,
        waiting_message=message,
        image=container.get("imageID") or container.get("image"),
        installing="running" in install,
        install_exit=installed.get("exitCode"),
        install_message=installed.get("message", ""),
        install_ended_by=installed.get("reason", ""),
        told_to_end=_told_to_end(metadata),
    )


def _told_to_end(metadata: Mapping[str, Any]) -> datetime | None:
    if "deletionTimestamp" not in metadata:
        return None
    return from_wire(metadata["deletionTimestamp"]) - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)


def _is_phase(text: object) -> TypeGuard[RunPhase]:
    return text in get_args(RunPhase)


def run_view(body: Body) -> RunView:
    """From an AgentJobRun. An empty phase is Pending."""
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    phase = status.get("phase")
    return RunView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        job=spec["jobName"],
        adopted=controller_uid(body) is not None,
        manual=(spec.get("trigger") or {}).get("type", "Manual") == "Manual",
        created=from_wire(metadata["creationTimestamp"]),
        phase=phase if _is_phase(phase) else "Pending",
        reason=status.get("reason"),
        message=status.get("message"),
        started=status.get("startedAt"),
        digest=status.get("digest"),
        skip=_skip(body),
        started_as=_annotations(body).get(names.STARTED_AS_ANNOTATION),
        cancel=bool(spec.get("cancel")),
    )


def _skip(body: Body) -> tuple[str, str] | None:
    reason, _, message = _annotations(body).get(names.SKIP_ANNOTATION, "").partition(": ")
    return (reason, message) if reason in SKIP_REASONS else None


def revision_view(body: Body) -> RevisionView:
    """From a ConfigMap that carries our label; its metadata is enough."""
    return RevisionView(
        name=body["metadata"]["name"],
        job=_labels(body).get(names.JOB_LABEL, ""),
        uid=body["metadata"]["uid"],
        owner_uid=controller_uid(body),
        digest=_annotations(body).get(names.DIGEST_ANNOTATION, ""),
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

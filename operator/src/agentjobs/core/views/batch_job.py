"""A batch/v1 Job, reduced to what decisions need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from agentjobs.api import names
from agentjobs.core.content.packages import pins
from agentjobs.core.timestamps import from_wire
from agentjobs.core.views.metadata import (
    Body,
    annotations_of,
    condition_of,
    controller_uid,
    labels_of,
)


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
    """Whether the operator created it."""
    digest: str | None
    stop_reason: str | None
    ended: Literal["", "Complete", "Failed"]
    failure: str
    """Reason of the condition Failed or FailureTarget, for example DeadlineExceeded."""
    deleting: bool
    held: bool = False
    """Whether its controller has seen that it is suspended."""
    due: datetime | None = None
    """When its deadline passes; None while it has not started."""
    packages: tuple[str, ...] = ()
    """The pins it was started with that needed an approval of their own then."""
    foreign: bool = False
    """Whether it lacks our label and only has the name of one of ours.

    Nothing else of it is read, and it is left alone."""
    run_uid: str | None = None
    """The uid of the run that the operator made it for."""


def batch_job_view(body: Body) -> BatchJobView:
    """The view of a batch/v1 Job that carries our label."""
    metadata = body["metadata"]
    annotations = annotations_of(body)
    failed = condition_of(body, "Failed")
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
        ended=_ended(body),
        failure=(failed or condition_of(body, "FailureTarget")).get("reason", ""),
        deleting="deletionTimestamp" in metadata,
        held=bool(condition_of(body, "Suspended")),
        due=_due(body),
        packages=pins(annotations.get(names.PACKAGES_ANNOTATION, "").split(",")),
        run_uid=annotations.get(names.RUN_UID_ANNOTATION),
    )


def _ended(body: Body) -> Literal["", "Complete", "Failed"]:
    if condition_of(body, "Failed"):
        return "Failed"
    return "Complete" if condition_of(body, "Complete") else ""


def _due(body: Body) -> datetime | None:
    started = (body.get("status") or {}).get("startTime")
    seconds = body["spec"].get("activeDeadlineSeconds")
    return from_wire(started) + timedelta(seconds=seconds) if started and seconds else None

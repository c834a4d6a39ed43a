"""The writes that make up the life of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from agentjobs.api.job_status import RunPhase
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core import naming
from agentjobs.core.plan import CONTENT, STATUS, Stage, Write, run_strand
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.job import JobView
from agentjobs.core.views.run import RunView
from agentjobs.core.wire.weight import weight

CONTENT_FIRST: Final = frozenset({CONTENT})
COUNTED_FIRST: Final = frozenset({STATUS})


def as_read(thing: RunView | BatchJobView) -> dict[str, str]:
    """A precondition: the write is refused when anybody has changed the object since."""
    return {"uid": thing.uid, "resourceVersion": thing.resource_version}


def adopt(job: JobView, run: RunView, decision: dict[str, str]) -> Write:
    """Makes the job the run's owner and notes the decision: as which Job it starts, or why not.

    It holds until the record is written.
    """
    owner = {
        "labels": naming.labels(job.name),
        "annotations": decision,
        "ownerReferences": naming.owned_by(job),
    }
    body, strand = {"metadata": owner | as_read(run)}, run_strand(run.name)
    why = "it belongs to its job"
    return Write("patch", "run", run.name, why, body, stage=Stage.START, strand=strand)


def skipped(reason: str, message: str, now: datetime) -> AgentJobRunStatus:
    """The record of a run that did not start."""
    others: dict[str, RunPhase] = {
        "CancelledBeforeStart": "Cancelled",
        "NotStartedInTime": "Missed",
    }
    phase = others.get(reason, "Skipped")
    return AgentJobRunStatus(
        phase=phase,
        reason=reason,
        message=message,
        finished_at=to_wire(now),
        output_bytes=0,
        stdout="",
        stderr="",
        logs_complete=True,
    )


def final(run: RunView, record: AgentJobRunStatus) -> Write:
    """The last write to a run: its record."""
    status = record.model_dump(mode="json", by_alias=True)
    status["storedBytes"] = run.stored_bytes + weight(record.wire())
    return replace(_status(run, status, f"its record: {record.phase}"), needs=COUNTED_FIRST)


def progress(run: RunView, status: dict[str, str | None]) -> Write:
    """Shows how far a run is."""
    return _status(run, status, f"it is {status['phase']}")


def _status(run: RunView, status: Mapping[str, Any], why: str) -> Write:
    body, strand = {"metadata": as_read(run), "status": status}, run_strand(run.name)
    return Write("patch", "run", run.name, why, body, "status", stage=Stage.RECORD, strand=strand)


def delete_job(job: BatchJobView, why: str) -> Write:
    """Deletes a Job, after its record where that is written in the same plan."""
    strand = run_strand(job.name)
    return Write(
        "delete",
        "batchjob",
        job.name,
        why,
        uid=job.uid,
        expendable=True,
        stage=Stage.RECORD,
        strand=strand,
        needs=COUNTED_FIRST,
    )

"""What has to end, by decisions and people's requests, and by nothing else a job has or lacks.

It needs no readable spec, no revision, no log and no record: whatever is wrong with these holds no
stop back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from agentjobs.api import names
from agentjobs.core.approval.decisions import verdict
from agentjobs.core.content.digest import Content
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Stage, Write
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.views.run import RunView

SURE: Final = frozenset({"Denied", "PackageDenied", "CancelledByUser", "CancelledBeforeStart"})
"""Reasons that follow from something that was seen.

The others follow from something that is missing, and caches may be late."""


def reasons(observed: Observed, contents: Iterable[Content] = ()) -> Mapping[str, str]:
    """Why Jobs that go on may not, by their uids.

    Their owner does not matter: only the operator can set the label. `contents`: the contents that
    are known.
    """
    by_digest = {content.digest: content for content in contents}
    runs = {run.name: run for run in observed.runs}
    found = {}
    for job in observed.batch_jobs:
        if not (job.foreign or job.stop_reason or job.ended or job.deleting):
            content = by_digest.get(job.digest or "")
            if reason := _reason(observed, job, runs.get(job.name), content):
                found[job.uid] = reason
    return found


def _reason(
    observed: Observed, job: BatchJobView, run: RunView | None, content: Content | None
) -> str | None:
    """Why this Job has to stop; None: it may go on.

    A package that was in the image at its start and is missing in the next one is fine.
    """
    if run and run.cancel and (run.adopted or not job.suspended):
        waits = job.manual and job.suspended and run.started is None
        return "CancelledBeforeStart" if waits else "CancelledByUser"
    decision = verdict(job.digest, observed.approvals) if job.digest else "Pending"
    if decision != "Approved":
        return "Denied" if decision == "Denied" else "ApprovalRevoked"
    pins = (*job.packages, *(content.spec.packages if content else ()))
    if "Denied" in observed.packages.lacking(pins).values():
        return "PackageDenied"
    return "PackageRevoked" if observed.packages.lacking(job.packages) else None


def writes(
    observed: Observed, contents: Iterable[Content] = (), *, sure: bool = False
) -> Iterator[Write]:
    """Every stop that is due. `sure`: only those that need no question to the API server."""
    cron, why = observed.cron_job, no_more_starts(observed)
    if cron and why and (why[1] or not sure):
        yield suspend(cron, why[0])
    found = reasons(observed, contents)
    for job in observed.batch_jobs:
        reason = found.get(job.uid)
        if reason and (reason in SURE or not sure):
            yield stop(job, reason)


def no_more_starts(observed: Observed) -> tuple[str, bool] | None:
    """Why the CronJob must not start anything, and whether that is sure.

    None: it may start runs, or it cannot anyway.
    """
    cron, job = observed.cron_job, observed.job
    if cron is None or cron.deleting or cron.suspended:
        return None
    if job.gone:
        return ("its ScheduledAgentJob no longer exists", True) if cron.labelled else None
    if not cron.belongs_to(job.uid):
        return None
    if job.deleting:
        return "its job is being deleted", True
    if job.suspended:
        return "spec.suspend is true", True
    decision = verdict(cron.digest, observed.approvals) if cron.digest else "Approved"
    return None if decision == "Approved" else ("nothing is approved", decision == "Denied")


def suspend(cron: CronJobView, why: str) -> Write:
    """Suspends the CronJob: no start from now on."""
    body = {"metadata": {"uid": cron.uid}, "spec": {"suspend": True}}
    return Write("patch", "cronjob", cron.name, why, body, stage=Stage.STOP)


def stop(job: BatchJobView, reason: str, stage: Stage = Stage.STOP) -> Write:
    """Suspends a Job: its pods end, and it stays, with the reason, until the run is recorded."""
    metadata = {"uid": job.uid}
    if reason == "CancelledBeforeStart":
        # This holds only for the Job as it was read: another leader may be resuming it.
        metadata["resourceVersion"] = job.resource_version
    annotations = {names.STOP_ANNOTATION: reason}
    body = {"metadata": {**metadata, "annotations": annotations}, "spec": {"suspend": True}}
    return Write("patch", "batchjob", job.name, f"stopped: {reason}", body, stage=stage)

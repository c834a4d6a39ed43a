"""What has to end, told by decisions and by what people ask for, and by nothing else that a job has or lacks.

It needs no spec that can be read, no revision, no log and no record: whatever is wrong with these holds no stop back.
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
"""Reasons that something gives which was seen. The others follow from what is not there, and caches may be late."""


def reasons(observed: Observed, contents: Iterable[Content] = ()) -> Mapping[str, str]:
    """By the uids of the job's Jobs that go on: why they may not.

    Whoever owns them: nobody but the operator can put the label on. `contents`: those that are known.
    """
    known = {content.digest: content for content in contents}
    runs = {run.name: run for run in observed.runs}
    found = {}
    for job in observed.batch_jobs:
        if not (job.foreign or job.stop_reason or job.ended or job.deleting):
            content = known.get(job.digest or "")
            if reason := _reason(observed, job, runs.get(job.name), content):
                found[job.uid] = reason
    return found


def _reason(observed: Observed, job: BatchJobView, run: RunView | None, content: Content | None) -> str | None:
    """A package that was in the image when a run was started does not stop it by being gone from the next image."""
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


def writes(observed: Observed, contents: Iterable[Content] = (), *, sure: bool = False) -> Iterator[Write]:
    """Every stop that is due. `sure`: only those that need no second look."""
    cron, why = observed.cron_job, no_more_starts(observed)
    if cron and why and (why[1] or not sure):
        yield suspend(cron, why[0])
    found = reasons(observed, contents)
    for job in observed.batch_jobs:
        reason = found.get(job.uid)
        if reason and (reason in SURE or not sure):
            yield stop(job, reason)


def no_more_starts(observed: Observed) -> tuple[str, bool] | None:
    """Why the CronJob must not start anything, and whether that is sure. None: it may, or it does not."""
    cron, job = observed.cron_job, observed.job
    if cron is None or cron.deleting or cron.suspended:
        return None
    if job.gone:
        return ("its job is gone", True) if cron.labelled else None
    if not cron.belongs_to(job.uid):
        return None
    if job.deleting:
        return "its job is being deleted", True
    if job.suspended:
        return "spec.suspend is true", True
    decision = verdict(cron.digest, observed.approvals) if cron.digest else "Approved"
    return None if decision == "Approved" else ("nothing is approved", decision == "Denied")


def suspend(cron: CronJobView, why: str) -> Write:
    """No start of it from now on."""
    body = {"metadata": {"uid": cron.uid}, "spec": {"suspend": True}}
    return Write("patch", "cronjob", cron.name, why, body, stage=Stage.STOP)


def stop(job: BatchJobView, reason: str, stage: Stage = Stage.STOP) -> Write:
    """Suspending a Job ends its pods and keeps the Job, with the reason on it, until the run is recorded."""
    metadata = {"uid": job.uid}
    if reason == "CancelledBeforeStart":
        # True only of the Job as it was read: another leader may be letting it go.
        metadata["resourceVersion"] = job.resource_version
    annotations = {names.STOP_ANNOTATION: reason}
    body = {"metadata": {**metadata, "annotations": annotations}, "spec": {"suspend": True}}
    return Write("patch", "batchjob", job.name, f"stopped: {reason}", body, stage=stage)

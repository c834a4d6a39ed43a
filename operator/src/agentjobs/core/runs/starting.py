"""Starts runs: from the moment something asks for one until its Job may begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from agentjobs.api import names
from agentjobs.core.approval import revisions
from agentjobs.core.approval.in_force import why_nothing_runs
from agentjobs.core.content.digest import Content
from agentjobs.core.plan import Stage, Write, run_strand
from agentjobs.core.runs import pauses, stops
from agentjobs.core.runs.cases import Case, RunContext, Step, concurrency_policy
from agentjobs.core.runs.outcome import CANCELLED_IN_TIME
from agentjobs.core.runs.writes import CONTENT_FIRST, adopt, as_read
from agentjobs.core.triggers import events
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.views.run import RunView
from agentjobs.core.workload import cronjob

ARRIVAL_GRACE: Final = timedelta(seconds=2)
"""A run that `kubectl apply` created together with its job and approval may be seen before them."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A manual run that is to start, and the run that it may have to wait for or replace."""

    context: RunContext
    case: Case
    run: RunView
    ahead: Case | None


Refusal = tuple[str, str]
"""Reason and sentence."""


def _has_priority(other: Case, run: RunView) -> bool:
    """Whether another run has begun, or begins before this one because it was requested earlier."""
    job = other.batch_job
    if other.final or (job and job.ended):
        return False
    asked = other.run
    if asked and asked.manual and not asked.adopted and (job is None or job.suspended):
        return (asked.created, asked.name) < (run.created, run.name)
    return job is not None


def _cancelled(request: _Request) -> Refusal | None:
    return ("CancelledBeforeStart", CANCELLED_IN_TIME) if request.run.cancel else None


def _job_is_deleted(request: _Request) -> Refusal | None:
    job = request.context.job
    return ("JobNotFound", f"the job {job.name} is being deleted") if job.deleting else None


def _unguarded(request: _Request) -> Refusal | None:
    """Refuses while nobody checks who approves.

    A gap that has only just begun makes the run wait instead.
    """
    gap = request.context.observed.gap
    return ("PolicyMissing", gap.sentence()) if gap and gap.lasts(request.context.now) else None


def _event_starts_nothing(request: _Request) -> Refusal | None:
    context, run = request.context, request.run
    event, paused = context.observed.events.get(run.name), pauses.pause_reason(context.job)
    return events.refusal(run, context.force.spec, event, paused)


def _not_approved(request: _Request) -> Refusal | None:
    force = request.context.force
    if force.content is not None:
        return None
    return "NotApproved", why_nothing_runs(force, request.context.job.name)


def _in_the_way(request: _Request) -> Refusal | None:
    found = request.context.obstacle
    return ("NameTaken", found) if found else None


def _name_taken(request: _Request) -> Refusal | None:
    name, jobs = request.case.name, request.context.observed.batch_jobs
    if request.case.batch_job is None and any(job.name == name for job in jobs):
        message = f"a Job named {name} exists and does not belong to this run; choose another name"
        return "NameTaken", message
    return None


def _overlaps(request: _Request) -> Refusal | None:
    ahead = request.ahead
    if ahead and ahead.batch_job and concurrency_policy(request.context) == "Forbid":
        message = f"the run {ahead.name} has not finished; the job's concurrencyPolicy is Forbid"
        return "Overlap", message
    return None


REFUSALS: Final = (
    # First: a person asked for this, whatever else keeps the run from starting.
    _cancelled,
    # No change to anything below would let the run start.
    _job_is_deleted,
    # While nobody checks who approves, no approval below counts.
    _unguarded,
    # An invalid event is refused even where nothing is approved; it does not wait for an approval.
    _event_starts_nothing,
    # The checks below are about running the content in force.
    _not_approved,
    # It keeps every run of the job from starting; those below keep this run alone.
    _in_the_way,
    # Another run of the job could start; waiting does not help this one.
    _name_taken,
    # Last: the only one that ends by itself, when the other run does.
    _overlaps,
)
"""Why a manual run cannot start, in this order; the first that applies is the run's reason."""


def start(context: RunContext, case: Case, run: RunView) -> Step:
    """Takes a manual run up to its adoption.

    From then on it counts as started; before, it can still be refused.
    """
    job, cron, content = case.batch_job, context.observed.cron_job, context.force.content
    if job and not job.manual:
        # The CronJob controller was late, not gone: its Job is the start.
        adopted = adopt(context.job, run, {names.MADE_AS_ANNOTATION: job.uid})
        return Step(before=(adopted,), requeue_after=0)
    others = (other for other in context.cases if other.name != case.name)
    ahead = next((other for other in others if _has_priority(other, run)), None)
    ahead = None if concurrency_policy(context) == "Allow" else ahead
    request = _Request(context, case, run, ahead)
    refused = next((found for check in REFUSALS if (found := check(request))), None)
    if refused and refused[0] == "NotApproved" and context.now - run.created < ARRIVAL_GRACE:
        return Step(requeue_after=ARRIVAL_GRACE.total_seconds())
    if refused:
        adopted = adopt(context.job, run, {names.SKIP_ANNOTATION: ": ".join(refused)})
        return Step(before=(adopted,), requeue_after=0)
    if ahead or cron is None or cron.deleting or content is None or context.observed.gap:
        return _wait(context, ahead)
    if job is None:
        return _make_job(context, run, cron, content)
    return release(context, run, job)


def _wait(context: RunContext, ahead: Case | None) -> Step:
    """Waits until the run may start.

    A run that is to replace another one stops that, but not before that one has begun.
    """
    job = ahead.batch_job if ahead else None
    if job is None or concurrency_policy(context) != "Replace":
        return Step(requeue_after=0 if ahead else 1)
    if job.suspended or job.stop_reason or job.deleting:
        return Step(requeue_after=1)
    return Step(before=(stops.stop(job, "Replaced", Stage.START),), requeue_after=0)


def _make_job(context: RunContext, run: RunView, cron: CronJobView, content: Content) -> Step:
    """Creates the Job, suspended, of a run that may start.

    Waits where the run's event has not been read yet.
    """
    event = context.observed.events.get(run.name)
    if run.event and event is None:
        return Step(requeue_after=1)
    frozen = revisions.frozen(context.observed, content.digest)
    body = cronjob.manual_job(context.job, run, cron, content, context.policy, frozen, event)
    when, strand = Stage.CREATE, run_strand(run.name)
    write = Write("create", "batchjob", run.name, "a manual run", body, stage=when, strand=strand)
    return Step(before=(replace(write, needs=CONTENT_FIRST),), requeue_after=0)


def release(context: RunContext, run: RunView, job: BatchJobView) -> Step:
    """Lets the suspended Job of a manual run go: takes the lock, adopts the run, resumes the Job.

    The run cannot run twice.
    """
    # The Job was created suspended, so that it does nothing until the run is adopted, whenever the
    # operator dies. The lock is the CronJob's list of active Jobs: its controller counts them for
    # the concurrencyPolicy, so the list excludes scheduled starts, and they exclude this run. It is
    # written on top of the version that was read: of two writers one meets a conflict. Adoption
    # writes this Job's uid into the run, once, before the Job is resumed: no other Job is ever let
    # go for the run. The writes share a strand, so one that fails holds back the later ones; the
    # next pass finds what is done and goes on from there.
    cron = context.observed.cron_job
    # The Job's controller marks it as suspended first: a write before that would be a conflict.
    if cron is None or not job.held or _locked(context, cron, job) or context.observed.gap:
        return Step(requeue_after=1)
    writes, when, strand = [], Stage.START, run_strand(run.name)
    if not any(reference.get("uid") == job.uid for reference in cron.active):
        active = [*map(dict, cron.active), cronjob.active_reference(job)]
        metadata = {"resourceVersion": cron.resource_version}
        lock, why = {"metadata": metadata, "status": {"active": active}}, "the run counts as active"
        write = Write("patch", "cronjob", cron.name, why, lock, "status", stage=when, strand=strand)
        writes.append(write)
    if not run.adopted:
        writes.append(adopt(context.job, run, {names.STARTED_AS_ANNOTATION: job.uid}))
    resume, why = {"metadata": as_read(job), "spec": {"suspend": False}}, "the run may begin"
    writes.append(Write("patch", "batchjob", job.name, why, resume, stage=when, strand=strand))
    return Step(before=tuple(writes))


def _locked(context: RunContext, cron: CronJobView, own: BatchJobView) -> bool:
    """Whether the CronJob's list holds another Job that is not known to have ended.

    The controller removes Jobs that ended or are gone.
    """
    if concurrency_policy(context) == "Allow":
        return False
    ended = {job.uid for job in context.observed.batch_jobs if job.ended}
    return any(reference.get("uid") not in {*ended, own.uid} for reference in cron.active)

"""From the moment something asks for a run until its Job may begin."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from agentjobs.api import names
from agentjobs.core.approval import obstacles, revisions
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


def _has_priority(other: Case, run: RunView) -> bool:
    """Whether another run has begun, or is to begin before this one because it was asked for earlier."""
    job = other.batch_job
    if other.final or (job and job.ended):
        return False
    asked = other.run
    if asked and asked.manual and not asked.adopted and (job is None or job.suspended):
        return (asked.created, asked.name) < (run.created, run.name)
    return job is not None


def _unguarded(context: RunContext) -> tuple[str, str] | None:
    """While nobody checks who approves, nothing starts. For a moment, a run waits."""
    gap = context.observed.gap
    return ("PolicyMissing", gap.sentence()) if gap and gap.lasts(context.now) else None


def _untriggered(context: RunContext, run: RunView) -> tuple[str, str] | None:
    return events.refusal(run, context.force.spec, context.observed.events.get(run.name), pauses.pause_reason(context.job))


def _unwanted(run: RunView) -> tuple[str, str] | None:
    return ("CancelledBeforeStart", CANCELLED_IN_TIME) if run.cancel else None


def _doomed(context: RunContext) -> tuple[str, str] | None:
    return ("JobNotFound", f"{context.job.name} is being deleted") if context.job.deleting else None


def _refusal(context: RunContext, case: Case, ahead: Case | None) -> tuple[str, str] | None:
    """Why a manual run cannot start: reason and sentence."""
    if context.force.content is None:
        return "NotApproved", why_nothing_runs(context.force, context.job.name)
    if taken := obstacles.obstacle(context.observed, context.force):
        return "NameTaken", taken
    if any(job.name == case.name for job in context.observed.batch_jobs) and case.batch_job is None:
        return "NameTaken", f"a Job named {case.name} exists that is not this run's; choose another name"
    if ahead and ahead.batch_job and concurrency_policy(context) == "Forbid":
        return "Overlap", f"the run {ahead.name} has not finished; the job's concurrencyPolicy is Forbid"
    return None


def start(context: RunContext, case: Case, run: RunView) -> Step:
    """A manual run up to its adoption. From then on it counts as started; before, it can still be refused."""
    job, cron, content = case.batch_job, context.observed.cron_job, context.force.content
    if job and not job.manual:
        # The CronJob controller was late, not gone: its Job is the start.
        return Step(before=(adopt(context.job, run, {names.MADE_AS_ANNOTATION: job.uid}),), requeue_after=0)
    ahead = next((other for other in context.cases if other.name != case.name and _has_priority(other, run)), None)
    ahead = None if concurrency_policy(context) == "Allow" else ahead
    refused = _unwanted(run) or _doomed(context) or _unguarded(context) or _untriggered(context, run) or _refusal(context, case, ahead)
    if refused and refused[0] == "NotApproved" and context.now - run.created < ARRIVAL_GRACE:
        return Step(requeue_after=ARRIVAL_GRACE.total_seconds())
    if refused:
        return Step(before=(adopt(context.job, run, {names.SKIP_ANNOTATION: ": ".join(refused)}),), requeue_after=0)
    if ahead or cron is None or cron.deleting or content is None or context.observed.gap:
        return _wait(context, ahead)
    if job is None:
        return _make_job(context, run, cron, content)
    return release(context, run, job)


def _wait(context: RunContext, ahead: Case | None) -> Step:
    """Until it may start; where it is to replace another run it sees to that, but not before that one has begun."""
    job = ahead.batch_job if ahead else None
    if job is None or concurrency_policy(context) != "Replace":
        return Step(requeue_after=0 if ahead else 1)
    if job.suspended or job.stop_reason or job.deleting:
        return Step(requeue_after=1)
    return Step(before=(stops.stop(job, "Replaced", Stage.START),), requeue_after=0)


def _make_job(context: RunContext, run: RunView, cron: CronJobView, content: Content) -> Step:
    """Of a run that nothing keeps from starting."""
    event = context.observed.events.get(run.name)
    if run.event and event is None:
        return Step(requeue_after=1)
    frozen = revisions.frozen(context.observed, content.digest)
    body = cronjob.manual_job(context.job, run, cron, content, context.policy, frozen, event)
    strand = run_strand(run.name)
    write = Write("create", "batchjob", run.name, "a manual run", body, stage=Stage.CREATE, strand=strand, needs=CONTENT_FIRST)
    return Step(before=(write,), requeue_after=0)


def release(context: RunContext, run: RunView, job: BatchJobView) -> Step:
    """A manual run from its adoption on. It is adopted once, by one leader, with one Job: it cannot run twice.

    The CronJob's list of active Jobs is the lock between runs: it is written on top of what was read.
    """
    cron = context.observed.cron_job
    # The Job's controller marks it as suspended first; to be quicker would only mean a conflict.
    if cron is None or not job.held or _locked(context, cron, job) or context.observed.gap:
        return Step(requeue_after=1)
    writes = []
    if not any(reference.get("uid") == job.uid for reference in cron.active):
        active = [*map(dict, cron.active), cronjob.active_reference(job)]
        body = {"metadata": {"resourceVersion": cron.resource_version}, "status": {"active": active}}
        why, strand = "the run counts for its concurrency", run_strand(run.name)
        writes.append(Write("patch", "cronjob", cron.name, why, body, "status", stage=Stage.START, strand=strand))
    if not run.adopted:
        writes.append(adopt(context.job, run, {names.STARTED_AS_ANNOTATION: job.uid}))
    resume = {"metadata": as_read(job), "spec": {"suspend": False}}
    writes.append(Write("patch", "batchjob", job.name, "everything is in place", resume, stage=Stage.START, strand=run_strand(run.name)))
    return Step(before=tuple(writes))


def _locked(context: RunContext, cron: CronJobView, own: BatchJobView) -> bool:
    """A Job that is not known to have ended stands in the CronJob's list; its controller removes it when it ends or is gone."""
    if concurrency_policy(context) == "Allow":
        return False
    ended = {job.uid for job in context.observed.batch_jobs if job.ended}
    return any(reference.get("uid") not in {*ended, own.uid} for reference in cron.active)

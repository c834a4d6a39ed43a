"""A job that is gone, and what it left behind.

Garbage collection takes what has an owner. After `kubectl delete --cascade=orphan` nothing has one:
a CronJob would go on starting what nobody can see any more, and runs would never get their record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core import naming
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Plan, Stage, Write
from agentjobs.core.runs import following, starting, stops
from agentjobs.core.runs.cases import Case, RunContext, begun, cases, has_ended
from agentjobs.core.runs.writes import delete_job, final, skipped
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.job import JobView
from agentjobs.core.views.run import RunView
from agentjobs.core.workload import records
from agentjobs.core.workload.settings import RunPolicy

LOOK_AGAIN_SECONDS: Final = 30.0
"""How often to look until what is left has ended.

Changes in between arrive by the watch streams."""
NOTHING: Final = InForce(None, None, None, "Pending")
GONE: Final = "its ScheduledAgentJob no longer exists"


def stand_in(namespace: str, name: str, uid: str = "") -> JobView:
    """A view that stands in for a job that does not exist and owns nothing.

    `uid`: the job is still there, and garbage collection is removing it as owner from one object
    after another.
    """
    return JobView(
        namespace=namespace,
        name=name,
        uid=uid,
        generation=0,
        resource_version="",
        spec=None,
        problem="there is no such job",
        status=ScheduledAgentJobStatus(),
        deleting=False,
        gone=True,
    )


def decide_gone(observed: Observed, policy: RunPolicy, now: datetime) -> Plan:
    """Returns the decision about what is left: nothing starts any more.

    What runs goes on to its record while its approval stands.
    """
    found, status, stopping = cases(observed), observed.job.status, stops.reasons(observed)
    context = RunContext(observed, NOTHING, policy, now, found, status, stopping)
    plans = list(_some(context))
    writes = (
        *stops.writes(observed),
        *(write for plan in plans for write in plan.writes),
        *_rest(observed),
    )
    waits = [plan.requeue_after for plan in plans if plan.requeue_after is not None]
    return Plan(tuple(sorted(writes, key=lambda write: write.stage)), min(waits, default=None))


def _some(context: RunContext) -> Iterator[Plan]:
    """Yields plans of a bounded number of runs: the next stop need not wait for all requested."""
    writing = 0
    for case in context.cases:
        plan = _one(context, case)
        writing += bool(plan.writes)
        if writing > following.MANY:
            yield Plan(requeue_after=0)
            return
        yield plan


def _one(context: RunContext, case: Case) -> Plan:
    run, job = case.run, case.batch_job
    if case.earlier:
        return Plan(tuple(_away(case.earlier)), 1)
    if run is not None and run.adopted and not context.job.uid:
        return Plan()  # Its owner is gone, so it goes, too.
    if run is None or case.final or run.final:
        return _of_job(context, case)
    if not _has_begun(context, case, run):
        refused = not_found(run, context.now)
        return Plan((*_away(job), *refused.writes), refused.requeue_after or (1 if job else None))
    if not has_ended(case):
        return Plan(requeue_after=LOOK_AGAIN_SECONDS)
    step = following.finish(context, case, run)
    return Plan((*step.before, *step.after), step.requeue_after)


def _of_job(context: RunContext, case: Case) -> Plan:
    """The plan for a Job whose run is recorded, or does not exist."""
    job = case.batch_job
    if case.run is None and not case.final:
        writes = tuple(_record(context, case))
        return Plan(writes, requeue_after=0 if writes else None)
    return Plan(tuple(_away(job))) if job and (job.ended or job.suspended) else Plan()


def _has_begun(context: RunContext, case: Case, run: RunView) -> bool:
    job = case.batch_job
    if begun(run):
        return True
    waits = job and job.suspended and job.stop_reason is None and job.uid not in context.stopping
    return job is not None and not waits


def _record(context: RunContext, case: Case) -> Iterator[Write]:
    """Writes the run of a Job that has none yet, or no longer.

    The run gets no owner: it would be deleted with it.
    """
    job = case.batch_job
    if job is None or job.deleting:
        return
    if job.manual:
        yield from _away(job)
        return
    start = to_wire(naming.start_of(job.name) or job.created)
    body = records.orphaned_run(context.job, job, start)
    yield Write("create", "run", job.name, "a scheduled start", body, stage=Stage.RECORD)


def _away(job: BatchJobView | None) -> Iterable[Write]:
    return (delete_job(job, GONE),) if job and not job.deleting else ()


def not_found(run: RunView, now: datetime) -> Plan:
    """The plan for a run whose job does not exist, and that has not begun."""
    if run.adopted or run.final:
        return Plan()
    wait = (starting.ARRIVAL_GRACE - (now - run.created)).total_seconds()
    if wait > 0:
        return Plan(requeue_after=wait)
    message = f"there is no ScheduledAgentJob named {run.job} in this namespace"
    return Plan((final(run, skipped("JobNotFound", message, now)),))


def _rest(observed: Observed) -> Iterator[Write]:
    """Deletes what is left when nothing runs any more.

    A claim stays: a session is somebody's data.
    """
    cron = observed.cron_job
    if cron and not cron.deleting and cron.labelled and cron.suspended and not observed.batch_jobs:
        version = cron.resource_version
        yield Write(
            "delete",
            "cronjob",
            cron.name,
            GONE,
            uid=cron.uid,
            resource_version=version,
            expendable=True,
        )
    if cron is None and not observed.batch_jobs:
        for left in observed.kept:
            yield Write("delete", "revision", left.name, GONE, uid=left.uid, expendable=True)

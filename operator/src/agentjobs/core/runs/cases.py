"""All that is known of each run of a job in one value, and what a decision about one asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Write
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.job import JobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import RunView
from agentjobs.core.workload.settings import RunPolicy


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a job, with everything of the same name.

    At least one of run and batch_job is set.
    """

    name: str
    run: RunView | None
    batch_job: BatchJobView | None
    pod: PodView | None
    final: bool
    earlier: BatchJobView | None = None
    """A Job of this name that was made for an earlier, deleted run: it says nothing about this."""

    @property
    def unrecorded(self) -> bool:
        """Whether there is a run without a complete record."""
        return self.run is not None and not self.run.final and not self.final


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all cases of one decision share. `status` is the job's, as earlier cases left it."""

    observed: Observed
    force: InForce
    policy: RunPolicy
    now: datetime
    cases: tuple[Case, ...]
    status: ScheduledAgentJobStatus
    stopping: Mapping[str, str] = field(default_factory=dict)
    """Why Jobs are being stopped now, by their uids."""
    obstacle: str | None = None
    """The sentence on what is in the way of every start."""

    @property
    def job(self) -> JobView:
        """The job whose runs these are."""
        return self.observed.job


@dataclass(frozen=True, slots=True)
class Step:
    """What one case asks for. `before` is written before the job's status, `after` after it."""

    before: tuple[Write, ...] = ()
    after: tuple[Write, ...] = ()
    status: ScheduledAgentJobStatus | None = None
    finished: tuple[RunView, AgentJobRunStatus] | None = None
    requeue_after: float | None = None
    active: bool = False
    """Whether the run goes on, as people see it."""
    stuck: str | None = None
    """Why the pod of an active run makes no progress, in the cluster's words."""
    begins: bool = False
    """Whether the run is about to begin, so that the job's status will say so in a moment."""


def cases(observed: Observed) -> tuple[Case, ...]:
    """The job's runs that still need something, oldest first.

    Jobs whose label is ours but whose owner is not are left out.
    """
    runs = {run.name: run for run in observed.runs}
    ours = {
        job.name: job for job in observed.batch_jobs if _is_ours(observed, job, runs.get(job.name))
    }
    finals = {run.name: run.uid for run in observed.finished}
    found = [
        _case(observed, name, runs.get(name), ours.get(name), finals.get(name))
        for name in ours.keys() | runs.keys()
    ]
    return tuple(sorted(found, key=_age))


def _is_ours(observed: Observed, job: BatchJobView, run: RunView | None) -> bool:
    """Whether a Job is one of this job's.

    A Job without an owner was orphaned: then its run names it as its own, or the job is gone and no
    longer can. When a job is gone, garbage collection takes the owner off one object after another.
    Meanwhile the CronJob may still have the owner that the Job has lost, so that only the run says
    whose the Job is.
    """
    cron = observed.own_cron_job
    if cron and job.owner_uid == cron.uid:
        return True
    named_by_run = run is not None and job.uid in (run.started_as, run.made_as)
    ownerless = job.owner_uid is None
    if job.foreign:
        return False
    return (named_by_run or ownerless) if observed.job.gone else (named_by_run and ownerless)


def begun(run: RunView) -> bool:
    """Whether the run has, or had, a Job.

    True also for a run whose owner garbage collection has removed.
    """
    return (run.started_as, run.made_as, run.started) != (None, None, None)


def _case(
    observed: Observed,
    name: str,
    run: RunView | None,
    job: BatchJobView | None,
    recorded: str | None,
) -> Case:
    """The case of one name.

    `recorded`: the uid of the finished run of this name, which can be used again once its record is
    deleted.
    """
    final = recorded is not None and (run is None or run.uid == recorded)
    if job and run and job.run_uid not in (None, run.uid):
        return Case(name, run, None, None, final, job)
    owner = _job_uid(run, job)
    # A pod without an owner was left behind by its Job; only the operator's Jobs can put our label
    # on a pod.
    pods = [
        pod
        for pod in observed.pods
        if pod.run == name and (owner is None or pod.owner_uid in (owner, None))
    ]
    started_first = sorted(pods, key=lambda pod: (pod.started is None, pod.started or "", pod.name))
    return Case(name, run, job, next(iter(started_first), None), final)


def _job_uid(run: RunView | None, job: BatchJobView | None) -> str | None:
    """The uid of the run's Job, whether it still exists or only the run names it."""
    if job:
        return job.uid
    return (run.started_as or run.made_as) if run else None


def _age(case: Case) -> tuple[datetime, str]:
    oldest_known = case.batch_job or case.earlier or case.run
    return (oldest_known.created if oldest_known else datetime.max.replace(tzinfo=UTC)), case.name


def has_ended(case: Case) -> bool:
    """Whether the script cannot go on or is being ended: then its output should be read now."""
    job, pod = case.batch_job, case.pod
    if pod is not None:
        return pod.ended or pod.ending
    return job is None or bool(job.ended) or job.stop_reason is not None


def concurrency_policy(context: RunContext) -> str:
    """What a start does while another run goes on, as the content in force says."""
    return context.force.spec.concurrency_policy if context.force.spec else "Forbid"

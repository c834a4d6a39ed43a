"""Follows runs: what each of them needs next, until its record is complete and its Job is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core import naming
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Stage, Write, run_strand
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs import history, stops
from agentjobs.core.runs.cases import Case, RunContext, Step, begun, concurrency_policy, has_ended
from agentjobs.core.runs.outcome import CANNOT_START, MAX_MESSAGE, Ending, record
from agentjobs.core.runs.starting import release, start
from agentjobs.core.runs.writes import adopt, delete_job, final, progress, skipped
from agentjobs.core.timestamps import to_wire
from agentjobs.core.triggers import chains
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import RunView
from agentjobs.core.workload import records
from agentjobs.core.workload.settings import RunPolicy

READ_AGAIN_SECONDS: Final = 0.5
"""How often the log of a pod that is being ended is read, until it has the envelope."""
SCRIPT_IS_DEAD: Final = timedelta(seconds=8)
"""How long after a pod was asked to end its script is dead: the runner kills it after 5 s."""
STUCK: Final = timedelta(seconds=60)
READ_STUCK_SECONDS: Final = 15
"""How often the log is read where the pod should have gone `STUCK` ago: its node does not answer.

The run goes on until that is settled."""
BEGINNING: Final = timedelta(seconds=5)
"""A healthy pod runs within this time.

The job's status is written then anyway, and can wait until then to name the next start."""
HARMLESS_WAITS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
FINISH_AT_ONCE: Final = 5
"""Runs counted in one write: fewer than the history's ten lines, which prove it of each."""
MANY: Final = 20
AT_ONCE: Final = {"finishes": FINISH_AT_ONCE, "creates": MANY, "answers": MANY}
"""Runs in one pass.

Anyone who may start a job can ask for thousands, and stops are looked at between passes."""


def to_read(found: Iterable[Case]) -> tuple[PodView, ...]:
    """The pods whose log holds the output of a run that has no complete record yet."""
    return tuple(
        case.pod
        for case in found
        if case.pod and case.pod.started and case.unrecorded and has_ended(case)
    )


def is_ending(found: Iterable[Case]) -> bool:
    """Whether a run without a full record is over or being ended: jobs may have to follow it."""
    return any(case.unrecorded and has_ended(case) for case in found)


def follow(
    observed: Observed,
    force: InForce,
    found: tuple[Case, ...],
    policy: RunPolicy,
    now: datetime,
    *,
    obstacle: str | None,
) -> Iterator[Step]:
    """Yields one step for each case. Later cases see the status as earlier ones left it."""
    contents = [content for content in (force.current, observed.previous) if content]
    stopping = stops.reasons(observed, contents)
    context = RunContext(
        observed, force, policy, now, found, observed.job.status, stopping, obstacle
    )
    count: Counter[str] = Counter()
    for case in context.cases:
        step = _step(context, case)
        kind = _kind(step)
        count[kind] += 1
        if count[kind] > AT_ONCE.get(kind, count[kind]):
            yield Step(requeue_after=0)
            continue
        context = replace(context, status=step.status or context.status)
        yield step


def _kind(step: Step) -> str:
    """What a step counts as.

    Kinds are bounded separately: a quota that blocks twenty starts holds back neither records nor
    answers.
    """
    if step.finished:
        return "finishes"
    stages = {write.stage for write in step.before}
    if Stage.CREATE in stages:
        return "creates"
    return "answers" if Stage.START in stages else ""


def _step(context: RunContext, case: Case) -> Step:
    run = case.run
    if case.earlier:
        if case.earlier.deleting:
            return Step(requeue_after=1)
        away = delete_job(case.earlier, "the run that it was made for was deleted")
        return Step(before=(away,), requeue_after=1)
    if case.final or (run and run.final):
        return _clean_up(context, case)
    if run is None:
        return _record_start(context, case)
    if run.skip and run.adopted:
        return _skip(context, run, case.batch_job, run.skip)
    return _follow(context, case, run)


def _follow(context: RunContext, case: Case, run: RunView) -> Step:
    job = case.batch_job
    if job and job.uid in context.stopping:
        return Step(active=True, requeue_after=READ_AGAIN_SECONDS)
    if run.manual and not run.adopted:
        # Begun, but without an owner: it was orphaned together with an earlier job of this name.
        adopted = Step(before=(adopt(context.job, run, {}),), requeue_after=0)
        return adopted if begun(run) else start(context, case, run)
    if job and job.manual and job.uid != run.started_as:
        return Step(before=(delete_job(job, "the run has begun as another Job"),), requeue_after=0)
    if job and job.suspended and job.manual and job.stop_reason is None:
        return release(context, run, job)
    if has_ended(case):
        return finish(context, case, run)
    return _show(context, case, run, job) if job else Step()


def _clean_up(context: RunContext, case: Case) -> Step:
    """Deletes the Job of a recorded run, but not before its controllers are done with it.

    They would report it as missing.
    """
    job = case.batch_job
    if job is None or job.deleting:
        return Step()
    if not _is_done(context, job):
        return Step(requeue_after=30)
    return Step(after=(delete_job(job, "its run is recorded"),))


def _is_done(context: RunContext, job: BatchJobView) -> bool:
    cron = context.observed.cron_job
    listed = cron is not None and any(reference.get("uid") == job.uid for reference in cron.active)
    return job.suspended or (bool(job.ended) and not listed)


def _record_start(context: RunContext, case: Case) -> Step:
    """Creates the run that a CronJob controller's Job lacks, unless somebody deleted that run."""
    job = case.batch_job
    if job is None or job.deleting:
        return Step()
    lines = (*context.status.recent_runs, context.status.last_run)
    had_a_run = any(line is not None and line.name == job.name for line in lines)
    if had_a_run or job.manual:
        return Step(before=(delete_job(job, "its run was deleted"),))
    start = naming.start_of(job.name) or job.created
    body = records.scheduled_run(context.job, job, to_wire(start))
    why, strand = "a scheduled start", run_strand(job.name)
    write = Write("create", "run", job.name, why, body, stage=Stage.RECORD, strand=strand)
    return Step(before=(write,), requeue_after=0, begins=job.uid not in context.stopping)


def _skip(
    context: RunContext, run: RunView, job: BatchJobView | None, refused: tuple[str, str]
) -> Step:
    step = _recorded(context, run, skipped(*refused, context.now))
    if job is None:
        return step
    return replace(step, before=(*step.before, delete_job(job, "its run is skipped")))


def finish(context: RunContext, case: Case, run: RunView) -> Step:
    """Records a run that is over, or looks at it again a little later."""
    job, pod = case.batch_job, case.pod
    evidence = context.observed.evidence.get(case.name)
    if pod is None or (pod.ended and pod.started is None):
        evidence = Evidence(None)
    if evidence is None or (pod is not None and _not_over(pod, evidence, context.now)):
        # The pod is being ended and its runner has not printed the envelope, or its log could not
        # be read this time.
        stuck = pod is not None and pod.deletion is not None and context.now - pod.deletion > STUCK
        return Step(active=True, requeue_after=READ_STUCK_SECONDS if stuck else READ_AGAIN_SECONDS)
    digest = (job.digest if job else None) or run.digest
    if not digest and evidence.envelope:
        digest = evidence.envelope.digest
    installed = context.observed.installed.get(case.name)
    replaced = _was_superseded(context, run, job)
    end = Ending(run, job, pod, evidence, installed, replaced)
    step = _recorded(context, run, record(end, digest, context.policy.image, context.now))
    if job and not job.deleting and _is_done(context, job):
        return replace(step, after=(*step.after, delete_job(job, "its run is recorded")))
    return step


def _was_superseded(context: RunContext, run: RunView, job: BatchJobView | None) -> bool:
    """Whether a newer start replaced the run.

    Under Replace the CronJob controller deletes the active Jobs, then makes the new one.
    """
    begun = job.created if job else run.created
    later = any(
        not other.manual and other.name != run.name and other.created >= begun
        for other in context.observed.batch_jobs
    )
    return later and concurrency_policy(context) == "Replace"


def _not_over(pod: PodView, evidence: Evidence, now: datetime) -> bool:
    """Whether the evidence has to wait: a script that can still write can forge an envelope.

    One that says Terminated gains nothing.
    """
    if pod.ended:
        return False
    if evidence.envelope is None or evidence.envelope.outcome == "Terminated":
        return evidence.envelope is None
    return pod.told_to_end is None or now - pod.told_to_end < SCRIPT_IS_DEAD


def _recorded(context: RunContext, run: RunView, record: AgentJobRunStatus) -> Step:
    """Writes the job's counters first and the run's final phase last.

    After a crash in between the run is found and finished.
    """
    status = context.status
    if history.counted(status, run):
        record = history.as_counted(status, run, record)
    else:
        uids = {other.uid for other in context.observed.runs if not other.final}
        if history.unfinished(status, uids) >= history.RECENT - FINISH_AT_ONCE:
            return Step(active=True, requeue_after=1)
        status = history.with_finished(status, run, record, uids)
    taken = {name for kind, name in context.observed.taken if kind == "run"}
    follow_ups = tuple(chains.starts(context.job, run, record, context.observed.followers, taken))
    return Step(
        before=follow_ups, after=(final(run, record),), status=status, finished=(run, record)
    )


def _show(context: RunContext, case: Case, run: RunView, job: BatchJobView) -> Step:
    """Shows an ongoing or blocked run in its status; stops one that could not begin in time."""
    pod = case.pod
    if pod and pod.running:
        status = history.with_running(context.status, run, pod.started)
        if run.phase == "Running":
            return Step(status=status, active=True)
        body = {
            "phase": "Running",
            "digest": job.digest,
            "startedAt": pod.started,
            "podName": pod.name,
            "reason": None,
            "message": None,
        }
        return Step(before=(progress(run, body),), status=status, active=True)
    late = context.now - job.created - timedelta(seconds=context.policy.start_timeout_seconds)
    installing = pod is not None and pod.installing
    if late >= timedelta(0) and run.started is None and not installing:
        return Step(before=(stops.stop(job, "StartTimeout"),), active=True)
    wait = min(-late.total_seconds(), 60.0)
    if pod is None or (pod.waiting in HARMLESS_WAITS and not installing):
        young = (BEGINNING - (context.now - job.created)).total_seconds()
        begins = young > 0 and run.phase == "Pending"
        return Step(
            active=run.phase == "Running" or bool(run.reason),
            requeue_after=min(wait, young) if begins else wait,
            begins=begins,
        )
    reason = pod.waiting
    message = f"{CANNOT_START}{pod.waiting}: {pod.waiting_message}"[:MAX_MESSAGE]
    if installing:
        reason, message, wait = "Installing", "the packages are being installed", 60.0
    status = history.with_running(context.status, run, None)
    stuck = None if installing else reason
    if (run.reason, run.message) == (reason, message):
        return Step(status=status, active=True, stuck=stuck, requeue_after=wait)
    body = {
        "phase": "Pending",
        "digest": job.digest,
        "podName": pod.name,
        "reason": reason,
        "message": message,
    }
    return Step(
        before=(progress(run, body),), status=status, active=True, stuck=stuck, requeue_after=wait
    )

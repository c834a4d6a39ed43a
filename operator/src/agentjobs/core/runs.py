"""Following runs: from the moment something asks for one until its record is complete and its Job is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from agentjobs.api import names
from agentjobs.api.job import ScheduledAgentJobStatus
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core import history, manifests, schedule
from agentjobs.core.approval import verdict
from agentjobs.core.outcome import MAX_MESSAGE, Ending, Evidence, record
from agentjobs.core.plan import Force, Observed, Write
from agentjobs.core.policy import RunPolicy
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views import BatchJobView, JobView, PodView, RunView

ARRIVAL_GRACE: Final = timedelta(seconds=2)
"""A run that `kubectl apply` created together with its job and approval may be seen before them."""
READ_AGAIN_SECONDS: Final = 0.5
"""How often the log of a pod that is being ended is read, until its runner has printed the envelope."""
HARMLESS_WAITS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
FINISH_AT_ONCE: Final = 5
"""Runs counted in one write: fewer than the history's ten lines, which prove that a run was counted."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a job, with everything of the same name. At least one of run and batch_job is there."""

    name: str
    run: RunView | None
    batch_job: BatchJobView | None
    pod: PodView | None
    final: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What all cases of one decision share. `status` is the job's as earlier cases left it."""

    observed: Observed
    force: Force
    policy: RunPolicy
    now: datetime
    cases: tuple[Case, ...]
    status: ScheduledAgentJobStatus

    @property
    def job(self) -> JobView:
        """The job whose runs these are."""
        return self.observed.job


@dataclass(frozen=True, slots=True)
class Step:
    """What one case asks for. `before` is written ahead of the job's status, `after` behind it."""

    before: tuple[Write, ...] = ()
    after: tuple[Write, ...] = ()
    status: ScheduledAgentJobStatus | None = None
    finished: tuple[RunView, AgentJobRunStatus] | None = None
    requeue_after: float | None = None
    active: bool = False
    """The run goes on, as far as people are concerned."""


def cases(observed: Observed) -> tuple[Case, ...]:
    """The job's runs that are not over and done with, oldest first. Jobs whose label is ours but whose owner is not are left out."""
    cron = observed.cron_job
    ours = {job.name: job for job in observed.batch_jobs if cron and job.owner_uid == cron.uid}
    runs = {run.name: run for run in observed.runs}
    finals = {run.name: run.uid for run in observed.finished}
    found = [_case(observed, name, runs.get(name), ours.get(name), finals.get(name)) for name in ours.keys() | runs.keys()]
    return tuple(sorted(found, key=_age))


def _case(observed: Observed, name: str, run: RunView | None, job: BatchJobView | None, recorded: str | None) -> Case:
    """`recorded` is the uid of the finished run of this name; a name can be used again after its record is deleted."""
    final = recorded is not None and (run is None or run.uid == recorded)
    pods = [pod for pod in observed.pods if pod.run == name and (job is None or pod.owner_uid == job.uid)]
    started_first = sorted(pods, key=lambda pod: (pod.started is None, pod.started or "", pod.name))
    return Case(name, run, job, next(iter(started_first), None), final)


def _age(case: Case) -> tuple[datetime, str]:
    oldest_known = case.batch_job or case.run
    return (oldest_known.created if oldest_known else datetime.max.replace(tzinfo=UTC)), case.name


def over(case: Case) -> bool:
    """The script cannot go on any more, or is being ended: its output should be read now."""
    job, pod = case.batch_job, case.pod
    if pod is not None:
        return pod.ended or pod.ending
    return job is None or bool(job.ended) or job.stop_reason is not None


def to_read(observed: Observed) -> tuple[PodView, ...]:
    """The pods whose log holds the output of a run that has no complete record yet."""
    return tuple(
        case.pod
        for case in cases(observed)
        if case.pod and case.pod.started and case.run and not case.run.final and not case.final and over(case)
    )


def follow(observed: Observed, force: Force, policy: RunPolicy, now: datetime) -> Iterator[Step]:
    """One step for each case. Later cases see the status as earlier ones left it."""
    scene = Scene(observed, force, policy, now, cases(observed), observed.job.status)
    finishing = 0
    for case in scene.cases:
        step = _step(scene, case)
        if step.finished and finishing == FINISH_AT_ONCE:
            yield Step(requeue_after=0)
            return
        finishing += step.finished is not None
        scene = replace(scene, status=step.status or scene.status)
        yield step


def _step(scene: Scene, case: Case) -> Step:
    run, job = case.run, case.batch_job
    if case.final or (run and run.final):
        return _clean_up(scene, case)
    if run is None:
        return _record_start(scene, case)
    if job and job.stop_reason is None and not job.ended and not _approved(scene, job):
        return Step(before=(_stop(job, _stop_reason(scene, job)),), active=True)
    if (run.manual and not run.adopted) or (job and job.suspended and job.manual and job.stop_reason is None):
        return _start(scene, case, run)
    if over(case):
        return _finish(scene, case, run)
    return _show(scene, case, run, job) if job else Step()


def _approved(scene: Scene, job: BatchJobView) -> bool:
    return job.digest is not None and verdict(job.digest, scene.observed.approvals) == "Approved"


def _stop_reason(scene: Scene, job: BatchJobView) -> str:
    return "Denied" if job.digest and verdict(job.digest, scene.observed.approvals) == "Denied" else "ApprovalRevoked"


def _clean_up(scene: Scene, case: Case) -> Step:
    """After its record a Job goes, but not before its controllers are done with it: they would report it as missing."""
    job, cron = case.batch_job, scene.observed.cron_job
    if job is None or job.deleting:
        return Step()
    listed = cron is not None and any(reference.get("uid") == job.uid for reference in cron.active)
    if job.stop_reason is None and (not job.ended or listed):
        return Step(requeue_after=30)
    return Step(after=(_delete_job(job, "its run is recorded"),))


def _record_start(scene: Scene, case: Case) -> Step:
    """A Job without a run: a start of the CronJob controller, unless its run was there and somebody deleted it."""
    job = case.batch_job
    if job is None or job.deleting:
        return Step()
    last = scene.status.last_run
    known = (last is not None and last.name == job.name) or any(line.name == job.name for line in scene.status.recent_runs)
    if known or job.manual:
        return Step(before=(_delete_job(job, "its run was deleted"),))
    start = schedule.start_of(job.name) or job.created
    body = manifests.scheduled_run(scene.job, job, to_wire(start))
    return Step(before=(Write("create", "run", job.name, "a scheduled start", body),), requeue_after=0)


def _refusal(scene: Scene, case: Case) -> tuple[str, str] | None:
    """Why a manual run cannot start: reason and sentence."""
    if scene.force.content is None:
        return "NotApproved", f"no content of {scene.job.name} is approved; see its card: status.card"
    if any(job.name == case.name for job in scene.observed.batch_jobs) and case.batch_job is None:
        return "NameTaken", f"a Job named {case.name} exists that is not this run's; choose another name"
    for other in scene.cases:
        busy = other.batch_job is not None and not other.batch_job.ended and not other.final
        if other.name != case.name and busy:
            return "Overlap", f"the run {other.name} has not finished; runs of a job do not overlap"
    return None


def _start(scene: Scene, case: Case, run: RunView) -> Step:
    """A manual run, step by step. It counts as started from its adoption on, which comes before the Job is let go: it cannot run twice."""
    job, cron, content = case.batch_job, scene.observed.cron_job, scene.force.content
    refused = _refusal(scene, case)
    if refused:
        if refused[0] == "NotApproved" and scene.now - run.created < ARRIVAL_GRACE:
            return Step(requeue_after=ARRIVAL_GRACE.total_seconds())
        return _skip(scene, run, job, skipped(*refused, scene.now))
    if cron is None or cron.deleting or content is None:
        return Step(requeue_after=1)
    if job is None:
        body = manifests.manual_job(scene.job, run, cron, content, scene.policy)
        return Step(before=(Write("create", "batchjob", run.name, "a manual run", body),), requeue_after=0)
    writes = []
    if not any(reference.get("uid") == job.uid for reference in cron.active):
        active = [*map(dict, cron.active), manifests.active_reference(job)]
        body = {"metadata": {"resourceVersion": cron.resource_version}, "status": {"active": active}}
        writes.append(Write("patch", "cronjob", cron.name, "the run counts for its concurrency", body, "status"))
    if not run.adopted:
        writes.append(_adopt(scene.job, run))
    resume = {"metadata": {"uid": job.uid}, "spec": {"suspend": False}}
    writes.append(Write("patch", "batchjob", job.name, "everything is in place", resume))
    return Step(before=tuple(writes))


def _adopt(job: JobView, run: RunView) -> Write:
    owner = {"labels": manifests.labels(job.name), "ownerReferences": manifests.owned_by(job), "uid": run.uid}
    return Write("patch", "run", run.name, "it belongs to its job", {"metadata": owner})


def _skip(scene: Scene, run: RunView, job: BatchJobView | None, record: AgentJobRunStatus) -> Step:
    before = () if run.adopted else (_adopt(scene.job, run),)
    if job:
        before = (*before, _delete_job(job, "its run is skipped"))
    return _recorded(scene, run, record, before)


def skipped(reason: str, message: str, now: datetime) -> AgentJobRunStatus:
    """The record of a run that did not start."""
    return AgentJobRunStatus(
        phase="Skipped", reason=reason, message=message, finished_at=to_wire(now), output_bytes=0, stdout="", stderr="", logs_complete=True
    )


def _finish(scene: Scene, case: Case, run: RunView) -> Step:
    job, pod = case.batch_job, case.pod
    evidence = scene.observed.evidence.get(case.name)
    if pod is None or (pod.ended and pod.started is None):
        evidence = Evidence(None)
    if evidence is None or (pod is not None and not pod.ended and evidence.envelope is None):
        # The pod is being ended and its runner has not had its last word, or its log could not be read this time.
        return Step(active=True, requeue_after=READ_AGAIN_SECONDS)
    digest = job.digest if job else None
    step = _recorded(scene, run, record(Ending(run, job, pod, evidence), digest, scene.policy.image, scene.now))
    if job and job.stop_reason and not job.deleting:
        return replace(step, after=(*step.after, _delete_job(job, "its run is recorded")))
    return step


def _recorded(scene: Scene, run: RunView, record: AgentJobRunStatus, before: tuple[Write, ...] = ()) -> Step:
    """The job's counters first, the run's final phase last: what happens in between is found and finished."""
    status = scene.status if history.counted(scene.status, run) else history.with_finished(scene.status, run, record)
    return Step(before=before, after=(final(run, record),), status=status, finished=(run, record))


def final(run: RunView, record: AgentJobRunStatus) -> Write:
    """The last write to a run."""
    body = {"metadata": {"uid": run.uid}, "status": record.model_dump(mode="json", by_alias=True)}
    return Write("patch", "run", run.name, f"its record: {record.phase}", body, "status")


def _show(scene: Scene, case: Case, run: RunView, job: BatchJobView) -> Step:
    """A run that goes on, or cannot begin."""
    pod = case.pod
    if pod and pod.running:
        status = history.with_running(scene.status, run, pod.started)
        if run.phase == "Running":
            return Step(status=status, active=True)
        body = {"phase": "Running", "digest": job.digest, "startedAt": pod.started, "podName": pod.name, "reason": None, "message": None}
        return Step(before=(_progress(run, body),), status=status, active=True)
    late = scene.now - job.created - timedelta(seconds=scene.policy.start_timeout_seconds)
    if late >= timedelta(0) and run.started is None:
        return Step(before=(_stop(job, "StartTimeout"),), active=True)
    wait = min(-late.total_seconds(), 60.0)
    if pod is None or pod.waiting in HARMLESS_WAITS:
        return Step(active=run.phase == "Running" or bool(run.reason), requeue_after=wait)
    message = f"the pod cannot start: {pod.waiting}: {pod.waiting_message}"[:MAX_MESSAGE]
    status = history.with_running(scene.status, run, None)
    if (run.reason, run.message) == (pod.waiting, message):
        return Step(status=status, active=True, requeue_after=wait)
    body = {"phase": "Pending", "digest": job.digest, "podName": pod.name, "reason": pod.waiting, "message": message}
    return Step(before=(_progress(run, body),), status=status, active=True, requeue_after=wait)


def _progress(run: RunView, status: dict[str, str | None]) -> Write:
    body = {"metadata": {"uid": run.uid}, "status": status}
    return Write("patch", "run", run.name, f"it is {status['phase']}", body, "status")


def _stop(job: BatchJobView, reason: str) -> Write:
    """Suspending a Job ends its pods and keeps the Job, with the reason on it, until the run is recorded."""
    body = {"metadata": {"uid": job.uid, "annotations": {names.STOP_ANNOTATION: reason}}, "spec": {"suspend": True}}
    return Write("patch", "batchjob", job.name, f"stopped: {reason}", body)


def _delete_job(job: BatchJobView, why: str) -> Write:
    return Write("delete", "batchjob", job.name, why, uid=job.uid, expendable=True)

"""Following runs: from the moment something asks for one until its record is complete and its Job is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from agentjobs.api import names
from agentjobs.api.job import RunPhase
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core import chains, history, manifests, obstacles, pauses, revisions, schedule, stops, triggers
from agentjobs.core.approval import Content
from agentjobs.core.cases import Case, Scene, Step, begun, cases
from agentjobs.core.conditions import why_nothing_runs
from agentjobs.core.outcome import CANCELLED_IN_TIME, MAX_MESSAGE, Ending, Evidence, record
from agentjobs.core.plan import CONTENT, STATUS, Force, Observed, Stage, Write, run_strand
from agentjobs.core.pods import PodView
from agentjobs.core.policy import RunPolicy
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views import BatchJobView, CronJobView, JobView, RunView
from agentjobs.core.weight import weight

ARRIVAL_GRACE: Final = timedelta(seconds=2)
"""A run that `kubectl apply` created together with its job and approval may be seen before them."""
READ_AGAIN_SECONDS: Final = 0.5
"""How often the log of a pod that is being ended is read, until its runner has printed the envelope."""
SCRIPT_IS_DEAD: Final = timedelta(seconds=8)
"""After a pod was told to end: its runner has killed the script after 5 s and had its last word."""
STUCK: Final = timedelta(seconds=60)
READ_STUCK_SECONDS: Final = 15
"""How often, where the pod should have gone that long ago: its node does not answer. The run goes on until somebody knows better."""
BEGINNING: Final = timedelta(seconds=5)
"""A pod that is well runs within this time; the job's status, which is written then, can wait until then to name the next start."""
HARMLESS_WAITS: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
FINISH_AT_ONCE: Final = 5
"""Runs counted in one write: fewer than the history's ten lines, which prove that a run was counted."""
MANY: Final = 20
AT_ONCE: Final = {"finishes": FINISH_AT_ONCE, "creates": MANY, "answers": MANY}
"""Runs in one pass. Whoever may start a job can ask for thousands, and stops are looked at between passes."""
CONTENT_FIRST: Final = frozenset({CONTENT})
COUNTED_FIRST: Final = frozenset({STATUS})


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


def is_ending(observed: Observed) -> bool:
    """A run is over, or being ended, that has no complete record: other jobs may have to follow it."""
    return any(case.run and not case.run.final and not case.final and over(case) for case in cases(observed))


def follow(observed: Observed, force: Force, policy: RunPolicy, now: datetime) -> Iterator[Step]:
    """One step for each case. Later cases see the status as earlier ones left it."""
    contents = [content for content in (force.current, observed.previous) if content]
    stopping = stops.reasons(observed, contents)
    scene = Scene(observed, force, policy, now, cases(observed), observed.job.status, stopping)
    count: Counter[str] = Counter()
    for case in scene.cases:
        step = _step(scene, case)
        kind = _kind(step)
        count[kind] += 1
        if count[kind] > AT_ONCE.get(kind, count[kind]):
            yield Step(requeue_after=0)
            continue
        scene = replace(scene, status=step.status or scene.status)
        yield step


def _kind(step: Step) -> str:
    """What is bounded apart: a quota that keeps twenty runs from starting holds back neither records nor answers."""
    if step.finished:
        return "finishes"
    stages = {write.stage for write in step.before}
    return "creates" if Stage.CREATE in stages else "answers" if Stage.START in stages else ""


def _step(scene: Scene, case: Case) -> Step:
    run = case.run
    if case.earlier:
        gone = () if case.earlier.deleting else (delete_job(case.earlier, "the run that it was made for was deleted"),)
        return Step(before=gone, requeue_after=1)
    if case.final or (run and run.final):
        return _clean_up(scene, case)
    if run is None:
        return _record_start(scene, case)
    if run.skip and run.adopted:
        return _skip(scene, run, case.batch_job, run.skip)
    return _follow(scene, case, run)


def _follow(scene: Scene, case: Case, run: RunView) -> Step:
    job = case.batch_job
    if job and job.uid in scene.stopping:
        return Step(active=True, requeue_after=READ_AGAIN_SECONDS)
    if run.manual and not run.adopted:
        # Begun, but without an owner: it was orphaned together with an earlier job of this name.
        return Step(before=(_adopt(scene.job, run, {}),), requeue_after=0) if begun(run) else _start(scene, case, run)
    if job and job.manual and job.uid != run.started_as:
        return Step(before=(delete_job(job, "the run has begun as another Job"),), requeue_after=0)
    if job and job.suspended and job.manual and job.stop_reason is None:
        return _let_go(scene, run, job)
    if over(case):
        return finish(scene, case, run)
    return _show(scene, case, run, job) if job else Step()


def _clean_up(scene: Scene, case: Case) -> Step:
    """After its record a Job goes, but not before its controllers are done with it: they would report it as missing."""
    job = case.batch_job
    if job is None or job.deleting:
        return Step()
    if not _is_done(scene, job):
        return Step(requeue_after=30)
    return Step(after=(delete_job(job, "its run is recorded"),))


def _is_done(scene: Scene, job: BatchJobView) -> bool:
    cron = scene.observed.cron_job
    listed = cron is not None and any(reference.get("uid") == job.uid for reference in cron.active)
    return job.suspended or (bool(job.ended) and not listed)


def _record_start(scene: Scene, case: Case) -> Step:
    """A Job without a run: a start of the CronJob controller, unless its run was there and somebody deleted it."""
    job = case.batch_job
    if job is None or job.deleting:
        return Step()
    last = scene.status.last_run
    known = (last is not None and last.name == job.name) or any(line.name == job.name for line in scene.status.recent_runs)
    if known or job.manual:
        return Step(before=(delete_job(job, "its run was deleted"),))
    start = schedule.start_of(job.name) or job.created
    body = manifests.scheduled_run(scene.job, job, to_wire(start))
    write = Write("create", "run", job.name, "a scheduled start", body, stage=Stage.RECORD, strand=run_strand(job.name))
    return Step(before=(write,), requeue_after=0, begins=job.uid not in scene.stopping)


def _policy(scene: Scene) -> str:
    """What a start does while another run goes on: that of the content in force."""
    return scene.force.spec.concurrency_policy if scene.force.spec else "Forbid"


def _goes_first(other: Case, run: RunView) -> bool:
    """Whether another run has begun, or is to begin before this one because it was asked for earlier."""
    job = other.batch_job
    if other.final or (job and job.ended):
        return False
    asked = other.run
    if asked and asked.manual and not asked.adopted and (job is None or job.suspended):
        return (asked.created, asked.name) < (run.created, run.name)
    return job is not None


def _unguarded(scene: Scene) -> tuple[str, str] | None:
    """While nobody checks who approves, nothing starts. For a moment, a run waits."""
    gap = scene.observed.gap
    return ("PolicyMissing", gap.sentence()) if gap and gap.lasts(scene.now) else None


def _untriggered(scene: Scene, run: RunView) -> tuple[str, str] | None:
    return triggers.refusal(run, scene.force.spec, scene.observed.events.get(run.name), pauses.told(scene.job))


def _unwanted(run: RunView) -> tuple[str, str] | None:
    return ("CancelledBeforeStart", CANCELLED_IN_TIME) if run.cancel else None


def _doomed(scene: Scene) -> tuple[str, str] | None:
    return ("JobNotFound", f"{scene.job.name} is being deleted") if scene.job.deleting else None


def _refusal(scene: Scene, case: Case, ahead: Case | None) -> tuple[str, str] | None:
    """Why a manual run cannot start: reason and sentence."""
    if scene.force.content is None:
        return "NotApproved", why_nothing_runs(scene.force, scene.job.name)
    if taken := obstacles.obstacle(scene.observed, scene.force):
        return "NameTaken", taken
    if any(job.name == case.name for job in scene.observed.batch_jobs) and case.batch_job is None:
        return "NameTaken", f"a Job named {case.name} exists that is not this run's; choose another name"
    if ahead and ahead.batch_job and _policy(scene) == "Forbid":
        return "Overlap", f"the run {ahead.name} has not finished; the job's concurrencyPolicy is Forbid"
    return None


def _start(scene: Scene, case: Case, run: RunView) -> Step:
    """A manual run up to its adoption. From then on it counts as started; before, it can still be refused."""
    job, cron, content = case.batch_job, scene.observed.cron_job, scene.force.content
    if job and not job.manual:
        # The CronJob controller was late, not gone: its Job is the start.
        return Step(before=(_adopt(scene.job, run, {names.MADE_AS_ANNOTATION: job.uid}),), requeue_after=0)
    ahead = next((other for other in scene.cases if other.name != case.name and _goes_first(other, run)), None)
    ahead = None if _policy(scene) == "Allow" else ahead
    refused = _unwanted(run) or _doomed(scene) or _unguarded(scene) or _untriggered(scene, run) or _refusal(scene, case, ahead)
    if refused and refused[0] == "NotApproved" and scene.now - run.created < ARRIVAL_GRACE:
        return Step(requeue_after=ARRIVAL_GRACE.total_seconds())
    if refused:
        return Step(before=(_adopt(scene.job, run, {names.SKIP_ANNOTATION: ": ".join(refused)}),), requeue_after=0)
    if ahead or cron is None or cron.deleting or content is None or scene.observed.gap:
        return _wait(scene, ahead)
    if job is None:
        return _make_job(scene, run, cron, content)
    return _let_go(scene, run, job)


def _wait(scene: Scene, ahead: Case | None) -> Step:
    """Until it may start; where it is to replace another run it sees to that, but not before that one has begun."""
    job = ahead.batch_job if ahead else None
    if job is None or _policy(scene) != "Replace":
        return Step(requeue_after=0 if ahead else 1)
    if job.suspended or job.stop_reason or job.deleting:
        return Step(requeue_after=1)
    return Step(before=(stops.stop(job, "Replaced", Stage.START),), requeue_after=0)


def _make_job(scene: Scene, run: RunView, cron: CronJobView, content: Content) -> Step:
    """Of a run that nothing keeps from starting."""
    event = scene.observed.events.get(run.name)
    if run.event and event is None:
        return Step(requeue_after=1)
    frozen = revisions.frozen(scene.observed, content.digest)
    body = manifests.manual_job(scene.job, run, cron, content, scene.policy, frozen, event)
    strand = run_strand(run.name)
    write = Write("create", "batchjob", run.name, "a manual run", body, stage=Stage.CREATE, strand=strand, needs=CONTENT_FIRST)
    return Step(before=(write,), requeue_after=0)


def _let_go(scene: Scene, run: RunView, job: BatchJobView) -> Step:
    """A manual run from its adoption on. It is adopted once, by one leader, with one Job: it cannot run twice.

    The CronJob's list of active Jobs is the lock between runs: it is written on top of what was read.
    """
    cron = scene.observed.cron_job
    # The Job's controller marks it as suspended first; to be quicker would only mean a conflict.
    if cron is None or not job.held or _locked(scene, cron, job) or scene.observed.gap:
        return Step(requeue_after=1)
    writes = []
    if not any(reference.get("uid") == job.uid for reference in cron.active):
        active = [*map(dict, cron.active), manifests.active_reference(job)]
        body = {"metadata": {"resourceVersion": cron.resource_version}, "status": {"active": active}}
        why, strand = "the run counts for its concurrency", run_strand(run.name)
        writes.append(Write("patch", "cronjob", cron.name, why, body, "status", stage=Stage.START, strand=strand))
    if not run.adopted:
        writes.append(_adopt(scene.job, run, {names.STARTED_AS_ANNOTATION: job.uid}))
    resume = {"metadata": _as_read(job), "spec": {"suspend": False}}
    writes.append(Write("patch", "batchjob", job.name, "everything is in place", resume, stage=Stage.START, strand=run_strand(run.name)))
    return Step(before=tuple(writes))


def _locked(scene: Scene, cron: CronJobView, own: BatchJobView) -> bool:
    """A Job that is not known to have ended stands in the CronJob's list; its controller removes it when it ends or is gone."""
    if _policy(scene) == "Allow":
        return False
    ended = {job.uid for job in scene.observed.batch_jobs if job.ended}
    return any(reference.get("uid") not in {*ended, own.uid} for reference in cron.active)


def _as_read(thing: RunView | BatchJobView) -> dict[str, str]:
    """A precondition: the write is refused when anybody has changed the object since."""
    return {"uid": thing.uid, "resourceVersion": thing.resource_version}


def _adopt(job: JobView, run: RunView, decision: dict[str, str]) -> Write:
    """With what was decided: that it starts, and as which Job, or why not. This holds, whatever happens before its record is written."""
    owner = {"labels": manifests.labels(job.name), "annotations": decision, "ownerReferences": manifests.owned_by(job)}
    body = {"metadata": owner | _as_read(run)}
    return Write("patch", "run", run.name, "it belongs to its job", body, stage=Stage.START, strand=run_strand(run.name))


def _skip(scene: Scene, run: RunView, job: BatchJobView | None, refused: tuple[str, str]) -> Step:
    step = _recorded(scene, run, skipped(*refused, scene.now))
    return replace(step, before=(*step.before, delete_job(job, "its run is skipped"))) if job else step


def skipped(reason: str, message: str, now: datetime) -> AgentJobRunStatus:
    """The record of a run that did not start."""
    others: dict[str, RunPhase] = {"CancelledBeforeStart": "Cancelled", "NotStartedInTime": "Missed"}
    phase = others.get(reason, "Skipped")
    return AgentJobRunStatus(
        phase=phase, reason=reason, message=message, finished_at=to_wire(now), output_bytes=0, stdout="", stderr="", logs_complete=True
    )


def finish(scene: Scene, case: Case, run: RunView) -> Step:
    """The record of a run that is over, or a look at it a little later."""
    job, pod = case.batch_job, case.pod
    evidence = scene.observed.evidence.get(case.name)
    if pod is None or (pod.ended and pod.started is None):
        evidence = Evidence(None)
    if evidence is None or (pod is not None and _not_over(pod, evidence, scene.now)):
        # The pod is being ended and its runner has not had its last word, or its log could not be read this time.
        stuck = pod is not None and pod.deletion is not None and scene.now - pod.deletion > STUCK
        return Step(active=True, requeue_after=READ_STUCK_SECONDS if stuck else READ_AGAIN_SECONDS)
    digest = (job.digest if job else None) or run.digest or (evidence.envelope.digest if evidence.envelope else None)
    end = Ending(run, job, pod, evidence, scene.observed.installed.get(case.name), _gave_way(scene, run, job))
    step = _recorded(scene, run, record(end, digest, scene.policy.image, scene.now))
    if job and not job.deleting and _is_done(scene, job):
        return replace(step, after=(*step.after, delete_job(job, "its run is recorded")))
    return step


def _gave_way(scene: Scene, run: RunView, job: BatchJobView | None) -> bool:
    """Under Replace the CronJob controller deletes the Jobs that are active, and then makes the new one."""
    begun = job.created if job else run.created
    later = any(not other.manual and other.name != run.name and other.created >= begun for other in scene.observed.batch_jobs)
    return later and _policy(scene) == "Replace"


def _not_over(pod: PodView, evidence: Evidence, now: datetime) -> bool:
    """While a script can still write, it can forge an envelope: one that says more than that it was stopped has to wait."""
    if pod.ended:
        return False
    if evidence.envelope is None or evidence.envelope.outcome == "Terminated":
        return evidence.envelope is None
    return pod.told_to_end is None or now - pod.told_to_end < SCRIPT_IS_DEAD


def _recorded(scene: Scene, run: RunView, record: AgentJobRunStatus) -> Step:
    """The job's counters first, the run's final phase last: what happens in between is found and finished."""
    status = scene.status
    if history.counted(status, run):
        record = history.as_counted(status, run, record)
    else:
        uids = {other.uid for other in scene.observed.runs if not other.final}
        if history.unfinished(status, uids) >= history.RECENT - FINISH_AT_ONCE:
            return Step(active=True, requeue_after=1)
        status = history.with_finished(status, run, record, uids)
    taken = {name for kind, name in scene.observed.taken if kind == "run"}
    follow_ups = tuple(chains.starts(scene.job, run, record, scene.observed.followers, taken))
    return Step(before=follow_ups, after=(final(run, record),), status=status, finished=(run, record))


def final(run: RunView, record: AgentJobRunStatus) -> Write:
    """The last write to a run."""
    status = record.model_dump(mode="json", by_alias=True)
    status["storedBytes"] = run.stored_bytes + weight(record.wire())
    body = {"metadata": _as_read(run), "status": status}
    why = f"its record: {record.phase}"
    return Write("patch", "run", run.name, why, body, "status", stage=Stage.RECORD, strand=run_strand(run.name), needs=COUNTED_FIRST)


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
    installing = pod is not None and pod.installing
    if late >= timedelta(0) and run.started is None and not installing:
        return Step(before=(stops.stop(job, "StartTimeout"),), active=True)
    wait = min(-late.total_seconds(), 60.0)
    if pod is None or (pod.waiting in HARMLESS_WAITS and not installing):
        young = (BEGINNING - (scene.now - job.created)).total_seconds()
        begins = young > 0 and run.phase == "Pending"
        return Step(active=run.phase == "Running" or bool(run.reason), requeue_after=min(wait, young) if begins else wait, begins=begins)
    reason, message = pod.waiting, f"the pod cannot start: {pod.waiting}: {pod.waiting_message}"[:MAX_MESSAGE]
    if installing:
        reason, message, wait = "Installing", "its packages are being installed", 60.0
    status = history.with_running(scene.status, run, None)
    stuck = None if installing else reason
    if (run.reason, run.message) == (reason, message):
        return Step(status=status, active=True, stuck=stuck, requeue_after=wait)
    body = {"phase": "Pending", "digest": job.digest, "podName": pod.name, "reason": reason, "message": message}
    return Step(before=(_progress(run, body),), status=status, active=True, stuck=stuck, requeue_after=wait)


def _progress(run: RunView, status: dict[str, str | None]) -> Write:
    body = {"metadata": _as_read(run), "status": status}
    why = f"it is {status['phase']}"
    return Write("patch", "run", run.name, why, body, "status", stage=Stage.RECORD, strand=run_strand(run.name))


def delete_job(job: BatchJobView, why: str) -> Write:
    """After its record, where that is written now."""
    strand = run_strand(job.name)
    return Write("delete", "batchjob", job.name, why, uid=job.uid, expendable=True, stage=Stage.RECORD, strand=strand, needs=COUNTED_FIRST)

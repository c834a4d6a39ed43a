"""The job in one word, and why. Somebody who reads only these two is not misled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agentjobs.api.job_status import JobPhase, ScheduledAgentJobStatus
from agentjobs.core.observed import InForce
from agentjobs.core.runs.cases import Step
from agentjobs.core.status.conditions import ConditionState
from agentjobs.core.views.run import FAILURES

Story = tuple[JobPhase, str | None]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a job's runs do now: whether one goes on, else why a pod makes no progress."""

    running: bool = False
    stuck: str | None = None


def activity(steps: Iterable[Step]) -> Activity:
    """What all runs of a job do now."""
    active = [step for step in steps if step.active]
    running = any(step.stuck is None for step in active)
    return Activity(running, None if running else next((step.stuck for step in active), None))


def story(
    force: InForce,
    status: ScheduledAgentJobStatus,
    answers: Mapping[str, ConditionState],
    now_active: Activity,
    *,
    blocked: str | None,
    suspended: bool,
    fired: bool,
) -> Story:
    """Phase and reason: the first that fits.

    `answers`: the conditions; `blocked`: why nothing starts, not by hand either; `fired`: the only
    start has become a run.
    """
    if now_active.running:
        return "Running", None
    if force.content is None:
        return _nothing_in_force(force, answers)
    if now_active.stuck or blocked:
        return "Blocked", now_active.stuck or blocked
    if suspended:
        return "Paused", "PausedAfterFailures" if status.failure_pause else "Suspended"
    if force.problem and force.problem.reason == "InvalidSpec":
        return "Invalid", force.problem.reason
    phase, reason = ("Triggered", None) if fired else _outcome(status, answers["Scheduled"])
    return phase, reason or (force.problem.reason if force.problem else None)


def _nothing_in_force(force: InForce, answers: Mapping[str, ConditionState]) -> Story:
    if force.problem:
        return "Invalid", force.problem.reason
    phase: JobPhase = "Denied" if force.denied else "PendingApproval"
    reason = next(
        answers[kind][1] for kind in ("Approved", "PackagesApproved") if answers[kind][0] != "True"
    )
    return phase, reason if reason != phase else None


def _outcome(status: ScheduledAgentJobStatus, scheduled: ConditionState) -> Story:
    """The story of the last run; a cancelled one has no say."""
    last, comes = status.last_run, scheduled[0] == "True"
    if last and last.phase in FAILURES:
        reasons = (line.reason for line in status.recent_runs if line.uid == last.uid)
        return "Failed", next(reasons, None)
    never = None if comes or scheduled[1] == "NoSchedule" else scheduled[1]
    if last and last.phase == "Succeeded":
        return "Finished", never
    return ("Scheduled", None) if comes else ("Idle", scheduled[1])

"""Pauses a job whose runs keep failing.

The pause is in the status: `spec` belongs to the author, and GitOps tools would fight over it.

A pause ends with a success, which only a run by hand can be, and by turning `spec.suspend` off.
"""

from __future__ import annotations

from datetime import datetime

from agentjobs.api.job_status import FailurePause, ScheduledAgentJobStatus
from agentjobs.core.observed import InForce
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.job import JobView


def settled(
    job: JobView, force: InForce, status: ScheduledAgentJobStatus, now: datetime
) -> ScheduledAgentJobStatus:
    """The status with the pause that follows from the failures counted in it.

    While nothing valid is in force, a pause stays as it is.
    """
    pause, spec = status.failure_pause, force.spec
    if spec is None or job.spec is None:
        return status
    limit = spec.pause_after_failures
    if limit == 0 or status.consecutive_failures < limit:
        over = _is_over(status, limit)
        return status.model_copy(update={"failure_pause": None}) if over else status
    if pause is None:
        pause = FailurePause(since=to_wire(now), suspended=job.spec.suspend)
        return status.model_copy(update={"failure_pause": pause})
    if job.spec.suspend:
        pause = pause.model_copy(update={"suspended": True})
        return status.model_copy(update={"failure_pause": pause})
    if pause.suspended or _was_switched(job, force):
        return status.model_copy(update={"failure_pause": None, "consecutive_failures": 0})
    return status


def _is_over(status: ScheduledAgentJobStatus, limit: int) -> bool:
    """Whether the pause ends.

    A larger limit alone does not end it: nobody asked for that resume.
    """
    return limit == 0 or status.consecutive_failures == 0


def _was_switched(job: JobView, force: InForce) -> bool:
    """Whether `spec.suspend` was turned on and off again before the operator looked.

    These two changes left the content as it was.
    """
    before = job.status
    if before.card is None or before.observed_generation is None or force.current is None:
        return False
    twice = job.generation >= before.observed_generation + 2
    return twice and before.card.digest == force.current.digest


def pause_reason(job: JobView) -> str | None:
    """Why only runs by hand start now; None: other runs start, too."""
    if job.suspended:
        return "the job is paused: spec.suspend is true, so only manual runs start it"
    if job.status.failure_pause is None:
        return None
    return "the job is paused: too many runs in a row failed; see the job's condition Scheduled"


def message(status: ScheduledAgentJobStatus, *, suspended: bool) -> str:
    """Says what to do about the pause. `suspended`: spec.suspend is true as well."""
    last = f"; the last error is: {status.last_error}" if status.last_error else ""
    how = "spec.suspend is also true: setting it to false resumes the job"
    if not suspended:
        switch = "setting spec.suspend to true and then to false"
        how = f"One that succeeds resumes the job, and so does {switch}"
    return (
        f"{status.consecutive_failures} runs in a row failed{last}. Manual runs still work. {how}"
    )

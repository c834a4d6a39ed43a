"""What a job remembers of its runs: counters, the last run, ten lines of history."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from agentjobs.api.job_status import LastRun, RecentRun, ScheduledAgentJobStatus
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core.views.run import FAILURES, NEVER_BEGAN, RunView

RECENT: Final = 10
TAIL_BYTES: Final = 2048


def counted(status: ScheduledAgentJobStatus, run: RunView) -> bool:
    """Whether a run has been counted: its uid is in the history from the write that counts it."""
    return any(recent.uid == run.uid for recent in status.recent_runs)


def as_counted(
    status: ScheduledAgentJobStatus, run: RunView, record: AgentJobRunStatus
) -> AgentJobRunStatus:
    """The record of a run counted already, as it was counted, even if evidence was lost since."""
    line = next(recent for recent in status.recent_runs if recent.uid == run.uid)
    if (line.phase, line.reason) == (record.phase, record.reason):
        return record
    counts = {"phase", "reason", "exit_code", "started_at", "finished_at"}
    already = f"the run was already counted as {line.reason}"
    message = f"{already}; what was found later: {record.message}"
    return record.model_copy(update={**line.model_dump(include=counts), "message": message})


def with_running(
    status: ScheduledAgentJobStatus, run: RunView, started: str | None
) -> ScheduledAgentJobStatus:
    """The job's status while this run goes on."""
    last = LastRun(name=run.name, uid=run.uid, phase="Running" if started else "Pending")
    at = {"started_at": started, "last_run_at": started or status.last_run_at}
    return status.model_copy(update={"last_run": last, **at})


def without_running(status: ScheduledAgentJobStatus) -> ScheduledAgentJobStatus:
    """The job's status when nothing runs.

    A last run that never ended was deleted, so the one before it becomes the last.
    """
    last = status.last_run
    if last is not None and last.phase in ("Pending", "Running"):
        before = next((line for line in status.recent_runs if line.phase not in NEVER_BEGAN), None)
        kept = {"name", "uid", "phase", "exit_code"}
        last = LastRun(**before.model_dump(include=kept)) if before else None
    return status.model_copy(update={"last_run": last, "started_at": None})


def unfinished(status: ScheduledAgentJobStatus, uids: AbstractSet[str]) -> int:
    """How many lines of the history are of runs with these uids, which still lack their record."""
    return sum(line.uid in uids for line in status.recent_runs)


def _ten(lines: tuple[RecentRun, ...], uids: AbstractSet[str]) -> tuple[RecentRun, ...]:
    """The newest ten lines, but always those that prove that a run without a record was counted."""
    room = max(RECENT - sum(line.uid in uids for line in lines), 0)
    kept = {line.uid for line in [line for line in lines if line.uid not in uids][:room]}
    return tuple(line for line in lines if line.uid in kept or line.uid in uids)[:RECENT]


def with_finished(
    status: ScheduledAgentJobStatus,
    run: RunView,
    record: AgentJobRunStatus,
    uids: AbstractSet[str] = frozenset(),
) -> ScheduledAgentJobStatus:
    """The job's status after this run. A skipped run is remembered but is not counted as a run.

    `uids`: those of the runs that have no record yet.
    """
    line = RecentRun(
        name=run.name,
        uid=run.uid,
        phase=record.phase,
        reason=record.reason,
        exit_code=record.exit_code,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )
    recent = _ten((line, *status.recent_runs), uids)
    if record.phase in NEVER_BEGAN:
        return status.model_copy(update={"recent_runs": recent})
    failed, succeeded = record.phase in FAILURES, record.phase == "Succeeded"
    last_error, failures_in_a_row = status.last_error, status.consecutive_failures
    if failed:
        last_error, failures_in_a_row = f"{record.reason}: {record.message}", failures_in_a_row + 1
    elif succeeded:
        last_error, failures_in_a_row = None, 0
    last = LastRun(
        name=run.name,
        uid=run.uid,
        phase=record.phase,
        exit_code=record.exit_code,
        stdout_tail=_tail(record.stdout),
        stderr_tail=_tail(record.stderr),
    )
    return status.model_copy(
        update={
            "recent_runs": recent,
            "last_run": last,
            "started_at": None,
            "last_run_at": record.started_at or status.last_run_at,
            "last_error": last_error,
            "run_count": status.run_count + 1,
            "success_count": status.success_count + succeeded,
            "failure_count": status.failure_count + failed,
            "consecutive_failures": failures_in_a_row,
        }
    )


def _tail(text: str | None) -> str | None:
    """The end of a text: at most 2 KiB of UTF-8."""
    return (text or "").encode()[-TAIL_BYTES:].decode(errors="ignore") or None

"""Counters, recent runs and retention."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job import History
from agentjobs.api.job_status import RunPhase, ScheduledAgentJobStatus
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core.runs import history, retention
from agentjobs.core.views.run import FinishedRun, RunView

AT = datetime(2026, 11, 22, tzinfo=UTC)
ENDINGS: list[RunPhase] = ["Succeeded", "Failed", "TimedOut", "Cancelled", "Skipped"]


def run(number: int) -> RunView:
    name = f"run-{number}"
    return RunView(
        "ns", name, f"uid-{number}", "1", "report", True, True, AT, "Pending", None, None, None
    )


def record(phase: RunPhase, **fields: object) -> AgentJobRunStatus:
    body = {
        "phase": phase,
        "reason": "Why",
        "message": "because",
        "startedAt": "2026-11-22T08:00:00Z",
        **fields,
    }
    return AgentJobRunStatus.model_validate(body)


@given(st.lists(st.sampled_from(ENDINGS), max_size=30))
def test_counters_are_exact_whatever_happens(endings: list[RunPhase]) -> None:
    status = ScheduledAgentJobStatus()
    for number, phase in enumerate(endings):
        status = history.with_finished(status, run(number), record(phase))
        assert history.counted(status, run(number))
    ran = [phase for phase in endings if phase != "Skipped"]
    assert status.run_count == len(ran)
    assert status.success_count == ran.count("Succeeded")
    assert status.failure_count == ran.count("Failed") + ran.count("TimedOut")
    assert [line.phase for line in status.recent_runs] == endings[::-1][:10]


def test_failures_in_a_row_end_with_a_success_and_not_a_cancelled_run() -> None:
    status = ScheduledAgentJobStatus()
    seen = []
    endings: list[RunPhase] = ["Failed", "TimedOut", "Cancelled", "Skipped", "Failed", "Succeeded"]
    for number, phase in enumerate(endings):
        status = history.with_finished(status, run(number), record(phase))
        seen.append((status.consecutive_failures, status.last_error is None))
    assert [count for count, _ in seen] == [1, 2, 2, 2, 3, 0]
    assert [clear for _, clear in seen] == [False, False, False, False, False, True]


def test_the_tail_is_the_end_of_the_output_cut_on_a_character() -> None:
    status = history.with_finished(
        ScheduledAgentJobStatus(), run(1), record("Succeeded", stdout="x" + "é" * 5000, stderr="")
    )
    assert status.last_run is not None
    assert status.last_run.stdout_tail == "é" * 1024
    assert status.last_run.stderr_tail is None


def test_a_run_deleted_while_it_went_on_is_no_longer_the_last_run() -> None:
    before = history.with_finished(ScheduledAgentJobStatus(), run(1), record("Succeeded"))
    during = history.with_running(before, run(2), "2026-11-22T09:00:00Z")
    assert (during.last_run and during.last_run.name, during.started_at) == (
        "run-2",
        "2026-11-22T09:00:00Z",
    )
    after = history.without_running(during)
    assert (after.last_run and after.last_run.name, after.started_at) == ("run-1", None)


def finished(
    number: int, phase: str = "Succeeded", size: int = 10, job: str = "report"
) -> FinishedRun:
    return FinishedRun(
        "ns",
        f"{job}-{number}",
        f"{job}-uid-{number}",
        job,
        phase,
        f"2026-11-{number:02d}T00:00:00Z",
        size,
    )


def test_the_oldest_beyond_limits_go_and_failures_have_their_own_limit() -> None:
    runs = (
        [finished(n) for n in range(1, 6)]
        + [finished(n, "Failed") for n in range(6, 9)]
        + [finished(n, "TimedOut") for n in (9, 10)]
    )
    gone = retention.surplus(runs, History(successful=2, failed=4))
    assert [run.name for run in gone] == ["report-1", "report-2", "report-3", "report-6"]


def test_skipped_runs_do_not_push_real_failures_out() -> None:
    runs = [finished(1, "Failed"), *(finished(n, "Skipped") for n in range(2, 6))]
    assert [run.name for run in retention.surplus(runs, History(failed=2))] == [
        "report-2",
        "report-3",
    ]

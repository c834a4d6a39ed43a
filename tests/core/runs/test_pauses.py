"""A job whose runs keep failing pauses, and only a success or its author resumes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.approval.in_force import in_force
from agentjobs.core.decide import decide
from agentjobs.core.runs.pauses import message, pause_reason, settled
from tests.support.decisions import NOW, approved, observed
from tests.support.decisions import status as status_of
from tests.support.workload import POLICY

LIMIT = 3
PAUSED = {"since": "2026-11-20T08:00:00Z", "suspended": False}


def after(
    failures: int,
    *,
    paused: dict[str, Any] | None = None,
    suspend: bool = False,
    limit: int = LIMIT,
    **changes: Any,
) -> ScheduledAgentJobStatus:
    """The status that follows when so many runs in a row have failed."""
    seen = approved(observed(pauseAfterFailures=limit, suspend=suspend))
    before = {"consecutiveFailures": failures} | ({"failurePause": paused} if paused else {})
    status = ScheduledAgentJobStatus.model_validate(before)
    job = replace(seen.job, status=status, **changes)
    return settled(job, in_force(replace(seen, job=job)), status, NOW)


def test_it_pauses_with_the_failure_that_reaches_the_limit() -> None:
    assert after(LIMIT - 1).failure_pause is None
    pause = after(LIMIT).failure_pause
    assert pause is not None
    assert (pause.since, pause.suspended) == ("2026-11-22T08:00:00Z", False)
    assert after(100, limit=0).failure_pause is None, "0 never pauses"


def test_a_success_ends_a_pause_and_a_larger_limit_does_not() -> None:
    assert after(0, paused=PAUSED).failure_pause is None
    assert after(LIMIT, paused=PAUSED, limit=10).failure_pause is not None
    assert after(LIMIT, paused=PAUSED, limit=0).failure_pause is None


def test_turning_suspend_on_and_off_resumes_it_and_counts_from_zero() -> None:
    on = after(LIMIT, paused=PAUSED, suspend=True)
    assert on.failure_pause is not None
    assert on.failure_pause.suspended
    off = after(LIMIT, paused=PAUSED | {"suspended": True})
    assert (off.failure_pause, off.consecutive_failures) == (None, 0)
    assert after(LIMIT, paused=PAUSED).failure_pause is not None, "nobody has touched it"


def test_a_switch_that_nobody_saw_is_told_by_the_generation() -> None:
    seen = approved(observed(pauseAfterFailures=LIMIT))
    card = status_of(decide(seen, POLICY, NOW))["card"]
    status = ScheduledAgentJobStatus.model_validate(
        {
            "consecutiveFailures": LIMIT,
            "failurePause": PAUSED,
            "observedGeneration": 3,
            "card": card,
        }
    )
    for generation, ends in ((3, False), (4, False), (5, True)):
        job = replace(seen.job, status=status, generation=generation)
        found = settled(job, in_force(replace(seen, job=job)), status, NOW)
        assert (found.failure_pause is None) == ends, generation


def test_while_nothing_is_in_force_a_pause_stays_as_it_is() -> None:
    seen = observed(pauseAfterFailures=LIMIT)
    status = ScheduledAgentJobStatus.model_validate(
        {"consecutiveFailures": 0, "failurePause": PAUSED}
    )
    assert settled(seen.job, in_force(seen), status, NOW) == status


def test_why_only_runs_by_hand_start_is_said() -> None:
    job = observed().job
    assert pause_reason(job) is None
    assert "spec.suspend is true" in (pause_reason(replace(job, suspended=True)) or "")
    paused = ScheduledAgentJobStatus.model_validate({"failurePause": PAUSED})
    assert "too many runs in a row failed" in (pause_reason(replace(job, status=paused)) or "")


def test_the_message_says_how_often_with_what_and_how_to_resume() -> None:
    status = ScheduledAgentJobStatus.model_validate(
        {"consecutiveFailures": 4, "lastError": "ScriptFailed: oh no"}
    )
    said = message(status, suspended=False)
    assert said.startswith("4 runs in a row failed; the last error is: ScriptFailed: oh no. ")
    assert said.endswith("setting spec.suspend to true and then to false")
    assert message(status, suspended=True).endswith("setting it to false resumes the job")

"""What must be true of all that is reported about a job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from agentjobs.api.job_status import JobPhase
from agentjobs.api.schedule import Schedule
from agentjobs.cli.commands import cards
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.description import of_job
from agentjobs.core.schedules.windows import Draw
from agentjobs.present import rows
from tests.support.lives.stories import NO_START, Life, Told, told


def the_phase_is_one_of_the_contract(it: Told) -> bool:
    return it.phase in get_args(JobPhase)


def running_means_that_a_container_runs_or_is_being_ended(it: Told) -> bool:
    return (it.phase == "Running") == it.life.at_work


def a_pod_that_cannot_start_is_called_blocked_and_says_why(it: Told) -> bool:
    return not it.life.stuck or (it.phase, it.reason, "startedAt" in it.status) == (
        "Blocked",
        it.life.run,
        False,
    )


def a_name_that_is_taken_and_a_missing_policy_block_whatever_else_is_true(it: Told) -> bool:
    shown = it.life.in_force and it.life.obstacle and it.life.run in ("no run", "coming")
    return not shown or (it.phase, it.reason, it.condition("Ready").status) == (
        "Blocked",
        it.life.obstacle,
        "False",
    )


def scheduled_means_that_a_start_comes_and_when(it: Told) -> bool:
    return it.phase != "Scheduled" or (bool(it.next) and it.condition("Scheduled").status == "True")


def scheduled_and_the_next_start_agree_unless_something_blocks(it: Told) -> bool:
    scheduled = it.condition("Scheduled")
    return scheduled.reason in ("NameTaken", "PolicyMissing") or (
        scheduled.status == "True"
    ) == bool(it.next)


def where_nothing_is_approved_nothing_is_next(it: Told) -> bool:
    return it.life.in_force or (not it.next and it.condition("Scheduled").reason == "NotApproved")


def what_never_comes_is_not_promised_and_the_row_says_never(it: Told) -> bool:
    if not it.life.in_force or it.life.schedule not in NO_START:
        return True
    quiet = not (it.life.suspended or it.life.failure_pause or it.life.obstacle)
    never = {"never": "never", "past": "never", "fired": "never", "none": "-"}[it.life.schedule]
    return not it.next and it.phase != "Scheduled" and (not quiet or it.row["NEXT RUN"] == never)


def a_start_that_has_happened_is_not_called_missed(it: Told) -> bool:
    scheduled = it.condition("Scheduled")
    return scheduled.reason != "Past" or ("has happened" in scheduled.message) == (
        it.life.schedule == "fired"
    )


def a_pause_after_failures_is_not_blamed_on_suspend(it: Told) -> bool:
    if (
        not (it.life.in_force and it.life.failure_pause)
        or it.life.approval == "approved, then invalid"
    ):
        return True
    scheduled = it.condition("Scheduled")
    blames = "spec.suspend is also true" in scheduled.message
    return (
        scheduled.reason == "PausedAfterFailures"
        and blames == it.life.suspended
        and it.reason != "Suspended"
    )


def a_paused_job_says_by_what(it: Told) -> bool:
    held = it.life.suspended or it.life.failure_pause
    return it.phase != "Paused" or (
        held and not it.next and it.reason in ("Suspended", "PausedAfterFailures")
    )


def an_invalid_spec_is_not_called_scheduled_or_finished(it: Told) -> bool:
    quiet = it.life.invalid and not it.life.at_work
    return not quiet or (
        it.phase in ("Invalid", "Paused", "Blocked") and it.condition("Ready").status == "False"
    )


def invalid_denied_and_pending_are_never_ready(it: Told) -> bool:
    return (
        it.phase not in ("Invalid", "Denied", "PendingApproval", "Blocked")
        or it.life.stuck
        or it.condition("Ready").status == "False"
    )


def whatever_is_not_ready_for_want_of_a_decision_names_it(it: Told) -> bool:
    wanted = it.condition("Approved").reason
    return it.phase not in ("Denied", "PendingApproval") or (it.reason or it.phase) == wanted


def schedule_and_next_start_are_of_the_content_that_runs(it: Told) -> bool:
    if not it.life.in_force:
        return it.status.get("schedule") == (
            it.status["card"]["schedule"] if "card" in it.status else None
        )
    wanted = it.content.spec.schedule
    return it.status["schedule"] == of_job(it.content.spec) and (
        not it.next or _is_start(wanted, it.next)
    )


def _is_start(wanted: Schedule, told_start: str) -> bool:
    start = datetime.fromisoformat(told_start)
    draw = Draw("uid") if wanted.window else next_starts.NO_DRAW
    return start in next_starts.next_starts(wanted, start - timedelta(minutes=1), 1, draw)


def a_change_that_waits_is_named_and_one_that_was_denied_does_not_wait(it: Told) -> bool:
    waiting = it.status.get("waiting")
    if it.life.approval != "changed":
        return waiting is None and "change waits:" not in it.row["SCHEDULE"]
    return (
        waiting == it.status["card"]["schedule"]
        and it.row["SCHEDULE"] == f"{it.status['schedule']}; change waits: {waiting}"
    )


def the_card_says_which_schedule_goes_on_and_which_waits(it: Told) -> bool:
    body = {"metadata": {"name": "report"}, "status": it.status}
    lines = list(cards.lines(body, colour=False))
    changed = it.status["approval"]["state"] == "Changed"
    return (
        any(line.startswith(f"  In force   {it.status['schedule']}") for line in lines) == changed
        if "schedule" in it.status
        else True
    )


def the_approval_of_the_row_waits_only_where_somebody_can_decide(it: Told) -> bool:
    body = {"status": it.status}
    return ("waits" in it.row["APPROVAL"]) == rows.waits(body)


def what_something_triggers_is_not_for_people_only(it: Told) -> bool:
    texts = (
        it.status.get("schedule", ""),
        it.status.get("card", {}).get("schedule", ""),
        it.condition("Scheduled").message,
    )
    return it.life.triggers == "no triggers" or not any(
        "manual runs only" in text or "create an AgentJobRun" in text for text in texts
    )


def a_card_warns_of_what_never_comes(it: Told) -> bool:
    if "card" not in it.status:
        return True
    warned = any(
        "will not start by itself" in line for line in it.status["card"].get("warnings", ())
    )
    of_first = it.life.approval not in ("changed", "change denied")
    return warned == (of_first and it.life.schedule in ("past", "fired", "never"))


def failed_and_finished_tell_of_the_last_run(it: Told) -> bool:
    last = it.status.get("lastRun", {}).get("phase")
    failed = last == "Failed" and it.reason == "ScriptFailed"
    return (it.phase != "Failed" or failed) and (it.phase != "Finished" or last == "Succeeded")


def the_row_begins_with_the_phase_and_says_what_is_wrong(it: Told) -> bool:
    word = rows.STATUS[it.phase]
    said = it.row["STATUS"]
    return said == word or (
        said == f"{word}: {it.reason}"
        and it.phase in ("Blocked", "Paused", "Idle", "Finished", "Invalid")
    )


def stalled_means_that_somebody_has_to_do_something(it: Told) -> bool:
    stalled = it.life.obstacle or it.life.invalid or "denied" in it.life.approval
    return ("Stalled" in it.kinds) == bool(stalled)


INVARIANTS: Final = [
    the_phase_is_one_of_the_contract,
    running_means_that_a_container_runs_or_is_being_ended,
    a_pod_that_cannot_start_is_called_blocked_and_says_why,
    a_name_that_is_taken_and_a_missing_policy_block_whatever_else_is_true,
    scheduled_means_that_a_start_comes_and_when,
    scheduled_and_the_next_start_agree_unless_something_blocks,
    where_nothing_is_approved_nothing_is_next,
    what_never_comes_is_not_promised_and_the_row_says_never,
    a_start_that_has_happened_is_not_called_missed,
    a_pause_after_failures_is_not_blamed_on_suspend,
    a_paused_job_says_by_what,
    an_invalid_spec_is_not_called_scheduled_or_finished,
    invalid_denied_and_pending_are_never_ready,
    whatever_is_not_ready_for_want_of_a_decision_names_it,
    schedule_and_next_start_are_of_the_content_that_runs,
    a_change_that_waits_is_named_and_one_that_was_denied_does_not_wait,
    the_card_says_which_schedule_goes_on_and_which_waits,
    the_approval_of_the_row_waits_only_where_somebody_can_decide,
    what_something_triggers_is_not_for_people_only,
    a_card_warns_of_what_never_comes,
    failed_and_finished_tell_of_the_last_run,
    the_row_begins_with_the_phase_and_says_what_is_wrong,
    stalled_means_that_somebody_has_to_do_something,
]


def contradictions(some: Iterator[Life]) -> dict[str, Any]:
    """The first life with which each sentence is not true."""
    broken: dict[str, Any] = {}
    for life in some:
        for it in told(life):
            for holds in INVARIANTS:
                if holds.__name__ not in broken and not holds(it):
                    broken[holds.__name__] = (life, it.status, it.row)
    return broken

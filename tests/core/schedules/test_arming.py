"""A schedule that is no single cron expression gets one minute at a time from its CronJob."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from agentjobs.core.approval.in_force import in_force
from agentjobs.core.observed import Observed
from agentjobs.core.schedules.accounting import start_plan
from agentjobs.core.schedules.arming import ARM_AHEAD, ARM_WITHIN, HELP_AFTER, armed
from agentjobs.core.schedules.next_starts import NO_DRAW
from agentjobs.core.schedules.starts import StartContext, StartPlan
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.workload.cronjob import NEVER, Timing
from tests.support.decisions import HOURLY, NOW, cron_job, known, observed, settled
from tests.support.endings import JOB

EVERY_OTHER_WEEK: Final = {"cron": "0 9 * * 1", "everyWeeks": 2, "startDate": "2026-11-23"}
START: Final = datetime.fromisoformat("2026-11-23T09:00:00Z")
MINUTE: Final = Timing("0 9 23 11 *", "Etc/UTC", 600, suspended=False)
"""What the CronJob says while it is armed for START."""
IDLE: Final = Timing(NEVER, "Etc/UTC", 600, suspended=True)


def context(now: datetime, schedule: dict[str, Any], **changes: Any) -> StartContext:
    seen = settled(observed(schedule={"startingDeadlineSeconds": 600, **schedule}))
    found = replace(seen, **changes)
    assert found.job.spec
    return StartContext(found, found.job.spec.schedule, found.job.status, now, {}, NO_DRAW)


def told(now: datetime, suspended: bool = False, **changes: Any) -> StartPlan:
    """What follows of the next start, with a CronJob that says nothing yet."""
    return armed(context(now, EVERY_OTHER_WEEK, **changes), StartPlan(START), suspended=suspended)


def armed_cron(**changes: Any) -> CronJobView:
    seen = settled(observed(schedule=HOURLY))
    fields = {"schedule": MINUTE.schedule, "time_zone": MINUTE.time_zone, "suspended": False}
    return cron_job(seen, **fields | changes)


def test_a_plain_schedule_is_left_to_its_cron_job() -> None:
    plain = armed(context(NOW, HOURLY), StartPlan(START), suspended=False)
    assert plain.timing == Timing("0 * * * *", "Etc/UTC", 600, suspended=False)


def test_any_other_schedule_is_the_one_minute_that_comes_next() -> None:
    assert told(START - timedelta(days=1)).timing == MINUTE
    assert told(START - timedelta(days=1)).writes == ()


@pytest.mark.parametrize("ahead", [ARM_WITHIN, ARM_WITHIN + timedelta(days=400)])
def test_a_start_that_is_far_off_waits_since_a_cron_has_no_year(ahead: timedelta) -> None:
    assert told(START - ahead).timing == IDLE
    assert told(START - ARM_WITHIN + timedelta(seconds=1)).timing == MINUTE


def test_nothing_is_armed_while_the_job_is_paused_or_has_no_start() -> None:
    assert told(START - timedelta(days=1), suspended=True).timing == IDLE
    nothing = context(START, EVERY_OTHER_WEEK)
    assert armed(nothing, StartPlan(), suspended=False) == StartPlan(timing=IDLE)


def test_a_start_for_which_arming_comes_too_late_is_made_by_the_operator() -> None:
    """A CronJob is never due in the minute in which it was made."""
    late = told(START - ARM_AHEAD + timedelta(seconds=1))
    assert (late.timing, late.writes) == (IDLE, ()), "it is not due yet"
    (write,) = told(START).writes
    assert (write.verb, write.kind, write.name) == ("create", "run", "report-29923740")
    assert told(START + timedelta(minutes=11)).writes == (), "its deadline has passed"


def test_an_armed_cron_job_is_helped_when_it_makes_nothing() -> None:
    there: dict[str, Any] = {"cron_job": armed_cron()}
    assert told(START + HELP_AFTER - timedelta(seconds=1), **there).writes == ()
    (write,) = told(START + HELP_AFTER, **there).writes
    assert (write.kind, write.name) == ("run", "report-29923740")


def test_a_cron_job_that_has_just_made_its_job_is_not_touched() -> None:
    """A change would keep its controller from listing the Job as active."""
    made = replace(
        JOB, name="report-29923740", owner_uid="cron", manual=False, created=START, ended=""
    )
    seen: dict[str, Any] = {"batch_jobs": (made,), "cron_job": armed_cron(schedule="0 9 * * *")}
    assert told(START + timedelta(seconds=1), **seen).timing is None
    listed = seen | {"cron_job": armed_cron(schedule="0 9 * * *", active=({"uid": made.uid},))}
    assert told(START + timedelta(seconds=1), **listed).timing == IDLE


def looked_at(schedule: dict[str, Any], now: datetime) -> float | None:
    """After how many seconds the starts of a job in force are looked at again."""
    seen: Observed = settled(observed(schedule={"startingDeadlineSeconds": 600, **schedule}))
    seen = known(seen, nextRunAt=to_wire(START))
    plan = start_plan(seen, in_force(seen), seen.job.status, None, suspended=False, now=now)
    return plan.requeue_after


def test_the_next_look_is_at_the_next_moment_that_may_need_one() -> None:
    assert looked_at(EVERY_OTHER_WEEK, START - timedelta(hours=1)) == 3600
    assert looked_at(EVERY_OTHER_WEEK, START - ARM_WITHIN) == 1
    plain = {"cron": "0 9 * * 1", "timeZone": "Etc/UTC"}
    assert looked_at(plain, START - timedelta(hours=1)) == 3601, "it is due, so it has come"

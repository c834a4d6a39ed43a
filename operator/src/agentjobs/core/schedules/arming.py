"""What the CronJob has to say so that the next start happens, and when to look at it again.

A schedule that is one cron expression is the CronJob's own. Any other is armed: the CronJob names
the one minute that comes next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from agentjobs.core.plan import Stage, Write
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.starts import StartContext, StartPlan
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.workload import cronjob, records
from agentjobs.core.workload.cronjob import NEVER, Timing

ARM_AHEAD: Final = timedelta(seconds=5)
"""A CronJob that is written later than that may miss its minute.

It is never due in the minute in which it was made."""
ARM_WITHIN: Final = timedelta(days=30)
"""A cron expression has no year."""
HELP_AFTER: Final = timedelta(seconds=15)
"""How long an armed CronJob has to make its Job."""
SETTLES_SECONDS: Final = 1.0
UTC_NAME: Final = "Etc/UTC"


def armed(context: StartContext, found: StartPlan, *, suspended: bool) -> StartPlan:
    """The plan, with what the CronJob must say, and the start where the CronJob would miss it."""
    wanted = context.schedule
    plain = cronjob.plain(wanted, suspended=suspended)
    if next_starts.is_plain(wanted):
        return replace(found, timing=plain)
    idle = replace(plain, schedule=NEVER, suspended=True)
    if suspended or found.start is None:
        return replace(found, timing=_unless_settling(context, idle))
    timing, cron = _one_minute(context, found.start), context.observed.cron_job
    ahead = found.start - context.now
    if ahead >= ARM_WITHIN:
        return replace(found, timing=_unless_settling(context, idle))
    with_own_start = (*found.writes, *_own_start(context, found.start))
    if _says(cron, timing):
        late = -ahead >= HELP_AFTER
        return replace(found, timing=timing, writes=with_own_start if late else found.writes)
    if ahead >= ARM_AHEAD:
        return replace(found, timing=_unless_settling(context, timing))
    return replace(found, timing=_unless_settling(context, idle), writes=with_own_start)


def _one_minute(context: StartContext, start: datetime) -> Timing:
    at = start.astimezone(UTC)
    seconds = int((next_starts.too_late(context.schedule, start) - start).total_seconds())
    return Timing(
        f"{at.minute} {at.hour} {at.day} {at.month} *", UTC_NAME, seconds, suspended=False
    )


def _says(cron: CronJobView | None, timing: Timing) -> bool:
    if cron is None or cron.suspended:
        return False
    return (cron.schedule, cron.time_zone) == (timing.schedule, timing.time_zone)


def _unless_settling(context: StartContext, timing: Timing) -> Timing | None:
    """The timing; None while the controller has yet to list a Job it has just made as active.

    A change now would prevent that.
    """
    cron = context.observed.cron_job
    listed = {reference.get("uid") for reference in cron.active} if cron else set()
    settling = any(
        not job.manual and job.uid not in listed and context.now - job.created < HELP_AFTER
        for job in context.active_jobs()
    )
    return None if settling else timing


def _own_start(context: StartContext, start: datetime) -> Iterable[Write]:
    """Creates the start as a run of the same name, started by the operator like a run by hand."""
    cron = context.observed.cron_job
    in_time = start <= context.now < next_starts.too_late(context.schedule, start)
    if in_time and cron and not cron.deleting and (context.overlaps or not context.active_jobs()):
        body = records.own_start(context.observed.job, context.name(start), to_wire(start))
        why = "it makes a scheduled start in place of the CronJob"
        yield Write("create", "run", context.name(start), why, body, stage=Stage.CREATE)


def look_again(context: StartContext, found: StartPlan) -> StartPlan:
    """The plan, with the seconds after which the starts have to be looked at again."""
    waits = [found.requeue_after] if found.requeue_after is not None else []
    if found.timing is None:
        waits.append(SETTLES_SECONDS)
    if found.writes:
        waits.append(0)
    if found.start:
        ahead = (wait for wait in _moments(context, found.start) if wait > 0)
        waits.append(min(ahead, default=SETTLES_SECONDS))
    return replace(found, requeue_after=min(waits, default=None))


def _moments(context: StartContext, start: datetime) -> Iterable[float]:
    """Yields the seconds until a start may need attention, or until it is given up."""
    is_plain = next_starts.is_plain(context.schedule)
    marks = (
        () if is_plain else (start - ARM_WITHIN + timedelta(seconds=1), start, start + HELP_AFTER)
    )
    for mark in (*marks, start + timedelta(seconds=1), context.given_up_at(start)):
        yield (mark - context.now).total_seconds()

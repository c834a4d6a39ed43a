"""Accounts for starts: which one is next, and what became of those that passed.

Also what the CronJob must say so that the next one happens.

`status.nextRunAt` is the mark: every start before it is a run or a record, or was left out while
`missedSince` says so. The mark moves on when its start is found as a Job or a run, or when it is
too late for it. So every reader of the mark decides the same, however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.api.schedule import Schedule
from agentjobs.core import naming
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Stage, Write
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.windows import Draw
from agentjobs.core.timestamps import from_wire, to_wire
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.views.run import NEVER_BEGAN
from agentjobs.core.workload import cronjob, records
from agentjobs.core.workload.cronjob import NEVER, Timing

ARM_AHEAD: Final = timedelta(seconds=5)
"""A CronJob that is written later than that may miss its minute: it is never due in the minute in
which it was made."""
ARM_WITHIN: Final = timedelta(days=30)
"""A cron expression has no year."""
HELP_AFTER: Final = timedelta(seconds=15)
"""How long an armed CronJob has to make its Job."""
GRACE: Final = timedelta(seconds=10)
"""How long after its starting deadline a start is given up: the CronJob controller may just be
making it."""
AT_ONCE: Final = 1000
"""Starts accounted for in one decision."""
SETTLES_SECONDS: Final = 1.0
PAUSES: Final = frozenset({"Suspended", "PausedAfterFailures"})
UTC_NAME: Final = "Etc/UTC"
_ONE_RECORD: Final = "missed starts get no further records until a start happens again"


@dataclass(frozen=True, slots=True)
class StartPlan:
    """What is to be done about starts. `timing` None: leave the CronJob as it is for now."""

    start: datetime | None = None
    missed_since: str | None = None
    timing: Timing | None = None
    writes: tuple[Write, ...] = ()
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class StartContext:
    """What all functions about the starts of one job share."""

    observed: Observed
    schedule: Schedule
    status: ScheduledAgentJobStatus
    now: datetime
    accounted: Mapping[datetime, bool]
    """Starts that have a Job or a run, and whether it began or is going to."""
    draw: Draw
    obstacle: str | None = None
    """Why the job cannot have its CronJob."""
    overlaps: bool = False
    """Whether a start does not wait for another run to finish."""

    def next_starts(self, after: datetime, count: int = 1) -> tuple[datetime, ...]:
        return _in_utc(next_starts.next_starts(self.schedule, after, count, self.draw))

    def passed(self, after: datetime) -> tuple[datetime, ...]:
        """The starts up to now, and the next one."""
        return _in_utc(next_starts.passed(self.schedule, after, self.now, self.draw, AT_ONCE))

    def name(self, start: datetime) -> str:
        return naming.run_of_start(self.observed.job.name, start)


def _in_utc(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    """The moments in UTC.

    Python never finds a time in an hour that comes twice equal to one of another zone (PEP 495).
    """
    return tuple(moment.astimezone(UTC) for moment in moments)


def draw_for(observed: Observed, wanted: Schedule) -> Draw:
    """What a window's draw depends on, for this job."""
    if wanted.window is None:
        return next_starts.NO_DRAW
    begun = [start for start, has_begun in _starts(observed).items() if has_begun]
    return Draw(observed.job.uid, max(begun, default=None))


def _starts(observed: Observed) -> dict[datetime, bool]:
    """The starts for `StartContext.accounted`."""
    cron, job = observed.own_cron_job, observed.job.name
    names = {run.name: run.phase not in NEVER_BEGAN for run in observed.finished}
    names |= {run.name: run.skip is None for run in observed.runs}
    names |= {
        batch.name: True
        for batch in observed.batch_jobs
        if cron and batch.owner_uid == cron.uid and batch.name not in names
    }
    found = ((naming.start_of(name), name, begun) for name, begun in names.items())
    return {
        start: begun
        for start, name, begun in found
        if start and name == naming.run_of_start(job, start)
    }


def start_plan(
    observed: Observed,
    force: InForce,
    status: ScheduledAgentJobStatus,
    obstacle: str | None,
    *,
    suspended: bool,
    now: datetime,
) -> StartPlan:
    """What is to be done about starts.

    `status`: with the runs of this decision in its history. `obstacle`: why there can be no
    CronJob.
    """
    if force.content is None or force.spec is None:
        return StartPlan()
    if observed.job.deleting:
        return StartPlan(timing=cronjob.plain(force.spec.schedule, suspended=True))
    wanted = force.spec.schedule
    overlaps = force.spec.concurrency_policy != "Forbid"
    context = StartContext(
        observed,
        wanted,
        status,
        now,
        _starts(observed),
        draw_for(observed, wanted),
        obstacle,
        overlaps,
    )
    known = status.approval is not None and status.approval.digest == force.content.digest
    if suspended:
        found = _while_paused(context, known=known)
    elif known and status.next_run_at:
        found = _go_on(context, from_wire(status.next_run_at))
    else:
        found = _begin(context, known=known)
    return _look_again(context, _armed(context, found, suspended=suspended))


def has_fired(observed: Observed, wanted: Schedule) -> bool:
    """Whether the single start of a schedule has become a run."""
    if wanted.once is None:
        return False
    start = next_starts.run_at(wanted.once, next_starts.zone_of(wanted))
    name, recent = naming.run_of_start(observed.job.name, start), observed.job.status.recent_runs
    in_history = any(line.name == name and line.phase not in NEVER_BEGAN for line in recent)
    return in_history or _starts(observed).get(start.astimezone(UTC), False)


def _begin(context: StartContext, *, known: bool) -> StartPlan:
    """Sets the mark of a content that is newly in force, edited or resumed.

    Earlier starts do not count; one due at once may be missed.

    Where a known content has no further start, `missedSince` stays: its last start was left out.
    """
    start = next(iter(context.next_starts(context.now + ARM_AHEAD)), None)
    return StartPlan(start, context.status.missed_since if known and start is None else None)


def _go_on(context: StartContext, mark: datetime) -> StartPlan:
    """Moves the mark past every start accounted for or lost, to the first that may still happen."""
    # A gap is a row of starts that did not become runs. `since` is its first start, and the only
    # one that gets a record: a schedule for every minute would otherwise write thousands. A start
    # that began ends the gap. The status keeps the old mark until the records are written
    # (`status.answer`), so that a crash before that only repeats this walk.
    newest = max((start for start, begun in context.accounted.items() if begun), default=None)
    since = context.status.missed_since
    given_up: list[datetime] = []
    for start in (mark, *context.passed(mark)):
        if start in context.accounted:
            since = None if context.accounted[start] else since or to_wire(start)
        elif start > context.now or (not _is_lost(context, start, newest)):
            return StartPlan(start, since, writes=_records(context, given_up))
        elif since is None:
            since, given_up = to_wire(start), [*given_up, start]
    # The walk ended before a start that may still happen: after AT_ONCE starts, from where it goes
    # on at once, or where no more follow.
    last = start if context.next_starts(start) else None
    return StartPlan(
        last, since, writes=_records(context, given_up), requeue_after=0 if last else None
    )


def _is_lost(context: StartContext, start: datetime, newest: datetime | None) -> bool:
    """Whether a start will never happen.

    Of several late starts the CronJob controller makes only the newest.
    """
    superseded = newest is not None and start < newest
    return superseded or context.now >= next_starts.too_late(context.schedule, start) + GRACE


def _records(context: StartContext, given_up: Sequence[datetime]) -> tuple[Write, ...]:
    """The records of lost starts: one for each gap, of its first start."""
    return tuple(_record(context, start, *_reason(context, start)) for start in given_up)


def _reason(context: StartContext, start: datetime) -> tuple[str, str]:
    missed, name = f"the start at {to_wire(start)} did not happen", context.name(start)
    if any(job.name == name and job.foreign for job in context.observed.batch_jobs):
        return (
            "NameTaken",
            f"{missed}: a Job named {name} exists and does not belong to this job; delete it",
        )
    if not context.overlaps and _was_busy(context, start):
        return "Overlap", f"{missed}: another run of this job had not finished; {_ONE_RECORD}"
    if context.observed.gap:
        return (
            "PolicyMissing",
            (
                f"{missed}: an admission policy of the chart is missing or was changed; see the"
                " job's condition Ready"
            ),
        )
    if context.obstacle:
        return "NameTaken", f"{missed}: {context.obstacle}"
    why = (
        "the cluster, its CronJob controller or the operator was down, or a quota or an admission"
        " policy refused the Job, in which case the CronJob's events say so"
    )
    return "NotStartedInTime", f"{missed} in time: {why}; {_ONE_RECORD}"


def _was_busy(context: StartContext, start: datetime) -> bool:
    lines = [(line.started_at, line.finished_at) for line in context.status.recent_runs]
    before = any(
        begin and end and from_wire(begin) <= start < from_wire(end) for begin, end in lines
    )
    return before or any(job.created <= start for job in _active(context))


def _active(context: StartContext) -> list[BatchJobView]:
    cron = context.observed.own_cron_job
    return [
        job
        for job in context.observed.batch_jobs
        if cron and job.owner_uid == cron.uid and not job.ended
    ]


def _record(context: StartContext, start: datetime, reason: str, message: str) -> Write:
    body = records.left_out(
        context.observed.job, context.name(start), to_wire(start), f"{reason}: {message}"
    )
    why = "it records a missed start"
    return Write("create", "run", context.name(start), why, body, stage=Stage.RECORD)


def _while_paused(context: StartContext, *, known: bool) -> StartPlan:
    """The plan while nothing starts: the first start of a pause gets a record that says so."""
    since = context.status.missed_since if known else None
    condition = next(
        (c for c in context.status.conditions if c.type == "Scheduled" and c.reason in PAUSES), None
    )
    approved = context.status.approval.at if context.status.approval else None
    if since or not known or condition is None:
        return StartPlan(missed_since=since)
    paused = max(
        from_wire(condition.last_transition_time),
        from_wire(approved or condition.last_transition_time),
    )
    for start in context.passed(paused):
        if start > context.now:
            return StartPlan(requeue_after=(start - context.now).total_seconds())
        if context.accounted.get(start) is False:
            return StartPlan(missed_since=to_wire(start))
        if start not in context.accounted:
            message = (
                f"the start at {to_wire(start)} did not happen: the job was paused"
                f" {_paused_by(context, start)}; further starts during the pause get no records"
            )
            return StartPlan(
                missed_since=to_wire(start), writes=(_record(context, start, "Paused", message),)
            )
    return StartPlan()


def _paused_by(context: StartContext, start: datetime) -> str:
    """What kept a start from happening, in words."""
    pause, suspended = context.status.failure_pause, context.observed.job.suspended
    failed = "by too many failures in a row" if pause and from_wire(pause.since) <= start else ""
    return " and ".join(
        filter(None, (failed, "by spec.suspend" if suspended or not failed else ""))
    )


def _armed(context: StartContext, found: StartPlan, *, suspended: bool) -> StartPlan:
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
    if _says(cron, timing):
        late = -ahead >= HELP_AFTER
        return replace(
            found,
            timing=timing,
            writes=(*found.writes, *(_own_start(context, found.start) if late else ())),
        )
    if ahead >= ARM_AHEAD:
        return replace(found, timing=_unless_settling(context, timing))
    return replace(
        found,
        timing=_unless_settling(context, idle),
        writes=(*found.writes, *_own_start(context, found.start)),
    )


def _one_minute(context: StartContext, start: datetime) -> Timing:
    at = start.astimezone(UTC)
    seconds = int((next_starts.too_late(context.schedule, start) - start).total_seconds())
    return Timing(
        f"{at.minute} {at.hour} {at.day} {at.month} *", UTC_NAME, seconds, suspended=False
    )


def _says(cron: CronJobView | None, timing: Timing) -> bool:
    return cron is not None and (cron.schedule, cron.time_zone, cron.suspended) == (
        timing.schedule,
        timing.time_zone,
        False,
    )


def _unless_settling(context: StartContext, timing: Timing) -> Timing | None:
    """The timing; None while the controller has yet to list a Job it has just made as active.

    A change now would prevent that.
    """
    cron = context.observed.cron_job
    listed = {reference.get("uid") for reference in cron.active} if cron else set()
    settling = any(
        not job.manual and job.uid not in listed and context.now - job.created < HELP_AFTER
        for job in _active(context)
    )
    return None if settling else timing


def _own_start(context: StartContext, start: datetime) -> Iterable[Write]:
    """Creates the start as a run of the same name, started by the operator like a run by hand."""
    cron = context.observed.cron_job
    in_time = start <= context.now < next_starts.too_late(context.schedule, start)
    if in_time and cron and not cron.deleting and (context.overlaps or not _active(context)):
        body = records.own_start(context.observed.job, context.name(start), to_wire(start))
        why = "it makes a scheduled start in place of the CronJob"
        yield Write("create", "run", context.name(start), why, body, stage=Stage.CREATE)


def _look_again(context: StartContext, found: StartPlan) -> StartPlan:
    waits = [found.requeue_after] if found.requeue_after is not None else []
    if found.timing is None:
        waits.append(SETTLES_SECONDS)
    if found.writes:
        waits.append(0)
    if found.start:
        waits.append(
            min(
                filter(lambda wait: wait > 0, _moments(context, found.start)),
                default=SETTLES_SECONDS,
            )
        )
    return replace(found, requeue_after=min(waits, default=None))


def _moments(context: StartContext, start: datetime) -> Iterable[float]:
    """Yields the seconds until a start may need attention, or until it is given up."""
    is_plain = next_starts.is_plain(context.schedule)
    marks = (
        () if is_plain else (start - ARM_WITHIN + timedelta(seconds=1), start, start + HELP_AFTER)
    )
    for mark in (
        *marks,
        start + timedelta(seconds=1),
        next_starts.too_late(context.schedule, start) + GRACE,
    ):
        yield (mark - context.now).total_seconds()

"""Accounts for starts: which one is next, and what became of those that passed.

`status.nextRunAt` is the mark: every start before it is a run or a record, or was left out while
`missedSince` says so. The mark moves on when its start is found as a Job or a run, or when it is
too late for it. So every reader of the mark decides the same, however often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.plan import Stage, Write
from agentjobs.core.schedules.arming import ARM_AHEAD, armed, look_again
from agentjobs.core.schedules.starts import StartContext, StartPlan, accounted, draw_for
from agentjobs.core.timestamps import from_wire, to_wire
from agentjobs.core.workload import cronjob, records

PAUSES: Final = frozenset({"Suspended", "PausedAfterFailures"})
_ONE_RECORD: Final = "missed starts get no further records until a start happens again"


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
    known_starts, draw = accounted(observed), draw_for(observed, wanted)
    overlaps = force.spec.concurrency_policy != "Forbid"
    context = StartContext(
        observed, wanted, status, now, known_starts, draw, obstacle=obstacle, overlaps=overlaps
    )
    known = status.approval is not None and status.approval.digest == force.content.digest
    if suspended:
        found = _while_paused(context, known=known)
    elif known and status.next_run_at:
        found = _go_on(context, from_wire(status.next_run_at))
    else:
        found = _begin(context, known=known)
    return look_again(context, armed(context, found, suspended=suspended))


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
    return superseded or context.now >= context.given_up_at(start)


def _records(context: StartContext, given_up: Sequence[datetime]) -> tuple[Write, ...]:
    """The records of lost starts: one for each gap, of its first start."""
    return tuple(_record(context, start, *_reason(context, start)) for start in given_up)


def _reason(context: StartContext, start: datetime) -> tuple[str, str]:
    missed, name = f"the start at {to_wire(start)} did not happen", context.name(start)
    if any(job.name == name and job.foreign for job in context.observed.batch_jobs):
        message = f"{missed}: a Job named {name} exists and does not belong to this job; delete it"
        return "NameTaken", message
    if not context.overlaps and _was_busy(context, start):
        return "Overlap", f"{missed}: another run of this job had not finished; {_ONE_RECORD}"
    if context.observed.gap:
        message = (
            f"{missed}: an admission policy of the chart is missing or was changed; see the"
            " job's condition Ready"
        )
        return "PolicyMissing", message
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
    return before or any(job.created <= start for job in context.active_jobs())


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

"""Accounting for starts: which one is next, what became of those that passed, and what the CronJob has to say so that the next one happens.

`status.nextRunAt` is the mark: every start before it is a run or a record, or was left out with `missedSince` saying so. It moves on
when its start is found as a Job or a run, or when it is too late for it. So whoever reads the mark, and however often, decides the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from agentjobs.api.job import Schedule, ScheduledAgentJobStatus
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
"""A CronJob that is written later than that may miss its minute: it is never due in the minute in which it was made."""
ARM_WITHIN: Final = timedelta(days=30)
"""A cron expression has no year."""
HELP_AFTER: Final = timedelta(seconds=15)
"""So long an armed CronJob has for making its Job."""
GRACE: Final = timedelta(seconds=10)
"""On top of the starting deadline, before a start is given up: the CronJob controller may just be making it."""
AT_ONCE: Final = 1000
"""Starts accounted for in one decision."""
SETTLES_SECONDS: Final = 1.0
PAUSES: Final = frozenset({"Suspended", "PausedAfterFailures"})
UTC_NAME: Final = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be done about starts. `timing` None: leave the CronJob as it is for now."""

    start: datetime | None = None
    missed_since: str | None = None
    timing: Timing | None = None
    writes: tuple[Write, ...] = ()
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What all questions about the starts of one job share."""

    observed: Observed
    schedule: Schedule
    status: ScheduledAgentJobStatus
    now: datetime
    accounted: Mapping[datetime, bool]
    """Starts of which there is a Job or a run, and whether that began, or is going to."""
    draw: Draw
    obstacle: str | None = None
    """What keeps the job from having its CronJob."""
    overlaps: bool = False
    """A start does not wait for another run to finish."""

    def next_starts(self, after: datetime, count: int = 1) -> tuple[datetime, ...]:
        return _in_utc(next_starts.next_starts(self.schedule, after, count, self.draw))

    def passed(self, after: datetime) -> tuple[datetime, ...]:
        """Those up to now, and the next one."""
        return _in_utc(next_starts.passed(self.schedule, after, self.now, self.draw, AT_ONCE))

    def name(self, start: datetime) -> str:
        return naming.run_of_start(self.observed.job.name, start)


def _in_utc(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    """Python takes no time in an hour that comes twice for equal to one of another zone (PEP 495)."""
    return tuple(moment.astimezone(UTC) for moment in moments)


def draw_for(observed: Observed, wanted: Schedule) -> Draw:
    """What a window's draw depends on."""
    if wanted.window is None:
        return next_starts.NO_DRAW
    begun = [start for start, has_begun in _starts(observed).items() if has_begun]
    return Draw(observed.job.uid, max(begun, default=None))


def _starts(observed: Observed) -> dict[datetime, bool]:
    """For `Scene.accounted`."""
    cron, job = observed.own_cron_job, observed.job.name
    names = {run.name: run.phase not in NEVER_BEGAN for run in observed.finished}
    names |= {run.name: run.skip is None for run in observed.runs}
    names |= {batch.name: True for batch in observed.batch_jobs if cron and batch.owner_uid == cron.uid and batch.name not in names}
    found = ((naming.start_of(name), name, begun) for name, begun in names.items())
    return {start: begun for start, name, begun in found if start and name == naming.run_of_start(job, start)}


def outlook(
    observed: Observed, force: InForce, status: ScheduledAgentJobStatus, obstacle: str | None, *, suspended: bool, now: datetime
) -> Outlook:
    """`status`: the job's, with the runs of this decision in its history. `obstacle`: what keeps it from having its CronJob."""
    if force.content is None or force.spec is None:
        return Outlook()
    if observed.job.deleting:
        return Outlook(timing=cronjob.plain(force.spec.schedule, suspended=True))
    wanted = force.spec.schedule
    overlaps = force.spec.concurrency_policy != "Forbid"
    scene = Scene(observed, wanted, status, now, _starts(observed), draw_for(observed, wanted), obstacle, overlaps)
    known = status.approval is not None and status.approval.digest == force.content.digest
    if suspended:
        found = _while_paused(scene, known=known)
    elif known and status.next_run_at:
        found = _go_on(scene, from_wire(status.next_run_at))
    else:
        found = _begin(scene, known=known)
    return _look_again(scene, _armed(scene, found, suspended=suspended))


def has_fired(observed: Observed, wanted: Schedule) -> bool:
    """The single start of a schedule has become a run."""
    if wanted.once is None:
        return False
    start = next_starts.run_at(wanted.once, next_starts.zone_of(wanted))
    name, recent = naming.run_of_start(observed.job.name, start), observed.job.status.recent_runs
    told = any(line.name == name and line.phase not in NEVER_BEGAN for line in recent)
    return told or _starts(observed).get(start.astimezone(UTC), False)


def _begin(scene: Scene, *, known: bool) -> Outlook:
    """Newly in force, edited or resumed: what lies before is nobody's business, and what comes at once cannot be promised.

    Or there is no start any more, and that the last one was left out stays true.
    """
    start = next(iter(scene.next_starts(scene.now + ARM_AHEAD)), None)
    return Outlook(start, scene.status.missed_since if known and start is None else None)


def _go_on(scene: Scene, mark: datetime) -> Outlook:
    """From the mark on."""
    newest = max((start for start, begun in scene.accounted.items() if begun), default=None)
    since = scene.status.missed_since
    given_up: list[datetime] = []
    for start in (mark, *scene.passed(mark)):
        if start in scene.accounted:
            since = None if scene.accounted[start] else since or to_wire(start)
        elif start > scene.now or (not _is_lost(scene, start, newest)):
            return Outlook(start, since, writes=_records(scene, given_up))
        elif since is None:
            since, given_up = to_wire(start), [*given_up, start]
    last = start if scene.next_starts(start) else None
    return Outlook(last, since, writes=_records(scene, given_up), requeue_after=0 if last else None)


def _is_lost(scene: Scene, start: datetime, newest: datetime | None) -> bool:
    """It will never happen. Of several starts that are late the CronJob controller makes the newest only."""
    superseded = newest is not None and start < newest
    return superseded or scene.now >= next_starts.too_late(scene.schedule, start) + GRACE


def _records(scene: Scene, given_up: Sequence[datetime]) -> tuple[Write, ...]:
    """One for each gap: of its first start."""
    return tuple(_record(scene, start, *_reason(scene, start)) for start in given_up)


def _reason(scene: Scene, start: datetime) -> tuple[str, str]:
    told, name = f"{to_wire(start)} was due and nothing started", scene.name(start)
    if any(job.name == name and job.foreign for job in scene.observed.batch_jobs):
        return "NameTaken", f"{told}: a Job named {name} exists that is not this job's; delete it"
    if not scene.overlaps and _was_busy(scene, start):
        return "Overlap", f"{told}: another run of this job had not finished; later starts that met it are not recorded one by one"
    if scene.observed.gap:
        return "PolicyMissing", f"{told}: an admission policy of the chart is missing or was changed; see the condition Ready"
    if scene.obstacle:
        return "NameTaken", f"{told}: {scene.obstacle}"
    why = (
        "the cluster, its CronJob controller or the operator was down, or a quota or an admission policy refused the Job, "
        "which the CronJob's events say; starts after it that were lost, too, are not recorded one by one"
    )
    return "NotStartedInTime", f"{told} until it was too late for it: {why}"


def _was_busy(scene: Scene, start: datetime) -> bool:
    lines = [(line.started_at, line.finished_at) for line in scene.status.recent_runs]
    before = any(begin and end and from_wire(begin) <= start < from_wire(end) for begin, end in lines)
    return before or any(job.created <= start for job in _active(scene))


def _active(scene: Scene) -> list[BatchJobView]:
    cron = scene.observed.own_cron_job
    return [job for job in scene.observed.batch_jobs if cron and job.owner_uid == cron.uid and not job.ended]


def _record(scene: Scene, start: datetime, reason: str, message: str) -> Write:
    body = records.left_out(scene.observed.job, scene.name(start), to_wire(start), f"{reason}: {message}")
    why = "a start that did not become a run"
    return Write("create", "run", scene.name(start), why, body, stage=Stage.RECORD)


def _while_paused(scene: Scene, *, known: bool) -> Outlook:
    """Nothing starts, and the first start of a pause gets the record that says so."""
    since = scene.status.missed_since if known else None
    told = next((c for c in scene.status.conditions if c.type == "Scheduled" and c.reason in PAUSES), None)
    approved = scene.status.approval.at if scene.status.approval else None
    if since or not known or told is None:
        return Outlook(missed_since=since)
    paused = max(from_wire(told.last_transition_time), from_wire(approved or told.last_transition_time))
    for start in scene.passed(paused):
        if start > scene.now:
            return Outlook(requeue_after=(start - scene.now).total_seconds())
        if scene.accounted.get(start) is False:
            return Outlook(missed_since=to_wire(start))
        if start not in scene.accounted:
            told_by = f"{to_wire(start)} was due while the job was paused ({_paused_by(scene, start)})"
            message = f"{told_by}; later starts of the pause are not recorded one by one"
            return Outlook(missed_since=to_wire(start), writes=(_record(scene, start, "Paused", message),))
    return Outlook()


def _paused_by(scene: Scene, start: datetime) -> str:
    """What held it."""
    pause, suspended = scene.status.failure_pause, scene.observed.job.suspended
    failed = "by too many failures in a row" if pause and from_wire(pause.since) <= start else ""
    return " and ".join(filter(None, (failed, "by spec.suspend" if suspended or not failed else "")))


def _armed(scene: Scene, found: Outlook, *, suspended: bool) -> Outlook:
    """With what the CronJob has to say, and with the start itself where the CronJob would miss it."""
    wanted = scene.schedule
    plain = cronjob.plain(wanted, suspended=suspended)
    if next_starts.is_plain(wanted):
        return replace(found, timing=plain)
    idle = replace(plain, schedule=NEVER, suspended=True)
    if suspended or found.start is None:
        return replace(found, timing=_unless_settling(scene, idle))
    timing, cron = _one_minute(scene, found.start), scene.observed.cron_job
    ahead = found.start - scene.now
    if ahead >= ARM_WITHIN:
        return replace(found, timing=_unless_settling(scene, idle))
    if _says(cron, timing):
        late = -ahead >= HELP_AFTER
        return replace(found, timing=timing, writes=(*found.writes, *(_own_start(scene, found.start) if late else ())))
    if ahead >= ARM_AHEAD:
        return replace(found, timing=_unless_settling(scene, timing))
    return replace(found, timing=_unless_settling(scene, idle), writes=(*found.writes, *_own_start(scene, found.start)))


def _one_minute(scene: Scene, start: datetime) -> Timing:
    at = start.astimezone(UTC)
    seconds = int((next_starts.too_late(scene.schedule, start) - start).total_seconds())
    return Timing(f"{at.minute} {at.hour} {at.day} {at.month} *", UTC_NAME, seconds, suspended=False)


def _says(cron: CronJobView | None, timing: Timing) -> bool:
    return cron is not None and (cron.schedule, cron.time_zone, cron.suspended) == (timing.schedule, timing.time_zone, False)


def _unless_settling(scene: Scene, timing: Timing) -> Timing | None:
    """The controller is about to enter the Job that it has just made into the CronJob's list; a change now would make it forget that."""
    cron = scene.observed.cron_job
    listed = {reference.get("uid") for reference in cron.active} if cron else set()
    settling = any(not job.manual and job.uid not in listed and scene.now - job.created < HELP_AFTER for job in _active(scene))
    return None if settling else timing


def _own_start(scene: Scene, start: datetime) -> Iterable[Write]:
    """The start as a run of the same name that the operator starts itself, as it does for a run by hand."""
    cron = scene.observed.cron_job
    in_time = start <= scene.now < next_starts.too_late(scene.schedule, start)
    if in_time and cron and not cron.deleting and (scene.overlaps or not _active(scene)):
        body = records.own_start(scene.observed.job, scene.name(start), to_wire(start))
        why = "a start that no CronJob makes"
        yield Write("create", "run", scene.name(start), why, body, stage=Stage.CREATE)


def _look_again(scene: Scene, found: Outlook) -> Outlook:
    waits = [found.requeue_after] if found.requeue_after is not None else []
    if found.timing is None:
        waits.append(SETTLES_SECONDS)
    if found.writes:
        waits.append(0)
    if found.start:
        waits.append(min(filter(lambda wait: wait > 0, _moments(scene, found.start)), default=SETTLES_SECONDS))
    return replace(found, requeue_after=min(waits, default=None))


def _moments(scene: Scene, start: datetime) -> Iterable[float]:
    """Seconds until something may have to be done about a start, or until it is given up."""
    is_plain = next_starts.is_plain(scene.schedule)
    marks = () if is_plain else (start - ARM_WITHIN + timedelta(seconds=1), start, start + HELP_AFTER)
    for mark in (*marks, start + timedelta(seconds=1), next_starts.too_late(scene.schedule, start) + GRACE):
        yield (mark - scene.now).total_seconds()

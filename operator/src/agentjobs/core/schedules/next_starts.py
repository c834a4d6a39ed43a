"""Computes when a job starts, for people and for arming the CronJob. Kubernetes starts the runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agentjobs.api.schedule import Once, Schedule
from agentjobs.core import timestamps
from agentjobs.core.errors import UserError
from agentjobs.core.schedules import cron, windows
from agentjobs.core.schedules.windows import Draw

_REMEMBERED = 4096
"""Answers in the cache: a job is looked at several times for each of its runs.

Computing starts takes most of a decision's time."""
_AT_ONCE = 3
_TOO_FAR = f"must be before the year {timestamps.END.year}"
NO_DRAW = Draw()


@lru_cache(_REMEMBERED)
def check(schedule: Schedule) -> None:
    """Checks a schedule. Raises UserError, with a sentence that says what to write instead."""
    zone = zone_of(schedule)
    if schedule.once and run_at(schedule.once, zone) >= timestamps.END:
        raise UserError(f"spec.schedule.once.runAt: {_TOO_FAR}")
    if schedule.start_date and date.fromisoformat(schedule.start_date) >= timestamps.END.date():
        raise UserError(f"spec.schedule.startDate: {_TOO_FAR}")


def zone_of(schedule: Schedule) -> ZoneInfo:
    """The schedule's time zone. Raises UserError."""
    try:
        return ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            "spec.schedule.timeZone: no such time zone; write an IANA name such as Europe/Bucharest"
            " or Etc/UTC"
        ) from None


def is_timed(schedule: Schedule) -> bool:
    """Whether the schedule has starts at all."""
    return (schedule.cron, schedule.window, schedule.once) != (None, None, None)


def is_plain(schedule: Schedule) -> bool:
    """Whether a CronJob can express the schedule by itself."""
    return schedule.cron is not None and schedule.every_weeks is None


def next_starts(
    schedule: Schedule, after: datetime, count: int, draw: Draw = NO_DRAW
) -> tuple[datetime, ...]:
    """Up to `count` starts later than `after`, in the job's time zone.

    Fewer when there are no more ("0 0 31 2 *").
    """
    # Starts fall on whole minutes, so those after 08:00:59 are those after 08:00:00.
    return _starts(schedule, after.replace(second=0, microsecond=0), max(count, _AT_ONCE), draw)[
        :count
    ]


def passed(
    schedule: Schedule, after: datetime, until: datetime, draw: Draw, count: int
) -> tuple[datetime, ...]:
    """The starts after `after` up to `until`, and the one after that, at most `count` in all.

    It computes no more than these.
    """
    found: list[datetime] = []
    for start in islice(
        _before_the_end(schedule, after.replace(second=0, microsecond=0), draw), count
    ):
        found.append(start)
        if start > until:
            break
    return tuple(found)


@lru_cache(_REMEMBERED)
def _starts(schedule: Schedule, after: datetime, count: int, draw: Draw) -> tuple[datetime, ...]:
    return tuple(islice(_before_the_end(schedule, after, draw), count))


def _before_the_end(schedule: Schedule, after: datetime, draw: Draw) -> Iterator[datetime]:
    return takewhile(lambda start: start < timestamps.END, _all_starts(schedule, after, draw))


def _all_starts(schedule: Schedule, after: datetime, draw: Draw) -> Iterator[datetime]:
    zone = zone_of(schedule)
    if schedule.window is not None:
        yield from windows.starts(schedule.window, zone, after, draw)
    elif schedule.once is not None:
        yield from (start for start in (run_at(schedule.once, zone),) if start > after)
    elif schedule.cron is not None and schedule.every_weeks is None:
        yield from _cron_starts(cron.parse(schedule.cron), zone, after)
    elif schedule.cron is not None and schedule.start_date is not None:
        yield from _some_weeks(schedule, zone, after, date.fromisoformat(schedule.start_date))


def _cron_starts(expression: cron.Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    while found := cron.next_start(expression, zone, after):
        yield found
        after = found


def run_at(once: Once, zone: ZoneInfo) -> datetime:
    """The single start, in the zone, at most `timestamps.END`.

    A local time that comes twice means the first one; one that is left out moves on by as much as
    the clock does.
    """
    moment = datetime.fromisoformat(once.run_at)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return min(moment, timestamps.END).astimezone(UTC).astimezone(zone)


def _some_weeks(
    schedule: Schedule, zone: ZoneInfo, after: datetime, first: date
) -> Iterator[datetime]:
    """Yields the starts of a cron in every n-th week.

    It skips from each week that does not count to the next that does, for some years.
    """
    expression, every = cron.parse(schedule.cron or ""), timedelta(weeks=schedule.every_weeks or 1)
    monday = first - timedelta(days=first.weekday())
    just_before = datetime.combine(first, time(), zone).astimezone(UTC) - timedelta(seconds=1)
    start = cron.next_start(expression, zone, max(after, just_before))
    found = start
    while start and found and start.year <= found.year + cron.YEARS_AHEAD:
        into = (start.date() - monday) % every
        if into < timedelta(weeks=1):
            yield start
            found, start = start, cron.next_start(expression, zone, start)
        else:
            following = datetime.combine(start.date() - into + every, time(), zone).astimezone(UTC)
            start = cron.next_start(expression, zone, following - timedelta(seconds=1))


def too_late(schedule: Schedule, start: datetime) -> datetime:
    """When it is too late to make up for a start: its starting deadline, or its window's close."""
    if schedule.window is not None:
        return windows.end(schedule.window, zone_of(schedule), start)
    return start + timedelta(seconds=schedule.starting_deadline_seconds)

"""When a job starts. Kubernetes does the firing; this tells people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cron_descriptor import CasingTypeEnum, Options, get_description
from cron_descriptor.Exception import FormatError

from agentjobs.api.job import Schedule
from agentjobs.core import cron
from agentjobs.core.errors import UserError

_WORDS = Options()
_WORDS.use_24hour_time_format = True
_WORDS.casing_type = CasingTypeEnum.Sentence
_WORDS.locale_code = "en_US"
_REMEMBERED = 4096
"""Answers kept: a job is looked at several times for each of its runs, and parsing an expression takes most of a decision's time."""
_AT_ONCE = 3


@lru_cache(_REMEMBERED)
def check(schedule: Schedule) -> None:
    """Raises UserError, with a sentence that says what to write instead."""
    _zone(schedule)


def _zone(schedule: Schedule) -> ZoneInfo:
    try:
        return ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError("spec.schedule.timeZone: no such time zone; write an IANA name such as Europe/Bucharest or Etc/UTC") from None


def next_starts(schedule: Schedule, after: datetime, count: int) -> tuple[datetime, ...]:
    """Up to `count` starts later than `after`, in the job's time zone; fewer when the expression names no further day ("0 0 31 2 *")."""
    # Starts fall on whole minutes, so those after 08:00:59 are those after 08:00:00.
    return _starts(schedule, after.replace(second=0, microsecond=0), max(count, _AT_ONCE))[:count]


@lru_cache(_REMEMBERED)
def _starts(schedule: Schedule, after: datetime, count: int) -> tuple[datetime, ...]:
    if schedule.cron is None:
        return ()
    expression, zone = cron.parse(schedule.cron), _zone(schedule)
    starts: list[datetime] = []
    start: datetime | None = after
    while start and len(starts) < count:
        start = cron.next_start(expression, zone, start)
        starts += [start] if start else []
    return tuple(starts)


@lru_cache(_REMEMBERED)  # the library reads its translations from disk at every call
def words(schedule: Schedule) -> str:
    """The schedule as a person would say it, with its time zone."""
    if schedule.cron is None:
        return "manual runs only"
    try:
        text = get_description(schedule.cron, _WORDS)
    except FormatError:
        text = schedule.cron
    return f"{text} ({schedule.time_zone})"


def start_of(run_name: str) -> datetime | None:
    """The start that a Job of the CronJob controller is for: its name ends in the start's minutes since 1970 (kubernetes#96498)."""
    minutes = run_name.rpartition("-")[2]
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) >= 8):
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(minutes=int(minutes))

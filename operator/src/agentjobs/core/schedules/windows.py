"""Windows: once on each of their days, at a minute drawn at random.

The draw is a hash of the job's uid and the day: nothing has to be remembered, and nobody can draw
again. It spreads the load and looks natural; it is not a secret. All minutes are real ones: an hour
that is left out cannot be drawn, one that comes twice can be, both times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from agentjobs.api.schedule import Window
from agentjobs.core import timestamps
from agentjobs.core.schedules import cron

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
DAYS_AHEAD: Final = 5 * 366


@dataclass(frozen=True, slots=True)
class Draw:
    """What a draw depends on besides window and day.

    `last_start`: that of the newest scheduled run; its day has no second one.
    """

    uid: str = ""
    last_start: datetime | None = None


def minutes(window: Window, zone: ZoneInfo, day: date) -> list[datetime]:
    """The minutes of a day's window, in UTC.

    They may belong to the next day; there may be none, where an hour is left out.
    """
    opens, closes = _wall_clock(window, day)
    first, end = _span(window, zone, day)
    every = (first + MINUTE * number for number in range(int((end - first) / MINUTE)))
    if _offset(first, zone) == _offset(end, zone):
        return list(every)
    return [
        minute for minute in every if opens <= minute.astimezone(zone).replace(tzinfo=None) < closes
    ]


def _span(window: Window, zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    """The first minute that may be real, and the end, in UTC."""
    opens, closes = _wall_clock(window, day)
    return min(_instants(opens, zone)), max(_instants(closes, zone))


def _wall_clock(window: Window, day: date) -> tuple[datetime, datetime]:
    """When a day's window opens and closes, by its zone's clock."""
    opens, closes = time.fromisoformat(window.start_time), time.fromisoformat(window.end_time)
    last = day if opens < closes else day + DAY
    return datetime.combine(day, opens), datetime.combine(last, closes)


def _instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both instants of a local time that comes twice; both readings of one that never comes."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def drawn(window: Window, zone: ZoneInfo, day: date, uid: str) -> datetime | None:
    """The start that is drawn for this day, in UTC; None where the window has no minute."""
    number = int.from_bytes(hashlib.sha256(f"{uid}/{day.isoformat()}".encode()).digest())
    first, end = _span(window, zone, day)
    if _offset(first, zone) == _offset(end, zone):
        return first + MINUTE * (number % int((end - first) / MINUTE))
    choice = minutes(window, zone, day)
    return choice[number % len(choice)] if choice else None


def starts(window: Window, zone: ZoneInfo, after: datetime, draw: Draw) -> Iterator[datetime]:
    """The starts later than `after` of the next five years, in the zone.

    There are none from `timestamps.END` on.
    """
    if after >= timestamps.END:
        return
    days, first = cron.parse(window.cron), after.astimezone(zone).date() - DAY
    done = _day_of(window, zone, draw.last_start) if draw.last_start else None
    for number in range(min(DAYS_AHEAD, (timestamps.END.date() - first).days)):
        day = first + DAY * number
        if days.is_day(day) and day.month in days.months and day != done:
            start = drawn(window, zone, day, draw.uid)
            if start and start > after:
                yield start.astimezone(zone)


def _day_of(window: Window, zone: ZoneInfo, start: datetime) -> date:
    """The day of the window a start lies in, else its calendar day (for example after an edit)."""
    local = start.astimezone(zone).replace(tzinfo=None)
    for day in (local.date(), local.date() - DAY):
        opens, closes = _wall_clock(window, day)
        if opens <= local < closes:
            return day
    return local.date()


def end(window: Window, zone: ZoneInfo, start: datetime) -> datetime:
    """When the window of this start closes: a minute after its last one, in UTC.

    For a start outside of any window it has closed.
    """
    return (minutes(window, zone, _day_of(window, zone, start)) or [start])[-1] + MINUTE

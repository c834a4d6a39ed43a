"""Describes a schedule as a person would, or quotes its fields.

The words follow from what a cron's fields mean, not from how they are written, and only where they
can mean nothing else: a test reads them back and compares the starts of two years.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.schedule import Schedule, Window
from agentjobs.core import timestamps
from agentjobs.core.schedules import cron
from agentjobs.core.schedules import next_starts as schedules
from agentjobs.core.schedules.cron import Cron

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ORDINALS: Final = {
    2: "second", 3: "third", 21: "21st", 22: "22nd", 23: "23rd", 31: "31st", 32: "32nd", 33: "33rd",
    41: "41st", 42: "42nd", 43: "43rd", 51: "51st", 52: "52nd",
}  # fmt: skip
_LISTED: Final = 6
"""The longest list of times, or of parts of a month, that is readable.

For more the fields are shorter."""
_DAY: Final = 24 * 60
_SHORTEST_RUN: Final = 3
"""How many names or numbers in a row are shortened to the first and the last one."""


def of_job(spec: ScheduledAgentJobSpec) -> str:
    """When a job starts, in words; without a schedule, what starts it instead."""
    if schedules.is_timed(spec.schedule) or not spec.triggers:
        return words(spec.schedule)
    by_events, after_others = (
        any(kind) for kind in zip(*((one.event, one.after) for one in spec.triggers), strict=True)
    )
    kinds = ["on events"] * by_events + ["after other jobs"] * after_others
    return f"no schedule: starts {_listed(kinds)}"


@lru_cache(4096)
def words(schedule: Schedule) -> str:
    """A schedule in words, with its time zone."""
    if schedule.window is not None:
        return f"{_window(schedule.window)} ({schedule.time_zone})"
    if schedule.once is not None:
        start = schedules.run_at(schedule.once, schedules.zone_of(schedule))
        return f"{_once(start)} ({schedule.time_zone})"
    if schedule.cron is None:
        return "manual runs only"
    return f"{_cron(schedule.cron, schedule)} ({schedule.time_zone})"


def _once(start: datetime) -> str:
    if start >= timestamps.END:
        return f"Once, not before the year {timestamps.END.year}"
    twice = start.replace(fold=0).utcoffset() != start.replace(fold=1).utcoffset()
    which = f" UTC{start.isoformat()[-6:]}" if twice else ""
    return f"Once, on {_WEEKDAYS[start.weekday()]}, {start.date()} at {start:%H:%M}{which}"


def _cron(expression: str, schedule: Schedule) -> str:
    found = cron.parse(expression)
    times, days, months = _times(found), _days(found), _months(found)
    if times is None or days is None:
        said = as_it_is(expression)
    else:
        every_day = "every day" if schedule.every_weeks and not days else ""
        said = ", ".join(filter(None, (times, every_day or days, months)))
    return said + _weeks(schedule, found)


def as_it_is(expression: str) -> str:
    """The fields of a cron expression, quoted."""
    return f"cron {' '.join(expression.split())}"


def _weeks(schedule: Schedule, found: Cron) -> str:
    if schedule.every_weeks is None or schedule.start_date is None:
        return ""
    which = _ORDINALS.get(schedule.every_weeks, f"{schedule.every_weeks}th")
    first = date.fromisoformat(schedule.start_date).weekday()
    left_out = any((day - 1) % 7 < first for day in found.weekdays)
    return (
        f", every {which} week counted from the week of {schedule.start_date}"
        f"{', not before that day' if left_out else ''}"
    )


def _window(window: Window) -> str:
    found = cron.parse(window.cron)
    days, months = _days(found), _months(found)
    picked = ", ".join(filter(None, (days or "every day", months)))
    if days is None:
        picked = f"on the days of {as_it_is(window.cron)}"
    over_midnight = window.start_time >= window.end_time
    until = f"{window.end_time} of the next day" if over_midnight else window.end_time
    return f"At a random minute between {window.start_time} and {until}, {picked}"


def _times(found: Cron) -> str | None:
    """The times of a day in words; None where there are many, and not evenly spread."""
    times = [hour * 60 + minute for hour in sorted(found.hours) for minute in sorted(found.minutes)]
    if len(times) <= _LISTED:
        return f"At {_listed([_clock(time) for time in times])}"
    gap, *others = {later - earlier for earlier, later in pairwise(times)}
    if others:
        return None
    pace = _pace(gap)
    if times[-1] + gap - times[0] != _DAY:
        return f"Every {pace} from {_clock(times[0])} to {_clock(times[-1])}"
    return f"Every {pace}" + (f" from {_clock(times[0])} on" if times[0] else "")


def _pace(minutes: int) -> str:
    if minutes % 60 == 0:
        return "hour" if minutes == 60 else f"{minutes // 60} hours"
    return "minute" if minutes == 1 else f"{minutes} minutes"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _days(found: Cron) -> str | None:
    """The days of a month or week in words; empty for all, None where they are too many parts."""
    every_date, every_weekday = len(found.days) == 31, len(found.weekdays) == 7
    if (every_date or every_weekday) if found.either_day else (every_date and every_weekday):
        return ""
    parts = _runs(sorted(found.days))
    dates = f"on day{'' if len(found.days) == 1 else 's'} {_listed(parts)} of the month"
    weekdays = _names(_WEEKDAYS, sorted((day - 1) % 7 for day in found.weekdays))
    if every_date:
        return weekdays if " through " in weekdays else f"only on {weekdays}"
    if len(parts) > _LISTED:
        return None
    if every_weekday:
        return dates
    return f"{dates} and also {'' if ' through ' in weekdays else 'on '}{weekdays}"


def _months(found: Cron) -> str:
    if len(found.months) == 12:
        return ""
    names = _names(_MONTHS, sorted(month - 1 for month in found.months))
    return names if " through " in names else f"only in {names}"


def _runs(numbers: Sequence[int]) -> list[str]:
    """The numbers with rows of them shortened, such as `1 to 7`, `15`."""
    rows: list[list[int]] = []
    for number in numbers:
        if rows and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    short = (
        [f"{run[0]} to {run[-1]}"] if len(run) >= _SHORTEST_RUN else map(str, run) for run in rows
    )
    return [part for parts in short for part in parts]


def _names(names: Sequence[str], indexes: Sequence[int]) -> str:
    first, last = indexes[0], indexes[-1]
    if len(indexes) >= _SHORTEST_RUN and last - first == len(indexes) - 1:
        return f"{names[first]} through {names[last]}"
    return _listed([names[index] for index in indexes])


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last

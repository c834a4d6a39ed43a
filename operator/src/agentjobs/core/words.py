"""A schedule as a person would say it."""

from __future__ import annotations

from functools import lru_cache

from cron_descriptor import CasingTypeEnum, Options, get_description
from cron_descriptor.Exception import FormatError

from agentjobs.api.job import Schedule, Window
from agentjobs.core import schedule as schedules

_WORDS = Options()
_WORDS.use_24hour_time_format = True
_WORDS.casing_type = CasingTypeEnum.Sentence
_WORDS.locale_code = "en_US"
_ORDINALS = {2: "second", 3: "third", 21: "21st", 22: "22nd", 23: "23rd", 31: "31st", 32: "32nd", 33: "33rd",
             41: "41st", 42: "42nd", 43: "43rd", 51: "51st", 52: "52nd"}  # fmt: skip
_MIDNIGHT = "At 00:00"


@lru_cache(4096)  # the library reads its translations from disk at every call
def words(schedule: Schedule) -> str:
    """With its time zone."""
    if schedule.window is not None:
        return f"{_window(schedule.window)} ({schedule.time_zone})"
    if schedule.once is not None:
        start = schedules.run_at(schedule.once, schedules.zone_of(schedule))
        return f"Once, on {start:%A, %Y-%m-%d} at {start:%H:%M} ({schedule.time_zone})"
    if schedule.cron is None:
        return "manual runs only"
    return f"{_cron(schedule.cron)}{_weeks(schedule)} ({schedule.time_zone})"


def _cron(expression: str) -> str:
    try:
        return str(get_description(expression, _WORDS))
    except FormatError:
        return expression


def _weeks(schedule: Schedule) -> str:
    if schedule.every_weeks is None:
        return ""
    which = _ORDINALS.get(schedule.every_weeks, f"{schedule.every_weeks}th")
    return f", every {which} week from that of {schedule.start_date} on"


def _window(window: Window) -> str:
    days = _cron(window.cron).removeprefix(_MIDNIGHT).removeprefix(", ") or "every day"
    until = window.end_time if window.start_time < window.end_time else f"{window.end_time} of the next day"
    return f"At a random minute between {window.start_time} and {until}, {days}"

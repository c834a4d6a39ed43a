"""What `spec.schedule` refuses: all that the CronJob controller would reject or read otherwise.

Only the API server checks whether a time zone exists; in Python `core.schedules` asks its own zone
data. The controller's grammar is that of github.com/robfig/cron/v3, `ParseStandard`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from agentjobs.api.rule import Rule, matching

_MONTHS: Final = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_BLANK: Final = "[ \\t]"
_WORD: Final = "[^ \\t=@?]"
_HAS_FIVE_FIELDS: Final = f"{_BLANK}*{_WORD}+({_BLANK}+{_WORD}+){{4}}{_BLANK}*"
"""Excludes the characters that have a sentence of their own."""
_FIVE_FIELDS: Final = f"self.matches('^{_HAS_FIVE_FIELDS}$')"
_RANGE: Final = "[0-9]{1,2}-[0-9]{1,2}"


def _fits(pattern: str, cron: str) -> bool:
    return re.fullmatch(pattern, cron) is not None


def _lacks(character: str, message: str) -> Rule:
    return Rule(f"!self.contains('{character}')", message, lambda cron: character not in cron)


def _field(position: int, value: str, step: str, message: str) -> Rule:
    """A rule: the field at `position` lists `*`, values and ranges, each with or without a step."""
    item = f"([*]|({value})(-({value}))?)(/({step}))?"
    pattern = f"{_BLANK}*({_WORD}+{_BLANK}+){{{position}}}{item}(,{item})*({_BLANK}|$)"
    whole = f"{pattern}.*"
    return Rule(
        f"!{_FIVE_FIELDS} || self.matches('^{pattern}')",
        message,
        lambda cron: not _fits(_HAS_FIVE_FIELDS, cron) or _fits(whole, cron),
    )


def _numbers_for_names() -> str:
    """The same in CEL as `numbers_for_names`."""
    months = (f".replace('{name}', '{number}')" for number, name in enumerate(_MONTHS, 1))
    weekdays = (f".replace('{name}', '{number}')" for number, name in enumerate(_WEEKDAYS))
    return "self.lowerAscii()" + "".join(months) + "".join(weekdays)


def numbers_for_names(cron: str) -> str:
    """The expression with each name of a month or weekday replaced by its number."""
    found = cron.lower()
    for number, name in (*enumerate(_MONTHS, 1), *enumerate(_WEEKDAYS)):
        found = found.replace(name, str(number))
    return found


def _goes_upwards(cron: str) -> bool:
    ranges = (found.split("-") for found in re.findall(_RANGE, numbers_for_names(cron)))
    return not _fits(_HAS_FIVE_FIELDS, cron) or all(int(low) <= int(high) for low, high in ranges)


CRON: Final = (
    _lacks(
        "=",
        "must not name a time zone: set schedule.timeZone instead, for example Europe/Bucharest",
    ),
    _lacks(
        "@",
        'must not be a macro such as @daily or @every: write five fields, for example "0 8 * * *"'
        " for every day at 08:00",
    ),
    _lacks("?", 'must not contain "?": write "*" instead'),
    Rule(
        f"self.matches('[=@?]') || {_FIVE_FIELDS}",
        "must have five fields: minute hour day-of-month month day-of-week, for example"
        ' "0 8 * * 1" for Mondays at 08:00',
        lambda cron: _fits(_HAS_FIVE_FIELDS, cron),
    ),
    _field(
        0,
        "[0-5]?[0-9]",
        "0?[1-9]|[1-5][0-9]",
        'the first field, the minute, takes 0 to 59, "*", ranges (0-29), lists (0,30) and steps'
        " from 1 to 59 (*/5)",
    ),
    _field(
        1,
        "[01]?[0-9]|2[0-3]",
        "0?[1-9]|1[0-9]|2[0-3]",
        'the second field, the hour, takes 0 to 23, "*", ranges (8-17), lists (8,20) and steps from'
        " 1 to 23 (*/2)",
    ),
    _field(
        2,
        "0?[1-9]|[12][0-9]|3[01]",
        "0?[1-9]|[12][0-9]|3[01]",
        'the third field, the day of the month, takes 1 to 31, "*", ranges (1-7), lists (1,15) and'
        " steps from 1 to 31 (*/10); no L or W",
    ),
    _field(
        3,
        f"0?[1-9]|1[0-2]|(?i:{'|'.join(_MONTHS)})",
        "0?[1-9]|1[0-2]",
        'the fourth field, the month, takes 1 to 12 or JAN to DEC, "*", ranges (4-9), lists (1,7)'
        " and steps from 1 to 12 (*/3)",
    ),
    _field(
        4,
        f"0?[0-6]|(?i:{'|'.join(_WEEKDAYS)})",
        "0?[1-6]",
        "the fifth field, the day of the week, takes 0 to 6 or SUN to SAT (Sunday is 0, not 7),"
        ' "*", ranges (1-5), lists (MON,THU) and steps from 1 to 6; no L or #',
    ),
    Rule(
        f"!{_FIVE_FIELDS} || {_numbers_for_names()}.findAll('{_RANGE}').all(range,"
        " int(range.split('-')[0]) <= int(range.split('-')[1]))",
        'a range must go upwards: for Friday to Monday, write "FRI,SAT,SUN,MON"',
        _goes_upwards,
    ),
)

PICKS_DAYS: Final = Rule(
    f"!{_FIVE_FIELDS} || self.matches('^{_BLANK}*0{_BLANK}+0{_BLANK}')",
    'only picks the days, so its first two fields must be "0 0", for example "0 0 * * 1-5"; the'
    " time is drawn between startTime and endTime",
    lambda cron: cron.split()[:2] == ["0", "0"],
)
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
CLOCK: Final = matching(_CLOCK, "must be a time of day from 00:00 to 23:59, such as 08:00")
WINDOW_IS_OPEN: Final = Rule(
    "self.startTime != self.endTime",
    "startTime and endTime must differ; for a whole day, write 00:00 and 23:59",
    lambda window: window.start_time != window.end_time,
)

_DATE: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_OFFSET: Final = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_RUN_AT: Final = f"{_DATE}T{_CLOCK}:00{_OFFSET}?"
_EPOCH: Final = "timestamp('1970-01-01T00:00:00Z')"


def _is_moment(text: str) -> bool:
    """Whether a text is a time: its form alone would let 30 February through."""
    try:
        return datetime.fromisoformat(text).year >= 1970
    except ValueError:
        return False


DATE: Final = Rule(
    f"self.matches('^{_DATE}$') && timestamp(self + 'T00:00:00Z') >= {_EPOCH}",
    "must be a date such as 2026-01-05",
    lambda text: _fits(_DATE, text) and _is_moment(text),
)
RUN_AT: Final = Rule(
    f"self.matches('^{_RUN_AT}$') && timestamp(self.matches('{_OFFSET}$') ? self : self + 'Z') >="
    f" {_EPOCH}",
    "must be a time on a whole minute, in schedule.timeZone such as 2026-12-01T09:00:00, or with an"
    " offset such as 2026-12-01T09:00:00+02:00",
    lambda text: _fits(_RUN_AT, text) and _is_moment(text),
)

_ANY_DATE_SOME_WEEKDAYS: Final = (
    f"{_BLANK}*({_WORD}+{_BLANK}+){{2}}[*]{_BLANK}+{_WORD}+{_BLANK}+[^* \\t]+{_BLANK}*"
)


def _at_most_one(schedule: Any) -> bool:
    return [schedule.cron, schedule.window, schedule.once].count(None) >= 2


def _names_weekdays(schedule: Any) -> bool:
    return (
        schedule.every_weeks is None
        or schedule.cron is None
        or _fits(_ANY_DATE_SOME_WEEKDAYS, schedule.cron)
    )


SCHEDULE: Final = (
    Rule(
        "[has(self.cron), has(self.window), has(self.once)].filter(x, x).size() <= 1",
        "set at most one of cron, window and once",
        _at_most_one,
    ),
    Rule(
        "has(self.everyWeeks) == has(self.startDate) && (!has(self.everyWeeks) || has(self.cron))",
        "everyWeeks and startDate belong together and need a cron: set all three, or only cron",
        lambda schedule: (
            (schedule.every_weeks is None) == (schedule.start_date is None)
            and (schedule.every_weeks is None or schedule.cron is not None)
        ),
    ),
    Rule(
        "!has(self.everyWeeks) || !has(self.cron) ||"
        f" self.cron.matches('^{_ANY_DATE_SOME_WEEKDAYS}$')",
        'with everyWeeks, cron must have "*" as its day of the month and name weekdays, for example'
        ' "0 8 * * 1" for every second Monday',
        _names_weekdays,
    ),
)

_ZONE_NAME: Final = (
    "(self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')"
    " && !self.matches('^(?i:local|localtime|posixrules|factory|(posix|right)/.*)$'))"
)
TIME_ZONE: Final = (
    Rule(
        _ZONE_NAME,
        "must be an IANA time zone name such as Europe/Bucharest or Etc/UTC, not an offset and not"
        ' "Local"',
    ),
    # getHours fails on a name that the API server's own time zone data does not hold: the answer
    # then quotes that error and this sentence.
    Rule(
        f"!{_ZONE_NAME} || timestamp('2000-01-01T00:00:00Z').getHours(self) >= 0",
        "must be an IANA time zone name that Kubernetes knows, such as Europe/Bucharest or Etc/UTC",
    ),
)

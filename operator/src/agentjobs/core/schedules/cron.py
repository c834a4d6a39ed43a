"""Computes the starts that a cron expression names, as the CronJob controller does.

The controller (github.com/robfig/cron/v3) walks a clock through the fields, from the month down to
the minute, each until it fits. Nearly always that finds the next minute whose local time fits.
Where the clocks change it has habits that no other library shares: an hour that comes twice is due
twice, one that is left out is not due, and where midnight is left out a day is not looked at again.
What people read has to be what happens, so this code parses and walks the same way; tests compare
the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from agentjobs.api import schedule_rules
from agentjobs.core.timestamps import END

YEARS_AHEAD: Final = 5
"""How far the controller looks for a day that fits."""


NOON: Final = 12


@dataclass(frozen=True, slots=True)
class Cron:
    """Which values of each field fit. Sunday is 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Whether both day fields are restricted: then one of them is enough."""

    def is_day(self, day: date) -> bool:
        """Whether a day fits; its month is another question."""
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


_RANGES: Final = (range(60), range(24), range(1, 32), range(1, 13), range(7))


@lru_cache(4096)
def parse(expression: str) -> Cron:
    """Parses an expression that the rules of the API accept. For others it may raise ValueError."""
    fields = schedule_rules.numbers_for_names(expression).split()
    minutes, hours, days, months, weekdays = (
        frozenset(_values(field, every)) for field, every in zip(fields, _RANGES, strict=True)
    )
    either_day = not (_is_star(fields[2]) or _is_star(fields[4]))
    return Cron(minutes, hours, days, months, weekdays, either_day=either_day)


def _values(field: str, every: range) -> Iterator[int]:
    """Yields the values of a field. A value with a step goes on to the end of its field."""
    for item in field.split(","):
        values, _, step = item.partition("/")
        low, _, high = ("0", "", "") if values == "*" else values.partition("-")
        first = every[0] if values == "*" else int(low)
        without_high = every[-1] if step or values == "*" else first
        last = int(high) if high else without_high
        yield from range(first, last + 1, int(step or 1))


def _is_star(field: str) -> bool:
    """Whether the field says "any": `*` or `*/1` is among its items. `*/2` restricts."""
    items = (item.partition("/") for item in field.split(","))
    return any(value == "*" and int(step or 1) == 1 for value, _, step in items)


class _Clock:
    """A local time that is moved, by the wall or by duration. `at` is aware, in the zone."""

    def __init__(self, zone: ZoneInfo, moment: datetime) -> None:
        self._zone = zone
        self.at = moment.astimezone(zone)
        self._is_set = False

    def move(self, **duration: int) -> None:
        self.at = self._after(**duration)

    def _after(self, **duration: int) -> datetime:
        return (self.at.astimezone(UTC) + timedelta(**duration)).astimezone(self._zone)

    def next_month(self) -> None:
        self._set_wall(self.at.year, self.at.month + 1, self.at.day)

    def next_day(self) -> None:
        self._set_wall(self.at.year, self.at.month, self.at.day + 1)

    def _set_wall(self, year: int, month: int, day: int) -> None:
        """Sets the same time on another day, maybe past the end of its month.

        Reads a time that comes twice or never as Go does.
        """
        first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
        hours = timedelta(hours=self.at.hour, minutes=self.at.minute, seconds=self.at.second)
        wall = first + timedelta(days=day - 1) + hours
        self.at = (wall - self._offset(wall - self._offset(wall))).astimezone(self._zone)

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._zone).utcoffset() or timedelta()

    def begin(self, **parts: int) -> None:
        """Resets the smaller parts, once, when the first field does not fit."""
        if not self._is_set:
            self._is_set = True
            self.at = self.at.replace(**parts, second=0)  # type: ignore[arg-type]
            self._set_wall(self.at.year, self.at.month, self.at.day)

    def begin_minute(self, *, keep: bool = False) -> None:
        """As `begin`, for the seconds, or keeping them.

        In an hour that comes twice the clock stays in the same one.
        """
        if not self._is_set:
            self._is_set = True
            self.move(seconds=0 if keep else -self.at.second)

    def jump(self, unit: str, wanted: frozenset[int], end: int) -> None:
        """Moves by units to the next wanted value, or to the end of the larger unit.

        Moves by a single unit where the clocks change on the way.
        """
        value: int = getattr(self.at, unit)
        there = self._after(
            **{f"{unit}s": min((w for w in wanted if w > value), default=end) - value}
        )
        if there.utcoffset() == self.at.utcoffset():
            self.at = there
        else:
            self.move(**{f"{unit}s": 1})


def next_start(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first start later than `after`, in the zone.

    None where no day of the next five years fits, and from `END` on.
    """
    # In UTC: two local times that a clock shows twice are equal to Python, and to a cache.
    return None if after >= END else _next(cron, zone, after.astimezone(UTC).replace(microsecond=0))


@lru_cache(4096)
def _next(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Computes `next_start`.

    Cached: decisions about a job ask the same several times, and a rare start takes milliseconds to
    find.
    """
    clock = _Clock(zone, after + timedelta(seconds=1))
    last_year = min(clock.at.year + YEARS_AHEAD, END.year - 1)
    while clock.at.year <= last_year:
        before = clock.at.astimezone(UTC)
        if all(fits(cron, clock) for fits in _FITS):
            return clock.at
        if clock.at.astimezone(UTC) == before:
            return None
    return None


def _month_fits(cron: Cron, clock: _Clock) -> bool:
    """Moves the clock to a month that fits.

    Returns False when all fields have to be checked again, as the functions below do.
    """
    while clock.at.month not in cron.months:
        clock.begin(day=1, hour=0, minute=0)
        clock.next_month()
        if clock.at.month == 1:
            return False
    return True


def _day_fits(cron: Cron, clock: _Clock) -> bool:
    while not cron.is_day(clock.at):
        clock.begin(hour=0, minute=0)
        before = clock.at
        clock.next_day()
        if clock.at.hour:
            clock.move(hours=24 - clock.at.hour if clock.at.hour > NOON else -clock.at.hour)
        # At a day that a zone left out altogether (Samoa, 30 December 2011) the controller would
        # stay forever.
        if clock.at.day == 1 or clock.at == before:
            return False
    return True


def _hour_fits(cron: Cron, clock: _Clock) -> bool:
    while clock.at.hour not in cron.hours:
        clock.begin(minute=0)
        clock.jump("hour", cron.hours, 24)
        if clock.at.hour == 0:
            return False
    return True


def _minute_fits(cron: Cron, clock: _Clock) -> bool:
    while clock.at.minute not in cron.minutes:
        clock.begin_minute()
        clock.jump("minute", cron.minutes, 60)
        if clock.at.minute == 0:
            return False
    return True


def _second_fits(_: Cron, clock: _Clock) -> bool:
    """Moves the clock to a whole minute, on which all starts fall."""
    if clock.at.second:
        clock.begin_minute(keep=True)
        clock.move(seconds=60 - clock.at.second)
        return False
    return True


_FITS: Final = (_month_fits, _day_fits, _hour_fits, _minute_fits, _second_fits)
"""From the largest field to the smallest."""

"""A window's start: always inside, evenly spread, the same whenever it is asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from agentjobs.api.schedule import Schedule, Window
from agentjobs.core.schedules import next_starts, windows
from agentjobs.core.schedules.windows import Draw

DAYS: Final = 10_000
FIRST: Final = date(2026, 1, 1)
BUCHAREST: Final = ZoneInfo("Europe/Bucharest")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""At 3:00 the clock is put to 4:00, at 4:00 to 3:00."""


def window(start: str, end: str, days: str = "0 0 * * *") -> Window:
    return Window(cron=days, start_time=start, end_time=end)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "end"), [("08:00", "10:00"), ("22:00", "02:00"), ("02:30", "04:30")]
)
def test_over_ten_thousand_days_starts_are_inside_and_evenly_spread(start: str, end: str) -> None:
    """Chi-squared over parts of ten minutes, with a fixed uid.

    The bound is passed by chance once in some 10,000 draws of uids.
    """
    parts: dict[int, int] = {}
    hours = (int(end[:2]) - int(start[:2])) % 24
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        found = windows.drawn(window(start, end), BUCHAREST, day, "a-uid")
        assert found is not None
        local = found.astimezone(BUCHAREST).replace(tzinfo=None)
        opens = datetime.combine(day, datetime.strptime(start, "%H:%M").time())  # noqa: DTZ007 a time of day
        minute = int((local - opens) / timedelta(minutes=1))
        assert 0 <= minute < hours * 60
        parts[minute // 10] = parts.get(minute // 10, 0) + 1
    expected = DAYS / (hours * 6)
    assert len(parts) == hours * 6
    chi_squared = sum((count - expected) ** 2 / expected for count in parts.values())
    assert chi_squared < {12: 36, 24: 56}[hours * 6]


def test_the_draw_depends_on_job_and_day_alone() -> None:
    wanted = Schedule(window=window("08:00", "10:00"), time_zone="Europe/Bucharest")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    every = next_starts.next_starts(wanted, begin, 50, Draw("a"))
    one_by_one = [
        next_starts.next_starts(wanted, start - timedelta(minutes=1), 1, Draw("a"))[0]
        for start in every
    ]
    assert list(every) == one_by_one
    assert every != next_starts.next_starts(wanted, begin, 50, Draw("b"))


def test_the_cron_picks_the_days() -> None:
    wanted = Schedule(window=window("08:00", "10:00", "0 0 * * 1-5"))
    starts = next_starts.next_starts(wanted, datetime(2026, 1, 1, tzinfo=UTC), 300, Draw("a"))
    assert {start.isoweekday() for start in starts} == {1, 2, 3, 4, 5}
    assert len({start.date() for start in starts}) == 300


def test_where_an_hour_is_left_out_or_comes_twice_only_real_minutes_count() -> None:
    assert len(windows.minutes(window("02:30", "04:30"), BUCHAREST, SPRING)) == 60
    assert len(windows.minutes(window("02:30", "04:30"), BUCHAREST, AUTUMN)) == 180
    assert windows.minutes(window("03:10", "03:50"), BUCHAREST, SPRING) == []
    assert windows.drawn(window("03:10", "03:50"), BUCHAREST, SPRING, "a") is None
    assert (
        len(windows.minutes(window("22:00", "05:00"), BUCHAREST, SPRING - timedelta(days=1)))
        == 6 * 60
    )


def test_there_is_one_start_a_day_whatever_is_edited() -> None:
    morning = datetime(2026, 1, 5, 6, 15, tzinfo=UTC)
    afternoon = Schedule(window=window("14:00", "16:00"))
    assert next_starts.next_starts(afternoon, morning, 1, Draw("a"))[0].day == 5
    assert next_starts.next_starts(afternoon, morning, 1, Draw("a", morning))[0].day == 6
    night = Schedule(window=window("22:00", "02:00"))
    after_midnight = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    assert (
        windows.minutes(window("22:00", "02:00"), ZoneInfo("UTC"), date(2026, 1, 5))[0]
        > after_midnight
    )
    assert next_starts.next_starts(night, after_midnight, 1, Draw("a", after_midnight))[
        0
    ] < datetime(2026, 1, 6, 2, tzinfo=UTC)


def test_a_window_is_too_late_when_it_closes_whatever_the_deadline() -> None:
    wanted = Schedule(window=window("22:00", "02:00"), starting_deadline_seconds=86400)
    for start in next_starts.next_starts(wanted, datetime(2026, 1, 1, tzinfo=UTC), 20, Draw("a")):
        closes = next_starts.too_late(wanted, start)
        assert start < closes
        assert (closes.hour, closes.minute) == (2, 0)

"""A cron expression means what the CronJob controller and other readers make of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from croniter.croniter import CroniterError
from hypothesis import given, settings

from agentjobs.api import schedule_rules
from agentjobs.core import timestamps
from agentjobs.core.schedules import cron
from tests.support.corpus.any_schedule import (
    CRONS,
)


def read_by_croniter(expression: str) -> tuple[frozenset[int], ...] | None:
    """The values of each field by another reader; None where it refuses what the API takes.

    It takes a range of one value for a range around the clock, so such a range is written as that
    value.
    """
    numbers = schedule_rules.numbers_for_names(expression).split()
    single = re.compile(r"\b0*(\d+)-0*\1(/\d+)?(?!\d)")
    try:
        found = croniter.expand(" ".join(single.sub(r"\1", field) for field in numbers))[0]
    except CroniterError:
        return None
    everything = (range(60), range(24), range(1, 32), range(1, 13), range(7))
    return tuple(
        frozenset(every if "*" in values else values)
        for values, every in zip(found, everything, strict=True)
    )


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(CRONS)
def test_a_cron_means_what_it_means_to_another_reader(expression: str) -> None:
    other, ours = read_by_croniter(expression), cron.parse(expression)
    if other is not None:
        assert other == (ours.minutes, ours.hours, ours.days, ours.months, ours.weekdays)


def starts(expression: str, zone: str, after: datetime, count: int = 3) -> list[str]:
    found: list[datetime] = []
    for _ in range(count):
        last = found[-1] if found else after
        start = cron.next_start(cron.parse(expression), ZoneInfo(zone), last)
        assert start
        found.append(start)
    return [start.isoformat() for start in found]


def test_with_both_day_fields_restricted_one_of_them_is_enough() -> None:
    after = datetime(2026, 11, 1, tzinfo=UTC)
    assert starts("0 8 13 * 5", "UTC", after) == [
        "2026-11-06T08:00:00+00:00",
        "2026-11-13T08:00:00+00:00",
        "2026-11-20T08:00:00+00:00",
    ]
    both = "0 8 13 * */2"
    assert cron.parse(both).either_day
    assert not cron.parse("0 8 13 * *").either_day
    assert not cron.parse("0 8 */1 * 5").either_day


def test_an_hour_that_comes_twice_is_due_twice_and_one_left_out_is_not_due() -> None:
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert starts("30 3 * * *", "Europe/Bucharest", autumn) == [
        "2026-10-25T03:30:00+03:00",
        "2026-10-25T03:30:00+02:00",
        "2026-10-26T03:30:00+02:00",
    ]
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert starts("30 3 * * *", "Europe/Bucharest", spring, 1) == ["2026-03-30T03:30:00+03:00"]


def test_a_day_that_never_comes_and_the_end_of_the_calendar_have_no_start() -> None:
    never = cron.parse("0 0 30 2 *")
    assert cron.next_start(never, ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC)) is None
    always = cron.parse("* * * * *")
    assert cron.next_start(always, ZoneInfo("UTC"), timestamps.END) is None

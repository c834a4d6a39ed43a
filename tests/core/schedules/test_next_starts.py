"""Schedules in words and in starts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agentjobs.api.schedule import Schedule
from agentjobs.core.errors import UserError
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.description import words

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def starts(cron: str, zone: str = "Etc/UTC", after: datetime = NOW, count: int = 3) -> list[str]:
    return [
        start.isoformat()
        for start in next_starts.next_starts(Schedule(cron=cron, time_zone=zone), after, count)
    ]


@pytest.mark.parametrize(
    ("cron", "first"),
    [
        ("*/5 * * * *", "2026-11-22T08:05:00+00:00"),
        ("0 * * * *", "2026-11-22T09:00:00+00:00"),
        ("0 9 * * *", "2026-11-22T09:00:00+00:00"),
        ("0 8 * * 1", "2026-11-23T08:00:00+00:00"),
        ("0 7,19 * * *", "2026-11-22T19:00:00+00:00"),
        ("0 0 1 1,4,7,10 *", "2027-01-01T00:00:00+00:00"),
        ("0 6 1 * *", "2026-12-01T06:00:00+00:00"),
    ],
)
def test_the_common_cadences_start_when_people_expect(cron: str, first: str) -> None:
    assert starts(cron, count=1) == [first]


def test_a_start_is_strictly_later_than_the_moment_asked_for() -> None:
    assert starts("0 8 * * *", count=1) == ["2026-11-23T08:00:00+00:00"]


def test_local_time_stays_local_across_daylight_saving() -> None:
    autumn = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
    assert starts("0 8 * * *", "Europe/Bucharest", autumn, 2) == [
        "2026-10-24T08:00:00+03:00",
        "2026-10-25T08:00:00+02:00",
    ]


def test_a_day_that_never_comes_has_no_start() -> None:
    assert starts("0 0 31 2 *") == []


def test_a_job_without_cron_has_no_start() -> None:
    assert next_starts.next_starts(Schedule(), NOW, 3) == ()
    assert words(Schedule()) == "manual runs only"


def test_the_words_name_the_time_and_the_zone() -> None:
    assert (
        words(Schedule(cron="0 8 * * 1", time_zone="Europe/Bucharest"))
        == "At 08:00, only on Monday (Europe/Bucharest)"
    )


@pytest.mark.parametrize("zone", ["Europe/Bukarest", "", "../etc/passwd", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused_with_what_to_write(zone: str) -> None:
    with pytest.raises(UserError, match="write an IANA name such as"):
        next_starts.check(
            Schedule.model_construct(
                cron="0 8 * * 1", time_zone=zone, starting_deadline_seconds=300
            )
        )


MONDAYS = Schedule(
    cron="0 8 * * 1", every_weeks=2, start_date="2026-12-14", time_zone="Europe/Bucharest"
)


def test_every_second_week_goes_on_over_the_end_of_the_year() -> None:
    found = next_starts.next_starts(MONDAYS, NOW, 4)
    assert [start.date().isoformat() for start in found] == [
        "2026-12-14",
        "2026-12-28",
        "2027-01-11",
        "2027-01-25",
    ]
    assert {start.hour for start in found} == {8}
    assert (
        words(MONDAYS) == "At 08:00, only on Monday, every second week counted from the week of"
        " 2026-12-14 (Europe/Bucharest)"
    )


def test_nothing_starts_before_the_start_date_and_its_week_counts() -> None:
    wednesday = Schedule(cron="0 8 * * 1,5", every_weeks=2, start_date="2026-12-16")
    found = next_starts.next_starts(wednesday, NOW, 3)
    assert [start.date().isoformat() for start in found] == [
        "2026-12-18",
        "2026-12-28",
        "2027-01-01",
    ]


@pytest.mark.parametrize(
    ("at", "zone", "instant"),
    [
        ("2026-12-01T09:00:00", "Europe/Bucharest", "2026-12-01T07:00:00+00:00"),
        ("2026-12-01T09:00:00+05:30", "Europe/Bucharest", "2026-12-01T03:30:00+00:00"),
        ("2026-12-31T23:30:00Z", "Pacific/Auckland", "2026-12-31T23:30:00+00:00"),
        ("2027-03-28T03:30:00", "Europe/Bucharest", "2027-03-28T01:30:00+00:00"),
        ("2027-10-31T03:30:00", "Europe/Bucharest", "2027-10-31T00:30:00+00:00"),
    ],
)
def test_a_single_start_is_local_time_unless_it_names_an_offset(
    at: str, zone: str, instant: str
) -> None:
    once = Schedule.model_validate({"once": {"runAt": at}, "timeZone": zone})
    assert [
        start.astimezone(UTC).isoformat() for start in next_starts.next_starts(once, NOW, 3)
    ] == [instant]
    assert next_starts.next_starts(once, datetime(2028, 1, 1, tzinfo=UTC), 3) == ()

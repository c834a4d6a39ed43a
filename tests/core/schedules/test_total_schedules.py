"""Whatever schedule the API takes and whatever time it is, there is an answer, soon.

There is no error but a sentence for the author.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentjobs.api.schedule import Schedule
from agentjobs.core import naming
from agentjobs.core.errors import UserError
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.description import words
from agentjobs.core.schedules.windows import Draw
from agentjobs.testing.effort import calls
from tests.support.corpus.any_schedule import (
    CRONS,
    FIRST,
    LAST,
    MOMENTS,
    NEVER,
    ODD_ZONES,
    SCHEDULES,
    ZONES,
    moments,
)

NOW: Final = datetime(2026, 11, 27, 21, 0, tzinfo=UTC)
FAR: Final = Schedule.model_validate({"once": {"runAt": "9999-12-31T23:59:00-12:00"}})
LATE: Final = Schedule(cron="0 8 * * 1", every_weeks=2, start_date="9999-12-31")
LONG_NAMES_SINCE: Final = 1990
"""Minutes since 1970 have eight digits from then on; and a zone's clock that is off by seconds was
put right before."""
AT_ONCE: Final = 100_000
"""Calls of functions, for any question about starts: some tens of milliseconds. The worst that was
found takes 12,000."""


def problem(wanted: Schedule) -> UserError | None:
    """What its author is told."""
    try:
        next_starts.check(wanted)
    except UserError as error:
        return error
    return None


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(SCHEDULES, MOMENTS, st.sampled_from(["", "a-uid"]))
@example(FAR, NOW, "")
@example(LATE, NOW, "")
@example(LATE, LAST, "")
def test_every_schedule_has_an_answer_at_any_time(
    wanted: Schedule, now: datetime, uid: str
) -> None:
    draw = Draw(uid, now if uid else None)
    assert problem(wanted) is None or str(problem(wanted)).startswith("spec.schedule.")
    assert words(wanted)
    found = next_starts.next_starts(wanted, now, 3, draw)
    assert list(found) == sorted(found)
    assert all(start > now for start in found)
    for start in found:
        assert next_starts.too_late(wanted, start) > start
        if start.year >= LONG_NAMES_SINCE:
            assert start.second == start.microsecond == 0
            assert naming.start_of(naming.run_of_start("a-job", start)) == start
    next_starts.passed(
        wanted,
        now,
        now + timedelta(days=40) if now < LAST - timedelta(days=41) else now,
        draw,
        1000,
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(SCHEDULES, moments(FIRST + timedelta(days=1), LAST - timedelta(days=3660)))
def test_two_years_told_one_by_one_are_those_told_at_once(wanted: Schedule, now: datetime) -> None:
    end, draw = now + timedelta(days=730), Draw("a-uid")
    every = [start for start in next_starts.passed(wanted, now, end, draw, 300) if start <= end]
    one_by_one: list[datetime] = []
    while len(one_by_one) < len(every):
        (found,) = next_starts.next_starts(wanted, one_by_one[-1] if one_by_one else now, 1, draw)
        one_by_one.append(found)
    assert one_by_one == every
    assert len(every) == 300 or all(
        start > end for start in next_starts.next_starts(wanted, (every or [now])[-1], 1, draw)
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.one_of(CRONS, st.sampled_from(NEVER)), ZONES, MOMENTS)
def test_no_cron_keeps_anybody_waiting(expression: str, zone: str, now: datetime) -> None:
    wanted = Schedule(cron=expression, time_zone=zone)
    assert calls(lambda: next_starts.passed(wanted, now, now, Draw(), 1000)) < AT_ONCE


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize("expression", NEVER)
def test_what_never_comes_is_told_at_once(expression: str, zone: str) -> None:
    wanted = Schedule(cron=expression, time_zone=zone)
    assert next_starts.next_starts(wanted, NOW, 3) == ()
    assert (
        calls(
            lambda: list(next_starts.passed(wanted, NOW + timedelta(minutes=7), NOW, Draw(), 1000))
        )
        < AT_ONCE
    )


@pytest.mark.parametrize("months", ["2", "2,8", "1-12"])
@pytest.mark.parametrize("weeks", [2, 51, 52])
def test_weeks_that_hardly_ever_meet_their_months_are_soon_given_up(
    months: str, weeks: int
) -> None:
    wanted = Schedule(cron=f"0 8 * {months} 1", every_weeks=weeks, start_date="2026-07-06")
    assert calls(lambda: next_starts.next_starts(wanted, NOW, 3)) < AT_ONCE


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 1 1 *"])
def test_rare_windows_and_crons_are_not_computed_a_thousand_times(expression: str) -> None:
    rare = Schedule.model_validate(
        {"window": {"cron": expression, "startTime": "00:00", "endTime": "23:59"}}
    )
    tomorrow = NOW + timedelta(days=1)
    for wanted in (rare, Schedule(cron=expression)):
        question = partial(next_starts.passed, wanted, NOW, tomorrow, Draw(), 1000)
        assert calls(question) < AT_ONCE / 20


@pytest.mark.parametrize(("wanted", "field"), [(FAR, "once.runAt"), (LATE, "startDate")])
def test_a_start_that_no_clock_reaches_is_refused_naming_the_field(
    wanted: Schedule, field: str
) -> None:
    with pytest.raises(UserError, match=rf"spec\.schedule\.{field}: must be before the year 9999"):
        next_starts.check(wanted)
    assert next_starts.next_starts(wanted, NOW, 3) == ()

"""Times on the wire are whole seconds in UTC, and a time without a zone is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.timestamps import END, from_wire, to_wire

OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS)  # noqa: DTZ001 - zones are drawn
)
def test_a_moment_is_read_back_to_the_second(moment: datetime) -> None:
    read = from_wire(to_wire(moment))
    assert read == moment.replace(microsecond=0)
    assert read.tzinfo is UTC


def test_it_is_written_as_kubernetes_does() -> None:
    east = timezone(timedelta(hours=2))
    assert to_wire(datetime(2026, 3, 2, 1, 5, 7, 999_999, east)) == "2026-03-01T23:05:07Z"


@pytest.mark.parametrize("text", ["2026-03-02T08:00:00", "yesterday", "", "2026-13-01T00:00:00Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|isoformat|month"):
        from_wire(text)


def test_a_year_is_left_between_the_last_start_and_the_end_of_the_calendar() -> None:
    for hours in (-12, 14):
        zone = timezone(timedelta(hours=hours))
        assert (END + timedelta(days=363)).astimezone(zone).year == 9999

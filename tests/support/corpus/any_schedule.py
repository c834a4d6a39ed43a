"""Any schedule that the API takes: every shape of a cron, every zone, and the ends of time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import available_timezones

from hypothesis import strategies as st
from pydantic import ValidationError

from agentjobs.api.schedule import Schedule

FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 6),
)
NAMES: Final = {
    "month": "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    "weekday": "sun mon tue wed thu fri sat".split(),
}
NEVER: Final = ("0 0 30 2 *", "0 0 31 2,4,6 *", "59 23 31 2,4,6,9,11 *", "* * 30,31 feb *")
HARD: Final = (
    "0 0 29 2 *", "0 9 1-7 * 1-5", "0 8 1,* * 1", "0 8 1-31 * 1", "15 */7 */2 * */2",
    "*/59 */23 */31 */12 */6", "5-5/3 0-23/9 * * *",
)  # fmt: skip
ODD_ZONES: Final = (
    "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Etc/GMT+12", "Etc/GMT-14",
    "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Cairo",
    "Africa/Monrovia", "Europe/Dublin", "EST5EDT",
)  # fmt: skip
FIRST, LAST = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)


def taken(written: dict[str, Any]) -> bool:
    """Whether the API lets it through."""
    try:
        Schedule.model_validate(written)
    except ValidationError:
        return False
    return True


def _item(name: str, low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    names = NAMES.get(name)
    value = st.one_of(
        number.map(str),
        number.map("{:02}".format),
        *([number.map(lambda at: names[at - low].upper())] if names else []),
    )
    upwards = st.tuples(number, number).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.one_of(st.just(""), st.integers(1, high).map("/{}".format))
    return st.builds("{}{}".format, st.one_of(st.just("*"), value, upwards), step)


def _field(name: str, low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(_item(name, low, high), min_size=1, max_size=4).map(",".join)


CRONS: Final = st.one_of(
    st.builds(
        lambda gap, *fields: gap.join(fields),
        st.sampled_from([" ", "  ", "\t"]),
        *(_field(*field) for field in FIELDS),
    ).filter(lambda cron: taken({"cron": cron})),
    st.sampled_from((*NEVER, *HARD)),
)
ZONES: Final = st.one_of(
    st.sampled_from(ODD_ZONES),
    st.sampled_from(sorted(available_timezones())).filter(lambda zone: taken({"timeZone": zone})),
)
DAYS: Final = st.one_of(
    st.dates(date(1970, 1, 1), date(9999, 12, 31)),
    st.sampled_from([date(1970, 1, 1), date(9998, 12, 31), date(9999, 12, 31)]),
)
CLOCKS: Final = st.times().map(lambda at: f"{at:%H:%M}")
_OFFSETS: Final = st.one_of(
    st.just(""),
    st.just("Z"),
    st.builds("{}{}".format, st.sampled_from("+-"), CLOCKS),
    st.just("-12:00"),
)
_MOMENTS: Final = st.one_of(
    st.builds("{}T{}:00{}".format, DAYS, CLOCKS, _OFFSETS),
    st.sampled_from(
        [
            "9999-12-31T23:59:00-12:00",
            "9999-12-31T23:59:00",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00+23:59",
        ]
    ),
)
WEEKLY: Final = st.builds(
    "{} {} * {} {}".format,
    *(_field(*field) for field in (FIELDS[0], FIELDS[1], FIELDS[3], FIELDS[4])),
).filter(lambda cron: "*" not in cron.split()[-1])
"""Crons for `everyWeeks`: any day of the month, some of the week."""
_ZONED: Final[dict[str, st.SearchStrategy[Any]]] = {
    "timeZone": ZONES,
    "startingDeadlineSeconds": st.integers(10, 86400),
}


def _shape(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields, optional=_ZONED)


_WINDOWS: Final = st.fixed_dictionaries(
    {
        "cron": CRONS.map(lambda cron: " ".join(["0", "0", *cron.split()[2:]])),
        "startTime": CLOCKS,
        "endTime": CLOCKS,
    }
)
_WRITTEN: Final = st.one_of(
    _shape(),
    _shape(cron=CRONS),
    _shape(cron=WEEKLY, everyWeeks=st.integers(2, 52), startDate=DAYS.map(str)),
    _shape(window=_WINDOWS),
    _shape(once=st.fixed_dictionaries({"runAt": _MOMENTS})),
).filter(taken)
SCHEDULES: Final = _WRITTEN.map(Schedule.model_validate)
"""Any that the API takes."""


def moments(first: datetime, last: datetime) -> st.SearchStrategy[datetime]:
    """Between two of UTC."""
    return st.datetimes(
        first.replace(tzinfo=None), last.replace(tzinfo=None), timezones=st.just(UTC)
    )


MOMENTS: Final = st.one_of(
    moments(FIRST, LAST),
    st.sampled_from(
        [
            FIRST,
            LAST,
            LAST - timedelta(days=365),
            LAST - timedelta(days=367),
            datetime(2026, 11, 27, tzinfo=UTC),
        ]
    ),
)
"""What time it can be."""

"""A schedule's words, read back by somebody who knows nothing of cron, name the same starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.schedule import Schedule
from agentjobs.core.schedules import description, next_starts
from agentjobs.core.schedules.windows import Draw
from tests.support import manifests
from tests.support.corpus.any_schedule import CLOCKS, CRONS, HARD, WEEKLY, ZONES, moments, taken

WEEKDAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)
COMMON: Final = (
    "*/5 * * * *", "0 * * * *", "0 9 * * *", "0 8 * * 1", "0 7,19 * * *", "0 0 1 1,4,7,10 *",
    "0 6 1 * *", "*/15 8-17 * * 1-5", "5 */2 * * *", "*/7 * * * *", "0 0 */2 * *",
    "0 0 1-31/7 6-8 5-6", "0 9 * * 6,0",
)  # fmt: skip
DAY: Final = timedelta(days=1)
DayTest = Callable[[date], bool]


def numbers(text: str) -> set[int]:
    """`1 to 7, 9 and 15`."""
    found: set[int] = set()
    for part in re.split(r", | and ", text):
        low, _, high = part.partition(" to ")
        found |= set(range(int(low), int(high or low) + 1))
    return found


def named(text: str, names: list[str]) -> set[int]:
    """`Monday through Friday`, or a list."""
    first, _, last = text.partition(" through ")
    if last:
        return set(range(names.index(first), names.index(last) + 1))
    return {names.index(name) for name in re.split(r", | and ", text)}


def minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def times(text: str) -> set[int]:
    """Minutes of the day."""
    if text.startswith("At "):
        return {minute(clock) for clock in re.split(r", | and ", text[3:])}
    found = re.fullmatch(r"Every (.+?)(?: from (\d\d:\d\d)(?:( on)| to (\d\d:\d\d)))?", text)
    assert found
    pace, first, on, last = found.groups()
    count, _, unit = pace.rpartition(" ")
    gap = int(count or 1) * (60 if "hour" in unit else 1)
    begin = minute(first) if first else 0
    assert bool(on or not first) == (not last)
    return set(range(begin, (minute(last) if last else 24 * 60 - 1) + 1, gap))


def one_day_rule(text: str) -> DayTest:
    """A part of the sentence about days."""
    if text == "every day":
        return lambda _: True
    if found := re.fullmatch(
        r"on days? ([^a-zA-Z]+(?:(?:to|and) [^a-zA-Z]+)*) of the month(?: and also (?:on )?(.+))?",
        text,
    ):
        dates, weekdays = numbers(found[1]), named(found[2], WEEKDAYS) if found[2] else set()
        return lambda day: day.day in dates or day.weekday() in weekdays
    inner = text.removeprefix("only on ").removeprefix("only in ")
    if any(name in text for name in WEEKDAYS):
        chosen = named(inner, WEEKDAYS)
        return lambda day: day.weekday() in chosen
    months = named(inner, MONTHS)
    return lambda day: day.month - 1 in months


def _choice(names: list[str]) -> str:
    name = f"(?:{'|'.join(names)})"
    return f"(?:{name} through {name}|{name}(?:, {name})*(?: and {name})?)"


DAYS, MONTH_LIST = _choice(WEEKDAYS), _choice(MONTHS)
RULE: Final = (
    f"every day|on days? [^a-z]+(?:(?:to|and) [^a-z]+)* of the month(?: and also (?:on )?{DAYS})?"
    f"|(?:only on )?{DAYS}|(?:only in )?{MONTH_LIST}"
)


def day_rules(text: str) -> list[DayTest]:
    """All of them hold."""
    assert re.fullmatch(f"(?:(?:{RULE})(?:, |$))*", text), text
    return [one_day_rule(found) for found in re.findall(f"({RULE})(?:, |$)", text)]


def split(text: str) -> tuple[str, str]:
    """The times, and what is said of days."""
    found = re.match(r"(At \d\d:\d\d(?:(?:, | and )\d\d:\d\d)*|Every [^,]+)(?:, |$)", text)
    assert found, text
    return found[1], text[found.end() :]


def days_with_starts(wanted: Schedule, first: date, last: date) -> set[date]:
    """By the reckoner, which the tests of cron compare with the controller's own code."""
    found = set()
    at = datetime.combine(first, time(), UTC) - timedelta(minutes=1)
    while (starts := next_starts.passed(wanted, at, at, Draw(), 1)) and starts[0].date() <= last:
        found.add(starts[0].date())
        at = datetime.combine(starts[0].date(), time(23, 59), UTC)
    return found


def times_of(wanted: Schedule, day: date) -> set[int]:
    begin = datetime.combine(day, time(), UTC) - timedelta(minutes=1)
    found = next_starts.passed(wanted, begin, begin + DAY, Draw(), 2000)
    return {start.hour * 60 + start.minute for start in found if start.date() == day}


def agree(wanted: Schedule, text: str, begin: datetime) -> None:
    """The sentence and the starts of two years."""
    first, last = begin.date(), begin.date() + timedelta(days=730)
    clock, rest = split(text)
    rules = day_rules(rest)
    told = {
        day
        for day in (first + DAY * number for number in range(731))
        if all(rule(day) for rule in rules)
    }
    found = days_with_starts(wanted, first, last)
    assert found == told
    if found:
        assert times_of(wanted, min(found)) == times(clock)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.one_of(CRONS, st.sampled_from(COMMON)),
    moments(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)),
)
def test_the_words_of_a_cron_name_the_starts_of_two_years(expression: str, begin: datetime) -> None:
    wanted = Schedule(cron=expression)
    text = description.words(wanted).removesuffix(" (Etc/UTC)")
    if text.startswith("cron "):
        assert text.split() == ["cron", *expression.split()]
    else:
        agree(wanted, text, begin)


@pytest.mark.parametrize("expression", [*COMMON, *HARD])
def test_common_and_deceptive_crons_are_said_truly(expression: str) -> None:
    text = description.words(Schedule(cron=expression)).removesuffix(" (Etc/UTC)")
    if not text.startswith("cron "):
        agree(Schedule(cron=expression), text, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("*/5 * * * *", "Every 5 minutes"),
        ("* * * * *", "Every minute"),
        ("*/1 * * * *", "Every minute"),
        ("0-10 8 * * *", "Every minute from 08:00 to 08:10"),
        ("0 */1 * * *", "Every hour"),
        ("0 * * * *", "Every hour"),
        ("5 * * * *", "Every hour from 00:05 on"),
        ("0 9 * * *", "At 09:00"),
        ("0 8 * * 1", "At 08:00, only on Monday"),
        ("0 8 * * 1-5", "At 08:00, Monday through Friday"),
        ("0 7,19 * * *", "At 07:00 and 19:00"),
        ("*/15 8-17 * * *", "Every 15 minutes from 08:00 to 17:45"),
        ("0 */2 * * *", "Every 2 hours"),
        (
            "0 0 1 1,4,7,10 *",
            "At 00:00, on day 1 of the month, only in January, April, July and October",
        ),
        ("0 9 1-7 * 1-5", "At 09:00, on days 1 to 7 of the month and also Monday through Friday"),
        ("0 9 1,15 * SUN", "At 09:00, on days 1 and 15 of the month and also on Sunday"),
        ("0 8 1,* * 1", "At 08:00, only on Monday"),
        ("0 8 1-31 * 1", "At 08:00"),
        ("0  8\t*/2 * *", "cron 0 8 */2 * *"),
        ("*/7 * * * *", "cron */7 * * * *"),
        ("0 0 30 2 *", "At 00:00, on day 30 of the month, only in February"),
    ],
)
def test_what_is_said(expression: str, said: str) -> None:
    assert description.words(Schedule(cron=expression)) == f"{said} (Etc/UTC)"


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(WEEKLY, st.integers(2, 52), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
@example("0 8 * * 1,5", 2, date(2026, 12, 16))
@example("0 8 * * 0-6", 3, date(2026, 12, 16))
def test_the_words_of_every_nth_week_name_the_starts_of_two_years(
    expression: str, weeks: int, day: date
) -> None:
    wanted = Schedule(cron=expression, every_weeks=weeks, start_date=day.isoformat())
    text = description.words(wanted).removesuffix(" (Etc/UTC)")
    found = re.fullmatch(
        r"(.+), every (\w+) week counted from the week of (\S+)(, not before that day)?", text
    )
    assert found
    every = {"second": 2, "third": 3}.get(found[2]) or int(found[2].rstrip("stndrh"))
    monday = date.fromisoformat(found[3]) - timedelta(days=date.fromisoformat(found[3]).weekday())
    begins = date.fromisoformat(found[3]) if found[4] else monday
    if found[1].startswith("cron "):
        assert found[1].split() == ["cron", *expression.split()]
        return
    clock, rest = split(found[1])
    rules = day_rules(rest)
    assert rules
    told = {
        one
        for one in (day + DAY * n for n in range(-7, 730))
        if one >= begins and all(rule(one) for rule in rules)
    }
    told = {one for one in told if (one - monday).days // 7 % every == 0}
    starts = days_with_starts(wanted, day - timedelta(days=7), day + timedelta(days=729))
    assert starts == told
    if starts:
        assert times_of(wanted, min(starts)) == times(clock)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(CRONS, CLOCKS, CLOCKS)
def test_the_words_of_a_window_name_its_days_and_all_its_minutes(
    expression: str, opens: str, closes: str
) -> None:
    days = " ".join(["0", "0", *expression.split()[2:]])
    written = {"window": {"cron": days, "startTime": opens, "endTime": closes}}
    if not taken(written):
        return
    wanted = Schedule.model_validate(written)
    text = description.words(wanted).removesuffix(" (Etc/UTC)")
    found = re.fullmatch(
        r"At a random minute between (\S+) and (\S+?)( of the next day)?, (.+)", text
    )
    assert found
    length = minute(found[2]) - minute(found[1]) + (24 * 60 if found[3] else 0)
    assert (found[1], found[2]) == (opens, closes)
    assert 0 < length <= 24 * 60
    if found[4].startswith("on the days of cron"):
        assert found[4].split()[5:] == days.split()
        return
    rules = day_rules(found[4])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    starts = [
        start
        for start in next_starts.passed(
            wanted, begin - timedelta(seconds=1), begin + timedelta(days=730), Draw("a-uid"), 1000
        )
        if start < begin + 730 * DAY
    ]
    told = {
        day
        for day in (begin.date() + DAY * n for n in range(730))
        if all(rule(day) for rule in rules)
    }
    drawn = {(start - timedelta(minutes=minute(opens))).date() for start in starts}
    assert told - drawn <= {(begin + 729 * DAY).date()}
    assert drawn - told <= {(begin - DAY).date()}
    assert all(
        (start.hour * 60 + start.minute - minute(opens)) % (24 * 60) < length for start in starts
    )


@settings(max_examples=80, deadline=None)
@given(moments(datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)), ZONES)
@example(datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "Europe/Bucharest")
@example(datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "Europe/Bucharest")
def test_the_words_of_a_single_start_name_one_moment(start: datetime, zone: str) -> None:
    wanted = Schedule.model_validate(
        {"once": {"runAt": f"{start:%Y-%m-%dT%H:%M}:00Z"}, "timeZone": zone}
    )
    found = re.fullmatch(
        r"Once, on (\w+), (\S+) at (\d\d:\d\d)(?: UTC(\S+))? \((\S+)\)",
        description.words(wanted),
    )
    assert found
    local = datetime.fromisoformat(f"{found[2]}T{found[3]}{found[4] or ''}")
    assert found[5] == zone
    assert WEEKDAYS[local.weekday()] == found[1]
    again = {"once": {"runAt": local.isoformat()}, "timeZone": zone}
    (same,) = next_starts.next_starts(
        Schedule.model_validate(again), datetime(1999, 1, 1, tzinfo=UTC), 1
    )
    assert same.astimezone(UTC) == start.replace(second=0, microsecond=0)


EVENT, AFTER = {"event": {"type": "a.b"}}, {"after": {"job": "other"}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "manual runs only"),
        ({"triggers": [EVENT]}, "no schedule: starts on events"),
        ({"triggers": [AFTER]}, "no schedule: starts after other jobs"),
        ({"triggers": [AFTER, EVENT]}, "no schedule: starts on events and after other jobs"),
        ({"triggers": [EVENT], "schedule": {"cron": "0 9 * * *"}}, "At 09:00 (Etc/UTC)"),
    ],
)
def test_a_job_that_something_triggers_does_not_wait_for_people_only(
    spec: dict[str, Any], said: str
) -> None:
    assert (
        description.of_job(
            ScheduledAgentJobSpec.model_validate(manifests.job(**{"schedule": {}, **spec})["spec"])
        )
        == said
    )

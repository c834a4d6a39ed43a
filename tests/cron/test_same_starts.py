"""What people are told of the next starts is what the CronJob controller's own code computes.

Clock changes are included.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from agentjobs.api.schedule import Schedule
from agentjobs.core.schedules import next_starts
from tests.cron.reference import MODULE, REFUSED, Question, ask, command, zone_directory
from tests.support.root import ROOT

YEARS: Final = (
    ("Europe/Bucharest", 2026), ("Europe/London", 2026), ("Europe/Dublin", 2026),
    ("Atlantic/Azores", 2026), ("America/New_York", 2026), ("America/St_Johns", 2006),
    ("America/Havana", 2026), ("America/Santiago", 2026), ("America/Asuncion", 2023),
    ("America/Nuuk", 2026), ("America/Sao_Paulo", 2018), ("America/Scoresbysund", 2024),
    ("Asia/Beirut", 2026), ("Africa/Cairo", 2026), ("Asia/Gaza", 2026), ("Asia/Tehran", 2021),
    ("Asia/Amman", 2021), ("Asia/Pyongyang", 2018), ("Africa/Casablanca", 2026),
    ("Antarctica/Troll", 2026), ("Australia/Lord_Howe", 2026), ("Australia/Adelaide", 2026),
    ("Pacific/Chatham", 2026), ("Pacific/Auckland", 2026), ("Pacific/Apia", 2011),
    ("Pacific/Kwajalein", 1993), ("America/Caracas", 2007), ("Asia/Kathmandu", 2026),
    ("Etc/UTC", 2026),
)  # fmt: skip
"""Zones with a year in which something happens there: most change their clocks by an hour, Lord
Howe and Caracas by half of one, Troll by two; Chatham and Kathmandu are off by quarters; in Cairo,
Beirut and others midnight is left out; Samoa and Kwajalein lost a day."""
LOST_A_DAY: Final = {
    "Pacific/Apia": datetime(2012, 1, 1, tzinfo=UTC),
    "Pacific/Kwajalein": datetime(1993, 9, 1, tzinfo=UTC),
}
"""Walking over that day by weekday or date never ends in the controller; from then on it does."""
EVERY_DAY: Final = (
    "0 0 * * *",
    "59 23 * * *",
    "30 0 * * *",
    "0 1 * * *",
    "30 2 * * *",
    "0,30 3 * * *",
)
SOME_DAYS: Final = (
    "0 0 1 * *",
    "30 1 * * SUN",
    "45 2 25-31 MAR,OCT *",
    "15 */3 */2 * 1-5",
    "0 0 29 2 *",
    "0 0 31 2 *",
)
TEN_MINUTES: Final = "*/10 * * * *"
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
COMMON: Final = (
    "*/5 * * * *",
    "0 * * * *",
    "0 9 * * *",
    "0 8 * * 1",
    "0 7,19 * * *",
    "0 0 1 1,4,7,10 *",
    "0 6 1 * *",
)


@pytest.fixture(scope="module")
def reference(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[list[Question]], list[list[int] | str]]:
    binary, zones = (
        command(),
        zone_directory(tmp_path_factory.mktemp("zoneinfo"), {zone for zone, _ in YEARS}),
    )
    return lambda questions: ask(binary, zones, questions)


def ours(question: Question) -> list[int]:
    asked = Schedule(cron=question.cron, time_zone=question.zone)
    return [
        int(start.timestamp())
        for start in next_starts.next_starts(asked, question.after, question.count)
    ]


def differences(questions: list[Question], answers: list[list[int] | str]) -> list[str]:
    found = []
    for question, answer in zip(questions, answers, strict=True):
        told = ours(question)
        if told != answer:
            found.append(
                f"{question.line().strip()}: {[*map(str, told)][:4]} but the controller"
                f" {answer[:4]}"
            )
    return found


def clock_changes(zone: str, year: int) -> list[datetime]:
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(366 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [hours[at] for at in range(1, len(hours)) if offsets[at] != offsets[at - 1]]


def test_the_reference_is_the_version_that_kubernetes_uses() -> None:
    line = re.compile(r"github.com/robfig/cron/v3 (v[0-9.]+)")
    of_kubernetes = (ROOT / "hack/localcluster/go/go.mod").read_text()
    assert line.findall((MODULE / "go.mod").read_text()) == line.findall(of_kubernetes) != []


def test_every_start_of_a_year_with_its_clock_changes(
    reference: Callable[[list[Question]], list[list[int] | str]],
) -> None:
    questions = []
    for zone, year in YEARS:
        begin = datetime(year, 1, 1, 12, tzinfo=UTC)
        questions += [
            Question(cron, zone, begin, 400 * (1 + cron.count(",30"))) for cron in EVERY_DAY
        ]
        questions += [
            Question(cron, zone, LOST_A_DAY.get(zone, begin), 40) for cron in (*SOME_DAYS, *COMMON)
        ]
        questions += [
            Question(TEN_MINUTES, zone, change - timedelta(days=2), 600)
            for change in clock_changes(zone, year)
        ]
    assert sum(question.cron == TEN_MINUTES for question in questions) >= 40
    assert differences(questions, reference(questions)) == []


def item(dice: random.Random, name: str, low: int, high: int) -> str:
    def value() -> str:
        number = dice.randint(low, high)
        named = NAMES.get(name)
        if named and dice.random() < 0.3:
            word = named[number - low]
            return dice.choice((word, word.upper(), word.title()))
        return f"{number:02}" if dice.random() < 0.1 else str(number)

    kind = dice.random()
    text = "*" if kind < 0.35 else value() if kind < 0.7 else f"{value()}-{value()}"
    return f"{text}/{dice.randint(1, high)}" if dice.random() < 0.25 else text


def expressions(dice: random.Random) -> Iterator[str]:
    """Endless expressions in the grammar of cron, some of them flawed.

    Ranges go downwards at times, steps are too wide, and now and then a character is wrong.
    """
    while True:
        fields = [
            ",".join(item(dice, *field) for _ in range(dice.choice((1, 1, 1, 2, 3))))
            for field in FIELDS
        ]
        text = dice.choice((" ", " ", " ", "  ", "\t")).join(fields)
        if dice.random() < 0.1:
            at = dice.randrange(len(text))
            text = text[:at] + dice.choice("*?/,-0179 LW#@=x") + text[at + 1 :]
        yield text


def is_taken(cron: str) -> bool:
    try:
        Schedule(cron=cron)
    except ValidationError:
        return False
    return True


def moment(dice: random.Random, zone: str, changes: list[datetime]) -> datetime:
    if changes and dice.random() < 0.5:
        found = dice.choice(changes) + timedelta(seconds=dice.randint(-200_000, 100_000))
    else:
        found = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(
            seconds=dice.randint(0, 27 * 366 * 86400)
        )
    return max(found, LOST_A_DAY.get(zone, found))


def test_ten_thousand_expressions_at_ten_thousand_times(
    reference: Callable[[list[Question]], list[list[int] | str]],
) -> None:
    dice = random.Random(1)
    changes = {zone: clock_changes(zone, year) for zone, year in YEARS}
    taken = (cron for cron in expressions(dice) if is_taken(cron))
    questions = []
    for _ in range(10_000):
        zone = dice.choice(YEARS)[0]
        questions.append(
            Question(next(taken), zone, moment(dice, zone, changes[zone]), dice.choice((1, 2, 4)))
        )
    assert differences(questions, reference(questions)) == []


def test_what_the_api_takes_the_controller_takes(
    reference: Callable[[list[Question]], list[list[int] | str]],
) -> None:
    """What it refuses has a sentence, and the controller may take it: "?", a time zone, macros."""
    dice, begin = random.Random(2), datetime(2026, 1, 1, tzinfo=UTC)
    asked = [cron for cron, _ in zip(expressions(dice), range(10_000), strict=False)]
    answers = reference([Question(cron, "Etc/UTC", begin, 1) for cron in asked])
    taken = [is_taken(cron) for cron in asked]
    assert [
        cron
        for cron, fine, answer in zip(asked, taken, answers, strict=True)
        if fine and answer == REFUSED
    ] == []
    assert [answer == REFUSED for answer in answers].count(True) > 500
    refused = [
        cron
        for cron, fine, answer in zip(asked, taken, answers, strict=True)
        if not fine and answer != REFUSED
    ]
    assert [
        cron
        for cron in refused
        if not set(cron) & set("?@=") and not _says_more_than_it_means(cron)
    ] == []


def _says_more_than_it_means(cron: str) -> bool:
    """An empty item in a list, or a step wider than its field: "*/60" would be every hour."""
    items = [
        (part, high)
        for field, (_, _, high) in zip(cron.split(), FIELDS, strict=False)
        for part in field.split(",")
    ]
    steps = ((part.partition("/")[2], high) for part, high in items)
    return any(not part for part, _ in items) or any(
        step.isdigit() and int(step) > high for step, high in steps
    )


def test_a_day_that_a_zone_left_out_gives_no_answer_rather_than_never() -> None:
    before = datetime(2011, 12, 28, tzinfo=UTC)
    assert (
        next_starts.next_starts(Schedule(cron="0 8 31 12 *", time_zone="Pacific/Apia"), before, 3)
        == ()
    )

"""When a job starts by the clock."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agentjobs.api import schedule_rules
from agentjobs.api.base import ApiModel

Cron = Annotated[str, Field(min_length=1, max_length=256), *schedule_rules.CRON]
Clock = Annotated[str, Field(min_length=5, max_length=5), schedule_rules.CLOCK]


class Window(ApiModel):
    """One start on each day that `cron` picks, at a random minute.

    The minute is always the same for the same job and day.
    """

    between_fields = (schedule_rules.WINDOW_IS_OPEN,)

    cron: Annotated[Cron, schedule_rules.PICKS_DAYS] = Field(
        description=(
            'Picks the days: a cron whose time is "0 0", for example "0 0 * * 1-5" for Monday to'
            " Friday."
        )
    )
    start_time: Clock = Field(
        description="The first minute that may be drawn, such as 08:00, in schedule.timeZone."
    )
    end_time: Clock = Field(
        description=(
            "The end of the window, such as 10:00; this minute itself is never drawn. If endTime"
            " is before startTime, the window ends on the next day."
        )
    )


class Once(ApiModel):
    """A single start."""

    run_at: Annotated[str, Field(min_length=19, max_length=32), schedule_rules.RUN_AT] = Field(
        description=(
            "The time of the start, on a whole minute, such as 2026-12-01T09:00:00. It is a local"
            " time in schedule.timeZone, unless it has an offset or Z."
        )
    )


class Schedule(ApiModel):
    """When the job starts: by at most one of cron, window and once.

    Without any of them, only triggers and manual runs start it.
    """

    between_fields = schedule_rules.SCHEDULE

    cron: Cron | None = Field(
        None,
        description='Five cron fields in timeZone, such as "0 8 * * 1" for Mondays at 08:00.',
    )
    every_weeks: Annotated[int, Field(ge=2, le=52)] | None = Field(
        None,
        description=(
            "With a cron that names weekdays: the job starts only in every second (2), third (3),"
            " ... week, counted from the week of startDate."
        ),
    )
    start_date: Annotated[str, Field(min_length=10, max_length=10), schedule_rules.DATE] | None = (
        Field(
            None,
            description=(
                "With everyWeeks: a day of the first week, such as 2026-01-05; nothing starts"
                " before that day. Weeks begin on Monday."
            ),
        )
    )
    window: Window | None = Field(
        None, description="One start on each day that its cron picks, at a random minute."
    )
    once: Once | None = Field(None, description="A single start.")
    time_zone: Annotated[str, *schedule_rules.TIME_ZONE] = Field(
        "Etc/UTC",
        min_length=1,
        max_length=64,
        description="IANA time zone name, for example Europe/Bucharest.",
    )
    starting_deadline_seconds: int = Field(
        300,
        ge=10,
        le=86400,
        description=(
            "A start that is late by more than this many seconds is recorded as Missed and not made"
            " up for. In a window, the deadline is the end of the window."
        ),
    )

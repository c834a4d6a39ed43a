"""Schedules that are refused, and what their authors are told."""

from __future__ import annotations

from typing import Final

from tests.support.corpus.case import ONLY_SERVER, Refused, cron, zone
from tests.support.corpus.schedules import REFUSED
from tests.support.manifests import job

NEEDS_FIVE_FIELDS = (
    'must have five fields: minute hour day-of-month month day-of-week, for example "0 8 * * 1"'
)
FIVE_FIELDS = 'spec.schedule.cron: Invalid value: "{}": ' + NEEDS_FIVE_FIELDS
REFUSED_CRONS: Final = (
    *(
        Refused(
            f"cron {expression!r}",
            cron(expression),
            FIVE_FIELDS.format(expression),
            NEEDS_FIVE_FIELDS,
        )
        for expression in ("0 8 * *", "0 0 8 * * 1", "8:00", "every monday")
    ),
    Refused("cron as a macro", cron("@daily"), "must not be a macro such as @daily"),
    Refused("cron as an interval", cron("@every 5m"), "must not be a macro such as @daily"),
    Refused(
        "cron with TZ",
        cron("TZ=Europe/Berlin 0 8 * * 1"),
        "must not name a time zone: set schedule.timeZone",
    ),
    Refused(
        "cron with CRON_TZ",
        cron("CRON_TZ=Europe/Berlin 0 8 * * 1"),
        "must not name a time zone: set schedule.timeZone",
    ),
    Refused("cron with ?", cron("0 8 ? * 1"), 'must not contain "?": write "*" instead'),
    Refused("minute 60", cron("60 8 * * *"), "the first field, the minute, takes 0 to 59"),
    Refused("a step of 0", cron("*/0 * * * *"), "steps from 1 to 59"),
    Refused("an empty list item", cron("0,,30 * * * *"), "the first field, the minute"),
    Refused("hour 24", cron("0 24 * * *"), "the second field, the hour, takes 0 to 23"),
    Refused("day 0", cron("0 8 0 * *"), "the third field, the day of the month, takes 1 to 31"),
    Refused("the last day", cron("0 8 L * *"), "no L or W"),
    Refused(
        "month 13", cron("0 8 1 13 *"), "the fourth field, the month, takes 1 to 12 or JAN to DEC"
    ),
    Refused(
        "month by its full name",
        cron("0 8 1 JANUARY *"),
        "the fourth field, the month, takes 1 to 12 or JAN to DEC",
    ),
    Refused("Sunday as 7", cron("0 8 * * 7"), "Sunday is 0, not 7"),
    Refused("the second Monday", cron("0 8 * * MON#2"), "no L or #"),
    Refused("a range backwards", cron("0 18-8 * * *"), "a range must go upwards"),
    Refused(
        "a weekend over Sunday",
        cron("0 8 * * fri-MON"),
        'for Friday to Monday, write "FRI,SAT,SUN,MON"',
    ),
)
REFUSED_SCHEDULES: Final = tuple(Refused(text, job(schedule=part), text) for text, part in REFUSED)
REFUSED_ZONES: Final = (
    Refused(
        "no such zone",
        zone("Europe/Bukarest"),
        "must be an IANA time zone name that Kubernetes knows",
        ONLY_SERVER,
    ),
    Refused(
        "a zone in lower case",
        zone("europe/bucharest"),
        "must be an IANA time zone name that Kubernetes knows",
        ONLY_SERVER,
    ),
    *(
        Refused(
            f"zone {name!r}",
            zone(name),
            "must be an IANA time zone name such as Europe/Bucharest or Etc/UTC, not an offset",
            ONLY_SERVER,
        )
        for name in (
            "+02:00",
            "02:00",
            "Local",
            "../Europe/Berlin",
            "posix/Europe/Berlin",
            "localtime",
            "Europe Berlin",
        )
    ),
)

"""Schedules as people write them: good ones, and refused ones with what the answer says."""

from __future__ import annotations

from typing import Any, Final

REFUSED: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        "set at most one of cron, window and once",
        {"cron": "0 8 * * 1", "once": {"runAt": "2026-12-01T09:00:00"}},
    ),
    ("set all three, or only cron", {"cron": "0 8 * * 1", "everyWeeks": 2}),
    (
        "name weekdays, for example",
        {"cron": "0 8 * * *", "everyWeeks": 2, "startDate": "2026-01-05"},
    ),
    ("must be a time on a whole minute", {"once": {"runAt": "2026-12-01T09:00:30"}}),
    (
        "only picks the days",
        {"window": {"cron": "30 9 * * 1", "startTime": "08:00", "endTime": "10:00"}},
    ),
    (
        "startTime and endTime must differ",
        {"window": {"cron": "0 0 * * 1", "startTime": "08:00", "endTime": "08:00"}},
    ),
)

GOOD_CRONS: Final = (
    "0 8 * * 1", "*/5 * * * *", "00 08 01 01 00", "0 8,20 * * *", "0 9 1 1,4,7,10 *",
    "0-29/10 8-17 1-7 JAN-Jun MON-fri", "5/15 * * * *", " 0  8\t* * SUN,sat ", "0 0 1-31/2 */3 */2",
    "0 0 31 2 *",
)  # fmt: skip
GOOD_ZONES: Final = (
    "Europe/Bucharest",
    "Etc/UTC",
    "UTC",
    "America/Argentina/Buenos_Aires",
    "Etc/GMT+12",
    "America/Port-au-Prince",
)
GOOD: Final[dict[str, dict[str, Any]]] = {
    "every second Monday": {"cron": "0 8 * * 1", "everyWeeks": 2, "startDate": "2026-01-05"},
    "a window on working days": {
        "window": {"cron": "0 0 * * 1-5", "startTime": "08:00", "endTime": "10:00"}
    },
    "a window across midnight": {
        "window": {"cron": "0 0 * * *", "startTime": "22:00", "endTime": "02:00"},
        "timeZone": "Europe/Bucharest",
    },
    "once in local time": {
        "once": {"runAt": "2026-12-01T09:00:00"},
        "timeZone": "Europe/Bucharest",
    },
    "once with an offset": {"once": {"runAt": "2026-12-01T09:00:00+02:00"}},
}

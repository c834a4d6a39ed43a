"""The API server's time: creations, deletions and starting deadlines go by that clock, and this machine's may differ."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

ANSWERS_WITHIN: Final = timedelta(seconds=1)
"""The header names a whole second: the server said it at any moment of that."""


def steady() -> Callable[[], datetime]:
    """This machine's time as it is now, from here on not put on or back."""
    wall, begun = datetime.now(UTC), time.monotonic()
    return lambda: wall + timedelta(seconds=time.monotonic() - begun)


class Clock:
    """`own` is right until an answer shows that it is not; then it is corrected, to within a second."""

    def __init__(self, own: Callable[[], datetime]) -> None:
        self.own = own
        self._behind = timedelta(0)

    def now(self) -> datetime:
        """Aware, in UTC."""
        return self.own() + self._behind

    def hear(self, date: str | None, sent: datetime) -> None:
        """`date`: an answer's header of that name (RFC 9110), if it has one; `sent`: when the request went, by `own`."""
        try:
            told = parsedate_to_datetime(date or "").astimezone(UTC)
        except (ValueError, OverflowError):
            return
        least, most = told - self.own(), told + ANSWERS_WITHIN - sent
        if not least <= self._behind <= most:
            self._behind = least + (most - least) / 2

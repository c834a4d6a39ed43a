"""The API server's time: creations, deletions and starting deadlines follow its clock.

This machine's clock may differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

ANSWERS_WITHIN: Final = timedelta(seconds=1)
"""The header names a whole second: the server wrote it at any moment within that."""


def steady() -> Callable[[], datetime]:
    """A clock with this machine's present time, unaffected by later changes of its clock."""
    wall, begun = datetime.now(UTC), time.monotonic()
    return lambda: wall + timedelta(seconds=time.monotonic() - begun)


class Clock:
    """The API server's time.

    `own` counts as right until an answer shows that it is not; then it is corrected, to within a
    second.
    """

    def __init__(self, own: Callable[[], datetime]) -> None:
        self.own = own
        self._behind = timedelta(0)

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return self.own() + self._behind

    def hear(self, date: str | None, sent: datetime) -> None:
        """Corrects the clock by an answer.

        `date`: its header of that name (RFC 9110), if any; `sent`: when the request went, by `own`.
        """
        try:
            server_time = parsedate_to_datetime(date or "").astimezone(UTC)
        except (ValueError, OverflowError):
            return
        least, most = server_time - self.own(), server_time + ANSWERS_WITHIN - sent
        if not least <= self._behind <= most:
            self._behind = least + (most - least) / 2

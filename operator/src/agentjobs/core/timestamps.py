"""Times on the wire: RFC 3339 in UTC with whole seconds, as Kubernetes writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final


def to_wire(moment: datetime) -> str:
    """The time as Kubernetes writes it. `moment` must be aware."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_wire(text: str) -> datetime:
    """An aware datetime in UTC.

    Raises ValueError for anything but an RFC 3339 time with an offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


END: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""No starts are computed from here on: Python's calendar ends a year later, in every zone."""

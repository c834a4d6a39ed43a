"""Knows whether the watch streams still deliver what happens.

A connection can be open and silent forever. A stream is alive when it delivers what a list has
shown to exist.
"""

from __future__ import annotations

from typing import Final

PATIENCE_SECONDS: Final = 120.0
"""How long after a list a stream may take to deliver what that list showed."""


class Streams:
    """The resource versions that streams and lists have shown, by kind.

    Times are seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._listed: dict[str, tuple[int, float]] = {}

    def saw(self, kind: str, version: int) -> None:
        """Notes that a stream delivered an object of this version, or began with a list of it."""
        self._seen[kind] = max(version, self._seen.get(kind, 0))

    def listed(self, kind: str, version: int, now: float) -> None:
        """Notes that a list showed an object of this version.

        An earlier one that is still awaited keeps its time.
        """
        if version > self._seen.get(kind, 0) and kind not in self.behind():
            self._listed[kind] = (version, now)

    def behind(self) -> frozenset[str]:
        """The kinds whose stream has not delivered yet what was listed."""
        return frozenset(
            kind for kind, (version, _) in self._listed.items() if self._seen.get(kind, 0) < version
        )

    def stale(self, now: float) -> tuple[str, ...]:
        """The kinds whose stream has been behind for too long."""
        return tuple(
            sorted(kind for kind in self.behind() if now - self._listed[kind][1] > PATIENCE_SECONDS)
        )

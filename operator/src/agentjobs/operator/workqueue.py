"""A queue of the jobs to look at.

It coalesces keys, never hands out one twice at a time, and knows delays and back-off.

It gives the same guarantees as client-go's work queue.
"""

from __future__ import annotations

import asyncio
from typing import Final

from agentjobs.operator.caches.table import Key

FIRST_BACKOFF_SECONDS: Final = 0.05
LAST_BACKOFF_SECONDS: Final = 300.0


class WorkQueue:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    def __len__(self) -> int:
        return self._ready.qsize() + len(self._again)

    def add(self, key: Key) -> None:
        """Queues this job: it is handed out once, however often it is added before that."""
        timer = self._timers.pop(key, None)
        if timer:
            timer.cancel()
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Queues this job after a delay, or earlier if it is added before.

        Of two delays the shorter counts.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + max(seconds, 0)
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._due, key)

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def get(self) -> Key:
        """Returns the next key. It has to be given back with `done`."""
        key = await self._ready.get()
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: Key) -> None:
        """Gives a key back: it may be handed out again."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def retry(self, key: Key) -> int:
        """Queues the job after a delay that doubles with each failure in a row.

        Returns the number of failures.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1)
        self.add_after(key, min(delay, LAST_BACKOFF_SECONDS))
        return failures

    def forget(self, key: Key) -> None:
        """Forgets the failures after a success: the next one is a first one."""
        self._failures.pop(key, None)

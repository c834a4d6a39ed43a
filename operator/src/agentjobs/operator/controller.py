"""Workers that reconcile keys from the queue, and the re-list that finds what streams missed."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Set as AbstractSet
from typing import Final

from agentjobs.cluster.client import Cluster
from agentjobs.core.errors import ClusterError, Conflict, Incomplete, NotFound, Outdated, Unlisted
from agentjobs.core.refusals import REPORT_AFTER
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.relist import relist
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.caches.table import Key
from agentjobs.operator.reconcile import Reconciler
from agentjobs.operator.workqueue import WorkQueue
from agentjobs.telemetry import Metrics, reconcile_id

log = logging.getLogger(__name__)

FIRST_LIST_PAUSES: Final = (0.5, 1, 2, 4, 8, 16, 30)
"""Seconds; the last one repeats forever.

Right after an installation the API server does not serve the new kinds yet: 429, "storage is
(re)initializing"."""
OUTDATED_LISTS: Final = 2
"""How many in a row.

Then the caches hold a history that no longer exists, and only an operator that knows nothing can go
on."""


class Controller:
    """Runs until it is stopped. Then it takes no more keys, and finishes those in work."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        streams: Streams,
        reconciler: Reconciler,
        queue: WorkQueue,
        metrics: Metrics,
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._streams = streams
        self._reconciler = reconciler
        self._queue = queue
        self._metrics = metrics
        self._in_work: set[asyncio.Task[None]] = set()
        self._outdated = 0

    async def start(self, workers: int) -> list[asyncio.Task[None]]:
        """Lists everything once, however long it takes, then starts the workers and returns them.

        Raises Outdated.
        """
        for key in sorted(await self._first_list()):
            self._queue.add(key)
        cache = self._cache
        counts = len(cache.jobs), len(cache.runs), len(cache.finished)
        log.info("listed %d jobs, %d active runs and %d finished runs", *counts)
        return [asyncio.create_task(self._work(), name=f"worker-{n}") for n in range(workers)]

    async def _first_list(self) -> AbstractSet[Key]:
        found: AbstractSet[Key] = frozenset()
        for pause in itertools.chain(FIRST_LIST_PAUSES, itertools.repeat(FIRST_LIST_PAUSES[-1])):
            keys, whole = await self._list()
            found |= keys
            if whole:
                break
            log.warning("the first list failed; it is tried again in %s s", pause)
            await asyncio.sleep(pause)
        return found

    async def resync(self, seconds: float) -> None:
        """Runs forever: compares the caches with lists and queues every job now and then.

        Raises Outdated.
        """
        while True:
            await asyncio.sleep(seconds)
            for key in (await self._list())[0]:
                self._queue.add(key)

    async def _list(self) -> tuple[AbstractSet[Key], bool]:
        """Returns the keys of what could be listed, and whether that was everything.

        Raises Outdated.
        """
        try:
            keys = await relist(self._cluster, self._cache, self._streams)
        except Unlisted as error:
            for kind, why in error.errors.items():
                self._metrics.failed_lists.labels(kind).inc()
                if isinstance(why, ClusterError):
                    log.warning("the list of %s failed: %s", kind, why)
                else:
                    log.exception("the list of %s failed", kind, exc_info=why)
            outdated = [why for why in error.errors.values() if isinstance(why, Outdated)]
            self._outdated = self._outdated + 1 if outdated else 0
            if self._outdated >= OUTDATED_LISTS:
                raise outdated[0] from None
            return error.keys, False
        self._outdated = 0
        return keys, True

    async def drain(self, seconds: float) -> None:
        """Waits for the reconciles in work to finish."""
        if self._in_work:
            await asyncio.wait(self._in_work, timeout=seconds)

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            # A reconcile that has begun is finished, even when its worker is cancelled.
            task = asyncio.create_task(self._one(key))
            self._in_work.add(task)
            task.add_done_callback(self._in_work.discard)
            await asyncio.shield(task)
            self._queue.done(key)

    async def _one(self, key: Key) -> None:
        token = reconcile_id.set(secrets.token_hex(4))
        began = time.perf_counter()
        try:
            again = await self._reconciler.reconcile(key)
        except ClusterError as error:
            self._metrics.reconciles.labels("retried").inc()
            self._retry(key, error)
        except Exception:
            # A bug of ours: it shows in the log and the metric, and does not stop the other jobs.
            log.exception("the reconcile failed", extra={"namespace": key[0], "job": key[1]})
            self._metrics.reconciles.labels("defect").inc()
            self._queue.retry(key)
        else:
            self._metrics.reconciles.labels("ok").inc()
            self._queue.forget(key)
            if again is not None:
                self._queue.add_after(key, again)
        finally:
            self._metrics.seconds.observe(time.perf_counter() - began)
            reconcile_id.reset(token)

    def _retry(self, key: Key, error: ClusterError) -> None:
        failures = self._queue.retry(key)
        if isinstance(error, Incomplete) and error.look_again is not None:
            self._queue.add_after(key, error.look_again)
        expected = isinstance(error, (Conflict, NotFound)) and failures < REPORT_AFTER
        log.log(
            logging.INFO if expected else logging.WARNING,
            "the reconcile is tried again: %s",
            error,
            extra={"namespace": key[0], "job": key[1]},
        )

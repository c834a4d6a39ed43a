"""observe -> decide -> execute, for one job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from agentjobs.cluster.client import Api
from agentjobs.core import gone
from agentjobs.core.approval.in_force import valid_content
from agentjobs.core.decide import decide
from agentjobs.core.doubts import about_decisions, about_runs
from agentjobs.core.errors import ClusterError
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Plan
from agentjobs.core.runs import retention, stops
from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.workload.settings import RunPolicy
from agentjobs.operator.admission import JUST_NOW, Guard
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.table import Key
from agentjobs.operator.execute import Executor
from agentjobs.operator.gather import Gatherer

log = logging.getLogger(__name__)

LARGE_BYTES: Final = 32 * 1024
"""How large approved content may be to be decided about on the event loop.

256 KiB in the worst form take 140 ms."""
STALE: Final = timedelta(seconds=1)
"""After this long a plan is made again: what it says about starts depends on the time."""


class Reconciler:
    """Reconciles one job at a time.

    Knows the cluster, the caches and the clock; decides nothing.
    """

    def __init__(
        self,
        cluster: Api,
        cache: Cache,
        policy: RunPolicy,
        clock: Callable[[], datetime],
        finished: Callable[[str], None],
        guard: Guard,
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._policy = policy
        self._clock = clock
        self._guard = guard
        self._executor = Executor(cluster, cache, finished)
        self._gather = Gatherer(cluster, cache, policy, clock, guard, self._executor)

    async def reconcile(self, key: Key) -> float | None:
        """Returns after how many seconds to look again; None: at the next event.

        Raises ClusterError: try again.
        """
        self._executor.begin(key)
        seen = await self._stop_first(key, await self._gather.first_look(key))
        if seen.job.gone:
            return await self._executor.carry_out(key, await self._end_what_is_left(key, seen))
        observed = await self._gather.all(key, seen)
        plan = await self._decided(observed)
        if plan.may_start_something:
            decided_at = self._clock()
            gap = await self._guard.check(JUST_NOW)
            if gap != observed.gap or self._clock() - decided_at > STALE:
                plan = await self._decided(replace(observed, gap=gap))
        return await self._executor.carry_out(key, plan)

    async def _decided(self, observed: Observed) -> Plan:
        """The plan.

        Off the event loop where it can take more than 50 ms: long texts are compared, the data of
        events is checked.
        """
        contents = (valid_content(observed.job, observed.sources), observed.previous)
        size = sum(len(content.document) for content in contents if content)
        if observed.events or size > LARGE_BYTES:
            return await asyncio.to_thread(decide, observed, self._policy, self._clock())
        return decide(observed, self._policy, self._clock())

    async def _stop_first(self, key: Key, seen: Observed) -> Observed:
        """Ends what is denied or cancelled first: looking at anything else could fail or take long.

        What only lacks an approval ends, too, once the API server has been asked for it. What fails
        here is in the plan again.
        """
        try:
            for sure in (True, False):
                if not sure and next(stops.writes(seen), None):
                    seen = (await self._gather.certain(key, seen, about_decisions)).observed
                for write in stops.writes(seen, sure=sure):
                    body = await self._executor.execute(key, write)
                    if write.kind == "cronjob" and body:
                        seen = replace(seen, cron_job=cron_job_view(body))
                seen = self._gather.with_cache(key, seen)
        except ClusterError as error:
            log.warning(
                "a stop failed and is tried again: %s",
                error,
                extra={"job": key[1], "namespace": key[0]},
            )
        return seen

    async def _end_what_is_left(self, key: Key, seen: Observed) -> Plan:
        """The plan for what a job that is gone left behind."""
        situation = await self._gather.certain(key, seen, about_runs)
        seen = replace(situation.observed, evidence=await self._gather.evidence(key, situation))
        plan = gone.decide_gone(seen, self._policy, self._clock())
        records = self._gather.over_budget(key)
        wait = 0 if len(records) == retention.AT_ONCE else plan.requeue_after
        return Plan((*plan.writes, *retention.deletions(records)), wait)

"""Gathers what a decision about one job is made from.

Live where it matters, else from the caches, and again where in doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from agentjobs.api.event import Event
from agentjobs.cluster.client import METADATA, Api, Json, find
from agentjobs.core import gone, naming
from agentjobs.core.approval import revisions, second_person
from agentjobs.core.approval.in_force import pins_in_use, valid_content
from agentjobs.core.content.packages import PackageApprovalView, Packages
from agentjobs.core.content.sources import references
from agentjobs.core.doubts import Look, Situation, assess, doubts
from agentjobs.core.observed import Claim, Follower, Observed
from agentjobs.core.plan import Write
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runner.installer import Resolution
from agentjobs.core.runs import following, resolutions, retention
from agentjobs.core.triggers import chains
from agentjobs.core.triggers.events import to_read
from agentjobs.core.views.approvals import ApprovalView
from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.views.event import event_of
from agentjobs.core.views.job import JobView, is_left, is_of, job_view
from agentjobs.core.views.metadata import is_orphaning
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import FinishedRun
from agentjobs.core.workload import sessions
from agentjobs.core.workload.settings import RunPolicy
from agentjobs.operator.admission import JUST_NOW, LATELY, Guard
from agentjobs.operator.caches.answers import answer
from agentjobs.operator.caches.cache import NO_JOB, Cache
from agentjobs.operator.caches.sources import read
from agentjobs.operator.caches.table import Key
from agentjobs.operator.collect import read_evidence, read_installed
from agentjobs.operator.execute import Executor
from agentjobs.operator.frozen import FrozenContents


class Gatherer:
    """Answers questions and decides nothing.

    Remembers since when revisions have been left over and pods have ended.
    """

    def __init__(
        self,
        cluster: Api,
        cache: Cache,
        policy: RunPolicy,
        clock: Callable[[], datetime],
        guard: Guard,
        executor: Executor,
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._policy = policy
        self._clock = clock
        self._guard = guard
        self._executor = executor
        self._frozen = FrozenContents(cluster, cache, policy)
        self._left_over: dict[Key, dict[str, datetime]] = {}
        self._ended: dict[Key, dict[str, datetime]] = {}

    async def first_look(self, key: Key) -> Observed:
        """Observes what a stop needs: job and CronJob, read live, and what the caches have."""
        kinds = ("job", "cronjob")
        body, cron_job = await asyncio.gather(*(find(self._cluster, kind, *key) for kind in kinds))
        observed = Observed(
            job=self._job(key, body),
            cron_job=cron_job_view(cron_job) if cron_job else None,
            settled=self._executor.settled,
            refused=self._executor.refused(key),
        )
        return self.with_cache(key, observed)

    def _job(self, key: Key, body: Json | None) -> JobView:
        if body is not None and not is_orphaning(body):
            self._cache.jobs.put(body)
            return job_view(body)
        self._cache.jobs.drop(key)
        self._cache.uses.set(key, ())
        self._cache.sources.uses(key, ())
        self._left_over.pop(key, None)
        self._ended.pop(key, None)
        self._executor.forget(key)
        return gone.stand_in(*key, uid=body["metadata"]["uid"] if body else "")

    async def certain(
        self,
        key: Key,
        observed: Observed,
        about: Callable[[Situation], Iterable[Look]],
        *,
        whole: bool = False,
    ) -> Situation:
        """Asks the API server until none of these doubts is left.

        Each question is asked once. `whole`: texts and contents are known.
        """
        asked: set[Look] = set()
        while True:
            situation = self._with_leftovers(key, observed) if whole else assess(observed)
            looks = [look for look in about(situation) if look not in asked]
            if not looks:
                return situation
            for look in dict.fromkeys(looks):
                await answer(self._cluster, self._cache, key, look)
            asked.update(looks)
            if any(look.subject == "texts" for look in looks):
                observed = await self._with_contents(observed, reread=True)
            observed = self.with_cache(key, observed)

    async def all(self, key: Key, seen: Observed) -> Observed:
        """Observes everything that `decide` needs."""
        observed = replace(seen, gap=await self._guard.check(LATELY))
        observed = self.with_cache(key, await self._with_contents(observed))
        situation = await self.certain(
            key, observed, lambda situation: doubts(situation, self._clock()), whole=True
        )
        observed = situation.observed
        seen, claim, evidence, events, followers, _ = await asyncio.gather(
            self._frozen.existing(observed),
            self._session_claim(situation),
            self.evidence(key, situation),
            self._events(key, to_read(observed)),
            self._followers(key, situation),
            self._policies(situation),
        )
        observed = replace(
            seen, session_claim=claim, evidence=evidence, events=events, followers=followers
        )
        installed = await self._installed(resolutions.to_read(observed, situation.cases))
        observed = replace(observed, installed=installed, over_budget=self.over_budget(key))
        return replace(observed, shortened=await self._shortened(key, observed))

    async def _policies(self, situation: Situation) -> None:
        """Checks the policies while other questions are asked.

        So the answer is still young when something is about to start.
        """
        if situation.comes_into_force or situation.wants_a_start:
            await self._guard.check(JUST_NOW)

    def with_cache(self, key: Key, observed: Observed) -> Observed:
        """The same, with what the caches have now."""
        self._cache.uses.set(key, pins_in_use(observed, self._cache.batch_jobs.of(key)))
        approvals: tuple[ApprovalView, ...] = self._cache.approvals.of(key)
        alone: tuple[ApprovalView, ...] = ()
        decisions = self._cache.package_approvals.of((key[0], NO_JOB))
        packages = Packages(self._policy.inventory, decisions)
        packages_alone: tuple[PackageApprovalView, ...] = ()
        if self._policy.second_person:
            content = valid_content(observed.job, observed.sources)
            digest = content.digest if content else None
            approvals, alone = second_person.apart(observed.job, digest, approvals)
            packages_alone = second_person.packages_alone(observed.job, digest, packages.approvals)
        return replace(
            observed,
            taken=self._executor.taken(key),
            packages=packages,
            packages_alone=packages_alone,
            approvals=approvals,
            alone=alone,
            batch_jobs=self._cache.batch_jobs.of(key),
            pods=self._cache.pods.of(key),
            runs=self._cache.runs.of(key),
            finished=self._cache.finished.of(key),
            kept=self._cache.revisions.of(key),
        )

    def _with_leftovers(self, key: Key, observed: Observed) -> Situation:
        """The situation, with the revisions that nothing seems to need.

        Also since when this process has known it.
        """
        situation = assess(observed)
        now, known = self._clock(), self._left_over.pop(key, {})
        found = revisions.left_over(observed, situation.force)
        since = {left.uid: known.get(left.uid, now) for left in found}
        if since:
            self._left_over[key] = since
        return replace(situation, observed=replace(observed, left_over_since=since))

    async def _with_contents(self, observed: Observed, *, reread: bool = False) -> Observed:
        """The same, with the texts that the spec refers to and the content last in force."""
        job = observed.job
        wanted = references(job.spec) if job.spec else frozenset()
        cache = self._cache.sources
        cache.uses((job.namespace, job.name), {reference.name for reference in wanted})
        sources = await read(self._cluster, cache, job.namespace, wanted, reread=reread)
        observed = replace(observed, sources=sources)
        return replace(observed, previous=await self._frozen.previous(observed))

    async def _installed(self, pods: tuple[PodView, ...]) -> Mapping[str, Resolution]:
        found = await asyncio.gather(*(read_installed(self._cluster, pod) for pod in pods))
        return {pod.run: installed for pod, installed in zip(pods, found, strict=True) if installed}

    async def _session_claim(self, situation: Situation) -> Claim:
        job, spec = situation.observed.job, situation.force.spec
        if spec is None or not sessions.continuous(spec):
            return "none"
        name = naming.claim_name(job.name)
        found = await find(self._cluster, "claim", job.namespace, name, METADATA)
        if found is None:
            return "none"
        # A claim that is left of an earlier job is kept: anyone who deletes a job without it wants
        # its session.
        return "ours" if is_of(found, job) or is_left(found, job) else "foreign"

    async def evidence(self, key: Key, situation: Situation) -> Mapping[str, Evidence]:
        """What can be read of the output of runs that are over, or being ended."""
        pods = following.to_read(situation.cases)
        now, known = self._clock(), self._ended.pop(key, {})
        since = {pod.uid: known.get(pod.uid, now) for pod in pods if pod.ended}
        if since:
            self._ended[key] = since
        found = await asyncio.gather(
            *(read_evidence(self._cluster, pod, now - since.get(pod.uid, now)) for pod in pods)
        )
        return {pod.run: evidence for pod, evidence in zip(pods, found, strict=True) if evidence}

    async def _events(self, key: Key, names: tuple[str, ...]) -> Mapping[str, Event]:
        found = await asyncio.gather(*(find(self._cluster, "run", key[0], name) for name in names))
        for name, body in zip(names, found, strict=True):
            if body is None:
                # The watch missed its deletion: the next run would wait for it until the re-list.
                self._cache.runs.drop((key[0], name))
        events = {name: event_of(body) for name, body in zip(names, found, strict=True) if body}
        return {name: event for name, event in events.items() if event}

    async def _followers(self, key: Key, situation: Situation) -> tuple[Follower, ...]:
        """The jobs that start after this one, read live.

        The caches may not know them yet, and a run is recorded once.
        """
        if not following.is_ending(situation.cases):
            return ()
        pages = self._cluster.list("cronjob", key[0], labelSelector=f"{chains.PREFIX}{key[1]}")
        found = [
            chains.follower(body, key[1]) async for page in pages for body in page["items"] or ()
        ]
        return tuple(other for other in found if other)

    def over_budget(self, key: Key) -> tuple[FinishedRun, ...]:
        """Finished runs of the namespace that the budgets have no room for."""
        stored, namespace = self._cache.stored_bytes, key[0]
        budget = retention.allowance(stored, self._policy.budgets)
        if stored[namespace] <= budget:
            return ()
        finished = self._cache.finished_in(namespace)
        jobs = {run.job for run in finished if self._cache.jobs.version((namespace, run.job))}
        return retention.over_budget(finished, budget, jobs)[: retention.AT_ONCE]

    async def _shortened(self, key: Key, observed: Observed) -> tuple[Write, ...]:
        found = []
        for run in retention.to_read(observed):
            body = await find(self._cluster, "run", key[0], run.name)
            if body is None:
                self._cache.forget_finished((key[0], run.name))
            elif body["metadata"]["uid"] == run.uid:
                found.append(retention.shortened(body))
        return tuple(found)

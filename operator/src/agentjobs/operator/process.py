"""The operator as a process: puts its parts together and orders its shutdown."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import Counter as Tally
from typing import Any

import kopf
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from agentjobs import __version__
from agentjobs.cluster.client import Cluster
from agentjobs.cluster.connection import connect
from agentjobs.operator import probes, watch
from agentjobs.operator.admission import Guard
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.configuration import OperatorConfiguration, Pod
from agentjobs.operator.controller import Controller
from agentjobs.operator.reconcile import Reconciler
from agentjobs.operator.session import session
from agentjobs.operator.workqueue import WorkQueue
from agentjobs.telemetry import Metrics

log = logging.getLogger("agentjobs")

STREAM_SECONDS = 300
DRAIN_SECONDS = 5.0
KOPF_SECONDS = 2.0
"""Limits for finishing the reconciles in work, then Kopf.

With giving back the lease a shutdown stays within 10 s."""


class Operator:
    """Everything that lives as long as the process."""

    def __init__(
        self,
        configuration: OperatorConfiguration,
        pod: Pod,
        cluster: Cluster,
        kubeconfig: str | None,
    ) -> None:
        self.process = configuration.process
        self.cluster = cluster
        self.kubeconfig = kubeconfig
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.cache, self.streams, self.queue = Cache(), Streams(), WorkQueue()
        unguarded = configuration.approval.allow_without_policies
        if unguarded:
            log.warning(
                "approval.allowWithoutPolicies is true: the operator does not check whether the"
                " admission policies are in force"
            )
        self.watcher = watch.Watcher(self.cache, self.streams, self.queue.add)
        self.guard = Guard(cluster, () if unguarded else configuration.policies, cluster.clock.now)
        policy, clock = configuration.policy(), cluster.clock.now
        reconciler = Reconciler(cluster, self.cache, policy, clock, self._run_finished, self.guard)
        self.controller = Controller(
            cluster, self.cache, self.streams, reconciler, self.queue, self.metrics
        )
        self.stopping = asyncio.Event()
        self.pulse = probes.Pulse()
        self.vitals = probes.Vitals(
            kubeconfig,
            name=self.process.lease_name,
            namespace=pod.namespace,
            identity=pod.name,
            port=self.process.port,
            pulse=self.pulse,
            ready=self.ready,
            registry=self.registry,
            refresh=self.refresh,
        )

    def _run_finished(self, phase: str) -> None:
        self.metrics.finished.labels(phase).inc()

    def healthy(self) -> str:
        """What /healthz answers; empty when all is well."""
        stale = self.streams.stale(asyncio.get_running_loop().time())
        return f"the watch streams of {', '.join(stale)} have stopped delivering" if stale else ""

    def ready(self) -> str:
        """What /readyz answers; empty when ready.

        A process that waits for the lease is ready: it has nothing to do yet.
        """
        return "stopping" if self.stopping.is_set() else ""

    def refresh(self) -> None:
        """Sets the gauges, just before they are read."""
        self.metrics.queue.set(len(self.queue))
        self.metrics.active_runs.set(len(self.cache.runs))
        self.metrics.stored_bytes.set(sum(self.cache.stored_bytes.values()))
        self.metrics.policies_missing.set(len(self.guard.gap.problems) if self.guard.gap else 0)
        self.metrics.leading.set(self.vitals.leading)
        self.metrics.stale.set(len(self.streams.stale(asyncio.get_running_loop().time())))
        self.metrics.requests.inc(self.cluster.take_requests())
        for kind, count in self.cache.unreadable().items():
            self.metrics.unreadable.labels(kind).set(count)
        self.metrics.jobs.clear()
        for phase, count in Tally(job.phase for job in self.cache.jobs.all()).items():
            self.metrics.jobs.labels(phase or "Unknown").set(count)

    async def lead(self) -> None:
        """What the leader does, until it is told to stop."""
        workers = await self.controller.start(self.process.workers)
        resync = asyncio.create_task(
            self.controller.resync(self.process.resync_seconds), name="resync"
        )
        guard = asyncio.create_task(self.guard.watch(self._every_job), name="guard")
        stopped = asyncio.create_task(self.stopping.wait(), name="stop")
        no_more_events = asyncio.Event()
        events = asyncio.create_task(self._watch(no_more_events), name="kopf")
        try:
            await asyncio.wait(
                [*workers, resync, guard, stopped, events], return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (*workers, resync, guard, stopped):
                task.cancel()
            await self.controller.drain(DRAIN_SECONDS)
            # Last, since Kopf cancels every task that is younger than itself: the reconciles in
            # work would be lost.
            no_more_events.set()
            await asyncio.wait([events], timeout=KOPF_SECONDS)
        for task in (*workers, resync, guard, events):
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    def _every_job(self) -> None:
        for key in self.cache.jobs:
            self.queue.add(key)

    async def _watch(self, stop: asyncio.Event) -> None:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        watch.register(registry, self.watcher)
        waiting = asyncio.create_task(watch.all_served(self.cluster.served))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([waiting, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, stopped):
            task.cancel()
        if stop.is_set():
            return
        await waiting
        ready = asyncio.Event()
        ready_task = asyncio.create_task(self._keep_signals(ready))
        try:
            await kopf.operator(
                registry=registry,
                settings=watch.settings(STREAM_SECONDS),
                clusterwide=True,
                standalone=True,
                ready_flag=ready,
                stop_flag=stop,
            )
        finally:
            ready_task.cancel()

    async def _login(self, **kwargs: Any) -> kopf.AiohttpSession | None:
        login = kopf.login_with_kubeconfig if self.kubeconfig else kopf.login_with_service_account
        info = login(**kwargs)
        return session(info, self.watcher.listed) if info else None

    async def _keep_signals(self, ready: asyncio.Event) -> None:
        """Installs our signal handlers after Kopf has installed its own.

        Ours order the shutdown, Kopf's part included.
        """
        await ready.wait()
        self.handle_signals()

    def handle_signals(self) -> None:
        """Makes SIGTERM and SIGINT shut the operator down in order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stopping.set)


async def operate(configuration: OperatorConfiguration, pod: Pod, kubeconfig: str | None) -> int:
    """Until it is stopped; returns the exit code."""
    async with connect(kubeconfig) as cluster:
        operator = Operator(configuration, pod, cluster, kubeconfig)
        operator.handle_signals()
        log.info("agentjobs %s starts in the pod %s", __version__, pod.name)
        beating = asyncio.create_task(operator.pulse.keep(operator.healthy), name="pulse")
        try:
            await operator.vitals.run(operator.lead, operator.stopping)
        finally:
            beating.cancel()
        return 0 if operator.stopping.is_set() else 1

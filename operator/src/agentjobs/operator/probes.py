"""What keeps running however busy the operator's event loop is.

These are /healthz, /readyz and /metrics, and holding the lease. Both run in one thread of their
own, with its own event loop. What others write is bounded, but the lease must not depend on that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from agentjobs.cluster.connection import connect
from agentjobs.operator.lease import Leadership

BEAT_SECONDS: Final = 1.0
STILL_SECONDS: Final = 60.0
"""How long the operator's event loop may stand still before it is unhealthy.

Then the kubelet begins to count failures."""
REFRESH_SECONDS: Final = 0.5
"""Metrics that cannot be refreshed in this time are served as they were."""

Handler = Callable[[web.Request], Awaitable[web.Response]]
Verdict = Callable[[], str]
"""Returns an empty text when all is well, else a sentence."""


async def serve(
    port: int,
    *,
    healthy: Verdict,
    ready: Verdict,
    registry: CollectorRegistry,
    refresh: Callable[[], Awaitable[None]],
) -> web.AppRunner:
    """Serves until the returned runner is cleaned up.

    `refresh` brings gauges up to date before they are read.
    """

    def answer(verdict: Verdict) -> Handler:
        async def handle(_: web.Request) -> web.Response:
            problem = verdict()
            return web.Response(text=problem or "ok", status=503 if problem else 200)

        return handle

    async def metrics(_: web.Request) -> web.Response:
        await refresh()
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application()
    app.router.add_get("/healthz", answer(healthy))
    app.router.add_get("/readyz", answer(ready))
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


class Pulse:
    """Knows whether the operator's event loop still runs, and what it says about itself.

    Read from another thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat = clock()
        self._problem = ""

    async def keep(self, healthy: Verdict) -> None:
        """Runs forever, on the operator's event loop: records each beat and what `healthy` says."""
        while True:
            self._beat, self._problem = self._clock(), healthy()
            await asyncio.sleep(BEAT_SECONDS)

    def healthy(self) -> str:
        """Empty when all is well, else a sentence."""
        still = self._clock() - self._beat
        blocked = f"the event loop has been blocked for {still:.0f} s"
        return blocked if still > STILL_SECONDS else self._problem


class Vitals:
    """The thread that serves probes and holds the lease.

    `refresh` and `lead` run on the event loop that calls `run`.
    """

    def __init__(
        self,
        kubeconfig: str | None,
        *,
        name: str,
        namespace: str,
        identity: str,
        port: int,
        pulse: Pulse,
        ready: Verdict,
        registry: CollectorRegistry,
        refresh: Callable[[], None],
    ) -> None:
        self._kubeconfig = kubeconfig
        self._lease = {"name": name, "namespace": namespace, "identity": identity}
        self._port = port
        self._pulse = pulse
        self._ready = ready
        self._registry = registry
        self._refresh = refresh
        self._leadership: Leadership | None = None

    @property
    def leading(self) -> bool:
        """Whether this process holds the lease."""
        return self._leadership is not None and self._leadership.leading

    async def run(
        self, lead: Callable[[], Coroutine[Any, Any, None]], stopping: asyncio.Event
    ) -> None:
        """Waits for the lease, then runs `lead`.

        Returns when the lease is lost, `lead` ends, or `stopping` is set without a lease.
        """
        own = asyncio.get_running_loop()
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.to_thread(asyncio.run, self._live(own, lead, stop))
        finally:
            stop.cancel()

    async def _live(
        self,
        own: asyncio.AbstractEventLoop,
        lead: Callable[[], Coroutine[Any, Any, None]],
        stop: asyncio.Task[Any],
    ) -> None:
        async def refresh() -> None:
            asked = asyncio.run_coroutine_threadsafe(self._refreshed(), own)
            await asyncio.wait({asyncio.wrap_future(asked)}, timeout=REFRESH_SECONDS)

        async def led() -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(lead(), own))

        async with connect(self._kubeconfig) as cluster:
            leadership = self._leadership = Leadership(cluster, **self._lease)
            server = await serve(
                self._port,
                healthy=self._pulse.healthy,
                ready=self._ready,
                registry=self._registry,
                refresh=refresh,
            )
            leading = asyncio.create_task(leadership.run(led))
            stopped = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_ended(stop), own))
            await asyncio.wait({leading, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done() and not leadership.leading:
                leading.cancel()
            stopped.cancel()
            result = (await asyncio.gather(leading, return_exceptions=True))[0]
            await leadership.release()
            await server.cleanup()
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result

    async def _refreshed(self) -> None:
        self._refresh()


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait({task})

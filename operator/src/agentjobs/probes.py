"""/healthz, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

Handler = Callable[[web.Request], Awaitable[web.Response]]
Verdict = Callable[[], str]
"""Empty when all is well, else a sentence."""


async def serve(port: int, *, healthy: Verdict, ready: Verdict, registry: CollectorRegistry, refresh: Callable[[], None]) -> web.AppRunner:
    """Serve until the returned runner is cleaned up. `refresh` brings gauges up to date before they are read."""

    def answer(verdict: Verdict) -> Handler:
        async def handle(_: web.Request) -> web.Response:
            problem = verdict()
            return web.Response(text=problem or "ok", status=503 if problem else 200)

        return handle

    async def metrics(_: web.Request) -> web.Response:
        refresh()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", answer(healthy))
    app.router.add_get("/readyz", answer(ready))
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port, shutdown_timeout=1).start()
    return runner

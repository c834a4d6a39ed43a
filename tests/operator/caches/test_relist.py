"""A list that fails does not cost others their news.

One that stays in the past ends an operator whose knowledge is of a lost history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError, Outdated
from agentjobs.operator import controller as controllers
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.streams import Streams
from agentjobs.operator.controller import Controller
from agentjobs.operator.workqueue import WorkQueue
from agentjobs.telemetry import Metrics
from agentjobs.testing.server import Server
from tests.support.lives import steps
from tests.support.lives.steps import NS

KEY = (NS, "report")


class Failing:
    """An API server whose lists of one kind fail so many times."""

    def __init__(self, server: Server, kind: str, times: int, error: Exception) -> None:
        self.server = server
        self._kind = kind
        self.times = times
        self._error = error

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "", **selectors: str
    ) -> AsyncIterator[Json]:
        if kind == self._kind and self.times:
            self.times -= 1
            raise self._error
        async for page in self.server.list(kind, namespace, accept=accept, **selectors):
            yield page


class Parts:
    """A controller without workers."""

    def __init__(self, api: Any) -> None:
        self.registry, self.queue = CollectorRegistry(), WorkQueue()
        nobody: Any = None
        self.controller = Controller(
            api, Cache(), Streams(), nobody, self.queue, Metrics(self.registry)
        )

    def failed(self, kind: str) -> float | None:
        return self.registry.get_sample_value("agentjobs_failed_lists_total", {"kind": kind})


ERRORS = [ClusterError("500", 500), ValueError("a defect")]


@pytest.mark.parametrize("error", ERRORS)
def test_the_first_list_goes_on_until_it_is_whole_and_loses_nothing(
    error: Exception, monkeypatch: Any
) -> None:
    """A run whose job is gone is news once only."""
    monkeypatch.setattr(controllers, "FIRST_LIST_PAUSES", (0,))

    async def check() -> None:
        kube = steps.new_cluster()
        steps.start("gone", "run")(kube)
        steps.apply("report", "ok")(kube)
        parts = Parts(Failing(kube.server, "pod", 20, error))
        await parts.controller.start(0)
        assert (len(parts.queue), parts.failed("pod")) == (2, 20)

    asyncio.run(check())


@pytest.mark.parametrize("error", ERRORS)
def test_a_kind_that_cannot_be_listed_keeps_no_other_from_being_looked_at(error: Exception) -> None:
    async def check() -> None:
        kube = steps.new_cluster()
        steps.apply("report", "ok")(kube)
        parts = Parts(Failing(kube.server, "approval", 1000, error))
        resync = asyncio.create_task(parts.controller.resync(0.001))
        async with asyncio.timeout(5):
            assert await parts.queue.get() == KEY
        resync.cancel()
        assert (parts.failed("approval") or 0) > 0

    asyncio.run(check())


@pytest.mark.parametrize(("moments", "ends"), [("past past", True), ("past now past now", False)])
def test_two_lists_of_the_past_in_a_row_end_the_operator_and_one_does_not(
    moments: str, ends: bool, monkeypatch: Any
) -> None:
    """As after etcd was restored: versions go backwards; a restarted container knows no past."""

    async def check() -> None:
        kube = steps.new_cluster()
        servers = {"past": kube.server.copy(), "now": kube.server}
        steps.apply("report", "ok")(kube)
        api = Failing(kube.server, "", 0, ValueError())
        parts = Parts(api)
        await parts.controller.start(0)

        async def sleep(_: float) -> None:
            if not left:
                raise asyncio.CancelledError
            api.server = servers[left.pop(0)]

        left = moments.split()
        monkeypatch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(Outdated if ends else asyncio.CancelledError):
            await parts.controller.resync(300)
        assert left == []

    asyncio.run(check())

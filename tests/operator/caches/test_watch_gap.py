"""What a watch stream does not say: what was deleted in a gap before it began again.

The re-list finds it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError
from agentjobs.core.runs.retention import RECORD_BYTES
from agentjobs.operator.caches.relist import relist
from agentjobs.operator.caches.streams import Streams
from agentjobs.testing.operators import Operator
from agentjobs.testing.server import Server
from agentjobs.testing.simulation import Kubernetes
from tests.support import manifests
from tests.support.lives import steps
from tests.support.lives.steps import NS

KEY = (NS, "slow")
KINDS = ("job", "approval", "packageapproval", "run", "batchjob", "pod")


async def going_on() -> tuple[Kubernetes, Operator]:
    """A job, in force, with a run that goes on, and an operator that knows everything."""
    kube = steps.new_cluster()
    operator = Operator(kube.server, kube.server)
    await operator.start()
    steps.apply("slow", "long", packages=["six==1.17.0"])(kube)
    steps.decide_packages("six", "six==1.17.0")(kube)
    await settle(kube, operator)
    steps.decide("slow")(kube)
    steps.start("slow", "run")(kube)
    await settle(kube, operator)
    assert steps.runs(kube)["run"]["phase"] == "Running"
    return kube, operator


async def settle(kube: Kubernetes, operator: Operator) -> None:
    for _ in range(20):
        kube.step()
        operator.deliver()
        await operator.work()


def everything(kube: Kubernetes, kind: str) -> list[str]:
    return [body["metadata"]["name"] for body in kube.server.all(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_deleted_in_a_gap_is_forgotten_and_its_job_is_looked_at(kind: str) -> None:
    async def check() -> None:
        kube, operator = await going_on()
        for name in everything(kube, kind):
            kube.server.forget((kind, NS, name))
        assert list(operator.cache.table(kind))
        assert KEY in await relist(kube.server, operator.cache, Streams())
        assert list(operator.cache.table(kind)) == []

    asyncio.run(check())


def test_an_approval_that_was_withdrawn_in_a_gap_ends_what_it_allowed() -> None:
    async def check() -> None:
        kube, operator = await going_on()
        steps.delete("approval", "slow-approved")(kube)
        await operator.start()  # lists, and hears nothing of what was before
        await settle(kube, operator)
        assert (steps.runs(kube)["run"]["reason"], everything(kube, "cronjob")) == (
            "ApprovalRevoked",
            [],
        )

    asyncio.run(check())


def test_a_record_deleted_in_a_gap_no_longer_counts_for_the_budget() -> None:
    async def check() -> None:
        kube, operator = await going_on()
        steps.delete("approval", "slow-approved")(kube)
        await settle(kube, operator)
        assert operator.cache.stored_bytes[NS] == len("begun\n") + RECORD_BYTES
        kube.server.forget(("run", NS, "run"))
        await relist(kube.server, operator.cache, Streams())
        assert (list(operator.cache.finished), operator.cache.stored_bytes[NS]) == ([], 0)

    asyncio.run(check())


class Slow:
    """An API server whose list is old when it comes: meanwhile runs are created and heard of."""

    def __init__(self, server: Server, operator: Operator) -> None:
        self._server = server
        self._operator = operator
        self._numbers = itertools.count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "", **selectors: str
    ) -> AsyncIterator[Json]:
        async for page in self._server.list(kind, namespace, accept=accept, **selectors):
            if kind == "run":
                self._server.create("run", NS, manifests.run(f"new-{next(self._numbers)}", "slow"))
                self._operator.deliver()
            yield page


def test_what_came_while_the_list_was_on_its_way_stays_known() -> None:
    async def check() -> None:
        kube, operator = await going_on()
        await relist(Slow(kube.server, operator), operator.cache, Streams())
        assert {name for _, name in operator.cache.runs} == set(everything(kube, "run"))

    asyncio.run(check())


def test_a_run_not_looked_at_yet_is_not_taken_for_a_finished_one() -> None:
    """Its phase is empty, which passes "is not Running"."""

    async def check() -> None:
        kube, operator = await going_on()
        steps.start("slow", "new")(kube)
        assert "status" not in kube.server.objects["run", NS, "new"]
        await relist(kube.server, operator.cache, Streams())
        assert ((NS, "new") in list(operator.cache.runs), list(operator.cache.finished)) == (
            True,
            [],
        )

    asyncio.run(check())


def test_an_earlier_namesakes_end_does_not_make_the_new_one_forgotten() -> None:
    async def check() -> None:
        kube, operator = await going_on()
        kube.server.forget(("batchjob", NS, "run"))
        steps.create(
            "batchjob",
            {
                "metadata": {"name": "run", "labels": {"agentjobs.dev/job": "slow"}},
                "spec": {"suspend": True},
            },
        )(kube)
        operator.cache.batch_jobs.put(kube.server.objects["batchjob", NS, "run"])
        kube.server.changes.pop()  # heard later than the end of the first
        operator.deliver()
        assert [job.suspended for job in operator.cache.batch_jobs.of(KEY)] == [True]

    asyncio.run(check())


class Past:
    """An API server whose lists are those of an earlier moment."""

    def __init__(self, server: Server, past: Server) -> None:
        self._server = server
        self._past = past

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def list(
        self, kind: str, namespace: str = "", *, accept: str = "", **selectors: str
    ) -> AsyncIterator[Json]:
        return self._past.list(kind, namespace, accept=accept, **selectors)


@pytest.mark.parametrize("heard", [True, False], ids=["a watch", "an answer"])
def test_a_list_of_the_past_makes_nobody_forget_a_denial(heard: bool) -> None:
    """Whatever has told of the denial. What was denied would come into force again."""

    async def check() -> None:
        kube, operator = await going_on()
        past = kube.server.copy()
        steps.decide("slow", "Denied")(kube)
        if heard:
            await settle(kube, operator)
            assert (steps.runs(kube)["run"]["reason"], everything(kube, "cronjob")) == (
                "Denied",
                [],
            )
        else:
            await relist(kube.server, operator.cache, Streams())
        with pytest.raises(ClusterError, match="which was seen before"):
            await relist(Past(kube.server, past), operator.cache, Streams())
        assert {name for _, name in operator.cache.approvals} == {"slow-approved", "slow-denied"}

    asyncio.run(check())


def test_an_outdated_list_does_not_bring_back_a_withdrawn_approval() -> None:
    async def check() -> None:
        kube, operator = await going_on()
        past = kube.server.copy()
        steps.delete("approval", "slow-approved")(kube)
        await settle(kube, operator)
        with pytest.raises(ClusterError, match="which was seen before"):
            await relist(Past(kube.server, past), operator.cache, Streams())
        assert list(operator.cache.approvals) == []

    asyncio.run(check())


class Overtaken:
    """An API server whose list is on its way while an approval in it is withdrawn.

    A watch reports that first.
    """

    def __init__(self, kube: Kubernetes, operator: Operator) -> None:
        self._kube = kube
        self._operator = operator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kube.server, name)

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "", **selectors: str
    ) -> AsyncIterator[Json]:
        pages = [
            page
            async for page in self._kube.server.list(kind, namespace, accept=accept, **selectors)
        ]
        if kind == "approval":
            steps.delete("approval", "slow-approved")(self._kube)
            self._operator.deliver()
        for page in pages:
            yield page


def test_an_approval_withdrawn_while_a_list_is_coming_stays_withdrawn() -> None:
    async def check() -> None:
        kube, operator = await going_on()
        await relist(Overtaken(kube, operator), operator.cache, Streams())
        assert list(operator.cache.approvals) == []
        steps.decide("slow")(kube)
        operator.deliver()
        assert [name for _, name in operator.cache.approvals] == ["slow-approved"]

    asyncio.run(check())

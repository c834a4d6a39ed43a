"""Anyone who may start a job can ask for thousands of runs.

A pass stays small all the same, stops come between passes, and no data piles up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.errors import Refused
from agentjobs.core.plan import Write
from agentjobs.testing.operators import Operator
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.crashes import World
from tests.support.lives.deletions import forget_approvals, has_begun
from tests.support.lives.events import TRIGGERS, name_of, send
from tests.support.lives.starts import cancel
from tests.support.lives.steps import NS, apply, decide, new_cluster, nothing, runs, start, step

MANY: Final = 120
ENOUGH: Final = 60
"""Requests that one pass may take, whatever anybody has asked for."""
MANY_PASSES: Final = 600


class Counting:
    """The API server, and what one pass has asked of it."""

    def __init__(self, kube: Kubernetes) -> None:
        self._server = kube.server
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json:
        self.asked[f"get {kind}"] += 1
        return await self._server.get(kind, namespace, name, accept=accept)

    async def write(self, namespace: str, write: Write) -> Json:
        self.asked[f"{write.verb} {write.kind}"] += 1
        return await self._server.write(namespace, write)


async def passes(kube: Kubernetes) -> list[Counter[str]]:
    """What an operator starting now asks in each of its passes, until it is idle for a while."""
    api, found = Counting(kube), []
    operator = Operator(api, kube.server)
    await operator.start()
    for _ in range(MANY_PASSES):
        operator.deliver()
        api.asked.clear()
        if await operator.work():
            found.append(Counter(api.asked))
        elif not kube.step():
            due = operator.next_due()
            if due is None or due > kube.server.now + timedelta(seconds=5):
                break
            kube.server.now = due
    return found


def flooded(*acts: Any) -> Kubernetes:
    """A job whose run goes on, and then what somebody asks for while nobody operates."""

    async def lived() -> Kubernetes:
        life = (
            step(
                nothing,
                apply("slow", "long"),
                apply("orders", "ok", triggers=TRIGGERS, concurrencyPolicy="Allow"),
            ),
            step(has_begun, decide("slow"), decide("orders"), start("slow", "endless")),
        )
        world = World(new_cluster(), life)
        await world.add_operator()
        while world.act():
            await world.rest()
        for act in acts:
            act(world.kube)
        return world.kube

    return asyncio.run(lived())


@pytest.mark.parametrize("job", ["slow", "there-is-none"])
def test_a_pass_stays_small_and_all_are_answered_however_many_come(job: str) -> None:
    kube = flooded(*(start(job, f"more-{number}") for number in range(MANY)))
    kube.server.now += timedelta(seconds=5)
    asked = asyncio.run(passes(kube))
    assert max(sum(each.values()) for each in asked) <= ENOUGH
    assert sum(sum(each.values()) for each in asked) < MANY * 12
    # Of a job that there is the history keeps some.
    assert {run.get("phase") for name, run in runs(kube).items() if name != "endless"} == {
        "Skipped"
    }


def test_the_data_of_one_event_is_read_at_a_time() -> None:
    kube = flooded(*(send(number) for number in range(10, 50)))
    asked = asyncio.run(passes(kube))
    assert max(each["get run"] for each in asked) <= 1
    assert sum(each["create batchjob"] for each in asked) == 40


def test_an_event_under_a_name_that_is_not_its_own_is_refused_unread() -> None:
    kube = flooded(*(send(number, f"other-{number}") for number in range(10, 50)))
    asked = asyncio.run(passes(kube))
    assert sum(each["get run"] for each in asked) == 0
    assert {runs(kube)[f"other-{number}"]["reason"] for number in range(10, 50)} == {"EventName"}


def test_what_is_withdrawn_during_a_flood_ends_in_the_next_pass() -> None:
    kube = flooded(*(start("slow", f"more-{number}") for number in range(MANY)))

    async def withdrawn() -> list[Counter[str]]:
        api, found = Counting(kube), []
        operator = Operator(api, kube.server)
        await operator.start()
        for number in range(6):
            if number == 2:
                forget_approvals(kube)
            operator.deliver()
            api.asked.clear()
            await operator.work()
            found.append(Counter(api.asked))
        return found

    asked = asyncio.run(withdrawn())
    # Two jobs take turns: each is looked at once more before the third pass of the first.
    assert sum(each["patch batchjob"] for each in asked) == 1
    (job,) = [body for body in kube.server.all("batchjob") if body["metadata"]["name"] == "endless"]
    assert job["spec"]["suspend"] is True
    assert sum(sum(each.values()) for each in asked) < 6 * ENOUGH
    assert job["metadata"]["namespace"] == NS


def test_a_quota_that_blocks_many_runs_delays_no_records_or_answers() -> None:
    """They are older than what is answered, and are tried again in every pass."""
    names = [f"more-{number:03}" for number in range(MANY)]
    kube = flooded(*(start("orders", name) for name in names))
    # One of the youngest is cancelled, and the other job's run, which is older, ends.
    cancel(names[-1])(kube)

    class Full(Counting):
        async def write(self, namespace: str, write: Write) -> Json:
            if (write.verb, write.kind) == ("create", "batchjob"):
                raise Refused("403: exceeded quota", 403)
            return await super().write(namespace, write)

    async def tried() -> None:
        operator = Operator(Full(kube), kube.server)
        await operator.start()
        for _ in range(10):
            operator.deliver()
            await operator.work()
            kube.server.now += timedelta(seconds=2)

    asyncio.run(tried())
    assert runs(kube)[names[-1]]["reason"] == "CancelledBeforeStart"
    assert {runs(kube)[name].get("phase") for name in names[:-1]} <= {None, "Pending"}


def test_an_event_that_is_gone_holds_back_no_other() -> None:
    """Its deletion was never told."""
    kube = flooded(send(10), send(11))
    first, second = sorted((name_of(10), name_of(11)))

    async def tried() -> None:
        operator = Operator(kube.server, kube.server)
        await operator.start()
        kube.server.remove(("run", NS, first))
        operator.deliver(deaf=frozenset({"run"}))
        for _ in range(8):
            await operator.work()
            kube.server.now += timedelta(seconds=1)

    asyncio.run(tried())
    assert [
        job["metadata"]["name"]
        for job in kube.server.all("batchjob")
        if job["metadata"]["name"] != "endless"
    ] == [second]

"""Killed at any write, refused, not answered, overtaken by a second leader, told late: nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError
from agentjobs.core.plan import Write
from agentjobs.operator.watch import RESOURCES
from agentjobs.testing.operators import Operator
from agentjobs.testing.simulation import Kubernetes
from tests.unit import (
    lives,
    lives_of_chains,
    lives_of_deletions,
    lives_of_events,
    lives_of_packages,
    lives_of_schedules,
    lives_of_sources,
    lives_of_starts,
)
from tests.unit.lives import Step, new_cluster
from tests.unit.lives_of_starts import CANCELLED_LATE, cancel_what_runs

A_WHILE: Final = timedelta(seconds=90)
LATE: Final = timedelta(seconds=10)
"""Later than 15 s the log of a run that is ended from outside may be gone."""
MANY_TURNS: Final = 1000
LIVES: Final = (
    lives.LIVES
    | lives_of_chains.LIVES
    | lives_of_deletions.LIVES
    | lives_of_events.LIVES
    | lives_of_packages.LIVES
    | lives_of_schedules.LIVES
    | lives_of_starts.LIVES
    | lives_of_sources.LIVES
)
each_life = pytest.mark.parametrize("life", LIVES.values(), ids=LIVES.keys())


class Killed(BaseException):
    """The operator's process is gone, for so long."""

    def __init__(self, downtime: timedelta = timedelta(0)) -> None:
        self.downtime = downtime


@dataclass
class World:
    """A cluster, its operators, and how far the life of a job has come."""

    kube: Kubernetes
    life: tuple[Step, ...]
    position: int = -1
    operators: list[Operator] = field(default_factory=list)

    def copy(self) -> World:
        """The same, from here on apart, and without operators."""
        return replace(self, kube=self.kube.copy(), operators=[])

    async def add_operator(self, api: Any = None) -> Operator:
        operator = Operator(api or self.kube.server, self.kube.server)
        await operator.start()
        self.operators.append(operator)
        return operator

    def act(self) -> bool:
        """The next step, as far as users do it; whether there was one."""
        if self.position + 1 == len(self.life):
            return False
        self.position += 1
        self.kube.server.now += timedelta(seconds=1)
        for act in self.life[self.position].acts:
            act(self.kube)
        return True

    async def rest(self, *operators: Operator, deaf: frozenset[str] = frozenset(), during: timedelta = A_WHILE) -> None:
        """Until nothing is left to do for a while. Without operators: by all there are."""
        end = self.kube.server.now + during
        for _ in range(MANY_TURNS):
            if not await self.turn(*operators, deaf=deaf):
                due = min((due for due in (self.kube.next_due(), *(o.next_due() for o in operators or self.operators)) if due), default=end)
                if due >= end:
                    return
                self.kube.server.now = max(due, self.kube.server.now)
        raise AssertionError("it does not come to rest")

    async def turn(self, *operators: Operator, deaf: frozenset[str] = frozenset()) -> bool:
        """Everybody does one thing; whether anybody did. Without operators: all there are."""
        busy = self.kube.step()
        for operator in operators or tuple(self.operators):
            busy |= await self._work(operator, deaf)
        return busy

    async def _work(self, operator: Operator, deaf: frozenset[str]) -> bool:
        operator.hear(deaf=deaf)
        try:
            return await operator.work()
        except Killed as killed:
            self.operators.remove(operator)
            self.pass_time(killed.downtime)
            await self.add_operator()
            return True

    def pass_time(self, duration: timedelta) -> None:
        """Nobody operates."""
        end = self.kube.server.now + duration
        while self.kube.server.now < end:
            while self.kube.step():
                pass
            self.kube.server.now = max(min(self.kube.next_due() or end, end), self.kube.server.now)

    async def check(self) -> None:
        """What the step promises; and that an operator which starts now finds nothing to write."""
        self.life[self.position].check(self.kube)
        version = self.kube.server.version
        fresh = Operator(self.kube.server, self.kube.server)
        await fresh.start()
        while await fresh.work():
            pass
        assert self.kube.server.version == version, self.kube.server.changes[-1]


Strike = Callable[[World, Callable[[], Json]], Awaitable[Json]]
"""What happens to one write; the second argument carries it out."""


class Struck:
    """The API server as an operator reaches it to whose n-th write something happens."""

    def __init__(self, world: World, number: int, strike: Strike) -> None:
        self._world = world
        self._number = number
        self._strike = strike
        self.happened = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.kube.server, name)

    async def write(self, namespace: str, write: Write) -> Json:
        self._number -= 1
        if self._number != -1:
            return self._world.kube.server.put(namespace, write)
        self.happened = True
        return await self._strike(self._world, lambda: self._world.kube.server.put(namespace, write))


async def killed_before(_world: World, _put: Callable[[], Json]) -> Json:
    raise Killed


async def killed_after(_world: World, put: Callable[[], Json]) -> Json:
    put()
    raise Killed


async def killed_for_a_while(_world: World, put: Callable[[], Json]) -> Json:
    put()
    raise Killed(LATE)


async def refused(_world: World, _put: Callable[[], Json]) -> Json:
    raise ClusterError("500: try again later", 500)


async def not_answered(_world: World, put: Callable[[], Json]) -> Json:
    put()
    raise ClusterError("no answer")


async def overtaken(world: World, put: Callable[[], Json]) -> Json:
    """A second operator leads while this one hangs, and finishes what there is."""
    await world.rest(await world.add_operator())
    return put()


async def overtaken_for_long(world: World, put: Callable[[], Json]) -> Json:
    """The same, and the job's life goes on meanwhile."""
    second = await world.add_operator()
    await world.rest(second)
    await world.check()
    if world.act():
        await world.rest(second)
    return put()


async def strike_every_write(life: tuple[Step, ...], strike: Strike) -> int:
    """Each write of each step once; returns how many there were."""
    steady, count = World(new_cluster(), life), 0
    while steady.position + 1 < len(life):
        for number in itertools.count():
            world = steady.copy()
            api = Struck(world, number, strike)
            await world.add_operator(api)
            world.act()
            await world.rest()
            await world.check()
            if not api.happened:
                break
            count += 1
        steady.operators = []
        await steady.add_operator()
        steady.act()
        await steady.rest()
    return count


async def cancelled_before(world: World, put: Callable[[], Json]) -> Json:
    cancel_what_runs(world.kube)
    return put()


async def cancelled_after(world: World, put: Callable[[], Json]) -> Json:
    done = put()
    cancel_what_runs(world.kube)
    return done


async def cancelled_while_nobody_looks(world: World, put: Callable[[], Json]) -> Json:
    put()
    cancel_what_runs(world.kube)
    raise Killed(LATE)


STRIKES: Final = (killed_before, killed_after, killed_for_a_while, refused, not_answered, overtaken, overtaken_for_long)


@each_life
@pytest.mark.parametrize("strike", STRIKES, ids=lambda strike: strike.__name__)
def test_whatever_happens_at_any_write_nothing_is_lost_and_nothing_is_done_twice(life: tuple[Step, ...], strike: Strike) -> None:
    assert asyncio.run(strike_every_write(life, strike)) > 10


@pytest.mark.parametrize("strike", [cancelled_before, cancelled_after, cancelled_while_nobody_looks], ids=lambda strike: strike.__name__)
def test_a_run_that_is_cancelled_at_any_moment_ends_and_keeps_what_it_printed(strike: Strike) -> None:
    assert asyncio.run(strike_every_write(CANCELLED_LATE, strike)) > 10


async def hear_late(life: tuple[Step, ...], kinds: frozenset[str]) -> None:
    """At each step these streams say nothing until everything else has come to rest."""
    world = World(new_cluster(), life)
    await world.add_operator()
    while world.act():
        await world.rest(deaf=kinds, during=LATE)
        await world.rest()
        await world.check()


STREAMS: Final = (*(frozenset({kind}) for kind in RESOURCES), frozenset(RESOURCES))


@each_life
@pytest.mark.parametrize("kinds", STREAMS, ids="-".join)
def test_late_watch_events_lose_nothing_and_repeat_nothing(life: tuple[Step, ...], kinds: frozenset[str]) -> None:
    asyncio.run(hear_late(life, kinds))

"""An operator that is killed before or after any of its writes."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from agentjobs.cluster.client import Json
from agentjobs.core.plan import Write
from agentjobs.testing.operators import Operator
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives import (
    chains,
    deletions,
    events,
    jobs,
    packages,
    schedules,
    sources,
    starts,
)
from tests.support.lives.steps import Step, new_cluster

A_WHILE: Final = timedelta(seconds=90)
LATE: Final = timedelta(seconds=10)
"""Later than 15 s the log of a run that is ended from outside may be gone."""
MANY_TURNS: Final = 1000
LIVES: Final = (
    jobs.LIVES
    | chains.LIVES
    | deletions.LIVES
    | events.LIVES
    | packages.LIVES
    | schedules.LIVES
    | starts.LIVES
    | sources.LIVES
)


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

    async def rest(
        self, *operators: Operator, deaf: frozenset[str] = frozenset(), during: timedelta = A_WHILE
    ) -> None:
        """Until nothing is left to do for a while. Without operators: by all there are."""
        end = self.kube.server.now + during
        for _ in range(MANY_TURNS):
            if not await self.turn(*operators, deaf=deaf):
                due = min(
                    (
                        due
                        for due in (
                            self.kube.next_due(),
                            *(o.next_due() for o in operators or self.operators),
                        )
                        if due
                    ),
                    default=end,
                )
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
        operator.deliver(deaf=deaf)
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
        return await self._strike(
            self._world, lambda: self._world.kube.server.put(namespace, write)
        )


async def killed_before(_world: World, _put: Callable[[], Json]) -> Json:
    raise Killed


async def killed_after(_world: World, put: Callable[[], Json]) -> Json:
    put()
    raise Killed


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


async def hear_late(life: tuple[Step, ...], kinds: frozenset[str]) -> None:
    """At each step these streams say nothing until everything else has come to rest."""
    world = World(new_cluster(), life)
    await world.add_operator()
    while world.act():
        await world.rest(deaf=kinds, during=LATE)
        await world.rest()
        await world.check()

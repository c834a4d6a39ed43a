"""Nothing is lost and nothing is done twice, whatever happens to the operator.

It is killed at any write, refused, not answered, overtaken by a second leader, told late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError
from agentjobs.operator.watch import RESOURCES
from tests.support.lives.crashes import (
    LATE,
    LIVES,
    Killed,
    Strike,
    World,
    hear_late,
    killed_after,
    killed_before,
    strike_every_write,
)
from tests.support.lives.starts import CANCELLED_LATE, cancel_what_runs
from tests.support.lives.steps import Step
from tests.support.slow import slow_but

each_life = pytest.mark.parametrize("life", slow_but(("once",), LIVES))


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


STRIKES: Final = (
    killed_before,
    killed_after,
    killed_for_a_while,
    refused,
    not_answered,
    overtaken,
    overtaken_for_long,
)


@each_life
@pytest.mark.parametrize(
    "strike",
    slow_but((killed_before, overtaken), STRIKES),
    ids=lambda strike: strike.__name__,
)
def test_nothing_is_lost_or_done_twice_whatever_happens_at_any_write(
    life: tuple[Step, ...], strike: Strike
) -> None:
    assert asyncio.run(strike_every_write(life, strike)) > 10


@pytest.mark.parametrize(
    "strike",
    slow_but((cancelled_after,), (cancelled_before, cancelled_after, cancelled_while_nobody_looks)),
    ids=lambda strike: strike.__name__,
)
def test_a_run_cancelled_at_any_moment_ends_and_keeps_its_output(strike: Strike) -> None:
    assert asyncio.run(strike_every_write(CANCELLED_LATE, strike)) > 10


STREAMS: Final = (*(frozenset({kind}) for kind in RESOURCES), frozenset(RESOURCES))


@each_life
@pytest.mark.parametrize("kinds", STREAMS, ids=lambda kinds: "-".join(sorted(kinds)))
def test_late_watch_events_lose_nothing_and_repeat_nothing(
    life: tuple[Step, ...], kinds: frozenset[str]
) -> None:
    asyncio.run(hear_late(life, kinds))

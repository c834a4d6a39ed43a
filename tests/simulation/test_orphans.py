"""Garbage collection takes the owner off an orphan's things in any order and at any pace."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Final

import pytest

from tests.support.lives.crashes import World, hear_late
from tests.support.lives.deletions import (
    forget_approvals,
    has_begun,
    is_recorded,
    let_go,
    marked_as_orphaning,
    nothing_is_left,
    orphan,
    taken_off,
)
from tests.support.lives.jobs import is_in_force
from tests.support.lives.starts import cancel_what_runs
from tests.support.lives.steps import Act, Step, apply, decide, new_cluster, nothing, start, step
from tests.support.slow import slow_but

ORDERS: Final = tuple(permutations(("run", "cronjob", "revision")))
MOMENTS: Final = range(5)


def life(order: tuple[str, ...], moment: int) -> tuple[Step, ...]:
    """Of a job whose run is cancelled between two moves of the collector."""
    moves: list[Act] = [
        marked_as_orphaning("slow"),
        *(taken_off("slow", kind) for kind in order),
        let_go("slow"),
    ]
    before, after = moves[: moment + 1], moves[moment + 1 :]
    return (
        step(nothing, apply("slow", "long")),
        step(has_begun, decide("slow"), start("slow", "endless")),
        *(step(has_begun, move) for move in before),
        step(nothing, cancel_what_runs),
        *(step(nothing, move) for move in after),
        step(lambda kube: is_recorded(kube, "Cancelled", "CancelledByUser"), nothing),
    )


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("order", slow_but(ORDERS[:1], ORDERS), ids="-".join)
def test_a_run_that_is_cancelled_while_its_job_is_orphaned_says_so(
    order: tuple[str, ...], moment: int
) -> None:
    asyncio.run(hear_late(life(order, moment), frozenset()))


def test_leftovers_of_a_job_orphaned_in_a_downtime_start_nothing_and_go() -> None:
    """Before its next start, and although not even an approval names it any more."""

    async def lived() -> None:
        life = (
            step(nothing, apply("report", "ok", schedule={"cron": "0 8 * * *"})),
            step(is_in_force, decide("report")),
            step(nothing_is_left, orphan("report"), forget_approvals),
        )
        world = World(new_cluster(), life)
        await world.add_operator()
        for _ in range(2):
            world.act()
            await world.rest()
        world.operators.clear()
        world.act()
        await world.add_operator()
        await world.rest()
        await world.check()

    asyncio.run(lived())

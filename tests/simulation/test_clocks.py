"""With clocks of operator and node up to 30 s off the API server's, nothing is lost or made up."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.cluster.clock import Clock
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs.outcome import Ending, record
from agentjobs.testing.operators import Operator
from agentjobs.testing.simulation import Kubernetes
from tests.support.endings import JOB, MADE, RUN, RUNNING_POD, TERMINATED
from tests.support.lives.crashes import LIVES, World
from tests.support.lives.steps import (
    EIGHT,
    MONDAY,
    SCHEDULED_RUN,
    Step,
    apply,
    decide,
    ended,
    new_cluster,
    nothing,
    runs,
    step,
)
from tests.support.slow import slow_but

MOST: Final = 30
FLUSH: Final = timedelta(seconds=2.5)
"""The last words of each container reach its log that late."""
CORNERS: Final = [(operator, node) for operator in (-MOST, 0, MOST) for node in (-MOST, 0, MOST)]


async def live(
    life: tuple[Step, ...], operator: float, node: float, *, halted: bool = False
) -> Kubernetes:
    """Each step's promises hold. Seconds by which a clock is ahead of the API server's."""
    world = World(new_cluster(), life)
    world.kube.node_ahead, world.kube.flush, world.kube.halted = (
        timedelta(seconds=node),
        FLUSH,
        halted,
    )
    one = Operator(world.kube.server, world.kube.server, timedelta(seconds=operator))
    await one.start()
    world.operators.append(one)
    while world.act():
        await world.rest()
        await world.check()
    return world.kube


def skews(name: str) -> list[tuple[float, float]]:
    """One corner, and one anywhere; both for ever the same for a life."""
    chosen = random.Random(name)
    return [
        chosen.choice(CORNERS[:4] + CORNERS[5:]),
        (chosen.uniform(-MOST, MOST), chosen.uniform(-MOST, MOST)),
    ]


@pytest.mark.parametrize("name", slow_but(("stopped", "once"), list(LIVES)))
def test_every_life_is_the_same_whatever_the_clocks_say(name: str) -> None:
    for operator, node in skews(name):
        asyncio.run(live(LIVES[name], operator, node))


def _ran(kube: Kubernetes) -> None:
    ended(kube, SCHEDULED_RUN, "Succeeded", "Completed", "done\n")


def _is_missed(kube: Kubernetes) -> None:
    ended(kube, SCHEDULED_RUN, "Missed", "NotStartedInTime", started=0)
    noted = datetime.fromisoformat(runs(kube)[SCHEDULED_RUN]["finishedAt"])
    assert abs(noted - (EIGHT + timedelta(seconds=20))) <= timedelta(seconds=1), (
        "10 s after its deadline"
    )


def wait_until(moment: datetime) -> Any:
    def act(kube: Kubernetes) -> None:
        kube.server.now = moment

    return act


SHORT: Final = {
    "schedule": {"cron": "0 8 * * *", "timeZone": "Etc/UTC", "startingDeadlineSeconds": 10}
}
BEFORE: Final = (step(nothing, apply("report", "ok", **SHORT)), step(nothing, decide("report")))


@pytest.mark.parametrize(("operator", "node"), slow_but(CORNERS[::4], CORNERS, several=True))
def test_a_start_with_a_short_deadline_runs_and_is_read_to_the_end(
    operator: int, node: int
) -> None:
    asyncio.run(
        live((*BEFORE, step(_ran, wait_until(EIGHT - timedelta(seconds=45)))), operator, node)
    )


@pytest.mark.parametrize("operator", [-MOST, 0, MOST])
def test_a_start_not_made_in_time_is_missed_by_the_servers_clock(operator: int) -> None:
    life = (*BEFORE, step(_is_missed, wait_until(EIGHT + timedelta(seconds=10))))
    asyncio.run(live(life, operator, 0, halted=True))


SECONDS = st.floats(-MOST, MOST, allow_nan=False)


@given(
    behind=SECONDS,
    within=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_the_clock_is_right_within_a_second_and_never_gets_worse(
    behind: float, within: list[tuple[float, float]]
) -> None:
    """within: how long each answer took, and after which part of that the server named its time."""
    server = MONDAY
    clock = Clock(lambda: server - timedelta(seconds=behind))
    for took, part in within:
        sent, named = clock.own(), server + timedelta(seconds=took * part)
        server += timedelta(seconds=took)
        clock.hear(format_datetime(named.replace(microsecond=0), usegmt=True), sent)
        assert abs(clock.now() - server) <= timedelta(seconds=1 + took)
    clock.hear(format_datetime(server.replace(microsecond=0), usegmt=True), clock.own())
    assert abs(clock.now() - server) <= timedelta(seconds=1)


@pytest.mark.parametrize(
    "date",
    [None, "", "yesterday", "Mon, 02 Mar 10000 07:50:00 GMT", "Mon, 31 Feb 2026 07:50:00 GMT"],
)
def test_an_answer_without_a_time_changes_nothing(date: str | None) -> None:
    clock = Clock(lambda: MONDAY)
    clock.hear(date, MONDAY)
    assert clock.now() == MONDAY


def test_a_clock_that_agrees_is_left_as_it_is() -> None:
    now = datetime(2026, 3, 2, 7, 50, 0, 999_999, tzinfo=UTC)
    clock = Clock(lambda: now)
    clock.hear("Mon, 02 Mar 2026 07:50:00 GMT", now)
    assert clock.now() == now


@settings(deadline=None)
@given(node=SECONDS, lasted=st.integers(0, 600))
def test_deadlines_and_record_times_follow_the_control_planes_clock(
    node: float, lasted: int
) -> None:
    ahead, begun = timedelta(seconds=node), MADE + timedelta(seconds=2)
    over = begun + timedelta(seconds=lasted)
    envelope = replace(TERMINATED, started_at=begun + ahead, finished_at=over + ahead)
    for due, reason in ((over, "DeadlineExceeded"), (over + timedelta(seconds=5), "PodDeleted")):
        pod = replace(RUNNING_POD, deletion=over + timedelta(seconds=30), told_to_end=over)
        found = record(
            Ending(RUN, replace(JOB, due=due), pod, Evidence(envelope)),
            None,
            "image",
            over + timedelta(seconds=3),
        )
        assert found.reason == reason
        times = [
            datetime.fromisoformat(str(moment)) for moment in (found.started_at, found.finished_at)
        ]
        assert MADE <= times[0] <= times[1] <= over + timedelta(seconds=3)
        assert abs((times[1] - times[0]).total_seconds() - lasted) <= 3

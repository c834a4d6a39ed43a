"""A single start, from its approval to long after: at its minute and never again, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.timestamps import to_wire
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.crashes import World
from tests.support.lives.steps import (
    NS,
    Act,
    apply,
    at_rest,
    decide,
    new_cluster,
    runs,
    status,
    step,
)

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
LONG: Final = timedelta(days=800)
"""LONG: a cron expression for one minute of a year comes round twice."""
NEVER: Final = ("0 0 1 1 *", True)


@dataclass
class Single:
    """A job with a single start, in a simulated cluster whose clock the test moves."""

    world: World

    @classmethod
    async def approved(
        cls, now: datetime, run_at: str, zone: str = "Etc/UTC", **schedule: Any
    ) -> Single:
        kube = new_cluster()
        kube.server.now = now
        single = cls(World(kube, ()))
        await single.world.add_operator()
        await single.then(
            apply(
                "single", "ok", schedule={"once": {"runAt": run_at}, "timeZone": zone, **schedule}
            )
        )
        await single.then(decide("single"))
        return single

    @property
    def kube(self) -> Kubernetes:
        return self.world.kube

    async def then(self, act: Act, during: timedelta = timedelta(0)) -> None:
        self.world.life = (*self.world.life, step(at_rest, act))
        assert self.world.act()
        await self.world.rest(during=during)

    async def until(self, moment: datetime) -> None:
        await self.world.rest(during=moment - self.kube.server.now)
        self.kube.server.now = moment
        await self.world.rest(during=timedelta(0))

    @property
    def armed(self) -> tuple[str, bool]:
        """What the CronJob says, and whether it is suspended."""
        spec = self.kube.server.objects["cronjob", NS, "single"]["spec"]
        assert spec["timeZone"] == "Etc/UTC" or spec["suspend"]
        return spec["schedule"], spec["suspend"]

    @property
    def status(self) -> Json:
        return status(self.kube, "single")

    @property
    def condition(self) -> tuple[str, str]:
        found: dict[str, Any] = next(
            c for c in self.status["conditions"] if c["type"] == "Scheduled"
        )
        return found["status"], found["reason"]


def spec(suspend: bool) -> Act:
    def act(kube: Kubernetes) -> None:
        kube.server.patch(("job", NS, "single"), spec={"suspend": suspend})

    return act


def name(start: datetime) -> str:
    return f"single-{int(start.timestamp()) // 60}"


def fired_once(single: Single, start: datetime) -> None:
    """At its minute, and for good."""
    at_rest(single.kube)
    record = runs(single.kube)[name(start)]
    assert (list(runs(single.kube)), record["phase"], single.kube.started.total()) == (
        [name(start)],
        "Succeeded",
        1,
    )
    assert start <= datetime.fromisoformat(record["startedAt"]) < start + MINUTE
    assert (single.status["phase"], single.status["runCount"], "nextRunAt" in single.status) == (
        "Triggered",
        1,
        False,
    )
    assert (single.armed, single.condition) == (NEVER, ("False", "Past"))


@pytest.mark.parametrize(
    ("now", "run_at", "zone", "start", "armed"),
    [
        pytest.param(
            "2026-03-01T21:59:00Z",
            "2026-03-02T08:00:00",
            "Etc/UTC",
            "2026-03-02T08:00:00Z",
            "0 8 2 3 *",
            id="tomorrow",
        ),
        pytest.param(
            "2026-12-20T10:00:00Z",
            "2027-01-01T00:30:00",
            "Etc/UTC",
            "2027-01-01T00:30:00Z",
            "30 0 1 1 *",
            id="next-year",
        ),
        pytest.param(
            "2026-12-20T10:00:00Z",
            "2027-01-01T00:30:00",
            "Pacific/Auckland",
            "2026-12-31T11:30:00Z",
            "30 11 31 12 *",
            id="still-this-year",
        ),
        pytest.param(
            "2026-12-20T10:00:00Z",
            "2026-12-31T23:30:00",
            "America/New_York",
            "2027-01-01T04:30:00Z",
            "30 4 1 1 *",
            id="already-next-year",
        ),
    ],
)
def test_it_comes_at_its_minute_and_never_again(
    now: str, run_at: str, zone: str, start: str, armed: str
) -> None:
    async def live() -> None:
        due = datetime.fromisoformat(start)
        single = await Single.approved(datetime.fromisoformat(now), run_at, zone)
        assert (single.armed, single.status["nextRunAt"], single.condition) == (
            (armed, False),
            start,
            ("True", "Scheduled"),
        )
        await single.until(due - MINUTE / 60)
        assert (runs(single.kube), single.status["phase"]) == ({}, "Scheduled")
        await single.until(due + 5 * MINUTE)
        fired_once(single, due)
        await single.until(due + LONG)
        fired_once(single, due)

    asyncio.run(live())


@pytest.mark.parametrize("ago", [MINUTE, DAY, 364 * DAY])
def test_one_that_was_past_before_its_approval_never_comes_and_says_so(ago: timedelta) -> None:
    async def live() -> None:
        now = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
        single = await Single.approved(now, to_wire(now - ago))
        for _ in range(2):
            assert (single.armed, single.condition, "nextRunAt" in single.status) == (
                NEVER,
                ("False", "Past"),
                False,
            )
            assert (runs(single.kube), single.status["phase"], single.kube.started.total()) == (
                {},
                "Idle",
                0,
            )
            await single.until(now + LONG)

    asyncio.run(live())


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-02-10T12:00:00Z", "2026-04-20T09:15:00Z"),
        ("2025-12-31T23:00:00Z", "2027-01-01T00:30:00Z"),
    ],
    ids=["two-months", "the-same-minute-comes-a-year-before"],
)
def test_one_that_is_far_away_is_armed_less_than_thirty_days_before(now: str, start: str) -> None:
    async def live() -> None:
        due = datetime.fromisoformat(start)
        single = await Single.approved(datetime.fromisoformat(now), start)
        for moment in (datetime.fromisoformat(now) + DAY, due - 30 * DAY - MINUTE, due - 30 * DAY):
            await single.until(moment)
            assert (single.armed, single.status["nextRunAt"], single.condition) == (
                NEVER,
                start,
                ("True", "Scheduled"),
            )
        await single.until(due - 30 * DAY + MINUTE)
        assert single.armed == (f"{due:%-M %-H %-d %-m} *", False)
        assert runs(single.kube) == {}
        await single.until(due + LONG)
        fired_once(single, due)

    asyncio.run(live())


def test_one_suspended_over_its_minute_is_one_record_and_never_comes() -> None:
    async def live() -> None:
        due = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
        single = await Single.approved(due - DAY, to_wire(due))
        await single.then(spec(suspend=True))
        assert (single.armed, single.condition, single.status["phase"]) == (
            NEVER,
            ("False", "Suspended"),
            "Paused",
        )
        await single.until(due + LONG)
        for _ in range(2):
            assert {
                run: (record["phase"], record["reason"])
                for run, record in runs(single.kube).items()
            } == {name(due): ("Skipped", "Paused")}
            assert (single.kube.started.total(), single.armed, "nextRunAt" in single.status) == (
                0,
                NEVER,
                False,
            )
            assert single.status["missedSince"] == to_wire(due)
            await single.then(spec(suspend=False), LONG)
        assert (single.condition, single.status["phase"]) == (("False", "Past"), "Idle")

    asyncio.run(live())


def test_one_that_is_missed_is_one_record_and_the_job_goes_on_saying_so() -> None:
    async def live() -> None:
        due = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        single = await Single.approved(due - DAY, to_wire(due), startingDeadlineSeconds=10)
        single.kube.halted = True
        await single.until(due + MINUTE)
        single.kube.halted = False
        for _ in range(2):
            (run, record), *rest = runs(single.kube).items()
            assert (run, record["phase"], record["reason"], rest) == (
                name(due),
                "Missed",
                "NotStartedInTime",
                [],
            )
            assert (single.armed, single.condition, single.kube.started.total()) == (
                NEVER,
                ("False", "Past"),
                0,
            )
            assert (single.status["missedSince"], single.status["phase"]) == (to_wire(due), "Idle")
            await single.until(due + LONG)

    asyncio.run(live())


def test_one_that_is_suspended_and_resumed_before_its_minute_comes() -> None:
    async def live() -> None:
        due = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        single = await Single.approved(due - DAY, to_wire(due))
        await single.then(spec(suspend=True))
        await single.until(due - MINUTE)
        await single.then(spec(suspend=False))
        assert single.armed == ("0 8 2 3 *", False)
        await single.until(due + LONG)
        fired_once(single, due)

    asyncio.run(live())

"""A run that is deleted and made again under its name is another run.

It has a Job of its own, and its record reports nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from agentjobs.api import names
from agentjobs.cluster.client import Json
from agentjobs.core.views.run import FINAL_PHASES
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.crashes import LATE, Killed, World, hear_late, strike_every_write
from tests.support.lives.deletions import has_begun
from tests.support.lives.events import TRIGGERS, name_of, send
from tests.support.lives.starts import cancel
from tests.support.lives.steps import NS, Step, apply, decide, delete, nothing, runs, start, step

FIRST: Final = {"type": "sold", "data": "first"}
SECOND: Final = {"type": "sold", "data": "second"}


def is_another(kube: Kubernetes) -> None:
    has_begun(kube)
    (run,) = kube.server.all("run")
    (job,) = kube.server.all("batchjob")
    assert job["metadata"]["annotations"][names.RUN_UID_ANNOTATION] == run["metadata"]["uid"]
    assert run["metadata"]["annotations"][names.STARTED_AS_ANNOTATION] == job["metadata"]["uid"]


def was_cancelled(kube: Kubernetes) -> None:
    record = runs(kube)["endless"]
    assert (record["phase"], record["reason"], record["stdout"]) == (
        "Cancelled",
        "CancelledByUser",
        "begun\n",
    )
    assert kube.server.all("batchjob") == kube.server.all("pod") == []


@pytest.mark.parametrize(
    "late",
    [frozenset(), frozenset({"run"}), frozenset({"batchjob"}), frozenset({"pod"})],
    ids="-".join,
)
def test_a_run_that_is_made_anew_while_it_goes_on_starts_anew(late: frozenset[str]) -> None:
    life = (
        step(nothing, apply("slow", "long")),
        step(has_begun, decide("slow"), start("slow", "endless")),
        step(is_another, delete("run", "endless"), start("slow", "endless")),
        step(was_cancelled, cancel("endless")),
    )
    asyncio.run(hear_late(life, late))


def tells_of_its_own_event(kube: Kubernetes) -> None:
    """Whatever was made anew when: the pod that the record names got the event that the run has."""
    (run,) = kube.server.all("run")
    assert run["status"]["phase"] in FINAL_PHASES
    changes = [
        change.after for change in kube.server.changes if change.kind == "pod" and change.after
    ]
    got = {
        pod["metadata"]["name"]: json.loads(pod["metadata"]["annotations"][names.EVENT_ANNOTATION])[
            "data"
        ]
        for pod in changes
    }
    assert run["status"]["phase"] == "Succeeded", run["status"]
    assert got[run["status"]["podName"]] == run["spec"]["trigger"]["event"]["data"]


def made_anew(world: World) -> None:
    row = ("run", NS, name_of(1))
    run = world.kube.server.objects.get(row)
    if (
        run
        and run["spec"]["trigger"]["event"]["data"] == "first"
        and run.get("status", {}).get("phase") not in FINAL_PHASES
    ):
        world.kube.server.remove(row)
        send(1, **SECOND)(world.kube)


async def before(world: World, put: Callable[[], Json]) -> Json:
    made_anew(world)
    return put()


async def after(world: World, put: Callable[[], Json]) -> Json:
    done = put()
    made_anew(world)
    return done


async def while_nobody_looks(world: World, put: Callable[[], Json]) -> Json:
    put()
    made_anew(world)
    raise Killed(LATE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "strike", [before, after, while_nobody_looks], ids=lambda strike: strike.__name__
)
def test_a_record_tells_of_the_event_that_its_run_has(
    strike: Callable[[World, Callable[[], Json]], Awaitable[Json]],
) -> None:
    life: tuple[Step, ...] = (
        step(nothing, apply("orders", "ok", triggers=TRIGGERS)),
        step(nothing, decide("orders")),
        step(tells_of_its_own_event, send(1, **FIRST)),
    )
    assert asyncio.run(strike_every_write(life, strike)) > 10

"""A foreign object with a name that we need is reported, and never taken for ours."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from agentjobs.api.event import Event
from agentjobs.core import naming
from agentjobs.testing.simulation import Kubernetes
from tests.support import manifests as written
from tests.support.lives import steps
from tests.support.lives.crashes import World
from tests.support.lives.steps import NS, nothing, step
from tests.support.lives.upgrades import an_hour_later, live


def config_map(kube: Kubernetes) -> None:
    digest = steps.status(kube, "report")["card"]["digest"]
    kube.server.create("revision", NS, {"metadata": {"name": f"report-{digest}"}, "data": {}})


def is_told_of(kube: Kubernetes) -> None:
    ready = next(
        condition
        for condition in steps.status(kube, "report")["conditions"]
        if condition["type"] == "Ready"
    )
    assert (ready["status"], ready["reason"]) == ("False", "NameTaken")
    assert ready["message"].startswith("a ConfigMap named report-")
    assert kube.server.all("cronjob") == []
    assert steps.runs(kube)["early"]["reason"] == "NameTaken"


def free(kube: Kubernetes) -> None:
    (row,) = (row for row in kube.server.objects if row[0] == "revision")
    kube.server.remove(row)


def test_a_squatted_revision_is_reported_and_holds_the_job_until_gone() -> None:
    kube = live(
        step(nothing, steps.apply("report", "ok")),
        step(is_told_of, config_map, steps.decide("report"), steps.start("report", "early")),
        step(nothing, free),
        step(nothing, steps.start("report", "late")),
    )
    steps.ended(kube, "late", "Succeeded", "Completed", "done\n")


def test_a_squatted_revision_of_a_change_holds_the_job_and_denials_work() -> None:
    """The new content is what was approved last; the older one does not go on in its place."""

    def is_held(kube: Kubernetes) -> None:
        assert kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]

    def squat(kube: Kubernetes) -> None:
        config_map(kube)
        steps.decide("report")(kube)

    kube = live(
        step(nothing, steps.apply("report", "ok", schedule={"cron": "0 8 * * *"})),
        step(nothing, steps.decide("report")),
        step(nothing, steps.rewrite("report", "other")),
        step(is_held, squat),
        step(nothing, steps.eight_o_clock),
        step(
            nothing, steps.decide("report", "Denied"), steps.delete("approval", "report-approved")
        ),
    )
    assert (kube.server.all("cronjob"), kube.started) == ([], {})


FOLLOWS: Final = [{"after": {"job": "first", "on": "Succeeded"}}]


def squatted(kube: Kubernetes, count: int) -> None:
    """Anyone who sees the upstream run's uid can compute the names; here no policy refuses them."""
    (run,) = (run for run in kube.server.all("run") if run["metadata"]["name"] == "go")
    event = Event(id=run["metadata"]["uid"], source=f"/namespaces/{NS}/agentjobruns/go", type="any")
    numbered = naming.runs_of_chain("second", event)
    for _ in range(count):
        squatter = written.run(
            next(numbered),
            "second",
            trigger={"type": "Event", "event": {"id": "1", "source": "/eve", "type": "x"}},
        )
        kube.server.create("run", NS, squatter)


@pytest.mark.parametrize("count", [1, 3])
def test_a_chain_goes_on_under_another_name_where_its_own_is_taken(count: int) -> None:
    async def through() -> Kubernetes:
        kube = steps.new_cluster()
        world = World(kube, ())
        await world.add_operator()
        steps.apply("first", "ok")(kube)
        steps.apply("second", "other", triggers=FOLLOWS)(kube)
        await world.rest()
        steps.decide("first")(kube)
        steps.decide("second")(kube)
        await world.rest()
        steps.start("first", "go")(kube)
        squatted(kube, count)
        await world.rest()
        return kube

    kube = asyncio.run(through())
    followed = [
        run
        for run in kube.server.all("run")
        if run["spec"].get("trigger", {}).get("upstreamRun") == "go"
    ]
    assert [run["status"]["phase"] for run in followed] == ["Succeeded"]
    steps.has_event(kube, "NameTaken", count)


def test_a_start_whose_name_a_foreign_job_has_is_recorded_as_name_taken() -> None:
    """Its controller cannot make it, and tries for ever."""

    def squat(kube: Kubernetes) -> None:
        job = {"metadata": {"name": steps.SCHEDULED_RUN}, "spec": {"suspend": True, "template": {}}}
        kube.server.create("batchjob", NS, job)

    kube = live(
        step(
            nothing,
            steps.apply(
                "report", "ok", schedule={"cron": "0 8 * * *", "startingDeadlineSeconds": 60}
            ),
        ),
        step(nothing, steps.decide("report"), squat),
        step(nothing, steps.eight_o_clock),
        step(nothing, an_hour_later),
    )
    record = steps.runs(kube)[steps.SCHEDULED_RUN]
    assert (record["phase"], record["reason"]) == ("Skipped", "NameTaken")
    assert (
        f"a Job named {steps.SCHEDULED_RUN} exists and does not belong to this job; delete it"
        in record["message"]
    )

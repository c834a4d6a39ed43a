"""A life of jobs that start after one another."""

from __future__ import annotations

import json
from typing import Any, Final

from agentjobs.api import names
from agentjobs.cluster.client import Json
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.steps import (
    NS,
    apply,
    at_rest,
    decide,
    delete,
    ended,
    gone,
    nothing,
    start,
    step,
)


def after(job: str, on: str = "Succeeded") -> list[dict[str, Any]]:
    return [{"after": {"job": job, "on": on}}]


def runs_of(kube: Kubernetes, job: str) -> dict[str, Json]:
    return {
        run["metadata"]["name"]: run
        for run in kube.server.all("run")
        if run["spec"]["jobName"] == job
    }


def _passed_on(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "go", "Succeeded", "Completed", "done\n")
    (second,), (third,) = runs_of(kube, "second"), runs_of(kube, "third")
    ended(kube, second, "Failed", "ScriptFailed", "oh no\n")
    ended(kube, third, "Succeeded", "Completed", "done\n")
    assert runs_of(kube, "idle") == {}
    trigger = runs_of(kube, "third")[third]["spec"]["trigger"]
    assert (trigger["type"], trigger["upstreamRun"], trigger["ancestors"]) == (
        "After",
        second,
        ["first", "second"],
    )
    assert [trigger["event"]["data"][name] for name in ("job", "phase", "exitCode", "stdout")] == [
        "second",
        "Failed",
        3,
        "oh no\n",
    ]
    pods = [change.after for change in kube.server.changes if change.kind == "pod" and change.after]
    (event,) = {
        pod["metadata"]["annotations"][names.EVENT_ANNOTATION]
        for pod in pods
        if pod["metadata"]["name"].startswith(third)
    }
    assert json.loads(event)["data"] == trigger["event"]["data"]


def _went_round_once(kube: Kubernetes) -> None:
    _passed_on(kube)
    (again,) = runs_of(kube, "first").keys() - {"go"}
    ended(kube, again, "Skipped", "ChainCycle", started=0)
    message = kube.server.objects["run", NS, again]["status"]["message"]
    assert "first -> second -> third -> first" in message


CHAIN: Final = (
    step(
        nothing,
        apply("first", "ok", triggers=after("third")),
        apply("second", "fail", triggers=after("first")),
        apply("third", "ok", triggers=after("second", "Finished")),
        apply("idle", "ok", triggers=after("first", "Failed")),
    ),
    step(nothing, *(decide(job) for job in ("first", "second", "third", "idle"))),
    step(_went_round_once, start("first", "go")),
    step(gone, *(delete("job", job) for job in ("first", "second", "third", "idle"))),
)
LIVES: Final = {"chain": CHAIN}

"""The life of a job with packages, the second and third time from what was kept of the first."""

from __future__ import annotations

from typing import Final

from agentjobs.cluster.client import Json
from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.steps import (
    NS,
    apply,
    at_rest,
    decide,
    decide_packages,
    delete,
    ended,
    gone,
    nothing,
    runs,
    start,
    status,
    step,
)


def _resolution(kube: Kubernetes) -> Json:
    digest = status(kube, "report")["approval"]["digest"]
    return kube.server.objects["revision", NS, f"report-{digest}-packages"]


def _installed(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "first", "Succeeded", "Completed", "done\n")
    assert runs(kube)["first"]["resolvedPackages"] == ["six==1.17.0", "flask==3.0"]
    assert _resolution(kube)["data"]["requirements.txt"].count("--hash=sha256:") == 2
    assert [
        change.after
        for change in kube.server.changes
        if change.before and "-packages" in change.before["metadata"]["name"]
    ] == []


def _installed_again(kube: Kubernetes) -> None:
    """From what was kept, as its pod shows."""
    at_rest(kube)
    ended(kube, "second", "Succeeded", "Completed", "done\n")
    assert runs(kube)["second"]["resolvedPackages"] == ["six==1.17.0", "flask==3.0"]
    pods = [
        change.after
        for change in kube.server.changes
        if change.kind == "pod" and change.before is None and change.after
    ]
    (pod,) = (
        pod for pod in pods if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "second"
    )
    mounted = [
        volume["configMap"]["name"]
        for volume in pod["spec"]["volumes"]
        if volume["name"] == "resolution"
    ]
    assert mounted == [_resolution(kube)["metadata"]["name"]]


INSTALLED: Final = (
    step(
        nothing,
        apply("report", "ok", packages=["six==1.17.0", "flask==3.0"]),
        decide_packages("batch", "six==1.17.0", "flask==3.0"),
    ),
    step(_installed, decide("report"), start("report", "first")),
    step(_installed_again, start("report", "second")),
    step(_installed_again, start("report", "third")),
    step(gone, delete("job", "report")),
)
LIVES: Final = {"installed": INSTALLED}

"""The life of a job whose script stands in a ConfigMap."""

from __future__ import annotations

from typing import Any, Final

from agentjobs.testing.simulation import Kubernetes
from tests.support import manifests
from tests.support.lives.steps import (
    NS,
    Act,
    at_rest,
    create,
    decide,
    delete,
    ended,
    gone,
    nothing,
    start,
    status,
    step,
    void,
)


def apply_referring(name: str, source: str, **spec: Any) -> Act:
    return create(
        "job",
        manifests.job(name, script={"configMapKeyRef": {"name": source, "key": "script"}}, **spec),
    )


def write_source(name: str, script: str) -> Act:
    labels = {"agentjobs.dev/source": "true"}
    return create(
        "source", {"metadata": {"name": name, "labels": labels}, "data": {"script": script}}
    )


def rewrite_source(name: str, script: str) -> Act:
    return lambda kube: void(kube.server.patch(("source", NS, name), data={"script": script}))


def _lacks_its_source(kube: Kubernetes) -> None:
    found = status(kube, "sourced")
    reasons = {condition["type"]: condition["reason"] for condition in found["conditions"]}
    assert (found["phase"], reasons["Approved"], reasons["Ready"]) == (
        "Invalid",
        "SourceMissing",
        "SourceMissing",
    )
    assert "card" not in found


def _waits_for_approval(kube: Kubernetes) -> None:
    assert status(kube, "sourced")["phase"] == "PendingApproval"


def _ran_from_its_source(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "from-source", "Succeeded", "Completed", "done\n")


def _goes_on_as_approved(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "as-approved", "Succeeded", "Completed", "done\n")
    assert status(kube, "sourced")["approval"]["state"] == "Changed"


def _runs_as_changed(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "as-changed", "Succeeded", "Completed", "done otherwise\n")
    assert status(kube, "sourced")["approval"]["state"] == "Approved"


def _goes_on_without_its_source(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "orphaned", "Succeeded", "Completed", "done otherwise\n")
    found = status(kube, "sourced")
    assert (found["phase"], found["approval"]["state"]) == ("Finished", "Changed")
    assert {c["type"]: c["reason"] for c in found["conditions"]}["Ready"] == "SourceMissing"
    digests = [
        body["metadata"]["annotations"]["agentjobs.dev/digest"]
        for body in kube.server.all("revision")
    ]
    assert digests == [found["approval"]["digest"]], "the old revision went"


SOURCED: Final = (
    step(_lacks_its_source, apply_referring("sourced", "scripts")),
    step(_waits_for_approval, write_source("scripts", "ok")),
    step(_ran_from_its_source, decide("sourced"), start("sourced", "from-source")),
    step(_goes_on_as_approved, rewrite_source("scripts", "other"), start("sourced", "as-approved")),
    step(nothing, decide("sourced")),
    step(_runs_as_changed, start("sourced", "as-changed")),
    step(_goes_on_without_its_source, delete("source", "scripts"), start("sourced", "orphaned")),
    step(gone, delete("job", "sourced")),
)
LIVES: Final = {"sourced": SOURCED}

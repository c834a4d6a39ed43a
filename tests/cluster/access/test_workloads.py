"""No workload of others passes for ours: all kinds, all ways of writing them, all our marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.cluster.installed import Installed, Manifest
from tests.cluster.place import (
    CLAIM,
    CONTAINER,
    DENIED,
    DRY,
    LABEL,
    MARK,
    ONCE,
    WAYS,
    Place,
    somewhere,
)
from tests.cluster.support import Kubectl, KubectlError

PODS: Final[Manifest] = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [CONTAINER]}}
SELECTOR: Final = {"matchLabels": {"app": "x"}}
WORKLOADS: Final[dict[str, Manifest]] = {
    "CronJob": {
        "apiVersion": "batch/v1",
        "spec": {
            "schedule": "* * * * *",
            "suspend": True,
            "jobTemplate": {"spec": {"template": ONCE}},
        },
    },
    "Job": {"apiVersion": "batch/v1", "spec": {"suspend": True, "template": ONCE}},
    "Deployment": {
        "apiVersion": "apps/v1",
        "spec": {"replicas": 0, "selector": SELECTOR, "template": PODS},
    },
    "ReplicaSet": {
        "apiVersion": "apps/v1",
        "spec": {"replicas": 0, "selector": SELECTOR, "template": PODS},
    },
    "StatefulSet": {
        "apiVersion": "apps/v1",
        "spec": {"replicas": 0, "serviceName": "x", "selector": SELECTOR, "template": PODS},
    },
    "DaemonSet": {
        "apiVersion": "apps/v1",
        "spec": {
            "selector": SELECTOR,
            "template": {**PODS, "spec": {**PODS["spec"], "nodeSelector": {"no": "where"}}},
        },
    },
    "ReplicationController": {
        "apiVersion": "v1",
        "spec": {"replicas": 0, "selector": {"app": "x"}, "template": PODS},
    },
    "PodTemplate": {"apiVersion": "v1", "template": PODS},
}
STATUS: Final = (
    "CronJob",
    "Job",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "ReplicationController",
)
IMMUTABLE: Final = ("Job",)
"""Their template is refused by the API server itself, whoever changes it."""


@pytest.fixture(scope="module")
def place(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Place]:
    with somewhere(agentjobs, kubectl) as found:
        yield found


def workload(kind: str, name: str) -> Manifest:
    return {"kind": kind, **json.loads(json.dumps(WORKLOADS[kind])), "metadata": {"name": name}}


def templates(body: Manifest) -> Iterator[Manifest]:
    """Every template in it, each to be marked by itself."""
    spec = body.get("spec", {})
    yield from (spec[part] for part in ("template", "jobTemplate") if part in spec)
    if "jobTemplate" in spec:
        yield spec["jobTemplate"]["spec"]["template"]
    if "template" in body:
        yield body["template"]


def marked(place: Place, base: Manifest) -> Iterator[tuple[str, Manifest]]:
    """With each mark of ours: the label, the label in each template, an owner reference."""
    text = json.dumps(base)
    yield "label", {**base, "metadata": {**base["metadata"], "labels": MARK}}
    yield "owner", {**base, "metadata": {**base["metadata"], "ownerReferences": place.owner()}}
    for number in range(len(list(templates(base)))):
        body = json.loads(text)
        template = list(templates(body))[number]
        labels = template.setdefault("metadata", {}).get("labels") or {}
        template["metadata"]["labels"] = {**labels, **MARK}
        yield f"template {number}", body
    if base["kind"] == "StatefulSet":
        body = json.loads(text)
        body["spec"]["volumeClaimTemplates"] = [
            {"metadata": {"name": "c", "labels": MARK}, "spec": CLAIM}
        ]
        yield "claim", body


def as_it_is(place: Place, kind: str) -> Manifest:
    body: Manifest = json.loads(place("cleo", "get", kind, "plain", "-o", "json"))
    return {
        **{key: value for key, value in body.items() if key != "status"},
        "metadata": {"name": "plain"},
    }


def ways(place: Place, kind: str, user: str) -> Iterator[str]:
    """What of all that is not refused."""
    pairs = zip(
        marked(place, workload(kind, "new")), marked(place, as_it_is(place, kind)), strict=True
    )
    for (mark, new), (_, changed) in pairs:
        yield place.refused(user, *WAYS["create"], stdin=new)
        yield place.refused(user, *WAYS["apply"], stdin=new)
        if mark == "claim" or (kind in IMMUTABLE and mark.startswith("template")):
            continue
        yield place.refused(user, *WAYS["replace"], stdin=changed)
        yield place.refused(user, *WAYS["apply"], stdin=changed)
        yield place.refused(
            user, "patch", kind, "plain", "--type=merge", DRY, "--patch", json.dumps(changed)
        )


def marked_by_status(place: Place, kind: str, metadata: Manifest) -> str:
    """Empty if it is refused, or if the API server takes only the status from such a request."""
    words = (
        "patch",
        kind,
        "plain",
        "--type=merge",
        DRY,
        "--subresource=status",
        "-o",
        "json",
        "--patch",
        json.dumps({"metadata": metadata}),
    )
    try:
        answer = json.loads(place("cleo", *words))["metadata"]
    except KubectlError as error:
        return "" if DENIED in error.stderr else error.stderr
    return (
        json.dumps(answer)
        if LABEL in answer.get("labels", {}) or "ownerReferences" in answer
        else ""
    )


@pytest.mark.parametrize("kind", WORKLOADS)
def test_nobody_marks_a_workload_as_ours_however_it_is_written(place: Place, kind: str) -> None:
    place("cleo", "create", "-f", "-", stdin=workload(kind, "plain"))
    found = [told for told in ways(place, kind, "cleo") if told]
    patches = ({"labels": MARK}, {"ownerReferences": place.owner()}) if kind in STATUS else ()
    found += [told for patch in patches if (told := marked_by_status(place, kind, patch))]
    if kind != "PodTemplate":
        found += [told for told in ways(place, kind, "ed") if told and "cannot" not in told]
    assert found == []
    place("cleo", "annotate", kind, "plain", "example.com/still=usable")
    place("cleo", "delete", kind, "plain", "--wait=false")

"""Nodes come and go: one that is deleted takes its pods with it, policies or not.

The run says what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, wait_for

NODE: Final = "ghost"
LABEL: Final = "agentjobs-test-node"
ROOM: Final = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "10Gi", "pods": "10"}
READY: Final = {
    "type": "Ready",
    "status": "True",
    "reason": "Test",
    "message": "",
    "lastHeartbeatTime": None,
    "lastTransitionTime": None,
}


@pytest.fixture
def node(kubectl: Kubectl) -> Iterator[str]:
    """A node without a kubelet: what lands on it never starts."""
    body = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "labels": {LABEL: "yes"}},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(body))
    try:
        status = {"status": {"capacity": ROOM, "allocatable": ROOM, "conditions": [READY]}}
        kubectl(
            "patch",
            "node",
            NODE,
            "--subresource=status",
            "--type=merge",
            "--patch",
            json.dumps(status),
        )
        wait_for(lambda: not taints(kubectl), 30, "the new node takes pods")
        yield NODE
    finally:
        kubectl("delete", "node", NODE, "--ignore-not-found")


def taints(kubectl: Kubectl) -> list[Any]:
    found: list[Any] = kubectl.json("get", "node", NODE)["spec"].get("taints", [])
    return found


def test_a_deleted_node_takes_its_run_with_it_and_the_record_says_so(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, node: str
) -> None:
    with agentjobs.values_set(**{f"run.nodeSelector.{LABEL}": "yes"}):
        agentjobs.in_force(namespace, "report", "print('never')")
        run = agentjobs.start(namespace, "report")
        pods = ("pods", "-n", namespace, "-l", f"batch.kubernetes.io/job-name={run}")
        wait_for(
            lambda: (
                [pod["spec"].get("nodeName") for pod in kubectl.json("get", *pods)["items"]]
                == [node]
            ),
            60,
            "its pod is on the node",
        )
        kubectl("delete", "node", node)
        record = agentjobs.finished(namespace, run, 150)
    assert (record["phase"], record["reason"]) == ("Failed", "Disrupted"), record
    assert "DeletionByPodGC" in record["message"]
    assert kubectl("get", *pods, "-o", "name") == ""

"""What is read of a pod: how it ended, whatever else stands in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentjobs.core.views.pod import PodView, pod_view
from agentjobs.core.wire.bodies import (
    read,
    unreadable,
)
from tests.support.endings import NOW
from tests.support.slow import slow_but


@pytest.mark.parametrize("managers", slow_but((1,), (1, 20)))
def test_a_pod_annotated_beyond_reading_still_shows_how_it_ended(managers: int) -> None:
    keys = [f"{number:04x}" for number in range(34_000)]
    share = len(keys) // managers
    fields: list[Any] = [
        {"f:metadata": {"f:annotations": {f"f:{key}": {} for key in keys[at : at + share]}}}
        for at in range(0, len(keys), share)
    ]
    ended = {
        "exitCode": 3,
        "reason": "Error",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:01:00Z",
        "message": "{}",
    }
    told = {
        "containerStatuses": [{"name": "runner", "image": "i", "state": {"terminated": ended}}],
        "phase": "Failed",
    }
    installed = [{"name": "packages", "state": {"terminated": {"exitCode": 0, "message": "fine"}}}]
    metadata = {
        "name": "p",
        "namespace": "n",
        "uid": "u",
        "resourceVersion": "5",
        "labels": {"agentjobs.dev/job": "report"},
    }
    bloated = {
        "annotations": dict.fromkeys(keys, ""),
        "managedFields": [{"manager": f"m{n}", "fieldsV1": each} for n, each in enumerate(fields)],
    }
    body = read(
        json.dumps(
            {"metadata": metadata | bloated, "status": told | {"initContainerStatuses": installed}}
        ).encode()
    )
    assert unreadable(body)
    pod = pod_view(body)
    assert (pod.exit_code, pod.started, pod.finished, pod.ended_by) == (
        3,
        ended["startedAt"],
        ended["finishedAt"],
        "Error",
    )
    assert (pod.termination_message, pod.install_exit, pod.install_message) == ("{}", 0, "fine")


def test_a_pod_was_told_to_end_its_grace_period_before_its_deletion() -> None:
    metadata = {"namespace": "ns", "name": "p", "uid": "u", "resourceVersion": "1"}
    deletion = {"deletionTimestamp": "2026-11-22T09:00:30Z", "deletionGracePeriodSeconds": 30}
    assert pod_view({"metadata": metadata}).told_to_end is None
    assert pod_view({"metadata": metadata | deletion}).told_to_end == NOW


def seen(status: dict[str, Any]) -> PodView:
    metadata = {"name": "p", "namespace": "ns", "uid": "u", "resourceVersion": "1"}
    return pod_view({"metadata": metadata, "status": status})


def test_a_pod_that_was_never_placed_says_why_it_waits() -> None:
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes",
    }
    found = seen({"phase": "Pending", "conditions": [unscheduled]})
    assert (found.waiting, found.waiting_message) == ("Unschedulable", "0/1 nodes")
    assert not found.ended


def test_an_exit_code_that_the_kubelet_made_up_is_none() -> None:
    terminated = {"exitCode": 137, "reason": "ContainerStatusUnknown"}
    runner = {"name": "runner", "state": {"terminated": terminated}}
    lost = {"phase": "Failed", "containerStatuses": [runner]}
    assert (seen(lost).exit_code, seen(lost).ended) == (None, True)
    real = {"exitCode": 137, "reason": "Error"}
    killed = {"containerStatuses": [{"name": "runner", "state": {"terminated": real}}]}
    assert (seen(killed).exit_code, seen(killed).ended) == (137, True)


def test_only_the_runners_container_counts_and_the_installer_is_told_apart() -> None:
    side = {"name": "sidecar", "state": {"terminated": {"exitCode": 0}}}
    install = {"name": "packages", "state": {"running": {"startedAt": "2026-11-22T08:00:00Z"}}}
    found = seen({"containerStatuses": [side], "initContainerStatuses": [install]})
    assert (found.exit_code, found.installing, found.ended) == (None, True, False)

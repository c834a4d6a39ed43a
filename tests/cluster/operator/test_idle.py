"""An idle operator writes nothing but its Lease, and one that has something to do writes little."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from tests.cluster import audit, many
from tests.cluster.accepted import any_spec_accepted
from tests.cluster.installed import NAMESPACE, Installed
from tests.cluster.process import leader, metrics, reconciles
from tests.cluster.provider import Cluster
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests

OURS: Final = "saj,ajr,agentjobapprovals,cronjobs,jobs,configmaps,events"
IN_A_ROW: Final = 6
"""Looks, in which nothing happened."""
NEW_YEAR: Final = {"cron": "0 0 1 1 *", "timeZone": "Europe/Bucharest"}
IN_OTHER_WORDS: Final = {
    "requests": {"cpu": "0.5", "memory": "131072Ki", "ephemeral-storage": "300000000"},
    "limits": {"cpu": "1000m", "memory": "1024Mi", "ephemeral-storage": "1.5Gi"},
}
"""Quantities that the API server stores as 500m, 128Mi, 300M, 1, 1Gi and 1536Mi."""
EVERYTHING: Final = {
    "schedule": NEW_YEAR,
    "resources": IN_OTHER_WORDS,
    "env": [
        {"name": "EMPTY", "value": ""},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}}},
    ],
    "workspace": {"claimName": "shared"},
}


WRITE: Final = re.compile(r"(?P<what>(create|replace|patch|delete) [a-z]+) (?P<name>[^ :]+): ")


@pytest.fixture(scope="module")
def resting(agentjobs: Installed, kubectl: Kubectl) -> Iterator[str]:
    """A namespace with jobs in every state in which nothing happens."""
    with new_namespace(kubectl) as namespace:
        scheduled = [
            many.job(name, "print(1)\n", schedule=NEW_YEAR, suspend=name == "paused")
            for name in ("paused", "changed")
        ]
        run = [many.job("finished", "print(1)\n"), many.job("failed", "raise SystemExit(3)\n")]
        many.in_force(
            agentjobs,
            namespace,
            [many.job("far-away", "print(1)\n", **EVERYTHING), *scheduled, *run],
        )
        kubectl.apply(
            namespace,
            many.job("changed", "print(2)\n", schedule=NEW_YEAR),
            manifests.job("pending"),
            manifests.job("denied"),
        )
        agentjobs.approve(namespace, "denied", "Denied")
        started = many.started(agentjobs, namespace, ["finished", "failed", "pending", "nobody"])
        many.finished(agentjobs, namespace, started)
        with any_spec_accepted(kubectl, namespace):
            kubectl.create(namespace, manifests.job("invalid", schedule={"cron": "61 8 * * *"}))
            agentjobs.wait_condition(namespace, "invalid", "Ready", "False")
        no_jobs_left(kubectl, namespace)
        yield namespace


def no_jobs_left(kubectl: Kubectl, namespace: str) -> None:
    wait_for(
        lambda: not kubectl.json("get", "jobs", "-n", namespace)["items"],
        60,
        "the Jobs of the runs are gone",
    )


def phases(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    return {
        body["metadata"]["name"]: body["status"]["phase"]
        for body in kubectl.json("get", "saj", "-n", namespace)["items"]
    }


def versions(kubectl: Kubectl, namespace: str) -> dict[tuple[str, str], str]:
    """The resource version of everything that the operator could write there."""
    items = kubectl.json("get", OURS, "-n", namespace)["items"]
    return {
        (body["kind"], body["metadata"]["name"]): body["metadata"]["resourceVersion"]
        for body in items
    }


def nothing_to_do(kubectl: Kubectl) -> None:
    """Waits until the leader has seen every job and is idle, and what other tests left is gone."""
    seen: list[tuple[str, float]] = []

    def quiet() -> bool:
        pod = leader(kubectl)
        seen.append((pod, reconciles(kubectl, pod)))
        assert len(seen) > IN_A_ROW
        assert set(seen[-IN_A_ROW:]) == {seen[-1]}
        assert seen[-1][1] >= len(kubectl.json("get", "saj", "--all-namespaces")["items"])
        assert metrics(kubectl, pod)["agentjobs_queue_length"] == 0
        return all(
            body["status"]["phase"] == "Active"
            for body in kubectl.json("get", "namespaces")["items"]
        )

    wait_for(quiet, 120, "the operator has nothing to do")


def test_a_restart_with_nothing_to_do_writes_nothing_but_the_lease(
    kubectl: Kubectl, cluster: Cluster, resting: str
) -> None:
    nothing_to_do(kubectl)
    told = {"Scheduled", "PendingApproval", "Paused", "Denied", "Finished", "Failed", "Invalid"}
    assert set(phases(kubectl, resting).values()) == told
    log = audit.from_now_on() if cluster.source == "local" else None
    old, before = leader(kubectl), versions(kubectl, resting)
    kubectl("rollout", "restart", "-n", NAMESPACE, "deploy/agentjobs")
    kubectl("rollout", "status", "-n", NAMESPACE, "deploy/agentjobs", "--timeout=120s")
    wait_for(lambda: leader(kubectl) not in ("", old), 60, "the new operator leads")
    nothing_to_do(kubectl)
    assert versions(kubectl, resting) == before
    # Writes that changed nothing leave no trace in the objects, but in the log.
    assert log is None or set(log.writes()) == {"update leases"}


def logged(agentjobs: Installed, namespace: str, *names: str) -> Counter[str]:
    """The writes to these objects by the operator's own word, Events apart."""
    lines = (json.loads(line) for line in agentjobs.log().splitlines())
    matches = (WRITE.match(line["message"]) for line in lines if line.get("namespace") == namespace)
    return Counter(
        match["what"]
        for match in matches
        if match and match["name"] in names and match["what"] != "create event"
    )


def test_a_run_costs_at_most_ten_writes_and_a_scheduled_one_eight(
    agentjobs: Installed, kubectl: Kubectl, cluster: Cluster, namespace: str
) -> None:
    """Of the operator, from its start until nothing is left of it but its record.

    The operator's log tells every one of them.
    """
    ticker = many.job("ticker", "print(1)\n", schedule={"cron": "* * * * *"})
    many.in_force(agentjobs, namespace, [many.job("by-hand", "print(1)\n"), ticker])
    log = audit.from_now_on() if cluster.source == "local" else None
    before = {job: logged(agentjobs, namespace, job) for job in ("by-hand", "ticker")}
    runs = {"by-hand": agentjobs.start(namespace, "by-hand", "manual")}
    starts = wait_for(
        lambda: kubectl.json("get", "ajr", "-n", namespace, "--field-selector=spec.jobName=ticker")[
            "items"
        ],
        90,
        "a start",
    )
    runs["ticker"] = starts[0]["metadata"]["name"]
    for run in runs.values():
        agentjobs.finished(namespace, run)
    no_jobs_left(kubectl, namespace)
    writes = {
        job: logged(agentjobs, namespace, job, run) - before[job] for job, run in runs.items()
    }
    print(writes)
    for job, run in runs.items():
        assert log is None or log.writes(namespace, job, run).total() == writes[job].total()
    assert (writes["by-hand"].total() <= 10, writes["ticker"].total() <= 8) == (True, True)

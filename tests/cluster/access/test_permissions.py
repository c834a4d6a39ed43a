"""The operator uses every verb on every resource of its role, and asks for no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.cluster import audit, many
from tests.cluster.installed import NAMESPACE, Installed
from tests.cluster.provider import Cluster
from tests.cluster.support import Kubectl, wait_for

LEASE: Final = ("lease", "-n", NAMESPACE, "agentjobs-operator")
UNSEEN: Final = frozenset({("get", "coordination.k8s.io", "leases")})
"""The audit log leaves these out: several in a second, for ever."""
WAITS: Final = "import time\ntime.sleep(600)\n"


def granted(kubectl: Kubectl, kind: str, *where: str) -> Iterator[tuple[str, str, str]]:
    for rule in kubectl.json("get", kind, "agentjobs", *where)["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield from ((verb, group, resource) for verb in rule["verbs"])


def live_through_everything(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> None:
    """The life of an operator and of its jobs, as short as it can be."""
    agentjobs.scale(0)
    kubectl("delete", *LEASE)
    agentjobs.scale(1)
    keeps_one = {"history": {"successful": 1, "failed": 1}}
    ticks = many.job("ticks", "pass", schedule={"cron": "* * * * *"})
    jobs = [
        many.job("kept", "print(1)\n", **keeps_one),
        many.job("lost", WAITS),
        many.job("talks", "pass", session="Continuous"),
    ]
    many.in_force(agentjobs, namespace, [ticks, *jobs])
    many.running(agentjobs, namespace, many.started(agentjobs, namespace, ["lost"]))
    kubectl("delete", "job", "-n", namespace, "lost-run", "--cascade=orphan")
    for run in ("first", "second"):
        agentjobs.finished(namespace, agentjobs.start(namespace, "kept", run))
    wait_for(
        lambda: "first" not in kubectl("get", "ajr", "-n", namespace, "-o", "name"),
        30,
        "the older record is gone",
    )
    kubectl.apply(namespace, many.job("kept", "print(2)\n", **keeps_one))
    agentjobs.approve(namespace, "kept")
    agentjobs.wait_condition(namespace, "kept", "Ready", "True")
    agentjobs.approve(namespace, "kept", "Denied")
    wait_for(
        lambda: "kept" not in kubectl("get", "cronjobs", "-n", namespace, "-o", "name"),
        30,
        "the CronJob is withdrawn",
    )
    kubectl("delete", "pods", "-n", namespace, "--all", "--grace-period=1")
    wait_for(
        lambda: "ticks-" in kubectl("get", "ajr", "-n", namespace, "-o", "name"),
        90,
        "a scheduled start is recorded",
    )
    agentjobs.approve(namespace, "ticks", "Denied")
    wait_for(
        lambda: "ticks" not in kubectl("get", "cronjobs", "-n", namespace, "-o", "name"),
        60,
        "its CronJob is withdrawn",
    )
    revisions = ("get", "configmaps", "-n", namespace, "-l", "agentjobs.dev/job=kept", "-o", "name")
    wait_for(
        lambda: not kubectl(*revisions), 120, "the revisions that nothing needs any more are gone"
    )


def test_the_operator_uses_all_that_it_may_and_asks_for_no_more(
    agentjobs: Installed, kubectl: Kubectl, cluster: Cluster, namespace: str
) -> None:
    log = audit.from_now_on() if cluster.source == "local" else None
    live_through_everything(agentjobs, kubectl, namespace)
    may = {*granted(kubectl, "clusterrole"), *granted(kubectl, "role", "-n", NAMESPACE)}
    requests = log.requests() if log else {(right, True) for right in may - UNSEEN}
    assert may - {right for right, allowed in requests if allowed} == UNSEEN
    assert {right for right, _ in requests} - may == set()

"""With an admission policy gone or changed nothing new starts, whoever approved it.

Every job says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.process import leader, metrics
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests

BINDING: Final = ("validatingadmissionpolicybinding", "agentjobs-approvals")
POLICY: Final = ("validatingadmissionpolicy", "agentjobs-owned")
WAITS: Final = "import time\nfor _ in range(40):\n    time.sleep(1)\nprint('to its end')\n"
SECONDS: Final = 60
"""Until it is noticed and taken seriously."""


@contextmanager
def without_policies(kubectl: Kubectl) -> Iterator[None]:
    """The binding is deleted, and what it binds fails open."""
    saved = kubectl.json("get", *BINDING)
    saved["metadata"] = {key: saved["metadata"][key] for key in ("name", "labels", "annotations")}
    kubectl("delete", *BINDING)
    kubectl("patch", *POLICY, "--type=merge", "--patch", '{"spec":{"failurePolicy":"Ignore"}}')
    try:
        yield
    finally:
        kubectl("patch", *POLICY, "--type=merge", "--patch", '{"spec":{"failurePolicy":"Fail"}}')
        kubectl("create", "-f", "-", stdin=json.dumps(saved))


def by_a_careless_right(kubectl: Kubectl, namespace: str) -> Kubectl:
    """As a user who may create approvals, but has not the verb `approve`."""
    rules = [
        {"apiGroups": ["agentjobs.dev"], "resources": ["agentjobapprovals"], "verbs": ["create"]}
    ]
    kubectl.create(
        namespace,
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "cleo"},
            "rules": rules,
        },
    )
    kubectl("create", "rolebinding", "cleo", "-n", namespace, "--role=cleo", "--user=cleo")
    return kubectl.acting("cleo")


def cron_jobs(kubectl: Kubectl, namespace: str) -> dict[str, Any]:
    return {
        body["metadata"]["name"]: body["spec"]["suspend"]
        for body in kubectl.json("get", "cronjobs", "-n", namespace)["items"]
    }


@pytest.fixture
def away(agentjobs: Installed, kubectl: Kubectl) -> Iterator[tuple[str, str]]:
    """A namespace whose jobs have noticed, and what one of them says."""
    with new_namespace(kubectl) as namespace:
        cleo = by_a_careless_right(kubectl, namespace)
        yearly = {"cron": "0 0 1 1 *"}
        many.in_force(
            agentjobs,
            namespace,
            [many.job("yearly", "print(1)", schedule=yearly), many.job("busy", WAITS)],
        )
        kubectl.apply(
            namespace, many.job("sneaky", "print('unapproved')", schedule={"cron": "* * * * *"})
        )
        sneaky = manifests.approval(
            "sneaky", jobName="sneaky", digest=agentjobs.digest(namespace, "sneaky")
        )
        many.running(agentjobs, namespace, many.started(agentjobs, namespace, ["busy"]))
        with without_policies(kubectl):
            wait_for(lambda: cleo.create(namespace, sneaky), 30, "the API server lets it pass")
            wait_for(
                lambda: metrics(kubectl, leader(kubectl))["agentjobs_policies_missing"] == 2,
                SECONDS,
                "the operator has noticed",
            )
            message = wait_for(
                lambda: told(agentjobs, namespace),
                SECONDS,
                "every job says so, and its schedule is suspended",
            )
            yield namespace, message
            kubectl("delete", "aja", "-n", namespace, "sneaky")
        wait_for(
            lambda: metrics(kubectl, leader(kubectl))["agentjobs_policies_missing"] == 0,
            SECONDS,
            "the operator has noticed",
        )
        agentjobs.wait_condition(namespace, "yearly", "Ready", "True")
        assert cron_jobs(kubectl, namespace)["yearly"] is False
        assert (
            agentjobs.finished(namespace, agentjobs.start(namespace, "yearly", "afterwards"))[
                "stdout"
            ]
            == "1\n"
        )


def told(agentjobs: Installed, namespace: str) -> str:
    assert cron_jobs(agentjobs.kubectl, namespace)["yearly"] is True
    messages = [
        many.told(agentjobs, namespace, job, "Ready", "PolicyMissing", 0)
        for job in ("yearly", "busy", "sneaky")
    ]
    assert len(set(messages)) == 1
    return messages[0]


def test_nothing_new_starts_while_a_policy_is_missing(
    agentjobs: Installed, kubectl: Kubectl, away: tuple[str, str]
) -> None:
    namespace, message = away
    assert "ValidatingAdmissionPolicyBinding agentjobs-approvals is missing" in message
    assert "ValidatingAdmissionPolicy agentjobs-owned was changed at spec.failurePolicy" in message
    for job in ("yearly", "sneaky"):
        record = agentjobs.finished(namespace, agentjobs.start(namespace, job))
        assert (record["phase"], record["reason"]) == ("Skipped", "PolicyMissing")
    assert "sneaky" not in cron_jobs(kubectl, namespace)
    # What ran goes on to its end.
    assert agentjobs.finished(namespace, "busy-run")["stdout"] == "to its end\n"

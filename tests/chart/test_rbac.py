"""What the operator may do. A new verb or resource fails here first, so that somebody has to want it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chart.helm import FULL_VALUES, NAMESPACE, Document, Helm, of_kind

CLUSTER_WIDE = {
    ("agentjobs.dev", "scheduledagentjobs"): "get list watch",
    ("agentjobs.dev", "scheduledagentjobs/status"): "patch",
    ("agentjobs.dev", "agentjobruns"): "create delete get list patch watch",
    ("agentjobs.dev", "agentjobruns/status"): "patch",
    ("agentjobs.dev", "agentjobapprovals"): "list watch",
    ("agentjobs.dev", "packageapprovals"): "list watch",
    ("batch", "cronjobs"): "create delete get list patch update watch",
    ("batch", "cronjobs/status"): "patch",
    ("batch", "jobs"): "create delete get list patch watch",
    ("", "pods"): "list watch",
    ("", "pods/log"): "get",
    ("", "configmaps"): "create get",
    ("", "events"): "create",
}
IN_RELEASE_NAMESPACE = {
    ("coordination.k8s.io", "leases", ""): "create",
    ("coordination.k8s.io", "leases", "agentjobs-operator"): "get update",
}


def grants(role: Document) -> Iterator[tuple[str, str, str, str]]:
    """(group, resource, object's name or nothing, verb), one by one."""
    for rule in role["rules"]:
        assert set(rule) <= {"apiGroups", "resources", "resourceNames", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [""]):
                    yield from ((group, resource, name, verb) for verb in rule["verbs"])


def summary(role: Document) -> dict[tuple[str, str, str], str]:
    verbs: dict[tuple[str, str, str], list[str]] = {}
    for group, resource, name, verb in grants(role):
        verbs.setdefault((group, resource, name), []).append(verb)
    return {key: " ".join(sorted(found)) for key, found in verbs.items()}


@pytest.fixture(scope="module", params=[None, FULL_VALUES], ids=["default", "full"])
def documents(helm: Helm, request: pytest.FixtureRequest) -> list[Document]:
    return helm.documents(file=request.param)


def test_cluster_role_has_exactly_these_verbs(documents: list[Document]) -> None:
    (role,) = of_kind(documents, "ClusterRole")
    assert summary(role) == {(group, resource, ""): verbs for (group, resource), verbs in CLUSTER_WIDE.items()}


def test_role_in_the_release_namespace_is_for_the_lease_only(documents: list[Document]) -> None:
    (role,) = of_kind(documents, "Role")
    assert role["metadata"]["namespace"] == NAMESPACE
    assert summary(role) == IN_RELEASE_NAMESPACE


@pytest.mark.parametrize("kind", ["ClusterRoleBinding", "RoleBinding"])
def test_roles_are_bound_to_the_operators_service_account_only(documents: list[Document], kind: str) -> None:
    (binding,) = of_kind(documents, kind)
    (account,) = of_kind(documents, "ServiceAccount")
    (role,) = of_kind(documents, kind.removesuffix("Binding"))
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": NAMESPACE}]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (role["kind"], role["metadata"]["name"])


def test_policy_exempts_the_service_account_that_the_operator_runs_as(documents: list[Document]) -> None:
    (policy,) = of_kind(documents, "ValidatingAdmissionPolicy")
    (binding,) = of_kind(documents, "ValidatingAdmissionPolicyBinding")
    (deployment,) = of_kind(documents, "Deployment")
    account = deployment["spec"]["template"]["spec"]["serviceAccountName"]
    (validation,) = policy["spec"]["validations"]
    assert validation["expression"] == f"request.userInfo.username == 'system:serviceaccount:{NAMESPACE}:{account}'"
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]

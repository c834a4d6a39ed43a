"""What the operator may do.

A new verb or resource fails here first, so that somebody has to want it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chart.helm import FULL_VALUES, NAMESPACE, Document, Helm, container, of_kind

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
    ("", "configmaps"): "create delete get list watch",
    ("", "persistentvolumeclaims"): "create get",
    ("", "events"): "create",
}
IN_RELEASE_NAMESPACE = {
    ("coordination.k8s.io", "leases", ""): "create",
    ("coordination.k8s.io", "leases", "agentjobs-operator"): "get update",
}
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
READ = "get list watch"
WRITE = "create delete deletecollection get list patch update watch"
FOR_PEOPLE = {
    ("viewer", "view"): {
        "scheduledagentjobs": READ,
        "agentjobruns": READ,
        "agentjobapprovals": READ,
        "packageapprovals": READ,
    },
    ("author", "edit"): {"scheduledagentjobs": WRITE},
    ("trigger", "edit"): {"scheduledagentjobs": "run", "agentjobruns": WRITE},
    ("approver", "admin"): {
        "scheduledagentjobs": "approve get list watch",
        "agentjobruns": READ,
        "packages": "approve",
        "agentjobapprovals": WRITE,
        "packageapprovals": WRITE,
    },
}
"""By name and by the role of Kubernetes into which it is aggregated."""


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


def the_operators(documents: list[Document], kind: str) -> Document:
    """The other roles are for people: each is aggregated into one of Kubernetes' own."""
    (role,) = [
        role
        for role in of_kind(documents, kind)
        if AGGREGATE not in str(role["metadata"]["labels"])
    ]
    return role


def on_policies(documents: list[Document]) -> dict[tuple[str, str, str], str]:
    """It may read each by its name, and list them.

    Not where it does not look at them: `full` allows that they are missing.
    """
    if container(documents)["image"].startswith("registry.example.com"):
        return {}
    admission = "admissionregistration.k8s.io"
    found = [document for document in documents if document["apiVersion"].startswith(admission)]
    kinds = {f"{document['kind'].lower()}s".replace("policys", "policies") for document in found}
    by_name = {
        (admission, kind, document["metadata"]["name"]): "get"
        for kind in kinds
        for document in found
    }
    return by_name | {(admission, kind, ""): "list" for kind in kinds}


@pytest.fixture(scope="module", params=[None, FULL_VALUES], ids=["default", "full"])
def documents(helm: Helm, request: pytest.FixtureRequest) -> list[Document]:
    return helm.documents(file=request.param)


def test_cluster_role_has_exactly_these_verbs(documents: list[Document]) -> None:
    expected = {(group, resource, ""): verbs for (group, resource), verbs in CLUSTER_WIDE.items()}
    assert summary(the_operators(documents, "ClusterRole")) == expected | on_policies(documents)


def test_role_in_the_release_namespace_is_for_the_lease_only(documents: list[Document]) -> None:
    (role,) = of_kind(documents, "Role")
    assert role["metadata"]["namespace"] == NAMESPACE
    assert summary(role) == IN_RELEASE_NAMESPACE


@pytest.mark.parametrize("kind", ["ClusterRoleBinding", "RoleBinding"])
def test_roles_are_bound_to_the_operators_service_account_only(
    documents: list[Document], kind: str
) -> None:
    (binding,) = of_kind(documents, kind)
    (account,) = of_kind(documents, "ServiceAccount")
    role = the_operators(documents, kind.removesuffix("Binding"))
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": NAMESPACE}
    ]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (
        role["kind"],
        role["metadata"]["name"],
    )


def test_roles_for_people_grant_exactly_this_and_grow_kubernetes_own_roles(
    documents: list[Document],
) -> None:
    found = {}
    for role in of_kind(documents, "ClusterRole"):
        labels = [
            key.removeprefix(AGGREGATE)
            for key in role["metadata"]["labels"]
            if key.startswith(AGGREGATE)
        ]
        if labels:
            grown: dict[str, set[str]] = {}
            for group, resource, name, verb in grants(role):
                assert (group, name) == ("agentjobs.dev", "")
                grown.setdefault(resource, set()).add(verb)
            (into,) = labels
            verbs = {resource: " ".join(sorted(verbs)) for resource, verbs in grown.items()}
            found[role["metadata"]["name"].removeprefix("agentjobs-"), into] = verbs
    assert found == FOR_PEOPLE

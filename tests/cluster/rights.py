"""Roles and bindings for people in tests."""

from __future__ import annotations

from typing import Final

from tests.cluster.installed import Manifest
from tests.cluster.support import Kubectl

RBAC: Final = "rbac.authorization.k8s.io/v1"
PLAIN: Final = ["get", "list", "create", "update", "patch", "delete", "deletecollection"]


def bind(kubectl: Kubectl, namespace: str, role: str, **subject: str) -> None:
    flags = [f"--{kind}={name}" for kind, name in subject.items()]
    name = "-".join((role, *subject.values())).replace(":", "-")
    kubectl("create", "rolebinding", name, "-n", namespace, f"--clusterrole={role}", *flags)


def grant(kubectl: Kubectl, namespace: str, user: str, rules: list[Manifest]) -> None:
    kubectl.create(
        namespace, {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": user}, "rules": rules}
    )
    kubectl("create", "rolebinding", user, "-n", namespace, f"--role={user}", f"--user={user}")

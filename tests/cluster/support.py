"""What tests on a cluster share: kubectl as a function, and waiting."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from tests.cluster.provider import Cluster

T = TypeVar("T")

COMMAND_SECONDS = 120
PAUSE_SECONDS = 0.2
RESTRICTED: Final = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security `restricted` asks of each container, as its securityContext."""


class KubectlError(AssertionError):
    """kubectl said no; `stderr` is all that it said."""

    def __init__(self, arguments: tuple[str, ...], stderr: str) -> None:
        super().__init__(f"kubectl {' '.join(arguments)}\n{stderr}")
        self.stderr = stderr


@dataclass(frozen=True)
class Kubectl:
    """`kubectl("get", "saj")` returns what it printed and raises KubectlError when it fails."""

    cluster: Cluster
    options: tuple[str, ...] = ()

    def acting(self, user: str) -> Kubectl:
        """The same, as this user.

        An account `system:serviceaccount:NAMESPACE:NAME` has its groups, too.
        """
        return replace(self, options=(f"--as={user}",))

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        command = [self.cluster.kubectl, *self.options, *arguments]
        environment = {**os.environ, "KUBECONFIG": self.cluster.kubeconfig}
        ran = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if ran.returncode:
            raise KubectlError(arguments, ran.stderr)
        return ran.stdout

    def apply(self, namespace: str, *manifests: dict[str, Any]) -> str:
        """As GitOps tools do: server-side, refused when the server does not know a field."""
        return self(
            "apply", "--server-side", "--namespace", namespace, "-f", "-", stdin=stream(*manifests)
        )

    def create(self, namespace: str, *manifests: dict[str, Any]) -> str:
        return self("create", "--namespace", namespace, "-f", "-", stdin=stream(*manifests))

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--output", "json"))


def stream(*manifests: dict[str, Any]) -> str:
    """JSON is YAML, except for characters escaped as pairs.

    A stream has no list around it, so each object is answered for itself.
    """
    return "\n---\n".join(json.dumps(manifest, ensure_ascii=False) for manifest in manifests)


@contextmanager
def new_namespace(kubectl: Kubectl) -> Iterator[str]:
    """An empty namespace enforcing Pod Security `restricted`; its deletion is not waited for."""
    name = f"test-{secrets.token_hex(4)}"
    metadata = {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    kubectl(
        "create",
        "-f",
        "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}),
    )
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def wait_for(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The first truthy answer of the condition; an AssertionError of it counts as "not yet".

    Fails with what was seen last.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            seen: object = condition()
        except AssertionError as error:
            seen = error
        else:
            if seen:
                return seen  # type: ignore[return-value]
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s; seen last: {seen}")
        time.sleep(PAUSE_SECONDS)

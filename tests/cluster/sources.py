"""Jobs whose texts are in ConfigMaps."""

from __future__ import annotations

import json
from typing import Final

from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, wait_for
from tests.support import manifests

LABEL: Final = {"agentjobs.dev/source": "true"}


def source(name: str, script: str, labels: dict[str, str] | None = None) -> Manifest:
    metadata = {"name": name, "labels": LABEL if labels is None else labels}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"script.py": script},
    }


def referring(name: str) -> Manifest:
    """A job whose script is in the ConfigMap of its name."""
    return manifests.job(name, script={"configMapKeyRef": {"name": name, "key": "script.py"}})


def rewrite(kubectl: Kubectl, namespace: str, name: str, script: str) -> None:
    kubectl(
        "patch",
        "configmap",
        "-n",
        namespace,
        name,
        "--type=merge",
        "--patch",
        json.dumps({"data": {"script.py": script}}),
    )


def digest_after(agentjobs: Installed, namespace: str, name: str, before: str) -> str:
    """The digest on the card once it is another one."""

    def another() -> str:
        digest = str(agentjobs.job(namespace, name)["status"]["card"]["digest"])
        return digest if digest != before else ""

    return wait_for(another, 30, f"{name} has another card")

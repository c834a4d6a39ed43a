"""A program of the tests, in one file of Python, as a pod of the cluster.

So every cluster can be tested with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.installed import Installed
from tests.cluster.support import RESTRICTED, wait_for

PORT = 8080


@dataclass(frozen=True)
class SourcePod:
    """It runs in this namespace under this name.

    It is given its port as an argument, and answers a GET of `ready` when it is ready.
    """

    agentjobs: Installed
    namespace: str
    name: str
    source: Path
    ready: str = "/"

    def start(self) -> None:
        """Waits until it answers."""
        kubectl = self.agentjobs.kubectl
        kubectl.create(
            self.namespace,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": self.name},
                "data": {self.source.name: self.source.read_text()},
            },
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": self.name},
                "spec": self._pod(),
            },
        )
        kubectl(
            "wait",
            "-n",
            self.namespace,
            "--for=condition=Ready",
            f"pod/{self.name}",
            "--timeout=60s",
        )

    def _pod(self) -> dict[str, Any]:
        server = {
            "name": self.name,
            "image": self.agentjobs.settings()["runner"]["image"],
            "securityContext": RESTRICTED,
            "command": ["/opt/agentjobs/python3", f"/srv/{self.source.name}", str(PORT)],
            "readinessProbe": {"httpGet": {"path": self.ready, "port": PORT}, "periodSeconds": 1},
            "volumeMounts": [{"name": "source", "mountPath": "/srv"}],
        }
        return {
            "containers": [server],
            "volumes": [{"name": "source", "configMap": {"name": self.name}}],
            "terminationGracePeriodSeconds": 0,
        }

    @property
    def url(self) -> str:
        """As pods reach it. By the pod's address: the way to a Service takes a moment to appear."""
        pod = self.agentjobs.kubectl.json("get", "pod", "-n", self.namespace, self.name)
        return f"http://{pod['status']['podIP']}:{PORT}"

    def told(self) -> Any:
        """What it answers to a GET of `ready`, as JSON."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}:{PORT}/proxy{self.ready}"
        return json.loads(
            wait_for(
                lambda: self.agentjobs.kubectl("get", "--raw", path),
                10,
                f"{self.name} tells what it received",
            )
        )

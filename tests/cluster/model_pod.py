"""The tests' model server as a pod of the cluster, so that every cluster can be tested with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.installed import NAMESPACE, Installed
from tests.cluster.support import RESTRICTED, wait_for
from tests.model_server import KEY, MODELS

NAME = "model"
PORT = 8080
SECRET = "agentjobs-models"
SOURCE = Path(__file__).parents[1] / "model_server.py"
PRICE = {"input": 2, "output": 30}
"""Dollars for a million tokens, of the model `echo` only."""


@dataclass(frozen=True)
class ModelPod:
    """It runs in this namespace. Jobs name its models `test/<id>`; those of `locked` have a Secret that does not exist."""

    agentjobs: Installed
    namespace: str

    def start(self) -> None:
        """And the Secret with its key. Waits until it answers."""
        kubectl = self.agentjobs.kubectl
        kubectl.create(
            self.namespace,
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": {"test": KEY}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": {SOURCE.name: SOURCE.read_text()}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME}, "spec": self._pod()},
        )
        kubectl("wait", "-n", self.namespace, "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s")

    def _pod(self) -> dict[str, Any]:
        environment = self.agentjobs.kubectl.json("get", "deploy", "-n", NAMESPACE, "agentjobs")["spec"]["template"]["spec"]["containers"][
            0
        ]
        image = next(entry["value"] for entry in environment["env"] if entry["name"] == "AGENTJOBS_RUNNER_IMAGE")
        server = {
            "name": NAME,
            "image": image,
            "securityContext": RESTRICTED,
            "command": ["/opt/agentjobs/python3", f"/srv/{SOURCE.name}", str(PORT)],
            "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
            "volumeMounts": [{"name": "source", "mountPath": "/srv"}],
        }
        return {"containers": [server], "volumes": [{"name": "source", "configMap": {"name": NAME}}], "terminationGracePeriodSeconds": 0}

    def values(self) -> dict[str, object]:
        """The chart's, for an installation with these models. By the pod's address: the way to a Service takes a moment to appear."""
        pod = self.agentjobs.kubectl.json("get", "pod", "-n", self.namespace, NAME)
        url = f"http://{pod['status']['podIP']}:{PORT}"
        openai, anthropic = ("openai-completions", f"{url}/v1"), ("anthropic-messages", url)
        providers = {
            "test": (*openai, SECRET, "test"),
            "locked": (*openai, "agentjobs-no-such-secret", "key"),
            "claude": (*anthropic, SECRET, "test"),
        }
        found: dict[str, object] = {"models.default": "test/echo"}
        for provider, (api, url, secret, key) in providers.items():
            path = f"models.providers.{provider}"
            found |= {f"{path}.api": api, f"{path}.baseUrl": url, f"{path}.secret.name": secret, f"{path}.secret.key": key}
            found |= {f"{path}.models[{number}].id": model for number, model in enumerate(MODELS)}
        number = list(MODELS).index("echo")
        return found | {f"models.providers.test.models[{number}].cost.{kind}": price for kind, price in PRICE.items()}

    def received(self, model: str, api: str = "/chat/completions") -> list[list[dict[str, Any]]]:
        """The conversations that this model was sent by this API (a part of its path), oldest first. All of them carried the key."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{NAME}:{PORT}/proxy/"
        text = wait_for(lambda: self.agentjobs.kubectl("get", "--raw", path), 10, "the model server tells what it received")
        requests = [request for request in json.loads(text) if request["body"]["model"] == model and api in request["path"]]
        assert all(request["authorized"] for request in requests)
        return [request["body"]["messages"] for request in requests]

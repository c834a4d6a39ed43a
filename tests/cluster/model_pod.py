"""The tests' model server as a pod of the cluster, so that every cluster can be tested with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.cluster.installed import Installed
from tests.cluster.source_pod import SourcePod
from tests.support.root import ROOT
from tests.support.servers.model_server import KEY, MODELS

SECRET = "agentjobs-models"
SOURCE = ROOT / "tests/support/servers/model_server.py"
PRICE = {"input": 2, "output": 30}
"""Dollars for a million tokens, of the model `echo` only."""


@dataclass(frozen=True)
class ModelPod:
    """It runs in this namespace.

    Jobs name its models `test/<id>`; those of `locked` have a Secret that does not exist.
    """

    agentjobs: Installed
    namespace: str

    @property
    def _pod(self) -> SourcePod:
        return SourcePod(self.agentjobs, self.namespace, "model", SOURCE)

    def start(self) -> None:
        """And the Secret with its key. Waits until it answers."""
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET},
            "stringData": {"test": KEY},
        }
        self.agentjobs.kubectl.create(self.namespace, secret)
        self._pod.start()

    def values(self) -> dict[str, object]:
        """The chart's, for an installation with these models."""
        url = self._pod.url
        openai, anthropic = ("openai-completions", f"{url}/v1"), ("anthropic-messages", url)
        providers = {
            "test": (*openai, SECRET, "test"),
            "locked": (*openai, "agentjobs-no-such-secret", "key"),
            "claude": (*anthropic, SECRET, "test"),
        }
        found: dict[str, object] = {"models.default": "test/echo"}
        for provider, (api, url, secret, key) in providers.items():
            path = f"models.providers.{provider}"
            found |= {
                f"{path}.api": api,
                f"{path}.baseUrl": url,
                f"{path}.secret.name": secret,
                f"{path}.secret.key": key,
            }
            found |= {f"{path}.models[{number}].id": model for number, model in enumerate(MODELS)}
        number = list(MODELS).index("echo")
        return found | {
            f"models.providers.test.models[{number}].cost.{kind}": price
            for kind, price in PRICE.items()
        }

    def received(self, model: str, api: str = "/chat/completions") -> list[list[dict[str, Any]]]:
        """The conversations this model was sent by this API (a part of its path), oldest first.

        All of them carried the key.
        """
        requests = [
            request
            for request in self._pod.told()
            if request["body"]["model"] == model and api in request["path"]
        ]
        assert all(request["authorized"] for request in requests)
        return [request["body"]["messages"] for request in requests]

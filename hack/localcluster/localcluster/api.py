"""The few Kubernetes API calls of the cluster itself; kubectl would cost half a second for each."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

from .layout import Layout

APPLY = "application/apply-patch+yaml"  # JSON is YAML
MERGE = "application/merge-patch+json"


class Refused(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:300]}")
        self.status = status


class Api:
    """One identity's view of the cluster.

    A connection for each call: calls are rare, and a lost one needs no care.
    """

    def __init__(self, layout: Layout, identity: str) -> None:
        self._host = layout.node_ip
        self._tls = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
        self._tls.load_cert_chain(layout.pki / f"{identity}.crt", layout.pki / f"{identity}.key")

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        seconds: float = 5,
    ) -> Any:
        """Raises Refused for an answer of 400 and above, OSError or HTTPException without one."""
        answer = self._open(method, path, body, content_type, seconds)
        return json.loads(answer.read())

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def apply(self, path: str, manifest: dict[str, Any]) -> None:
        target = f"{path}/{manifest['metadata']['name']}"
        self.call("PATCH", f"{target}?fieldManager=local-cluster&force=true", manifest, APPLY)

    def watch(self, path: str, version: str, seconds: int = 300) -> Iterator[dict[str, Any]]:
        """Events until the server closes the watch, which is no error: list again."""
        target = f"{path}?watch=true&resourceVersion={version}&timeoutSeconds={seconds}"
        answer = self._open("GET", target, None, "", seconds + 10)
        while line := answer.readline():
            yield json.loads(line)

    def _open(
        self, method: str, path: str, body: object, content_type: str, seconds: float
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            self._host, 6443, timeout=seconds, context=self._tls
        )
        payload = None if body is None else json.dumps(body)
        headers = {"Accept": "application/json"}
        headers |= {"Content-Type": content_type} if payload else {}
        connection.request(method, path, payload, headers)
        answer = connection.getresponse()
        if answer.status >= 400:
            raise Refused(answer.status, answer.read().decode(errors="replace"))
        return answer

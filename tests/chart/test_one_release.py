"""A cluster has room for one release.

What `lookup` finds comes from an API server that knows just enough to be asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from tests.chart.helm import CHART, NAMESPACE, Helm, HelmError

RBAC: Final = "rbac.authorization.k8s.io"
SENTENCE: Final = "this cluster has a release of agentjobs already"


def binding(release: str, namespace: str, **labels: str) -> dict[str, Any]:
    ours = {
        "app.kubernetes.io/name": "agentjobs",
        "app.kubernetes.io/component": "operator",
        "app.kubernetes.io/instance": release,
    }
    metadata = {"name": release, "labels": {**ours, **labels}}
    return {
        "metadata": metadata,
        "subjects": [{"kind": "ServiceAccount", "name": release, "namespace": namespace}],
    }


@contextmanager
def api_server(bindings: list[dict[str, Any]]) -> Iterator[str]:
    """Its address. It has the kind that is looked up, and no other."""
    resource = {
        "name": "clusterrolebindings",
        "singularName": "",
        "namespaced": False,
        "kind": "ClusterRoleBinding",
        "verbs": ["list", "get"],
    }
    version = {"groupVersion": f"{RBAC}/v1", "version": "v1"}
    answers: dict[str, dict[str, Any]] = {
        "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [{"name": RBAC, "versions": [version], "preferredVersion": version}],
        },
        f"/apis/{RBAC}/v1": {
            "kind": "APIResourceList",
            "groupVersion": f"{RBAC}/v1",
            "resources": [resource],
        },
        f"/apis/{RBAC}/v1/clusterrolebindings": {
            "kind": "ClusterRoleBindingList",
            "apiVersion": f"{RBAC}/v1",
            "items": [
                {"kind": "ClusterRoleBinding", "apiVersion": f"{RBAC}/v1", **body}
                for body in bindings
            ],
        },
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            body = json.dumps(
                answer or {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
            ).encode()
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class has
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def rendered_against(helm: Helm, bindings: list[dict[str, Any]]) -> str:
    """What helm says. It goes on to what this server does not know, once the chart lets it."""
    with api_server(bindings) as address:
        where = (
            "--dry-run=server",
            "--kube-apiserver",
            address,
            "--namespace",
            NAMESPACE,
            "--set",
            "approval.stamp=false",
        )
        try:
            return helm("template", "agentjobs", CHART, *where)
        except HelmError as error:
            return str(error)


OTHERS: Final = {
    "another release": binding("second", NAMESPACE),
    "another namespace": binding("agentjobs", "elsewhere"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_second_release_is_refused_with_a_sentence(helm: Helm, other: str) -> None:
    told = rendered_against(helm, [binding("agentjobs", NAMESPACE), OTHERS[other]])
    release, namespace = (
        OTHERS[other]["metadata"]["name"],
        OTHERS[other]["subjects"][0]["namespace"],
    )
    assert (
        f"{SENTENCE}, {release} in namespace {namespace}, and has room for one: upgrade that one,"
        " or uninstall it first" in told
    )


def test_the_release_itself_and_what_others_have_are_in_nobodys_way(helm: Helm) -> None:
    foreign = {
        "metadata": {"name": "foreign"},
        "subjects": [{"kind": "Group", "name": "x", "apiGroup": RBAC}],
    }
    told = rendered_against(
        helm,
        [
            binding("agentjobs", NAMESPACE),
            binding("x", "y", **{"app.kubernetes.io/name": "other"}),
            foreign,
        ],
    )
    assert SENTENCE not in told


def test_where_nothing_can_be_looked_up_nothing_is_refused(helm: Helm) -> None:
    """As GitOps tools render it; there the doctor finds a second release."""
    assert helm("template", "second", CHART, "--namespace", "elsewhere", "--kube-version", "1.36.0")

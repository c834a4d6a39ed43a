"""Specs that the API server accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.cluster.installed import Manifest
from tests.cluster.support import Kubectl, KubectlError, wait_for
from tests.support import manifests

CRD: Final = "scheduledagentjobs.agentjobs.dev"


@contextmanager
def any_spec_accepted(kubectl: Kubectl, namespace: str) -> Iterator[None]:
    """The CRD without its rules, for a while; written as Helm does, to which it belongs."""
    crd = kubectl.json("get", "crd", CRD)
    crd["metadata"] = {
        name: crd["metadata"].get(name, {}) for name in ("name", "labels", "annotations")
    }
    del crd["status"]
    loose = json.loads(json.dumps(crd))
    schema = loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["x-kubernetes-validations"]
    schema["properties"]["spec"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    probe = json.dumps(manifests.job("probe", script=None))

    def accepted() -> bool:
        try:
            return "probe" in kubectl(
                "create", "--dry-run=server", "-n", namespace, "-f", "-", stdin=probe
            )
        except KubectlError:
            return False

    def write(body: Manifest) -> None:
        kubectl(
            "apply",
            "--server-side",
            "--field-manager=helm",
            "--force-conflicts",
            "-f",
            "-",
            stdin=json.dumps(body),
        )

    write(loose)
    try:
        wait_for(accepted, 30, "any spec is accepted")
        yield
    finally:
        write(crd)
        wait_for(lambda: not accepted(), 30, "bad specs are refused again")

"""The resources of this checkout's CRDs, as kubectl shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from agentjobs.api.names import GROUP
from tests.cluster.support import Kubectl, KubectlError
from tests.support.manifests import Manifest


@dataclass(frozen=True)
class Api:
    """The resources in one namespace, in the group of the CRDs under test.

    By full names: a short one finds the installed CRDs first.
    """

    kubectl: Kubectl
    group: str
    namespace: str

    def create(self, *objects: Manifest, output: str = "name", dry_run: str = "none") -> str:
        stream = "\n---\n".join(json.dumps(self.here(manifest)) for manifest in objects)
        return self.kubectl(
            "create",
            f"--dry-run={dry_run}",
            "--namespace",
            self.namespace,
            "--output",
            output,
            "-f",
            "-",
            stdin=stream,
        )

    def apply(self, manifest: Manifest) -> None:
        self.kubectl.apply(self.namespace, self.here(manifest))

    def refusal(self, manifest: Manifest) -> str:
        with pytest.raises(KubectlError) as refused:
            self.apply(manifest)
        return refused.value.stderr

    def get(self, resource: str, *options: str) -> str:
        return self.kubectl(
            "get", f"{resource}.{self.group}", "--namespace", self.namespace, *options
        )

    def one(self, resource: str, name: str, *options: str) -> Any:
        return json.loads(self.get(resource, name, "--output", "json", *options))

    def names(self, resource: str, selector: str) -> list[str]:
        found = self.get(resource, "--field-selector", selector, "--output", "name")
        return [line.partition("/")[2] for line in found.split()]

    def table(self, resource: str, *options: str) -> list[str]:
        """The lines of a table, with single spaces."""
        return [" ".join(line.split()) for line in self.get(resource, *options).splitlines()]

    def write_status(self, resource: str, name: str, status: Manifest) -> None:
        patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))
        self.kubectl(
            "patch", f"{resource}.{self.group}", name, "--namespace", self.namespace, *patch
        )

    def here(self, manifest: Manifest) -> Manifest:
        return {**manifest, "apiVersion": manifest["apiVersion"].replace(GROUP, self.group)}

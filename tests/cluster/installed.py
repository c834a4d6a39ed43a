"""The operator as its users install it: by Helm, running as a pod under its own service account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentjobs.testing.real_cluster.settings import SELECTOR, document_of
from tests.cluster.provider import Cluster
from tests.cluster.support import Kubectl, KubectlError, stream, wait_for
from tests.support import manifests
from tests.support.root import ROOT

IMAGES = (sys.executable, str(ROOT / "hack/images.py"))
NAMESPACE = "agentjobs-system"
VALUES = "VALUES"
"""On a cluster of the user's own: a Helm values file that names images which that cluster can
pull."""
FINAL = ("Succeeded", "Failed", "TimedOut", "Skipped", "Missed", "Cancelled")
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Installed:
    """The operator on a cluster, and what its users do with it."""

    kubectl: Kubectl
    helm: str
    values: Path

    def archives(self) -> list[str]:
        """The paths of the archives of both images."""
        command = (*IMAGES, "archives", str(self.values))
        shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return shown.stdout.splitlines()

    def install(self, **settings: object) -> None:
        """Install or upgrade, with chart values on top of the defaults.

        For example, `{"run.deadlineSeconds": 70}`.
        """
        sets = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        command = [
            self.helm,
            "upgrade",
            "--install",
            "agentjobs",
            str(ROOT / "charts/agentjobs"),
            "--namespace",
            NAMESPACE,
        ]
        command += [
            "--create-namespace",
            "--values",
            str(self.values),
            "--wait",
            "--timeout",
            "3m",
            *sets,
        ]
        environment = {**os.environ, "KUBECONFIG": self.kubectl.cluster.kubeconfig}
        ran = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=240, check=False
        )
        assert ran.returncode == 0, ran.stderr + self._log_if_any()
        wait_for(self.leads, 60, "the operator holds its lease")
        wait_for(self._answers, 60, "the API server takes approvals and runs")

    def _answers(self) -> bool:
        """For some seconds the server refuses a new kind's objects that a policy is to change."""
        try:
            self.kubectl(
                "create",
                "--dry-run=server",
                "-f",
                "-",
                stdin=stream(manifests.approval(), manifests.run()),
            )
        except KubectlError as error:
            return "ServiceUnavailable" not in str(error)
        return True

    @contextmanager
    def values_set(self, **settings: object) -> Iterator[None]:
        """Other chart values for a while."""
        self.install(**settings)
        try:
            yield
        finally:
            self.install()

    def pod(self) -> str:
        """Name of the operator's pod that runs."""
        pods = self.kubectl.json(
            "get", "pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=operator"
        )["items"]
        names = [
            p["metadata"]["name"]
            for p in pods
            if "deletionTimestamp" not in p["metadata"] and p["status"]["phase"] == "Running"
        ]
        assert names, "no operator pod runs"
        return str(names[0])

    def leads(self) -> bool:
        """The pod that runs is the leader."""
        lease = self.kubectl.json("get", "lease", "-n", NAMESPACE, "agentjobs-operator")
        return bool(lease["spec"].get("holderIdentity") == self.pod())

    def settings(self) -> Manifest:
        """The operator's, as the chart wrote them."""
        return document_of(
            self.kubectl.json("get", "configmaps", "-n", NAMESPACE, "-l", SELECTOR)["items"]
        )

    def log(self) -> str:
        """What the operator logged."""
        return self.kubectl("logs", "-n", NAMESPACE, "deploy/agentjobs", "--tail=2000")

    def _log_if_any(self) -> str:
        try:
            return self.log()
        except KubectlError:
            return ""

    def scale(self, replicas: int) -> None:
        """0 stops the operator and waits until it is gone; 1 waits until it leads."""
        self.kubectl("scale", "-n", NAMESPACE, "deploy/agentjobs", f"--replicas={replicas}")
        selector = ("-n", NAMESPACE, "-l", "app.kubernetes.io/component=operator")
        if replicas == 0:
            wait_for(
                lambda: not self.kubectl.json("get", "pods", *selector)["items"],
                60,
                "the operator is gone",
            )
        else:
            wait_for(self.leads, 60, "the operator holds its lease")

    def kill(self) -> None:
        """End the operator's pod at once, as a lost node would."""
        self.kubectl("delete", "pod", "-n", NAMESPACE, self.pod(), "--grace-period=0", "--force")

    def job(self, namespace: str, name: str) -> Manifest:
        """A ScheduledAgentJob as it is."""
        return dict(self.kubectl.json("get", "saj", "-n", namespace, name))

    def run(self, namespace: str, name: str) -> Manifest:
        """An AgentJobRun as it is."""
        return dict(self.kubectl.json("get", "ajr", "-n", namespace, name))

    def digest(self, namespace: str, name: str, seconds: float = 30) -> str:
        """The digest on the card of the spec as it is now."""

        def current() -> str:
            job = self.job(namespace, name)
            fresh = job.get("status", {}).get("observedGeneration") == job["metadata"]["generation"]
            return str(job["status"].get("card", {}).get("digest", "")) if fresh else ""

        return wait_for(current, seconds, f"{name} has a card")

    def approve(self, namespace: str, name: str, decision: str = "Approved") -> str:
        """Approve (or deny) the content as it is now; returns its digest."""
        digest = self.digest(namespace, name)
        body = manifests.approval(
            f"{name}-{decision.lower()}-{digest[:10]}",
            jobName=name,
            digest=digest,
            decision=decision,
        )
        self.kubectl.create(namespace, body)
        return digest

    def in_force(self, namespace: str, name: str, script: str, **spec: Any) -> str:
        """A job with this script, approved and in force; returns its digest."""
        self.kubectl.apply(namespace, manifests.job(name, script={"inline": script}, **spec))
        digest = self.approve(namespace, name)
        self.wait_condition(namespace, name, "Ready", "True")
        return digest

    def wait_condition(
        self, namespace: str, name: str, kind: str, status: str, seconds: float = 30
    ) -> Manifest:
        """A condition of a job, once it has this status."""

        def found() -> Manifest | None:
            conditions = self.job(namespace, name).get("status", {}).get("conditions", [])
            return next(
                (c for c in conditions if c["type"] == kind and c["status"] == status), None
            )

        condition = wait_for(found, seconds, f"{name}: condition {kind} is {status}")
        assert condition is not None
        return condition

    def start(self, namespace: str, name: str, run: str | None = None) -> str:
        """Trigger a run by hand; returns its name."""
        run = run or f"{name}-by-hand"
        self.kubectl.create(namespace, manifests.run(run, name))
        return run

    def finished(self, namespace: str, run: str, seconds: float = 60) -> Manifest:
        """The status of a run once it is final."""

        def status() -> Manifest | None:
            found: Manifest = self.run(namespace, run).get("status", {})
            return found if found.get("phase") in FINAL else None

        found = wait_for(status, seconds, f"the run {run} is finished")
        assert found is not None
        return found

    def ran(
        self, namespace: str, name: str, script: str, seconds: float = 60, **spec: Any
    ) -> Manifest:
        """The record of one manual run of this script, from the beginning."""
        self.in_force(namespace, name, script, **spec)
        return self.finished(namespace, self.start(namespace, name), seconds)


def find(kubectl: Kubectl, cluster: Cluster) -> Installed:
    """Where the values with the images come from: built here, except for a user's own cluster."""
    named = os.environ.get(VALUES)
    if named:
        return Installed(kubectl, cluster.helm, Path(named))
    assert cluster.source != "kubeconfig", (
        f"{VALUES} must name a Helm values file with images that the cluster in KUBECONFIG can pull"
    )
    values = ROOT / "build" / "images.json"
    built = subprocess.run((*IMAGES, "build"), stdout=subprocess.PIPE, text=True, check=True)
    json.loads(built.stdout)
    values.parent.mkdir(exist_ok=True)
    values.write_text(built.stdout)
    return Installed(kubectl, cluster.helm, values)

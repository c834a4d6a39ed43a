"""The operator's process: what its metrics say, and its end without a signal it could catch."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.cluster.installed import NAMESPACE, Installed
from tests.cluster.support import Kubectl, wait_for

OPERATORS: Final = ("-n", NAMESPACE, "-l", "app.kubernetes.io/component=operator")
KILLER: Final = "killer"
SCRIPT: Final = """\
import os, pathlib, sys
for cgroup in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
    try:
        if sys.argv[1] in cgroup.read_text():
            os.kill(int(cgroup.parent.name), int(sys.argv[2]))
    except OSError:
        pass  # it ended by itself
"""
CONTROLLERS: Final = """\
import os, pathlib, sys
def line(pid):
    while pid > 1:
        yield pid
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    yield pid
found = []
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        if (folder / "cmdline").read_text().partition("\\0")[0].endswith("kube-controller-manager"):
            found.append(list(line(int(folder.name))))
    except OSError:
        pass  # it ended by itself
below = ([each[0] for each in found if pid in each] for pid in line(os.getpid()))
ours = next(pids for pids in below if pids)
for pid in ours:
    os.kill(pid, int(sys.argv[1]))
print(len(ours))
"""
"""Of several clusters on one machine: the one that is the closest relative of this process."""


def ask(kubectl: Kubectl, pod: str, path: str) -> str:
    """What the HTTP server of an operator answers."""
    return kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/{path}")


def metrics(kubectl: Kubectl, pod: str) -> dict[str, float]:
    """By name with labels."""
    lines = (
        line.rsplit(" ", 1)
        for line in ask(kubectl, pod, "metrics").splitlines()
        if not line.startswith("#")
    )
    return {name: float(value) for name, value in lines}


def reconciles(kubectl: Kubectl, pod: str) -> float:
    """How many have gone well since the process started."""
    return metrics(kubectl, pod).get('agentjobs_reconciles_total{result="ok"}', 0)


def leader(kubectl: Kubectl) -> str:
    """The pod that holds the lease and acts; empty if there is none."""
    holder = str(
        kubectl.json("get", "lease", "-n", NAMESPACE, "agentjobs-operator")["spec"].get(
            "holderIdentity"
        )
        or ""
    )
    return holder if holder and metrics(kubectl, holder)["agentjobs_leading"] else ""


def signals(kubectl: Kubectl, namespace: str, pod: str, number: signal.Signals) -> None:
    """All processes of a pod's container get this signal, by the killer's pod."""
    status = kubectl.json("get", "pod", "-n", namespace, pod)["status"]["containerStatuses"][0]
    words = (status["containerID"].rpartition("/")[2], str(number.value))
    kubectl("exec", "-n", NAMESPACE, KILLER, "--", "python3", "-c", SCRIPT, *words)


@dataclass(frozen=True)
class Killer:
    """Has a pod that sees every process of the node.

    Within its own pod nothing can send SIGKILL to a container's first process.
    """

    kubectl: Kubectl

    def kill(self, pod: str) -> None:
        """SIGKILL for the operator; the kubelet restarts it, at once if it is the pod's first."""
        signals(self.kubectl, NAMESPACE, pod, signal.SIGKILL)

    def kill_with_pod(self, pod: str) -> None:
        """The same, and its pod is gone, too."""
        self.kill(pod)
        self.kubectl("delete", "pod", "-n", NAMESPACE, pod, "--grace-period=0", "--force")

    @contextmanager
    def stopped(self, pod: str) -> Iterator[None]:
        """The operator stands still. Shorter than its probes are patient."""
        signals(self.kubectl, NAMESPACE, pod, signal.SIGSTOP)
        try:
            yield
        finally:
            signals(self.kubectl, NAMESPACE, pod, signal.SIGCONT)

    @contextmanager
    def controllers_stopped(self) -> Iterator[None]:
        """As if the node of the controller manager were lost.

        No CronJob starts, no Job makes a pod, nothing is collected.
        """
        self._controllers(signal.SIGSTOP)
        try:
            yield
        finally:
            self._controllers(signal.SIGCONT)

    def _controllers(self, number: signal.Signals) -> None:
        told = self.kubectl(
            "exec", "-n", NAMESPACE, KILLER, "--", "python3", "-c", CONTROLLERS, str(number.value)
        )
        assert int(told) == 1

    def free_lease(self) -> None:
        """As if the 15 s of a dead holder were over."""
        freed = '{"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}}'
        self.kubectl(
            "patch", "lease", "-n", NAMESPACE, "agentjobs-operator", "--type=merge", "-p", freed
        )


@contextmanager
def killer(agentjobs: Installed) -> Iterator[Killer]:
    """On the operator's node, from the operator's image, which the node has."""
    kubectl = agentjobs.kubectl
    operator = kubectl.json("get", "pod", "-n", NAMESPACE, agentjobs.pod())
    image = operator["spec"]["containers"][0]
    container = {
        "name": KILLER,
        "image": image["image"],
        "imagePullPolicy": image["imagePullPolicy"],
        "command": ["python3", "-c", "import signal; signal.pause()"],
        "securityContext": {"runAsUser": 0},
    }
    spec: dict[str, Any] = {
        "nodeName": operator["spec"]["nodeName"],
        "hostPID": True,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    kubectl.create(
        NAMESPACE, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": KILLER}, "spec": spec}
    )
    try:
        kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", f"pod/{KILLER}", "--timeout=60s")
        yield Killer(kubectl)
    finally:
        kubectl("delete", "pod", "-n", NAMESPACE, KILLER, "--now")
        wait_for(lambda: leader(kubectl), 60, "an operator leads")

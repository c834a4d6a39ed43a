"""The cluster that the tests in this folder run on: the one that `make` works on, see `choice`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.root import ROOT

TOOL = ROOT / "hack" / "cluster.py"


class NoClusterError(RuntimeError):
    """The message says what is missing and what to do."""


@dataclass(frozen=True)
class Cluster:
    """How to reach a cluster: the value for KUBECONFIG, and the kubectl and helm that fit."""

    source: str
    kubeconfig: str
    tools: str

    @property
    def kubectl(self) -> str:
        return str(Path(self.tools) / "kubectl")

    @property
    def helm(self) -> str:
        """Beside kubectl, or wherever PATH finds it: the tool has checked that it is there."""
        beside = Path(self.tools) / "helm"
        return str(beside) if beside.exists() else shutil.which("helm") or "helm"


def provide() -> Cluster:
    """Starts what has to be started. Raises NoClusterError."""
    ask("up")
    return Cluster(ask("source"), ask("kubeconfig"), ask("bin"))


def ask(command: str) -> str:
    """What the tool prints; progress goes to the terminal: a first start compiles Kubernetes."""
    ran = subprocess.run(
        [sys.executable, str(TOOL), command],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
        check=False,
    )
    if ran.returncode:
        raise NoClusterError(
            f"no cluster to test on: `hack/cluster.py {command}` failed; its words are above"
        )
    return ran.stdout.strip()

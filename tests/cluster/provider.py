"""Which cluster the tests in this folder run on, and how to come by it.

A kubeconfig that the user names comes first; then kind, where pytest-kind-ng is installed (`--group kind`) and a Docker daemon answers;
else the local cluster, which needs neither. kind must run the Kubernetes version of the local cluster: pytest's options
`--kind-image` and `--kind-bin` say which.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

LOCAL_CLUSTER = Path(__file__).parent / "local" / "cluster.py"
KIND_PLUGINS = ("pytest-kind-ng", "pytest-kind")

Source = Literal["kubeconfig", "kind", "local"]


class NoClusterError(RuntimeError):
    """The message says what is missing and what to do."""


@dataclass(frozen=True)
class Machine:
    """What there is to choose from. `kubeconfig` is the user's KUBECONFIG, a list of files perhaps."""

    kubeconfig: str | None
    kind_plugin: bool
    docker_daemon: bool


@dataclass(frozen=True)
class Cluster:
    """How to reach a cluster: the value for KUBECONFIG and the kubectl that fits."""

    source: Source
    kubeconfig: str
    kubectl: str


def choose(machine: Machine) -> Source:
    if machine.kubeconfig:
        return "kubeconfig"
    return "kind" if machine.kind_plugin and machine.docker_daemon else "local"


def look(environment: Mapping[str, str], plugins: pytest.PytestPluginManager) -> Machine:
    plugin = any(map(plugins.hasplugin, KIND_PLUGINS))
    return Machine(environment.get("KUBECONFIG"), plugin, plugin and docker_answers())


def docker_answers() -> bool:
    """A client alone is not enough, so the daemon is asked."""
    try:
        asked = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def kubectl_on_path() -> str:
    found = shutil.which("kubectl")
    if found is None:
        raise NoClusterError("kubectl is not on PATH; the tests use the one that fits the cluster in KUBECONFIG")
    return found


def provide(source: Source, environment: Mapping[str, str], request: pytest.FixtureRequest) -> Cluster:
    """Starts what has to be started. Raises NoClusterError."""
    match source:
        case "kubeconfig":
            return Cluster(source, environment["KUBECONFIG"], kubectl_on_path())
        case "kind":
            kind = request.getfixturevalue("kind_cluster")
            kind.ensure_kubectl()
            return Cluster(source, str(kind.kubeconfig_path.resolve()), str(kind.kubectl_path.resolve()))
        case "local":
            _local("up")
            return Cluster(source, _local("kubeconfig"), str(Path(_local("bin")) / "kubectl"))


def _local(command: str) -> str:
    """What the local cluster's tool prints; its progress goes to the terminal, since a first start compiles Kubernetes."""
    ran = subprocess.run([sys.executable, str(LOCAL_CLUSTER), command], stdout=subprocess.PIPE, text=True, env=os.environ, check=False)
    if ran.returncode:
        raise NoClusterError(f"the local cluster did not answer to `cluster.py {command}`; its words are above")
    return ran.stdout.strip()

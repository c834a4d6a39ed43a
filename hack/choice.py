"""Which cluster tests and `make` work on.

A kubeconfig that the user names comes first; then kind, where pytest-kind-ng is installed (`make`
does that, from the dependency group `kind`, where a Docker daemon answers); else the local cluster,
which needs neither. Standard library only: `make` asks before any package is installed.
"""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LOCAL_CLUSTER = Path(__file__).parent / "localcluster" / "cluster.py"

Source = Literal["kubeconfig", "kind", "local"]


@dataclass(frozen=True)
class Machine:
    """What there is to choose from.

    `kubeconfig` is the user's KUBECONFIG, a list of files perhaps; `local` that of the local
    cluster.
    """

    kubeconfig: str | None
    kind_plugin: bool
    docker_daemon: bool
    local: str = ""


def choose(machine: Machine) -> Source:
    """The local cluster's own kubeconfig names it: a shell pointed at it still works on it."""
    if machine.kubeconfig and machine.kubeconfig != machine.local:
        return "kubeconfig"
    has_kind = machine.kind_plugin and machine.docker_daemon
    return "kind" if has_kind and not machine.kubeconfig else "local"


def look(environment: Mapping[str, str], local: str) -> Machine:
    plugin = importlib.util.find_spec("pytest_kind") is not None
    return Machine(environment.get("KUBECONFIG"), plugin, plugin and docker_answers(), local)


def docker_answers() -> bool:
    """A client alone is not enough, so the daemon is asked."""
    try:
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0

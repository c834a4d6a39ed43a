"""Where one cluster keeps its files, and which names and addresses are its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NODE_NAME = "node-1"
SLOTS = 200
"""How many clusters fit side by side: each has its own 10.244.SLOT.0/24."""
STATE_VARIABLE = "AGENTJOBS_LOCAL_CLUSTER_STATE"
"""Environment variable that names another cluster than the checkout's own."""


def cache_root(environment: Mapping[str, str], home: Path) -> Path:
    """Follows the XDG base directory specification, which ignores a relative XDG_CACHE_HOME."""
    chosen = Path(environment.get("XDG_CACHE_HOME", ""))
    return (chosen if chosen.is_absolute() else home / ".cache") / "agentjobs" / "local-cluster"


def state_key(checkout: Path, environment: Mapping[str, str]) -> str:
    """The cluster's name: two checkouts never share one, and the same one always finds its own."""
    chosen = re.sub(r"[^a-z0-9-]", "-", environment.get(STATE_VARIABLE, "").lower())
    return chosen or f"{checkout.name}-{hashlib.sha256(str(checkout).encode()).hexdigest()[:8]}"


def preferred_slot(key: str) -> int:
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % SLOTS


@dataclass(frozen=True)
class Layout:
    """Pure names: making one touches nothing.

    The slot is the one recorded, or else the preferred one.
    """

    cache: Path
    key: str
    slot: int
    binaries: Path

    @property
    def state(self) -> Path:
        return self.cache / "state" / self.key

    @property
    def run(self) -> Path:
        """Only while the cluster is up; readiness and process ids."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        """Of the last `up`; kept by `down`, so that a failure can be read afterwards."""
        return self.state / "logs"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def image_store(self) -> Path:
        """containerd's root. It outlives `down`, so that images need not be loaded again."""
        return self.state / "containerd"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "admin.kubeconfig"

    @property
    def slot_file(self) -> Path:
        return self.state / "slot"

    @property
    def subnet(self) -> str:
        return f"10.244.{self.slot}.0/24"

    @property
    def node_ip(self) -> str:
        """The bridge: node, API server and DNS, reachable from pods and from the host."""
        return f"10.244.{self.slot}.1"

    @property
    def host_ip(self) -> str:
        """The host as pods see it."""
        return f"10.244.{self.slot}.254"

    @property
    def server(self) -> str:
        return f"https://{self.node_ip}:6443"

    @property
    def host_link(self) -> str:
        """At most 15 characters (IFNAMSIZ)."""
        return f"ajobs{self.slot}"

    @property
    def cgroup(self) -> str:
        return f"agentjobs-{self.slot}"


def arguments(layout: Layout) -> list[str]:
    """What `from_arguments` reads in a process of the cluster."""
    return [str(layout.cache), layout.key, str(layout.slot), str(layout.binaries)]


def from_arguments(words: list[str]) -> Layout:
    cache, key, slot, binaries = words
    return Layout(Path(cache), key, int(slot), Path(binaries))

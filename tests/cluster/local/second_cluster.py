"""A second local cluster for its own tests, and what this host looks like beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster import base_image, build, cgroups, lifecycle, network
from localcluster.components import EMULATED
from localcluster.layout import STATE_VARIABLE, Layout, cache_root, preferred_slot
from tests.support.root import ROOT

COMMAND = ROOT / "hack/localcluster/cluster.py"
FIXED_PLACES = (
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/pods",
    "/var/log/containers",
    "/opt/containerd",
    "/run/containerd",
)
KERNEL_SETTINGS = (
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
)


@dataclass(frozen=True)
class Cluster:
    """One cluster by its name, through the same commands that people use."""

    key: str
    emulated: str = ""
    """An older minor of Kubernetes, as its API server is to be."""

    @property
    def layout(self) -> Layout:
        cache = cache_root(os.environ, Path.home())
        return lifecycle.recorded(
            Layout(cache, self.key, preferred_slot(self.key), build.binaries(cache))
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(COMMAND), *words]
        return subprocess.Popen(
            command,
            env=os.environ | {STATE_VARIABLE: self.key, EMULATED: self.emulated},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """What it printed to stdout and to stderr."""
        with self.start(*words) as child:
            try:
                stdout, stderr = child.communicate(timeout=120)
            finally:
                child.kill()
        assert child.returncode == code, stdout + stderr
        return stdout, stderr

    def forget(self) -> None:
        """Down, and its images gone, too: they are of some size."""
        self.run("down")
        shutil.rmtree(self.layout.state)

    def kubectl(self, *words: str, stdin: object = None) -> str:
        command = [
            str(self.layout.binaries / "kubectl"),
            "--kubeconfig",
            str(self.layout.kubeconfig),
            *words,
        ]
        done = subprocess.run(
            command,
            input=json.dumps(stdin) if stdin else None,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def create(self, *manifests: dict[str, Any]) -> None:
        self.kubectl(
            "create",
            "-f",
            "-",
            stdin={"apiVersion": "v1", "kind": "List", "items": list(manifests)},
        )

    def log_of(self, pod: str) -> str:
        """Of a pod that succeeds."""
        eventually(lambda: self._phase(pod) in ("Succeeded", "Failed"), f"pod {pod} to finish", 60)
        log = self.kubectl("logs", pod)
        assert self._phase(pod) == "Succeeded", log
        return log

    def _phase(self, pod: str) -> str:
        return self.kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}")


@dataclass(frozen=True)
class Host:
    """What a cluster could leave behind on this machine outside its own directory."""

    packet_filter: str
    mounts: tuple[str, ...]
    links: tuple[str, ...]
    network_namespaces: tuple[str, ...]
    fixed_places: tuple[str, ...]
    kernel_settings: tuple[str, ...]

    @classmethod
    def seen(cls, layout: Layout) -> Host:
        """Others work on this machine meanwhile.

        Of mounts and links only those count that could be this cluster's.
        """
        rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
        mounts = Path("/proc/mounts").read_text().splitlines()
        return cls(
            packet_filter="\n".join(
                line.partition(" [")[0] for line in rules.splitlines() if not line.startswith("#")
            ),
            mounts=tuple(
                line
                for line in mounts
                if str(layout.state) in line or "/kubelet/" in line or "/netns/cni" in line
            ),
            links=tuple(
                name
                for name, alias in network.links().items()
                if alias == layout.key or name in ("cbr0", "host0")
            ),
            network_namespaces=tuple(
                sorted(path.name for path in Path("/run/netns").glob("cni-*"))
            ),
            fixed_places=tuple(place for place in FIXED_PLACES if Path(place).exists()),
            kernel_settings=tuple(Path("/proc/sys", name).read_text() for name in KERNEL_SETTINGS),
        )


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.1)


def descendants(pid: int) -> list[int]:
    """Process ids as the host sees them: components, container shims, what runs in containers."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def alive(pids: list[int], layout: Layout) -> list[int]:
    """Those still running, and others that name the cluster's directory or sit in its cgroup."""
    left = [
        pid
        for pid in pids
        if (stat := Path(f"/proc/{pid}/stat")).exists()
        and stat.read_text().rpartition(")")[2].split()[0] != "Z"
    ]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words, group = (entry / "cmdline").read_text(), (entry / "cgroup").read_text()
        except OSError:
            continue
        if f"{layout.state}/" in words or f"/{layout.cgroup}/" in group:
            left.append(int(entry.name))
    return left


def assert_nothing_left(cluster: Cluster, pids: list[int], before: Host) -> None:
    layout = cluster.layout
    assert alive(pids, layout) == []
    assert Host.seen(layout) == before
    assert cgroups.left(layout.cgroup) == []
    assert not layout.run.exists()


def supervisor_pid(cluster: Cluster) -> int:
    process = lifecycle.supervisor(cluster.layout)
    assert process is not None
    return process.pid


def pod(name: str, program: str, claim: str = "", **spec: Any) -> dict[str, Any]:
    """Runs a Python program once, as uid 1234."""
    container: dict[str, Any] = {
        "name": "main",
        "image": base_image.NAME,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", program],
    }
    volumes = []
    if claim:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    container |= spec.pop("container", {})
    security = {"runAsUser": 1234, "runAsGroup": 1234, "fsGroup": 4321}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": security,
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
            "volumes": volumes,
        }
        | spec,
    }


def claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": spec,
    }


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:6]}"

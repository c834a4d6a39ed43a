"""The cluster's own cgroup, the one thing besides the host's link that no namespace takes away."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from . import processes

CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids", "hugetlb")


def hierarchies(mounts: str) -> dict[Path, str]:
    """Cgroup mount points in the text of /proc/mounts, with type: cgroup (version 1) or cgroup2."""
    rows = (line.split() for line in mounts.splitlines())
    return {Path(row[1]): row[2] for row in rows if row[2] in ("cgroup", "cgroup2")}


def _mounted() -> dict[Path, str]:
    return hierarchies(Path("/proc/mounts").read_text())


def create(name: str) -> None:
    """The kubelet demands that its cgroup root is there in every hierarchy."""
    found = _mounted()
    unified_only = set(found.values()) == {"cgroup2"}
    for top, kind in found.items():
        if unified_only:
            _delegate(top)
        if kind == "cgroup" or unified_only:
            (top / name).mkdir(exist_ok=True)
            _inherit_cpus(top, name)


def _delegate(top: Path) -> None:
    for controller in CONTROLLERS:
        with contextlib.suppress(OSError):  # a controller that this kernel lacks
            (top / "cgroup.subtree_control").write_text(f"+{controller}")


def _inherit_cpus(top: Path, name: str) -> None:
    """A new cpuset of version 1 is empty, and no process can enter an empty one."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        if (top / "tasks").exists() and (top / file).exists():
            (top / name / file).write_text((top / file).read_text())


def remove(name: str, seconds: float = 10) -> None:
    """Waits for the kernel to let the last process go: a cgroup with one in it is not removable."""
    tops = [top / name for top in _mounted()]

    def gone() -> bool:
        for top in tops:
            for directory, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(directory).rmdir()
        return not any(top.exists() for top in tops)

    remedy = f"`cat {tops[0]}/cgroup.procs` and those of its children tell which"
    message = f"processes are left in the cgroup {name}: {remedy}"
    processes.wait_until(gone, seconds, lambda: processes.Failure(message))


def left(name: str) -> list[Path]:
    return [top / name for top in _mounted() if (top / name).exists()]

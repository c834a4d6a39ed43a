"""up, down and status: the one place that joins everything else."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import cgroups, configuration, containers, network, pki, processes
from . import layout as layouts
from .api import Api, Refused
from .components import SUPERVISOR_PACKAGE
from .images import Store
from .isolation import PRIVATE
from .layout import NODE_NAME, Layout
from .processes import Failure, Process, report

READY_SECONDS = 90
RESTARTS = 3
"""A component that ended this often is not going to come up."""


def recorded(layout: Layout) -> Layout:
    """With the slot that the last `up` got."""
    with contextlib.suppress(OSError, ValueError):
        return replace(layout, slot=int(layout.slot_file.read_text()))
    return layout


def supervisor(layout: Layout) -> Process | None:
    return processes.recall(layout.run / "supervisor.json")


@contextlib.contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """One `up` or `down` of a cluster at a time."""
    message = f"another `up` or `down` of the cluster {layout.key} is still running after 120 s"
    with processes.exclusively(layout.state / "command.lock", 120, lambda: Failure(message)):
        yield


def up(layout: Layout) -> Layout:
    """Also finishes what an interrupted `up` began. Returns the layout with the slot in use."""
    for hidden in PRIVATE:
        if layout.cache.is_relative_to(hidden):
            where = f"the cache directory {layout.cache} lies in {hidden}"
            raise Failure(f"{where}, which the cluster hides: set XDG_CACHE_HOME elsewhere")
    with alone(layout):
        layout = recorded(layout)
        first = supervisor(layout)
        if first and is_ready(layout):
            report(f"already up: {layout.server}")
            return layout
        if not first:
            layout = _start(layout)
        _finish(layout)
        report(f"up: {layout.server}, kubeconfig {layout.kubeconfig}")
        return layout


def _start(layout: Layout) -> Layout:
    _clean(layout)
    layout = network.claim(layout)
    processes.replace_text(layout.slot_file, str(layout.slot))
    _set_logs_aside(layout)
    for directory in (layout.logs, layout.run):
        directory.mkdir(parents=True)
    # Until the runtime has ended in order again.
    (layout.image_store / containers.CLEAN).unlink(missing_ok=True)
    cgroups.create(layout.cgroup)
    pki.ensure(layout)
    configuration.write(layout)
    report(f"starting {layout.key} in {layout.subnet}")
    program = [sys.executable, "-m", "localcluster.supervisor", *layouts.arguments(layout)]
    command = ["unshare", "--net", "--mount", "--pid", "--ipc", "--fork", *program]
    with (layout.logs / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_environment(),
            cwd="/",
        )
    return layout


def _set_logs_aside(layout: Layout) -> None:
    """Those of the previous cluster stay for anyone who learns late that something went wrong."""
    previous = layout.logs.with_name("logs.previous")
    shutil.rmtree(previous, ignore_errors=True)
    if layout.logs.exists():
        layout.logs.rename(previous)


def _environment() -> dict[str, str]:
    """Without proxies: a component that called others through one would not reach them."""
    kept = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    path = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    return kept | {
        "PYTHONPATH": str(SUPERVISOR_PACKAGE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": path,
    }


def _finish(layout: Layout) -> None:
    log = layout.logs / "supervisor.log"
    processes.wait_until(
        (layout.run / "isolated").exists,
        20,
        lambda: processes.failed("the cluster's namespaces were not made", log),
    )
    process = _alive(layout)
    network.attach(layout, process.pid)
    _await(layout, "containerd")
    Store(layout, process.pid).load_pause(layout.binaries / "pause")
    for name in ("apiserver", "kubelet", "controller-manager", "scheduler", "proxy", "dns"):
        _await(layout, name)
        report(f"{name} is ready")
    processes.wait_until(
        lambda: is_ready(layout),
        READY_SECONDS,
        lambda: processes.failed("the node did not become Ready", layout.logs / "kubelet.log"),
    )


def _alive(layout: Layout) -> Process:
    process = supervisor(layout)
    if not process:
        raise processes.failed("the cluster's supervisor ended", layout.logs / "supervisor.log")
    return process


def components(layout: Layout) -> dict[str, dict[str, Any]]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, dict[str, Any]] = json.loads((layout.run / "status.json").read_text())
        return found
    return {}


def _await(layout: Layout, name: str) -> None:
    log = layout.logs / f"{name}.log"

    def ready() -> bool:
        _alive(layout)
        one = components(layout).get(name, {})
        if one.get("restarts", 0) >= RESTARTS:
            what = f"{name} ended {one['restarts']} times (run `down` before the next `up`)"
            raise processes.failed(what, log)
        return bool(one.get("ready"))

    processes.wait_until(
        ready,
        READY_SECONDS,
        lambda: processes.failed(f"{name} was not ready after {READY_SECONDS} s", log),
    )


def is_ready(layout: Layout) -> bool:
    """Whether a pod made now would run.

    For that the node is Ready, and the pod's namespace has the service account that pods get.
    """
    try:
        api = Api(layout, "admin")
        conditions = api.get(f"/api/v1/nodes/{NODE_NAME}")["status"].get("conditions", [])
        api.get("/api/v1/namespaces/default/serviceaccounts/default")
    except (OSError, http.client.HTTPException, Refused):
        return False
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def down(layout: Layout) -> None:
    """Works from any state, a half-made or already broken one too."""
    with alone(layout):
        layout = recorded(layout)
        process = _running(layout)
        if process:
            _end(layout, process)
        _clean(layout)
        found = "" if process else " was not running, leftovers removed"
        report(f"down: {layout.key}{found}")


def _running(layout: Layout) -> Process | None:
    """A supervisor that has just been started takes a moment to say who it is."""
    lock = layout.run / "lock"
    if lock.exists():

        def known() -> bool:
            if supervisor(layout):
                return True
            with (
                contextlib.suppress(Failure),
                processes.exclusively(lock, 0, lambda: Failure("held")),
            ):
                return True
            return False

        message = f"some process holds {lock} but is not known: `fuser {lock}` tells which"
        processes.wait_until(known, 5, lambda: Failure(message))
    return supervisor(layout)


def _end(layout: Layout, process: Process) -> None:
    process.send(signal.SIGTERM)
    still = Failure(f"the supervisor {process.pid} did not end")
    try:
        processes.wait_until(lambda: not process.alive, 20, lambda: still)
    except Failure:
        report("the supervisor did not end in 20 s: killing it")
        process.send(signal.SIGKILL)
        processes.wait_until(lambda: not process.alive, 10, lambda: still)


def _clean(layout: Layout) -> None:
    """Everything but keys, logs and, when it was left in order, the image store."""
    network.release(layout)
    cgroups.remove(layout.cgroup)
    for name in ("run", "etcd", "kubelet", "volumes", "cni"):
        shutil.rmtree(layout.state / name, ignore_errors=True)
    if not (layout.image_store / containers.CLEAN).exists():
        shutil.rmtree(layout.image_store, ignore_errors=True)


def status(layout: Layout) -> tuple[bool, list[str]]:
    """Whether it can be used, and lines for the screen."""
    layout = recorded(layout)
    process = supervisor(layout)
    if not process:
        return False, [f"cluster: {layout.key}", "state: down"]
    ready = is_ready(layout)
    lines = [
        f"cluster: {layout.key}",
        f"state: {'up' if ready else 'not ready'}",
        f"server: {layout.server}",
        f"host address for pods: {layout.host_ip}",
        f"kubeconfig: {layout.kubeconfig}",
        f"commands: {layout.binaries}",
        f"audit log: {layout.audit_log}",
        f"logs: {layout.logs}",
    ]
    lines += [
        f"{name}: {'ready' if one['ready'] else 'not ready'}, {one['restarts']} restarts"
        for name, one in components(layout).items()
    ]
    return ready, lines


def entered(layout: Layout) -> tuple[str, ...]:
    """The words before a command that is to run in the cluster's namespaces."""
    process = supervisor(recorded(layout))
    if not process:
        raise Failure(f"the cluster {layout.key} is not up: run the command `up`")
    return ("nsenter", "-t", str(process.pid), "-n", "-m", "-p", "-i")


def store(layout: Layout) -> Store:
    process = supervisor(layout)
    if not process:
        raise Failure(f"the cluster {layout.key} is not up: run the command `up`")
    return Store(layout, process.pid)


def checkout() -> Path:
    """The root of the checkout that this file belongs to."""
    return Path(__file__).resolve().parents[3]

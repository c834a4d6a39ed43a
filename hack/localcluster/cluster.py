#!/usr/bin/env python3
"""A real one-node Kubernetes cluster for tests, without Docker: plain processes in namespaces."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from localcluster import base_image, build, lifecycle, prerequisites, processes
from localcluster.layout import STATE_VARIABLE, Layout, cache_root, preferred_slot, state_key

EPILOG = f"""
Progress goes to stderr, results to stdout, so `KUBECONFIG=$(cluster.py kubeconfig)` works.

Everything is compiled once, which takes some 13 minutes on two cores and 10 GB of disk meanwhile,
and is kept in $XDG_CACHE_HOME/agentjobs/local-cluster (by default under ~/.cache). Each checkout
has a cluster of its own, and several run side by side; {STATE_VARIABLE}=NAME chooses
another one than the checkout's.

Pods get addresses in 10.244.SLOT.0/24 and reach this host at 10.244.SLOT.254 (`status` says which
slot). Nothing outside is reachable from pods. NetworkPolicies are not enforced.
"""


STAND_IN = "Debian with Python, offline stand-in for a public base image"


def parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="cluster.py", description=__doc__, epilog=EPILOG, formatter_class=plain
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("prerequisites", "check what this machine needs and install missing Debian packages"),
        ("build", "compile Kubernetes, etcd, CoreDNS and Helm, unless that is done"),
        ("up", "start the cluster and wait until pods can run; does the two above as needed"),
        ("down", "end everything that `up` started and delete the cluster's state"),
        ("status", "say what is running; exit code 1 unless the cluster can be used"),
        ("kubeconfig", "print the path of the administrator's kubeconfig"),
        ("bin", "print the directory that holds kubectl and helm"),
        ("audit-log", "print the path of the API server's audit log (JSON lines)"),
        ("base-image", f"build {base_image.NAME} ({STAND_IN})"),
    ):
        commands.add_parser(name, help=text, description=text)
    load = commands.add_parser(
        "load", help="load OCI or Docker image archives into the node, unless they are there"
    )
    load.add_argument("archive", nargs="+", type=Path)
    inside = commands.add_parser(
        "node-exec", help="run a command inside the cluster's namespaces: node-exec -- ip address"
    )
    inside.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD")
    return top


def layout_of(environment: dict[str, str]) -> Layout:
    cache, key = cache_root(environment, Path.home()), state_key(lifecycle.checkout(), environment)
    return lifecycle.recorded(Layout(cache, key, preferred_slot(key), build.binaries(cache)))


def start(layout: Layout) -> None:
    prerequisites.ensure(layout.cache)
    build.ensure(layout.cache)
    lifecycle.up(layout)


def load(layout: Layout, archives: list[Path]) -> None:
    store = lifecycle.store(layout)
    for archive in archives:
        processes.report(f"{archive}: {'loaded' if store.load(archive) else 'is there already'}")


def show_status(layout: Layout) -> None:
    usable, lines = lifecycle.status(layout)
    print("\n".join(lines))
    sys.exit(0 if usable else 1)


def node_exec(layout: Layout, words: list[str]) -> None:
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        raise processes.Failure("node-exec needs a command: node-exec -- ip address")
    path = f"{layout.binaries}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    inside, environment = [*lifecycle.entered(layout), *command], os.environ | {"PATH": path}
    os.execvpe(inside[0], inside, environment)  # noqa: S606  passes signals and the terminal on


def main() -> None:
    chosen = parser().parse_args()
    layout = layout_of(dict(os.environ))
    actions: dict[str, Callable[[], object]] = {
        "prerequisites": lambda: prerequisites.ensure(layout.cache),
        "build": lambda: build.ensure(layout.cache),
        "up": lambda: start(layout),
        "down": lambda: lifecycle.down(layout),
        "status": lambda: show_status(layout),
        "kubeconfig": lambda: print(layout.kubeconfig),
        "bin": lambda: print(layout.binaries),
        "audit-log": lambda: print(layout.audit_log),
        "base-image": lambda: base_image.ensure(layout.cache),
        "load": lambda: load(layout, chosen.archive),
        "node-exec": lambda: node_exec(layout, chosen.words),
    }
    try:
        actions[chosen.command]()
    except processes.Failure as failure:
        sys.exit(str(failure))
    except PermissionError as refused:
        sys.exit(f"{refused}: run the command as root, for instance with sudo")
    except KeyboardInterrupt:
        sys.exit("interrupted; `up` goes on where it was, `down` removes everything")


if __name__ == "__main__":
    main()

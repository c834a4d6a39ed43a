"""containerd's own client, inside the cluster's namespaces."""

from __future__ import annotations

import contextlib

from . import processes
from .configuration import CONTAINERD_SOCKET

CTR = ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io")
CLEAN = ".stopped-cleanly"
"""In the image store: containerd ended with no container left, so the store can be used again."""


def remove_all() -> None:
    """Leaves only images.

    The runtime would otherwise try to recover these containers at the next start.
    """
    processes.wait_until(
        _none_left, 10, lambda: processes.Failure("containers are left after 10 s")
    )


def _none_left() -> bool:
    """One attempt.

    Some removals fail by the success of others: with a pod's sandbox its containers go too.
    """
    for kind, force in (("tasks", ("--force",)), ("containers", ())):
        left = processes.output(*CTR, kind, "list", "-q").split()
        if left:
            with contextlib.suppress(processes.Failure):
                processes.output(*CTR, kind, "remove", *force, *left)
    return not processes.output(*CTR, "containers", "list", "-q").split()

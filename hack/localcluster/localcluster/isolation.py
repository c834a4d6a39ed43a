"""What makes the namespaces a machine of their own inside: mounts, kernel settings, the bridge.

Everything made here vanishes with the namespaces, so nothing has to be undone.
"""

from __future__ import annotations

from pathlib import Path

from . import processes
from .configuration import BRIDGE
from .layout import Layout

PRIVATE = ("/run", "/var/lib", "/var/log")
"""Directories that the components write to: empty ones in memory lie over the host's."""
KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Settings of the whole machine that the kubelet insists on writing.

It finds files of ours with its values instead."""


def isolate(layout: Layout) -> None:
    """Called by PID 1 of fresh network, mount and PID namespaces."""
    for directory in PRIVATE:
        processes.output("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory)
    processes.output("mount", "-t", "proc", "proc", "/proc")
    settings = Path("/run/kernel-settings")
    for name, value in KERNEL_SETTINGS.items():
        file = settings / name.replace("/", ".")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{value}\n")
        processes.output("mount", "--bind", str(file), f"/proc/sys/{name}")
    # Within the namespace only: pods that mount a host path expect later mounts to show up.
    processes.output("mount", "--make-rshared", "/")
    _bridge(layout)


def _bridge(layout: Layout) -> None:
    # Given by hand: a bridge otherwise takes the lowest address of its ports. Each time that
    # changed, with a new pod, the host would go on sending to the old one for half a minute.
    mac = f"02:0a:f4:{layout.slot:02x}:00:01"
    for words in (
        "link set lo up",
        f"link add {BRIDGE} address {mac} type bridge",
        f"address add {layout.node_ip}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ):
        processes.output("ip", *words.split())
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    # Without it, an answer from a pod to another pod on the same bridge skips the translation back
    # to the Service's address.
    filtered = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if filtered.exists():
        filtered.write_text("1")

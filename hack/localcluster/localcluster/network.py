"""The host's side of the network: one veth pair, its other end a port of the cluster's bridge."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import replace

from . import processes
from .configuration import BRIDGE
from .layout import SLOTS, Layout

PORT = "host0"
"""Name of the pair's other end inside the cluster."""


def free_slots(preferred: int, networks: Iterable[str]) -> list[int]:
    """Slots whose subnet overlaps none of the networks, `preferred` and its followers first."""
    used = [ipaddress.ip_network(network, strict=False) for network in networks]
    order = [(preferred + step) % SLOTS for step in range(SLOTS)]
    free = []
    for slot in order:
        subnet = ipaddress.ip_network(f"10.244.{slot}.0/24")
        if not any(subnet.overlaps(network) for network in used):
            free.append(slot)
    return free


def networks_in_use() -> list[str]:
    shown = processes.output(*"ip -json -4 route show table all".split())
    routes = json.loads(shown or "[]")
    addresses = json.loads(processes.output("ip", "-json", "-4", "address") or "[]")
    destinations = [str(route["dst"]) for route in routes if route["dst"] != "default"]
    return destinations + [
        f"{one['local']}/{one['prefixlen']}"
        for link in addresses
        for one in link.get("addr_info", [])
    ]


def claim(layout: Layout) -> Layout:
    """The same layout with a slot of its own on this host.

    Adding the link is the claim: the kernel lets only one do it.
    """
    release(layout)
    for slot in free_slots(layout.slot, networks_in_use()):
        claimed = replace(layout, slot=slot)
        try:
            # The alias names the owner; the other end stays here, down, until there is a namespace
            # to move it to.
            link = claimed.host_link
            processes.output("ip", *f"link add {link} type veth peer name {link}p".split())
        except processes.Failure as failure:
            if "File exists" in str(failure):
                continue
            raise
        processes.output("ip", "link", "set", claimed.host_link, "alias", layout.key)
        processes.output("ip", "address", "add", f"{claimed.host_ip}/24", "dev", claimed.host_link)
        return claimed
    networks = f"all {SLOTS} networks 10.244.0.0/24 to 10.244.{SLOTS - 1}.0/24"
    raise processes.Failure(f"{networks} are in use; `ip address` shows by whom")


def attach(layout: Layout, pid: int) -> None:
    """Moves the other end into that process's namespace and makes it a port of the bridge there.

    Each step is repeated, whatever was done before: an `up` that was killed between two of them
    would leave a cluster that is well and out of reach.
    """
    peer = f"{layout.host_link}p"
    if peer in links():
        processes.output("ip", *f"link set {peer} netns {pid} name {PORT}".split())
    inside = f"nsenter -t {pid} -n ip link set {PORT} master {BRIDGE} up"
    processes.output(*inside.split())
    processes.output("ip", "link", "set", layout.host_link, "up")


def links() -> dict[str, str]:
    """Names of the host's links, with their aliases."""
    rows = json.loads(processes.output("ip", "-json", "link"))
    return {str(row["ifname"]): str(row.get("ifalias", "")) for row in rows}


def release(layout: Layout) -> None:
    """Removes this cluster's links, of whatever slot; the other end of a pair goes with it."""
    for name, alias in links().items():
        if alias == layout.key and name.startswith("ajobs"):
            _delete(name)


def _delete(name: str) -> None:
    """The kernel may be deleting it at the same time, with the namespace of the other end."""
    try:
        processes.output("ip", "link", "delete", name)
    except processes.Failure:
        if name in links():
            raise

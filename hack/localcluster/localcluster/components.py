"""The cluster's processes: the command of each, what it waits for and how it says it is ready."""

from __future__ import annotations

import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import layout as layouts
from .configuration import BRIDGE, CONTAINERD_SOCKET, SERVICE_RANGE
from .layout import NODE_NAME, Layout
from .pki import kubeconfig

SUPERVISOR_PACKAGE = Path(__file__).resolve().parent.parent
EMULATED = "AGENTJOBS_LOCAL_CLUSTER_EMULATES"
"""Environment variable of `up`: an older minor of Kubernetes, for example 1.35.

The API server then has its APIs and features."""


@dataclass(frozen=True)
class Component:
    name: str
    command: tuple[str, ...]
    after: tuple[str, ...]
    ready: Callable[[], bool]


def answers(url: str) -> Callable[[], bool]:
    """Whether the URL answers 200.

    The certificate is not checked: nothing is sent, and the answer decides nothing but when to go
    on.
    """
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unchecked)
    )

    def probe() -> bool:
        try:
            with opener.open(url, timeout=1) as answer:
                return int(answer.status) == 200
        except (urllib.error.URLError, OSError):
            return False

    return probe


def all_of(layout: Layout) -> list[Component]:
    """In the order in which they can start; those with nothing to wait for start together."""
    ready_file = layout.run / "addons-ready"
    containerd = ("containerd", "-c", f"{layout.state}/containerd.toml")
    server = apiserver(layout, os.environ.get(EMULATED, ""))
    addons = (sys.executable, "-m", "localcluster.addons", *layouts.arguments(layout))
    dns = (f"{layout.binaries}/coredns", "-conf", f"{layout.state}/Corefile")

    def healthy(port: int, scheme: str = "https") -> Callable[[], bool]:
        return answers(f"{scheme}://127.0.0.1:{port}/healthz")

    first, later = (), ("apiserver",)
    return [
        Component("etcd", etcd(layout), first, answers("http://127.0.0.1:2379/readyz")),
        Component("containerd", containerd, first, Path(CONTAINERD_SOCKET).exists),
        Component("apiserver", server, ("etcd",), answers(f"{layout.server}/readyz")),
        Component("addons", addons, later, ready_file.exists),
        Component("kubelet", kubelet(layout), ("containerd", *later), healthy(10248, "http")),
        Component("controller-manager", controller_manager(layout), later, healthy(10257)),
        Component("scheduler", scheduler(layout), later, healthy(10259)),
        Component("proxy", proxy(layout), later, healthy(10256, "http")),
        Component("dns", dns, ("addons",), answers(f"http://{layout.node_ip}:8181/ready")),
    ]


def etcd(layout: Layout) -> tuple[str, ...]:
    """Without fsync: its data lives no longer than one `up`."""
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return (
        f"{layout.binaries}/etcd",
        f"--data-dir={layout.state}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--quota-backend-bytes={8 << 30}",
        "--log-level=warn",
    )


def apiserver(layout: Layout, emulated: str = "") -> tuple[str, ...]:
    """It listens on the bridge, where pods and the host reach it, and calls kubelets by address.

    The node has no name.

    `emulated`: an older minor of Kubernetes, whose APIs and features it is to have.
    """
    pki = layout.pki
    return (
        f"{layout.binaries}/kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        f"--bind-address={layout.node_ip}",
        f"--advertise-address={layout.node_ip}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/service-accounts.key",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        f"--audit-policy-file={layout.state}/audit.json",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-maxsize=500",
        "--audit-log-maxbackup=1",
        *([f"--emulated-version={emulated}"] if emulated else []),
    )


def controller_manager(layout: Layout) -> tuple[str, ...]:
    """Its default of 20 requests a second would be what a test of many jobs measures."""
    pki = layout.pki
    return (
        f"{layout.binaries}/kube-controller-manager",
        f"--kubeconfig={kubeconfig(layout, 'controller-manager')}",
        "--leader-elect=false",
        f"--service-account-private-key-file={pki}/service-accounts.key",
        f"--root-ca-file={pki}/ca.crt",
        "--use-service-account-credentials",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--bind-address=127.0.0.1",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    )


def scheduler(layout: Layout) -> tuple[str, ...]:
    return (
        f"{layout.binaries}/kube-scheduler",
        f"--kubeconfig={kubeconfig(layout, 'scheduler')}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    )


def kubelet(layout: Layout) -> tuple[str, ...]:
    return (
        f"{layout.binaries}/kubelet",
        f"--config={layout.state}/kubelet.json",
        f"--kubeconfig={kubeconfig(layout, 'kubelet')}",
        f"--hostname-override={NODE_NAME}",
        f"--root-dir={layout.state}/kubelet",
        f"--node-ip={layout.node_ip}",
    )


def proxy(layout: Layout) -> tuple[str, ...]:
    """The conntrack limits belong to the whole machine; 0 leaves them alone."""
    return (
        f"{layout.binaries}/kube-proxy",
        f"--kubeconfig={kubeconfig(layout, 'proxy')}",
        f"--hostname-override={NODE_NAME}",
        f"--cluster-cidr={layout.subnet}",
        "--proxy-mode=iptables",
        "--healthz-bind-address=127.0.0.1:10256",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
        f"--pod-bridge-interface={BRIDGE}",
        "--detect-local-mode=BridgeInterface",
    )

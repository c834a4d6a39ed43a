"""The components' configuration files, written as data before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .layout import Layout

PAUSE_IMAGE = "localhost/agentjobs-pause:1"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""Inside the cluster's own mount namespace, where /run is private."""
BRIDGE = "cbr0"
DNS_SERVICE_IP = "10.96.0.10"
SERVICE_RANGE = "10.96.0.0/16"
CNI_PLUGINS = Path("/usr/lib/cni")


def write(layout: Layout) -> None:
    (layout.state / "cni").mkdir(exist_ok=True)
    files: dict[str, Any] = {
        "audit.json": audit_policy(),
        "kubelet.json": kubelet(layout),
        "cni/10-bridge.conflist": pod_network(layout),
    }
    for name, content in files.items():
        (layout.state / name).write_text(json.dumps(content, indent=1))
    (layout.state / "containerd.toml").write_text(containerd(layout))
    (layout.state / "Corefile").write_text(corefile(layout))
    # Pods inherit search domains and options from here; the host's would leak into them.
    (layout.state / "resolv.conf").write_text(f"nameserver {layout.node_ip}\n")


def audit_policy() -> dict[str, Any]:
    """Who did what to which object.

    Reads of leases are left out, their writes are in: a test has to see that an idle operator
    writes nothing but its Lease.
    """
    reads = ["get", "list", "watch"]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": ["/*"]},
            {
                "level": "None",
                "verbs": reads,
                "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}],
            },
            {"level": "Metadata"},
        ],
    }


def kubelet(layout: Layout) -> dict[str, Any]:
    pki = layout.pki
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{pki}/kubelet-server.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "address": layout.node_ip,
        "readOnlyPort": 0,
        "evictionHard": {"memory.available": "200Mi", "nodefs.available": "2%"},
        "imageGCHighThresholdPercent": 100,  # a loaded image cannot be pulled again
        "clusterDNS": [DNS_SERVICE_IP],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{layout.state}/resolv.conf",
        "maxPods": 240,
        "podLogsDir": f"{layout.logs}/pods",
        "volumePluginDir": f"{layout.state}/kubelet/plugins-exec",
    }


def pod_network(layout: Layout) -> dict[str, Any]:
    addresses = {
        "subnet": layout.subnet,
        "rangeStart": f"10.244.{layout.slot}.10",
        "rangeEnd": f"10.244.{layout.slot}.253",
    }
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[addresses]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "/run/cni-addresses",
        },
    }
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def containerd(layout: Layout) -> str:
    """restrict_oom_score_adj is needed where root lacks CAP_SYS_RESOURCE.

    Without it runc dies there with "can't get final child's PID from pipe: EOF".
    """
    snapshotters = ("aufs", "btrfs", "devmapper", "zfs")
    unused = [f"io.containerd.snapshotter.v1.{name}" for name in snapshotters]
    return f"""version = 2
root = {json.dumps(str(layout.image_store))}
state = "/run/containerd"
disabled_plugins = {json.dumps(unused)}
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = {json.dumps(str(layout.state / "cni"))}
"""


def corefile(layout: Layout) -> str:
    return f""".:53 {{
  bind {layout.node_ip}
  errors
  ready {layout.node_ip}:8181
  kubernetes cluster.local {{
    kubeconfig {layout.state}/dns.kubeconfig
    pods insecure
    ttl 5
  }}
}}
"""

"""A process of the cluster: makes the objects a usable one has, then recycles released volumes."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from . import layout as layouts
from . import processes
from .api import MERGE, Api, Refused
from .configuration import DNS_SERVICE_IP
from .layout import NODE_NAME, Layout

VOLUMES = 30
RBAC = "rbac.authorization.k8s.io"
PATHS = {
    "ClusterRole": f"/apis/{RBAC}/v1/clusterroles",
    "ClusterRoleBinding": f"/apis/{RBAC}/v1/clusterrolebindings",
    "Service": "/api/v1/namespaces/kube-system/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "PersistentVolume": "/api/v1/persistentvolumes",
}


def dns(layout: Layout) -> list[dict[str, Any]]:
    """The usual Service in front of a DNS server that is no pod but a process on the node."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    name = {"name": "local-dns"}
    return [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": name,
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["services", "namespaces", "pods"],
                    "verbs": ["list", "watch"],
                },
                {
                    "apiGroups": ["discovery.k8s.io"],
                    "resources": ["endpointslices"],
                    "verbs": ["list", "watch"],
                },
            ],
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": name,
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", **name},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "system:coredns"}],
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system"},
            "spec": {"clusterIP": DNS_SERVICE_IP, "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "addressType": "IPv4",
            "ports": ports,
            "metadata": {
                "name": "kube-dns",
                "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": "kube-dns"},
            },
            "endpoints": [{"addresses": [layout.node_ip], "conditions": {"ready": True}}],
        },
    ]


def storage(layout: Layout) -> list[dict[str, Any]]:
    """`local` volumes, because they honour fsGroup.

    The built-in hostPath provisioner does not, and a non-root pod cannot write there.

    They are retained when their claim goes, since nothing in Kubernetes deletes a volume of this
    kind; `recycle` frees them.
    """
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Retain",
        "metadata": {
            "name": "local",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
    }
    return [storage_class] + [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"local-{number}"},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"],
                "storageClassName": "local",
                "persistentVolumeReclaimPolicy": "Retain",
                "local": {"path": str(layout.volumes / f"local-{number}")},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            },
        }
        for number in range(VOLUMES)
    ]


def released(volume: dict[str, Any]) -> bool:
    """Its claim is gone.

    A claim only goes after the last pod that uses it (finalizer kubernetes.io/pvc-protection).
    """
    phase = volume.get("status", {}).get("phase")
    return phase == "Released" and "deletionTimestamp" not in volume["metadata"]


def recycle(api: Api, layout: Layout, volume: dict[str, Any]) -> None:
    """First empty, then free: a volume is never offered with what the last claim left."""
    metadata = volume["metadata"]
    make_empty(layout.volumes / str(metadata["name"]))
    as_read = {"resourceVersion": metadata["resourceVersion"]}
    patch = {"metadata": as_read, "spec": {"claimRef": None}}
    try:
        api.call("PATCH", f"{PATHS['PersistentVolume']}/{metadata['name']}", patch, MERGE)
    except Refused as refusal:
        # Changed meanwhile: its next event comes through here again.
        if refusal.status not in (404, 409):
            raise


def make_empty(directory: Path) -> None:
    """The directory itself stays; fsGroup had changed its owner and mode."""
    directory.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()
    os.chown(directory, os.geteuid(), os.getegid())
    directory.chmod(0o755)


def serve(api: Api, layout: Layout) -> None:
    found = api.get(PATHS["PersistentVolume"])
    for volume in found["items"]:
        if released(volume):
            recycle(api, layout, volume)
    for event in api.watch(PATHS["PersistentVolume"], found["metadata"]["resourceVersion"]):
        if event["type"] == "ERROR":
            return
        if event["type"] != "DELETED" and released(event["object"]):
            recycle(api, layout, event["object"])


def main() -> None:
    layout = layouts.from_arguments(sys.argv[1:])
    api = Api(layout, "addons")
    for manifest in dns(layout):
        api.apply(PATHS[manifest["kind"]], manifest)
    for manifest in storage(layout):
        if manifest["kind"] == "PersistentVolume":
            (layout.volumes / manifest["metadata"]["name"]).mkdir(parents=True, exist_ok=True)
        api.apply(PATHS[manifest["kind"]], manifest)
    (layout.run / "addons-ready").touch()
    while True:
        try:
            serve(api, layout)
        except (OSError, http.client.HTTPException, Refused) as error:
            processes.report(f"watching volumes: {error}; trying again")
            time.sleep(1)


if __name__ == "__main__":
    main()

"""The objects that are there before the requests: those of the operator, and others like them."""

from __future__ import annotations

from typing import Final

from tests.policies.cases import Manifest
from tests.support import manifests

LABEL: Final = "agentjobs.dev/job"
BY: Final = "agentjobs.dev/requested-by"
NOTE: Final = {"example.com/note": "1"}
OWNER: Final = {
    "apiVersion": manifests.API_VERSION,
    "kind": "ScheduledAgentJob",
    "name": "second",
    "uid": "{uid}",
    "controller": True,
}
"""On a cluster `{uid}` becomes that of the job `second`: whose owner is missing is deleted."""
OURS: Final = {
    "labels": {LABEL: "busy", "app": "x"},
    "annotations": {"agentjobs.dev/digest": "0", **NOTE},
    "ownerReferences": [OWNER],
}
CONTAINER: Final = {"name": "runner", "image": "localhost/none:1"}
POD: Final = {"schedulerName": "none", "restartPolicy": "Never", "containers": [CONTAINER]}
"""Nobody schedules it, so nothing changes it."""
CLAIM: Final = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
RUNS_ONCE: Final = {"suspend": True, "template": {"spec": POD}}
RUNS_OFTEN: Final = {
    "schedule": "0 0 1 1 *",
    "timeZone": "Etc/UTC",
    "jobTemplate": {"spec": RUNS_ONCE},
}
VARIABLES: Final = [{"name": "A", "value": "1"}]
SOURCE: Final = {"configMapKeyRef": {"name": "texts", "key": "text"}}


def core(kind: str, name: str, metadata: Manifest | None = None, **fields: object) -> Manifest:
    """An object of Kubernetes' own."""
    versions = {"CronJob": "batch/v1", "Job": "batch/v1"}
    versions |= dict.fromkeys(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"), "apps/v1")
    head = {"apiVersion": versions.get(kind, "v1"), "kind": kind}
    return {**head, "metadata": {"name": name, **(metadata or {})}, **fields}


def template(kind: str, name: str, labels: Manifest | None = None) -> Manifest:
    """A Deployment or the like, of no pods, whose template has these labels."""
    selector = {"app": "x"}
    pods = {
        "metadata": {"labels": {**selector, **(labels or {})}},
        "spec": {"containers": [CONTAINER], "nodeSelector": {"none": "none"}},
    }
    chosen = selector if kind == "ReplicationController" else {"matchLabels": selector}
    spec: Manifest = {"selector": chosen, "template": pods}
    spec |= {} if kind == "DaemonSet" else {"replicas": 0}
    spec |= {"serviceName": "x"} if kind == "StatefulSet" else {}
    return core(kind, name, spec=spec)


def having(body: Manifest, **metadata: object) -> Manifest:
    """The same with these fields of its metadata."""
    return {**body, "metadata": {**body["metadata"], **metadata}}


def asked(body: Manifest, who: str) -> Manifest:
    return having(body, annotations={BY: who})


def _by_event(name: str) -> Manifest:
    event = {"id": "1", "source": "/eve", "type": "x"}
    return manifests.run(name, "second", trigger={"type": "Event", "event": event})


JOBS: Final = {
    "second": asked(manifests.job("second"), "ana"),
    "noted": having(manifests.job("noted", env=VARIABLES), annotations={BY: "bo", **NOTE}),
    "older": manifests.job("older"),
    "referring": asked(manifests.job("referring", script=SOURCE), "ana"),
    "instructed": asked(manifests.agent_job("instructed", {"instructions": None}), "ana"),
}
"""What people wrote before a second person was needed: `older` says nothing of who it was."""
JOBS["instructed"]["spec"]["agent"] = SOURCE
EXISTING: Final[dict[str, dict[str, Manifest]]] = {
    "scheduledagentjobs": JOBS,
    "agentjobruns": {
        "second-run": having(
            manifests.run("second-run", "second", trigger={"by": "ana"}),
            annotations={"agentjobs.dev/started-as": "x", **NOTE},
            ownerReferences=[OWNER],
        ),
        "second-29453760": manifests.scheduled("second", 29453760, "2026-01-01T00:00:00Z"),
        "second-held": having(manifests.run("second-held", "second"), finalizers=["example.com/a"]),
        "second-e000000000": _by_event("second-e000000000"),
        "second-a000000000": _by_event("second-a000000000"),
    },
    "agentjobapprovals": {"no": manifests.approval("no", jobName="busy", decision="Denied")},
    "packageapprovals": {"no": manifests.package_approval("no", decision="Denied")},
    "pods": {
        "busy": core("Pod", "busy", OURS, spec=POD),
        "plain": core("Pod", "plain", spec=POD),
    },
    "configmaps": {
        "busy": core("ConfigMap", "busy", OURS),
        "plain": core("ConfigMap", "plain"),
    },
    "persistentvolumeclaims": {
        "busy": core("PersistentVolumeClaim", "busy", OURS, spec=CLAIM),
        "plain": core("PersistentVolumeClaim", "plain", spec=CLAIM),
    },
    "cronjobs": {
        "busy": core("CronJob", "busy", OURS, spec=RUNS_OFTEN),
        "plain": core("CronJob", "plain", spec=RUNS_OFTEN),
    },
    **{
        f"{kind.lower()}s": {"plain": template(kind, "plain")}
        for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
    },
    "replicationcontrollers": {"plain": template("ReplicationController", "plain")},
    "jobs": {
        "busy": core("Job", "busy", OURS, spec=RUNS_ONCE),
        "plain": core("Job", "plain", spec=RUNS_ONCE),
    },
}

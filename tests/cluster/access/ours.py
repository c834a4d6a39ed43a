"""What the operator makes for a job, and what others would make of it."""

from __future__ import annotations

from typing import Final

from tests.cluster.forgery import FORGE
from tests.cluster.installed import Manifest
from tests.cluster.place import CLAIM, CONTAINER, LABEL, Place
from tests.support import manifests

OWN: Final = ("cronjob busy", "job busy-run", "pod {pod}", "configmap busy-{digest}")
CHANGES: Final[tuple[Manifest, ...]] = (
    {"metadata": {"labels": {LABEL: None}}},
    {"metadata": {"labels": {LABEL: "other"}}},
    {"metadata": {"ownerReferences": None}},
    {"metadata": {"annotations": {"agentjobs.dev/digest": "0"}}},
    {"metadata": {"finalizers": ["example.com/stays"]}},
)
ENDED: Final = {
    "name": "runner",
    "state": {"terminated": {"exitCode": 0}},
    "ready": False,
    "image": "i",
    "imageID": "i",
    "restartCount": 0,
}
BY_STATUS: Final[dict[str, list[Manifest]]] = {
    "cronjob busy": [
        {"status": {"active": None}},
        {"status": {"lastScheduleTime": "2030-01-01T00:00:00Z"}},
    ],
    "job busy-run": [{"status": {"ready": 0}}, {"status": {"failed": 3}}],
    "pod {pod}": [
        {"status": {"phase": "Succeeded"}},
        {"status": {"containerStatuses": [ENDED]}},
        {
            "status": {
                "conditions": [
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "EvictionByEvictionAPI",
                    }
                ]
            }
        },
        {"metadata": {"labels": {"batch.kubernetes.io/job-name": "other"}}},
        {"metadata": {"annotations": {"agentjobs.dev/digest": "0"}}},
    ],
}


def forged_cron_job(place: Place, job: str, name: str, digest: str) -> Manifest:
    """As one who saw ours would write it: Jobs and pods with all our marks, that print a record."""
    (image,) = {
        container["image"]
        for cron in place.agentjobs.kubectl.json(
            "get", "cronjobs", "-n", place.namespace, "-l", f"{LABEL}=busy"
        )["items"]
        for container in cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    }
    mount = {"name": "revision", "mountPath": "/etc/agentjobs/revision"}
    shown = f"{FORGE}\nprint(envelope, end='')"
    evil = {
        **CONTAINER,
        "image": image,
        "command": ["python3", "-c", shown],
        "volumeMounts": [mount],
    }
    evil["env"] = [{"name": "JOB_RUN_ID", "value": f"{name}-29412345"}]
    volume = {"name": "revision", "configMap": {"name": f"busy-{place.digest}"}}
    marks = {
        "labels": {LABEL: job, "app.kubernetes.io/managed-by": "agentjobs"},
        "annotations": {"agentjobs.dev/digest": digest},
    }
    uid = place.agentjobs.job(place.namespace, job)["metadata"]["uid"]
    owner = {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "name": job,
        "uid": uid,
        "controller": True,
    }
    pods = {
        "metadata": marks,
        "spec": {"restartPolicy": "Never", "containers": [evil], "volumes": [volume]},
    }
    template = {"metadata": marks, "spec": {"backoffLimit": 0, "template": pods}}
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": template}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "ownerReferences": [owner]},
        "spec": spec,
    }


def with_ephemeral_volume(name: str, metadata: Manifest) -> Manifest:
    volume = {
        "name": "v",
        "ephemeral": {"volumeClaimTemplate": {"metadata": metadata, "spec": CLAIM}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [CONTAINER], "volumes": [volume]},
    }


def records(place: Place) -> dict[str, Manifest]:
    return {
        run["metadata"]["name"]: run
        for run in place.agentjobs.kubectl.json("get", "ajr", "-n", place.namespace)["items"]
    }


def by_event(name: str, job: str) -> Manifest:
    return manifests.run(
        name, job, trigger={"type": "Event", "event": {"id": "1", "source": "/eve", "type": "x"}}
    )


def fire(place: Place, cron: str, name: str) -> None:
    """As the CronJob controller does, which the policies let through: with owner and labels."""
    body = place.agentjobs.kubectl.json("get", "cronjob", "-n", place.namespace, cron)
    template = body["spec"]["jobTemplate"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": cron,
        "uid": body["metadata"]["uid"],
        "controller": True,
    }
    metadata = {**template["metadata"], "name": name, "ownerReferences": [owner]}
    place(
        "",
        "create",
        "-f",
        "-",
        stdin={
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata,
            "spec": template["spec"],
        },
    )
    place("", "wait", "job", name, "--for=condition=complete", "--timeout=60s")

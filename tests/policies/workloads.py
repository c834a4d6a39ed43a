"""What the operator made, and what Kubernetes would make with its label."""

from __future__ import annotations

from typing import Final

from tests.policies.asking import creates, deletes, updates
from tests.policies.cases import Manifest, Request
from tests.policies.existing import (
    CLAIM,
    LABEL,
    OWNER,
    POD,
    RUNS_OFTEN,
    RUNS_ONCE,
    core,
    template,
)

OWNED: Final = "what carries the label agentjobs.dev/job belongs to the operator: only it and Kube"
LARGE: Final = "metadata: what the operator made has at most 200 annotations, labels and finalizers"
TEMPLATE: Final = "the label agentjobs.dev/job is on what the operator made, and on nothing else"
OWNERS: Final = "metadata.ownerReferences: what belongs to a job or a run the operator makes"
MARK: Final = {"labels": {LABEL: "busy"}}


def meta(**metadata: object) -> Manifest:
    return {"metadata": metadata}


def keys(count: int) -> Manifest:
    return {f"example.com/{number}": "" for number in range(count)}


def managers(count: int) -> list[Manifest]:
    owned: Manifest = {"f:metadata": {"f:annotations": {"f:example.com/note": {}}}}
    entry = {"operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": owned}
    return [
        {"manager": f"m{number}", "time": "2026-01-01T00:00:00Z", **entry}
        for number in range(count)
    ]


RELABELLED: Final = meta(labels={LABEL: None})
RENAMED: Final = meta(labels={LABEL: "other"})
LABELLED: Final = meta(labels={"x": "y"})
NOTED: Final = meta(annotations={"example.com/b": "1"})
REMARKED: Final = meta(annotations={"agentjobs.dev/digest": "1"})
UNMARKED: Final = meta(annotations={"agentjobs.dev/digest": None})
MARKED: Final = meta(annotations={"agentjobs.dev/x": "1"})
ORPHANED: Final = meta(ownerReferences=None)
HELD: Final = meta(finalizers=["example.com/stays"])
SUSPENDED: Final = {"spec": {"suspend": True}}

PODS: Final = {
    "make a pod of ours": creates("ed", core("Pod", "new", MARK, spec=POD), OWNED),
    "make a pod": creates("ed", core("Pod", "new", spec=POD)),
    "the operator makes a pod": creates("the operator", core("Pod", "new", MARK, spec=POD)),
    "the controllers make a pod": creates("the controllers", core("Pod", "new", MARK, spec=POD)),
    "an administrator makes a pod": creates("root", core("Pod", "new", MARK, spec=POD)),
    "make a pod of ours by its label": updates("ed", "pods plain", meta(**MARK), OWNED),
    "take the label off a pod": updates("ed", "pods busy", RELABELLED, OWNED),
    "give a pod another job": updates("ed", "pods busy", RENAMED, OWNED),
    "label a pod": updates("ed", "pods busy", LABELLED, OWNED),
    "annotate a pod": updates("ed", "pods busy", NOTED),
    "annotate a pod by its status": updates("ed", "pods/status busy", NOTED),
    "annotate a pod by a resize": updates("ed", "pods/resize busy", NOTED, OWNED),
    "annotate it by a container": updates("ed", "pods/ephemeralcontainers busy", NOTED, OWNED),
    "change a mark of a pod": updates("ed", "pods busy", REMARKED, OWNED),
    "change a mark by the status": updates("ed", "pods/status busy", REMARKED, OWNED),
    "remove a mark of a pod": updates("ed", "pods busy", UNMARKED, OWNED),
    "add a mark to a pod": updates("ed", "pods busy", MARKED, OWNED),
    "take a pod from its owner": updates("ed", "pods busy", ORPHANED, OWNED),
    "hold a pod": updates("ed", "pods busy", HELD, OWNED),
    "change the spec of a pod": updates(
        "ed", "pods busy", {"spec": {"activeDeadlineSeconds": 600}}, OWNED
    ),
    "change the status of a pod": updates(
        "ed", "pods/status busy", {"status": {"phase": "Succeeded"}}, OWNED
    ),
    "the controllers change a status": updates(
        "the controllers", "pods/status busy", {"status": {"phase": "Succeeded"}}
    ),
    "a node changes a status": updates(
        "a node", "pods/status busy", {"status": {"phase": "Succeeded"}}
    ),
    "the API server changes a status": updates(
        "the API server", "pods/status busy", {"status": {"reason": "x"}}
    ),
    "the scheduler changes a status": updates(
        "the scheduler", "pods/status busy", {"status": {"reason": "x"}}
    ),
    "change the status of another pod": updates(
        "ed", "pods/status plain", {"status": {"phase": "Succeeded"}}
    ),
    "delete a pod": deletes("ed", "pods busy", OWNED),
    "delete a pod with the right to approve": deletes("ana", "pods busy", OWNED),
    "the collector deletes a pod": deletes("the collector", "pods busy"),
    "delete another pod": deletes("ed", "pods plain"),
    "enlarge a pod": updates("ed", "pods busy", meta(annotations=keys(197)), LARGE),
    "enlarge a pod somewhat": updates("ed", "pods busy", meta(annotations=keys(196))),
    "a deputy enlarges a pod": updates("a deputy", "pods busy", meta(annotations=keys(201))),
    "a deputy makes a pod": creates("a deputy", core("Pod", "new", MARK, spec=POD)),
    "an administrator enlarges a pod": updates("root", "pods busy", meta(annotations=keys(201))),
    "give a pod many managers": updates("ed", "pods busy", meta(managedFields=managers(40)), LARGE),
    "give a pod some managers": updates("ed", "pods busy", meta(managedFields=managers(20))),
}

CONFIG: Final = {
    "make a ConfigMap of ours": creates("ed", core("ConfigMap", "new", MARK), OWNED),
    "make a ConfigMap": creates("ed", core("ConfigMap", "new")),
    "the operator makes a ConfigMap": creates("the operator", core("ConfigMap", "new", MARK)),
    "the controllers make one": creates("the controllers", core("ConfigMap", "new", MARK), OWNED),
    "the controllers change one": updates(
        "the controllers", "configmaps busy", {"data": {"a": ""}}
    ),
    "change a ConfigMap": updates("ed", "configmaps busy", {"data": {"a": "b"}}, OWNED),
    "annotate a ConfigMap": updates("ed", "configmaps busy", NOTED, OWNED),
    "delete a ConfigMap": deletes("ana", "configmaps busy", OWNED),
    "the collector deletes one": deletes("the collector", "configmaps busy"),
    "make a claim of ours": creates(
        "ed", core("PersistentVolumeClaim", "new", MARK, spec=CLAIM), OWNED
    ),
    "the controllers make a claim": creates(
        "the controllers", core("PersistentVolumeClaim", "new", MARK, spec=CLAIM), OWNED
    ),
    "make a claim": creates("ed", core("PersistentVolumeClaim", "new", spec=CLAIM)),
    "label a claim as ours": updates("ed", "persistentvolumeclaims plain", meta(**MARK), OWNED),
    "label it by its status": updates(
        "ed", "persistentvolumeclaims/status plain", meta(**MARK), OWNED
    ),
    "take the label off a claim": updates("ed", "persistentvolumeclaims busy", RELABELLED, OWNED),
    "give a claim another job": updates("ed", "persistentvolumeclaims busy", RENAMED, OWNED),
    "take a claim from its owner": updates("ed", "persistentvolumeclaims busy", ORPHANED, OWNED),
    "annotate a claim": updates("ed", "persistentvolumeclaims busy", NOTED),
    "mark a claim": updates("ed", "persistentvolumeclaims busy", MARKED),
    "hold a claim": updates("ed", "persistentvolumeclaims busy", HELD),
    "enlarge a claim": updates(
        "ed",
        "persistentvolumeclaims busy",
        meta(labels={f"l{number}": "" for number in range(201)}),
        LARGE,
    ),
    "delete a claim": deletes("ed", "persistentvolumeclaims busy"),
}

STOPS: Final = {
    "make a CronJob of ours": creates("ed", core("CronJob", "new", MARK, spec=RUNS_OFTEN), OWNED),
    "suspend a CronJob": updates("ada", "cronjobs busy", SUSPENDED),
    "suspend it without the right": updates("ed", "cronjobs busy", SUSPENDED, OWNED),
    "suspend it with the right to start": updates("tina", "cronjobs busy", SUSPENDED, OWNED),
    "suspend it by its status": updates("ada", "cronjobs/status busy", SUSPENDED, OWNED),
    "suspend and change the schedule": updates(
        "ada", "cronjobs busy", {"spec": {"suspend": True, "schedule": "* * * * *"}}, OWNED
    ),
    "suspend and drop the zone": updates(
        "ada", "cronjobs busy", {"spec": {"suspend": True, "timeZone": None}}, OWNED
    ),
    "suspend and add a deadline": updates(
        "ada", "cronjobs busy", {"spec": {"suspend": True, "startingDeadlineSeconds": 7}}, OWNED
    ),
    "suspend and label": updates("ada", "cronjobs busy", SUSPENDED | LABELLED, OWNED),
    "suspend and annotate": updates("ada", "cronjobs busy", SUSPENDED | NOTED, OWNED),
    "suspend and hold": updates("ada", "cronjobs busy", SUSPENDED | HELD, OWNED),
    "suspend and rename": updates("ada", "cronjobs busy", SUSPENDED | RENAMED, OWNED),
    "suspend and orphan": updates("ada", "cronjobs busy", SUSPENDED | ORPHANED, OWNED),
    "leave a CronJob as it is": updates("ada", "cronjobs busy", {}, OWNED),
    "suspend another CronJob": updates("ed", "cronjobs plain", SUSPENDED),
    "delete a CronJob": deletes("ada", "cronjobs busy"),
    "delete it without the right": deletes("ed", "cronjobs busy", OWNED),
    "delete a Job": deletes("ada", "jobs busy"),
    "delete a Job without the right": deletes("tina", "jobs busy", OWNED),
    "resume a Job": updates("ada", "jobs busy", {"spec": {"suspend": False}}, OWNED),
    "leave a Job as it is": updates("ada", "jobs busy", {}, OWNED),
    "annotate a Job": updates("ada", "jobs busy", NOTED, OWNED),
    "annotate a CronJob": updates("ada", "cronjobs busy", NOTED, OWNED),
    "write the status of a Job": updates(
        "ada", "jobs/status busy", {"status": {"ready": 0}}, OWNED
    ),
    "the controllers write it": updates(
        "the controllers", "jobs/status busy", {"status": {"ready": 0}}
    ),
    "the operator suspends": updates("the operator", "cronjobs busy", SUSPENDED),
    "an administrator resumes a Job": updates("root", "jobs busy", {"spec": {"suspend": False}}),
}


def _claims(*labelled: bool) -> Manifest:
    body = template("StatefulSet", "new")
    body["spec"]["volumeClaimTemplates"] = [
        {"metadata": {"name": f"c{at}", **(MARK if mark else {})}, "spec": CLAIM}
        for at, mark in enumerate(labelled)
    ]
    return body


def _cron(job: Manifest | None = None, pods: Manifest | None = None) -> Manifest:
    once = {**RUNS_ONCE, "template": {"metadata": pods or {}, "spec": POD}}
    spec = {**RUNS_OFTEN, "jobTemplate": {"metadata": job or {}, "spec": once}}
    return core("CronJob", "new", spec=spec)


FOREIGN: Final = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "{uid}"}
OURS_BY_TEMPLATE: Final = {"metadata": MARK, "spec": POD}
TEMPLATES: Final = {
    **{
        f"make a {kind}": creates("ed", template(kind, "new"))
        for kind in ("Deployment", "StatefulSet")
    },
    **{
        f"make a {kind} whose pods are ours": creates(
            "ed", template(kind, "new", MARK["labels"]), TEMPLATE
        )
        for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
    },
    "an administrator makes one": creates("root", template("Deployment", "new", MARK["labels"])),
    **{
        f"{who} makes one of ours": creates(who, template("ReplicaSet", "new", MARK["labels"]))
        for who in (
            "the controllers",
            "the scheduler",
            "the API server",
            "the operator",
            "the collector",
            "a node",
            "a deputy",
        )
    },
    **{
        f"relabel {thing}": updates("ed", thing, meta(**MARK), TEMPLATE)
        for thing in (
            "deployments plain",
            "replicasets/status plain",
            "statefulsets/status plain",
            "daemonsets/status plain",
            "replicationcontrollers plain",
            "replicationcontrollers/status plain",
        )
    },
    **{
        f"own {thing}": updates("ed", thing, meta(ownerReferences=[OWNER]), OWNERS)
        for thing in ("deployments/status plain", "cronjobs/status plain", "jobs/status plain")
    },
    "a deputy owns a Job by a job": creates(
        "a deputy", core("Job", "new", {"ownerReferences": [OWNER]}, spec=RUNS_ONCE)
    ),
    "make a Deployment with the label": creates(
        "ed", {**template("Deployment", "new"), "metadata": {"name": "new", **MARK}}, TEMPLATE
    ),
    "make claims": creates("ed", _claims(False, False)),
    "make claims that are ours": creates("ed", _claims(False, True), TEMPLATE),
    "make a template of pods": creates(
        "ed", core("PodTemplate", "new", template=OURS_BY_TEMPLATE), TEMPLATE
    ),
    "make another template of pods": creates(
        "ed", core("PodTemplate", "new", template={"spec": POD})
    ),
    "make a controller whose pods are ours": creates(
        "ed", template("ReplicationController", "new", MARK["labels"]), TEMPLATE
    ),
    # Without labels of its own a Job gets those of its template, and is then ours itself.
    "make a Job whose pod is ours": creates(
        "ed",
        core("Job", "new", LABELLED["metadata"], spec={**RUNS_ONCE, "template": OURS_BY_TEMPLATE}),
        TEMPLATE,
    ),
    "make a Job": creates("ed", core("Job", "new", spec=RUNS_ONCE)),
    "make a CronJob": creates("ed", _cron()),
    "make a CronJob whose Jobs are ours": creates("ed", _cron(job=MARK), TEMPLATE),
    "make a CronJob whose pods are ours": creates("ed", _cron(pods=MARK), TEMPLATE),
    "make the pods of a CronJob ours": updates(
        "ed", "cronjobs plain", {"spec": {"jobTemplate": {"metadata": MARK}}}, TEMPLATE
    ),
    "make a Job with a job as its owner": creates(
        "ed", core("Job", "new", {"ownerReferences": [OWNER]}, spec=RUNS_ONCE), OWNERS
    ),
    "make a Job with an owner of another kind": creates(
        "ed", core("Job", "new", {"ownerReferences": [FOREIGN]}, spec=RUNS_ONCE)
    ),
    "an administrator owns a Job by a job": creates(
        "root", core("Job", "new", {"ownerReferences": [OWNER]}, spec=RUNS_ONCE)
    ),
    "give a CronJob a job as its owner": updates(
        "ed", "cronjobs plain", meta(ownerReferences=[OWNER]), OWNERS
    ),
    "take ours for a template": updates("ed", "cronjobs busy", RELABELLED, OWNED),
    "change the claim of ours by template": updates(
        "ada",
        "cronjobs busy",
        {"spec": {"suspend": True, "jobTemplate": {"metadata": MARK}}},
        OWNED,
    ),
}

GROUPS: Final[tuple[dict[str, Request], ...]] = (PODS, CONFIG, STOPS, TEMPLATES)

"""Every attempt that is refused, by what it is aimed at."""

from __future__ import annotations

from typing import Final

from tests.cluster.access.attempts import (
    DEBUGGER,
    NO_VERB,
    OWNED,
    STATUS,
    Attempt,
    approves,
    labelled,
    packages,
    patches,
    pod_spec,
    starts,
)
from tests.cluster.access.scene import OPERATOR
from tests.cluster.installed import Manifest

CONTAINER: Final = {"name": "runner", "image": "localhost/evil:1", "command": ["sh"]}
LARGER: Final = {"name": "runner", "resources": {"limits": {"cpu": "2"}}}
JOB_TEMPLATE: Final = {
    "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [CONTAINER]}}}}}
}
DATA: Final = {"data": {"revision.json": "{}"}}
CHAIN: Final[Manifest] = {
    "type": "After",
    "event": {"id": "1", "source": "/x", "type": "dev.agentjobs.run.succeeded"},
    "upstreamRun": "busy-run",
    "ancestors": ["quick"],
}
START: Final = {"type": "Schedule", "scheduledAt": "2025-12-03T05:45:00Z"}
HERE: Final = "system:serviceaccount:{namespace}:default"
REFUSED: Final = (
    # Decisions
    approves(
        "approve without a right", "ed", 'User "ed" cannot create resource "agentjobapprovals"'
    ),
    approves("approve without the verb", "cleo", f"cleo {NO_VERB}"),
    approves("deny without the verb", "cleo", f"cleo {NO_VERB}", decision="Denied"),
    approves(
        "forge who approved",
        "ada",
        "spec.approvedBy must be you, ada: leave it out, and the server writes it",
        approvedBy="boss",
    ),
    approves(
        "approve through a service account",
        HERE,
        "a service account cannot decide in its own namespace",
    ),
    approves(
        "approve as the operator, by whatever right",
        OPERATOR,
        "the operator carries out what people decide",
    ),
    packages(
        "approve packages without the verb",
        "cleo",
        "needs the verb approve on packages (group agentjobs.dev)",
    ),
    packages(
        "forge who approved packages", "ada", "spec.approvedBy must be you, ada", approvedBy="boss"
    ),
    packages(
        "approve packages through a service account",
        HERE,
        "a service account cannot decide in its own namespace",
    ),
    patches(
        "edit an approval",
        "ada",
        "aja busy-approved",
        {"spec": {"jobName": "pending"}},
        "an approval cannot be changed",
    ),
    patches(
        "meddle with a denial",
        "cleo",
        "aja {denial}",
        {"metadata": {"finalizers": ["a.b/c"]}},
        "may not make or withdraw",
    ),
    Attempt(
        "delete a denial",
        "cleo",
        ("delete", "aja", "{denial}"),
        "needs the verb approve on scheduledagentjobs/denied",
    ),
    Attempt(
        "delete every approval",
        "cleo",
        ("delete", "aja", "--all"),
        "needs the verb approve on scheduledagentjobs/",
    ),
    Attempt(
        "delete a denial as its author",
        "ed",
        ("delete", "aja", "{denial}"),
        'User "ed" cannot delete resource "agentjobapprovals"',
    ),
    # Runs
    starts(
        "start a job without the verb",
        "cleo",
        "cleo may not start or end runs of busy: it needs the verb run",
    ),
    starts(
        "start another job than one's own",
        "tina",
        "tina may not start or end runs of busy",
        job="busy",
    ),
    starts(
        "claim a schedule",
        "ed",
        "spec.trigger.type Schedule is set by the operator",
        name="busy-29412345",
        **START,
    ),
    starts("claim a chain", "ada", "spec.trigger.type After is set by the operator", **CHAIN),
    starts(
        "start in another's name", "ed", "spec.trigger.by must be you, ed, or be left out", by="ada"
    ),
    starts(
        "take the name of a start",
        "ed",
        "are reserved for scheduled starts; choose another name",
        name="busy-99999999",
    ),
    starts(
        "start with the operator's marks",
        "ed",
        "those that begin with agentjobs.dev/ are written by the operator only",
        annotations={"annotations": {"agentjobs.dev/started-as": "{controller}"}},
    ),
    starts(
        "start as if it had begun",
        "ed",
        "a run belongs to its job, and the operator says so",
        annotations={
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": "x",
                    "uid": "{controller}",
                    "controller": True,
                }
            ]
        },
    ),
    Attempt(
        "end a run without the verb",
        "cleo",
        ("delete", "ajr", "busy-run"),
        "cleo may not start or end runs of busy",
    ),
    Attempt(
        "end every run",
        "cleo",
        ("delete", "ajr", "--all"),
        "cleo may not start or end runs of busy",
    ),
    patches(
        "tell another story of a run",
        "ed",
        "ajr busy-run",
        {"spec": {"trigger": {"by": "ada"}}},
        "only cancel of a run can be",
    ),
    patches(
        "cancel a run without the verb",
        "cleo",
        "ajr busy-run",
        {"spec": {"cancel": True}},
        "cleo may not start or end runs of busy",
    ),
    patches(
        "unmark a run",
        "ed",
        "ajr busy-run",
        {"metadata": {"annotations": {"agentjobs.dev/started-as": None}}},
        "the operator only",
    ),
    patches(
        "disown a run",
        "ed",
        "ajr busy-run",
        {"metadata": {"ownerReferences": None}},
        "a run belongs to its job",
    ),
    # Status
    patches(
        "write a run's status",
        "ada",
        "ajr busy-run",
        {"status": {"phase": "Succeeded"}},
        "cannot",
        "--subresource=status",
    ),
    patches(
        "write a run's status by right",
        "cleo",
        "ajr busy-run",
        {"status": {"phase": "Succeeded"}},
        STATUS,
        "--subresource=status",
    ),
    patches(
        "write a job's status",
        "cleo",
        "saj pending",
        {"status": {"approval": {"digest": "{busy}"}}},
        STATUS,
        "--subresource=status",
    ),
    # The CronJob
    patches("edit the schedule", "ed", "cronjob busy", {"spec": {"schedule": "* * * * *"}}, OWNED),
    patches("edit image and command", "ada", "cronjob busy", JOB_TEMPLATE, OWNED),
    patches(
        "edit its owner", "ada", "cronjob busy", {"metadata": {"ownerReferences": None}}, OWNED
    ),
    patches(
        "take the label off",
        "ada",
        "cronjob busy",
        {"metadata": {"labels": {"agentjobs.dev/job": None}}},
        OWNED,
    ),
    patches(
        "write its status",
        "cleo",
        "cronjob busy",
        {"status": {"active": None}},
        OWNED,
        "--subresource=status",
    ),
    Attempt("delete the CronJob", "ed", ("delete", "cronjob", "busy"), OWNED),
    Attempt(
        "create a Job from the CronJob",
        "ed",
        ("create", "job", "try", "--from=cronjob/busy"),
        OWNED,
    ),
    Attempt(
        "create a CronJob with our label",
        "ed",
        ("create", "-f", "-"),
        OWNED,
        labelled(
            "CronJob",
            "batch/v1",
            "try",
            spec={
                "schedule": "* * * * *",
                "jobTemplate": {"spec": {"template": {"spec": pod_spec()}}},
            },
        ),
    ),
    # The Job and its pod
    Attempt(
        "create a Job with our label",
        "ed",
        ("create", "-f", "-"),
        OWNED,
        labelled("Job", "batch/v1", "try", spec={"template": {"spec": pod_spec()}}),
    ),
    patches("stop the Job", "ed", "job busy-run", {"spec": {"suspend": True}}, OWNED),
    patches(
        "end the Job by its status",
        "cleo",
        "job busy-run",
        {"status": {"ready": 0}},
        OWNED,
        "--subresource=status",
    ),
    Attempt("delete the Job", "ed", ("delete", "job", "busy-run"), OWNED),
    Attempt(
        "create a pod with our label",
        "ed",
        ("create", "-f", "-"),
        OWNED,
        labelled("Pod", "v1", "try", spec=pod_spec()),
    ),
    patches(
        "exchange the image",
        "ed",
        "pod {pod}",
        {"spec": {"containers": [{"name": "runner", "image": "localhost/e:1"}]}},
        OWNED,
        "--type=strategic",
    ),
    patches(
        "label the pod",
        "ed",
        "pod {pod}",
        {"metadata": {"labels": {"batch.kubernetes.io/job-name": "other"}}},
        OWNED,
    ),
    patches(
        "forge the pod's digest",
        "ed",
        "pod {pod}",
        {"metadata": {"annotations": {"agentjobs.dev/digest": "0"}}},
        OWNED,
    ),
    Attempt("delete the pod", "ada", ("delete", "pod", "{pod}"), OWNED),
    patches(
        "debug the pod",
        "cleo",
        "pod {pod}",
        {"spec": {"ephemeralContainers": [DEBUGGER]}},
        OWNED,
        "--subresource=ephemeralcontainers",
    ),
    patches(
        "resize the pod",
        "cleo",
        "pod {pod}",
        {"spec": {"containers": [LARGER]}},
        OWNED,
        "--subresource=resize",
        "--type=strategic",
    ),
    # The revision
    patches("edit the revision", "ed", "configmap {revision}", DATA, "field is immutable"),
    patches(
        "open the revision",
        "ed",
        "configmap {revision}",
        {"metadata": {"labels": {"agentjobs.dev/job": None}}},
        OWNED,
    ),
    Attempt("delete the revision", "ada", ("delete", "configmap", "{revision}"), OWNED),
    Attempt(
        "create a revision",
        "ada",
        ("create", "-f", "-"),
        OWNED,
        labelled("ConfigMap", "v1", "pending-0123456789", **DATA),
    ),
    Attempt(
        "delete all revisions", "ed", ("delete", "configmaps", "-l", "agentjobs.dev/job"), OWNED
    ),
)

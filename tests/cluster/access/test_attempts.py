"""What people try who may do much in a namespace, but not this.

Each attempt is refused with its reason, and nothing of it runs.

`ed` has Kubernetes' role `edit`, `ada` has `admin`. `cleo` got every plain verb on everything of
ours from a careless hand, but none of our own verbs. `tina` may start one job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import NAMESPACE, Installed, Manifest
from tests.cluster.rights import PLAIN, bind, grant
from tests.cluster.sources import digest_after, referring, source
from tests.cluster.support import RESTRICTED, Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests

WAITS: Final = "import time\nprint('as approved', flush=True)\ntime.sleep(600)\n"
OPERATOR: Final = f"system:serviceaccount:{NAMESPACE}:agentjobs"


RIGHTS: Final[dict[str, list[Manifest]]] = {
    "cleo": [
        {"apiGroups": ["agentjobs.dev"], "resources": ["*"], "verbs": PLAIN},
        {"apiGroups": ["batch"], "resources": ["*"], "verbs": PLAIN},
        {
            "apiGroups": [""],
            "resources": ["pods", "pods/ephemeralcontainers", "pods/resize", "configmaps"],
            "verbs": PLAIN,
        },
    ],
    "tina": [
        {"apiGroups": ["agentjobs.dev"], "resources": ["agentjobruns"], "verbs": ["create", "get"]},
        {
            "apiGroups": ["agentjobs.dev"],
            "resources": ["scheduledagentjobs"],
            "resourceNames": ["quick"],
            "verbs": ["run"],
        },
    ],
}
DEBUGGER: Final = {"name": "e", "image": "localhost/evil:1", "securityContext": RESTRICTED}
OWNED: Final = "what carries the label agentjobs.dev/job belongs to the operator"
NO_VERB: Final = (
    "may not make or withdraw this decision: it needs the verb approve on"
    " scheduledagentjobs/pending (group agentjobs.dev)"
)
STATUS: Final = "is what the operator saw; nobody else writes it"


@dataclass(frozen=True)
class Scene:
    """A namespace in which `busy` runs as approved and `quick` is in force.

    There `pending` waits and `denied` was denied.
    """

    agentjobs: Installed
    namespace: str
    elsewhere: str
    """Another namespace, in which `ada` has `edit` only and `pending` waits, too."""
    names: dict[str, str]
    """What stands in braces in an attempt."""

    def kubectl(
        self, user: str, *words: str, stdin: Manifest | None = None, namespace: str = ""
    ) -> str:
        """What this user does, with all that stands in braces put in."""
        acting = self.agentjobs.kubectl.acting(self._put_in(user))
        body = self._put_in(json.dumps(stdin)) if stdin else ""
        return acting(
            "--namespace", namespace or self.namespace, *map(self._put_in, words), stdin=body
        )

    def refusal(
        self, user: str, *words: str, stdin: Manifest | None = None, namespace: str = ""
    ) -> str:
        """What the user is told."""
        with pytest.raises(KubectlError) as refused:
            self.kubectl(user, *words, stdin=stdin, namespace=namespace)
        return refused.value.stderr

    def create(self, user: str, manifest: Manifest, namespace: str = "") -> str:
        return self.kubectl(user, "create", "-f", "-", stdin=manifest, namespace=namespace)

    def _put_in(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text


@pytest.fixture(scope="module")
def scene(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Scene]:
    with new_namespace(kubectl) as namespace, new_namespace(kubectl) as elsewhere:
        for role, user in (("edit", "ed"), ("admin", "ada")):
            bind(kubectl, namespace, role, user=user)
        bind(kubectl, elsewhere, "edit", user="ada")
        for user, rules in RIGHTS.items():
            grant(kubectl, namespace, user, rules)
        grant(kubectl, elsewhere, "cleo", RIGHTS["cleo"])
        for role in ("edit", "agentjobs-approver"):
            bind(kubectl, namespace, role, serviceaccount=f"{namespace}:default")
        bind(kubectl, namespace, "agentjobs-approver", serviceaccount=f"{NAMESPACE}:agentjobs")
        kubectl.apply(elsewhere, manifests.job("pending"))
        kubectl.apply(namespace, manifests.job("pending"), manifests.job("denied"))
        every_year = {"cron": "0 0 1 1 *"}
        digests = many.in_force(
            agentjobs,
            namespace,
            [many.job("busy", WAITS, schedule=every_year), many.job("quick", "print('ok')\n")],
        )
        agentjobs.approve(namespace, "denied", "Denied")
        many.running(agentjobs, namespace, many.started(agentjobs, namespace, ["busy"]))
        (pod,) = kubectl.json(
            "get", "pods", "-n", namespace, "-l", "batch.kubernetes.io/job-name=busy-run"
        )["items"]
        (cron,) = kubectl.json("get", "cronjobs", "-n", namespace, "-l", "agentjobs.dev/job=quick")[
            "items"
        ]
        names = {
            "pod": pod["metadata"]["name"],
            "revision": f"busy-{digests['busy']}",
            "busy": digests["busy"],
            "cron": cron["metadata"]["uid"],
            "digest": digests["quick"],
            "controller": pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"],
            "pending": agentjobs.digest(namespace, "pending"),
            "namespace": namespace,
            "denial": f"denied-denied-{agentjobs.digest(namespace, 'denied')[:10]}",
        }
        yield Scene(agentjobs, namespace, elsewhere, names)


@dataclass(frozen=True)
class Attempt:
    what: str
    user: str
    words: tuple[str, ...]
    told: str
    """Part of what the user is told."""
    manifest: Manifest | None = None


def approves(what: str, user: str, told: str, **spec: Any) -> Attempt:
    manifest = manifests.approval("try", **{"jobName": "pending", "digest": "{pending}", **spec})
    return Attempt(what, user, ("create", "-f", "-"), told, manifest)


def packages(what: str, user: str, told: str, **spec: Any) -> Attempt:
    return Attempt(
        what, user, ("create", "-f", "-"), told, manifests.package_approval("try", **spec)
    )


def starts(
    what: str,
    user: str,
    told: str,
    name: str = "try",
    job: str = "busy",
    annotations: Any = None,
    **trigger: Any,
) -> Attempt:
    manifest = manifests.run(name, job, **({"trigger": trigger} if trigger else {}))
    manifest["metadata"] |= annotations or {}
    return Attempt(what, user, ("create", "-f", "-"), told, manifest)


def patches(what: str, user: str, thing: str, patch: Manifest, told: str, *options: str) -> Attempt:
    return Attempt(
        what,
        user,
        ("patch", *thing.split(), "--type=merge", *options, "--patch", json.dumps(patch)),
        told,
    )


def pod_spec(**fields: Any) -> Manifest:
    container = {"name": "runner", "image": "localhost/evil:1", "securityContext": RESTRICTED}
    return {"restartPolicy": "Never", "containers": [container], **fields}


def labelled(kind: str, version: str, name: str, **fields: Any) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": {"agentjobs.dev/job": "busy"}},
        **fields,
    }


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


@pytest.mark.parametrize("attempt", REFUSED, ids=lambda attempt: attempt.what)
def test_is_refused_with_its_reason(scene: Scene, attempt: Attempt) -> None:
    assert attempt.told in scene.refusal(attempt.user, *attempt.words, stdin=attempt.manifest)


def test_the_digest_of_another_job_approves_nothing(scene: Scene) -> None:
    scene.create("ada", manifests.approval("crossed", jobName="pending", digest="{busy}"))
    message = many.told(scene.agentjobs, scene.namespace, "pending", "Approved", "DigestMismatch")
    assert message.startswith(
        f"an approval exists for {scene.names['busy'][:10]}, but the digest of the content is now"
        f" {scene.names['pending'][:10]}"
    )


@pytest.mark.parametrize(
    ("user", "told"), [("ada", "cannot create resource"), ("cleo", "needs the verb approve")]
)
def test_an_approval_cannot_be_replayed_in_another_namespace(
    scene: Scene, kubectl: Kubectl, user: str, told: str
) -> None:
    """The content is the same there, and so is its digest."""
    kubectl.apply(scene.elsewhere, many.job("quick", "print('ok')\n"))
    assert scene.agentjobs.digest(scene.elsewhere, "quick") == scene.names["digest"]
    copy = kubectl.json("get", "aja", "-n", scene.namespace, "quick-approved")
    copy["metadata"] = {"name": "replayed"}
    assert told in scene.refusal(user, "create", "-f", "-", stdin=copy, namespace=scene.elsewhere)
    assert scene.agentjobs.job(scene.elsewhere, "quick")["status"]["approval"] == {
        "state": "Pending"
    }


def test_an_approval_does_not_cover_a_text_that_changed_after_the_card(
    scene: Scene, kubectl: Kubectl
) -> None:
    """`ed` may write the ConfigMap. What `ada` read is approved, and the other text waits."""
    kubectl.apply(scene.namespace, source("swapped", "print('harmless')\n"), referring("swapped"))
    read = scene.agentjobs.digest(scene.namespace, "swapped")
    rewrite_as_ed(scene, "swapped", "print('evil')\n")
    scene.create("ada", manifests.approval("swapped", jobName="swapped", digest=read))
    assert f"an approval exists for {read[:10]}" in many.told(
        scene.agentjobs, scene.namespace, "swapped", "Approved", "DigestMismatch"
    )
    scene.create("ed", manifests.run("swapped-run", "swapped"))
    record = scene.agentjobs.finished(scene.namespace, "swapped-run")
    assert (record["phase"], record["reason"]) == ("Skipped", "NotApproved")
    assert (
        kubectl(
            "get",
            "cronjobs,jobs,pods,configmaps",
            "-n",
            scene.namespace,
            "-l",
            "agentjobs.dev/job=swapped",
            "-o",
            "name",
        )
        == ""
    )


def test_a_text_changed_after_approval_waits_while_the_approved_runs(
    scene: Scene, kubectl: Kubectl
) -> None:
    """Byte for byte, and so it does when an approval of the old text is made once more."""
    kubectl.apply(scene.namespace, source("later", "print('as approved')\n"))
    digest = many.in_force(scene.agentjobs, scene.namespace, [referring("later")])["later"]
    rewrite_as_ed(scene, "later", "print('evil')\n")
    digest_after(scene.agentjobs, scene.namespace, "later", digest)
    assert f"revision {digest[:10]} stays in force" in many.told(
        scene.agentjobs, scene.namespace, "later", "Approved", "Changed"
    )
    scene.create("ada", manifests.approval("later-again", jobName="later", digest=digest))
    scene.create("ed", manifests.run("later-run", "later"))
    record = scene.agentjobs.finished(scene.namespace, "later-run")
    assert (record["stdout"], record["digest"]) == ("as approved\n", digest)
    revision = kubectl.json("get", "configmap", "-n", scene.namespace, f"later-{digest}")["data"][
        "revision.json"
    ]
    assert hashlib.sha256(revision.encode()).hexdigest() == digest
    assert scene.agentjobs.job(scene.namespace, "later")["status"]["approval"]["state"] == "Changed"


def rewrite_as_ed(scene: Scene, name: str, script: str) -> None:
    scene.kubectl(
        "ed",
        "patch",
        "configmap",
        name,
        "--type=merge",
        "--patch",
        json.dumps({"data": {"script.py": script}}),
    )


def test_a_run_of_what_nobody_approved_is_skipped(scene: Scene) -> None:
    scene.create("ed", manifests.run("unapproved", "pending"))
    record = scene.agentjobs.finished(scene.namespace, "unapproved")
    assert (record["phase"], record["reason"]) == ("Skipped", "NotApproved")


def test_a_job_that_claims_our_cron_job_as_its_owner_is_nothing_of_ours(
    scene: Scene, kubectl: Kubectl
) -> None:
    """Without the label nobody can set, else like the Job the operator would make for the run."""
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": "quick",
        "uid": "{cron}",
        "controller": True,
    }
    marks = {"agentjobs.dev/trigger": "Manual", "agentjobs.dev/digest": "{digest}"}
    metadata = {"name": "squat", "ownerReferences": [owner], "annotations": marks}
    spec = {"suspend": True, "template": {"spec": evil(scene)}}
    scene.create(
        "ed", {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    )
    scene.create("ed", manifests.run("squat", "quick"))
    record = scene.agentjobs.finished(scene.namespace, "squat")
    assert (record["phase"], record["reason"], record["stdout"]) == ("Skipped", "NameTaken", "")
    assert kubectl.json("get", "job", "-n", scene.namespace, "squat")["spec"]["suspend"] is True


def test_a_revision_that_somebody_made_in_advance_is_never_mounted(
    scene: Scene, kubectl: Kubectl
) -> None:
    kubectl.apply(scene.namespace, many.job("foreseen", "print('as approved')"))
    digest = scene.agentjobs.digest(scene.namespace, "foreseen")
    uid = kubectl(
        "get", "saj", "-n", scene.namespace, "foreseen", "--output=jsonpath={.metadata.uid}"
    )
    owner = {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "name": "foreseen",
        "uid": uid,
        "controller": True,
    }
    name = f"foreseen-{digest}"
    metadata = {"name": name, "ownerReferences": [owner]}
    scene.create("ed", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **DATA})
    scene.create("ada", manifests.approval("foreseen", jobName="foreseen", digest=digest))
    told = many.told(scene.agentjobs, scene.namespace, "foreseen", "Ready", "NameTaken")
    assert told == f"a ConfigMap named {name} exists and does not belong to this job; delete it"
    assert "cronjob" not in kubectl(
        "get", "cronjobs", "-n", scene.namespace, "-l", "agentjobs.dev/job=foreseen", "-o", "name"
    )
    kubectl("delete", "configmap", "-n", scene.namespace, name)
    scene.agentjobs.wait_condition(scene.namespace, "foreseen", "Ready", "True", 90)
    assert (
        scene.agentjobs.finished(
            scene.namespace, scene.agentjobs.start(scene.namespace, "foreseen")
        )["stdout"]
        == "as approved\n"
    )


def evil(scene: Scene) -> Manifest:
    """A pod that says so."""
    (deployment,) = scene.agentjobs.kubectl.json(
        "get", "cronjobs", "-n", scene.namespace, "-l", "agentjobs.dev/job=quick"
    )["items"]
    template = deployment["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    kept = {key: template[key] for key in ("securityContext", "restartPolicy")}
    container = {
        key: template["containers"][0][key]
        for key in ("image", "imagePullPolicy", "securityContext")
    }
    return {
        **kept,
        "containers": [
            {"name": "runner", **container, "command": ["python3", "-c", "print('evil')"]}
        ],
    }


def test_a_pod_that_slips_into_a_run_leaves_nothing_in_its_record(
    scene: Scene, kubectl: Kubectl
) -> None:
    """The label that the Job looks for says nothing of us, so nobody refuses it.

    The real pod waits for a claim that does not exist.
    """
    many.in_force(
        scene.agentjobs,
        scene.namespace,
        [many.job("waits", WAITS, workspace={"claimName": "missing"})],
    )
    run = scene.agentjobs.start(scene.namespace, "waits")
    wait_for(
        lambda: kubectl(
            "get",
            "pods",
            "-n",
            scene.namespace,
            "-l",
            f"batch.kubernetes.io/job-name={run}",
            "-o",
            "name",
        ),
        30,
        "a pod",
    )
    uid = kubectl("get", "job", "-n", scene.namespace, run, "--output=jsonpath={.metadata.uid}")
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": run}
    scene.create(
        "ed",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "slips-in", "labels": labels},
            "spec": evil(scene),
        },
    )
    record = scene.agentjobs.finished(scene.namespace, run)
    assert record["phase"] == "Failed"
    assert "evil" not in record["stdout"] + record["stderr"]


def test_those_who_may_start_one_job_can(scene: Scene) -> None:
    scene.create("tina", manifests.run("tinas", "quick"))
    assert scene.agentjobs.run(scene.namespace, "tinas")["spec"]["trigger"] == {
        "type": "Manual",
        "by": "tina",
    }
    assert scene.agentjobs.finished(scene.namespace, "tinas")["phase"] == "Succeeded"


def test_networks_may_annotate_the_pods_and_kubernetes_may_evict_them(scene: Scene) -> None:
    """As the last one that needs the run."""
    scene.kubectl("ed", "annotate", "pod", "{pod}", "example.com/network=joined")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "{pod}"}}
    path = f"/api/v1/namespaces/{scene.namespace}/pods/{scene.names['pod']}/eviction"
    scene.kubectl("ed", "create", "--raw", path, "-f", "-", stdin=eviction)
    record = scene.agentjobs.finished(scene.namespace, "busy-run")
    assert (record["phase"], record["stdout"], record["logsComplete"]) == (
        "Failed",
        "as approved\n",
        True,
    )


def test_after_all_this_only_what_was_approved_has_run(scene: Scene, kubectl: Kubectl) -> None:
    runs = kubectl.json("get", "ajr", "-n", scene.namespace)["items"]
    ran = {
        run["metadata"]["name"]: run["status"]["stdout"]
        for run in runs
        if run["status"]["phase"] != "Skipped"
    }
    assert ran == {
        "busy-run": "as approved\n",
        "foreseen-by-hand": "as approved\n",
        "later-run": "as approved\n",
        "tinas": "ok\n",
        "waits-by-hand": "",
    }
    ours = ("-n", scene.namespace, "-l", "agentjobs.dev/job", "-o", "name")
    assert kubectl("get", "cronjobs", *ours).split() == [
        f"cronjob.batch/{job}" for job in ("busy", "foreseen", "later", "quick", "waits")
    ]
    (busy,) = kubectl.json(
        "get", "cronjobs", "-n", scene.namespace, "-l", "agentjobs.dev/job=busy"
    )["items"]
    assert busy["metadata"]["generation"] == 1, "somebody changed it"

"""What people try who may do much in a namespace, but not this.

Each attempt is refused with its reason, and nothing of it runs.

`ed` has Kubernetes' role `edit`, `ada` has `admin`. `cleo` got every plain verb on everything of
ours from a careless hand, but none of our own verbs. `tina` may start one job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.cluster import many
from tests.cluster.access.attempts import Attempt
from tests.cluster.access.refused import DATA, REFUSED
from tests.cluster.access.scene import RIGHTS, WAITS, Scene
from tests.cluster.installed import NAMESPACE, Installed, Manifest
from tests.cluster.rights import bind, grant
from tests.cluster.sources import digest_after, referring, source
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests


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

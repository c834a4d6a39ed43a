"""What people are told when something is not as it should be, and that nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.cluster import many
from tests.cluster.accepted import any_spec_accepted
from tests.cluster.installed import NAMESPACE, Installed, Manifest
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests

WAITS: Final = "import time\nprint('at work', flush=True)\ntime.sleep(600)\n"
OWNED: Final = "cronjobs,jobs,pods,configmaps"


def skipped(agentjobs: Installed, namespace: str, run: str) -> tuple[str, str]:
    """Reason and message of a run that does not start."""
    record = agentjobs.finished(namespace, run, 20)
    assert record["phase"] == "Skipped"
    assert record.keys().isdisjoint({"startedAt", "exitCode", "podName"})
    return record["reason"], record["message"]


def owned(kubectl: Kubectl, namespace: str, job: str) -> list[str]:
    """What the operator made of a job."""
    return kubectl(
        "get", OWNED, "-n", namespace, "-l", f"agentjobs.dev/job={job}", "-o", "name"
    ).split()


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """One for all: each test has jobs of its own."""
    with new_namespace(kubectl) as name:
        yield name


def test_an_approval_of_another_digest_starts_nothing_and_says_so(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(
        namespace, manifests.job("mistyped"), manifests.approval("mistyped-yes", jobName="mistyped")
    )
    digest = agentjobs.digest(namespace, "mistyped")
    message = many.told(agentjobs, namespace, "mistyped", "Approved", "DigestMismatch")
    assert (
        message == "an approval exists for 0123456789, but the digest of the content is now"
        f" {digest[:10]}; read the content again and approve that digest"
    )
    run = agentjobs.start(namespace, "mistyped")
    assert skipped(agentjobs, namespace, run) == (
        "NotApproved",
        "no content of mistyped is approved; status.card of the job shows what to approve",
    )
    assert owned(kubectl, namespace, "mistyped") == []


def test_a_denial_outweighs_an_approval_and_says_so(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(namespace, manifests.job("refused", schedule={"cron": "* * * * *"}))
    digest = agentjobs.approve(namespace, "refused", "Denied")
    agentjobs.approve(namespace, "refused", "Approved")
    message = many.told(agentjobs, namespace, "refused", "Approved", "Denied")
    assert message == f"digest {digest[:10]} was denied; change the job, or delete the denial"
    status = agentjobs.job(namespace, "refused")["status"]
    assert (status["phase"], status["approval"]["state"], status.get("nextRunAt")) == (
        "Denied",
        "Denied",
        None,
    )
    assert skipped(agentjobs, namespace, agentjobs.start(namespace, "refused"))[0] == "NotApproved"
    assert owned(kubectl, namespace, "refused") == []


def test_a_run_of_an_unknown_job_stays_skipped_when_the_job_comes(
    agentjobs: Installed, namespace: str
) -> None:
    run = agentjobs.start(namespace, "unknown")
    assert skipped(agentjobs, namespace, run) == (
        "JobNotFound",
        "there is no ScheduledAgentJob named unknown in this namespace",
    )
    agentjobs.in_force(namespace, "unknown", "pass")
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "unknown", "another"))["phase"]
        == "Succeeded"
    )
    assert skipped(agentjobs, namespace, run)[0] == "JobNotFound"


def test_a_run_beside_another_is_skipped_and_says_which(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    agentjobs.in_force(namespace, "busy", WAITS)
    agentjobs.start(namespace, "busy", "first")
    many.running(agentjobs, namespace, {"busy": "first"})
    agentjobs.start(namespace, "busy", "second")
    assert skipped(agentjobs, namespace, "second") == (
        "Overlap",
        "the run first has not finished; the job's concurrencyPolicy is Forbid",
    )
    assert agentjobs.run(namespace, "first")["status"]["phase"] == "Running"
    status = agentjobs.job(namespace, "busy")["status"]
    assert (status["phase"], status["runCount"], status["lastRun"]["name"]) == (
        "Running",
        0,
        "first",
    )
    kubectl("delete", "ajr", "-n", namespace, "first")


def test_of_two_runs_asked_for_at_once_one_starts(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    agentjobs.in_force(namespace, "twice", "print('once')")
    kubectl.create(namespace, manifests.run("twice-a", "twice"), manifests.run("twice-b", "twice"))
    phases = sorted(agentjobs.finished(namespace, run)["phase"] for run in ("twice-a", "twice-b"))
    assert phases == ["Skipped", "Succeeded"]


def pods_template() -> Manifest:
    return {
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "localhost/somebody-elses:1"}],
        }
    }


def foreign_job(name: str, **labels: str) -> Manifest:
    metadata = {"name": name, "labels": labels}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"suspend": True, "template": pods_template()},
    }


@pytest.mark.parametrize(
    "labels", [{}, {"agentjobs.dev/job": "squatted-1"}], ids=["unlabelled", "labelled as ours"]
)
def test_a_run_with_a_foreign_batch_jobs_name_is_skipped_without_harm(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, labels: dict[str, str]
) -> None:
    name = f"taken-{len(labels)}"
    kubectl.create(namespace, foreign_job(name, **labels))
    before = wait_for(
        lambda: settled(kubectl, namespace, "job", name), 20, "the Job controller has looked at it"
    )
    agentjobs.in_force(namespace, f"squatted-{len(labels)}", "pass")
    agentjobs.start(namespace, f"squatted-{len(labels)}", name)
    sentence = f"a Job named {name} exists and does not belong to this run; choose another name"
    assert skipped(agentjobs, namespace, name) == ("NameTaken", sentence)
    assert kubectl.json("get", "job", "-n", namespace, name) == before


def settled(kubectl: Kubectl, namespace: str, kind: str, name: str) -> Manifest | None:
    """A suspended Job once its controller has told so."""
    found: Manifest = kubectl.json("get", kind, "-n", namespace, name)
    return found if found.get("status", {}).get("conditions") else None


def test_a_foreign_cron_job_is_kept_and_blocks_the_job_until_gone(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": pods_template()}}}
    kubectl.create(
        namespace,
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "homonym"},
            "spec": spec,
        },
    )
    before = kubectl.json("get", "cronjob", "-n", namespace, "homonym")
    kubectl.create(namespace, manifests.job("homonym"))
    agentjobs.approve(namespace, "homonym")
    message = many.told(agentjobs, namespace, "homonym", "Ready", "NameTaken")
    assert (
        message
        == "a CronJob named homonym exists and does not belong to this job; delete it, or give the"
        " job another name"
    )
    assert skipped(agentjobs, namespace, agentjobs.start(namespace, "homonym", "in-vain")) == (
        "NameTaken",
        message,
    )
    assert kubectl.json("get", "cronjob", "-n", namespace, "homonym") == before
    kubectl("delete", "cronjob", "-n", namespace, "homonym")
    agentjobs.wait_condition(namespace, "homonym", "Ready", "True", 60)
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "homonym"))["phase"] == "Succeeded"
    )


BROKEN: Final[dict[str, tuple[Manifest, str]]] = {
    "minute-61": ({"schedule": {"cron": "61 8 * * *"}}, "spec.schedule.cron: "),
    "macro": ({"schedule": {"cron": "@daily"}}, "spec.schedule.cron: "),
    "cron-of-numbers": ({"schedule": {"cron": 5}}, "spec.schedule.cron: "),
    "no-such-zone": (
        {"schedule": {"cron": "0 8 * * *", "timeZone": "Mars/Olympus"}},
        "spec.schedule.timeZone: ",
    ),
    "later-version": ({"session": "Forever"}, "spec.session: "),
    "unknown-field": ({"sidecar": {"image": "x"}}, "spec.sidecar: "),
    "no-script": ({"script": None}, "spec: "),
    "text-for-a-list": ({"env": "A=1"}, "spec.env: "),
    "no-number": ({"timeoutSeconds": "soon"}, "spec.timeoutSeconds: "),
    "nothing-at-all": ({"description": None, "script": None}, "spec.description: "),
    "a-name-that-is-longer-than-that-of-any-cron-job-could-ever-be": (
        {},
        "metadata.name may have at most 52 characters",
    ),
}
"""Specs that the API server refuses: another version of the CRD may have let them in."""


@pytest.fixture(scope="module")
def broken(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> dict[str, Manifest]:
    """Each job's status; for one that was in force before it broke, also the record of a run."""
    agentjobs.in_force(namespace, "breaks", "print('as approved')", schedule={"cron": "0 0 1 1 *"})
    with any_spec_accepted(kubectl, namespace):
        kubectl.create(
            namespace, *(manifests.job(name, **spec) for name, (spec, _) in BROKEN.items())
        )
        kubectl(
            "patch",
            "saj",
            "-n",
            namespace,
            "breaks",
            "--type=merge",
            "--patch",
            '{"spec":{"schedule":{"cron":"61 8 * * *"}}}',
        )
        for name in (*BROKEN, "breaks"):
            many.told(agentjobs, namespace, name, "Ready", "InvalidSpec")
        record = agentjobs.finished(namespace, agentjobs.start(namespace, "breaks"))
        found = {name: agentjobs.job(namespace, name)["status"] for name in (*BROKEN, "breaks")}
        kubectl("delete", "saj", "-n", namespace, *BROKEN)
    return {**found, "run": record}


@pytest.mark.parametrize("name", BROKEN)
def test_a_spec_that_gets_past_the_api_server_is_invalid_and_says_where(
    kubectl: Kubectl, namespace: str, broken: dict[str, Manifest], name: str
) -> None:
    conditions = {condition["type"]: condition for condition in broken[name]["conditions"]}
    assert conditions["Ready"]["message"].startswith(BROKEN[name][1])
    assert "Error" not in conditions["Ready"]["message"]
    assert (broken[name]["phase"], conditions["Approved"]["reason"]) == ("Invalid", "InvalidSpec")
    assert owned(kubectl, namespace, name) == []


def test_a_spec_that_breaks_leaves_the_approved_one_in_force(broken: dict[str, Manifest]) -> None:
    assert (broken["breaks"]["phase"], broken["breaks"]["approval"]["state"]) == (
        "Invalid",
        "Changed",
    )
    assert (broken["run"]["phase"], broken["run"]["stdout"]) == ("Succeeded", "as approved\n")


@pytest.fixture(scope="module")
def ana(kubectl: Kubectl, namespace: str) -> tuple[str, ...]:
    """kubectl's options for a user who may write jobs and start runs, and nothing else."""
    resources = ["scheduledagentjobs", "agentjobruns"]
    rules = [
        {
            "apiGroups": ["agentjobs.dev"],
            "resources": resources,
            "verbs": ["get", "create", "patch", "run"],
        }
    ]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "author"},
        "rules": rules,
    }
    kubectl.create(namespace, role)
    kubectl("create", "rolebinding", "ana", "-n", namespace, "--role=author", "--user=ana")
    return ("--as=ana", "create", "-n", namespace, "-f", "-")


def refused(kubectl: Kubectl, options: tuple[str, ...], manifest: Manifest) -> str:
    with pytest.raises(KubectlError) as error:
        kubectl(*options, stdin=json.dumps(manifest))
    return error.value.stderr


def test_a_user_starts_runs_but_no_scheduled_ones(kubectl: Kubectl, ana: tuple[str, ...]) -> None:
    forged = manifests.scheduled("unknown", 29412345, "2025-12-03T05:45:00Z")
    message = refused(kubectl, ana, forged)
    assert (
        "spec.trigger.type Schedule is set by the operator; leave spec.trigger out for a manual run"
        in message
    )
    assert "created" in kubectl(*ana, stdin=json.dumps(manifests.run("anas", "unknown")))


def test_a_user_cannot_take_the_name_of_a_coming_start(
    kubectl: Kubectl, ana: tuple[str, ...]
) -> None:
    message = refused(kubectl, ana, manifests.run("unknown-29412345", "unknown"))
    assert 'which end in "-" and eight or more digits, are reserved for scheduled starts' in message


def test_a_user_who_may_not_approve_cannot(kubectl: Kubectl, ana: tuple[str, ...]) -> None:
    assert 'User "ana" cannot create resource "agentjobapprovals"' in refused(
        kubectl, ana, manifests.approval("anas-own", jobName="unknown")
    )


def test_through_all_of_this_the_operator_met_no_defect_of_its_own(
    agentjobs: Installed, kubectl: Kubectl
) -> None:
    metrics = kubectl(
        "get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{agentjobs.pod()}:8080/proxy/metrics"
    )
    assert 'agentjobs_reconciles_total{result="ok"}' in metrics
    assert 'result="defect"' not in metrics
    assert "Traceback" not in agentjobs.log()

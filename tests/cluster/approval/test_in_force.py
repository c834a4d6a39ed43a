"""What is approved stays in force, and nothing else comes into force.

That holds through changes, hands in its objects, pauses and deletions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests

WAITS: Final = "import time\nprint('at work', flush=True)\ntime.sleep(600)\n"


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """One for all: each test has jobs of its own."""
    with new_namespace(kubectl) as name:
        yield name


@pytest.fixture(scope="module", autouse=True)
def resumed(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> datetime:
    """When a job that starts every minute was resumed.

    It slept through some starts; the next comes while the other tests go on.
    """
    schedule = {"cron": "* * * * *", "timeZone": "Asia/Kathmandu"}
    many.in_force(
        agentjobs,
        namespace,
        [many.job("sleeps", "print('awake')", schedule=schedule, suspend=True)],
    )
    assert agentjobs.job(namespace, "sleeps")["status"]["phase"] == "Paused"
    slept_since = (datetime.now(UTC) - timedelta(seconds=150)).strftime("%Y-%m-%dT%H:%M:%SZ")
    change(
        kubectl,
        namespace,
        "cronjob",
        {"status": {"lastScheduleTime": slept_since}},
        "--subresource=status",
    )
    before = datetime.now(UTC)
    change(kubectl, namespace, "saj", {"spec": {"suspend": False}})
    return before


def change(kubectl: Kubectl, namespace: str, kind: str, patch: Manifest, *options: str) -> None:
    kubectl(
        "patch",
        kind,
        "-n",
        namespace,
        "sleeps",
        "--type=merge",
        "--patch",
        json.dumps(patch),
        *options,
    )


@pytest.fixture(scope="module", autouse=True)
def departing(agentjobs: Installed, kubectl: Kubectl) -> str:
    """A namespace whose deletion was asked for while a run went on in it."""
    with new_namespace(kubectl) as name:
        runs = many.started(
            agentjobs,
            name,
            many.in_force(
                agentjobs, name, [many.job("busy", WAITS, schedule={"cron": "* * * * *"})]
            ),
        )
        many.running(agentjobs, name, runs)
    return name


def starts(kubectl: Kubectl, namespace: str, job: str) -> list[Manifest]:
    """The runs of a job, oldest first."""
    runs = kubectl.json("get", "ajr", "-n", namespace, "--field-selector", f"spec.jobName={job}")[
        "items"
    ]
    return sorted(runs, key=lambda run: str(run["metadata"]["name"]))


def test_a_changed_job_runs_as_approved_and_going_back_needs_no_approval(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    old = agentjobs.in_force(namespace, "edited", "print('old')")
    kubectl.apply(namespace, many.job("edited", "print('new')"))
    new = agentjobs.digest(namespace, "edited")
    message = many.told(agentjobs, namespace, "edited", "Approved", "Changed")
    assert message.startswith(
        f"digest {new[:10]} waits for approval; revision {old[:10]} stays in force; "
    )
    assert agentjobs.job(namespace, "edited")["status"]["approval"]["state"] == "Changed"
    record = agentjobs.finished(namespace, agentjobs.start(namespace, "edited", "edited-1"))
    assert (record["stdout"], record["digest"]) == ("old\n", old)
    agentjobs.approve(namespace, "edited")
    assert (
        many.told(agentjobs, namespace, "edited", "Approved", "Approved")
        == f"digest {new[:10]} is approved"
    )
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "edited", "edited-2"))["stdout"]
        == "new\n"
    )
    kubectl.apply(namespace, many.job("edited", "print('old')"))
    wait_for(
        lambda: agentjobs.job(namespace, "edited")["status"]["approval"].get("digest") == old,
        30,
        "the old content is in force",
    )
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "edited", "edited-3"))["stdout"]
        == "old\n"
    )
    kubectl.apply(namespace, many.job("edited", "print('newest')"))
    assert many.told(agentjobs, namespace, "edited", "Approved", "Changed")
    kubectl.create(namespace, manifests.approval("edited-mistyped", jobName="edited"))
    assert "an approval exists for 0123456789" in many.told(
        agentjobs, namespace, "edited", "Approved", "DigestMismatch"
    )


CONTAINER: Final = "/spec/jobTemplate/spec/template/spec/containers/0"
EDITS: Final[dict[str, list[Manifest]]] = {
    "image": [{"op": "replace", "path": f"{CONTAINER}/image", "value": "localhost/evil:1"}],
    "command": [{"op": "add", "path": f"{CONTAINER}/command", "value": ["sh", "-c", "echo evil"]}],
    "environment": [{"op": "replace", "path": f"{CONTAINER}/env/1/value", "value": "0" * 64}],
    "schedule": [{"op": "replace", "path": "/spec/schedule", "value": "*/7 * * * *"}],
    "suspension": [{"op": "replace", "path": "/spec/suspend", "value": True}],
    "digest": [
        {"op": "replace", "path": "/metadata/annotations/agentjobs.dev~1digest", "value": "0" * 64}
    ],
    "owner": [{"op": "remove", "path": "/metadata/ownerReferences"}],
}


@pytest.fixture(scope="module")
def drifting(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> Manifest:
    """The CronJob of a job in force, as the operator made it."""
    agentjobs.in_force(
        namespace, "drifting", "print('as approved')", schedule={"cron": "0 0 1 1 *"}
    )
    return dict(kubectl.json("get", "cronjob", "-n", namespace, "drifting"))


def essence(cron_job: Manifest) -> tuple[object, ...]:
    """What the operator wants of a CronJob."""
    metadata = cron_job["metadata"]
    return (
        cron_job["spec"],
        metadata.get("labels"),
        metadata.get("annotations"),
        metadata.get("ownerReferences"),
    )


@pytest.mark.parametrize("edit", EDITS)
def test_a_hand_at_the_cron_job_is_undone(
    kubectl: Kubectl, namespace: str, drifting: Manifest, edit: str
) -> None:
    kubectl(
        "patch",
        "cronjob",
        "-n",
        namespace,
        "drifting",
        "--type=json",
        "--patch",
        json.dumps(EDITS[edit]),
    )
    wait_for(
        lambda: (
            essence(kubectl.json("get", "cronjob", "-n", namespace, "drifting"))
            == essence(drifting)
        ),
        30,
        f"the {edit} is as before",
    )


def test_a_cron_job_without_its_label_is_nobodys_until_it_is_deleted(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    """Whoever may bypass the policies took it off: then it proves nothing any more."""
    agentjobs.in_force(
        namespace, "stripped", "print('as approved')", schedule={"cron": "0 0 1 1 *"}
    )
    label = json.dumps([{"op": "remove", "path": "/metadata/labels/agentjobs.dev~1job"}])
    kubectl("patch", "cronjob", "-n", namespace, "stripped", "--type=json", "--patch", label)
    kubectl("annotate", "saj", "-n", namespace, "stripped", "example.com/look=now")
    assert "a CronJob named stripped exists" in many.told(
        agentjobs, namespace, "stripped", "Ready", "NameTaken"
    )
    kubectl("delete", "cronjob", "-n", namespace, "stripped")
    agentjobs.wait_condition(namespace, "stripped", "Ready", "True")


def test_a_deleted_cron_job_comes_back_as_it_was(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, drifting: Manifest
) -> None:
    kubectl("delete", "cronjob", "-n", namespace, "drifting")
    wait_for(
        lambda: (
            essence(kubectl.json("get", "cronjob", "-n", namespace, "drifting"))
            == essence(drifting)
        ),
        30,
        "the CronJob is as before",
    )
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "drifting"))["stdout"]
        == "as approved\n"
    )


def test_a_revision_that_is_deleted_comes_back_before_the_next_run(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    digest = agentjobs.in_force(namespace, "erased", "print('as approved')")
    kubectl("delete", "configmap", "-n", namespace, f"erased-{digest}")
    assert (
        agentjobs.finished(namespace, agentjobs.start(namespace, "erased"))["stdout"]
        == "as approved\n"
    )


def test_a_revision_that_is_exchanged_is_never_run(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    digest = agentjobs.in_force(namespace, "exchanged", "print('as approved')")
    revision = kubectl.json("get", "configmap", "-n", namespace, f"exchanged-{digest}")
    kubectl("delete", "configmap", "-n", namespace, f"exchanged-{digest}")
    revision["data"]["revision.json"] = revision["data"]["revision.json"].replace(
        "as approved", "as I please"
    )
    del revision["metadata"]["resourceVersion"], revision["metadata"]["uid"]
    kubectl.create(namespace, revision)
    record = agentjobs.finished(namespace, agentjobs.start(namespace, "exchanged"))
    assert (record["phase"], record["reason"], record["exitCode"], record["stdout"]) == (
        "Failed",
        "DigestMismatch",
        78,
        "",
    )


def test_a_resumed_job_is_scheduled_again_without_a_new_approval(
    agentjobs: Installed, namespace: str, resumed: datetime
) -> None:
    assert (
        many.told(agentjobs, namespace, "sleeps", "Scheduled", "Scheduled")
        == "Every minute (Asia/Kathmandu)"
    )
    status = agentjobs.job(namespace, "sleeps")["status"]
    assert status["approval"]["state"] == "Approved"
    assert datetime.fromisoformat(status["nextRunAt"]) > resumed


def test_deleting_a_job_removes_what_was_made_of_it_and_nothing_else(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    agentjobs.ran(namespace, "leaving", "print('done')")
    kubectl("delete", "saj", "-n", namespace, "leaving")
    selector = ("-n", namespace, "-l", "agentjobs.dev/job=leaving")
    wait_for(
        lambda: (
            not kubectl(
                "get", "cronjobs,jobs,pods,configmaps,agentjobruns", *selector, "-o", "name"
            )
        ),
        30,
        "everything of the job is gone",
    )
    assert "leaving-approved" in kubectl("get", "aja", "-n", namespace, "-o", "name")


def at(start: Manifest) -> datetime:
    """The moment for which a run was scheduled."""
    return datetime.fromisoformat(start["spec"]["trigger"]["scheduledAt"])


def test_a_resumed_job_makes_up_for_no_start_that_it_slept_through(
    kubectl: Kubectl, namespace: str, resumed: datetime
) -> None:
    wait_for(
        lambda: any(at(start) > resumed for start in starts(kubectl, namespace, "sleeps")),
        75,
        "the next start has come",
    )
    assert [start for start in starts(kubectl, namespace, "sleeps") if at(start) <= resumed] == []


def test_a_scheduled_start_becomes_a_run_with_its_time_in_name_and_trigger(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    first = wait_for(lambda: starts(kubectl, namespace, "sleeps"), 75, "a start has come")[0]
    name = first["metadata"]["name"]
    assert at(first).timestamp() == int(name.removeprefix("sleeps-")) * 60
    assert first["spec"]["trigger"] == {
        "type": "Schedule",
        "scheduledAt": at(first).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    record = agentjobs.finished(namespace, name)
    assert (record["phase"], record["stdout"], record["logsComplete"]) == (
        "Succeeded",
        "awake\n",
        True,
    )
    assert 0 <= (datetime.fromisoformat(record["startedAt"]) - at(first)).total_seconds() < 45
    status = agentjobs.job(namespace, "sleeps")["status"]
    assert name in [run["name"] for run in status["recentRuns"]]
    assert status["nextRunAt"] > record["startedAt"]


def test_a_namespace_can_be_deleted_while_a_run_goes_on(kubectl: Kubectl, departing: str) -> None:
    wait_for(
        lambda: not kubectl("get", "namespace", departing, "--ignore-not-found"),
        90,
        "the namespace is gone",
    )

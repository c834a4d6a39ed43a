"""A denial, a withdrawal and a cancel end what runs, whatever else is wrong with the job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests

WAITS: Final = "import time\nprint('at work', flush=True)\ntime.sleep(600)\n"
SOON: Final = 10
"""Seconds that docs/security.md promises."""
SPOILT: Final[dict[str, Manifest]] = {
    "far": {"cron": "0 8 * * 1", "everyWeeks": 2, "startDate": "9999-12-31"},
    "last": {"cron": None, "once": {"runAt": "9999-12-30T23:59:00-12:00"}},
}
"""Schedules that nobody approved and whose arithmetic leaves the calendar."""


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """One for all: each test has a job of its own."""
    with new_namespace(kubectl) as name:
        yield name


def at_work(agentjobs: Installed, namespace: str, name: str, **spec: Any) -> str:
    """A job with a run that goes on for long; returns the run's name."""
    agentjobs.in_force(namespace, name, WAITS, schedule={"cron": "0 8 * * 1"}, **spec)
    run = agentjobs.start(namespace, name)
    wait_for(lambda: _phase(agentjobs, namespace, run) == "Running", 60, f"{run} runs")
    return run


def _phase(agentjobs: Installed, namespace: str, run: str) -> str:
    return str(agentjobs.run(namespace, run).get("status", {}).get("phase", ""))


def change(kubectl: Kubectl, namespace: str, kind: str, name: str, patch: Manifest) -> None:
    kubectl("patch", kind, "-n", namespace, name, "--type=merge", "--patch", json.dumps(patch))


def deny(agentjobs: Installed, kubectl: Kubectl, namespace: str, name: str) -> None:
    """What runs now, whatever the spec says."""
    job = agentjobs.kubectl.json("get", "jobs.batch", "-n", namespace, f"{name}-by-hand")
    digest = job["metadata"]["annotations"]["agentjobs.dev/digest"]
    body = manifests.approval(f"{name}-no", jobName=name, digest=digest, decision="Denied")
    kubectl.create(namespace, body)


def withdraw(_: Installed, kubectl: Kubectl, namespace: str, name: str) -> None:
    kubectl("delete", "aja", "-n", namespace, "--field-selector", f"spec.jobName={name}")


def cancel(_: Installed, kubectl: Kubectl, namespace: str, name: str) -> None:
    change(kubectl, namespace, "ajr", f"{name}-by-hand", {"spec": {"cancel": True}})


Stop = Callable[[Installed, Kubectl, str, str], None]
STOPS: Final[dict[str, tuple[Stop, str]]] = {
    "deny": (deny, "Denied"),
    "withdraw": (withdraw, "ApprovalRevoked"),
    "cancel": (cancel, "CancelledByUser"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spec_that_nobody_approved_holds_no_stop_back(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, spoilt: str
) -> None:
    for how, (stop, reason) in STOPS.items():
        name = f"{spoilt}-{how}"
        run = at_work(agentjobs, namespace, name)
        change(kubectl, namespace, "saj", name, {"spec": {"schedule": SPOILT[spoilt]}})
        stop(agentjobs, kubectl, namespace, name)
        record = agentjobs.finished(namespace, run, SOON + 10)
        assert (record["phase"], record["reason"], record["stdout"]) == (
            "Cancelled",
            reason,
            "at work\n",
        )


@pytest.fixture(scope="module")
def anna(kubectl: Kubectl, namespace: str) -> Kubectl:
    """One who administers this namespace and no other."""
    kubectl(
        "create", "rolebinding", "admins", "-n", namespace, "--clusterrole=admin", "--user=anna"
    )
    return kubectl.acting("anna")


def test_a_job_whose_deletion_is_held_starts_nothing_and_can_be_stopped(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, anna: Kubectl
) -> None:
    run = at_work(agentjobs, namespace, "held")
    change(kubectl, namespace, "saj", "held", {"metadata": {"finalizers": ["example.com/mine"]}})
    kubectl("delete", "saj", "-n", namespace, "held", "--wait=false")
    told = many.told(agentjobs, namespace, "held", "Ready", "Deleting")
    assert told.startswith("the job is being deleted")
    assert kubectl.json("get", "cronjob", "-n", namespace, "held")["spec"]["suspend"]
    assert _phase(agentjobs, namespace, run) == "Running", "what was approved goes on"
    cancel(agentjobs, anna, namespace, "held")
    record = agentjobs.finished(namespace, run, SOON + 10)
    assert (record["reason"], record["stdout"]) == ("CancelledByUser", "at work\n")
    change(kubectl, namespace, "saj", "held", {"metadata": {"finalizers": None}})
    wait_for(lambda: not left(kubectl, namespace, "held"), 60, "nothing is left")


def left(kubectl: Kubectl, namespace: str, job: str) -> list[str]:
    """What the operator made for a job, but for records."""
    selector = ("-l", f"agentjobs.dev/job={job}")
    found = kubectl.json("get", "cronjobs,jobs.batch,pods,configmaps", "-n", namespace, *selector)
    return [f"{body['kind']} {body['metadata']['name']}" for body in found["items"]]


def test_what_an_orphaned_job_leaves_behind_ends_properly(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    run = at_work(agentjobs, namespace, "orphan")
    kubectl("delete", "saj", "-n", namespace, "orphan", "--cascade=orphan")

    def suspended() -> bool:
        return bool(kubectl.json("get", "cronjob", "-n", namespace, "orphan")["spec"]["suspend"])

    wait_for(suspended, SOON, "nothing starts any more")
    assert _phase(agentjobs, namespace, run) == "Running", "what was approved goes on"
    deny(agentjobs, kubectl, namespace, "orphan")
    record = agentjobs.finished(namespace, run, SOON + 10)
    assert (record["phase"], record["reason"], record["stdout"]) == (
        "Cancelled",
        "Denied",
        "at work\n",
    )
    wait_for(lambda: not left(kubectl, namespace, "orphan"), 60, "nothing is left")


def test_a_job_that_is_made_anew_takes_back_what_it_left_behind(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    agentjobs.in_force(namespace, "phoenix", "print('up again')", schedule={"cron": "0 8 * * 1"})
    body = manifests.job(
        "phoenix", script={"inline": "print('up again')"}, schedule={"cron": "0 8 * * 1"}
    )
    kubectl("delete", "saj", "-n", namespace, "phoenix", "--cascade=orphan")
    kubectl.apply(namespace, body)
    agentjobs.wait_condition(namespace, "phoenix", "Ready", "True")
    record = agentjobs.finished(namespace, agentjobs.start(namespace, "phoenix"))
    assert (record["phase"], record["stdout"]) == ("Succeeded", "up again\n")


def test_a_refused_write_holds_back_nothing_but_its_own(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    """Somebody's ConfigMap has the next revision's name, and a quota lets nobody make a run."""
    run = at_work(agentjobs, namespace, "refused")
    change(kubectl, namespace, "saj", "refused", {"spec": {"description": "Another content."}})
    digest = agentjobs.digest(namespace, "refused")
    kubectl("create", "configmap", "-n", namespace, f"refused-{digest}", "--from-literal=a=b")
    agentjobs.approve(namespace, "refused")
    agentjobs.wait_condition(namespace, "refused", "Ready", "False")
    cancel(agentjobs, kubectl, namespace, "refused")
    record = agentjobs.finished(namespace, run, SOON + 10)
    assert (record["reason"], record["stdout"]) == ("CancelledByUser", "at work\n")


def test_a_denial_stops_what_has_no_record_because_of_a_quota(
    agentjobs: Installed, kubectl: Kubectl
) -> None:
    with new_namespace(kubectl) as crowded:
        agentjobs.in_force(crowded, "full", WAITS, schedule={"cron": "* * * * *"})
        kubectl(
            "create", "quota", "-n", crowded, "none", "--hard=count/agentjobruns.agentjobs.dev=0"
        )
        job = wait_for(lambda: _runs(kubectl, crowded), 90, "its script runs")
        digest = job["metadata"]["annotations"]["agentjobs.dev/digest"]
        kubectl.create(
            crowded, manifests.approval("no", jobName="full", digest=digest, decision="Denied")
        )
        wait_for(lambda: not _runs(kubectl, crowded), SOON + 10, "nothing runs")
        name = job["metadata"]["name"]
        kubectl("delete", "quota", "-n", crowded, "none")
        # The operator tries again by itself; a change of the job makes it look at once.
        change(
            kubectl,
            crowded,
            "saj",
            "full",
            {"metadata": {"annotations": {"example.com/look": "1"}}},
        )
        record = wait_for(lambda: _record(agentjobs, crowded, name), 30, "its record")
        assert (record["phase"], record["reason"], record["stdout"]) == (
            "Cancelled",
            "Denied",
            "at work\n",
        )


def _record(agentjobs: Installed, namespace: str, run: str) -> Manifest:
    try:
        found = agentjobs.run(namespace, run).get("status", {})
    except KubectlError:
        return {}
    return dict(found) if found.get("finishedAt") else {}


def _runs(kubectl: Kubectl, namespace: str) -> Manifest:
    """A Job whose pod is ready."""
    jobs = kubectl.json("get", "jobs.batch", "-n", namespace)["items"]
    found: list[Manifest] = [job for job in jobs if job.get("status", {}).get("ready")]
    return found[0] if found else {}


def test_a_start_after_the_end_of_the_calendar_is_refused_in_a_sentence(
    kubectl: Kubectl, namespace: str
) -> None:
    once = {"once": {"runAt": "9999-12-31T23:59:00-12:00"}}
    with pytest.raises(
        KubectlError, match="spec.schedule.once.runAt: .*must be a time on a whole minute"
    ):
        kubectl.apply(namespace, manifests.job("beyond", schedule=once))

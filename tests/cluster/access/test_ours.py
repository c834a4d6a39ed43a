"""Nobody else makes or changes what is ours; what fools Kubernetes does not fool the operator."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from agentjobs.api.event import Event
from agentjobs.core import naming
from tests.cluster import many
from tests.cluster.access.ours import (
    BY_STATUS,
    CHANGES,
    OWN,
    by_event,
    fire,
    forged_cron_job,
    records,
    with_ephemeral_volume,
)
from tests.cluster.installed import Installed, Manifest
from tests.cluster.place import CLAIM, DENIED, DRY, LABEL, MARK, ONCE, WAYS, Place, somewhere
from tests.cluster.support import Kubectl, KubectlError, wait_for
from tests.support import manifests


@pytest.fixture(scope="module")
def place(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Place]:
    with somewhere(agentjobs, kubectl) as found:
        yield found


def test_nobody_makes_a_pod_a_config_map_or_a_claim_of_ours(place: Place) -> None:
    bodies: list[Manifest] = [
        {"apiVersion": "v1", "kind": "Pod", "spec": ONCE["spec"]},
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": CLAIM},
    ]
    for body, user in itertools.product(bodies, ("cleo", "ed")):
        new = {**body, "metadata": {"name": "new", "labels": MARK}}
        assert (
            place.refused(user, *WAYS["create"], stdin=new)
            == place.refused(user, *WAYS["apply"], stdin=new)
            == ""
        )


def test_kubernetes_makes_no_claim_of_ours_for_a_pod(place: Place, kubectl: Kubectl) -> None:
    """It gives the claim of an ephemeral volume the labels that its template has."""
    place("ed", "create", "-f", "-", stdin=with_ephemeral_volume("plain", {}))
    place("ed", "create", "-f", "-", stdin=with_ephemeral_volume("carrier", {"labels": MARK}))

    def told() -> list[str]:
        events = kubectl.json(
            "get",
            "events",
            "-n",
            place.namespace,
            "--field-selector",
            "involvedObject.name=carrier",
        )["items"]
        return [event["message"] for event in events if DENIED in event["message"]]

    wait_for(told, 60, "Kubernetes is refused")
    claims = {
        body["metadata"]["name"]
        for body in kubectl.json("get", "pvc", "-n", place.namespace)["items"]
    }
    assert ("plain-v" in claims, "carrier-v" in claims) == (True, False)
    place("ed", "delete", "pod", "plain", "carrier", "--grace-period=0", "--force")


# What is ours


def test_nobody_changes_or_deletes_what_is_ours(place: Place) -> None:
    found = []
    for own, user in itertools.product(OWN, ("cleo", "ed")):
        kind, name = own.format(pod=place.pod, digest=place.digest).split()
        patches = map(json.dumps, CHANGES)
        found += [
            place.refused(user, "patch", kind, name, "--type=merge", DRY, "--patch", patch)
            for patch in patches
        ]
        found.append(place.refused(user, "delete", kind, name, DRY))
        found.append(place.refused(user, "delete", kind, name, DRY, "--cascade=orphan"))
        for status in BY_STATUS.get(own, []) if user == "cleo" else []:
            words = (
                "patch",
                kind,
                name,
                "--type=merge",
                DRY,
                "--subresource=status",
                "--patch",
                json.dumps(status),
            )
            found.append(place.refused(user, *words))
    assert [told for told in found if told] == []


def test_a_network_may_annotate_a_pod_by_its_status(place: Place) -> None:
    patch = '{"metadata":{"annotations":{"example.com/ip":"10.0.0.1"}}}'
    place(
        "cleo", "patch", "pod", place.pod, "--type=merge", "--subresource=status", "--patch", patch
    )


def test_nobody_makes_a_pod_or_a_session_of_ours_too_large_to_be_read(place: Place) -> None:
    def keys(count: int) -> str:
        return json.dumps(
            {"metadata": {"annotations": {f"example.com/{number}": "" for number in range(count)}}}
        )

    for thing, user in itertools.product(
        (("pod", place.pod), ("pvc", "busy-session")), ("cleo", "ed")
    ):
        place(user, "patch", *thing, "--type=merge", DRY, "--patch", keys(100))
        assert place.refused(user, "patch", *thing, "--type=merge", DRY, "--patch", keys(201)) == ""
    labels = {"metadata": {"labels": {f"l{number}": "" for number in range(201)}}}
    assert (
        place.refused(
            "ed", "patch", "pvc", "busy-session", "--type=merge", DRY, "--patch", json.dumps(labels)
        )
        == ""
    )
    marked = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": place.pod, "annotations": {"example.com/mark": "1"}},
    }
    applied = [
        place.refused(
            "ed", "apply", "--server-side", f"--field-manager=m{number}", "-f", "-", stdin=marked
        )
        for number in range(31)
    ]
    assert (applied[0] != "", applied[-1]) == (True, ""), "each manager is noted in the pod"


def test_a_session_can_be_used_grown_and_deleted_but_is_nobody_elses(place: Place) -> None:
    session = ("pvc", "busy-session")
    for user, patch in itertools.product(("ed", "cleo"), CHANGES[:3]):
        assert (
            place.refused(
                user, "patch", *session, "--type=merge", DRY, "--patch", json.dumps(patch)
            )
            == ""
        )
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "plain"},
        "spec": CLAIM,
    }
    place("ed", "create", "-f", "-", stdin=claim)
    label = (
        "--type=merge",
        DRY,
        "--subresource=status",
        "--patch",
        json.dumps({"metadata": {"labels": MARK}}),
    )
    assert place.refused("cleo", "patch", "pvc", "plain", *label) == ""
    place("ed", "annotate", *session, "example.com/backup=daily")
    place("ed", "delete", *session, DRY)


# Forged with all rights, so that only the operator's own eyes are left


@pytest.mark.parametrize("user", ["ed", "cleo"])
def test_a_forged_cron_job_is_refused(place: Place, user: str) -> None:
    assert (
        place.refused(
            user, "create", "-f", "-", stdin=forged_cron_job(place, "busy", "aside", place.digest)
        )
        == ""
    )


def test_what_a_forged_cron_job_starts_leaves_no_record(place: Place, kubectl: Kubectl) -> None:
    """Beside the real one, and in the place of one that is not there yet."""
    kubectl.apply(place.namespace, many.job("late", "print('as approved')\n"))
    digest = place.agentjobs.digest(place.namespace, "late")
    before = records(place).keys()
    place("", "create", "-f", "-", stdin=forged_cron_job(place, "busy", "aside", place.digest))
    place("", "create", "-f", "-", stdin=forged_cron_job(place, "late", "late", digest))
    place.agentjobs.approve(place.namespace, "late")
    told = many.told(place.agentjobs, place.namespace, "late", "Ready", "NameTaken")
    assert (
        told
        == "a CronJob named late exists and does not belong to this job; delete it, or give the"
        " job another name"
    )
    fire(place, "aside", "aside-29412345")
    fire(place, "late", "late-29412345")
    place("", "delete", "cronjob", "aside", "late")
    place.agentjobs.wait_condition(place.namespace, "late", "Ready", "True", 60)
    assert (
        place.agentjobs.finished(place.namespace, place.agentjobs.start(place.namespace, "late"))[
            "stdout"
        ]
        == "as approved\n"
    )
    assert records(place).keys() - before == {"late-by-hand"}


def test_a_claim_that_somebody_made_in_advance_is_no_session(
    place: Place, kubectl: Kubectl
) -> None:
    kubectl.apply(
        place.namespace, many.job("recalls", "print('as approved')\n", session="Continuous")
    )
    uid = place.agentjobs.job(place.namespace, "recalls")["metadata"]["uid"]
    owner = {**place.owner()[0], "name": "recalls", "uid": uid}
    metadata = {"name": "recalls-session", "ownerReferences": [owner]}
    place(
        "ed",
        "create",
        "-f",
        "-",
        stdin={
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": CLAIM,
        },
    )
    place.agentjobs.approve(place.namespace, "recalls")
    told = many.told(place.agentjobs, place.namespace, "recalls", "Ready", "NameTaken")
    assert told.startswith(
        "a PersistentVolumeClaim named recalls-session exists and does not belong to this job"
    )
    assert (
        place.agentjobs.finished(
            place.namespace, place.agentjobs.start(place.namespace, "recalls")
        )["reason"]
        == "NameTaken"
    )


# Names of runs


def test_who_may_not_start_a_job_takes_no_name_that_a_run_of_it_will_have(place: Place) -> None:
    for user, body in itertools.product(
        ("tina", "ed"),
        (
            manifests.run("first-e012345678", "second"),
            by_event("first-e012345678", "second"),
            manifests.run("second-e012345678", "second"),
            by_event("x-second-e012345678", "second"),
            manifests.run("first-29412345", "second"),
            manifests.run("second-a012345678", "second"),
            by_event("second-a012345678", "second"),
        ),
    ):
        with pytest.raises(KubectlError, match="metadata.name: names like report-"):
            place(user, "create", "-f", "-", stdin=body)
    place("tina", "create", DRY, "-f", "-", stdin=by_event("second-e012345678", "second"))


def test_nobody_takes_the_name_of_the_run_that_follows_before_it(place: Place) -> None:
    """Anyone who may start the next job and saw the earlier run's uid can compute all its names."""
    run = place.agentjobs.start(place.namespace, "first", "first-run")
    uid = place.agentjobs.run(place.namespace, run)["metadata"]["uid"]
    event = Event(id=uid, source=f"/namespaces/{place.namespace}/agentjobruns/{run}", type="x")
    for name in itertools.islice(naming.runs_of_chain("second", event), 3):
        with pytest.raises(KubectlError, match="are those of runs that follow another run"):
            place("tina", "create", "-f", "-", stdin=by_event(name, "second"))

    def followed() -> list[Manifest]:
        found = [
            body
            for body in records(place).values()
            if body["spec"]["trigger"].get("upstreamRun") == run
        ]
        return [body["status"] for body in found if body.get("status", {}).get("finishedAt")]

    (record,) = wait_for(followed, 60, "a run follows")
    assert (record["phase"], record["stdout"]) == ("Succeeded", "second\n")


def test_a_record_goes_when_it_is_deleted(place: Place) -> None:
    """Nobody puts a finalizer on it; that of a deletion in the foreground is Kubernetes' own."""
    held = manifests.run("second-held", "second")
    held["metadata"]["finalizers"] = ["example.com/stays"]
    run = place.agentjobs.start(place.namespace, "second", "second-goes")
    place.agentjobs.finished(place.namespace, run)
    patch = json.dumps({"metadata": {"finalizers": held["metadata"]["finalizers"]}})
    for user in ("tina", "ed"):
        with pytest.raises(
            KubectlError, match="metadata.finalizers: a record goes when it is deleted"
        ):
            place(user, "create", "-f", "-", stdin=held)
    with pytest.raises(KubectlError, match="metadata.finalizers: a record goes when it is deleted"):
        place("ed", "patch", "ajr", run, "--type=merge", "--patch", patch)
    place("ed", "delete", "ajr", run, "--cascade=foreground", "--timeout=60s")


# Stopping without the operator

STOPS: Final = '{"spec":{"suspend":true}}'


def test_who_may_approve_can_stop_but_change_nothing_else(place: Place) -> None:
    place("ada", "patch", "cronjob", "busy", "--type=merge", DRY, "--patch", STOPS)
    place("ada", "delete", "cronjob", "busy", DRY)
    place("ada", "delete", "job", "busy-run", DRY)
    more: tuple[dict[str, Any], ...] = (
        {"spec": {"suspend": True, "schedule": "* * * * *"}},
        {"spec": {"suspend": True}, "metadata": {"labels": {"x": "y"}}},
        {"spec": {"suspend": True, "timeZone": None}},
        {"spec": {"suspend": False, "startingDeadlineSeconds": 7}},
        *CHANGES,
    )
    found = [
        place.refused(
            "ada", "patch", "cronjob", "busy", "--type=merge", DRY, "--patch", json.dumps(patch)
        )
        for patch in more
    ]
    found += [
        place.refused(user, "patch", "cronjob", "busy", "--type=merge", DRY, "--patch", STOPS)
        for user in ("ed", "cleo")
    ]
    found += [
        place.refused("ada", "patch", "job", "busy-run", "--type=merge", DRY, "--patch", STOPS)
    ]
    assert [told for told in found if told] == []


def test_an_admin_stops_everything_of_a_job_while_there_is_no_operator(
    place: Place, kubectl: Kubectl
) -> None:
    """As docs/security.md says it. The last one that needs the run."""
    place.agentjobs.scale(0)
    try:
        place("ada", "patch", "cronjob", "busy", "--type=merge", "--patch", STOPS)
        place("ada", "delete", "jobs", "-l", f"{LABEL}=busy")
        wait_for(
            lambda: (
                not kubectl.json("get", "pods", "-n", place.namespace, "-l", f"{LABEL}=busy")[
                    "items"
                ]
            ),
            60,
            "its pod is gone",
        )
        assert (
            kubectl.json("get", "cronjob", "-n", place.namespace, "busy")["spec"]["suspend"] is True
        )
        place("ada", "delete", "aja", "busy-approved")
    finally:
        place.agentjobs.scale(1)
    record = place.agentjobs.finished(place.namespace, "busy-run")
    assert record["phase"] in ("Failed", "Cancelled"), record
    wait_for(
        lambda: (
            not kubectl(
                "get", "cronjobs", "-n", place.namespace, "-l", f"{LABEL}=busy", "-o", "name"
            )
        ),
        60,
        "its CronJob goes",
    )

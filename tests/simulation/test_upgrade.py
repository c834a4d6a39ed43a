"""What an older operator wrote goes on: its revisions' names had ten digits of the digest."""

from __future__ import annotations

import json
from typing import Any, Final

from agentjobs.testing.simulation import Kubernetes
from tests.support.lives import steps
from tests.support.lives.steps import NS, nothing, step
from tests.support.lives.upgrades import an_hour_later, live

PINS: Final = ("six==1.17.0", "flask==3.0")


def short(name: str, digest: str) -> str:
    return name.replace(digest, digest[:10])


def as_an_older_version_left_it(kube: Kubernetes) -> None:
    """The revision, what its packages resolved to, and all that mounts them."""
    digest = steps.status(kube, "report")["approval"]["digest"]
    objects = kube.server.objects
    for row in [row for row in objects if row[0] == "revision"]:
        body = objects.pop(row)
        name = short(row[2], digest)
        objects["revision", NS, name] = {**body, "metadata": {**body["metadata"], "name": name}}
    for row in [row for row in objects if row[0] in ("cronjob", "batchjob", "pod")]:
        spec = json.dumps(objects[row]["spec"]).replace(
            f'"report-{digest}', f'"report-{digest[:10]}'
        )
        kube.server.patch(row, spec=json.loads(spec))


def mounted(kube: Kubernetes, run: str) -> list[str]:
    pods = [
        change.after
        for change in kube.server.changes
        if change.kind == "pod" and change.before is None and change.after
    ]
    (pod,) = (
        pod for pod in pods if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == run
    )
    return [
        volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume
    ]


APPROVED: Final = (
    step(
        nothing,
        steps.apply("report", "ok", packages=list(PINS)),
        steps.decide_packages("batch", *PINS),
    ),
    step(nothing, steps.decide("report"), steps.start("report", "first")),
)


def test_a_revision_of_the_older_name_stays_in_force_with_its_packages() -> None:
    kube = live(
        *APPROVED,
        step(nothing, as_an_older_version_left_it),
        step(nothing, steps.start("report", "second")),
    )
    steps.ended(kube, "second", "Succeeded", "Completed", "done\n")
    digest = steps.status(kube, "report")["approval"]["digest"]
    assert mounted(kube, "second") == [f"report-{digest[:10]}", f"report-{digest[:10]}-packages"]
    assert [row[2] for row in kube.server.objects if row[0] == "revision"] == mounted(
        kube, "second"
    )


def test_runs_of_an_older_version_go_on_and_a_changed_job_stays_in_force() -> None:
    """The content in force is read back from its revision, since the spec has another."""
    kube = live(
        step(nothing, steps.apply("report", "long")),
        step(nothing, steps.decide("report"), steps.start("report", "first")),
        step(nothing, as_an_older_version_left_it, steps.rewrite("report", "other")),
        step(nothing, an_hour_later),
    )
    steps.ended(kube, "first", "Succeeded", "Completed", "begun\n")
    assert steps.status(kube, "report")["approval"]["state"] == "Changed"


def test_a_revision_of_the_older_name_goes_when_nothing_needs_it() -> None:
    kube = live(
        *APPROVED,
        step(nothing, as_an_older_version_left_it),
        step(nothing, steps.rewrite("report", "other")),
        step(nothing, steps.decide("report")),
        step(nothing, an_hour_later),
    )
    digest = steps.status(kube, "report")["approval"]["digest"]
    assert [row[2] for row in kube.server.objects if row[0] == "revision"] == [f"report-{digest}"]


def test_a_revision_of_the_older_name_is_not_taken_for_a_similar_digest() -> None:
    def of_another(kube: Kubernetes) -> None:
        (row,) = (row for row in kube.server.objects if row[0] == "revision")
        other: dict[str, Any] = kube.server.objects.pop(row)
        digest = row[2].removeprefix("report-")
        annotations = {"agentjobs.dev/digest": digest[:10] + "0" * 54}
        metadata = {
            **other["metadata"],
            "name": f"report-{digest[:10]}",
            "annotations": annotations,
        }
        kube.server.objects["revision", NS, metadata["name"]] = {
            **other,
            "metadata": metadata,
            "data": {},
        }

    kube = live(
        step(nothing, steps.apply("report", "ok")),
        step(nothing, steps.decide("report")),
        step(nothing, of_another, steps.start("report", "first")),
    )
    steps.ended(kube, "first", "Succeeded", "Completed", "done\n")
    assert mounted(kube, "first") == [
        f"report-{steps.status(kube, 'report')['approval']['digest']}"
    ]

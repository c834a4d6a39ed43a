"""What is written of a job and of its runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agentjobs.api import names
from agentjobs.core.views.metadata import controller_uid
from agentjobs.core.views.run import RunView, run_view
from agentjobs.core.workload import records
from tests.support.endings import JOB
from tests.support.workload import observed


def test_the_revision_is_immutable_and_holds_exactly_what_was_approved() -> None:
    job, approved = observed()
    revision = records.revision(job, approved)
    assert revision["immutable"] is True
    assert revision["metadata"]["name"] == f"report-{approved.digest}"
    assert revision["data"] == {"revision.json": approved.document.decode()}


AT = "2025-12-03T05:45:00Z"
START = replace(JOB, name="report-29412345", uid="batch")
WHY = "Overlap: another run goes on"


def read(body: dict[str, Any]) -> RunView:
    """The record as the operator reads it when the API server has stored it."""
    system = {"uid": "u", "resourceVersion": "1", "creationTimestamp": AT}
    return run_view(body | {"metadata": body["metadata"] | system})


def test_every_record_of_a_start_is_that_of_a_schedule() -> None:
    job, _ = observed()
    for body in (
        records.scheduled_run(job, START, AT),
        records.orphaned_run(job, START, AT),
        records.own_start(job, START.name, AT),
        records.left_out(job, START.name, AT, WHY),
    ):
        assert body["spec"]["trigger"] == {"type": "Schedule", "scheduledAt": AT}
        assert body["metadata"]["labels"][names.JOB_LABEL] == "report"
        assert (read(body).name, read(body).job, read(body).scheduled) == (
            START.name,
            "report",
            True,
        )


def test_a_start_of_the_controller_belongs_to_its_job_and_names_its_own() -> None:
    job, _ = observed()
    body = records.scheduled_run(job, START, AT)
    assert (controller_uid(body), read(body).made_as, read(body).manual) == ("uid", "batch", False)
    orphaned = records.orphaned_run(job, START, AT)
    assert controller_uid(orphaned) is None, "it would be deleted with a job that is gone"
    assert read(orphaned).made_as == "batch"


def test_a_start_that_the_operator_makes_is_adopted_like_a_run_by_hand() -> None:
    found = read(records.own_start(observed()[0], START.name, AT))
    assert (found.adopted, found.manual, found.skip) == (False, True, None)


def test_a_start_that_does_not_happen_comes_with_its_reason() -> None:
    found = read(records.left_out(observed()[0], START.name, AT, WHY))
    assert (found.adopted, found.skip) == (True, ("Overlap", "another run goes on"))

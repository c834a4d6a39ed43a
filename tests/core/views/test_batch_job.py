"""What a Job says of its run: whose it is, whether it goes on, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.views.batch_job import BatchJobView, batch_job_view
from agentjobs.core.workload import cronjob
from agentjobs.core.workload.pod import Frozen
from tests.support.decisions import cron_job, observed
from tests.support.endings import RUN
from tests.support.workload import POLICY

SYSTEM = {
    "uid": "j",
    "resourceVersion": "5",
    "creationTimestamp": "2026-11-22T08:00:00Z",
}


def seen(status: Any = None, packages: list[str] | None = None, **metadata: Any) -> BatchJobView:
    """A Job that the operator made, as the API server shows it."""
    known = observed(packages=packages or [])
    content = current_content(known.job)
    body = cronjob.manual_job(
        known.job, RUN, cron_job(known), content, POLICY, Frozen("revision"), None
    )
    return batch_job_view(
        body | {"metadata": body["metadata"] | SYSTEM | metadata, "status": status}
    )


def test_a_job_of_ours_is_read_back_as_it_was_written() -> None:
    found = seen(packages=["six==1.17.0"])
    assert (found.job, found.name, found.owner_uid) == ("report", RUN.name, "cron")
    assert (found.manual, found.suspended, found.run_uid) == (True, True, RUN.uid)
    assert found.packages == ("six==1.17",)
    assert found.digest == current_content(observed(packages=["six==1.17.0"]).job).digest


def test_a_job_without_our_annotations_is_one_of_its_controller() -> None:
    found = seen(annotations=None)
    assert (found.manual, found.digest, found.packages) == (False, None, ())


@pytest.mark.parametrize(
    ("conditions", "ended", "failure"),
    [
        ([], "", ""),
        ([("Complete", "True", "")], "Complete", ""),
        ([("Failed", "True", "BackoffLimitExceeded")], "Failed", "BackoffLimitExceeded"),
        ([("Failed", "False", "x")], "", ""),
        ([("FailureTarget", "True", "DeadlineExceeded")], "", "DeadlineExceeded"),
        (
            [("FailureTarget", "True", "early"), ("Failed", "True", "late")],
            "Failed",
            "late",
        ),
    ],
)
def test_how_it_ended_and_why_is_what_its_controller_says(
    conditions: list[tuple[str, str, str]], ended: str, failure: str
) -> None:
    status = {
        "conditions": [
            {"type": kind, "status": value, "reason": reason} for kind, value, reason in conditions
        ]
    }
    assert (seen(status).ended, seen(status).failure) == (ended, failure)


def test_its_deadline_counts_from_its_start() -> None:
    assert seen().due is None
    assert seen({"startTime": "2026-11-22T08:01:00Z"}).due == datetime(
        2026, 11, 22, 9, 1, tzinfo=UTC
    )


def test_a_stop_and_a_deletion_are_seen() -> None:
    assert not seen().deleting
    assert seen(deletionTimestamp="2026-11-22T08:00:00Z").deleting
    stopped = seen(annotations={names.STOP_ANNOTATION: "Denied"})
    assert stopped.stop_reason == "Denied"
    held = {"conditions": [{"type": "Suspended", "status": "True", "reason": ""}]}
    assert (seen().held, seen(held).held) == (False, True)

"""What has to end follows from decisions and requests, and from nothing that a job lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Stage
from agentjobs.core.runs.stops import SURE, no_more_starts, reasons, stop, writes
from agentjobs.core.views.run import RunView
from tests.support.decisions import approved, cron_job, observed, settled
from tests.support.endings import JOB, RUN
from tests.support.packages import asking, decided

SEEN = settled(observed())
DIGEST = SEEN.approvals[0].digest
GOES_ON = replace(JOB, digest=DIGEST, owner_uid="cron")


def why(seen: Observed, **changes: Any) -> str | None:
    """Why the Job of the run has to stop."""
    return reasons(replace(seen, batch_jobs=(replace(GOES_ON, **changes),))).get(JOB.uid)


def cancelled(**changes: Any) -> Observed:
    run: RunView = replace(RUN, name=JOB.name, cancel=True, adopted=True, **changes)
    return replace(SEEN, runs=(run,))


def test_what_is_approved_goes_on() -> None:
    assert why(SEEN) is None


@pytest.mark.parametrize(
    ("seen", "changes", "reason"),
    [
        (approved(SEEN, "Denied"), {}, "Denied"),
        (replace(SEEN, approvals=()), {}, "ApprovalRevoked"),
        (SEEN, {"digest": None}, "ApprovalRevoked"),
        (SEEN, {"packages": ("six==1.17.0",)}, "PackageRevoked"),
        (cancelled(), {}, "CancelledByUser"),
        (cancelled(started=None), {"suspended": True, "manual": True}, "CancelledBeforeStart"),
        (cancelled(), {"suspended": True, "manual": False}, "CancelledByUser"),
    ],
)
def test_each_reason_to_stop(seen: Observed, changes: dict[str, Any], reason: str) -> None:
    assert why(seen, **changes) == reason


def test_a_denied_package_stops_and_an_approved_one_does_not() -> None:
    pins = ("six==1.17.0",)
    fine = approved(asking([*pins], decided(*pins)))
    digest = fine.approvals[0].digest
    assert why(fine, digest=digest, packages=pins) is None
    denied = approved(asking([*pins], decided(*pins), decided(*pins, decision="Denied")))
    assert why(denied, digest=digest, packages=pins) == "PackageDenied"


@pytest.mark.parametrize(
    "changes",
    [{"foreign": True}, {"stop_reason": "Denied"}, {"ended": "Failed"}, {"deleting": True}],
)
def test_what_is_not_ours_or_ends_already_is_left_alone(changes: dict[str, Any]) -> None:
    assert why(replace(SEEN, approvals=()), **changes) is None


def test_a_cancel_that_nobody_has_adopted_yet_stops_no_waiting_job() -> None:
    """Then the run is refused instead; see `starting`."""
    seen = replace(SEEN, runs=(replace(RUN, name=JOB.name, cancel=True, adopted=False),))
    assert why(seen, suspended=True) is None


def test_what_follows_from_something_missing_is_not_sure() -> None:
    revoked = replace(SEEN, approvals=(), batch_jobs=(GOES_ON,))
    assert list(writes(revoked, sure=True)) == []
    assert [(write.verb, write.kind) for write in writes(revoked)] == [
        ("patch", "cronjob"),
        ("patch", "batchjob"),
    ]
    denied = replace(approved(SEEN, "Denied"), batch_jobs=(GOES_ON,))
    assert len(list(writes(denied, sure=True))) == 2
    assert "ApprovalRevoked" not in SURE


@pytest.mark.parametrize(
    ("job", "cron", "expected"),
    [
        ({}, {}, None),
        ({"suspended": True}, {}, ("spec.suspend is true", True)),
        ({"deleting": True}, {}, ("its job is being deleted", True)),
        ({"gone": True}, {}, ("its ScheduledAgentJob no longer exists", True)),
        ({"gone": True}, {"labelled": False}, None),
        ({"suspended": True}, {"owner_uid": "another"}, None),
        ({"suspended": True}, {"suspended": True}, None),
        ({"suspended": True}, {"deleting": True}, None),
        ({}, {"digest": "f" * 64}, ("nothing is approved", False)),
    ],
)
def test_when_a_cron_job_starts_nothing_more(
    job: dict[str, Any], cron: dict[str, Any], expected: tuple[str, bool] | None
) -> None:
    seen = replace(SEEN, job=replace(SEEN.job, **job), cron_job=cron_job(SEEN, **cron))
    assert no_more_starts(seen) == expected


def test_a_stop_is_written_first_for_this_very_job_and_says_why() -> None:
    write = stop(GOES_ON, "Denied")
    assert write.stage == Stage.STOP
    assert write.body == {
        "metadata": {"uid": "juid", "annotations": {names.STOP_ANNOTATION: "Denied"}},
        "spec": {"suspend": True},
    }
    before = dict(stop(GOES_ON, "CancelledBeforeStart").body or {})
    assert before["metadata"]["resourceVersion"] == GOES_ON.resource_version

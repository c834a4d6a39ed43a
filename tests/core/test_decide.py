"""The decision about a whole job: what it answers its author and what it asks of the cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentjobs.core.approval.in_force import current_content
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import RunView
from tests.support.decisions import NOW, approved, asked, cron_job, observed, settled, status, told
from tests.support.endings import RUNNING_POD
from tests.support.workload import POLICY

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""Of the job below: Monday, 08:00 in Bucharest."""


def test_an_unapproved_job_asks_nothing_of_the_cluster_and_shows_its_card() -> None:
    plan = decide(observed(), POLICY, NOW)
    assert asked(plan) == []
    found = status(plan)
    assert (found["phase"], found["approval"]) == ("PendingApproval", {"state": "Pending"})
    assert found["card"]["schedule"] == "At 08:00, only on Monday (Europe/Bucharest)"
    assert found["card"]["nextStarts"][0] == "2026-11-23T08:00:00+02:00"
    assert "nextRunAt" not in found
    assert found["card"]["digest"][:10] in told(plan, "Approved").message


def test_an_approved_job_gets_its_revision_before_its_cron_job() -> None:
    plan = decide(approved(observed()), POLICY, NOW)
    assert asked(plan) == [("create", "revision"), ("create", "cronjob")]
    assert (status(plan)["phase"], status(plan)["nextRunAt"]) == (
        "Scheduled",
        "2026-11-23T06:00:00Z",
    )
    assert status(plan)["approval"] == {
        "state": "Approved",
        "digest": status(plan)["card"]["digest"],
        "by": "ana",
        "at": "2026-11-22T07:00:00Z",
    }


def test_a_job_where_everything_is_in_place_asks_for_nothing_more() -> None:
    seen = settled(observed())
    first = decide(seen, POLICY, NOW)
    assert asked(first) == []
    again = replace(
        seen, job=replace(seen.job, status=seen.job.status.model_validate(status(first)))
    )
    assert decide(again, POLICY, NOW + timedelta(minutes=1)).writes == ()


def test_an_approval_of_another_digest_starts_nothing_and_is_named() -> None:
    plan = decide(approved(observed(), digest="f" * 64), POLICY, NOW)
    assert asked(plan) == []
    condition = told(plan, "Approved")
    assert (condition.status, condition.reason) == ("False", "DigestMismatch")
    assert "ffffffffff" in condition.message


def test_a_denial_withdraws_what_runs() -> None:
    seen = settled(observed())
    denied = approved(seen, "Denied")
    plan = decide(denied, POLICY, NOW)
    assert asked(plan) == [("patch", "cronjob")]
    assert denied.cron_job
    suspended = replace(denied, cron_job=replace(denied.cron_job, suspended=True))
    assert asked(decide(suspended, POLICY, NOW)) == [("delete", "cronjob")]
    assert (status(plan)["phase"], told(plan, "Approved").reason) == ("Denied", "Denied")


def test_only_approvals_from_before_a_change_of_content_are_history() -> None:
    old, new = observed(), observed(script={"inline": "print('new')\n"})
    earlier = approved(
        replace(settled(old), job=new.job, previous=current_content(old.job)), digest="e" * 64
    )
    assert told(decide(earlier, POLICY, NOW), "Approved").reason == "Changed"
    waiting = new.job.status.model_validate(
        status(decide(earlier, POLICY, NOW - timedelta(hours=2)))
    )
    late = replace(earlier, job=replace(new.job, status=waiting))
    condition = told(decide(late, POLICY, NOW), "Approved")
    assert (condition.reason, "eeeeeeeeee" in condition.message) == ("DigestMismatch", True)


def test_somebody_elses_cron_job_is_left_alone_and_looked_for_again() -> None:
    seen = settled(observed())
    assert seen.cron_job
    plan = decide(replace(seen, cron_job=replace(seen.cron_job, owner_uid="other")), POLICY, NOW)
    assert asked(plan) == []
    assert told(plan, "Ready").reason == "NameTaken"
    assert plan.requeue_after is not None
    assert plan.requeue_after <= 15


def test_our_cron_job_without_its_owner_is_repaired() -> None:
    seen = settled(observed())
    assert seen.cron_job
    assert asked(
        decide(replace(seen, cron_job=replace(seen.cron_job, owner_uid=None)), POLICY, NOW)
    ) == [("replace", "cronjob")]


def test_a_changed_job_waits_while_its_approved_revision_stays_in_force() -> None:
    old = observed()
    new = observed(script={"inline": "print('new')\n"})
    old_content = current_content(old.job)
    seen = replace(settled(old), job=new.job, previous=old_content)
    plan = decide(seen, POLICY, NOW)
    assert asked(plan) == []
    assert status(plan)["approval"]["state"] == "Changed"
    assert status(plan)["approval"]["digest"] == old_content.digest
    assert status(plan)["card"]["digest"] == current_content(new.job).digest
    assert told(plan, "Approved").reason == "Changed"
    assert told(plan, "Ready").status == "False"
    assert status(plan)["phase"] == "Scheduled"


@pytest.mark.parametrize(
    ("changes", "no_old_starts"),
    [
        ({"spec_hash": "other"}, False),
        ({"owner_uid": None}, False),
        ({"spec_hash": "other", "suspended": True}, True),
        ({"spec_hash": "other", "schedule": "0 9 * * 1"}, True),
        ({"spec_hash": "other", "time_zone": "Etc/UTC"}, True),
    ],
)
def test_drift_is_repaired_and_a_resume_or_new_schedule_fires_nothing_old(
    changes: dict[str, Any], no_old_starts: bool
) -> None:
    seen = observed()
    plan = decide(replace(settled(seen), cron_job=cron_job(seen, **changes)), POLICY, NOW)
    expected = (
        [("patch", "cronjob"), ("replace", "cronjob")]
        if no_old_starts
        else [("replace", "cronjob")]
    )
    assert asked(plan) == expected
    if no_old_starts:
        first = plan.writes[0]
        assert first.subresource == "status"
        assert dict(first.body or {})["status"] == {"lastScheduleTime": "2026-11-22T08:00:00Z"}


def test_what_the_server_makes_of_our_spec_is_no_drift() -> None:
    seen = observed()
    wanted = cron_job(seen).spec_hash
    plan = decide(
        replace(
            settled(seen),
            cron_job=cron_job(seen, spec_hash="normalised"),
            settled={wanted: "normalised"},
        ),
        POLICY,
        NOW,
    )
    assert asked(plan) == []


def test_a_cron_job_of_somebody_else_is_left_alone_and_named() -> None:
    seen = observed()
    plan = decide(
        replace(settled(seen), cron_job=cron_job(seen, owner_uid="somebody")), POLICY, NOW
    )
    assert asked(plan) == []
    assert (told(plan, "Ready").reason, told(plan, "Ready").status) == ("NameTaken", "False")


def test_suspending_needs_no_approval_and_shows_no_next_run() -> None:
    plan = decide(approved(observed(suspend=True)), POLICY, NOW)
    created = next(write for write in plan.writes if write.kind == "cronjob")
    assert dict(created.body or {})["spec"]["suspend"] is True
    assert status(plan)["phase"] == "Paused"
    assert "nextRunAt" not in status(plan)


def test_suspending_a_job_with_an_otherwise_invalid_spec_stops_its_starts() -> None:
    seen = approved(observed())
    before = status(decide(seen, POLICY, NOW))
    broken = replace(
        observed(before, suspend=True, sidecar={"image": "x"}),
        approvals=seen.approvals,
        previous=current_content(seen.job),
    )
    plan = decide(broken, POLICY, NOW)
    created = next(write for write in plan.writes if write.kind == "cronjob")
    assert dict(created.body or {})["spec"]["suspend"] is True
    assert (status(plan)["phase"], told(plan, "Scheduled").reason, told(plan, "Ready").reason) == (
        "Paused",
        "Suspended",
        "InvalidSpec",
    )


def test_an_invalid_spec_ends_in_a_condition_with_its_sentence() -> None:
    seen = observed(schedule={"cron": "0 8 * * 1", "timeZone": "Europe/Bukarest"})
    plan = decide(seen, POLICY, NOW)
    assert asked(plan) == []
    assert status(plan)["phase"] == "Invalid"
    assert "write an IANA name" in told(plan, "Ready").message


def test_a_field_that_this_version_does_not_know_is_never_acted_on() -> None:
    plan = decide(observed(sidecar={"image": "x"}), POLICY, NOW)
    assert (asked(plan), status(plan)["phase"]) == ([], "Invalid")
    assert "sidecar" in told(plan, "Ready").message


def test_a_schedule_that_is_never_due_says_so() -> None:
    plan = decide(approved(observed(schedule={"cron": "0 0 31 2 *"})), POLICY, NOW)
    assert told(plan, "Scheduled").reason == "NeverDue"


def test_the_status_is_looked_at_again_when_the_next_start_has_passed() -> None:
    plan = decide(settled(observed()), POLICY, datetime(2026, 11, 23, 5, 59, 50, tzinfo=UTC))
    assert plan.requeue_after == pytest.approx(11)


def begun(seen: Observed, pod: PodView | None = None) -> Observed:
    """A scheduled start has come, and its run was created."""
    seen = settled(seen)
    before = decide(seen, POLICY, START - timedelta(hours=1))
    name = f"report-{int(START.timestamp()) // 60}"
    digest = current_content(seen.job).digest
    job = BatchJobView(
        "ns", name, "report", "juid", "1", "cron", START, False, False, digest, None, "", "", False
    )
    run = RunView(
        "ns", name, "ruid", "1", "report", True, False, START, "Pending", None, None, None
    )
    known = replace(seen.job, status=seen.job.status.model_validate(status(before)))
    return replace(seen, job=known, batch_jobs=(job,), runs=(run,), pods=(pod,) if pod else ())


def test_the_next_start_is_shown_with_the_run_or_when_its_pod_is_late() -> None:
    starting = decide(begun(observed()), POLICY, START + timedelta(seconds=1))
    assert (starting.writes, starting.requeue_after) == ((), 4)
    late = decide(begun(observed()), POLICY, START + timedelta(seconds=5))
    assert status(late)["nextRunAt"] == "2026-11-30T06:00:00Z"
    pod = replace(
        RUNNING_POD,
        name="p",
        run=f"report-{int(START.timestamp()) // 60}",
        owner_uid="juid",
        started="2026-11-23T06:00:01Z",
    )
    running = decide(begun(observed(), pod), POLICY, START + timedelta(seconds=1))
    assert (status(running)["phase"], status(running)["nextRunAt"]) == (
        "Running",
        "2026-11-30T06:00:00Z",
    )


def test_what_else_is_new_does_not_wait_for_a_run_to_begin() -> None:
    denied = approved(begun(observed()), "Denied")
    assert (
        status(decide(denied, POLICY, START + timedelta(seconds=1)))["approval"]["state"]
        == "Denied"
    )


def test_the_counting_write_carries_the_version_that_was_read() -> None:
    write = next(write for write in decide(observed(), POLICY, NOW).writes if write.kind == "job")
    assert dict(write.body or {})["metadata"] == {"resourceVersion": "7"}

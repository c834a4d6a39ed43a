"""A job that is gone starts nothing, and its runs still get their records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from agentjobs.core.gone import LOOK_AGAIN_SECONDS, decide_gone, not_found, stand_in
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Plan
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs import following
from agentjobs.core.views.approvals import RevisionView
from agentjobs.core.views.run import RunView
from tests.support.decisions import NOW, asked, cron_job, observed, settled
from tests.support.endings import EXITED, JOB, POD, RUN
from tests.support.workload import POLICY

SEEN = settled(observed())
DIGEST = SEEN.approvals[0].digest
GONE = replace(SEEN, job=stand_in("ns", "report"), cron_job=None, revisions=frozenset())
LEFT = cron_job(SEEN, owner_uid=None)
BEGUN = replace(RUN, name="now", uid="run", adopted=False, started_as=JOB.uid)
GOES_ON = replace(JOB, name="now", digest=DIGEST, owner_uid=None, run_uid="run")
WAITS = RunView("ns", "now", "u", "1", "report", False, True, NOW, "Pending", None, None, None)


def plan(seen: Observed, **changes: Any) -> Plan:
    return decide_gone(replace(seen, **changes), POLICY, NOW + timedelta(minutes=1))


def test_a_run_of_an_unknown_job_is_skipped_after_a_moments_wait() -> None:
    run = replace(WAITS, job="nobody")
    assert not_found(run, NOW + timedelta(seconds=1)) == Plan(requeue_after=1.0)
    (write,) = not_found(run, NOW + timedelta(seconds=3)).writes
    assert dict(write.body or {})["status"]["reason"] == "JobNotFound"
    assert not_found(replace(run, adopted=True), NOW + timedelta(hours=1)) == Plan()
    assert not_found(replace(run, phase="Skipped"), NOW + timedelta(hours=1)) == Plan()


def test_where_nothing_is_left_there_is_nothing_to_do() -> None:
    assert plan(GONE) == Plan()


def test_a_cron_job_that_was_left_behind_stops_and_then_goes() -> None:
    assert asked(plan(GONE, cron_job=LEFT)) == [("patch", "cronjob")]
    suspended = replace(LEFT, suspended=True)
    (write,) = plan(GONE, cron_job=suspended).writes
    assert (write.verb, write.uid, write.resource_version) == ("delete", "cron", "9")
    assert asked(plan(GONE, cron_job=suspended, batch_jobs=(GOES_ON,), runs=(BEGUN,))) == []
    assert asked(plan(GONE, cron_job=replace(suspended, labelled=False))) == []


def test_revisions_go_last_and_a_session_stays() -> None:
    kept = (RevisionView("report-x", "report", "r", None, DIGEST),)
    assert asked(plan(GONE, kept=kept)) == [("delete", "revision")]
    assert asked(plan(GONE, kept=kept, cron_job=LEFT)) == [("patch", "cronjob")]
    assert asked(plan(GONE, session_claim="ours")) == []


def test_what_runs_goes_on_while_its_approval_stands_and_is_recorded() -> None:
    running = replace(POD, run="now", phase="Running", exit_code=None, running=True)
    goes_on = replace(GONE, runs=(BEGUN,), batch_jobs=(GOES_ON,), pods=(running,))
    assert plan(goes_on) == Plan(requeue_after=LOOK_AGAIN_SECONDS)
    denied = replace(SEEN.approvals[0], decision="Denied")
    assert asked(plan(goes_on, approvals=(denied,))) == [("patch", "batchjob")]
    over = replace(
        goes_on,
        pods=(replace(POD, run="now"),),
        batch_jobs=(replace(GOES_ON, ended="Complete"),),
        evidence={"now": Evidence(replace(EXITED, run_id="now", digest=DIGEST))},
    )
    (record,) = (write for write in plan(over).writes if write.kind == "run")
    assert dict(record.body or {})["status"]["phase"] == "Succeeded"


def test_a_start_without_a_record_gets_one_that_no_owner_takes_along() -> None:
    start = replace(GOES_ON, name="report-29412345", manual=False, run_uid=None)
    (write,) = plan(GONE, batch_jobs=(start,)).writes
    metadata = dict(write.body or {})["metadata"]
    assert (write.verb, write.name, "ownerReferences" in metadata) == ("create", start.name, False)


def test_a_run_that_waits_for_a_job_that_went_is_skipped_with_its_job() -> None:
    held = replace(GOES_ON, suspended=True, run_uid="u")
    writes = plan(GONE, runs=(WAITS,), batch_jobs=(held,)).writes
    assert [(write.verb, write.kind) for write in writes] == [
        ("delete", "batchjob"),
        ("patch", "run"),
    ]


def test_of_a_flood_only_some_are_answered_before_the_next_look() -> None:
    many = tuple(replace(WAITS, name=f"r{number}") for number in range(following.MANY + 9))
    found = plan(GONE, runs=many)
    assert following.MANY <= len(found.writes) <= following.MANY + 1
    assert found.requeue_after == 0

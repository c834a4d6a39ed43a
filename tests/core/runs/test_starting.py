"""A run that somebody asked for starts once, or is refused with the first reason that applies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.admission import PATIENCE, Gap
from agentjobs.core.approval.in_force import in_force
from agentjobs.core.approval.obstacles import obstacle
from agentjobs.core.observed import Observed
from agentjobs.core.runs.cases import RunContext, Step, cases
from agentjobs.core.runs.starting import ARRIVAL_GRACE, start
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.run import RunView, run_view
from tests.support import manifests as written
from tests.support.decisions import NOW, cron_job, observed, settled
from tests.support.endings import JOB
from tests.support.workload import POLICY


def run(name: str = "now", *, asked: timedelta = timedelta(minutes=1), **spec: Any) -> RunView:
    body = written.run(name, "report", **spec)
    created = (NOW - asked).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {
        "namespace": "ns",
        "name": name,
        "uid": f"{name}-uid",
        "resourceVersion": "1",
        "creationTimestamp": created,
    }
    return run_view(body | {"metadata": metadata})


def job_of(asked: RunView, seen: Observed, **changes: Any) -> BatchJobView:
    """The Job that the operator made for it, which waits."""
    made = replace(
        JOB,
        name=asked.name,
        uid=f"{asked.name}-job",
        owner_uid="cron",
        suspended=True,
        held=True,
        digest=seen.approvals[0].digest,
        run_uid=asked.uid,
    )
    return replace(made, **changes)


def started(seen: Observed, name: str = "now") -> Step:
    force, status = in_force(seen), seen.job.status
    in_the_way = obstacle(seen, force)
    context = RunContext(seen, force, POLICY, NOW, cases(seen), status, obstacle=in_the_way)
    (case,) = (case for case in context.cases if case.name == name)
    assert case.run
    return start(context, case, case.run)


SEEN = replace(settled(observed()), runs=(run(),))
OTHER = run("other", asked=timedelta(minutes=5))
BUSY = replace(
    SEEN,
    runs=(*SEEN.runs, replace(OTHER, adopted=True, started_as="other-job", manual=True)),
    batch_jobs=(job_of(OTHER, SEEN, suspended=False),),
)
OLD_GAP = Gap(("a policy is missing",), NOW - PATIENCE)


def skipped(step: Step) -> str:
    """Reason and sentence with which the run is given its job, and never starts."""
    (write,) = step.before
    said: str = dict(write.body or {})["metadata"]["annotations"][names.SKIP_ANNOTATION]
    return said


REFUSED: dict[str, tuple[Observed, str]] = {
    "cancelled": (replace(SEEN, runs=(run(cancel=True),)), "CancelledBeforeStart"),
    "deleted": (replace(SEEN, job=replace(SEEN.job, deleting=True)), "JobNotFound"),
    "unguarded": (replace(SEEN, gap=OLD_GAP), "PolicyMissing"),
    "not approved": (replace(SEEN, approvals=()), "NotApproved"),
    "in the way": (
        replace(SEEN, cron_job=cron_job(SEEN, owner_uid="another")),
        "NameTaken: a CronJob named report",
    ),
    "taken": (
        replace(SEEN, batch_jobs=(replace(JOB, name="now", owner_uid="another"),)),
        "NameTaken: a Job named now",
    ),
    "busy": (BUSY, "Overlap: the run other has not finished"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_each_refusal_is_written_into_the_run(why: str) -> None:
    seen, reason = REFUSED[why]
    assert skipped(started(seen)).startswith(reason)


def test_of_several_reasons_the_first_in_the_list_is_told() -> None:
    """Each of these would be refused for all that comes behind it, too."""
    seen = replace(BUSY, gap=OLD_GAP, approvals=())
    assert skipped(started(seen)).startswith("PolicyMissing")
    deleted = replace(seen, job=replace(seen.job, deleting=True))
    assert skipped(started(deleted)).startswith("JobNotFound")
    wanted = replace(deleted, runs=(run(cancel=True), *deleted.runs[1:]))
    assert skipped(started(wanted)).startswith("CancelledBeforeStart")


def test_a_run_that_came_with_its_approval_waits_for_it_to_be_seen() -> None:
    fresh = replace(SEEN, approvals=(), runs=(run(asked=timedelta(seconds=1)),))
    assert started(fresh) == Step(requeue_after=ARRIVAL_GRACE.total_seconds())


def test_a_gap_that_has_just_begun_makes_it_wait() -> None:
    assert started(replace(SEEN, gap=Gap(("a policy is missing",), NOW))) == Step(requeue_after=1)


def test_its_job_is_made_suspended_and_after_the_content_is_there() -> None:
    (write,) = started(SEEN).before
    assert (write.verb, write.kind, write.name) == ("create", "batchjob", "now")
    assert write.needs == {"content"}
    assert dict(write.body or {})["spec"]["suspend"] is True


def test_it_takes_the_lock_then_the_run_and_only_then_lets_the_job_go() -> None:
    held = replace(SEEN, batch_jobs=(job_of(SEEN.runs[0], SEEN),))
    writes = started(held).before
    assert [(write.kind, write.subresource) for write in writes] == [
        ("cronjob", "status"),
        ("run", ""),
        ("batchjob", ""),
    ]
    assert {write.strand for write in writes} == {"run/now"}, "a failure holds back the later ones"
    assert started(replace(held, batch_jobs=(job_of(SEEN.runs[0], SEEN, held=False),))) == Step(
        requeue_after=1
    )


def test_a_lock_that_another_job_holds_is_waited_for() -> None:
    held = replace(SEEN, batch_jobs=(job_of(SEEN.runs[0], SEEN),))
    locked = replace(held, cron_job=cron_job(SEEN, active=({"uid": "scheduled"},)))
    assert started(locked) == Step(requeue_after=1)
    ended = replace(JOB, name="scheduled", uid="scheduled", owner_uid="cron", ended="Complete")
    assert len(started(replace(locked, batch_jobs=(*held.batch_jobs, ended))).before) == 3


@pytest.mark.parametrize("policy", ["Allow", "Replace"])
def test_what_a_start_does_to_a_run_that_goes_on_is_what_was_approved(policy: str) -> None:
    seen = settled(observed(concurrencyPolicy=policy))
    busy = replace(
        seen,
        runs=BUSY.runs,
        batch_jobs=(job_of(OTHER, seen, suspended=False),),
    )
    (write,) = started(busy).before
    assert (write.verb, write.kind, write.name) == (
        ("create", "batchjob", "now") if policy == "Allow" else ("patch", "batchjob", "other")
    )


def test_a_job_that_its_controller_made_after_all_is_the_start() -> None:
    """It was late, not gone."""
    late = replace(SEEN, batch_jobs=(replace(job_of(SEEN.runs[0], SEEN), manual=False),))
    (write,) = started(late).before
    annotations = dict(write.body or {})["metadata"]["annotations"]
    assert annotations == {names.MADE_AS_ANNOTATION: "now-job"}


def test_of_two_runs_the_one_that_was_asked_for_first_starts_first() -> None:
    both = replace(SEEN, runs=(run(), replace(OTHER, uid="other-uid")))
    assert started(both).before == (), "it waits for the other"
    assert started(both, "other").before[0].name == "other"

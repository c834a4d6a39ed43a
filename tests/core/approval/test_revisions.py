"""Old revisions go when nothing needs them, and not before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agentjobs.core import naming
from agentjobs.core.approval import revisions
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.views.approvals import RevisionView
from agentjobs.core.views.run import RunView
from tests.support.decisions import NOW, cron_job, observed, settled, status
from tests.support.endings import JOB as BATCH_JOB
from tests.support.workload import POLICY

OLD = "0123456789" + "a" * 54


def revision(
    digest: str = OLD, uid: str = "old", owner: str = "uid", name: str | None = None
) -> RevisionView:
    return RevisionView(
        name or naming.revision_name("report", digest), "report", uid, owner, digest
    )


def in_place() -> Observed:
    """Approved, in force, reported; an old revision and the current one have long been there."""
    seen = settled(observed())
    told = seen.job.status.model_validate(status(decide(seen, POLICY, NOW)))
    own = revision(current_content(seen.job).digest, "own")
    since = dict.fromkeys(("old", "own"), NOW - timedelta(hours=1))
    return replace(
        seen, job=replace(seen.job, status=told), kept=(revision(), own), left_over_since=since
    )


def deleted(seen: Observed) -> list[str | None]:
    return [
        write.uid
        for write in decide(seen, POLICY, NOW).writes
        if (write.verb, write.kind) == ("delete", "revision")
    ]


def test_a_revision_that_nothing_needs_goes_by_its_uid() -> None:
    assert deleted(in_place()) == ["old"]


def _with_run(seen: Observed) -> Observed:
    run = RunView(
        "ns", "now", "u", "1", "report", True, True, NOW, "Running", None, None, None, digest=OLD
    )
    return replace(seen, runs=(run,))


def _told_before(seen: Observed) -> Observed:
    approval = seen.job.status.approval
    assert approval
    told = seen.job.status.model_copy(
        update={"approval": approval.model_copy(update={"digest": OLD})}
    )
    return replace(seen, job=replace(seen.job, status=told))


NEEDS: dict[str, Callable[[Observed], Observed]] = {
    "the CronJob": lambda seen: replace(seen, cron_job=cron_job(seen, digest=OLD)),
    "a Job": lambda seen: replace(seen, batch_jobs=(replace(BATCH_JOB, digest=OLD),)),
    "a run": _with_run,
    "the status": _told_before,
}


@pytest.mark.parametrize("who", NEEDS)
def test_a_revision_stays_while_something_needs_it(who: str) -> None:
    assert deleted(NEEDS[who](in_place())) == []


def test_an_unneeded_revision_stays_a_minute_and_is_looked_at_then() -> None:
    fresh = replace(in_place(), left_over_since={"old": NOW - timedelta(seconds=20)})
    assert deleted(fresh) == []
    assert decide(fresh, POLICY, NOW).requeue_after == 40
    assert deleted(replace(fresh, left_over_since={})) == []


@pytest.mark.parametrize("foreign", [revision(owner="other"), revision(name="something-else")])
def test_what_is_no_revision_of_this_job_is_left_alone(foreign: RevisionView) -> None:
    assert deleted(replace(in_place(), kept=(foreign,))) == []


def test_where_nothing_is_in_force_its_revision_goes_too() -> None:
    seen = replace(in_place(), approvals=(), cron_job=None)
    seen = replace(
        seen, job=replace(seen.job, status=seen.job.status.model_copy(update={"approval": None}))
    )
    assert sorted(map(str, deleted(seen))) == ["old", "own"]
    assert revisions.due(seen, NOW)

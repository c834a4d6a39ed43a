"""Records of starts that did not become runs name the real cause; starts that did have none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from agentjobs.core import naming
from agentjobs.core.approval.in_force import in_force
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.accounting import start_plan
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.run import FinishedRun, RunView
from tests.support.decisions import HOUR, HOURLY, NOW, approved, cron_job, known, observed, settled
from tests.support.workload import POLICY

SUSPENDED: Final = {
    "type": "Scheduled",
    "status": "False",
    "reason": "Suspended",
    "message": "x",
    "lastTransitionTime": to_wire(NOW - HOUR),
}


def records(seen: Observed, now: datetime) -> list[str]:
    """Why, of each start that gets a record."""
    bodies = [
        dict(write.body or {})
        for write in decide(seen, POLICY, now).writes
        if (write.verb, write.kind) == ("create", "run")
    ]
    return [body["metadata"]["annotations"]["agentjobs.dev/skipped"] for body in bodies]


@pytest.mark.parametrize(
    ("suspended", "since", "said"),
    [
        (False, NOW - HOUR, "paused by too many failures in a row;"),
        (True, NOW - HOUR, "paused by too many failures in a row and by spec.suspend;"),
        (True, None, "paused by spec.suspend;"),
        (True, NOW + HOUR, "paused by spec.suspend;"),
    ],
)
def test_a_start_of_a_pause_says_what_paused_the_job(
    suspended: bool, since: datetime | None, said: str
) -> None:
    pause = {"failurePause": {"since": to_wire(since), "suspended": suspended}} if since else {}
    seen = settled(observed(schedule=HOURLY, suspend=suspended, pauseAfterFailures=2))
    seen = known(seen, consecutiveFailures=2 if since else 0, conditions=[SUSPENDED], **pause)
    (why,) = records(seen, NOW + HOUR / 2)
    assert why.startswith("Paused: ")
    assert said in why


def test_a_start_that_a_taken_name_kept_away_is_not_blamed_on_the_cluster() -> None:
    seen = known(settled(observed(schedule=HOURLY)), nextRunAt=to_wire(NOW))
    taken = replace(seen, cron_job=cron_job(seen, owner_uid="other", labelled=False))
    (why,) = records(taken, NOW + HOUR / 2)
    assert why.startswith("NameTaken: ")
    assert "a CronJob named report exists and does not belong to this job" in why
    (why,) = records(seen, NOW + HOUR / 2)
    assert why.startswith("NotStartedInTime: ")
    assert "a quota or an admission policy refused the Job" in why


@pytest.mark.parametrize(
    ("first", "zone"),
    [("2027-10-31T00:30:00Z", "Europe/Bucharest"), ("2027-11-07T05:30:00Z", "America/New_York")],
)
def test_starts_of_an_hour_that_comes_twice_are_known_when_they_have_run(
    first: str, zone: str
) -> None:
    start = datetime.fromisoformat(first)
    local = start.astimezone(ZoneInfo(zone))
    seen = settled(
        observed(schedule={"cron": f"{local.minute} {local.hour} * * *", "timeZone": zone})
    )
    starts = [start, start + HOUR]
    done = tuple(
        FinishedRun(
            "ns", naming.run_of_start("report", at), str(at), "report", "Succeeded", to_wire(at), 0
        )
        for at in starts
    )
    seen = replace(known(seen, nextRunAt=first), finished=done)
    assert next_starts.next_starts(seen.job.spec.schedule, start, 1)[0].astimezone(UTC) == starts[1]  # type: ignore[union-attr]
    for after in (timedelta(minutes=1), 6 * HOUR):
        assert records(seen, starts[1] + after) == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("denied", "was denied"),
        ("invalid", "its current spec cannot be approved"),
        ("pending", "shows what to approve"),
    ],
)
def test_a_run_by_hand_is_told_why_nothing_is_in_force(said: str, why: str) -> None:
    seen = observed(**({"sidecar": {}} if said == "invalid" else {}))
    seen = approved(seen, "Denied") if said == "denied" else seen
    run = RunView(
        "ns", "now", "ruid", "1", "report", False, True, NOW - HOUR, "Pending", None, None, None
    )
    plan = decide(replace(seen, runs=(run,)), POLICY, NOW)
    (adopted,) = [dict(write.body or {}) for write in plan.writes if write.kind == "run"]
    told = adopted["metadata"]["annotations"]["agentjobs.dev/skipped"]
    assert told.startswith("NotApproved: ")
    assert why in told


def test_without_a_content_in_force_there_is_no_start() -> None:
    seen = observed(schedule=HOURLY)
    plan = start_plan(seen, in_force(seen), seen.job.status, None, suspended=False, now=NOW)
    assert (plan.start, plan.writes, plan.timing) == (None, (), None)

"""The job in one word, and why: the first that fits, so that nobody is misled by the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.errors import UserError
from agentjobs.core.observed import InForce
from agentjobs.core.runs.cases import Step
from agentjobs.core.status.conditions import ConditionState
from agentjobs.core.status.story import Activity, activity, story
from tests.support.decisions import observed

CONTENT = current_content(observed().job)
FORCE = InForce(CONTENT, CONTENT, None, "Approved")
NOTHING = InForce(CONTENT, None, None, "Pending")
TIMED: dict[str, ConditionState] = {
    "Approved": ("True", "Approved", ""),
    "PackagesApproved": ("True", "NoPackages", ""),
    "Scheduled": ("True", "Scheduled", ""),
}
NO_START = TIMED | {"Scheduled": ("False", "NoSchedule", "")}
OVER = TIMED | {"Scheduled": ("False", "Past", "")}
WAITS = TIMED | {"Approved": ("False", "PendingApproval", "")}
DENIED = TIMED | {"Approved": ("False", "Denied", "")}
PACKAGE_DENIED = TIMED | {"PackagesApproved": ("False", "PackageDenied", "")}
LACKING = InForce(CONTENT, None, None, "Approved", {"a==1": "Denied"})
INVALID = UserError("spec.x: no")
MISSING = UserError("spec.x: no", "SourceMissing")


def ended(phase: str, reason: str = "ScriptFailed") -> ScheduledAgentJobStatus:
    line = {"name": "a", "uid": "u", "phase": phase}
    return ScheduledAgentJobStatus.model_validate(
        {"lastRun": line, "recentRuns": [line | {"reason": reason}]}
    )


NEW = ScheduledAgentJobStatus()
PAUSED = ScheduledAgentJobStatus.model_validate(
    {"failurePause": {"since": "2026-11-20T08:00:00Z", "suspended": False}}
)
STUCK = Activity(stuck="ImagePullBackOff")


@pytest.mark.parametrize(
    ("force", "status", "answers", "more", "told"),
    [
        (NOTHING, NEW, WAITS, {"active": Activity(running=True)}, ("Running", None)),
        (NOTHING, NEW, WAITS, {"active": STUCK}, ("PendingApproval", None)),
        (NOTHING, NEW, WAITS, {}, ("PendingApproval", None)),
        (replace(NOTHING, verdict="Denied"), NEW, DENIED, {}, ("Denied", None)),
        (LACKING, NEW, PACKAGE_DENIED, {}, ("Denied", "PackageDenied")),
        (replace(NOTHING, problem=INVALID), NEW, WAITS, {}, ("Invalid", "InvalidSpec")),
        (FORCE, NEW, TIMED, {"active": STUCK, "blocked": "x"}, ("Blocked", "ImagePullBackOff")),
        (
            FORCE,
            PAUSED,
            TIMED,
            {"blocked": "NameTaken", "suspended": True},
            ("Blocked", "NameTaken"),
        ),
        (FORCE, PAUSED, TIMED, {"suspended": True}, ("Paused", "PausedAfterFailures")),
        (FORCE, NEW, TIMED, {"suspended": True}, ("Paused", "Suspended")),
        (replace(FORCE, problem=INVALID), ended("Failed"), TIMED, {}, ("Invalid", "InvalidSpec")),
        (FORCE, ended("Failed"), OVER, {"fired": True}, ("Triggered", None)),
        (FORCE, ended("Failed"), TIMED, {}, ("Failed", "ScriptFailed")),
        (FORCE, ended("TimedOut", "Timeout"), TIMED, {}, ("Failed", "Timeout")),
        (FORCE, ended("Succeeded"), TIMED, {}, ("Finished", None)),
        (FORCE, ended("Succeeded"), NO_START, {}, ("Finished", None)),
        (FORCE, ended("Succeeded"), OVER, {}, ("Finished", "Past")),
        (FORCE, ended("Cancelled"), TIMED, {}, ("Scheduled", None)),
        (FORCE, NEW, NO_START, {}, ("Idle", "NoSchedule")),
        (replace(FORCE, problem=MISSING), NEW, TIMED, {}, ("Scheduled", "SourceMissing")),
    ],
)
def test_phase_and_reason_are_the_first_that_fits(
    force: InForce,
    status: ScheduledAgentJobStatus,
    answers: dict[str, ConditionState],
    more: dict[str, Any],
    told: tuple[str, str | None],
) -> None:
    active = more.pop("active", Activity())
    flags = {"blocked": None, "suspended": False, "fired": False} | more
    assert story(force, status, answers, active, **flags) == told


def test_one_run_that_goes_on_is_enough_and_a_stuck_one_does_not_hide_it() -> None:
    goes_on, stuck = Step(active=True), Step(active=True, stuck="Unschedulable")
    assert activity([stuck, goes_on, Step(stuck="old")]) == Activity(running=True)
    assert activity([stuck, Step()]) == Activity(stuck="Unschedulable")
    assert activity([Step(stuck="of a run that is over")]) == Activity()

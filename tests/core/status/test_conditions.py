"""Conditions answer the author: each says whether, since when, why in one word, and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.admission import Gap
from agentjobs.core.approval.in_force import current_content, in_force
from agentjobs.core.errors import UserError
from agentjobs.core.observed import InForce
from agentjobs.core.status.conditions import (
    RETRIED,
    STALLED,
    ConditionState,
    approval,
    conditions,
    packages_approved,
    ready,
    scheduled,
)
from tests.support.decisions import NOW, approved, observed
from tests.support.packages import asking, decided

CONTENT = current_content(observed().job)
FORCE = InForce(CONTENT, CONTENT, None, "Approved")
NOTHING = InForce(CONTENT, None, None, "Pending")
YES: ConditionState = ("True", "Ready", "fine")
GAP = Gap(("a policy is missing",), NOW)


def test_a_transition_time_moves_with_the_status_and_with_nothing_else() -> None:
    first = conditions((), {"Ready": YES}, 1, NOW)
    later = NOW + timedelta(hours=1)
    (same,) = conditions(first, {"Ready": ("True", "Other", "in other words")}, 2, later)
    assert (same.last_transition_time, same.observed_generation) == ("2026-11-22T08:00:00Z", 2)
    assert same.message == "in other words"
    other = conditions(first, {"Ready": ("False", "Denied", "no")}, 2, later)
    assert other[0].last_transition_time == "2026-11-22T09:00:00Z"


def test_a_message_of_any_length_fits() -> None:
    (found,) = conditions((), {"Ready": ("True", "Ready", "x" * 10_000)}, 1, NOW)
    assert len(found.message) == 4096


@pytest.mark.parametrize(
    ("reason", "kind"),
    [(reason, "Stalled") for reason in sorted(STALLED)]
    + [(reason, "Reconciling") for reason in sorted(RETRIED)]
    + [("PendingApproval", None), ("Deleting", None)],
)
def test_kstatus_is_told_of_what_is_stuck_and_of_what_is_tried_again(
    reason: str, kind: str | None
) -> None:
    found = conditions((), {"Ready": ("False", reason, "because")}, 1, NOW)
    assert [one.type for one in found] == ["Ready", *([kind] if kind else [])]
    assert {(one.reason, one.message) for one in found} == {(reason, "because")}
    again = conditions(found, {one.type: YES for one in found}, 1, NOW)
    assert [one.type for one in again] == ["Ready"], "they are absent unless true"


def test_ready_names_the_first_thing_that_somebody_has_to_deal_with() -> None:
    problem = replace(FORCE, problem=UserError("spec.x: no", "SourceMissing"))
    undecided = (("True", "Approved", ""), ("False", "PackagesPending", "waits"))
    refused = (("ClusterRefused", "quota"), ("ClusterRefused", "more"))

    def reason(force: InForce = FORCE, gap: Gap | None = None, obstacle: str | None = None) -> str:
        return ready(force, undecided, obstacle, gap, refused, deleting=True)[1]

    assert reason(problem, GAP, "taken") == "PolicyMissing"
    assert reason(problem, None, "taken") == "SourceMissing"
    assert reason(FORCE, None, "taken") == "NameTaken"
    assert reason() == "Deleting"
    assert ready(FORCE, undecided, None, None, refused) == (
        "False",
        "ClusterRefused",
        "quota; more",
    )
    assert ready(FORCE, undecided, None, None) == undecided[1]
    assert ready(FORCE, (undecided[0],), None, None)[0] == "True"


def test_a_schedule_is_told_to_hold_with_what_holds_it() -> None:
    def reason(force: InForce, start: str | None = "2026-11-23T06:00:00Z", **more: bool) -> str:
        flags = {"suspended": False, "fired": False} | more
        return scheduled(force, ScheduledAgentJobStatus(), start, None, **flags)[1]

    def of(**schedule: object) -> InForce:
        content = current_content(observed(schedule=schedule).job)
        return InForce(content, content, None, "Approved")

    assert reason(NOTHING) == "NotApproved"
    assert reason(FORCE) == "Scheduled"
    assert reason(FORCE, suspended=True) == "Suspended"
    assert reason(of()) == "NoSchedule"
    assert reason(of(cron="0 8 30 2 *"), None) == "NeverDue"
    assert reason(of(once={"runAt": "2026-01-01T00:00:00"}), None, fired=True) == "Past"
    blocked = scheduled(
        FORCE, ScheduledAgentJobStatus(), "x", "PolicyMissing", suspended=False, fired=False
    )
    assert blocked[:2] == ("False", "PolicyMissing")


def test_packages_are_named_with_what_is_to_be_done_about_them() -> None:
    def said(*pins: str, denied: str = "") -> ConditionState:
        decisions = [decided(denied, decision="Denied")] if denied else []
        return packages_approved(in_force(asking([*pins], *decisions)))

    assert said() == ("True", "NoPackages", "the job asks for no packages")
    assert said("requests==2.32.3")[:2] == ("True", "PackagesApproved")
    assert said("six==1.17.0", "requests==2.32.3") == (
        "False",
        "PackagesPending",
        (
            "packages waiting for approval (1 of 2): six==1.17.0; create a PackageApproval that"
            " names them"
        ),
    )
    assert said("six==1.17.0", "a==1.0", denied="a==1")[:2] == ("False", "PackageDenied")
    assert packages_approved(InForce(None, None, UserError("no"), "Pending"))[1] == "InvalidSpec"


def test_the_approval_in_force_is_the_first_one_and_says_by_whom() -> None:
    seen = approved(approved(observed()))
    second = replace(seen.approvals[1], by="bob", at="2026-11-22T06:00:00Z")
    found = approval(in_force(seen), (seen.approvals[0], second))
    assert (found.state, found.by, found.at) == ("Approved", "bob", "2026-11-22T06:00:00Z")
    assert approval(NOTHING, ()).state == "Pending"
    assert approval(replace(NOTHING, verdict="Denied"), ()).state == "Denied"
